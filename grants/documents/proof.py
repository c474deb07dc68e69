"""What `/verify/` and the commands can check: a small registry of kinds of files. Knows neither contracts nor receipts.

A stage adds a kind in its `AppConfig.ready()`:

    from grants.documents.proof import Kind, register
    register(Kind("contract", _("协议"), _("电子签名或打印用的协议 PDF"), (".pdf",), 20 * MEBIBYTE, looks, check))

`looks(content)` says in a glance (magic bytes) whether this may be one; `check(content)` answers with a `Report` and never raises
for a bad file: a file that cannot be read is a report whose verdict is "fails". Checkers read nothing but the bytes they are given,
fetch nothing from a network, keep nothing, and tell a stranger no more about our records than that they equal what the file itself says.
Order of registration is the order of asking (what is `particular` comes first): the first kind that looks like it answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

MEBIBYTE: Final = 1024 * 1024
Level = Literal["holds", "fails", "unsure", "note"]
Verdict = Literal["holds", "fails", "unsure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about the file. holds: proven; fails: disproven; unsure: cannot be said from here; note: worth knowing."""

    level: Level
    sentence: str | _StrPromise


@dataclass(frozen=True, slots=True)
class Report:
    """What can be said about a file.

    kind: the name of the kind that answered. verdict: holds only when nothing fails and nothing is unsure that matters. headline: one
    sentence for people in a hurry. findings: in order of weight. facts: label → value read from the file itself. cannot_say: what the
    reader must not conclude from it.
    """

    kind: str
    verdict: Verdict
    headline: str | _StrPromise
    findings: tuple[Finding, ...] = ()
    facts: tuple[tuple[str | _StrPromise, str], ...] = ()
    cannot_say: tuple[str | _StrPromise, ...] = field(default=())


def _no_file(_content: bytes) -> bool:
    """What is only typed comes in no file."""
    return False


def _never_asked(_content: bytes) -> Report:
    raise LookupError("this kind is typed, not handed in as a file")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file that can be checked. name: a slug; extensions: lower case with dot; max_bytes: read in memory, so keep it small.

    typed: answers to a number that a paper shows instead of a file, in lower case; None when the text is not of this kind.
    """

    name: str
    label: str | _StrPromise
    explains: str | _StrPromise
    extensions: tuple[str, ...]
    max_bytes: int
    looks: Callable[[bytes], bool] = _no_file
    check: Callable[[bytes], Report] = _never_asked
    typed: Callable[[str], Report | None] | None = None


_kinds: dict[str, Kind] = {}


def register(kind: Kind, *, particular: bool = False) -> None:
    """Add a kind; a second registration under the same name replaces the first (reloading, tests).

    particular: asked before the others, because what it looks at also looks like one of them (a receipt's PDF is a PDF).
    """
    others = {name: other for name, other in _kinds.items() if name != kind.name}
    found = {kind.name: kind, **others} if particular else {**others, kind.name: kind}
    _kinds.clear()
    _kinds.update(found)


def kinds() -> tuple[Kind, ...]:
    return tuple(_kinds.values())


def largest() -> int:
    """Bytes that any kind will read."""
    return max((kind.max_bytes for kind in _kinds.values()), default=0)


def kind_for(name: str, content: bytes) -> Kind | None:
    """The kind that a file's name and first bytes name; None for anything we cannot check, or that is larger than the kind reads."""
    suffix = "." + name.rsplit(".", 1)[-1].lower() if "." in name else ""
    fitting = (k for k in _kinds.values() if suffix in k.extensions and len(content) <= k.max_bytes and k.looks(content))
    return next(fitting, None)


def report_on(text: str) -> Report | None:
    """What a typed number or root proves; None when no kind knows such a text."""
    answers = (kind.typed(text.strip().lower()) for kind in _kinds.values() if kind.typed)
    return next((report for report in answers if report is not None), None)
