"""Keeping what is being written, answer by answer, for a page that saves by itself and for one that is sent whole.

One short transaction: the bid's row is held, who and when are asked, what nobody else has changed meanwhile is written, every answer
written gets its next version. Nothing goes into the ledger: it records steps that people answer for, not typing; what is handed in
is frozen whole by `submit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction

from bidding.models import Bid
from bidding.services.working_copy import held_for
from grants import clock
from grants.calls.rulebook import marks
from grants.people.models import User

Problems = Mapping[str, list[str]]
WRITTEN = (
    "title", "category", "track", "need", "sponsor", "answers", "marks", "typed", "sent_back_pages",
)  # fmt: skip


class Part(Protocol):
    """One page of a bid: its name as in `completeness.Problem.page`, and how its answers are read and written."""

    @property
    def page(self) -> str: ...

    def current(self, bid: Bid) -> dict[str, Any]:
        """Every answer of the page as JSON types, as it stands now."""

    def tidy(self, bid: Bid, given: Mapping[str, Any], *, strict: bool) -> dict[str, Any]:
        """The given answers in the shape in which they are kept. Raises Invalid when strict."""

    def write(self, bid: Bid, accepted: Mapping[str, Any], *, strict: bool) -> Problems:
        """Put the answers on the held bid (its own columns are saved by the caller). Returns what is wrong with them.

        strict: raises Invalid about anything wrong on the page. Otherwise what is wrong is kept as it was typed.
        """

    def linked(self, bid: Bid) -> tuple[tuple[str, str], ...]:
        """(page, answer) elsewhere that say the same thing as this page's answers."""


@dataclass(frozen=True)
class Clash:
    """An answer that a colleague changed meanwhile: what it says now, who wrote that and when."""

    answer: str
    theirs: Any
    who: str
    at: datetime


@dataclass(frozen=True)
class Kept:
    """What a save came to: what was written, its answers as they stand now with their marks, the clashes, what is wrong by control."""

    held: Any
    values: dict[str, Any]
    marks: dict[str, str]
    clashes: tuple[Clash, ...]
    problems: Problems


@transaction.atomic
def keep(
    bid: Bid, part: Part, given: Mapping[str, Any], *, by: User, based_on: Mapping[str, str] | None = None, strict: bool = False
) -> Kept:
    """Save some answers of one page; those of nobody else are overwritten, those that clash are left and told.

    based_on: answer → mark (see `rulebook.marks`); without one an answer replaces what is there. strict: refuse what is wrong
    instead of keeping it as typed. Raises NotYou, NotNow, Invalid (only when strict); then nothing was written.
    """
    held, _answer = held_for(bid, by)
    before, twins = part.current(held), _twins(held, part)
    tidy = part.tidy(held, {answer: value for answer, value in given.items() if answer in before}, strict=strict)
    merged = marks.merge(held.marks.get(part.page, {}), before, tidy, based_on or {})
    problems = part.write(held, merged.accepted, strict=strict) if merged.accepted or strict else {}
    if merged.accepted:
        _count(held, part.page, set(merged.accepted), by)
        for (page, answer), value in _twins(held, part).items():
            if value != twins.get((page, answer)):
                _count(held, page, {answer}, by)
        held.sent_back_pages = [page for page in held.sent_back_pages if page != part.page]
        held.save(update_fields=WRITTEN)
    return _told(held, part, merged.clashes, problems)


def standing(bid: Bid, part: Part) -> Kept:
    """The answers of a page as they are, with their marks, for showing it."""
    return _told(bid, part, (), {})


def _twins(bid: Bid, part: Part) -> dict[tuple[str, str], Any]:
    return {(page, answer): _named(bid, page, answer) for page, answer in part.linked(bid)}


def _named(bid: Bid, page: str, answer: str) -> Any:
    return bid.title if page == "about" else bid.answers.get(page.partition("/")[2], {}).get(answer)


def _count(bid: Bid, page: str, answers: set[str], by: User) -> None:
    counted = marks.bumped(bid.marks.get(page, {}), sorted(answers), by=str(by.pk), at=clock.now().isoformat())
    bid.marks = {**bid.marks, page: counted}


def _told(bid: Bid, part: Part, clashing: tuple[str, ...], problems: Problems) -> Kept:
    now, noted = part.current(bid), bid.marks.get(part.page, {})
    return Kept(
        held=bid,
        values=now,
        marks={answer: marks.mark(noted, answer, value) for answer, value in now.items()},
        clashes=clashes_of(noted, now, clashing),
        problems=problems,
    )


def clashes_of(noted: marks.Marks, now: Mapping[str, Any], clashing: tuple[str, ...]) -> tuple[Clash, ...]:
    """The clashes in words of people: names are looked up only when there is one."""
    people = {str(u.pk): str(u) for u in User.objects.filter(pk__in={noted[a]["by"] for a in clashing})} if clashing else {}
    return tuple(
        Clash(a, now.get(a), people.get(noted[a]["by"], ""), datetime.fromisoformat(noted[a]["at"])) for a in clashing
    )
