"""带入: what an organisation has already told — in its profile or in an earlier bid — and need not type again.

An answer is carried over only where code and kind of the question agree and the call's own rules accept it as it stands: nothing is
shortened to fit. Days and the project's name are never carried over: they are new each time. Every carried answer stays marked until
somebody confirms or changes it; the mark keeps a digest, so that whoever changes it need not confirm as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from bidding import frozen
from bidding.models import Bid, BidVersion, Prefill
from grants.calls.rulebook.form import is_empty, normalise, validate
from grants.calls.rulebook.parts.form import FieldKind, FormField, Section
from grants.people.models import Organisation
from grants.people.permissions import scopes_with
from grants.people.services import story_of

if TYPE_CHECKING:
    from grants.calls.models import Call
    from grants.calls.rulebook.model import CallRules

STORY = {
    "profile": "introduction", "introduction": "introduction", "strengths": "strengths", "advantages": "strengths",
    "volunteers": "staff", "staff": "staff",
}  # fmt: skip
"""Codes of questions that the profile answers, and with which of its texts."""
PROJECTS = "experience"
NEW_EACH_TIME = frozenset({FieldKind.DATE, FieldKind.FILE})
OWN_NAME = "name"
EARLIER = 5
"""How many earlier bids are looked through, the latest first."""
TEAM = "team"


@dataclass(frozen=True)
class Offer:
    """One answer that can be carried over. told: where it comes from, in words."""

    section: str
    field: str
    value: Any
    source: str
    told: str


@dataclass(frozen=True)
class Foreseen:
    """How much of a call's form an organisation would find filled in."""

    organisation: Organisation
    offered: int
    questions: int

    @property
    def percent(self) -> int:
        return 100 * self.offered // self.questions if self.questions else 0


def offers(rules: CallRules, organisation: Organisation) -> list[Offer]:
    """What can be carried into a bid of `organisation`: the profile first, then its earlier bids. Three queries."""
    told = [*_of_profile(organisation), *_of_bids(organisation)]
    asked = [(section, field) for section in rules.forms.application for field in section.fields]
    found = (_first(section, field, told) for section, field in asked if field.kind not in NEW_EACH_TIME and field.code != OWN_NAME)
    return [offer for offer in found if offer is not None]


Told = tuple[str, str, str, Any, str]
"""Section ("" = any), question's code, kind ("" = any), value, where from; in the order in which they are preferred."""


def _of_profile(organisation: Organisation) -> Iterator[Told]:
    story, where = story_of(organisation), _("单位资料")
    for code, name in STORY.items():
        yield "", code, "", getattr(story, name), where
    rows = [{k: _cell(v) for k, v in row.items()} for row in organisation.past_projects.values("name", "year", "funder", "amount", "result")]
    yield "", PROJECTS, str(FieldKind.TABLE), rows, where


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _of_bids(organisation: Organisation) -> Iterator[Told]:
    for content in _earlier(organisation):
        where = _("申报书“%(title)s”（%(number)s）") % {"title": content["title"], "number": content["number"]}
        for section in content["sections"]:
            yield from ((section["code"], f["code"], f["kind"], f["value"], where) for f in section["fields"])


def _earlier(organisation: Organisation) -> list[dict[str, Any]]:
    """The last submitted version of each of the latest bids."""
    rows = BidVersion.objects.filter(bid__organisation=organisation).order_by("-submitted_at", "-number")
    found: dict[Any, dict[str, Any]] = {}
    for version in rows[: EARLIER * 3]:
        found.setdefault(version.bid_id, version.content)
    return list(found.values())[:EARLIER]


def _first(section: Section, field: FormField, told: Iterable[Told]) -> Offer | None:
    """The first value told for this question that the rules accept; one from the same section is not preferred: codes are stable."""
    for _section, code, kind, value, where in told:
        if code != field.code or (kind and kind != str(field.kind)) or is_empty(value):
            continue
        fitted = _fitted(section, field, value)
        if fitted is not None:
            return Offer(section.code, field.code, fitted, Prefill.Source.PROFILE if not _section else Prefill.Source.BID, where)
    return None


def _fitted(section: Section, field: FormField, value: Any) -> Any:
    """The value as this question stores it, or None where the call's rules would refuse it."""
    if field.kind is FieldKind.TABLE and isinstance(value, list):
        columns = [c.code for c in field.columns]
        value = [{code: row.get(code, "") for code in columns} for row in value if isinstance(row, Mapping)][: field.max_rows or None]
    kept = normalise([section], {section.code: {field.code: value}})
    return None if validate([section], kept, final=False) else kept[section.code][field.code]


def earlier_team(organisation: Organisation) -> list[dict[str, Any]]:
    """The people of the latest submitted bid."""
    content = next(iter(_earlier(organisation)), None)
    return list(content["team"]) if content else []


def questions(rules: CallRules) -> int:
    """Questions that could be carried over in principle: all but files, and the list of people as one."""
    return sum(1 for s in rules.forms.application for f in s.fields if f.kind is not FieldKind.FILE) + 1


def foreseen(call: Call, person: Any) -> Foreseen | None:
    """For a signed-in person who writes for an organisation: how much of the form it would find filled in."""
    if getattr(person, "pk", None) is None:
        return None
    mine = Organisation.objects.filter(scopes_with(person, "write_bids", Organisation, "pk")).order_by("name").first()
    if mine is None:
        return None
    offered = len(offers(call.rules, mine)) + bool(earlier_team(mine))
    return Foreseen(mine, offered, questions(call.rules))


def of_bid(bid: Bid) -> Foreseen:
    """How much of this bid was carried over when it was begun."""
    return Foreseen(bid.organisation, bid.prefills.count(), questions(bid.rules))


def digest(value: Any) -> str:
    """What a mark remembers of the value it was set for."""
    return hashlib.sha256(frozen.canonical({"value": value}).encode()).hexdigest()


def current(bid: Bid, mark: Prefill, team: list[dict[str, Any]] | None = None) -> Any:
    """What the working copy says now where `mark` stands."""
    if mark.section == TEAM and not mark.field:
        return team if team is not None else team_of(bid)
    return bid.answers.get(mark.section, {}).get(mark.field)


def team_of(bid: Bid) -> list[dict[str, Any]]:
    return [dict(row) for row in bid.team.values("name", "role", "qualification", "licence_no", "is_supervisor")]


def unsettled(bid: Any) -> list[Prefill]:
    """Marks whose answer was neither confirmed nor changed. One query, and one for the people if they were carried over."""
    marks = list(bid.prefills.filter(confirmed_at=None))
    return [mark for mark in marks if digest(current(bid, mark)) == mark.digest]
