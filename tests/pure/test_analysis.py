"""参考分析: what is said about a panel's ballots, and what is refused to be said."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from decimal import Decimal

import pytest

from review.analysis import Analysis, Ballot, Official, Refusal, Terms, analyse, canonical_bytes, digest, five_numbers, fund_line
from review.calibration.official import calibrated, strictness
from review.calibration.sensitivity import Bench, totals_of
from review.scoring import Criterion, Trim, panel_score

D = Decimal
SHEET = [Criterion("need", "需求", D(40)), Criterion("plan", "设计", D(60))]
TERMS = Terms(Trim(1, 1, 5))


def panel(bids: int = 12, experts: int = 6, each: int = 5, seed: int = 1) -> list[Ballot]:
    dice = random.Random(seed)
    worth, strict = [dice.uniform(0.5, 0.95) for _ in range(bids)], [dice.uniform(-0.06, 0.06) for _ in range(experts)]
    found = []
    for b in range(bids):
        for e in dice.sample(range(experts), each):
            marks = {
                c.code: D(round(min(max(worth[b] + strict[e] + dice.gauss(0, 0.04), 0), 1) * float(c.top) * 2)) / 2 for c in SHEET
            }
            found.append(Ballot(f"b{b:02}", f"e{e}", sum(marks.values(), D(0)), marks))
    return found


def told(ballots: list[Ballot], **more: object) -> Analysis:
    return analyse(ballots, terms=TERMS, criteria=SHEET, fund=fund_line(places=4), **more)  # type: ignore[arg-type]


def test_the_whole_analysis_of_a_panel() -> None:
    found = told(panel())
    assert found.refusal is Refusal.NONE
    assert [b.bid for b in found.bids] == [f"b{n:02}" for n in range(12)]
    assert sorted(b.calibrated_rank or 0 for b in found.bids) == list(range(1, 13))
    for b in found.bids:
        assert b.low is not None
        assert b.high is not None
        assert b.p_funded is not None
        assert 1 <= b.low <= b.high <= 12
        assert 0 <= b.p_funded <= 1
    assert abs(sum(b.p_funded or 0 for b in found.bids) - 4) < D("0.02"), "four places in every draw"
    assert sum(b.funded for b in found.bids) == 4
    assert found.changing is not None
    assert sum(e.n for e in found.experts) == 60
    assert [h.n for h in found.criteria] == [60, 60]
    assert {r.kind for r in found.robust} == {"expert", "weight", "rule"}
    assert next(r for r in found.robust if r.what == "trimmed").changes == 0
    assert "90% 区间" in found.reliability_words.zh
    assert "90 % interval" in found.reliability_words.en


def test_it_goes_to_json_and_back_and_is_the_same_for_any_order_of_ballots() -> None:
    ballots = panel()
    found = told(ballots)
    assert Analysis.load(json.loads(canonical_bytes(found))) == found
    assert digest(told(random.Random(3).sample(ballots, len(ballots)))) == digest(found)
    assert digest(told(ballots, seed=b"other")) != digest(found)


def test_a_bid_without_a_review_is_missing_and_never_a_number() -> None:
    found = told(panel(), bids=["b99"])
    last = found.bids[-1]
    assert (last.bid, last.ballots, last.funded) == ("b99", 0, False)
    assert (
        last.official
        is last.rank
        is last.mean
        is last.calibrated
        is last.calibrated_rank
        is last.low
        is last.high
        is last.p_funded
        is None
    )


def test_an_expert_with_one_review_is_not_calibratable() -> None:
    extra = Ballot("b00", "late", D(30), {"need": D(12), "plan": D(18)})
    late = next(e for e in told([*panel(), extra]).experts if e.expert == "late")
    assert (late.n, late.calibratable, late.strictness, late.trust) == (1, False, None, None)
    assert late.five == (D("30.00"),) * 5


def test_without_spread_nothing_is_said_but_that() -> None:
    same = [Ballot(f"b{b}", f"e{e}", D(80), {}) for b in range(4) for e in range(5)]
    found = told(same)
    assert found.refusal is Refusal.NO_SPREAD
    assert found.reliability_words.zh == "所有评分完全相同，没有差异，谈不上一致程度。"
    assert all(b.p_funded is None for b in found.bids)
    assert {a.kind for a in found.alarms} == {"constant"}


def test_separate_panels_are_ranked_apart_and_never_across() -> None:
    first = [Ballot(f"a{b.bid}", f"a{b.expert}", b.total, b.marks) for b in panel()]
    second = [Ballot(f"c{b.bid}", f"c{b.expert}", min(b.total + 8, D(100)), {}) for b in panel(seed=2)]
    found = told([*first, *second])
    assert found.refusal is Refusal.UNBRIDGED
    assert all(b.calibrated is not None and b.calibrated_rank is b.low is b.p_funded is None for b in found.bids)
    assert found.changing is None
    assert "不作跨组排序" in found.connection_words.zh
    assert not [r for r in found.robust if r.what == "calibrated"]


@pytest.mark.parametrize(
    ("ballots", "why"), [([], Refusal.TOO_FEW), (panel(2), Refusal.TOO_FEW), (panel(9, 6, 1), Refusal.ONE_REVIEW)]
)
def test_too_little_to_say_anything(ballots: list[Ballot], why: Refusal) -> None:
    found = analyse(ballots, terms=Terms(Trim()), criteria=SHEET)
    assert found.refusal is why
    assert all(b.low is None for b in found.bids)
    assert "太少" in found.reliability_words.zh


def test_two_ballots_of_one_expert_are_refused() -> None:
    ballots = panel()
    with pytest.raises(ValueError, match="two ballots"):
        told([*ballots, ballots[0]])


def test_leaving_out_the_expert_who_lifted_a_bid_changes_the_awards_and_says_so() -> None:
    """Three bids at 70, 71, 72; expert x alone gives the third 100 and takes 20 off the rest."""
    ballots = [Ballot(f"b{b}", f"e{e}", D(72 - b), {}) for b in range(3) for e in range(4)]
    ballots += [Ballot("b0", "x", D(40), {}), Ballot("b1", "x", D(41), {}), Ballot("b2", "x", D(100), {})]
    found = analyse(ballots, terms=Terms(Trim()), fund=fund_line(places=1))
    assert [b.bid for b in found.bids if b.funded] == ["b2"]
    (change,) = [r for r in found.fragile if r.kind == "expert"]
    assert (change.what, change.came, change.went) == ("x", ("b0",), ("b2",))
    assert change.words.zh == "如果不计专家 x 的评分，2 项立项结果改变：b0 将可立项；b2 将不能立项。"


def test_the_method_stays_when_an_expert_leaves() -> None:
    """Five ballots, one of each end dropped; with one expert out the others are still trimmed by one and one, down to what is left."""
    totals = {"e0": D(10), "e1": D(60), "e2": D(70), "e3": D(80), "e4": D(100)}
    ballots = [Ballot("b", e, t, {}) for e, t in totals.items()]
    bench = Bench(ballots, TERMS, (), {"b": D(70)}, {"b": 1}, fund_line(places=1), frozenset({"b"}))
    seen: list[list[tuple[str, Decimal]]] = []
    spied = Bench(**{**bench.__dict__, "fund": lambda order: seen.append(list(order)) or frozenset({"b"})})  # type: ignore[arg-type]
    assert len(list(spied.experts())) == 5
    assert seen[0] == [("b", D("75.00"))]  # without 10: of 60 70 80 100 the middle two
    assert totals_of(ballots) == {"b": {"": totals}}


def test_other_parts_of_the_score_move_the_intervals_but_not_the_strictness() -> None:
    plain, mixed = told(panel()), analyse(
        panel(), terms=Terms(Trim(1, 1, 5), experts_weight=D(60), others={"b00": D(40), "b01": D(0)}), criteria=SHEET, fund=fund_line(places=4)
    )  # fmt: skip
    first = {b.bid: b for b in mixed.bids}
    assert first["b00"].calibrated is not None
    assert (
        first["b00"].calibrated == (next(b.calibrated for b in plain.bids if b.bid == "b00") * D("0.6")).quantize(D("0.01")) + 40
    )  # type: ignore[operator]
    assert [e.strictness for e in plain.experts] == [e.strictness for e in mixed.experts]
    assert first["b00"].rank == 1


def test_official_results_are_taken_as_given() -> None:
    given = {f"b{n:02}": Official(D(50 + n), 12 - n) for n in range(12)}
    found = told(panel(), official=given)
    assert {b.bid: (b.official, b.rank) for b in found.bids} == {k: (v.score, v.rank) for k, v in given.items()}
    assert [b.bid for b in found.bids if b.funded] == ["b08", "b09", "b10", "b11"]


def test_five_numbers_by_hand() -> None:
    assert five_numbers([D(1), D(2), D(4), D(8)]) == (D("1.00"), D("1.75"), D("3.00"), D("5.00"), D("8.00"))


def test_a_histogram_counts_tenths_and_the_top_belongs_to_the_last() -> None:
    marks = ["0", "3.99", "4", "40", "36", "20"]
    found = told([Ballot(f"b{n}", "e", D(m) + 30, {"need": D(m), "plan": D(30)}) for n, m in enumerate(marks)])
    assert found.criteria[0].counts == (2, 1, 0, 0, 0, 1, 0, 0, 0, 2)
    assert found.criteria[0].mean == D("17.33")


def test_where_calibrated_is_official_the_variants_start_from_it() -> None:
    """Each expert left out and each weight moved is compared with totals less strictness; the trimmed mean is then a variant like others."""
    ballots = panel()
    totals: dict[str, dict[str, Decimal]] = {}
    for b in ballots:
        totals.setdefault(b.bid, {})[b.expert] = b.total
    off = strictness(totals)
    scores = {
        b: panel_score({e: calibrated(t, off[e]) for e, t in own.items()}, Trim(1, 1, 5)).value for b, own in totals.items()
    }
    order = sorted(scores, key=lambda b: (-scores[b], b))
    found = told(ballots, official={b: Official(scores[b], order.index(b) + 1) for b in order}, rule="calibrated")
    seen: list[dict[str, Decimal]] = []
    bench = Bench(ballots, TERMS, SHEET, scores, {b: order.index(b) + 1 for b in order}, lambda rows: seen.append(dict(rows)) or frozenset(), frozenset(),
                  {("", e): points for e, points in off.items()})  # fmt: skip  # type: ignore[arg-type]
    list(bench.experts())
    touched = {b.bid for b in ballots if b.expert == "e0"}
    assert all(seen[0][b] == scores[b] for b in scores.keys() - touched)
    assert found.rule == "calibrated"
    assert sum(b.funded for b in found.bids) == 4


def test_a_weight_is_moved_for_the_ballots_whose_sheet_has_the_criterion() -> None:
    """Two sheets, 60+40 and 20+80 points: +10 % of x.need (66/34) moves only x's bids, by hand: 30/60·66 + 40/40·34 = 67; y's 90 stays."""
    x, y = (Criterion("x.need", "需求", D(60)), Criterion("x.plan", "方案", D(40))), (Criterion("y.need", "需求", D(20)), Criterion("y.plan", "方案", D(80)))
    ballots = [
        Ballot("a", "e1", D(70), {"x.need": D(30), "x.plan": D(40)}), Ballot("b", "e1", D(90), {"y.need": D(10), "y.plan": D(80)}),
    ]  # fmt: skip
    seen: list[dict[str, Decimal]] = []
    bench = Bench(ballots, Terms(Trim()), (*x, *y), {"a": D(70), "b": D(90)}, {"b": 1, "a": 2}, lambda rows: seen.append(dict(rows)) or frozenset(), frozenset())  # type: ignore[func-returns-value]
    assert [(r.what, r.step) for r in bench.weights()] == [(c.code, step) for c in (*x, *y) for step in (10, -10)]
    assert seen[0] == {"a": D("67.00"), "b": D("90.00")}
    assert seen[4] == {"a": D("70.00"), "b": D("89.00")}, "10/20·22 + 80/80·78"
    half = [*ballots, Ballot("c", "e1", D(10), {"x.need": D(10)})]
    assert list(replace(bench, ballots=half).weights()) == [], "a ballot without its whole sheet has no weighted total"
