"""From the ballots of one bid to its final score, as the rules of the call compose it. Pure: the real result and its rehearsal both ask here.

A bid's ballots carry what others gave once (finance, field, secretariat, residents, the check on site); stages weigh among the experts;
residents, pledges and the public vote beside them; bonus points on top.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from review import scoring
from review.ranking import Scored, TieBy, TieStep

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules
    from grants.calls.rulebook.parts.review import ReviewRules

Marks = Mapping[str, Decimal]
MIX: Final = {"residents": gettext_lazy("居民代表评分"), "pledges": gettext_lazy("定向认捐"), "public_vote": gettext_lazy("公众投票")}
SITE_CHECK: Final = "site_check"
ENTERED_ONCE: Final = ("secretariat", "resident")
"""Scorers whose criteria are not on experts' ballots: objective items, and items residents judge."""
SEATED: Final = ("finance", "field")
"""Scorers whose criteria are marked by that seat only; every ballot carries the mean of their marks."""


def expert_top(rules: CallRules, criterion: Any) -> Decimal:
    """The most an expert gives for a criterion: its weight, less the points that are given on site (现场核查)."""
    check = rules.review.site_check
    on_site = check.points if check is not None and check.criterion == criterion.code else Decimal(0)
    return max(Decimal(criterion.weight) - on_site, Decimal(0))


@dataclass(frozen=True)
class Heard:
    """One stage of one bid. own: expert → marks as given; seats: expert → seat; entered: component → points given once."""

    own: Mapping[str, Marks]
    seats: Mapping[str, str]
    entered: Mapping[str, Decimal]

    def full(self, rules: CallRules, track: str) -> dict[str, dict[str, Decimal]]:
        """Expert → criterion → points, with what others gave once on every ballot. Raises ScoreRefused when a seat did not score."""
        criteria, site = rules.sheet_for(track or None).criteria, rules.review.site_check
        shared = self._shared(rules, criteria)
        full = {code: {**marks, **shared} for code, marks in self.own.items()}
        for marks in full.values():
            if site is not None and any(c.code == site.criterion for c in criteria):
                marks[site.criterion] = marks.get(site.criterion, Decimal(0)) + self.entered.get(SITE_CHECK, Decimal(0))
        return full

    def _shared(self, rules: CallRules, criteria: Sequence[Any]) -> dict[str, Decimal]:
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


def panel_score(review: ReviewRules, totals: Mapping[str, Decimal]) -> scoring.PanelScore:
    """The trimmed mean of one stage's totals by the rules of the call."""
    trim = scoring.Trim(review.trim.high, review.trim.low, review.trim.from_ballots)
    return scoring.panel_score(totals, trim, min_ballots=review.panel.min_ballots, decimals=review.decimals)


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


def weighted_means(review: ReviewRules, kept: Mapping[str, Sequence[Marks]]) -> dict[str, Decimal]:
    """Criterion → mean over the ballots that count, weighted by stage, for the tie rule. kept: stage → ballots that count."""
    weighted: dict[str, Decimal] = defaultdict(Decimal)
    for stage in review.stages:
        for code, mean in scoring.criterion_means(list(kept[str(stage.kind)])).items():
            weighted[code] += mean * Decimal(stage.weight) / 100
    return {code: scoring.rounded(value) for code, value in sorted(weighted.items())}


def tie_steps(rules: CallRules, scored: Iterable[Scored]) -> list[TieStep]:
    """The tie rule; the chair's step is left out where the chair did not score every bid, so that no bid is judged by absence."""
    names = {c.code: c.name for sheet in rules.review.sheets for c in sheet.criteria}
    steps = [TieStep(TieBy(str(t.by)), t.criterion or "", names.get(t.criterion or "", "")) for t in rules.review.ties]
    chair_sat = all(bid.chair_votes is not None for bid in scored)
    return [step for step in steps if chair_sat or step.by is not TieBy.CHAIR]
