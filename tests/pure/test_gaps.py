"""需求与供给 on one grid: every fact counted once, every hole found, shares of projects and money."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.desk.square.gaps import NeedFact, State, SupplyFact, matrix, percent

D = Decimal

FIELDS = ("arts", "elderly", "medical", "legal", "hospice")
ALL = "全区"


def grid(needs: list[NeedFact], supply: list[SupplyFact], **more: object):  # type: ignore[no-untyped-def]
    return matrix(needs, supply, fields=FIELDS, everywhere=ALL, **more)  # type: ignore[arg-type]


def test_the_seed_story_of_51_projects_names_the_three_fields_that_nobody_serves() -> None:
    """24 of 51 are arts and sports; medical care, legal aid and hospice are needed and have none."""
    supply = [SupplyFact("arts", ALL, f"a{n}", D(1000)) for n in range(24)] + [
        SupplyFact("elderly", ALL, f"e{n}", D(1000)) for n in range(27)
    ]
    needs = [
        NeedFact("medical", "望湖街道", 120),
        NeedFact("legal", "青禾街道", 60),
        NeedFact("hospice", "望湖街道", 15),
        NeedFact("elderly", "望湖街道", 9),
    ]
    found = grid(needs, supply)
    assert [row.field for row in found.unserved] == ["medical", "legal", "hospice"]
    assert next(row.share for row in found.rows if row.field == "arts") == D("47.1")
    assert found.total.awards == 51
    assert found.holes[0][:2] == ("medical", "望湖街道")


def test_a_cell_tells_local_supply_from_district_wide_and_from_none() -> None:
    needs = [
        NeedFact("medical", "甲街道", 5),
        NeedFact("elderly", "甲街道", 5),
        NeedFact("elderly", "乙街道", 5),
        NeedFact("arts", ALL, 3),
    ]
    supply = [
        SupplyFact("elderly", ALL, "x", D(10)),
        SupplyFact("elderly", "乙街道", "y", D(20)),
        SupplyFact("legal", "乙街道", "y", D(5)),
    ]
    found = grid(needs, supply)
    state = {(row.field, street): cell.state for row in found.rows for street, cell in zip(found.streets, row.cells, strict=True)}
    assert state["medical", "甲街道"] is State.GAP
    assert state["elderly", "甲街道"] is State.WIDE
    assert state["elderly", "乙街道"] is State.SERVED
    assert state["legal", "乙街道"] is State.SUPPLY
    assert state["hospice", "甲街道"] is State.NOTHING
    assert state["arts", ALL] is State.GAP, "a need of the whole district is no supply of itself"
    assert found.streets[-1] == ALL


def test_an_organisation_with_two_projects_in_a_cell_is_one_organisation() -> None:
    cell = grid([], [SupplyFact("arts", "甲街道", "x", D(10)), SupplyFact("arts", "甲街道", "x", D("0.50"))]).rows[0].cells[0]
    assert (cell.organisations, cell.awards, cell.amount) == (1, 2, D("10.50"))


def test_a_fact_of_an_unknown_field_is_refused_rather_than_lost() -> None:
    with pytest.raises(LookupError, match="astronomy"):
        grid([NeedFact("astronomy", "甲街道", 1)], [])
    with pytest.raises(LookupError, match="astronomy"):
        grid([], [], registered={"astronomy": 2})


def test_the_field_most_organisations_name_is_told_beside_the_field_with_most_projects() -> None:
    """Nine of 24 organisations do arts and sports, whatever was funded."""
    found = grid([], [SupplyFact("elderly", ALL, "x", D(1))], registered={"arts": 9, "elderly": 1, "legal": 1})
    assert found.crowded is not None
    assert found.largest is not None
    assert (found.crowded.field, found.crowded.registered, found.registered) == ("arts", 9, 11)
    assert found.largest.field == "elderly"


def test_nothing_at_all_is_a_grid_too() -> None:
    found = grid([], [])
    assert found.total.needs == found.total.awards == 0
    assert found.unserved == found.holes == ()
    assert found.largest is found.crowded is None
    assert percent(D(0), D(0)) == D("0.0")


FACT = st.tuples(st.sampled_from(FIELDS), st.sampled_from(("甲街道", "乙街道", ALL)), st.integers(1, 500))


@given(
    st.lists(FACT),
    st.lists(
        st.tuples(
            st.sampled_from(FIELDS), st.sampled_from(("甲街道", "丙镇", ALL)), st.sampled_from("xyz"), st.integers(1, 10**9)
        )
    ),
)
def test_every_need_person_project_and_fen_is_in_the_grid_exactly_once(asked: list, given_: list) -> None:
    """Rows, columns and total add up, whatever comes."""
    needs = [NeedFact(*fact) for fact in asked]
    supply = [SupplyFact(f, s, o, D(fen) / 100) for f, s, o, fen in given_]
    found = grid(needs, supply)
    cells = [cell for row in found.rows for cell in row.cells]
    for sums in (cells, found.columns, [row.total for row in found.rows], [found.total]):
        assert sum(c.needs for c in sums) == len(needs)
        assert sum(c.people for c in sums) == sum(n.people for n in needs)
        assert sum(c.awards for c in sums) == len(supply)
        assert sum(c.amount for c in sums) == sum(s.amount for s in supply)
