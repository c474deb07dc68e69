"""资金流向: every yuan from its source over the call and the field of service to the organisation. Pure.

The four columns are four views of the same awards, so each adds up to the same sum; `Flow.ties_out` says whether they do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from grants.money import ZERO, total

COLUMNS = ("source", "call", "field", "organisation")


@dataclass(frozen=True)
class Path:
    """One award's money from one source, 元."""

    source: str
    call: str
    field: str
    organisation: str
    amount: Decimal

    def stops(self) -> tuple[str, str, str, str]:
        return (self.source, self.call, self.field, self.organisation)


@dataclass(frozen=True)
class Node:
    """One stop in a column, with what passes through it."""

    column: int
    name: str
    amount: Decimal


@dataclass(frozen=True)
class Band:
    """What goes from a stop to a stop of the next column."""

    column: int
    start: str
    end: str
    amount: Decimal


@dataclass(frozen=True)
class Flow:
    """Columns of nodes, largest first, and the bands between neighbours."""

    columns: tuple[tuple[Node, ...], ...]
    bands: tuple[Band, ...]
    total: Decimal

    @property
    def ties_out(self) -> bool:
        """Σ sources = Σ calls = Σ fields = Σ organisations = Σ bands between each two of them."""
        sums = [total([node.amount for node in column]) for column in self.columns]
        between = [total([band.amount for band in self.bands if band.column == at]) for at in range(len(COLUMNS) - 1)]
        return all(each == self.total for each in [*sums, *between])


def flow(paths: Iterable[Path], *, most: int = 14, others: str = "其他") -> Flow:
    """Add the paths up. most: organisations shown by name; smaller ones are one stop called `others`, so that nothing is lost."""
    rows = [path for path in paths if path.amount]
    rows = _fold(rows, most, others)
    through: list[dict[str, Decimal]] = [defaultdict(lambda: ZERO) for _column in COLUMNS]
    between: dict[tuple[int, str, str], Decimal] = defaultdict(lambda: ZERO)
    for row in rows:
        stops = row.stops()
        for at, name in enumerate(stops):
            through[at][name] += row.amount
        for at in range(len(stops) - 1):
            between[at, stops[at], stops[at + 1]] += row.amount
    columns = tuple(tuple(Node(at, n, a) for n, a in sorted(held.items(), key=_largest_first)) for at, held in enumerate(through))
    bands = tuple(Band(at, start, end, amount) for (at, start, end), amount in sorted(between.items()))
    return Flow(columns, bands, total([row.amount for row in rows]))


def _largest_first(item: tuple[str, Decimal]) -> tuple[Decimal, str]:
    return (-item[1], item[0])


def _fold(rows: list[Path], most: int, others: str) -> list[Path]:
    held: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for row in rows:
        held[row.organisation] += row.amount
    if len(held) <= most:
        return rows
    named = {name for name, _amount in sorted(held.items(), key=_largest_first)[: most - 1]}
    return [row if row.organisation in named else Path(row.source, row.call, row.field, others, row.amount) for row in rows]
