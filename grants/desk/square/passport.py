"""履约护照: an organisation's record as a signed file that it can carry to another district. Verified without us, with our public key alone.

The file is JSON for programs and people; what is signed is a note (C2SP signed note, Ed25519, the log's own key): one line that says what it
is, one line of canonical JSON. A checkpoint's note begins with the log's name and has three lines, so neither can pass for the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from grants import clock
from grants.desk.square.records import organisation_record, organisations, track
from grants.desk.square.whitelist import public
from grants.ledger import canonical, keys
from grants.ledger.models import Checkpoint
from grants.ledger.note import BadNote, Verifier, open_note, sign
from grants.people.models import Organisation

FORMAT = "gongchuang-passport/1"
LARGEST = 1_000_000  # bytes; a passport of a hundred projects has some 30,000


class BadPassport(ValueError):
    """A file that is no passport, was changed, or is signed by nobody we trust. `str()` says which, in the reader's language."""


@dataclass(frozen=True)
class Verified:
    """What a verified passport says, and by whose key."""

    content: Mapping[str, Any]
    key: str


def content_of(organisation: Organisation) -> dict[str, Any]:
    """What the passport says: whitelisted fields only, amounts and days as text. Five queries."""
    counted = organisations().filter(pk=organisation.pk).first()
    head = organisation_record(counted) if counted else public("organisation", {"pk": organisation.pk, "name": organisation.name})
    newest = Checkpoint.objects.order_by("-size").first()
    return {
        "format": FORMAT,
        "issuer": keys.origin(),
        "issued_at": clock.now().astimezone(clock.TZ).isoformat(timespec="seconds"),
        "code": organisation.uscc or organisation.record_no,
        "organisation": _plain(head),
        "projects": [_plain(row) for row in track(organisation)],
        "ledger": {"size": newest.size, "root": bytes(newest.root).hex()} if newest else None,
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Text and whole numbers only: what every JSON reader keeps exactly."""
    return {name: value if value is None or isinstance(value, bool | int) else str(value) for name, value in row.items()}


def issue(organisation: Organisation) -> bytes:
    """The file. Raises KeyMissing when this log has signed before and its key is gone."""
    content = content_of(organisation)
    note = sign(signed_text(content), keys.origin(), keys.signing_key())
    file = {"format": FORMAT, "passport": content, "note": note, "key": str(keys.verifier())}
    return (json.dumps(file, ensure_ascii=False, indent=1) + "\n").encode()


def signed_text(content: Mapping[str, Any]) -> str:
    """What the signature covers. Raises canonical.NotCanonical."""
    return f"{FORMAT}\n{canonical.encode(content).decode()}\n"


def verify(raw: bytes, verifiers: Iterable[Verifier]) -> Verified:
    """What the file says, if it is whole and signed by one of `verifiers`. Raises BadPassport.

    The key printed in the file itself is never trusted: whoever forges the file forges the key beside it.
    """
    file = _read(raw)
    trusted = list(verifiers)
    try:
        text = open_note(file["note"], trusted)
    except BadNote as wrong:
        raise BadPassport(_("签名不对：不是由所给公钥签发，或者文件被改动过。（%(why)s）") % {"why": wrong}) from wrong
    if text != _text_of(file["passport"]):
        raise BadPassport(_("文件里可读的内容与签名的内容不一致，文件被改动过。"))
    key = next(str(v) for v in trusted if f"— {v.name} " in file["note"])
    return Verified(file["passport"], key)


def _read(raw: bytes) -> dict[str, Any]:
    if len(raw) > LARGEST:
        raise BadPassport(_("文件太大，不是履约护照。"))
    try:
        file = json.loads(raw)
    except (ValueError, RecursionError) as wrong:
        raise BadPassport(_("文件不是 JSON，不是履约护照。")) from wrong
    shaped = isinstance(file, dict) and isinstance(file.get("passport"), dict) and isinstance(file.get("note"), str)
    if not shaped or file.get("format") != FORMAT:
        raise BadPassport(_("文件不是履约护照（格式应为 %(format)s）。") % {"format": FORMAT})
    return file  # type: ignore[no-any-return]


def _text_of(content: Mapping[str, Any]) -> str:
    try:
        return signed_text(content)
    except canonical.NotCanonical as wrong:
        raise BadPassport(_("文件里有不该有的内容：%(why)s") % {"why": wrong}) from wrong
