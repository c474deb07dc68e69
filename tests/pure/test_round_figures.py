"""Figures of a round, checked against a second reckoning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.desk.round_figures import evenness, gini, median, share, spell, top_share

DAY_ONE = datetime(2026, 3, 1, tzinfo=UTC)
MONEY = st.lists(st.integers(0, 10_000_000).map(lambda fen: Decimal(fen) / 100), min_size=2, max_size=12)


def test_days_are_counted_from_both_ends_and_open_cases_are_none() -> None:
    pairs = [(DAY_ONE, DAY_ONE + timedelta(days=d)) for d in (1, 2, 9)]
    took = spell([*pairs, (DAY_ONE, None), (None, DAY_ONE), (DAY_ONE, DAY_ONE - timedelta(days=1))])
    assert (took.n, took.median, took.longest) == (3, Decimal("2.0"), Decimal("9.0"))
    assert spell([]).median is None


def test_the_median_of_an_even_number_is_the_mean_of_the_middle_two() -> None:
    assert median([Decimal(4), Decimal(1), Decimal(3), Decimal(2)]) == Decimal("2.5")
    with pytest.raises(ValueError, match="no median"):
        median([])


@given(MONEY)
def test_gini_agrees_with_the_mean_difference(amounts: list[Decimal]) -> None:
    """The textbook form: mean absolute difference over twice the mean."""
    found = gini(amounts)
    whole = sum(amounts)
    if not whole:
        assert found is None
        return
    apart = sum((abs(a - b) for a, b in product(amounts, amounts)), Decimal(0))
    assert found is not None
    assert abs(found - apart / (2 * len(amounts) * whole)) <= Decimal("0.005001")
    assert 0 <= found < 1


def test_who_has_all_and_who_has_the_same() -> None:
    assert gini([Decimal(5)] * 4) == Decimal("0.00")
    assert gini([Decimal(0)] * 9 + [Decimal(5)]) == Decimal("0.90")
    assert gini([Decimal(5)]) is None
    assert (evenness(Decimal("0.1")), evenness(Decimal("0.3")), evenness(Decimal("0.5")), evenness(None)) == (
        "even", "leaning", "concentrated", "unknown",
    )  # fmt: skip
    assert top_share([Decimal(n) for n in (50, 20, 10, 10, 5, 5)], 5) == Decimal("95.0")
    assert share(1, 0) is None
