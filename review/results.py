"""From sealed ballots to the official result: gathers rows, lets the pure modules count, writes every step in words.

Only called once every ballot is in. The same ballots give the same rows on any day: `recompute` proves it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext as _

from bidding.models import Bid
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid
from review import composing, deviation, scoring, second
from review.calibration.official import calibrated, strictness
from review.conflict_checks import code_of
from review.models import Mark, OtherScore, Result, Review
from review.panels import bids_of, sheet_of, sitting, stages_of
from review.ranking import Lot, Ranked, Scored, TieBy, rank
from review.voiding import last_voiding

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules
    from review.models import Panel

Marks = Mapping[str, Decimal]
WAITS = "lot_waits"


@dataclass(frozen=True)
class Tally:
    """The ballots of a panel that count, and what was entered beside them. Six queries, whatever the size.

    struck: ballots the committee excluded (`review.ruling`); they count for nothing but the seed. drawn: the lots of equals in drawn order.
    first: as the first ballots were, before the discussion.
    """

    panel: Panel
    bids: list[Bid]
    reviews: list[Review]
    seats: Mapping[Any, str]
    others: Mapping[tuple[Any, str], Decimal]
    struck: list[Review]
    drawn: tuple[str, ...]
    first: bool = False

    @classmethod
    def of(cls, panel: Panel, *, drawn: Sequence[str] | None = None, without: Review | None = None, whole: bool = False) -> Tally:
        """drawn: lots that are being drawn now; else the stored ones. without: a ballot that is being excluded now. whole: as if none had been."""
        rows = panel.reviews.filter(state="submitted").select_related("expert", "bid", "second").prefetch_related("marks")
        gone = set() if whole else set(panel.rulings.filter(state="adopted", outcome="exclude").values_list("review_id", flat=True))
        gone |= {without.pk} if without is not None else set()
        every = list(rows.order_by("pk"))
        others = OtherScore.objects.filter(panel=panel)
        seats = dict(panel.members.values_list("expert_id", "seat"))
        return cls(
            panel, bids_of(panel), [r for r in every if r.pk not in gone], seats, {(o.bid_id, o.component): o.value for o in others},
            [r for r in every if r.pk in gone], tuple(drawn if drawn is not None else lots_of(panel)),
        )  # fmt: skip

    @property
    def rules(self) -> CallRules:
        return self.panel.rules

    @cached_property
    def marks(self) -> Mapping[Any, Mapping[str, Mark]]:
        """Review → criterion → mark, each ballot unsealed once."""
        return {review.pk: review.held() if self.first else review.counting() for review in [*self.reviews, *self.struck]}

    @cached_property
    def before(self) -> Tally:
        """The same panel before its discussion: first ballots only."""
        return replace(self, first=True)

    @cached_property
    def twice(self) -> frozenset[tuple[Any, str, str]]:
        """(bid, stage, expert code) of ballots given a second time."""
        return frozenset((r.bid_id, r.stage, r.expert.code) for r in self.reviews if second.of(r) is not None)

    @cached_property
    def by_place(self) -> Mapping[tuple[Any, str], list[Review]]:
        """(bid, stage) → its ballots."""
        places: dict[tuple[Any, str], list[Review]] = defaultdict(list)
        for review in self.reviews:
            places[review.bid_id, review.stage].append(review)
        return places

    def full_marks(self, bid: Bid, stage: str) -> dict[str, dict[str, Decimal]]:
        """Expert code → criterion → points, with what others gave once (finance, field, site, secretariat) on every ballot."""
        rows = self.by_place.get((bid.pk, stage), [])
        own = {r.expert.code: {code: m.value for code, m in self.marks[r.pk].items()} for r in rows}
        seats = {r.expert.code: self.seats[r.expert_id] for r in rows}
        return composing.Heard(own, seats, self.entered(bid)).full(self.rules, bid.track)

    @cached_property
    def _entered(self) -> Mapping[Any, dict[str, Decimal]]:
        found: dict[Any, dict[str, Decimal]] = defaultdict(dict)
        for (bid, component), value in self.others.items():
            found[bid][component] = value
        return found

    def entered(self, bid: Bid) -> dict[str, Decimal]:
        """Component → what was entered once for this bid, points."""
        return self._entered.get(bid.pk, {})

    def totals(self, bid: Bid, stage: str) -> dict[str, Decimal]:
        """Expert code → total of the ballot, 0…100."""
        criteria = [scoring.Criterion(c.code, c.name, Decimal(c.weight)) for c in sheet_of(self.rules, bid).criteria]
        return {
            code: scoring.ballot_total(marks, criteria, decimals=self.rules.review.decimals)
            for code, marks in self.full_marks(bid, stage).items()
        }

    def strictness(self, stage: str) -> Mapping[str, Decimal]:
        """Expert code → points taken off each ballot; empty unless the rules made calibrated scores the official ones."""
        if self.rules.review.official.value != "calibrated":
            return {}
        if stage not in self._strictness:
            self._strictness[stage] = strictness({code_of(bid): self.totals(bid, stage) for bid in self.bids})
        return self._strictness[stage]

    @cached_property
    def _strictness(self) -> dict[str, Mapping[str, Decimal]]:
        return {}

    def counting(self, bid: Bid, stage: str) -> dict[str, Decimal]:
        """Expert code → the total that counts: as given, or less strictness where the rules say so."""
        off = self.strictness(stage)
        return {code: calibrated(total, off[code]) if off else total for code, total in self.totals(bid, stage).items()}

    def bonuses(self, bid: Bid) -> dict[str, Decimal]:
        """加分项 code → points."""
        return {b.code: self.others[bid.pk, f"bonus:{b.code}"] for b in self.rules.review.bonuses}

    def panel_score(self, bid: Bid, stage: str) -> scoring.PanelScore:
        """The trimmed mean of one stage."""
        return composing.panel_score(self.rules.review, self.counting(bid, stage))

    def alarms(self) -> list[tuple[Review, tuple[str, ...]]]:
        """Ballots their experts are asked about, each with the rules of `review.deviation` that ask."""
        known = {(code_of(r.bid), r.stage, r.expert.code): r for r in self.reviews}
        found = deviation.deviating(self._rows(), percent=Decimal(self.rules.review.deviation_alarm))
        return [(known[key], rules) for key, rules in found.items()]

    def _rows(self) -> list[deviation.Row]:
        return [
            deviation.Row(code_of(rows[0].bid), stage, code, scoring.rounded(total))
            for (_bid, stage), rows in self.by_place.items()
            for code, total in self.totals(rows[0].bid, stage).items()
        ]

    def lot_seed(self) -> bytes:
        """Seed of the grey band's lots: panel seed and every ballot; nobody can know it before the last ballot is in.

        Lots among equals had it too before they were drawn in public (`lots_of`); results of that time are still repeated with it.
        """
        every = [*self.reviews, *self.struck]  # excluding a ballot must not throw the dice anew
        rows = sorted((code_of(r.bid), r.stage, r.expert.code, _hundredths(self.marks[r.pk])) for r in every)
        return hashlib.sha256(b"GY-LOT-1\0" + self.panel.seed.encode() + repr(rows).encode()).digest()


def _hundredths(marks: Mapping[str, Mark]) -> list[tuple[str, int]]:
    return sorted((code, int(mark.value * 100)) for code, mark in marks.items())


def lots_of(panel: Panel) -> list[str]:
    """The bids over which lots were drawn, in drawn order; empty while none was, and after a ballot was voided until they are drawn anew."""
    rows, since = panel.draws.filter(about="tie", state="drawn"), last_voiding(panel)
    found = (rows if since is None else rows.filter(drawn_at__gt=since)).order_by("-drawn_at").first()
    return [] if found is None else list(found.transcript["order"])


def waiting_for_lots(panel: Panel) -> list[str]:
    """Codes of bids that share a place until a lot is drawn over them."""
    rows = panel.results.select_related("bid").order_by("rank", "bid__number")
    return [code_of(r.bid) for r in rows if r.explanation["decided_by"] == WAITS]


def compute(panel: Panel, *, drawn: Sequence[str] | None = None, without: Review | None = None) -> list[Result]:
    """Write one result per bid, replacing any but the amounts recommended; the rows in order of rank. drawn: lots being drawn now;
    without: a ballot being excluded now.

    Raises Invalid when the ballots give no result.
    """
    rows = results_of(panel, drawn=drawn, without=without)
    amounts = dict(panel.results.values_list("bid_id", "recommended"))
    for row in rows:
        row.recommended = amounts.get(row.bid_id) if row.passed else None
    panel.results.all().delete()
    Result.objects.bulk_create(rows)
    return rows


def recompute(panel: Panel) -> list[str]:
    """Count again from the ballots; what differs from the stored results, in words. Empty: identical."""
    stored = {r.bid_id: r for r in panel.results.select_related("bid")}
    fresh = {r.bid_id: r for r in results_of(panel)}
    same = ("total", "rank", "passed", "n_ballots", "explanation")
    found = [_("%(bid)s 有 %(what)s 不同") % {"bid": stored[pk].bid, "what": name} for pk in stored.keys() & fresh.keys()
             for name in same if getattr(stored[pk], name) != getattr(fresh[pk], name)]  # fmt: skip
    return found + [_("结果的申报与评分的申报不一致")] * (stored.keys() != fresh.keys())


def results_of(panel: Panel, *, drawn: Sequence[str] | None = None, without: Review | None = None) -> list[Result]:
    """The results as unsaved rows, in order of rank."""
    with translation.override("zh-hans"):  # stored words must not depend on whose page it is
        return _results(Tally.of(panel, drawn=drawn, without=without))


def _results(tally: Tally) -> list[Result]:
    panel = tally.panel
    try:
        counted = {code_of(bid): _Counted.of(tally, bid) for bid in tally.bids}
        seed = tally.lot_seed()
        scored = [c.scored for c in counted.values()]
        lot = Lot(seed if _by_seed(tally) else None, tally.drawn)
        places = rank(scored, composing.tie_steps(tally.rules, scored), pass_line=Decimal(tally.rules.review.pass_line), lot=lot)
    except (scoring.ScoreRefused, ValueError) as refused:
        raise Invalid(_("评分不能计算结果：%(why)s") % {"why": refused}, rule="results") from refused
    return [counted[place.bid].result(panel, place, seed) for place in places]


def _by_seed(tally: Tally) -> bool:
    """Whether lots of this panel fell before lots were drawn in public: its results say lot, and no draw was made."""
    if tally.drawn or tally.panel.draws.filter(about="tie", state="drawn").exists():
        return False
    return any(r.explanation.get("decided_by") == str(TieBy.LOT) for r in tally.panel.results.all())


@dataclass(frozen=True)
class _Counted:
    """One bid, counted."""

    bid: Bid
    scored: Scored
    stages: list[dict[str, Any]]
    parts: list[scoring.Part]
    ballots: int
    bonuses: list[dict[str, str]]

    @classmethod
    def of(cls, tally: Tally, bid: Bid) -> _Counted:
        rules = tally.rules.review
        stages = [(s, tally.panel_score(bid, str(s.kind)), tally.totals(bid, str(s.kind))) for s in rules.stages]
        whole = composing.composed(rules, {str(s.kind): score.value for s, score, _t in stages}, tally.entered(bid))
        scored = Scored(code_of(bid), whole.total, ask_of(bid), _criterion_means(tally, bid), _chair_votes(tally, bid))
        words = [{**_stage_words(*row, tally.strictness(str(row[0].kind))), **_beside(tally, bid, str(row[0].kind))} for row in stages]
        named = [{"code": b.code, "name": b.name, "value": str(whole.bonuses[b.code])} for b in rules.bonuses]
        return cls(bid, scored, words, whole.parts, min(len(t) for _s, _p, t in stages), named)

    def result(self, panel: Panel, place: Ranked, seed: bytes) -> Result:
        explanation = {
            "stages": self.stages,
            "parts": [{"code": p.code, "name": p.name, "weight": str(p.weight), "value": str(p.value)} for p in self.parts],
            **({"bonuses": self.bonuses} if self.bonuses else {}),
            "criteria": {code: str(value) for code, value in self.scored.criteria.items()},
            "ask": str(self.scored.ask), "decided_by": place.decided_by, "sentence": composing.reason(place, self.scored.chair_votes), "lot_seed": seed.hex(),
        }  # fmt: skip
        total = Decimal(self.scored.score or 0).quantize(Decimal("0.0001"))
        return Result(
            panel=panel, bid=self.bid, total=total, rank=place.place, passed=place.passed, n_ballots=self.ballots,
            explanation=explanation,
        )  # fmt: skip


def _beside(tally: Tally, bid: Bid, stage: str) -> dict[str, Any]:
    """What stands beside the ballots that count: first ballots that a second one replaced, and excluded ones; absent where there are none."""
    twice = [code for at, part, code in sorted(tally.twice, key=str) if (at, part) == (bid.pk, stage)]
    firsts = tally.before.totals(bid, stage) if twice else {}
    struck = [r.expert.code for r in tally.struck if (r.bid_id, r.stage) == (bid.pk, stage)]
    found: dict[str, Any] = {"first": {code: str(firsts[code]) for code in sorted(twice)}} if twice else {}
    return {**found, **({"struck": sorted(struck)} if struck else {})}


def _stage_words(stage: Any, score: scoring.PanelScore, totals: Mapping[str, Decimal], off: Mapping[str, Decimal]) -> dict[str, Any]:
    """One stage as stored: value, and each ballot by expert code with “high” or “low” when it was dropped, and what was taken off."""
    fate = {**dict.fromkeys(score.dropped_high, "high"), **dict.fromkeys(score.dropped_low, "low")}
    ballots = [
        {"expert": code, "total": str(total), "dropped": fate.get(code, ""), **({"off": str(off[code])} if off else {})}
        for code, total in sorted(totals.items())
    ]
    return {
        "stage": str(stage.kind), "name": stage.kind.zh, "weight": str(stage.weight), "value": str(score.value), "ballots": ballots,
    }  # fmt: skip


def _criterion_means(tally: Tally, bid: Bid) -> dict[str, Decimal]:
    """Means over the ballots that count, weighted by stage, for the tie rule."""
    kept: dict[str, list[Marks]] = {}
    for stage in stages_of(tally.rules):
        marks = tally.full_marks(bid, stage)
        kept[stage] = [marks[code] for code in tally.panel_score(bid, stage).kept]
    return composing.weighted_means(tally.rules.review, kept)


def _chair_votes(tally: Tally, bid: Bid) -> int | None:
    """The chair's vote between equals is the chair's own sealed total in hundredths (last stage): given before anyone knew of a tie."""
    chair = next((m.expert.code for m in sitting(tally.panel) if m.chair), "")
    totals = tally.totals(bid, stages_of(tally.rules)[-1])
    return int(totals[chair] * 100) if chair in totals else None


def ask_of(bid: Bid) -> Decimal:
    """What the frozen bid asks for, 元."""
    version = bid.latest
    return Decimal(0) if version is None else Decimal(version.content["budget"]["grant"])


def recommend(panel: Panel, bid: Bid, amount: Decimal, reason: str) -> Facts:
    """Write the panel's recommended amount (元). Raises Invalid: no result, not more than zero, over the ask, no reason."""
    row = panel.results.filter(bid=bid).first()
    if row is None or not row.passed:
        raise Invalid(_("这份申报没有达到及格线的结果，不能建议金额。"), rule="recommend_result")
    ask = ask_of(bid)
    if not 0 < amount <= ask or amount != amount.quantize(Decimal("0.01")):
        sentence = _("建议金额应大于 0、不超过申请金额 %(ask)s 元，至多两位小数。") % {"ask": f"{ask:,.2f}"}
        raise Invalid(sentence, rule="recommend_amount", problems={"amount": [sentence]})
    if not reason.strip():
        raise Invalid(_("请写明建议金额的理由。"), rule="recommend_reason", problems={"reason": [str(_("请写明理由"))]})
    row.recommended = amount
    row.save(update_fields=["recommended"])
    return Facts(public={"bid": str(bid.pk), "amount": str(amount)}, private={"note": reason.strip()})
