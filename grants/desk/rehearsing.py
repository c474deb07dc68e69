"""预演 with the arithmetic that will really decide: `review.scoring`, `review.ranking`, `grants.awards.selection`.

The desk may see all stages, so it hands this judge up to `grants.calls.rulebook.rehearsal`; and it can bring last round's bids down.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, cast

from django.utils.translation import gettext as _

from bidding.models import Bid
from grants.awards.allocation import Candidate, RulesContradict
from grants.awards.limits import BAND, selection_rules
from grants.awards.selection import propose, with_lots
from grants.calls.facts import eligibility_facts
from grants.calls.models import Call
from grants.calls.rulebook import trial_file
from grants.calls.rulebook.invented import synthetic
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.review import Sheet
from grants.calls.rulebook.rehearsal import Earlier, Line, NothingEarlier, Rehearsal, Swing, Usage, rehearse
from grants.calls.rulebook.trial import SETTLED, TrialBid
from grants.desk.expecting import measured
from grants.money import ZERO, NotMoney, floor
from review import composing, scoring
from review.calibration.official import calibrated, strictness
from review.models import Panel
from review.other_scores import components
from review.panels import sitting, stages_of
from review.ranking import Lot, Ranked, RankingRefused, Scored, rank
from review.results import Tally

TENTH = Decimal("0.10")
Weights = Mapping[str, Decimal]


def judge(rules: CallRules, bids: Sequence[TrialBid]) -> Rehearsal:
    """Score, rank and fund `bids` by the draft's rules; then again with each weight a tenth up and down."""
    told = unrehearsed(rules, bids)
    sheets = {sheet.code: sheet for sheet in rules.review.sheets}
    papers = [_Paper(rules, bid) for bid in bids]
    try:
        lines = _lines(rules, papers, {})
    except (scoring.ScoreRefused, RankingRefused, RulesContradict, NotMoney) as refused:
        return Rehearsal(rules.rules_hash, len(bids), (), refused=str(getattr(refused, "sentence", refused)), unrehearsed=told)
    given = sum((line.amount for line in lines), ZERO)
    swings = tuple(_swing(rules, papers, lines, sheet, code, sign) for sheet in sheets.values() for code in _codes(sheet) for sign in (1, -1))
    return Rehearsal(
        rules.rules_hash, len(bids), (), lines, _usage(rules, bids, lines), swings, given, rules.pool.grants - given, unrehearsed=told
    )  # fmt: skip


def _codes(sheet: Sheet) -> list[str]:
    return [each.code for each in sheet.criteria]


def _lines(rules: CallRules, papers: Sequence[_Paper], moved: Mapping[str, Weights]) -> tuple[Line, ...]:
    """Ranked and funded by the functions of the real result. moved: sheet → criterion → another weight."""
    trials = [_Trial(paper, moved.get(paper.sheet.code, {})) for paper in papers]
    off = {stage: _strictness(rules, trials, stage) for stage in stages_of(rules)}
    scored = [trial.scored(off) for trial in trials]
    seed = hashlib.sha256(f"rehearsal:{rules.rules_hash}".encode()).digest()
    ranked = rank(scored, composing.tie_steps(rules, scored), pass_line=rules.review.pass_line, lot=Lot(seed))
    by_code, given = {paper.bid.code: paper.bid for paper in papers}, selection_rules(rules)
    candidates = with_lots([_candidate(place, by_code[place.bid]) for place in ranked], given, BAND + seed)
    decided = {d.bid: d for d in propose(candidates, given).decisions}
    return tuple(
        Line(r.bid, r.place, r.score, r.decided_by, decided[r.bid].awarded, decided[r.bid].amount, decided[r.bid].sentence,
             by_code[r.bid].category)
        for r in ranked
    )  # fmt: skip


def _candidate(place: Ranked, bid: TrialBid) -> Candidate:
    recommended = bid.ask if bid.recommended is None else min(bid.recommended, bid.ask)
    return Candidate(bid.code, bid.organisation, place.place, place.score, bid.ask, bid.category, bid.track, recommended, bid.district)


def _strictness(rules: CallRules, trials: Sequence[_Trial], stage: str) -> Mapping[str, Decimal]:
    """What comes off each expert's ballots of a stage; nothing unless calibrated scores are the official ones."""
    if rules.review.official.value != "calibrated":
        return {}
    return strictness({trial.paper.bid.code: trial.totals[stage] for trial in trials})


def _name(rules: CallRules, code: str | None) -> str:
    return next((c.name for sheet in rules.review.sheets for c in sheet.criteria if c.code == code), "")


@dataclass(frozen=True)
class _Paper:
    """What stands on the ballots of one trial bid, whatever the weights: worked out once for every reweighting."""

    rules: CallRules
    bid: TrialBid

    @cached_property
    def sheet(self) -> Sheet:
        return self.rules.sheet_for(self.bid.track or None)

    @cached_property
    def entered(self) -> dict[str, Decimal]:
        """Component → points. What the bid does not have takes its ballots' average share, bonus points nought."""
        parts = components(self.rules, cast("Any", self.bid))  # asks a bid for its track only
        return {part.code: scoring.rounded(self._entered(part.code) * part.top) for part in parts}

    def _entered(self, code: str) -> Decimal:
        if code in self.bid.others or code.startswith("bonus:"):
            return self.bid.others.get(code, ZERO)
        ballots = self.bid.given(stages_of(self.rules)[0]).values()
        return sum((_mean(ballot) for ballot in ballots), ZERO) / max(len(ballots), 1)

    @cached_property
    def full(self) -> dict[str, dict[str, dict[str, Decimal]]]:
        """Stage → expert → criterion → points, whole sheets."""
        return {stage: self._full(stage) for stage in stages_of(self.rules)}

    def _full(self, stage: str) -> dict[str, dict[str, Decimal]]:
        given = self.bid.given(stage)
        seats = dict(zip(given, _seats(self.rules), strict=False))
        own = {expert: self._own(ballot) for expert, ballot in given.items()}
        return composing.Heard(own, {expert: seats.get(expert, "expert") for expert in given}, self.entered).full(self.rules, self.bid.track)

    def _own(self, ballot: Weights) -> dict[str, Decimal]:
        tops = {c.code: composing.expert_top(self.rules, c) for c in self.sheet.criteria if str(c.scorer) not in composing.ENTERED_ONCE}
        return {code: scoring.rounded(_share(ballot, code) * top) for code, top in tops.items() if top > 0}


@dataclass(frozen=True)
class _Trial:
    """One trial bid under the draft's rules, asked in the same order as `review.results` asks a real one. moved: criterion → another weight."""

    paper: _Paper
    moved: Weights

    @cached_property
    def totals(self) -> dict[str, dict[str, Decimal]]:
        """Stage → expert → total, 0…100. Raises ScoreRefused."""
        weights = {c.code: (c.name, Decimal(c.weight)) for c in self.paper.sheet.criteria}
        criteria = [scoring.Criterion(code, name, self.moved.get(code, own), own) for code, (name, own) in weights.items()]
        decimals = self.paper.rules.review.decimals
        return {
            stage: {expert: scoring.ballot_total(marks, criteria, decimals=decimals) for expert, marks in ballots.items()}
            for stage, ballots in self.paper.full.items()
        }

    def scored(self, off: Mapping[str, Weights]) -> Scored:
        """The bid as the ranking takes it. Raises ScoreRefused."""
        review, scores, kept = self.paper.rules.review, dict[str, Decimal](), dict[str, list[Weights]]()
        for stage, totals in self.totals.items():
            counting = {e: calibrated(t, off[stage][e]) if off[stage] else t for e, t in totals.items()}
            score, full = composing.panel_score(review, counting), self.paper.full[stage]
            scores[stage], kept[stage] = score.value, [full[expert] for expert in score.kept]
        bid = self.paper.bid
        whole = composing.composed(review, scores, self.paper.entered)
        return Scored(bid.code, whole.total, bid.ask, composing.weighted_means(review, kept), self._chair())

    def _chair(self) -> int | None:
        totals = self.totals[stages_of(self.paper.rules)[-1]]
        chair = self.paper.bid.chair or next(iter(totals), "")
        return int(totals[chair] * 100) if chair in totals else None


def _seats(rules: CallRules) -> list[str]:
    """Which seat the first, second, third … ballot of a bid is from: the required ones come first."""
    panel = rules.review.panel
    marked = {str(c.scorer) for sheet in rules.review.sheets for c in sheet.criteria}
    finance, field = (max(n, int(seat in marked)) for n, seat in ((panel.finance, "finance"), (panel.field, "field")))
    return ["finance"] * finance + ["field"] * field


def _mean(ballot: Weights) -> Decimal:
    return sum(ballot.values(), ZERO) / max(len(ballot), 1)


def _share(ballot: Weights, code: str) -> Decimal:
    """The share of a criterion's points; one the old round did not have takes the ballot's average."""
    return ballot[code] if code in ballot else _mean(ballot)


def _swing(rules: CallRules, papers: Sequence[_Paper], lines: Sequence[Line], sheet: Sheet, code: str, sign: int) -> Swing:
    moved = _reweighted(sheet, code, sign)
    name = _name(rules, code)
    if moved is None:
        return Swing(name, sign * 10, ())
    before = {line.bid for line in lines if line.awarded}
    after = {line.bid for line in _lines(rules, papers, {sheet.code: moved}) if line.awarded}
    return Swing(name, sign * 10, tuple(sorted(before ^ after)))


def _reweighted(sheet: Sheet, code: str, sign: int) -> Weights | None:
    """One weight a tenth more or less, the others making up for it in proportion, to the hundredth of a point; None for a sheet of one."""
    own = next(Decimal(c.weight) for c in sheet.criteria if c.code == code)
    others = [c for c in sheet.criteria if c.code != code]
    rest = sum((Decimal(c.weight) for c in others), ZERO)
    if not rest or not own:
        return None
    new = scoring.rounded(own * (1 + sign * TENTH))
    scaled = {c.code: scoring.rounded(Decimal(c.weight) * (100 - new) / rest) for c in others}
    last = max(scaled, key=lambda each: scaled[each])
    scaled[last] += 100 - new - sum(scaled.values(), ZERO)
    return {**scaled, code: new}


def _usage(rules: CallRules, bids: Sequence[TrialBid], lines: Sequence[Line]) -> tuple[Usage, ...]:
    return tuple(
        Usage(
            each.name,
            each.amount if each.amount is not None else floor(rules.pool.grants * each.reserve_share / 100) if each.reserve_share else None,
            sum((line.amount for line in lines if line.category == each.code), ZERO),
            sum(line.awarded for line in lines if line.category == each.code),
            sum(bid.category == each.code for bid in bids),
        )
        for each in rules.categories
    )


def last_round(call: Call) -> tuple[TrialBid, ...]:
    """The bids of a round whose results are in, as trial bids: facts as they were at its closing, and every ballot that counted."""
    panels = call.panels.filter(state="concluded").order_by("concluded_at")
    return tuple(trial for panel in panels for trial in _of_panel(call, panel))


def _of_panel(call: Call, panel: Panel) -> Iterator[TrialBid]:
    tally = Tally.of(panel)
    chair = next((m.expert.code for m in sitting(panel) if m.chair), "")
    bids = {bid.pk: bid for bid in tally.bids}
    for result in panel.results.order_by("bid__number"):
        if result.bid_id in bids:
            yield _trial(call, tally, bids[result.bid_id], result.recommended, chair)


def _trial(call: Call, tally: Tally, bid: Bid, recommended: Decimal | None, chair: str) -> TrialBid:
    version, entered, tops = bid.latest, tally.entered(bid), {part.code: part.top for part in components(call.rules, bid)}
    budget = version.content["budget"] if version is not None else {}
    assert call.closes_at is not None  # it has results, so it was published
    return TrialBid(
        code=bid.number or str(bid.pk),
        organisation=str(bid.organisation_id),
        facts=eligibility_facts(bid.organisation, call.closes_at.date(), clerk=SETTLED),
        ask=Decimal(budget.get("grant", "0")),
        match=Decimal(budget.get("match_cash", "0")) + Decimal(budget.get("match_in_kind", "0")),
        category=bid.category,
        track=bid.track,
        stages={stage: _ballots(call.rules, tally, bid, stage) for stage in stages_of(call.rules)},
        others={code: value / tops[code] for code, value in entered.items() if tops.get(code)},
        district=bid.organisation.district,
        recommended=recommended,
        chair=chair,
    )


def _ballots(rules: CallRules, tally: Tally, bid: Bid, stage: str) -> dict[str, dict[str, Decimal]]:
    """Expert → criterion → share of what experts give; points given on site are taken out, they stand among the others."""
    on_site = tally.others.get((bid.pk, composing.SITE_CHECK), ZERO)
    check, tops = rules.review.site_check, {c.code: composing.expert_top(rules, c) for c in rules.sheet_for(bid.track or None).criteria}
    found: dict[str, dict[str, Decimal]] = {}
    for expert, marks in tally.full_marks(bid, stage).items():
        own = {code: points - on_site if check is not None and code == check.criterion else points for code, points in marks.items()}
        found[expert] = {code: points / tops[code] for code, points in own.items() if tops.get(code)}
    return found


def recall(name: str) -> Earlier:
    """The round of that code with its ballots, what two of its experts agreed on, and how many they were. Raises NothingEarlier."""
    call = Call.objects.filter(code=name).select_related("rules_version").first()
    if call is None:
        raise NothingEarlier(_("没有编号为 %(code)s 的征集，请核对编号。") % {"code": name})
    bids = last_round(call)
    if not bids:
        raise NothingEarlier(_("征集 %(code)s 还没有出具评审报告的评审组，没有可用的申报和评分。") % {"code": name})
    return Earlier(call.code, bids, measured([call]), readers(bids))


def for_files(call: Call) -> dict[str, Any] | None:
    """The round as a file that another installation rehearses on (`calls.rulebook.trial_file`); None before a panel has concluded."""
    bids = last_round(call)
    return trial_file.written(call.code, measured([call]), bids) if bids else None


def readers(bids: Sequence[TrialBid]) -> int:
    """How many experts scored in these bids."""
    return len({expert for bid in bids for ballots in bid.stages.values() for expert in ballots})


def run(rules: CallRules, earlier: Call | None, experts: int | None = None) -> Rehearsal:
    """The rehearsal that a page shows: on the bids of an earlier round, or on synthetic ones that `experts` share."""
    return rehearse(rules, last_round(earlier) if earlier is not None else synthetic(rules, experts=experts))


def unrehearsed(rules: CallRules, bids: Sequence[TrialBid]) -> tuple[str, ...]:
    """What the real round will have and a rehearsal has not, and what is assumed instead."""
    review, told = rules.review, [_("专家回避、缺席、评分作废不预演：每份申报的评分都算有效，由一个评审组评完。"), _("异议、谈判减额和放弃立项不预演。")]
    if any(str(tie.by) == "lot" for tie in review.ties) or rules.allocation.grey_band is not None:
        told.append(_("抽签用预演自己的种子，正式抽签的结果会不同。"))
    if review.second_ballot is not None:
        told.append(_("讨论后再次评分不预演：只有一次评分。"))
    if review.finance_review or review.optimisation:
        told.append(_("财务预算审核和项目优化不预演。"))
    if rules.allocation.method.value == "reduce" and all(bid.recommended is None for bid in bids):
        told.append(_("评审组建议的金额还不知道，一律按申请额计算。"))
    lacking = {part.name for bid in bids for part in components(rules, cast("Any", bid)) if part.code not in bid.others}
    if lacking:
        told.append(_("这些申报没有“%(parts)s”的得分：加分按 0，其他按该申报的平均得分率。") % {"parts": "、".join(sorted(lacking))})
    borrowed = [str(stage.kind.zh) for stage in review.stages if any(bid.stages and str(stage.kind) not in bid.stages for bid in bids)]
    if borrowed:
        told.append(_("这些申报没有“%(stages)s”的评分：用它们另一个环节的评分代替。") % {"stages": "、".join(borrowed)})
    if rules.allocation.district_cap is not None:
        told.append(_("街道（区）额度按申报单位的登记地计算；虚构的申报轮流来自 12 个地方，征集限定登记地的都算在那一处。"))
    return tuple(told)
