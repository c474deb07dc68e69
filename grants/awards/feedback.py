"""反馈信: what one bidder is told about its own bid – score by criterion, its ballots by expert code, its place, the reason, how to object.

Of other bids only averages over at least `LEAST` funded ones are in it, and how many there are. Comments are those written to the bidder;
what experts wrote for the panel, their names and why they deviated never leave the panel. The letter reads the locked result and the
decision as it was made, so that it says the same on any day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from grants.awards.models import Decision, PublicNotice
from grants.calls.models import Call
from review.feedback import words_to_bidders
from review.models import Panel, Result, Review
from review.scoring import rounded

LEAST = 3
"""Averages of fewer funded bids are not shown: from two, each bidder could work out the other's (review.md §5)."""


@dataclass(frozen=True)
class Voice:
    """One expert's mark or comment on one criterion. dropped: the whole ballot was left out by the trimming ("high", "low" or "")."""

    expert: str
    stage: str
    points: Decimal
    comment: str
    dropped: str


@dataclass(frozen=True)
class Line:
    """One criterion: most points, own mean of the ballots that count, mean of the funded bids (None: too few), the marks behind it."""

    code: str
    name: str
    most: Decimal
    own: Decimal
    funded: Decimal | None
    voices: tuple[Voice, ...]

    @property
    def comments(self) -> list[Voice]:
        return [v for v in self.voices if v.comment]


@dataclass(frozen=True)
class Ballot:
    """One whole ballot: expert code, stage in words, total out of 100, dropped ("high", "low" or "")."""

    expert: str
    stage: str
    total: Decimal
    dropped: str


@dataclass(frozen=True)
class Objecting:
    """How to object and until when. until: exclusive end (UTC) once the list is published; None before, when only the rule is known."""

    notice: PublicNotice | None
    until: datetime | None
    period: str


@dataclass(frozen=True)
class Letter:
    """Everything the letter says. ranked: bids with a place; funded: bids proposed for an award; cut: the last place that is funded."""

    decision: Decision
    lines: tuple[Line, ...]
    ballots: tuple[Ballot, ...]
    parts: tuple[tuple[str, Decimal, Decimal], ...]
    ranked: int
    funded: int
    funded_mean: Decimal | None
    objecting: Objecting
    cancelled: bool

    @property
    def bid(self) -> Any:
        return self.decision.bid

    @property
    def reason(self) -> str:
        return _("拟立项后取消；原因见申报页面的经过。") if self.cancelled else self.decision.reason

    @property
    def compared(self) -> bool:
        """Whether there are enough funded bids for an average."""
        return self.funded_mean is not None


def letter(decision: Decision) -> Letter:
    """The letter about one decision. Six queries."""
    others = _panel_results(decision.panel)
    own = others[decision.bid_id]
    sheet = _sheet(decision)
    funded = [r for pk, r in others.items() if r.bid.decision.awarded and _sheet(r.bid.decision).code == sheet.code]
    voices = _voices(decision, own)
    means = {c.code: _mean([Decimal(r.explanation["criteria"].get(c.code, "0")) for r in funded]) for c in sheet.criteria}
    lines = tuple(
        Line(c.code, c.name, Decimal(c.weight), Decimal(own.explanation["criteria"].get(c.code, "0")), means[c.code], tuple(voices.get(c.code, ())))
        for c in sheet.criteria
    )
    award = getattr(decision.bid, "award", None)
    return Letter(
        decision, lines, tuple(_ballots(own.explanation)), tuple(_parts(own.explanation)), sum(r.rank is not None for r in others.values()),
        sum(r.bid.decision.awarded for r in others.values()), _mean([r.total for r in funded]), objecting(decision.call),
        decision.awarded and award is not None and award.state == "cancelled",
    )  # fmt: skip


def _panel_results(panel: Panel) -> Mapping[Any, Result]:
    rows = Result.objects.filter(panel=panel, bid__decision__isnull=False).select_related("bid__decision__call", "bid__decision__bid")
    return {r.bid_id: r for r in rows.order_by("rank", "pk")}


def _sheet(decision: Decision) -> Any:
    return decision.call.rules.sheet_for(decision.bid.track or None)


def _mean(values: list[Decimal]) -> Decimal | None:
    """Mean of the funded bids, half up to two places; None where there are too few to hide a single one."""
    return rounded(sum(values, Decimal(0)) / len(values)) if len(values) >= LEAST else None


def _voices(decision: Decision, own: Result) -> dict[str, list[Voice]]:
    """Criterion → every expert's mark, in order of stage and code."""
    fate = {(s["stage"], b["expert"]): b["dropped"] for s in own.explanation["stages"] for b in s["ballots"]}
    names = {s["stage"]: s["name"] for s in own.explanation["stages"]}
    words = {(w.expert, w.stage, w.criterion): w.text for w in words_to_bidders([decision.bid])[decision.bid_id]}
    rows = Review.objects.filter(panel=decision.panel_id, bid=decision.bid_id, state="submitted").select_related("expert", "second")
    found: dict[str, list[Voice]] = {}
    for review in rows.prefetch_related("marks").order_by("stage", "expert__code"):
        if (review.stage, review.expert.code) not in fate:  # excluded by the committee
            continue
        for mark in review.counting().values():
            place = (review.expert.code, review.stage, mark.criterion)
            voice = Voice(place[0], names.get(review.stage, ""), mark.value, words.get(place, "").strip(), fate.get((place[1], place[0]), ""))
            found.setdefault(mark.criterion, []).append(voice)
    return found


def _ballots(explanation: Mapping[str, Any]) -> Iterable[Ballot]:
    for stage in explanation["stages"]:
        for ballot in stage["ballots"]:
            yield Ballot(ballot["expert"], stage["name"], Decimal(ballot["total"]), ballot["dropped"])


def _parts(explanation: Mapping[str, Any]) -> Iterable[tuple[str, Decimal, Decimal]]:
    """(name, weight in per cent, value) of the parts of the total, where there is more than the experts' part."""
    parts = explanation["parts"]
    return [(p["name"], Decimal(p["weight"]), Decimal(p["value"])) for p in parts] if len(parts) > 1 else []


def objecting(call: Call) -> Objecting:
    """The latest notice of the call and until when it may be objected to; before there is one, the period of the rules."""
    notice = PublicNotice.objects.filter(call=call).order_by("-published_at", "-pk").first()
    until = None if notice is None else notice.objections_end
    return Objecting(notice, until, call.rules.timetable.objection.words())


__all__ = ["LEAST", "Ballot", "Letter", "Line", "Objecting", "Voice", "letter", "objecting"]
