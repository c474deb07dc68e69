"""Which ballots are asked about: the percentage of the call, and the residual once strictness is taken out."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from review.deviation import PERCENT, RESIDUAL, Row, deviating

TWENTY = Decimal(20)


def rows(table: dict[str, dict[str, str]], stage: str = "document") -> list[Row]:
    return [Row(bid, stage, expert, Decimal(total)) for bid, given in table.items() for expert, total in given.items()]


def even(n: int = 12) -> dict[str, dict[str, str]]:
    """n bids, five experts, bids of different worth, each expert a little off in turn."""
    return {f"B{b:02d}": {f"E{e}": f"{60 + 2 * b + (b * b + e * 3 + b * e) % 5 - 2}.00" for e in range(5)} for b in range(n)}


def test_an_even_panel_is_asked_nothing() -> None:
    assert deviating(rows(even()), percent=TWENTY) == {}


def test_a_strict_but_steady_expert_is_hit_by_the_residual_nowhere_although_far_from_every_mean() -> None:
    """Fifteen points below everybody on every bid: the percentage asks on most, the residual on none."""
    table = even()
    for marks in table.values():
        marks["E0"] = f"{Decimal(marks['E0']) - 15:.2f}"
    found = deviating(rows(table), percent=TWENTY)
    assert all(RESIDUAL not in rules for rules in found.values())


def test_a_single_ballot_that_breaks_its_experts_own_pattern_is_found_below_the_percentage() -> None:
    table = even()
    table["B05"]["E3"] = f"{Decimal(table['B05']['E3']) + 11:.2f}"
    assert deviating(rows(table), percent=TWENTY) == {("B05", "document", "E3"): (RESIDUAL,)}


def test_both_rules_are_named_and_stages_are_judged_apart() -> None:
    table = even()
    table["B05"]["E3"] = "20.00"
    found = deviating([*rows(table), *rows(even(), "oral")], percent=TWENTY)
    assert found[("B05", "document", "E3")] == (PERCENT, RESIDUAL)
    assert not [key for key in found if key[1] == "oral"]


def test_an_expert_with_few_bids_is_judged_by_the_percentage_alone() -> None:
    """Three bids: one ballot halved is found by the percentage, and nobody beside it is accused by the residual."""
    table = even(3)
    table["B01"]["E3"] = "30.00"
    assert deviating(rows(table), percent=TWENTY) == {("B01", "document", "E3"): (PERCENT,)}


def test_a_tiny_spread_raises_no_alarm_however_many_deviations_it_is() -> None:
    table = {f"B{b}": dict.fromkeys(("E0", "E1", "E2", "E3", "E4"), "80.00") for b in range(10)}
    for b in range(10):
        table[f"B{b}"]["E1"] = f"80.{b % 3}0"
    table["B4"]["E2"] = "83.00"
    assert deviating(rows(table), percent=TWENTY) == {}


@given(st.lists(st.lists(st.integers(0, 10000), min_size=1, max_size=6), min_size=1, max_size=8))
def test_any_panel_is_answered_and_only_with_its_own_ballots(totals: list[list[int]]) -> None:
    """One bid, one ballot each, all equal, all extremes: never an error, never a ballot that is not there."""
    given_rows = [
        Row(f"B{b}", "document", f"E{e}", Decimal(points).scaleb(-2))
        for b, row in enumerate(totals)
        for e, points in enumerate(row)
    ]
    found = deviating(given_rows, percent=TWENTY)
    assert found.keys() <= {(r.bid, r.stage, r.expert) for r in given_rows}
    assert found == deviating(list(reversed(given_rows)), percent=TWENTY)
