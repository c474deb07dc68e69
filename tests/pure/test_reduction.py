"""核减: lines only fall, sums tie out, and people, goal and core service stay."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.awards.reduction import Core, ReducedLine, Target, check, pro_rata, spread
from grants.money import total

D = Decimal


CORE = Core(("独居老人", "失能老人"), ("降低跌倒率",), ("每周上门探访", "居家安全改造指导"))
LINES = [
    ReducedLine("activity", "活动物资", D("600.00"), D("500.00"), "按市价核减"),
    ReducedLine("personnel", "社工", D("400.00"), D("400.00")),
]


def broken(
    lines: list[ReducedLine] = LINES,
    award: str = "900.00",
    after: Core = CORE,
    targets: tuple[Target, ...] = (),
    consented: bool = False,
) -> list[str]:
    return [p.rule for p in check(lines, award=D(award), before=CORE, after=after, targets=targets, consented=consented).problems]


def test_a_reduction_that_ties_out_is_accepted() -> None:
    outcome = check(LINES, award=D("900.00"), before=CORE, after=CORE)
    assert (outcome.asked, outcome.agreed, outcome.cut, outcome.problems) == (D("1000.00"), D("900.00"), D("100.00"), ())


def test_one_fen_off_the_award_is_refused_with_the_gap() -> None:
    problem = check(LINES, award=D("899.99"), before=CORE, after=CORE).problems[0]
    assert problem.rule == "total"
    assert "相差 ¥0.01" in problem.sentence


@pytest.mark.parametrize(
    ("line", "award", "rules"),
    [
        (ReducedLine("a", "x", D("100.00"), D("100.01")), "1000.01", ["raised", "over_asked"]),
        (ReducedLine("a", "x", D("100.00"), D("99.99")), "999.99", ["no_reason"]),
        (ReducedLine("a", "x", D("100.00"), D("-1.00"), "x"), "899.00", ["negative"]),
        (ReducedLine("a", "x", D("100.00"), D("1.005"), "x"), "900.00", ["not_money"]),
    ],
)
def test_each_bad_line_is_told_with_its_row(line: ReducedLine, award: str, rules: list[str]) -> None:
    problems = check([*LINES, line], award=D(award), before=CORE, after=CORE).problems
    assert problems[0].rule == rules[0]
    assert problems[0].row == 2
    assert "第 3 行" in problems[0].sentence
    assert "over_asked" not in rules or "over_asked" in broken([replace(line, agreed=D("100.01"))], "100.01")


def test_nothing_agreed_is_no_award() -> None:
    assert "nothing" in broken([ReducedLine("a", "x", D("1.00"), D("0.00"), "x")], "0.00")


@pytest.mark.parametrize(
    ("after", "rule"),
    [
        (replace(CORE, people=("独居老人",)), "people"), (replace(CORE, goals=("提升满意度",)), "goals"),
        (replace(CORE, services=("每月上门探访", "居家安全改造指导")), "services"), (replace(CORE, people=()), "people"),
    ],
)  # fmt: skip
def test_each_of_the_three_must_stay(after: Core, rule: str) -> None:
    assert broken(after=after) == [rule]


def test_order_width_and_spaces_are_no_change() -> None:
    assert broken(after=Core(("失能 老人", "独居老人"), ("降低跌倒率 ",), ("居家安全改造指导", "每周上门探访"))) == []


def test_targets_fall_in_proportion_and_only_with_consent() -> None:
    """900 of 1,000: 123 people may fall to 111 (110.7 rounded up), not to 110."""
    fall = Target("persons", "受益人数", 123, 111)
    assert broken(targets=(fall,)) == ["kpi_consent"]
    assert broken(targets=(fall,), consented=True) == []
    assert broken(targets=(replace(fall, after=110),), consented=True) == ["kpi_floor"]
    assert broken(targets=(replace(fall, after=124),), consented=True) == ["kpi_raised"]
    assert broken(targets=(replace(fall, after=None),), consented=True) == ["kpi_gone"]
    assert broken(targets=(replace(fall, after=123),)) == []


def test_pro_rata_rounds_up_and_never_over_the_target() -> None:
    assert (pro_rata(123, D(1000), D(900)), pro_rata(10, D(3), D(1)), pro_rata(10, D(3), D(9))) == (111, 4, 10)
    with pytest.raises(ValueError, match="nothing"):
        pro_rata(1, D(0), D(0))


amounts = st.integers(1, 10**7).map(lambda n: D(n).scaleb(-2))


@given(st.lists(amounts, min_size=1, max_size=8), st.integers(1, 10**6))
def test_a_proportional_cut_is_accepted_as_it_stands(asked: list[D], part: int) -> None:
    award = min((total(asked) * part / 10**6).quantize(D("0.01")) + D("0.01"), total(asked))
    lines = spread([ReducedLine("a", f"行{n}", a, a) for n, a in enumerate(asked)], award, reason="同比例核减")
    assert broken(lines, str(award)) == []
    assert all(line.agreed <= line.asked for line in lines)


def test_more_than_was_asked_cannot_be_spread() -> None:
    with pytest.raises(ValueError, match="spread"):
        spread(LINES, D("1000.01"), reason="x")
