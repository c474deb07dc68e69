"""关联线索: what two applicants of one call have in common that strangers rarely have. Pure: reads values, finds pairs, explains itself.

A hint proves nothing and stops nothing: it names what is the same, for a clerk to look into, and to set aside with a reason when it is
innocent (two halls of one street share an address). Values are shown masked; the fingerprint of a hint is made of the organisations and the
kind only, so that a dismissal outlives a new bid of the same two but not a third that joins them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grants.people.identity import folded, mask_bank, mask_name, mask_phone
from grants.sentences import marked as _

ACCOUNT, PHONE, PERSON, ADDRESS, FILE = "account", "phone", "person", "address", "file"
SENTENCES: Final[Mapping[str, str]] = {
    ACCOUNT: _("收款账号相同（%(value)s）。两个单位用同一账户收款，应查明实际控制人。"),
    FILE: _("交了同一份附件（%(value)s）。内容一字不差，应查明由谁编写。"),
    PHONE: _("联系电话相同（%(value)s）。可能由同一人联系或代办。"),
    PERSON: _("法定代表人或负责人同名（%(value)s）。同名不等于同一人，请核对登记证书。"),
    ADDRESS: _("地址相同（%(value)s）。同址办公很常见，请结合其他线索判断。"),
}
ORDER: Final = (ACCOUNT, FILE, PHONE, PERSON, ADDRESS)
"""From what says most to what says least."""


@dataclass(frozen=True)
class Party:
    """One bid's applicant. values: kind → what is compared ("" or missing: not known); several for files."""

    bid: str
    organisation: str
    name: str
    values: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Hint:
    """The same value in bids of at least two organisations. kind, sentence, bids (their ids), the organisations' names."""

    kind: str
    sentence: str
    bids: tuple[str, ...]
    names: tuple[str, ...]
    fingerprint: str


def related(parties: Sequence[Party]) -> list[Hint]:
    """Every shared value, the weightiest kinds first, then by name. The same parties in another order give the same list."""
    groups: dict[tuple[str, str], list[Party]] = defaultdict(list)
    for party in parties:
        for kind in ORDER:
            for value in {folded(v, digits=kind in (ACCOUNT, PHONE)) for v in party.values.get(kind, ()) if v} - {""}:
                groups[kind, value].append(party)
    found = [_hint(kind, value, sharing) for (kind, value), sharing in groups.items() if len({p.organisation for p in sharing}) > 1]
    return sorted(found, key=lambda h: (ORDER.index(h.kind), h.names, h.sentence))


def _hint(kind: str, value: str, sharing: Sequence[Party]) -> Hint:
    known = {p.organisation: p.name for p in sharing}
    digest = hashlib.sha256("\n".join([kind, *sorted(known)]).encode()).hexdigest()
    names = tuple(sorted(known.values()))
    return Hint(kind, SENTENCES[kind] % {"value": _MASKS[kind](value)}, tuple(sorted(p.bid for p in sharing)), names, digest)


_MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    ACCOUNT: mask_bank, PHONE: mask_phone, PERSON: mask_name, ADDRESS: lambda text: text, FILE: lambda digest: f"SHA-256 {digest[:12]}…",
}  # fmt: skip
