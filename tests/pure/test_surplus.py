"""结余: the surplus of the sample calls, to the fen, and its way back to the sources."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.funding.surplus import SpendLine, SurplusRefused, return_by_source, surplus
from grants.money import NotMoney, total

D = Decimal


amounts = st.integers(0, 10**8).map(lambda n: D(n).scaleb(-2))


def test_the_surplus_of_the_sample_calls() -> None:
    """Paid 160,000.00; spent 156,739.60 within the lines: 3,260.40 goes back."""
    lines = [SpendLine("活动", D("100000.00"), D("96739.60")), SpendLine("人员", D("60000.00"), D("60000.00"))]
    outcome = surplus(lines, paid=D("160000.00"), award=D("200000.00"))
    assert (outcome.amount, outcome.still_due) == (D("3260.40"), D("0.00"))
    assert outcome.sentence == "累计拨付 ¥160,000.00，核定支出 ¥156,739.60，结余 ¥3,260.40，应予退回。"


def test_what_is_spent_over_a_line_does_not_count() -> None:
    line = SpendLine("活动", D("100.00"), D("130.00"))
    assert (line.eligible, line.excess) == (D("100.00"), D("30.00"))
    other = SpendLine("人员", D("100.00"), D("50.00"))
    assert surplus([line, other], paid=D("200.00"), award=D("200.00")).amount == D("50.00")


def test_more_spent_than_paid_leaves_something_due_up_to_the_award() -> None:
    outcome = surplus([SpendLine("活动", D("100.00"), D("100.00"))], paid=D("80.00"), award=D("100.00"))
    assert (outcome.amount, outcome.still_due) == (D("0.00"), D("20.00"))
    assert "没有结余" in outcome.sentence


@pytest.mark.parametrize(
    ("paid", "spent", "rule"), [("100.01", "0.00", "over_paid"), ("-0.01", "0.00", "negative"), ("1.00", "-1.00", "negative")]
)
def test_impossible_figures_are_refused(paid: str, spent: str, rule: str) -> None:
    with pytest.raises(SurplusRefused) as refusal:
        surplus([SpendLine("活动", D("1.00"), D(spent))], paid=D(paid), award=D("100.00"))
    assert refusal.value.rule == rule
    with pytest.raises(NotMoney):
        surplus([], paid=D("1.005"), award=D(100))


@given(st.lists(st.tuples(amounts, amounts), max_size=6), amounts, amounts)
def test_paid_always_equals_eligible_plus_surplus_less_due(rows: list[tuple[D, D]], paid: D, more: D) -> None:
    outcome = surplus([SpendLine("x", a, s) for a, s in rows], paid=paid, award=paid + more)
    assert outcome.paid == outcome.eligible + outcome.amount - outcome.still_due
    assert 0 <= outcome.amount <= paid
    assert outcome.amount == 0 or outcome.still_due == 0
    assert outcome.eligible + 0 <= paid + more


def test_the_refund_goes_back_in_proportion() -> None:
    paid = {"lottery": D("64000.00"), "foundation": D("48000.00"), "enterprise": D("48000.00")}
    assert return_by_source(D("3260.40"), paid, paid=D("160000.00")) == {
        "enterprise": D("978.12"), "foundation": D("978.12"), "lottery": D("1304.16"),
    }  # fmt: skip


@given(st.dictionaries(st.sampled_from("abcde"), amounts, min_size=1), st.integers(0, 10**6))
def test_refunds_add_up_and_no_source_gets_back_more_than_it_paid(paid: dict[str, D], part: int) -> None:
    whole = total(list(paid.values()))
    amount = (whole * part / 10**6).quantize(D("0.01"))
    back = return_by_source(amount, paid, paid=whole)
    assert total(list(back.values())) == amount
    assert all(0 <= back[s] <= paid[s] for s in paid)


@pytest.mark.parametrize(("amount", "paid", "rule"), [("1.00", "9.99", "sources"), ("10.01", "10.00", "too_much")])
def test_a_refund_that_does_not_tie_out_is_refused(amount: str, paid: str, rule: str) -> None:
    with pytest.raises(SurplusRefused) as refusal:
        return_by_source(D(amount), {"a": D("10.00")}, paid=D(paid))
    assert refusal.value.rule == rule
