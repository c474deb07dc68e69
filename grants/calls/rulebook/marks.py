"""Every answer has a version number, so that two people who type at once overwrite nothing of each other's.

A *mark* is what a page carries beside an answer: "<version>-<digest of the value it showed>". It comes back with the save. The version
says whether somebody else saved meanwhile; the digest says whether the person changed the answer at all, so that saving a whole page
does not fight over answers that only the other one touched.

Pure. `Marks` is what a JSONField holds: answer → {"v": version, "by": id of who saved it last, "at": ISO moment}.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grants.calls.rulebook.form import is_empty

Marks = Mapping[str, Mapping[str, Any]]
DIGEST_CHARS = 12


@dataclass(frozen=True)
class Merge:
    """accepted: answers to write. clashes: answers that somebody else has changed since, in another way."""

    accepted: dict[str, Any]
    clashes: tuple[str, ...]


def version(marks: Marks, answer: str) -> int:
    """How often an answer was saved; 0 before the first time."""
    return int(marks.get(answer, {}).get("v", 0))


def digest(value: Any) -> str:
    """A short fingerprint of a value; every kind of blank has the same."""
    text = "" if is_empty(value) else json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:DIGEST_CHARS]


def mark(marks: Marks, answer: str, value: Any) -> str:
    """What a page that shows `value` carries beside the answer."""
    return f"{version(marks, answer)}-{digest(value)}"


def merge(marks: Marks, current: Mapping[str, Any], given: Mapping[str, Any], based_on: Mapping[str, str]) -> Merge:
    """Which of the given answers may be written over the current ones.

    based_on: answer → the mark it was written on. An answer without one is meant to replace whatever is there (an import, a script).
    """
    changed = {answer: value for answer, value in given.items() if digest(value) != digest(current.get(answer))}
    stale = {answer for answer in changed if answer in based_on and _stale(marks, answer, based_on[answer])}
    accepted = {answer: value for answer, value in changed.items() if answer not in stale}
    return Merge(accepted, tuple(a for a, value in changed.items() if a in stale and _own(value, based_on[a])))


def _stale(marks: Marks, answer: str, base: str) -> bool:
    return base.partition("-")[0] != str(version(marks, answer))


def _own(value: Any, base: str) -> bool:
    """Whether the person changed the answer; on a stale mark an unchanged one gives way to what is there now."""
    return base.partition("-")[2] != digest(value)


def bumped(marks: Marks, answers: Iterable[str], *, by: Any, at: str) -> dict[str, Any]:
    """The marks after `answers` were written."""
    return {**marks, **{a: {"v": version(marks, a) + 1, "by": by, "at": at} for a in answers}}
