"""预演 with the arithmetic that will really decide: `review.scoring`, `review.ranking`, `grants.awards.selection`.

The desk may see all stages, so it hands this judge up to `grants.calls.rulebook.rehearsal`; and it can bring last round's bids down.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bidding.models import Bid
from grants.awards.allocation import Candidate, RulesContradict
from grants.awards.limits import selection_rules
from grants.awards.selection import propose
from grants.calls.facts import eligibility_facts
from grants.calls.models import Call
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.review import Sheet
from grants.calls.rulebook.rehearsal import Line, Rehearsal, Swing, TrialBid, Usage, rehearse, synthetic
from grants.money import ZERO, NotMoney, floor
from review import scoring
from review.models import Result
from review.ranking import Lot, RankingRefused, Scored, TieBy, TieStep, rank

TENTH = Decimal("0.10")
Weights = Mapping[str, Decimal]


def judge(rules: CallRules, bids: Sequence[TrialBid]) -> Rehearsal:
    """Score, rank and fund `bids` by the draft's rules; then again with each weight a tenth up and down."""
    sheets = {sheet.code: sheet for sheet in rules.review.sheets}
    try:
        lines = _lines(rules, bids, {})
    except (scoring.ScoreRefused, RankingRefused, RulesContradict, NotMoney) as refused:
        return Rehearsal(rules.rules_hash, len(bids), (), refused=str(getattr(refused, "sentence", refused)))
    given = sum((line.amount for line in lines), ZERO)
    swings = tuple(_swing(rules, bids, lines, sheet, code, sign) for sheet in sheets.values() for code in _codes(sheet) for sign in (1, -1))
    return Rehearsal(
        rules.rules_hash, len(bids), (), lines, _usage(rules, bids, lines), swings, given, rules.pool.grants - given
    )  # fmt: skip


def _codes(sheet: Sheet) -> list[str]:
    return [each.code for each in sheet.criteria]


def _sheet(rules: CallRules, bid: TrialBid) -> Sheet:
    return rules.sheet_for(bid.track or None)


def _lines(rules: CallRules, bids: Sequence[TrialBid], moved: Mapping[str, Weights]) -> tuple[Line, ...]:
    scored = [_scored(rules, bid, moved.get(_sheet(rules, bid).code, {})) for bid in bids]
    steps = [TieStep(TieBy(str(tie.by)), tie.criterion or "", _name(rules, tie.criterion)) for tie in rules.review.ties]
    seed = hashlib.sha256(f"rehearsal:{rules.rules_hash}".encode()).digest()
    ranked = rank(scored, steps, pass_line=rules.review.pass_line, lot=Lot(seed))
    by_code = {bid.code: bid for bid in bids}
    candidates = [
        Candidate(r.bid, by_code[r.bid].organisation, r.place, r.score, by_code[r.bid].ask, by_code[r.bid].category, by_code[r.bid].track,
                  by_code[r.bid].ask)
        for r in ranked
    ]  # fmt: skip
    decided = {d.bid: d for d in propose(candidates, selection_rules(rules)).decisions}
    return tuple(
        Line(r.bid, r.place, r.score, r.decided_by, decided[r.bid].awarded, decided[r.bid].amount, decided[r.bid].sentence,
             by_code[r.bid].category)
        for r in ranked
    )  # fmt: skip


def _name(rules: CallRules, code: str | None) -> str:
    return next((c.name for sheet in rules.review.sheets for c in sheet.criteria if c.code == code), "")


def _scored(rules: CallRules, bid: TrialBid, moved: Weights) -> Scored:
    criteria = [scoring.Criterion(c.code, c.name, moved.get(c.code, Decimal(c.weight))) for c in _sheet(rules, bid).criteria]
    ballots = [{c.code: scoring.rounded(_share(ballot, c.code) * c.top) for c in criteria} for ballot in bid.ballots]
    totals = {f"{n:02}": scoring.ballot_total(marks, criteria, decimals=rules.review.decimals) for n, marks in enumerate(ballots)}
    trim = rules.review.trim
    score = scoring.panel_score(
        totals, scoring.Trim(trim.high, trim.low, trim.from_ballots), min_ballots=rules.review.panel.min_ballots, decimals=rules.review.decimals
    )
    means = scoring.criterion_means([ballots[int(n)] for n in score.kept])
    return Scored(bid.code, score.value, bid.ask, means, chair_votes=int(totals["00"] * 100))


def _share(ballot: Mapping[str, Decimal], code: str) -> Decimal:
    """The share of a criterion's points; one the old round did not have takes the ballot's average."""
    return ballot[code] if code in ballot else sum(ballot.values(), ZERO) / max(len(ballot), 1)


def _swing(rules: CallRules, bids: Sequence[TrialBid], lines: Sequence[Line], sheet: Sheet, code: str, sign: int) -> Swing:
    moved = _reweighted(sheet, code, sign)
    name = _name(rules, code)
    if moved is None:
        return Swing(name, sign * 10, ())
    before = {line.bid for line in lines if line.awarded}
    after = {line.bid for line in _lines(rules, bids, {sheet.code: moved}) if line.awarded}
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
    """The bids of a round whose results are in, as trial bids: facts as they were at its closing, the mean marks of the panel.

    The panel's mean stands for every ballot, so trimming changes nothing here; single ballots are not read.
    """
    results = Result.objects.filter(panel__call=call, panel__state="concluded").select_related("bid__organisation").order_by("bid__number")
    return tuple(_trial(call, result) for result in results)


def _trial(call: Call, result: Result) -> TrialBid:
    bid: Bid = result.bid
    version = bid.latest
    budget = version.content["budget"] if version is not None else {}
    rules = call.rules
    weights = {c.code: Decimal(c.weight) for c in rules.sheet_for(bid.track or None).criteria}
    shares = {code: Decimal(value) / weights[code] for code, value in _means(result).items() if weights.get(code)}
    ballots = rules.review.panel.size
    assert call.closes_at is not None  # it has results, so it was published
    return TrialBid(
        code=bid.number or str(bid.pk),
        organisation=str(bid.organisation),
        facts=eligibility_facts(bid.organisation, call.closes_at.date(), clerk=_Settled()),
        ask=Decimal(budget.get("grant", "0")),
        match=Decimal(budget.get("match_cash", "0")) + Decimal(budget.get("match_in_kind", "0")),
        category=bid.category,
        track=bid.track,
        ballots=(shares,) * ballots,
    )


def _means(result: Result) -> dict[str, Any]:
    return dict(result.explanation.get("criteria", {}))


class _Settled(dict[str, bool]):
    """What clerks settled last time counts as settled: a rehearsal asks about rules, not about papers."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> bool:
        return True

    def get(self, key: str, default: Any = None) -> Any:
        return True


def run(rules: CallRules, earlier: Call | None) -> Rehearsal:
    """The rehearsal that a page shows: on the bids of an earlier round, or on synthetic ones."""
    return rehearse(rules, last_round(earlier) if earlier is not None else synthetic(rules))
