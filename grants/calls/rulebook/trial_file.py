"""The bids and ballots of an earlier round as a file, so that a bureau can rehearse its rules on a round of another installation.

Shares are kept as text with every digit: what is read gives the very numbers of what was written. No name of a person is in it, nor of an
organisation other than a sponsor: a bid has a number, its applicant a key. What clerks settled counts as settled and is not written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from grants.calls.rulebook.expectation import Agreement
from grants.calls.rulebook.trial import SETTLED, TrialBid

FORMAT: Final = "gongchuang-trial/1"


@dataclass(frozen=True)
class TrialFile:
    """A round to rehearse on. call: its code; agreement: what two of its experts agreed on."""

    format: str
    call: str
    agreement: Agreement
    bids: tuple[TrialBid, ...]


class NoTrialFile(ValueError):
    """Not such a file, or one of another format; the message is the path of the first bad key."""


_KIND: Final = TypeAdapter(TrialFile)


def written(call: str, agreement: Agreement, bids: Sequence[TrialBid]) -> dict[str, Any]:
    """As JSON types."""
    made: dict[str, Any] = _KIND.dump_python(TrialFile(FORMAT, call, agreement, tuple(bids)), mode="json", exclude={"bids": {"__all__": {"facts": {"clerk"}}}})
    return made


def read(value: Any) -> TrialFile:
    """The file of JSON types. Raises NoTrialFile."""
    if not isinstance(value, Mapping) or value.get("format") != FORMAT:
        raise NoTrialFile("format")
    try:
        found = _KIND.validate_python(value)
    except ValidationError as wrong:
        raise NoTrialFile(".".join(map(str, wrong.errors()[0]["loc"]))) from wrong
    bids = tuple(replace(bid, facts=replace(bid.facts, clerk=SETTLED)) for bid in found.bids)
    return replace(found, bids=bids)
