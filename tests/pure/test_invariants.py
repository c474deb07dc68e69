"""账要平: a book that ties out is silent; every way of not tying out is told with its figures."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.funding.invariants import SENTENCES, AwardBook, CallBook, TrancheBook, check_award, check_call
from grants.funding.tranches import matrix, split
from grants.money import total

D = Decimal


GOOD = AwardBook(
    "A1", D("100.00"),
    (
        TrancheBook(1, D("60.00"), D("60.00"), D("60.00"), D("60.00"), ("K1",), {"l": D("40.00"), "f": D("20.00")}),
        TrancheBook(2, D("40.00"), by_source={"l": D("10.00"), "f": D("30.00")}),
    ),
    {"l": D("50.00"), "f": D("50.00")}, contract=D("100.00"), agreed_lines=(D("70.00"), D("30.00")),
    eligible=D("56.00"), surplus=D("4.00"), refunded=D("4.00"), is_closed=True,
)  # fmt: skip

CALL = CallBook("C", D("100.00"), {"l": D("50.00"), "f": D("60.00")}, (GOOD,))


def first(**more: object) -> tuple[TrancheBook, ...]:
    return (replace(GOOD.tranches[0], **more), GOOD.tranches[1])  # type: ignore[arg-type]


def test_a_book_that_ties_out_is_silent() -> None:
    assert check_call(CALL) == []


@pytest.mark.parametrize(
    ("book", "rules"),
    [
        (replace(GOOD, amount=D("100.01"), contract=D("100.01"), agreed_lines=None), {"tranches", "sources"}),
        (replace(GOOD, contract=D("99.99")), {"contract"}),
        (replace(GOOD, agreed_lines=(D("99.99"),)), {"lines"}),
        (replace(GOOD, tranches=first(by_source={"l": D("40.01"), "f": D("20.00")})), {"row", "column"}),
        (replace(GOOD, tranches=first(approved=D("60.01"))), {"approved"}),
        (replace(GOOD, tranches=first(approved=D("59.99"))), {"ordered"}),
        (replace(GOOD, tranches=first(ordered=D("59.99"))), {"paid"}),
        (
            replace(GOOD, tranches=first(paid=D("100.01"), ordered=D("100.01"), approved=D("100.01"))),
            {"approved", "overpaid", "surplus"},
        ),
        (replace(GOOD, tranches=first(orders=("K1", "K2"))), {"orders"}),
        (replace(GOOD, tranches=first(no=3)), {"numbers"}),
        (replace(GOOD, refunded=D("4.01")), {"refunded"}),
        (replace(GOOD, refunded=D("3.99")), {"not_settled"}),
        (replace(GOOD, surplus=D("3.99"), refunded=D("3.99")), {"surplus"}),
        (replace(GOOD, amount=D("-1.00")), {"not_money"}),
        (replace(GOOD, tranches=first(paid=D("1.005"))), {"not_money"}),
        (replace(GOOD, sources={"l": D("50.00"), "x": D("50.00")}), {"column"}),
    ],
)
def test_each_way_of_not_tying_out_is_named(book: AwardBook, rules: set[str]) -> None:
    found = check_award(book)
    assert {v.rule for v in found} == rules
    assert all(v.subject == "A1" and "%(" not in v.sentence for v in found)


@pytest.mark.parametrize(
    ("call", "rules"),
    [
        (replace(CALL, pool=D("99.99")), {"pool"}),
        (replace(CALL, sources={"l": D("49.99"), "f": D("60.00")}), {"source_over"}),
        (replace(CALL, sources={"l": D("50.00")}), {"source_unknown"}),
        (
            replace(CALL, pool=D("200.00"), sources={"l": D(100), "f": D(100)}, awards=(GOOD, replace(GOOD, code="A2"))),
            {"order_twice"},
        ),
        (replace(CALL, pool=D("200.00"), sources={"l": D(100), "f": D(100)}, awards=(GOOD, GOOD)), {"twice", "order_twice"}),
    ],
)
def test_a_call_is_checked_as_a_whole(call: CallBook, rules: set[str]) -> None:
    assert {v.rule for v in check_call(call)} == rules


def test_every_rule_has_a_case_above() -> None:
    """A rule nobody can break would be a test that cannot fail."""
    marks = [*test_each_way_of_not_tying_out_is_named.pytestmark, *test_a_call_is_checked_as_a_whole.pytestmark]  # type: ignore[attr-defined]
    covered = {rule for mark in marks for _, rules in mark.args[1] for rule in rules}
    assert covered == set(SENTENCES)


cents = st.integers(100, 10**8).map(lambda n: D(n).scaleb(-2))


@given(cents, st.integers(1, 99), st.integers(0, 100), st.integers(0, 3))
def test_what_the_splitting_functions_make_always_ties_out(amount: D, cut: int, share: int, paid: int) -> None:
    parts = split(amount, [D(cut), D(100 - cut)])
    lottery = (amount * share / 100).quantize(D("0.01"))
    columns = {"l": lottery, "f": amount - lottery}
    cells = matrix(parts, list(columns.values()))
    tranches = tuple(
        TrancheBook(n, p, p, p, p if n <= paid else D(0), (f"K{n}",), dict(zip(columns, row, strict=True)))
        for n, (p, row) in enumerate(zip(parts, cells, strict=True), start=1)
    )
    book = AwardBook("A", amount, tranches, columns, contract=amount)
    assert check_call(CallBook("C", amount, columns, (book,))) == []
    assert book.paid == total(parts[:paid])


@given(cents, st.sampled_from(["amount", "contract"]))
def test_a_single_fen_anywhere_is_noticed(amount: D, where: str) -> None:
    parts = split(amount, [D(50), D(50)])
    book = AwardBook("A", amount, tuple(TrancheBook(n, p) for n, p in enumerate(parts, start=1)), {"f": amount}, contract=amount)
    assert check_award(book) == []
    assert check_award(replace(book, **{where: amount + D("0.01")}))  # type: ignore[arg-type]
