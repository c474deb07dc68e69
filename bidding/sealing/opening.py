"""开标: open every sealed bid of a call and write the opening record. One that does not open never holds up the others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bidding.sealing.envelope import Opened, Sealed, hash_of, opened
from bidding.sealing.refusals import SealRefused
from grants.ledger.canonical import encode

FORMAT: Final = "gongchuang-opening/1"
LOST: Final = "key_lost"


@dataclass(frozen=True)
class Outcome:
    """One bid: what was in it, or why it stayed closed."""

    sealed: Sealed
    content: Opened | None
    refusal: SealRefused | None


def open_all(bids: Iterable[Sealed], secret: str) -> Iterator[Outcome]:
    """Each bid in turn, one in memory at a time. Never raises for a bid: a damaged one is an outcome too."""
    for sealed in bids:
        try:
            yield Outcome(sealed, opened(sealed.header, sealed.files, secret), None)
        except SealRefused as refusal:
            yield Outcome(sealed, None, refusal)


def hash_of_record(document: bytes) -> str:
    """SHA-256 (hex) of an opening record: what its signatories sign."""
    return hashlib.sha256(document).hexdigest()


def all_lost(bids: Iterable[Sealed]) -> Iterator[Outcome]:
    """Too few keys are left: nothing is tried, and every bid stays closed for that one reason."""
    for sealed in bids:
        yield Outcome(Sealed(sealed.header, {}), None, SealRefused(LOST))


def record(call: str, group: Sequence[str], at: str, outcomes: Iterable[Outcome], *, why: str = "") -> bytes:
    """开标记录 in canonical JSON: who opened, when (UTC, RFC 3339), every bid's header hash and result. No word of any bid is in it.

    why: a rule of `refusals` when the opening as a whole did not take place ("key_lost"); then group is empty. Absent otherwise.
    """
    rows = [_row(outcome) for outcome in outcomes]
    rows.sort(key=lambda row: (row["organisation"], row["version"]))
    failed = sum(1 for row in rows if row["result"] != "opened")
    told = {"format": FORMAT, "call": call, "officers": list(group), "at": at, "bids": rows, "opened": len(rows) - failed, "failed": failed}
    return encode({**told, "why": why} if why else told)


def _row(outcome: Outcome) -> dict[str, Any]:
    header: Mapping[str, Any] = outcome.sealed.header
    return {
        "organisation": header.get("organisation", ""),
        "version": header.get("version", 0),
        "header": hash_of(header),
        "commit": header.get("commit", ""),
        "result": "opened" if outcome.refusal is None else outcome.refusal.rule,
        "file": "" if outcome.refusal is None else outcome.refusal.name,
    }
