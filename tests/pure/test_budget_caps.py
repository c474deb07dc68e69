"""The limits a budget page lists are exactly those the check judges by, to the fen."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bidding.budget import BudgetLine, BudgetRules, Cap, CategoryRule, Source, caps, check, totals

D = Decimal
RULES = BudgetRules(
    categories=(
        CategoryRule("staff", "人员费", cap_share=D("40")),
        CategoryRule("desk", "办公费", cap_share=D("33.33"), cap_amount=D("500.00")),
        CategoryRule("free", "活动费"),
        CategoryRule("gift", "礼品", banned=True),
    ),
    cap=D("200000.00"), floor=D("100.00"), cap_share=D("60"), match_share=D("40"), in_kind_share=D("50"),
)  # fmt: skip
JUDGED = {"cap", "floor", "cap_share", "match_share", "in_kind_share", "category_share", "category_amount"}

amounts = st.decimals(min_value=D("0.01"), max_value=D("150000"), places=2)
lines = st.lists(
    st.tuples(st.sampled_from(["staff", "desk", "free"]), amounts, st.sampled_from(list(Source))), min_size=1, max_size=6
)


def broken(cap: Cap, rows: list[BudgetLine]) -> bool:
    sums = totals(rows)
    return cap.now(sums) < cap.limit(sums) if cap.at_least else cap.now(sums) > cap.limit(sums)


@given(lines)
def test_a_limit_is_shown_as_broken_exactly_when_the_check_refuses_it(given_lines: list[tuple[str, Decimal, Source]]) -> None:
    rows = [BudgetLine(category, "x", amount, D(1), amount, source) for category, amount, source in given_lines]
    refused = [p for p in check(rows, RULES).problems if p.rule in JUDGED]
    shown = [cap for cap in caps(RULES) if broken(cap, rows)]
    if not totals(rows).grant:  # an empty grant is refused as such, and its floor is not asked
        shown = [cap for cap in shown if not (cap.measure == "grant" and cap.at_least)]
    assert len(shown) == len(refused)


def test_exactly_at_a_limit_stands_and_a_fen_over_does_not() -> None:
    def staff(amount: str) -> list[BudgetLine]:
        row = BudgetLine("staff", "督导", D(amount), D(1), D(amount))
        rest = D("200000.00") - D(amount)
        return [row, BudgetLine("free", "活动", rest, D(1), rest)]

    cap = next(c for c in caps(RULES) if c.category == "staff")
    assert not broken(cap, staff("80000.00"))
    assert broken(cap, staff("80000.01"))
    assert cap.limit(totals(staff("92000.00"))) == D("80000.00")


def test_only_limits_that_the_call_sets_are_listed_and_banned_categories_have_none() -> None:
    assert caps(BudgetRules(categories=(CategoryRule("gift", "礼品", cap_amount=D(1), banned=True),))) == ()
    assert [c.category for c in caps(RULES)] == ["", "", "", "", "", "staff", "desk", "desk"]
