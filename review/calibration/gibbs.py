"""How sure an order is: draws from the full Bayesian model, seeded. Pure.

y_br = θ_b + β_r + e, θ ~ N(μ, σ_b²), β ~ N(0, σ_r²), e ~ N(0, σ_e²), flat priors on μ and on the three σ. One sweep draws β, θ, μ and
the three variances in turn, each from its exact conditional distribution. What is published from the draws: rank intervals,
P(funded), reliability with intervals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from review.calibration.model import Table
from review.calibration.numbers import ChiSquare, Floats, Ints, Stream, published

SWEEPS: Final = 3000
BURN: Final = 500
_SMALLEST: Final = 1.0  # (hundredths of a point)²: below a hundredth a variance is none


@dataclass(frozen=True)
class Draws:
    """Kept draws. theta: draws × bids, each bid's value plus the experts' mean strictness (hundredths, less the centre);
    variances: draws × (σ_b², σ_r², σ_e²)."""

    theta: Floats
    variances: Floats

    def ranks(self) -> Ints:
        """Draws × bids: the place of each bid in each draw, 1 best; equals by order of bid."""
        order = np.argsort(-self.theta, axis=1, kind="stable")
        places = np.empty_like(order)
        np.put_along_axis(places, order, np.arange(1, order.shape[1] + 1)[None, :].repeat(len(order), axis=0), axis=1)
        return places


def draw(table: Table, seed: bytes, *, sweeps: int = SWEEPS, burn: int = BURN, keep_every: int = 1) -> Draws | None:
    """The draws; None for fewer than three bids, a single expert, no second review or no spread at all: then nothing can be said."""
    if len(table.bids) < 3 or len(table.experts) < 2 or table.n == len(table.bids) or bool((table.y == table.y[0]).all()):
        return None
    chain = _Chain(table, seed)
    kept: list[Floats] = []
    variances: list[tuple[float, float, float]] = []
    for sweep in range(sweeps):
        chain.sweep()
        if sweep >= burn and (sweep - burn) % keep_every == 0:
            kept.append(chain.theta + chain.level())
            variances.append((chain.var_b, chain.var_r, chain.var_e))
    return Draws(np.array(kept), np.array(variances))


class _Chain:
    """The state of one chain, begun at the bids' means."""

    def __init__(self, table: Table, seed: bytes) -> None:
        self.table = table
        self.normals = Stream(seed, "gibbs-normal")
        self.chi = ChiSquare(Stream(seed, "gibbs-chi"))
        self.theta, self.beta = table.bid_means.copy(), np.zeros(len(table.experts))
        spread = _squares(table.y - self.theta[table.bid])
        between = _squares(self.theta - _sum(self.theta) / len(self.theta))
        self.var_e = max(spread / table.n, _SMALLEST)
        self.var_r = self.var_e / 2
        self.var_b = max(between / len(self.theta), _SMALLEST)
        self.mu = _sum(self.theta) / len(self.theta)

    def level(self) -> float:
        """Mean strictness over the ballots."""
        return _sum(self.beta * self.table.per_expert) / self.table.n

    def sweep(self) -> None:
        table, bids, experts = self.table, len(self.theta), len(self.beta)
        z = self.normals.normal(bids + experts + 1)
        share = self.var_e / self.var_r
        left = table.over_experts(table.y - self.theta[table.bid])
        self.beta = left / (table.per_expert + share) + z[:experts] * np.sqrt(self.var_e / (table.per_expert + share))
        share = self.var_e / self.var_b
        left = table.over_bids(table.y - self.beta[table.expert]) + share * self.mu
        self.theta = left / (table.per_bid + share) + z[experts:-1] * np.sqrt(self.var_e / (table.per_bid + share))
        self.mu = _sum(self.theta) / bids + float(z[-1]) * math.sqrt(self.var_b / bids)
        self.var_b = self._variance(self.theta - self.mu)
        self.var_r = self._variance(self.beta)
        self.var_e = self._variance(table.y - self.theta[table.bid] - self.beta[table.expert])

    def _variance(self, deviations: Floats) -> float:
        """From its conditional under a flat prior on σ: sum of squares over χ² with one degree of freedom less than terms."""
        return max(_squares(deviations) / self.chi.draw(len(deviations) - 1), _SMALLEST)


def _sum(values: Floats) -> float:
    return float(np.cumsum(values)[-1])


def _squares(values: Floats) -> float:
    return _sum(values * values)


def interval(sorted_draws: Floats | Ints, inside: int = 90) -> tuple[float, float]:
    """The middle `inside` per cent of sorted numbers: the order statistics themselves, nothing is interpolated."""
    n = len(sorted_draws)
    cut = n * (100 - inside) // 200
    return float(sorted_draws[cut]), float(sorted_draws[n - 1 - cut])


def rank_intervals(ranks: Ints, inside: int = 90) -> list[tuple[int, int]]:
    """For each bid the places between which it stands in `inside` per cent of the draws."""
    ordered = np.sort(ranks, axis=0)
    return [(int(low), int(high)) for low, high in (interval(ordered[:, b], inside) for b in range(ranks.shape[1]))]


@dataclass(frozen=True)
class Line:
    """The fund line by which a draw is judged: money in fen and each bid's ask in fen, or simply the first `places`.

    pass_line: in the unit of the values; below it a bid is not funded. stop: the first that no longer fits ends it.
    """

    places: int | None = None
    pool: int | None = None
    asks: Sequence[int] = ()
    pass_line: float = float("-inf")
    stop: bool = False

    def funded(self, order: Sequence[int], values: Sequence[float]) -> list[int]:
        """The bids that are funded when they stand in this order, best first."""
        if self.pool is None:
            chosen = order if self.places is None else order[: self.places]
            return [b for b in chosen if values[b] >= self.pass_line]
        left, cheapest, won = self.pool, min(self.asks, default=0), list[int]()
        for b in order:
            if values[b] < self.pass_line or left < cheapest or len(won) == self.places:
                break
            if self.asks[b] <= left:
                won.append(b)
                left -= self.asks[b]
            elif self.stop:
                break
        return won


def funded_shares(draws: Draws, line: Line) -> list[Decimal]:
    """For each bid the share of draws in which it is funded, 0.000…1.000, half up."""
    counts = [0] * draws.theta.shape[1]
    orders = np.argsort(-draws.theta, axis=1, kind="stable")
    for order, values in zip(orders, draws.theta, strict=True):
        for b in line.funded(order.tolist(), values.tolist()):
            counts[b] += 1
    n = len(draws.theta)
    return [Decimal((2000 * count + n) // (2 * n)).scaleb(-3) for count in counts]


def shares_by(
    draws: Draws, bids: Sequence[str], fund: Callable[[Sequence[tuple[str, Decimal]]], frozenset[str]], *, most: int = 500
) -> list[Decimal]:
    """The same with any rule of funding, over at most `most` draws spread evenly; theta must be points. Scores are given as published."""
    step = -(-len(draws.theta) // most)
    counts, kept = dict.fromkeys(bids, 0), draws.theta[::step]
    for values in kept:
        order = np.argsort(-values, kind="stable").tolist()
        for bid in fund([(bids[b], published(float(values[b]))) for b in order]):
            counts[bid] += 1
    n = len(kept)
    return [Decimal((2000 * counts[bid] + n) // (2 * n)).scaleb(-3) for bid in bids]
