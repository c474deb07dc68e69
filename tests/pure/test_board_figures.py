"""The board's figures: what leaving one expert out would do, and which bids are near the line."""

from __future__ import annotations

from decimal import Decimal

from grants.awards.board_figures import dots, near_the_line, sway


def explanation(*totals: str, dropped: tuple[str, ...] = (), weight: str = "100", experts: str = "100") -> dict[str, object]:
    ballots = [{"expert": f"E{n}", "total": t, "dropped": "high" if t in dropped else ""} for n, t in enumerate(totals)]
    return {"stages": [{"weight": weight, "ballots": ballots}], "parts": [{"code": "experts", "weight": experts}]}


def test_one_harsh_expert_left_out_moves_the_score_by_hand_reckoning() -> None:
    """90, 90, 60: mean 80; without the 60 it is 90, without a 90 it is 75."""
    assert sway(explanation("90", "90", "60"), Decimal(80)) == (Decimal(75), Decimal(90))


def test_dropped_ballots_move_nothing_and_weights_damp() -> None:
    """A ballot the trimming dropped cannot matter; at half the weight the move is half."""
    assert sway(explanation("80", "80", "99", dropped=("99",)), Decimal(80)) == (Decimal(80), Decimal(80))
    assert sway(explanation("90", "90", "60", weight="50"), Decimal(80)) == (Decimal("77.5"), Decimal(85))
    assert sway(explanation("90", "90", "60", experts="50"), Decimal(80)) == (Decimal("77.5"), Decimal(85))
    assert sway(explanation("90"), Decimal(90)) == (Decimal(90), Decimal(90))
    assert [d.dropped for d in dots(explanation("80", "99", dropped=("99",)))] == [False, True]


def test_near_means_that_sides_could_change() -> None:
    scores = {"a": Decimal(90), "b": Decimal(80), "c": Decimal(79), "d": Decimal(60)}
    inside = [("a", Decimal(88), Decimal(92)), ("b", Decimal(78), Decimal(82))]
    outside = [("c", Decimal(76), Decimal(81)), ("d", Decimal(58), Decimal(62))]
    assert near_the_line(inside, outside, scores) == {"b", "c"}
    assert near_the_line(inside, [], scores) == set()
