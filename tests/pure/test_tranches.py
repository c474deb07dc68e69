"""分期: sums are exact to the fen in every direction; the payment clock counts to the day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grants.funding.tranches import AwardMoney, SourceMoney, SplitRefused, finance, matrix, payment_clock, split
from grants.money import NotMoney, total

D = Decimal


amounts = st.integers(1, 10**10).map(lambda n: D(n).scaleb(-2))


@pytest.mark.parametrize(
    ("amount", "percents", "parts"),
    [
        ("200000.00", (50, 30, 20), ("100000.00", "60000.00", "40000.00")),
        ("10000.01", (50, 30, 20), ("5000.01", "3000.00", "2000.00")),
        ("100.00", ("33.33", "33.33", "33.34"), ("33.33", "33.33", "33.34")),
        ("0.02", (25, 25, 25, 25), ("0.01", "0.01", "0.00", "0.00")),
        ("4999.99", (70, 30), ("3499.99", "1500.00")),
        ("5000.00", (100,), ("5000.00",)),
    ],
)
def test_tranches_by_hand(amount: str, percents: tuple[object, ...], parts: tuple[str, ...]) -> None:
    assert split(D(amount), [D(str(p)) for p in percents]) == tuple(D(p) for p in parts)


@st.composite
def percents(draw: st.DrawFn) -> list[D]:
    cuts = sorted(draw(st.sets(st.integers(1, 9999), max_size=5)))
    return [D(b - a).scaleb(-2) for a, b in zip([0, *cuts], [*cuts, 10000], strict=True)]


@given(amounts, percents())
@example(D("6.82"), [D("0.22"), D("0.22"), D("99.49"), D("0.07")])  # three halves rounded up would leave the last one −0.01
def test_tranches_add_up_none_is_negative_and_all_but_the_last_are_half_up(amount: D, shares: list[D]) -> None:
    """Half up wherever that leaves something for the last; where it does not, still exact to the fen and nobody below zero."""
    parts = split(amount, shares)
    assert total(parts) == amount
    assert all(p >= 0 and p == p.quantize(D("0.01")) for p in parts)
    rounded = [(amount * s / 100).quantize(D("0.01"), ROUND_HALF_UP) for s in shares[:-1]]
    if sum(rounded) <= amount:
        assert list(parts[:-1]) == rounded


@pytest.mark.parametrize(
    ("amount", "shares", "rule"),
    [
        ("1.00", [], "no_tranches"),
        ("1.00", [D("50")], "percents"),
        ("1.00", [D(100), D(0)], "percent"),
        ("0.00", [D(100)], "amount"),
        ("-1.00", [D(100)], "amount"),
    ],
)
def test_a_plan_that_does_not_add_up_is_refused(amount: str, shares: list[D], rule: str) -> None:
    with pytest.raises(SplitRefused) as refusal:
        split(D(amount), shares)
    assert refusal.value.rule == rule


def test_an_amount_finer_than_the_fen_is_refused() -> None:
    with pytest.raises(NotMoney):
        split(D("1.005"), [D(100)])


def test_a_matrix_by_hand() -> None:
    """30/50/20 of ¥100,000.00 from two sources."""
    rows = split(D("100000.00"), [D(30), D(50), D(20)])
    assert matrix(rows, [D("40000.00"), D("60000.00")]) == (
        (D("12000.00"), D("18000.00")), (D("20000.00"), D("30000.00")), (D("8000.00"), D("12000.00")),
    )  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[D], list[D]]:
    rows = draw(st.lists(st.integers(0, 10**9), min_size=1, max_size=5))
    whole = sum(rows)
    cuts = sorted(draw(st.lists(st.integers(0, whole), max_size=4)))
    columns = [b - a for a, b in zip([0, *cuts], [*cuts, whole], strict=True)]
    return [D(r).scaleb(-2) for r in rows], [D(c).scaleb(-2) for c in columns]


@given(tables())
def test_every_row_and_column_ties_out_and_every_cell_is_fair_to_the_fen(case: tuple[list[D], list[D]]) -> None:
    rows, columns = case
    cells = matrix(rows, columns)
    assert [total(row) for row in cells] == rows
    assert [total([row[j] for row in cells]) for j in range(len(columns))] == columns
    assert cells == matrix(rows, columns)
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            assert cell >= 0
            if total(rows):
                assert abs(cell - rows[i] * columns[j] / total(rows)) < D("0.01") + D("1e-12")


def test_sums_that_differ_by_a_fen_are_refused() -> None:
    with pytest.raises(SplitRefused, match=r"相差 ¥0\.01"):
        matrix([D("1.00")], [D("0.99")])
    with pytest.raises(SplitRefused, match="不能为负"):
        matrix([D("1.00"), D("-1.00")], [D("0.00")])


SOURCES = [SourceMoney("lottery", D("400.00"), frozenset({"old"})), SourceMoney("fiscal", D("600.00"))]


def test_awards_are_financed_whole_within_the_purposes_of_each_source() -> None:
    awards = [AwardMoney("A", "old", D("500.00")), AwardMoney("B", "art", D("500.00"))]
    assert finance(awards, SOURCES) == {"A": {"lottery": D("400.00"), "fiscal": D("100.00")}, "B": {"fiscal": D("500.00")}}


def test_money_for_another_purpose_does_not_help() -> None:
    with pytest.raises(SplitRefused, match=r"缺 ¥0\.01"):
        finance([AwardMoney("A", "art", D("600.01"))], SOURCES)


@given(st.lists(st.tuples(amounts, st.sampled_from(["old", "art"])), max_size=6))
def test_financing_ties_out_or_is_truly_impossible(rows: list[tuple[D, str]]) -> None:
    awards = [AwardMoney(f"A{n}", c, a) for n, (a, c) in enumerate(rows)]
    sources = [SourceMoney("lottery", D("30000000.00"), frozenset({"old"})), SourceMoney("fiscal", D("60000000.00"))]
    everything, art = total([a.amount for a in awards]), total([a.amount for a in awards if a.category == "art"])
    try:
        split_up = finance(awards, sources)
    except SplitRefused:
        assert everything > D("90000000.00") or art > D("60000000.00")
        return
    assert all(total(list(split_up[a.code].values())) == a.amount for a in awards)
    for source in sources:
        assert total([cells.get(source.code, D(0)) for cells in split_up.values()]) <= source.amount
    assert not any("lottery" in split_up[a.code] for a in awards if a.category == "art")


ASKED = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("today", "facts", "rule", "due", "late"),
    [
        (date(2026, 6, 30), {}, "running", date(2026, 7, 1), 0),
        (date(2026, 7, 1), {}, "today", date(2026, 7, 1), 0),
        (date(2026, 7, 2), {}, "late", date(2026, 7, 1), 1),
        (date(2026, 8, 1), {"paid_on": date(2026, 7, 1)}, "paid", date(2026, 7, 1), 0),
        (date(2026, 8, 1), {"paid_on": date(2026, 7, 11)}, "paid_late", date(2026, 7, 1), 10),
        (date(2026, 6, 5), {"inspect_within": 10}, "waiting", None, 0),
        (date(2026, 7, 12), {"inspect_within": 10}, "late", date(2026, 7, 11), 1),
        (date(2026, 6, 6), {"inspect_within": 10, "inspected_on": date(2026, 6, 5)}, "running", date(2026, 7, 5), 0),
        (date(2026, 7, 1), {"inspect_within": 10, "inspected_on": date(2026, 6, 30)}, "running", date(2026, 7, 11), 0),
        (date(2026, 7, 1), {"inspected_on": date(2026, 6, 10)}, "running", date(2026, 7, 10), 0),
    ],
)
def test_the_payment_clock(today: date, facts: dict[str, object], rule: str, due: date | None, late: int) -> None:
    clock = payment_clock(ASKED, today=today, pay_within=30, **facts)  # type: ignore[arg-type]
    assert (clock.rule, clock.due_on, clock.days_late) == (rule, due, late)
    assert clock.sentence


def test_the_clock_counts_in_the_days_it_is_given() -> None:
    clock = payment_clock(ASKED, today=ASKED, pay_within=15, add_days=lambda start, n: start + timedelta(days=2 * n))
    assert clock.due_on == date(2026, 7, 1)
