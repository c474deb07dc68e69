"""Expected reliability and load: more experts are never less reliable, never less work, and the figures are those of the formula."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.calls.rulebook.expectation import reliability_with, sizes
from review.calibration.reliability import needed

RHO = st.decimals(min_value="0.01", max_value="0.99", places=3)


@pytest.mark.parametrize(("rho", "n", "expected"), [("0.390", 1, "0.390"), ("0.390", 3, "0.657"), ("0.390", 5, "0.762"), ("0.390", 7, "0.817"), ("0", 7, "0.000"), ("-0.2", 5, "0.000")])  # fmt: skip
def test_the_formula_of_spearman_and_brown(rho: str, n: int, expected: str) -> None:
    assert reliability_with(Decimal(rho), n) == Decimal(expected)


@given(RHO, st.integers(1, 30))
def test_more_experts_are_more_reliable_and_never_certain(rho: Decimal, n: int) -> None:
    assert reliability_with(rho, n) <= reliability_with(rho, n + 1) <= 1


@given(RHO)
def test_as_many_as_needed_reach_the_target_and_one_fewer_does_not(rho: Decimal) -> None:
    k = needed(rho, Decimal("0.80"))
    assert k is not None
    assert reliability_with(rho, k) >= Decimal("0.7995")
    assert k == 1 or reliability_with(rho, k - 1) < Decimal("0.8005")


@given(st.integers(0, 500), st.integers(1, 80), st.integers(1, 9))
def test_loads_cover_every_ballot(bids: int, experts: int, chosen: int) -> None:
    rows = sizes(Decimal("0.4"), bids, experts, chosen)
    assert [r.n for r in rows if r.chosen] == [chosen]
    for row in rows:
        assert row.load is not None
        assert row.ballots == bids * row.n <= row.load * experts < row.ballots + experts


def test_without_a_pool_there_is_no_load() -> None:
    assert [r.load for r in sizes(Decimal("0.4"), 10, 0, 5)] == [None] * 3
