"""The table of ballots, who is connected with whom, and the calibrated scores for a given shrinkage. Pure.

y_br = θ_b + β_r + e_br: a ballot's total is the bid's value (fixed), the expert's strictness (drawn towards zero) and chance.
θ is not drawn towards anything: that would pull bids with fewer reviews to the middle and give the experts what belongs to the bids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

import numpy as np

from review.calibration.numbers import Floats, Ints


@dataclass(frozen=True)
class Table:
    """Ballots in order of bid, then expert. y: totals in hundredths of a point, less their middle `centre`, as exact integers."""

    bids: tuple[str, ...]
    experts: tuple[str, ...]
    bid: Ints
    expert: Ints
    y: Floats
    centre: int

    @classmethod
    def of(cls, ballots: Sequence[tuple[str, str, Decimal]]) -> Table:
        """From (bid, expert, total): at most two places, each pair once. Raises ValueError otherwise, or without any ballot."""
        rows = sorted(ballots, key=lambda row: (row[0], row[1]))
        if not rows or len({row[:2] for row in rows}) != len(rows):
            raise ValueError("no ballots, or two of one expert for one bid")
        bids, experts = sorted({row[0] for row in rows}), sorted({row[1] for row in rows})
        units = [_hundredths(row[2]) for row in rows]
        centre = round(Fraction(sum(units), len(units)))
        bid_at, expert_at = {b: i for i, b in enumerate(bids)}, {e: i for i, e in enumerate(experts)}
        return cls(
            tuple(bids), tuple(experts), np.array([bid_at[r[0]] for r in rows], dtype=np.int64),
            np.array([expert_at[r[1]] for r in rows], dtype=np.int64), np.array([u - centre for u in units], dtype=np.float64), centre,
        )  # fmt: skip

    @property
    def n(self) -> int:
        return len(self.y)

    @cached_property
    def per_bid(self) -> Floats:
        """Ballots of each bid."""
        return self.over_bids()

    @cached_property
    def per_expert(self) -> Floats:
        """Ballots of each expert."""
        return self.over_experts()

    def over_bids(self, values: Floats | None = None) -> Floats:
        """Sum of `values` (one for each ballot; without: 1) for each bid."""
        return np.bincount(self.bid, values, len(self.bids)).astype(np.float64)

    def over_experts(self, values: Floats | None = None) -> Floats:
        """The same for each expert."""
        return np.bincount(self.expert, values, len(self.experts)).astype(np.float64)

    @cached_property
    def bid_means(self) -> Floats:
        return self.over_bids(self.y) / self.per_bid

    @cached_property
    def parts(self) -> Ints:
        """For each bid the number of its connected part: bids are connected where one expert scored both."""
        part = np.arange(len(self.bids))
        while True:
            lowest = np.full(len(self.experts), len(self.bids))
            np.minimum.at(lowest, self.expert, part[self.bid])
            lower = part.copy()
            np.minimum.at(lower, self.bid, lowest[self.expert])
            if (lower == part).all():
                return np.asarray(np.unique(part, return_inverse=True)[1], dtype=np.int64)
            part = lower

    def without_expert(self, expert: int) -> Table:
        """The same table without one expert's ballots; bids that had no other ballot are gone."""
        rows = zip(self.bid.tolist(), self.expert.tolist(), self.y.tolist(), strict=True)
        left = [(self.bids[b], self.experts[e], Decimal(int(y) + self.centre).scaleb(-2)) for b, e, y in rows if e != expert]
        return Table.of(left)


def _hundredths(total: Decimal) -> int:
    units = total.scaleb(2)
    if units != units.to_integral_value():
        raise ValueError(f"{total} has more than two places")
    return int(units)


@dataclass(frozen=True)
class Connection:
    """Whether bids of different groups may be compared. bridges: group → reviews on its bids by experts at home in another group."""

    parts: int
    groups: int
    bridges: Mapping[str, int]
    comparable: bool


def connection(table: Table, groups: Mapping[str, str] | None = None, *, least: int = 10) -> Connection:
    """Connected parts, and the bridges between groups of bids (without `groups`: between the connected parts, so none).

    An expert is at home where they scored most (equal: the first group by name). Comparable across groups only in one part and
    with `least` bridges into every group: with one bridge the table is connected in form, the difference still mostly chance.
    """
    names = [f"{n + 1}" for n in table.parts.tolist()] if groups is None else [groups.get(b, "") for b in table.bids]
    kinds = sorted(set(names))
    at = np.array([kinds.index(name) for name in names], dtype=np.int64)[table.bid]
    counts = np.zeros((len(table.experts), len(kinds)), dtype=np.int64)
    np.add.at(counts, (table.expert, at), 1)
    away = at != counts.argmax(axis=1)[table.expert]
    bridges = {kind: int((away & (at == i)).sum()) for i, kind in enumerate(kinds)}
    parts = int(table.parts.max()) + 1
    fit = parts == 1 and (len(kinds) == 1 or min(bridges.values()) >= least)
    return Connection(parts, len(kinds), bridges, fit)


@dataclass(frozen=True)
class Fit:
    """Calibrated scores, in hundredths of a point less the table's centre. shrinkage: λ; None where nothing could be estimated.

    sigma_e, sigma_r: chance and strictness, standard deviations in hundredths.
    """

    theta: Floats
    beta: Floats
    shrinkage: float | None
    sigma_e: float
    sigma_r: float

    def residuals(self, table: Table) -> Floats:
        """What neither bid nor expert explains."""
        return table.y - self.theta[table.bid] - self.beta[table.expert]


def normal_matrix(table: Table) -> tuple[Floats, Floats]:
    """M = diag(n_r) − Nᵀ D⁻¹ N and g = s_r − Nᵀ D⁻¹ s_b: β solves (M + λ I) β = g."""
    size = len(table.experts)
    first, second = _pairs(table)
    weights = 1 / table.per_bid[table.bid[first]]
    cells = np.bincount(table.expert[first] * size + table.expert[second], weights, size * size)
    matrix = np.diag(table.per_expert) - cells.reshape(size, size)
    return matrix, table.over_experts(table.y - table.bid_means[table.bid])


def _pairs(table: Table) -> tuple[Ints, Ints]:
    """All ordered pairs of ballots of one bid (a ballot with itself too), as positions."""
    counts = table.per_bid.astype(np.int64)
    start = np.concatenate(([0], np.cumsum(counts)[:-1]))
    own = counts[table.bid]
    first = np.repeat(np.arange(table.n), own)
    inside = np.arange(len(first)) - np.repeat(np.cumsum(own) - own, own)
    return first, start[table.bid[first]] + inside


def values_given(table: Table, beta: Floats) -> Floats:
    """θ̂_b = mean of y_br − β̂_r."""
    return table.over_bids(table.y - beta[table.expert]) / table.per_bid
