"""契合度: a sum of what was declared; unknown is neither bad nor good, and no wish outweighs a field."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.affinity import affinity


@pytest.mark.parametrize(
    ("fields", "wanted", "skilled", "wish", "figure"),
    [
        (["为老服务"], ["elder|为老"], True, Fraction(1), 1000),
        (["为老"], ["elder|为老服务"], True, Fraction(1, 2), 950),
        (["助残"], ["elder|为老服务"], True, Fraction(1, 2), 250),
        ([], ["elder|为老服务"], True, Fraction(1, 2), 600),
        (["为老"], [], False, Fraction(1, 2), 500),
        (["ＥＬＤＥＲ "], ["elder|为老服务"], False, Fraction(0), 800),
        (["为老"], ["为老", "助残"], True, Fraction(0), 550),
    ],
)
def test_worked_examples(fields: list[str], wanted: list[str], skilled: bool, wish: Fraction, figure: int) -> None:
    assert affinity(fields, wanted, skilled=skilled, wish=wish).affinity == figure


def test_unknown_is_said_and_lies_between_bad_and_good() -> None:
    bad, unknown, good = (affinity(fields, ["为老"], skilled=True) for fields in (["助残"], [], ["为老"]))
    assert (bad.unknown, unknown.unknown, good.unknown) == (False, True, False)
    assert bad.affinity < unknown.affinity < good.affinity


@given(st.booleans(), st.booleans(), st.fractions(0, 1), st.fractions(0, 1))
def test_no_wish_outweighs_a_field(skilled: bool, other: bool, wish: Fraction, rival: Fraction) -> None:
    assert affinity(["为老"], ["为老"], skilled=skilled, wish=wish).affinity > affinity(["助残"], ["为老"], skilled=other, wish=rival).affinity
    assert 1 <= affinity(["助残"], ["为老"], skilled=skilled, wish=wish).affinity <= 1000


def test_a_wish_is_a_share() -> None:
    with pytest.raises(ValueError, match="wish"):
        affinity([], [], skilled=True, wish=Fraction(3, 2))
