"""From the ballots of one bid to its final score, as the rules of the call compose it. Pure: the real result and its rehearsal both ask here.

A bid's ballots carry what others gave once (finance, field, secretariat, residents, the check on site); stages weigh among the experts;
residents, pledges and the public vote beside them; bonus points on top.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from review import scoring
from review.ranking import Ranked, Scored, TieBy, TieStep

if TYPE_CHECKING:
    from grants.calls.rulebook.parts.review import Criterion, ReviewRules, Sheet

Marks = Mapping[str, Decimal]
MIX: Final = {"residents": gettext_lazy("居民代表评分"), "pledges": gettext_lazy("定向认捐"), "public_vote": gettext_lazy("公众投票")}
SITE_CHECK: Final = "site_check"
ENTERED_ONCE: Final = ("secretariat", "resident")
"""Scorers whose criteria are not on experts' ballots: objective items, and items residents judge."""
SEATED: Final = ("finance", "field")
"""Scorers whose criteria are marked by that seat only; every ballot carries the mean of their marks."""


class RulesOfReview(Protocol):
    """What is read of the rules of a call; a file of ballots states no more (`manage.py review score`)."""

    @property
    def review(self) -> ReviewRules: ...

    def sheet_for(self, track: str | None = None) -> Sheet:
        """The score sheet of a track, or the first one."""


def expert_top(rules: RulesOfReview, criterion: Criterion) -> Decimal:
    """The most an expert gives for a criterion: its weight, less the points that are given on site (现场核查)."""
    check = rules.review.site_check
    on_site = check.points if check is not None and check.criterion == criterion.code else Decimal(0)
    return max(Decimal(criterion.weight) - on_site, Decimal(0))


def marked_by(rules: RulesOfReview, criteria: Sequence[Criterion], seat: str) -> list[tuple[Criterion, Decimal]]:
    """What an expert in this seat marks, with the highest mark: the criteria of every expert, and those reserved for the seat (财务、行业)."""
    return [(c, top) for c in criteria if str(c.scorer) in ("expert", seat) and (top := expert_top(rules, c)) > 0]


@dataclass(frozen=True)
class Component:
    """One score that is entered once for a bid: code, name, and the highest value (100 for parts of the mix, else points)."""

    code: str
    name: str
    top: Decimal


def components(rules: RulesOfReview, criteria: Sequence[Criterion]) -> list[Component]:
    """Everything the rules want entered beside the ballots of a bid that is judged by these criteria."""
    review = rules.review
    mix = [Component(code, str(name), Decimal(100)) for code, name in MIX.items() if getattr(review.mix, code) > 0]
    check = review.site_check
    site = [Component(SITE_CHECK, str(_("现场核查")), Decimal(check.points))] if check is not None else []
    bonuses = [Component(f"bonus:{b.code}", b.name, Decimal(b.cap)) for b in review.bonuses]
    rows = [c for c in criteria if str(c.scorer) in ENTERED_ONCE]
    return mix + bonuses + site + [Component(f"criterion:{c.code}", c.name, Decimal(c.weight)) for c in rows]


@dataclass(frozen=True)
class Heard:
    """One stage of one bid. own: expert → marks as given; seats: expert → seat; entered: component → points given once."""

    own: Mapping[str, Marks]
    seats: Mapping[str, str]
    entered: Mapping[str, Decimal]

    def full(self, rules: RulesOfReview, track: str) -> dict[str, dict[str, Decimal]]:
        """Expert → criterion → points, with what others gave once on every ballot. Raises ScoreRefused when a seat did not score."""
        criteria, site = rules.sheet_for(track or None).criteria, rules.review.site_check
        shared = self._shared(rules, criteria)
        full = {code: {**marks, **shared} for code, marks in self.own.items()}
        for marks in full.values():
            if site is not None and any(c.code == site.criterion for c in criteria):
                marks[site.criterion] = marks.get(site.criterion, Decimal(0)) + self.entered.get(SITE_CHECK, Decimal(0))
        return full

    def _shared(self, rules: RulesOfReview, criteria: Sequence[Criterion]) -> dict[str, Decimal]:
        shared: dict[str, Decimal] = {}
        for criterion in criteria:
            scorer = str(criterion.scorer)
            if scorer in SEATED and expert_top(rules, criterion) > 0:
                shared[criterion.code] = self._seat_mean(scorer, criterion.code)
            elif scorer in ENTERED_ONCE:
                shared[criterion.code] = self.entered[f"criterion:{criterion.code}"]
        return shared

    def _seat_mean(self, seat: str, criterion: str) -> Decimal:
        """Mean of the marks of the experts in that seat. Raises ScoreRefused when nobody in that seat scored the bid."""
        given = [{criterion: own[criterion]} for code, own in self.own.items() if self.seats[code] == seat and criterion in own]
        if not given:
            raise scoring.ScoreRefused("missing", names=(criterion,))
        return scoring.criterion_means(given)[criterion]


def trim_of(review: ReviewRules) -> scoring.Trim:
    """去极值 with its tiers."""
    tiers = tuple(scoring.Trim(t.high, t.low, t.from_ballots) for t in review.trim.tiers or ())
    return scoring.Trim(review.trim.high, review.trim.low, review.trim.from_ballots, tiers)


def panel_score(review: ReviewRules, totals: Mapping[str, Decimal]) -> scoring.PanelScore:
    """The trimmed mean of one stage's totals by the rules of the call."""
    return scoring.panel_score(totals, trim_of(review), min_ballots=review.panel.min_ballots, decimals=review.decimals)


@dataclass(frozen=True)
class Composed:
    """The final score of a bid, its parts, and the bonus points by code."""

    total: Decimal
    parts: list[scoring.Part]
    bonuses: dict[str, Decimal]


def composed(review: ReviewRules, stages: Mapping[str, Decimal], entered: Mapping[str, Decimal]) -> Composed:
    """From the panel's score of each stage, and what was entered beside it. Raises ScoreRefused where a part or a bonus is missing."""
    weights = [scoring.Part(str(s.kind), s.kind.zh, Decimal(s.weight), stages.get(str(s.kind))) for s in review.stages]
    experts = scoring.mixed_score(weights, decimals=review.decimals)
    parts = [scoring.Part("experts", str(_("专家评审")), Decimal(review.mix.experts), experts)]
    parts += [
        scoring.Part(code, str(name), Decimal(getattr(review.mix, code)), entered.get(code))
        for code, name in MIX.items()
        if getattr(review.mix, code) > 0
    ]
    bonuses = {b.code: entered[f"bonus:{b.code}"] for b in review.bonuses}
    cap = sum((Decimal(b.cap) for b in review.bonuses), Decimal(0))
    total = scoring.mixed_score(parts, bonus=sum(bonuses.values(), Decimal(0)), bonus_cap=cap, decimals=review.decimals)
    return Composed(total, parts, bonuses)


def beside(review: ReviewRules, entered: Mapping[str, Decimal]) -> Decimal:
    """Points of the final score that are not the experts': residents, pledges, public vote, bonuses; four places, what is missing as nought."""
    parts = (Fraction(getattr(review.mix, code)) * Fraction(entered.get(code, Decimal(0))) / 100 for code in MIX)
    bonus = sum((entered[f"bonus:{b.code}"] for b in review.bonuses), Decimal(0))
    return scoring.rounded(sum(parts, Fraction(bonus)), 4)


def weighted_means(review: ReviewRules, kept: Mapping[str, Sequence[Marks]]) -> dict[str, Decimal]:
    """Criterion → mean over the ballots that count, weighted by stage, for the tie rule. kept: stage → ballots that count."""
    weighted: dict[str, Decimal] = defaultdict(Decimal)
    for stage in review.stages:
        for code, mean in scoring.criterion_means(list(kept[str(stage.kind)])).items():
            weighted[code] += mean * Decimal(stage.weight) / 100
    return {code: scoring.rounded(value) for code, value in sorted(weighted.items())}


def tie_steps(rules: RulesOfReview, scored: Iterable[Scored]) -> list[TieStep]:
    """The tie rule; the chair's step is left out where the chair did not score every bid, so that no bid is judged by absence."""
    names = {c.code: c.name for sheet in rules.review.sheets for c in sheet.criteria}
    steps = [TieStep(TieBy(str(t.by)), t.criterion or "", names.get(t.criterion or "", "")) for t in rules.review.ties]
    chair_sat = all(bid.chair_votes is not None for bid in scored)
    return [step for step in steps if chair_sat or step.by is not TieBy.CHAIR]


def reason(place: Ranked, votes: int | None) -> str:
    """Why this place, in words; the chair's vote is shown as the points it is."""
    if place.decided_by != TieBy.CHAIR or votes is None:
        return place.sentence
    return place.sentence.replace(f"评审组长投票 {votes}", f"评审组长评分 {scoring.points(votes)}")
