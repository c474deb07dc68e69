"""供需地图: needs beside supply on one grid of service field × street; the empty cells are what the next call should be about. Pure.

A district whose 51 funded projects hold 24 of arts and sports and none of medical care, legal aid or hospice looks well supplied in
total. Only the grid shows the holes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from grants.money import ZERO


class State(StrEnum):
    """What a cell says. GAP: needed, and nobody funded; WIDE: needed, served only by projects of the whole district."""

    GAP = "gap"
    WIDE = "wide"
    SERVED = "served"
    SUPPLY = "supply"
    NOTHING = "nothing"


@dataclass(frozen=True)
class NeedFact:
    """One open need: field and street by code and name, how many people."""

    field: str
    street: str
    people: int


@dataclass(frozen=True)
class SupplyFact:
    """One funded project: where, in which field, by whom, 元."""

    field: str
    street: str
    organisation: str
    amount: Decimal


@dataclass(frozen=True)
class Cell:
    """One field in one street."""

    needs: int = 0
    people: int = 0
    organisations: int = 0
    awards: int = 0
    amount: Decimal = ZERO
    wide: int = 0

    @property
    def state(self) -> State:
        if self.needs and not self.awards:
            return State.WIDE if self.wide else State.GAP
        if self.needs:
            return State.SERVED
        return State.SUPPLY if self.awards else State.NOTHING


@dataclass(frozen=True)
class Row:
    """One field: its cells in the order of the streets, its total, and its share of projects and money in per cent."""

    field: str
    cells: tuple[Cell, ...]
    total: Cell
    registered: int
    share: Decimal
    money_share: Decimal


@dataclass(frozen=True)
class Matrix:
    """The grid. `streets` without the district-wide column come first, the district-wide one last."""

    streets: tuple[str, ...]
    rows: tuple[Row, ...]
    columns: tuple[Cell, ...]
    total: Cell
    registered: int

    @property
    def unserved(self) -> tuple[Row, ...]:
        """Fields that are needed and in which nobody is funded anywhere, most people first."""
        found = [row for row in self.rows if row.total.needs and not row.total.awards]
        return tuple(sorted(found, key=lambda row: (-row.total.people, row.field)))

    @property
    def holes(self) -> tuple[tuple[str, str, Cell], ...]:
        """(field, street, cell) of every gap, most people first."""
        found = [(row.field, street, cell) for row in self.rows for street, cell in zip(self.streets, row.cells, strict=True)]
        return tuple(sorted((hole for hole in found if hole[2].state is State.GAP), key=lambda hole: (-hole[2].people, hole[0], hole[1])))

    @property
    def largest(self) -> Row | None:
        """The field with most projects, when there are any."""
        return max(self.rows, key=lambda row: (row.total.awards, row.registered), default=None) if self.total.awards else None

    @property
    def crowded(self) -> Row | None:
        """The field that most organisations name as theirs, when any do."""
        return max(self.rows, key=lambda row: row.registered, default=None) if self.registered else None


def matrix(
    needs: Iterable[NeedFact], supply: Iterable[SupplyFact], *, fields: Sequence[str], everywhere: str, registered: Mapping[str, int] | None = None
) -> Matrix:
    """Lay needs and supply side by side. fields: the order of the rows; `everywhere`: the street that means the whole district.

    registered: field → organisations that name it as theirs. Raises LookupError for a fact in a field that is not in `fields`:
    a fact that is dropped would make the totals lie.
    """
    asked, given, known = list(needs), list(supply), dict(registered or {})
    _check(fields, [*(n.field for n in asked), *(s.field for s in given), *known])
    named = {n.street for n in asked} | {s.street for s in given}
    streets = (*sorted(named - {everywhere}), everywhere)
    awards, money = len(given), sum((s.amount for s in given), ZERO)
    rows = tuple(
        _row(field, streets, everywhere, [n for n in asked if n.field == field], [s for s in given if s.field == field], known.get(field, 0), awards, money)
        for field in fields
    )
    columns = tuple(_cell([n for n in asked if n.street == street], [s for s in given if s.street == street]) for street in streets)
    return Matrix(streets, rows, columns, _cell(asked, given), sum(known.values()))


def _check(fields: Sequence[str], used: Iterable[str]) -> None:
    strange = sorted(set(used) - set(fields))
    if strange:
        raise LookupError(f"fields not on the grid: {strange}")


def _row(
    field: str, streets: Sequence[str], everywhere: str, needs: list[NeedFact], supply: list[SupplyFact], registered: int, awards: int, money: Decimal
) -> Row:
    wide = sum(1 for s in supply if s.street == everywhere)
    cells = tuple(
        _cell([n for n in needs if n.street == street], [s for s in supply if s.street == street], wide=0 if street == everywhere else wide)
        for street in streets
    )
    total = _cell(needs, supply)
    return Row(field, cells, total, registered, percent(Decimal(total.awards), Decimal(awards)), percent(total.amount, money))


def _cell(needs: Sequence[NeedFact], supply: Sequence[SupplyFact], *, wide: int = 0) -> Cell:
    return Cell(
        needs=len(needs),
        people=sum(n.people for n in needs),
        organisations=len({s.organisation for s in supply}),
        awards=len(supply),
        amount=sum((s.amount for s in supply), ZERO),
        wide=wide,
    )


def percent(part: Decimal, whole: Decimal) -> Decimal:
    """Per cent with one place, half up; 0 of nothing is 0."""
    return (part * 100 / whole).quantize(Decimal("0.1"), ROUND_HALF_UP) if whole else Decimal("0.0")
