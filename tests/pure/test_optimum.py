"""对照最优解: proven or not at all, exact against every subset, canonical, and never worse than the fund line."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grants.awards import solving
from grants.awards.allocation import Candidate, Category, FundSource, Rollover, SelectionRules, Track, WhenFull
from grants.awards.optimum import optimum
from grants.awards.selection import eligible, propose, with_lots
from grants.awards.selection_file import from_data, to_data
from grants.awards.solving import NONE, OPTIMAL, TIME, Answer, Model
from grants.desk.faces._json import Node
from grants.desk.faces.select import bids_of, rules_of
from grants.money import total

D = Decimal


def here(model: Model) -> Answer:
    """The worker's own function, without the process: fast enough for many small cases."""
    rows = [[low, high, list(p), list(v)] for low, high, p, v in model.rows]
    found = solving.answer(
        {
            "ones": model.ones,
            "free": model.free,
            "first": list(model.first),
            "second": list(model.second),
            "rows": rows,
            "seconds": 20.0,
        }
    )
    return Answer(found["status"], tuple(found["x"]))


@st.composite
def calls(draw: st.DrawFn) -> tuple[list[Candidate], SelectionRules]:
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(1, 60), st.sampled_from("ab"), st.sampled_from("XYZ"), st.integers(120, 190), st.sampled_from("NS")
            ),
            max_size=8,
        )
    )
    rows.sort(key=lambda r: -r[3])
    bids = [Candidate(f"B{n}", o, n, D(s) / 2, D(a * 1000), c, "", None, d) for n, (a, c, o, s, d) in enumerate(rows, start=1)]
    pool = D(draw(st.integers(0, 150)) * 1000)
    reserve = (pool * draw(st.integers(0, 10)) / 10).quantize(D("0.01"))
    return bids, SelectionRules(
        pool, (Category("a", "a", reserve=reserve, rollover=draw(st.sampled_from(list(Rollover)))),), pass_line=D(60),
        awards_per_organisation=draw(st.sampled_from([None, 1, 2])), awards_max=draw(st.sampled_from([None, 3])),
        district_cap=draw(st.sampled_from([None, D(60000)])), when_full=draw(st.sampled_from(list(WhenFull))),
        sources=draw(st.sampled_from([(), (FundSource("n", "窄", pool / 2, frozenset("a")), FundSource("w", "宽", pool / 2))])),
    )  # fmt: skip


def gain(chosen: list[tuple[Candidate, Decimal]], rules: SelectionRules) -> Fraction:
    return sum((Fraction(c.score - rules.pass_line) * Fraction(a) for c, a in chosen), Fraction(0))  # type: ignore[operator]


def allowed(chosen: list[tuple[Candidate, Decimal]], rules: SelectionRules, floor: Decimal) -> bool:
    """Every limit, written out a second time."""
    money = {c: total([a for b, a in chosen if b.category == c]) for c in "ab"}
    reserve = rules.categories[0].reserve or D(0)
    locked = max(reserve - money["a"], D(0)) if rules.categories[0].rollover is not Rollover.OTHERS else D(0)
    held = [b.organisation for b, _ in chosen]
    limits = [
        sum(money.values()) + locked <= rules.pool,
        money["a"] >= floor,
        rules.awards_max is None or len(chosen) <= rules.awards_max,
        rules.awards_per_organisation is None or all(held.count(o) <= rules.awards_per_organisation for o in held),
        rules.district_cap is None or all(total([a for b, a in chosen if b.district == d]) <= rules.district_cap for d in "NS"),
        not rules.sources or money["b"] <= rules.sources[1].amount,
    ]
    return all(limits)


@given(calls())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_it_is_the_best_of_all_subsets_and_canonical(case: tuple[list[Candidate], SelectionRules]) -> None:
    bids, rules = case
    proposal = propose(bids, rules)
    found = optimum(bids, rules, proposal, solver=here)
    assert found.status == OPTIMAL
    open_bids = eligible(bids, rules)
    floor = total([d.amount for d in proposal.decisions if d.rule == "awarded_reserved"])
    subsets = [list(s) for n in range(len(open_bids) + 1) for s in combinations(open_bids, n) if allowed(list(s), rules, floor)]
    best = max((gain(s, rules) for s in subsets), default=Fraction(0))
    last = max((b.place or 0 for b, _ in open_bids), default=0)
    weight = max(sum(last + 1 - (b.place or 0) for b, _ in s) for s in subsets if gain(s, rules) == best) if subsets else 0
    chosen = [(b, a) for b, a in open_bids if b.bid in found.funded]
    assert gain(chosen, rules) == best
    assert sum(last + 1 - (b.place or 0) for b, _ in chosen) == weight
    assert best >= gain([(b, a) for b, a in open_bids if b.bid in {d.bid for d in proposal.decisions if d.awarded}], rules)


BIDS = [
    Candidate("B1", "X", 1, D(90), D(60000)),
    Candidate("B2", "Y", 2, D(89), D(50000)),
    Candidate("B3", "Z", 3, D(88), D(50000)),
]
RULES = SelectionRules(D(100000), pass_line=D(60))


def test_the_difference_in_one_sentence_from_a_real_worker_process() -> None:
    """The best bid fills 60 of 100: 1 800 000; the two others fill all: 2 850 000. 36.84 % behind."""
    found = optimum(BIDS, RULES, propose(BIDS, RULES))
    assert (found.status, found.came, found.went, found.behind) == (OPTIMAL, ("B2", "B3"), ("B1",), D("36.84"))
    assert (found.line_value, found.value, found.awarded) == (D("1.8000"), D("2.8500"), D(100000))
    assert found.sentence_zh == (
        "立项建议按名次产生，比可证明的最优解低 36.84%；两者有 2 项和 1 项不同，仅供对照，不改变立项建议（最优解共资助 2 项、¥100,000.00）。"
    )
    assert found.data()["behind"] == "36.84"


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (Answer(TIME, (1, 1, 1)), TIME, "未能证明最优解"),
        (Answer(NONE), NONE, "未得到可核对的结果"),
        (Answer(OPTIMAL, (1, 1, 1)), NONE, "未得到可核对的结果"),
        (Answer(OPTIMAL, (1, 0)), NONE, "未得到可核对的结果"),
    ],
)
def test_what_is_not_proven_or_does_not_hold_is_never_shown(answer: Answer, status: str, words: str) -> None:
    """A solver stopped by the clock once “beat” the optimum; an answer over the pool is no answer either."""
    found = optimum(BIDS, RULES, propose(BIDS, RULES), solver=lambda _model: answer)
    assert (found.status, found.value, found.funded) == (status, None, ())
    assert words in found.sentence_zh


def test_a_time_limit_of_nothing_is_a_time_limit() -> None:
    assert solving.solve(Model(1, 0, [1], [1], []), seconds=0).status in (TIME, OPTIMAL)


def test_the_fund_line_can_be_the_optimum_itself() -> None:
    found = optimum(BIDS, replace(RULES, pool=D(160000)), propose(BIDS, replace(RULES, pool=D(160000))))
    assert found.sentence_zh.startswith("立项建议与可证明的最优解完全一致")
    assert (found.behind, found.came, found.went) == (D("0.00"), (), ())


def test_nothing_to_fund_needs_no_solver() -> None:
    found = optimum([], RULES, propose([], RULES), solver=lambda _model: pytest.fail("asked"))  # type: ignore[arg-type,return-value]
    assert found.sentence_zh == "没有可以资助的申报，无须对照。"


def test_a_district_has_its_ceiling() -> None:
    rules = SelectionRules(D(200000), district_cap=D(70000), tracks=(Track("t", "t"),))
    bids = [replace(b, district="云溪") for b in BIDS[:2]] + [replace(BIDS[2], district="望湖")]
    found = propose(bids, rules)
    assert [d.rule for d in found.decisions] == ["awarded", "ceiling", "awarded"]
    assert found.decisions[1].sentence == "不予立项：“云溪”额度 ¥70,000.00 已用 ¥60,000.00，剩余 ¥10,000.00，不足 ¥50,000.00。"


@given(calls())
def test_the_file_of_a_selection_is_read_back_the_same_by_the_check_and_by_the_command(
    case: tuple[list[Candidate], SelectionRules],
) -> None:
    bids, rules = case
    data = json.loads(json.dumps(to_data(bids, rules)))
    again, same = from_data(data)
    assert (sorted(again, key=lambda c: c.bid), same) == (sorted(bids, key=lambda c: c.bid), rules)
    assert (again, same) == (bids_of(Node(data["bids"], "bids")), rules_of(Node(data["rule"], "rule")))


def test_within_the_grey_band_a_public_lot_decides_and_is_said() -> None:
    """Three bids within a point of the last funded score; the others keep their places."""
    scores = ["90", "80", "79.5", "79.1", "78"]
    bids = [Candidate(f"B{n}", f"O{n}", n, D(s), D(100)) for n, s in enumerate(scores, start=1)]
    rules = SelectionRules(D(200), pass_line=D(60), grey_band=D(1))
    assert [c.lot for c in with_lots(bids, replace(rules, grey_band=None), b"seed")] == [None] * 5
    winners = set()
    for seed in (b"1", b"2", b"3", b"4", b"5", b"6"):
        drawn = with_lots(bids, rules, seed)
        assert sorted(c.lot for c in drawn if c.lot) == [1, 2, 3]
        found = propose(drawn, rules)
        assert found.decisions[0].bid == "B1"
        won = [d for d in found.decisions if d.awarded]
        assert len(won) == 2
        winners.add(won[1].bid)
        assert won[1].sentence.endswith("得分与资助线相差不超过 1 分，视为同等，公开抽签第 1 签。")
        assert found.decisions[4].bid == "B5"
        assert with_lots(list(reversed(bids)), rules, seed) == list(reversed(drawn))
    assert winners > {"B2"} or len(winners) > 1
