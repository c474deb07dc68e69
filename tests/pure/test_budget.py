"""预算: exactly at a limit is accepted, one fen over is refused, and every problem is told at once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.budget import BudgetLine, BudgetRules, CategoryRule, Source, check, totals
from grants.money import NotMoney

D = Decimal


RULES = BudgetRules(
    categories=(
        CategoryRule("activity", "活动费"),
        CategoryRule("personnel", "人员劳务", cap_share=D(40)),
        CategoryRule("management", "管理费", cap_share=D(8)),
        CategoryRule("expert", "专家费", cap_amount=D("10000.00")),
        CategoryRule("building", "基建", banned=True),
    ),
    cap=D("200000.00"),
    cap_share=D(60),
    match_share=D(40),
    in_kind_share=D(50),
    banned_items=("慰问品",),
)


def line(category: str, amount: str, source: Source = Source.GRANT, name: str = "费用") -> BudgetLine:
    return BudgetLine(category, name, D(amount), D(1), D(amount), source)


FULL = [
    line("activity", "104000.00"),
    line("personnel", "80000.00"),
    line("management", "16000.00"),
    line("activity", "66666.67", Source.MATCH_CASH),
    line("activity", "66666.67", Source.MATCH_IN_KIND),
]
"""200,000.00 asked of 333,333.34: every limit of the first sample call is reached and none passed."""


def rules_broken(lines: list[BudgetLine], rules: BudgetRules = RULES, asked: D | None = None) -> list[str]:
    return [p.rule for p in check(lines, rules, asked=asked).problems]


def test_a_budget_exactly_at_every_limit_is_accepted() -> None:
    report = check(FULL, RULES, asked=D("200000.00"))
    assert report.is_lawful
    assert (report.totals.grant, report.totals.match, report.totals.project) == (D("200000.00"), D("133333.34"), D("333333.34"))


def test_one_fen_over_the_cap_is_refused_with_the_figures_and_the_way_out() -> None:
    over = [replace(FULL[0], unit_price=D("104000.01"), amount=D("104000.01")), *FULL[1:]]
    problem = next(p for p in check(over, RULES).problems if p.rule == "cap")
    assert "¥200,000.01" in problem.sentence
    assert "超出 ¥0.01" in problem.sentence
    assert problem.row is None
    assert "¥0.01" in problem.way_out


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({1: "80000.01", 0: "103999.99"}, "category_share"),
        ({2: "16000.01", 0: "103999.99"}, "category_share"),
        ({3: "66666.66"}, "match_share"),
        ({4: "66666.69", 3: "66666.67"}, "in_kind_share"),
        ({3: "66666.65", 4: "66666.67"}, "in_kind_share"),
    ],
)
def test_one_fen_past_a_share_is_refused(change: dict[int, str], rule: str) -> None:
    lines = [replace(x, unit_price=D(change[i]), amount=D(change[i])) if i in change else x for i, x in enumerate(FULL)]
    assert rule in rules_broken(lines)


def test_a_category_amount_cap_is_exact_and_counts_grant_money_only() -> None:
    rules = BudgetRules(RULES.categories)
    assert rules_broken([line("expert", "10000.00")], rules) == []
    assert rules_broken([line("expert", "10000.01")], rules) == ["category_amount"]
    assert rules_broken([line("expert", "10000.00"), line("expert", "5.00", Source.MATCH_CASH)], rules) == []


def test_a_share_that_cannot_be_paid_to_the_fen_counts_down() -> None:
    """40 % of 0.99 is 0.396: 0.39 may be spent, 0.40 may not."""
    rules = BudgetRules(RULES.categories)
    assert rules_broken([line("personnel", "0.39"), line("activity", "0.60")], rules) == []
    assert rules_broken([line("personnel", "0.40"), line("activity", "0.59")], rules) == ["category_share"]


def test_banned_categories_and_items_bind_grant_money_only() -> None:
    rules = replace(RULES, cap_share=None, match_share=None, in_kind_share=None)
    assert rules_broken([line("building", "1.00")], rules) == ["banned_category"]
    assert rules_broken([line("activity", "1.00", name="节日慰问品")], rules) == ["banned_item"]
    own = [
        line("activity", "1.00"),
        line("building", "1.00", Source.MATCH_CASH),
        line("activity", "1.00", Source.MATCH_CASH, "慰问品"),
    ]
    assert rules_broken(own, rules) == []


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (BudgetLine("activity", "x", D("3.33"), D(3), D("10.00")), "product"),
        (BudgetLine("activity", "x", D("-1"), D(1), D("-1")), "not_positive"),
        (BudgetLine("activity", "x", D("1"), D(0), D("0")), "not_positive"),
        (BudgetLine("activity", "x", D("1.005"), D(2), D("2.01")), "not_money"),
        (BudgetLine("activity", "x", 0.1, D(1), 0.1), "not_money"),  # type: ignore[arg-type]
        (BudgetLine("activity", "x", D("NaN"), D(1), D("NaN")), "not_money"),
        (BudgetLine("holiday", "x", D(1), D(1), D(1)), "unknown_category"),
        (BudgetLine("activity", "  ", D(1), D(1), D(1)), "no_name"),
    ],
)
def test_each_bad_line_is_told_with_its_row(broken: BudgetLine, rule: str) -> None:
    problems = check([line("activity", "5.00"), broken], BudgetRules(RULES.categories)).problems
    assert rule in [p.rule for p in problems]
    assert all(p.row == 1 and "第 2 行" in p.sentence and p.way_out for p in problems)


def test_unit_price_times_quantity_is_rounded_half_up() -> None:
    rules = BudgetRules(RULES.categories)
    assert rules_broken([BudgetLine("activity", "x", D("0.33"), D("1.5"), D("0.50"))], rules) == []
    assert rules_broken([BudgetLine("activity", "x", D("0.33"), D("1.5"), D("0.49"))], rules) == ["product"]


def test_size_floor_and_asked_amount() -> None:
    rules = BudgetRules(RULES.categories, floor=D("100.00"), max_lines=1)
    assert rules_broken([], rules) == ["empty"]
    assert rules_broken([line("activity", "100.00")], rules, asked=D("100.01")) == ["asked"]
    assert rules_broken([line("activity", "99.99")], rules) == ["floor"]
    assert rules_broken([line("activity", "60.00"), line("activity", "60.00")], rules) == ["too_many_lines"]


def test_all_problems_come_at_once_rows_first() -> None:
    bad = [line("building", "300000.00", name="")]
    assert rules_broken(bad) == ["banned_category", "no_name", "cap", "cap_share", "match_share"]


money = st.integers(1, 3_000_000).map(lambda n: D(n).scaleb(-2))


@given(
    st.lists(
        st.tuples(st.sampled_from(["activity", "personnel", "management"]), money, st.sampled_from(list(Source))), max_size=6
    )
)
def test_totals_add_up_and_shares_agree_with_exact_fractions(rows: list[tuple[str, D, Source]]) -> None:
    lines = [BudgetLine(c, "x", a, D(1), a, s) for c, a, s in rows]
    report = check(lines, RULES)
    sums = report.totals
    assert sums.project == sum((a for _, a, _ in rows), D(0))
    assert sum(sums.by_category.values(), D(0)) == sums.grant
    broken = {p.rule for p in report.problems}
    assert ("cap_share" in broken) == (sums.grant * 100 > sums.project * 60)
    assert ("match_share" in broken) == (sums.match * 100 < sums.project * 40)
    assert ("in_kind_share" in broken) == (sums.match_in_kind * 100 > sums.match * 50)


def test_a_line_that_is_no_money_counts_as_zero_and_never_as_something() -> None:
    lines = [line("activity", "5.00"), BudgetLine("activity", "x", D("1.005"), D(1), D("1.005"))]
    assert totals(lines).grant == D("5.00")
    with pytest.raises(NotMoney):
        check(lines, RULES, asked=0.5)  # type: ignore[arg-type]
