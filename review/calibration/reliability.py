"""How far experts agree, and how many reviews would be needed: ICC, Krippendorff's α. Pure.

ICC(1) with its F-interval after Shrout and Fleiss (1979) with unequal numbers of reviews; ICC(2,1), ICC(2,k) and consistency from the
variances of the Bayesian draws; α for interval data after Krippendorff (2011), with a bootstrap over bids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

import numpy as np

from review.calibration.fdistribution import f_quantile
from review.calibration.gibbs import Draws, interval
from review.calibration.model import Table
from review.calibration.numbers import Floats, Stream, add, published

RESAMPLES: Final = 1000
PLACES: Final = 3


@dataclass(frozen=True)
class Share:
    """A coefficient with its 90 per cent interval, three places; None where it is not defined."""

    value: Decimal | None
    low: Decimal | None = None
    high: Decimal | None = None


NONE: Final = Share(None)


@dataclass(frozen=True)
class Reliability:
    """k: mean number of reviews, one place. needed: reviews of each bid for a reliability of `target`, None if no number helps.

    spread: False when all totals are equal; then nothing else is defined.
    """

    spread: bool
    icc1: Share
    icc2_single: Share
    icc2_mean: Share
    consistency: Share
    alpha: Share
    k: Decimal
    needed: int | None
    target: Decimal


def reliability(table: Table, draws: Draws | None, seed: bytes, *, target: Decimal = Decimal("0.80")) -> Reliability:
    """All coefficients of a table of ballots."""
    k = published(table.n / len(table.bids), 1)
    if bool((table.y == table.y[0]).all()):
        return Reliability(False, NONE, NONE, NONE, NONE, NONE, k, None, target)
    one = icc1(table)
    return Reliability(
        True, one, _from(draws, lambda b, r, e: b / (b + r + e)), _from(draws, lambda b, r, e: b / (b + (r + e) / float(k))),
        _from(draws, lambda b, _r, e: b / (b + e / float(k))), alpha(table, seed), k, needed(one.value, target), target,
    )  # fmt: skip


def mean_squares(table: Table) -> tuple[float, float, float] | None:
    """MSB, MSW and k₀ of the one-way table; None without a second bid or a second review."""
    bids, n = len(table.bids), table.n
    if bids < 2 or n == bids:
        return None
    grand = add(table.y) / n
    between, within = table.bid_means - grand, table.y - table.bid_means[table.bid]
    k0 = (n - add(table.per_bid * table.per_bid) / n) / (bids - 1)
    return add(table.per_bid * between * between) / (bids - 1), add(within * within) / (n - bids), k0


def icc1(table: Table) -> Share:
    """ICC(1) = (MSB − MSW)/(MSB + (k₀ − 1) MSW), with the interval from F(B−1, n−B)."""
    squares = mean_squares(table)
    if squares is None or squares[0] == squares[1] == 0:
        return NONE
    msb, msw, k0 = squares
    value = published((msb - msw) / (msb + (k0 - 1) * msw), PLACES)
    if msw == 0:
        return Share(value, value, value)
    ratio, top, bottom = msb / msw, len(table.bids) - 1, table.n - len(table.bids)
    low, high = ratio / f_quantile(0.95, top, bottom), ratio * f_quantile(0.95, bottom, top)
    return Share(value, published((low - 1) / (low + k0 - 1), PLACES), published((high - 1) / (high + k0 - 1), PLACES))


def _from(draws: Draws | None, of: Callable[[Floats, Floats, Floats], Floats]) -> Share:
    """A coefficient as the median of its draws, with their middle 90 per cent."""
    if draws is None:
        return NONE
    values = np.sort(of(*draws.variances.T))
    low, high = interval(values)
    return Share(published(float(values[len(values) // 2]), PLACES), published(low, PLACES), published(high, PLACES))


def alpha(table: Table, seed: bytes) -> Share:
    """Krippendorff's α, interval metric: 1 − D_o/D_e over bids with two reviews or more; 1 000 resamples of the bids."""
    n, s, q = table.per_bid, table.over_bids(table.y), table.over_bids(table.y * table.y)
    pairable = np.flatnonzero(n >= 2)
    if pairable.size == 0:
        return NONE
    columns = np.array([n, s, q, 2 * (n * q - s * s) / np.maximum(n - 1, 1)])[:, pairable]
    value = _alpha(np.cumsum(columns, axis=1)[:, -1:])
    if value.size == 0:
        return NONE
    stream, size = Stream(seed, "alpha"), pairable.size
    sums = [np.cumsum(columns[:, (stream.uniform(size) * size).astype(np.int64)], axis=1)[:, -1] for _ in range(RESAMPLES)]
    low, high = interval(np.sort(_alpha(np.array(sums).T)))
    return Share(published(float(value[0]), PLACES), published(low, PLACES), published(high, PLACES))


def _alpha(sums: Floats) -> Floats:
    """α of columns (ballots, Σy, Σy², Σ disagreement within bids); columns without any spread are left out."""
    n, s, q, within = sums
    spread = 2 * (n * q - s * s) / (n * (n - 1))
    defined = spread > 0
    result: Floats = 1 - (within[defined] / n[defined]) / spread[defined]
    return result


def needed(icc: Decimal | None, target: Decimal) -> int | None:
    """k = ρ*(1 − ICC)/(ICC(1 − ρ*)) rounded up (Spearman and Brown); None when reviews do not agree at all."""
    if icc is None or icc <= 0:
        return None
    return max(1, int((target * (1 - icc) / (icc * (1 - target))).to_integral_value(ROUND_CEILING)))
