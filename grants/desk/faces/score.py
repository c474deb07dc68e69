"""`manage.py review score IN.json OUT.json`: official result and reference analysis from ballots on a file.

Counted by the functions of the real result (`review.composing`, `review.scoring`, `review.ranking`), called in the same order as `review.results` does.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from grants.desk.faces._json import no_answer, read, write
from grants.desk.faces._score_question import CALIBRATED, Marks, Question, parsed
from review import composing, scoring
from review.analysis import Analysis, Ballot, Official, Terms, analyse, digest, fund_line
from review.calibration import bridging
from review.calibration import official as calibration
from review.calibration.findings import plain
from review.composing import Composed, Heard
from review.ranking import Lot, Ranked, RankingRefused, Scored, rank

HELP = "From ballots: official scores and ranks, calibrated scores, intervals, P(funded), ICC, alpha, alarms."
FORMAT = "gongchuang-score-1"
WAITS = "lot_waits"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", metavar="IN.json")
    parser.add_argument("target", metavar="OUT.json")
    parser.add_argument("--seed", help="of the lots among equals, from a public beacon; wins over rule.lots.seed. Without either no lot falls")


def run(options: dict[str, Any]) -> None:
    """Read, count, write."""
    root, sha256 = read(options["source"])
    question = parsed(root, options.get("seed"))
    try:
        sheets = Sheets.of(question)
        bridging.require(sheets.anywhere(), question.groups, question.bridges)
        counted = official_of(sheets)
    except (scoring.ScoreRefused, RankingRefused) as refused:
        no_answer(refused.sentence, f"no result ({refused.rule})")
    write(options["target"], answer(question, counted, analysis_of(sheets, counted), sha256))


@dataclass(frozen=True)
class Sheets:
    """Whole ballots. full: bid → stage → expert → criterion → points, with what others gave; totals: the same with each ballot's total."""

    question: Question
    full: Mapping[str, Mapping[str, Mapping[str, Marks]]]
    totals: Mapping[str, Mapping[str, Mapping[str, Decimal]]]

    @classmethod
    def of(cls, question: Question) -> Sheets:
        """Raises ScoreRefused where a seat gave no mark."""
        full = {bid: {s: _heard(question, bid, own) for s, own in by.items()} for bid, by in question.marks.items()}
        totals = {bid: {s: _totals(question, bid, own) for s, own in by.items()} for bid, by in full.items()}
        return cls(question, full, totals)

    def of_stage(self, stage: str) -> dict[str, Mapping[str, Decimal]]:
        """Bid → expert → total."""
        return {bid: by.get(stage, {}) for bid, by in self.totals.items()}

    def anywhere(self) -> dict[str, dict[str, Decimal]]:
        """Bid → expert → a total: who read what, in any stage."""
        return {bid: {e: total for own in by.values() for e, total in own.items()} for bid, by in self.totals.items()}


def _heard(question: Question, bid: str, own: Mapping[str, Marks]) -> dict[str, dict[str, Decimal]]:
    seats = {expert: question.seats.get(expert, "") for expert in own}
    return Heard(own, seats, question.entered.get(bid, {})).full(question.rules, question.bids[bid].sheet)


def _totals(question: Question, bid: str, full: Mapping[str, Marks]) -> dict[str, Decimal]:
    criteria = criteria_of(question, bid)
    return {expert: scoring.ballot_total(marks, criteria, decimals=question.review.decimals) for expert, marks in full.items()}


def criteria_of(question: Question, bid: str) -> list[scoring.Criterion]:
    """The bid's sheet as the arithmetic takes it."""
    sheet = question.sheet(bid)
    return [scoring.Criterion(c.code, c.name, c.weight, question.tops.get((sheet.code, c.code))) for c in sheet.criteria]


@dataclass(frozen=True)
class Counted:
    """The official result: places, and for each bid with a result how it came about; off: stage → expert → strictness taken off."""

    places: Sequence[Ranked]
    stages: Mapping[str, Mapping[str, scoring.PanelScore]]
    wholes: Mapping[str, Composed]
    scored: Mapping[str, Scored]
    reasons: Mapping[str, str]
    off: Mapping[str, Mapping[str, Decimal]]


def official_of(sheets: Sheets) -> Counted:
    """The official result by the rule of the file. Raises ScoreRefused, RankingRefused."""
    question, review = sheets.question, sheets.question.review
    off = {stage: _strictness(sheets, stage) for stage in question.stages}
    stages: dict[str, dict[str, scoring.PanelScore]] = {}
    wholes: dict[str, Composed] = {}
    reasons: dict[str, str] = {}
    for bid in question.bids:
        try:
            own = {stage: composing.panel_score(review, _counting(sheets, bid, stage, off[stage])) for stage in question.stages}
            wholes[bid] = composing.composed(review, {s: score.value for s, score in own.items()}, question.entered.get(bid, {}))
            stages[bid] = own
        except scoring.ScoreRefused as refused:
            reasons[bid] = refused.sentence
    scored = [_scored(sheets, bid, stages.get(bid), wholes.get(bid)) for bid in question.bids]
    return Counted(_ranked(question, scored), stages, wholes, {s.bid: s for s in scored}, reasons, off)


def _strictness(sheets: Sheets, stage: str) -> Mapping[str, Decimal]:
    if sheets.question.review.official.value != CALIBRATED:
        return {}
    return calibration.strictness(sheets.of_stage(stage), sheets.question.groups, least=sheets.question.bridges)


def _counting(sheets: Sheets, bid: str, stage: str, off: Mapping[str, Decimal]) -> dict[str, Decimal]:
    totals = sheets.totals.get(bid, {}).get(stage, {})
    return {expert: calibration.calibrated(total, off[expert]) if off else total for expert, total in totals.items()}


def _ranked(question: Question, scored: Sequence[Scored]) -> list[Ranked]:
    """Places by the tie rule; where equals wait for a lot and nobody gave a seed, there is no result."""
    steps = composing.tie_steps(question.rules, (each for each in scored if each.score is not None))
    lot = Lot(question.lots.encode() if question.lots else None, question.drawn)
    places = rank(scored, steps, pass_line=question.review.pass_line, lot=lot)
    if waits := [place.bid for place in places if place.decided_by == WAITS]:
        zh, en = "同分须抽签决定，没有给出种子：请用 --seed 或 rule.lots.seed 写明评分以后由公开随机源得出的种子", "equals wait for a lot and no seed was given"
        no_answer(f"{'、'.join(waits)} {zh}", f"{en}: --seed or rule.lots.seed ({', '.join(waits)})")
    return places


def _scored(sheets: Sheets, bid: str, stages: Mapping[str, scoring.PanelScore] | None, whole: Composed | None) -> Scored:
    ask = sheets.question.bids[bid].ask
    if stages is None or whole is None:
        return Scored(bid, None, ask)
    kept = {stage: [sheets.full[bid][stage][expert] for expert in score.kept] for stage, score in stages.items()}
    last = sheets.totals[bid][sheets.question.stages[-1]]
    votes = int(last[sheets.question.chair] * 100) if sheets.question.chair in last else None
    return Scored(bid, whole.total, ask, composing.weighted_means(sheets.question.review, kept), votes)


def analysis_of(sheets: Sheets, counted: Counted) -> Analysis:
    """The reference analysis of the same ballots."""
    question, review = sheets.question, sheets.question.review
    ballots = [
        Ballot(bid, expert, scoring.rounded(total), sheets.full[bid][stage][expert], stage)
        for bid, by in sheets.totals.items() for stage, own in by.items() for expert, total in own.items()
    ]  # fmt: skip
    fund = None
    if question.pool is not None or question.places is not None:
        asks = {bid: row.ask for bid, row in question.bids.items()}
        fund = fund_line(asks, pool=question.pool, places=question.places, pass_line=review.pass_line, stop=question.stop)
    return analyse(
        ballots, terms=_terms(question), criteria=_every_criterion(question), bids=list(question.bids),
        official={p.bid: Official(p.score, p.place) for p in counted.places}, fund=fund, groups=question.groups or None,
        seed=question.seed.encode(), rule=review.official.value, least_bridges=question.bridges,
    )  # fmt: skip


def _terms(question: Question) -> Terms:
    review = question.review
    stages = {str(stage.kind): stage.weight for stage in review.stages}
    beside = {bid: composing.beside(review, own) for bid, own in question.entered.items() if bid in question.marks}
    return Terms(composing.trim_of(review), review.decimals, stages, review.mix.experts, beside)


def _every_criterion(question: Question) -> list[scoring.Criterion]:
    """Criteria of all sheets in use, each code once."""
    found: dict[str, scoring.Criterion] = {}
    for bid in question.bids:
        for criterion in criteria_of(question, bid):
            found.setdefault(criterion.code, criterion)
    return list(found.values())


def answer(question: Question, counted: Counted, analysis: Analysis, sha256: str) -> dict[str, Any]:
    """What is written. Without stages in the file strictness stands by expert, else by stage and expert."""
    off: Mapping[str, Any] = counted.off if question.staged else counted.off[question.stages[0]]
    return {
        "format": FORMAT, "input_sha256": sha256, "rule": question.review.official.value, "lots_seed": question.lots,
        "official": [_row(question, counted, place) for place in counted.places], "strictness_taken_off": plain(off),
        "analysis": analysis.data(), "analysis_sha256": digest(analysis),
    }  # fmt: skip


def _row(question: Question, counted: Counted, place: Ranked) -> dict[str, Any]:
    row: dict[str, Any] = {
        "bid": place.bid, "score": plain(place.score), "rank": place.place, "passed": place.passed, "decided_by": place.decided_by,
        "sentence": composing.reason(place, counted.scored[place.bid].chair_votes) if place.score is not None else counted.reasons[place.bid],
    }  # fmt: skip
    stages = counted.stages.get(place.bid, {})
    fates = [{"stage": stage, **_fate(stages.get(stage))} for stage in question.stages]
    row |= {"stages": fates} if question.staged else _fate(stages.get(question.stages[0]), value=False)
    whole = counted.wholes.get(place.bid)
    if whole is not None and question.review.mix.experts < 100:
        row["parts"] = [{"code": p.code, "weight": plain(p.weight), "value": plain(p.value)} for p in whole.parts]
    if whole is not None and question.review.bonuses:
        row["bonuses"] = plain(whole.bonuses)
    return row


def _fate(score: scoring.PanelScore | None, *, value: bool = True) -> dict[str, Any]:
    kept, high, low = (score.kept, score.dropped_high, score.dropped_low) if score is not None else ((), (), ())
    told = {"kept": list(kept), "dropped_high": list(high), "dropped_low": list(low)}
    return {"value": plain(score.value) if score is not None else None, **told} if value else told
