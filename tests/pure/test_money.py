"""Money is exact: floats never enter, splits add up to the fen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.money import NotMoney, apportion, ceiling, exact, fen, floor, number, percent_text, total, yuan

D = Decimal


amounts = st.integers(0, 10**12).map(lambda n: D(n).scaleb(-2))


@pytest.mark.parametrize("value", [0.1, True, None, "abc", D("NaN"), D("Infinity"), [1]])
def test_what_is_not_an_exact_number_is_refused(value: object) -> None:
    with pytest.raises(NotMoney) as refusal:
        number(value)
    assert refusal.value.sentence


@pytest.mark.parametrize(
    ("raw", "rounded"), [("0.005", "0.01"), ("0.0049", "0.00"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("1", "1.00")]
)
def test_fen_rounds_half_up_not_to_even(raw: str, rounded: str) -> None:
    assert str(fen(raw)) == rounded


def test_an_entered_amount_is_never_rounded() -> None:
    assert exact("12.30") == D("12.30")
    with pytest.raises(NotMoney, match="一分"):
        exact("12.305")


def test_floor_and_ceiling_say_what_a_share_really_allows() -> None:
    assert (floor(D("15999.9992")), ceiling(D("15999.9912"))) == (D("15999.99"), D("16000.00"))
    assert floor(D("5.00")) == ceiling(D("5.00")) == D("5.00")


def test_amounts_are_shown_with_separators_and_two_places() -> None:
    assert (yuan(D("3260.4")), yuan(D("-0.5")), yuan(D(0))) == ("¥3,260.40", "-¥0.50", "¥0.00")
    assert (percent_text(D("40.00")), percent_text(D("33.333")), percent_text(D(100))) == ("40%", "33.33%", "100%")


@given(amounts, st.lists(amounts, min_size=1, max_size=6))
def test_apportioned_parts_add_up_and_stay_within_a_fen_of_their_share(amount: D, weights: list[D]) -> None:
    if not total(weights):
        with pytest.raises(ValueError, match="weights"):
            apportion(amount, weights)
        return
    parts = apportion(amount, weights)
    assert total(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        share = amount * weight / total(weights)
        assert abs(part - share) < D("0.01") + D("1e-9")


def test_equal_remainders_go_to_the_earlier_position() -> None:
    assert apportion(D("0.02"), [D(1), D(1), D(1)]) == (D("0.01"), D("0.01"), D("0.00"))
    with pytest.raises(ValueError, match="weights"):
        apportion(D(1), [D(2), D(-1)])
