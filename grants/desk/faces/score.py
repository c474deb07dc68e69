"""`manage.py review score IN.json OUT.json`: official result and reference analysis from ballots on a file."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from grants.desk.faces._json import Node, no_answer, read, write
from review import scoring
from review.analysis import Analysis, Ballot, Official, Terms, analyse, digest, fund_line
from review.calibration import bridging
from review.calibration import official as calibration
from review.calibration.findings import plain
from review.ranking import Lot, Ranked, RankingRefused, Scored, TieBy, TieStep, rank

HELP = "From ballots: official scores and ranks, calibrated scores, intervals, P(funded), ICC, alpha, alarms."
FORMAT = "gongchuang-score-1"
RULES = ("trimmed", "calibrated")
WAITS = "lot_waits"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", metavar="IN.json")
    parser.add_argument("target", metavar="OUT.json")
    parser.add_argument("--seed", help="of the lots among equals, from a public beacon; wins over rule.lots.seed. Without either no lot falls")


@dataclass(frozen=True)
class Question:
    """What the file asks. asks: bid → 元; groups: bid → panel; marks: bid → expert → criterion → points.

    seed: of the analysis' samples, which decide nothing; lots: of lots among equals, empty where nobody gave one.
    """

    official: str
    trim: scoring.Trim
    min_ballots: int
    decimals: int
    pass_line: Decimal
    ties: tuple[TieStep, ...]
    seed: str
    lots: str
    pool: Decimal | None
    places: int | None
    stop: bool
    bridges: int
    criteria: tuple[scoring.Criterion, ...]
    bids: tuple[str, ...]
    asks: Mapping[str, Decimal]
    groups: Mapping[str, str]
    marks: Mapping[str, Mapping[str, Mapping[str, Decimal]]]


def run(options: dict[str, Any]) -> None:
    """Read, count, write."""
    root, sha256 = read(options["source"])
    question = parsed(root, options.get("seed"))
    try:
        totals = totals_of(question)
        bridging.require(totals, question.groups, question.bridges)
        counted = official_of(question, totals)
    except (scoring.ScoreRefused, RankingRefused) as refused:
        no_answer(refused.sentence, f"no result ({refused.rule})")
    analysis = analysis_of(question, totals, counted)
    write(options["target"], answer(question, counted, analysis, sha256))


def parsed(root: Node, lots: str | None = None) -> Question:
    """The question, every key checked; lots: the seed of the command line. Raises CommandError with the path of the bad one."""
    top = root.keys(("rule", "ballots", "criteria"), ("bids",))
    rule = top["rule"].keys(
        ("trim",),
        ("official", "min_ballots", "decimals", "pass_line", "ties", "seed", "lots", "pool", "places", "when_full", "least_bridges"),
    )
    criteria = _criteria(top["criteria"])
    listed = _bids(top.get("bids"))
    names = {c.code: c.name for c in criteria}
    marks = _ballots(top["ballots"], {c.code: c for c in criteria})
    official = rule["official"].text() if "official" in rule else "trimmed"
    if official not in RULES:
        rule["official"].refuse("应为 trimmed 或 calibrated", "must be trimmed or calibrated")
    return Question(
        official, _trim(rule["trim"]), _whole(rule, "min_ballots", 1), _whole(rule, "decimals", 2, most=2),
        rule["pass_line"].number(most="100") if "pass_line" in rule else Decimal(0),
        tuple(_tie(node, names) for node in rule["ties"].items()) if "ties" in rule else (),
        rule["seed"].text() if "seed" in rule else "gongchuang", _lots(rule.get("lots"), lots), rule["pool"].number() if "pool" in rule else None,
        rule["places"].whole() if "places" in rule else None, _stops(rule.get("when_full")), _whole(rule, "least_bridges", 10), criteria,
        tuple(sorted({*listed, *marks})), {b: row[0] for b, row in listed.items()},
        {b: row[1] for b, row in listed.items() if row[1]}, marks,
    )  # fmt: skip


def _whole(rule: Mapping[str, Node], key: str, default: int, most: int = 10**6) -> int:
    return rule[key].whole(most=most) if key in rule else default


def _lots(node: Node | None, given: str | None) -> str:
    """The seed of lots among equals: the command line's, else the rule's; never one of our own."""
    if given is not None and not given.strip():
        Node(given, "--seed").refuse("种子不能为空", "must not be empty")
    inside = node.keys(("seed",))["seed"] if node is not None else None
    if inside is not None and not inside.text().strip():
        inside.refuse("种子不能为空", "must not be empty")
    return given or (inside.text() if inside is not None else "")


def _stops(node: Node | None) -> bool:
    if node is not None and node.text() not in ("skip", "stop"):
        node.refuse("应为 skip 或 stop", "must be skip or stop")
    return node is not None and node.text() == "stop"


def _trim(node: Node) -> scoring.Trim:
    keys = node.keys(("high", "low"), ("from_ballots",))
    return scoring.Trim(keys["high"].whole(), keys["low"].whole(), _whole(keys, "from_ballots", 5))


def _tie(node: Node, names: Mapping[str, str]) -> TieStep:
    keys = node.keys(("by",), ("criterion",))
    by: TieBy = keys["by"].choice(TieBy)
    if by is TieBy.CHAIR:
        keys["by"].refuse("文件中没有组长，不能用 chair", "a file has no chair")
    code = keys["criterion"].text() if "criterion" in keys else ""
    if by is TieBy.CRITERION and code not in names:
        node.refuse("按指标定先后，须写明已有的指标编号", "must name a known criterion")
    return TieStep(by, code, names.get(code, ""))


def _criteria(node: Node) -> tuple[scoring.Criterion, ...]:
    found: list[scoring.Criterion] = []
    for each in node.items():
        keys = each.keys(("code", "weight"), ("name", "maximum"))
        code, name = keys["code"].text(), keys["name"].text() if "name" in keys else keys["code"].text()
        top = keys["maximum"].number(least="0.01", most="100") if "maximum" in keys else None
        if code in {c.code for c in found}:
            keys["code"].refuse("编号重复", "stands twice")
        found.append(scoring.Criterion(code, name, keys["weight"].number(least="0.01", most="100"), top))
    if sum((c.weight for c in found), Decimal(0)) != scoring.HUNDRED:
        node.refuse("各指标权重合计应为 100", "weights must add up to 100")
    return tuple(found)


def _bids(node: Node | None) -> dict[str, tuple[Decimal, str]]:
    found: dict[str, tuple[Decimal, str]] = {}
    for each in node.items() if node is not None else ():
        keys = each.keys(("bid",), ("ask", "group"))
        bid = keys["bid"].text()
        if bid in found:
            keys["bid"].refuse("编号重复", "stands twice")
        found[bid] = (keys["ask"].number() if "ask" in keys else Decimal(0), keys["group"].text() if "group" in keys else "")
    return found


def _ballots(node: Node, criteria: Mapping[str, scoring.Criterion]) -> dict[str, dict[str, dict[str, Decimal]]]:
    found: dict[str, dict[str, dict[str, Decimal]]] = {}
    for each in node.items():
        bid_node, expert_node, marks = each.items(3)
        given = marks.entries()
        for code in criteria:
            if code not in given:
                Node(None, f"{marks.path}.{code}").refuse(
                    "缺少这一项；未评的指标不按 0 分计", "is missing; a missing mark is not a zero"
                )
        for code, mark in given.items():
            if code not in criteria:
                mark.refuse("没有这个指标", "is not a criterion")
        own = found.setdefault(bid_node.text(), {})
        if expert_node.text() in own:
            each.refuse("同一专家对同一申报有两张评分表", "is a second ballot of one expert for one bid")
        own[expert_node.text()] = {code: mark.number(most=str(criteria[code].top)) for code, mark in given.items()}
    return found


Totals = dict[str, dict[str, Decimal]]


def totals_of(question: Question) -> Totals:
    """Bid → expert → total as published."""
    return {
        bid: {e: scoring.ballot_total(marks, question.criteria, decimals=question.decimals) for e, marks in sorted(own.items())}
        for bid, own in sorted(question.marks.items())
    }


@dataclass(frozen=True)
class Counted:
    """The official result: places, and for each bid with a result what was kept and dropped; off: strictness taken off."""

    places: Sequence[Ranked]
    scores: Mapping[str, scoring.PanelScore]
    reasons: Mapping[str, str]
    off: Mapping[str, Decimal]


def official_of(question: Question, totals: Totals) -> Counted:
    """The official result by the rule of the file. Raises ScoreRefused, RankingRefused."""
    off = calibration.strictness(totals, question.groups, least=question.bridges) if question.official == "calibrated" else {}
    scores: dict[str, scoring.PanelScore] = {}
    reasons: dict[str, str] = {}
    for bid in question.bids:
        own = {e: calibration.calibrated(t, off[e]) if off else t for e, t in totals.get(bid, {}).items()}
        try:
            scores[bid] = scoring.panel_score(own, question.trim, min_ballots=question.min_ballots, decimals=question.decimals)
        except scoring.ScoreRefused as refused:
            reasons[bid] = refused.sentence
    scored = [_scored(question, bid, scores.get(bid)) for bid in question.bids]
    lot = Lot(seed=question.lots.encode()) if question.lots else Lot()
    places = rank(scored, question.ties, pass_line=question.pass_line, lot=lot)
    if waits := [place.bid for place in places if place.decided_by == WAITS]:
        zh, en = "同分须抽签决定，没有给出种子：请用 --seed 或 rule.lots.seed 写明评分以后由公开随机源得出的种子", "equals wait for a lot and no seed was given"
        no_answer(f"{'、'.join(waits)} {zh}", f"{en}: --seed or rule.lots.seed ({', '.join(waits)})")
    return Counted(places, scores, reasons, off)


def _scored(question: Question, bid: str, score: scoring.PanelScore | None) -> Scored:
    means = scoring.criterion_means([question.marks[bid][e] for e in score.kept]) if score is not None else {}
    return Scored(bid, None if score is None else score.value, question.asks.get(bid, Decimal(0)), means)


def analysis_of(question: Question, totals: Totals, counted: Counted) -> Analysis:
    """The reference analysis of the same ballots."""
    ballots = [Ballot(bid, e, total, question.marks[bid][e]) for bid, own in totals.items() for e, total in own.items()]
    fund = None
    if question.pool is not None or question.places is not None:
        fund = fund_line(
            question.asks, pool=question.pool, places=question.places, pass_line=question.pass_line, stop=question.stop
        )
    return analyse(
        ballots, terms=Terms(question.trim, question.decimals), criteria=question.criteria, bids=question.bids,
        official={p.bid: Official(p.score, p.place) for p in counted.places}, fund=fund, groups=question.groups or None,
        seed=question.seed.encode(), rule=question.official, least_bridges=question.bridges,
    )  # fmt: skip


def answer(question: Question, counted: Counted, analysis: Analysis, sha256: str) -> dict[str, Any]:
    """What is written."""
    rows = [
        {
            "bid": p.bid, "score": plain(p.score), "rank": p.place, "passed": p.passed, "decided_by": p.decided_by,
            "sentence": p.sentence if p.score is not None else counted.reasons.get(p.bid, p.sentence), **_fate(counted.scores.get(p.bid)),
        }
        for p in counted.places
    ]  # fmt: skip
    return {
        "format": FORMAT, "input_sha256": sha256, "rule": question.official, "lots_seed": question.lots, "official": rows,
        "strictness_taken_off": plain(counted.off), "analysis": analysis.data(), "analysis_sha256": digest(analysis),
    }  # fmt: skip


def _fate(score: scoring.PanelScore | None) -> dict[str, Any]:
    if score is None:
        return {"kept": [], "dropped_high": [], "dropped_low": []}
    return {"kept": list(score.kept), "dropped_high": list(score.dropped_high), "dropped_low": list(score.dropped_low)}
