"""截止政策: everything that decides whether a bid is in time, as one published value, shown on the call and printed on the receipt.

It is read from the rules and from how the machine works, so that page, receipt and behaviour cannot say different things: a deadline is
exclusive to the second, there is no grace, only the approver moves it, only later and for everybody alike. The appeal route follows
the legal basis: 政府采购法 §52–55 where buying services, the call's own 异议 otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from grants.calls.rulebook.deadline_words import SENTENCES
from grants.calls.rulebook.legal import LegalBasis
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.timetable import Outage


@dataclass(frozen=True)
class DeadlinePolicy:
    """The policy of one call; closes_at is what holds now, first the one of the rules. Sentences are in the language asked for."""

    closes_at: datetime
    first: datetime
    zone: str
    lateness: str
    grace: str
    extension: str
    outage: str
    appeal: str
    heads: tuple[str, ...]

    def lines(self) -> tuple[tuple[str, str], ...]:
        """(what, sentence) in the order in which they are printed."""
        return tuple(zip(self.heads, (self.zone, self.lateness, self.grace, self.extension, self.outage, self.appeal), strict=True))


def policy(rules: CallRules, closes_at: datetime | None = None, language: str = "zh") -> DeadlinePolicy:
    """The policy under these rules. closes_at: the deadline that holds now, when it was extended; language: "en", or Chinese."""
    times, said = rules.timetable, SENTENCES["en" if language == "en" else "zh"]
    follow = "" if times.files_follow_hours is None else said["follow"].format(hours=times.files_follow_hours)
    return DeadlinePolicy(
        closes_at=closes_at or times.closes_at,
        first=times.closes_at,
        zone=said["zone"],
        lateness=said["lateness"],
        grace=said["grace"] + follow,
        extension=said["extension"],
        outage=said["no_outage"] if times.outage is None else said["outage"].format(**times.outage.model_dump()),
        appeal=_appeal(rules, said, language),
        heads=tuple(said["heads"].split("|")),
    )


def _appeal(rules: CallRules, said: Mapping[str, str], language: str) -> str:
    times = rules.timetable
    if rules.legal_basis is LegalBasis.PROCUREMENT:
        return said["procurement"].format(days=times.objection.words(language), reply=times.objection_reply.words(language))
    contact = said["contact"].format(contact=rules.agency.contact) if rules.agency.contact else ""
    return said["appeal"].format(contact=contact, reply=times.objection_reply.words(language))


def moved(
    rule: Outage, deadlines: Sequence[datetime], outages: list[tuple[datetime, datetime]]
) -> tuple[datetime, timedelta]:
    """(the deadline that follows, time counted). deadlines: as published, and as it was extended since, in order.

    Each deadline is moved by what was lost before it, and by the whole of an outage that stands at it: nobody may find the door shut when it
    comes back. A deadline so moved, or moved by hand, is looked at again with the outages that began after the one before it.
    """
    at, counted, rows = deadlines[0], timedelta(), outages
    while True:
        back = _standing(at, rows)
        left = max(timedelta(hours=rule.at_most_hours) - counted, timedelta())
        lost = min(owed(rule, at, rows) if back is None else _lost(rule, at, rows), left)
        later = (back or at) + lost
        ahead = [later] if later > at else [each for each in deadlines if each > at]
        if not ahead:
            return at, counted
        rows, counted, at = [row for row in outages if row[0] >= at], counted + (later - at), ahead[0]


def _standing(at: datetime, outages: list[tuple[datetime, datetime]]) -> datetime | None:
    """When service came back, if it was away at `at` itself."""
    return max((end for start, end in outages if start < at < end), default=None)


def _lost(rule: Outage, closes_at: datetime, outages: list[tuple[datetime, datetime]]) -> timedelta:
    """Time without service within the rule's last hours; overlapping outages count once."""
    lost, until = timedelta(), closes_at - timedelta(hours=rule.within_hours)
    for start, end in sorted(outages):
        begin, finish = max(start, until), min(end, closes_at)
        if finish > begin:
            lost, until = lost + (finish - begin), finish
    return lost


def owed(rule: Outage, closes_at: datetime, outages: list[tuple[datetime, datetime]]) -> timedelta:
    """What the published rule adds for these outages (start, end; aware): the time without service within the last hours, none below
    the threshold, at most the ceiling. Overlapping outages count once."""
    lost = _lost(rule, closes_at, outages)
    return timedelta() if lost < timedelta(minutes=rule.from_minutes) else min(lost, timedelta(hours=rule.at_most_hours))
