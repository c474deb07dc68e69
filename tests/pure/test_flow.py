"""资金流向: all four columns add up to the same sum, and no ribbon or box of the picture lies outside it."""

from __future__ import annotations

import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from grants.desk.square.drawing import TOP, WIDTH, grid, sankey
from grants.desk.square.flow import Path, flow

D = Decimal


def path(source: str, organisation: str, amount: str, call: str = "C1", field: str = "为老") -> Path:
    return Path(source, call, field, organisation, D(amount))


def test_two_sources_of_one_award_arrive_at_one_organisation() -> None:
    found = flow([path("福彩", "甲", "60.00"), path("基金会", "甲", "40.00"), path("福彩", "乙", "0.01")])
    assert [(n.name, n.amount) for n in found.columns[3]] == [("甲", D("100.00")), ("乙", D("0.01"))]
    assert found.total == D("100.01")
    assert found.ties_out


def test_small_organisations_become_one_stop_and_nothing_is_lost() -> None:
    found = flow([path("福彩", f"o{n:02d}", f"{n}.00") for n in range(1, 31)], most=5, others="其他")
    names = [n.name for n in found.columns[3]]
    assert names[0] == "其他"
    assert len(names) == 5
    assert {"o30", "o29", "o28", "o27"} < set(names)
    assert found.ties_out
    assert found.total == D(465)


def test_an_empty_flow_has_an_empty_picture() -> None:
    picture = sankey(flow([]))
    assert picture.boxes == picture.ribbons == ()
    assert flow([]).ties_out


NAME = st.sampled_from(["甲", "乙", "丙", "丁"])


@given(st.lists(st.tuples(NAME, NAME, NAME, st.text("abcdefgh", min_size=1, max_size=2), st.integers(0, 10**11)), max_size=60))
def test_every_fen_passes_every_column_and_the_picture_keeps_inside_its_frame(rows: list) -> None:
    found = flow([Path(s, c, f, o, D(fen) / 100) for s, c, f, o, fen in rows])
    assert found.ties_out
    assert found.total == sum((D(r[4]) / 100 for r in rows), D(0))
    picture = sankey(found)
    for box in picture.boxes:
        assert 0 <= box.x <= WIDTH
        assert box.y >= TOP
        assert box.y + box.height <= picture.height
    for ribbon in picture.ribbons:
        assert all(-1 <= float(n) <= max(WIDTH, picture.height) + 1 for n in re.findall(r"-?\d+\.\d+", ribbon.path))


def test_a_grid_has_a_square_for_every_cell_side_by_side() -> None:
    width, height, squares = grid(2, 3)
    assert [len(row) for row in squares] == [3, 3]
    assert squares[0][1].x >= squares[0][0].x + squares[0][0].width
    assert squares[1][0].y >= squares[0][0].y + squares[0][0].height
    assert squares[1][2].x + squares[1][2].width <= width
    assert squares[1][2].y + squares[1][2].height <= height
