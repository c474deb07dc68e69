"""How strongly strictness is drawn towards zero: λ = σ_e²/σ_r² by restricted maximum likelihood over [1, 1000]. Pure.

The matrix M + λI is brought to three diagonals once (Householder), whatever λ: then its determinant and the sum of squares that β
explains cost R steps for each λ. −2 log-likelihood, up to a constant: (n−B) ln σ̂_e² + ln|M + λI| − R ln λ with
σ̂_e² = (SSW − gᵀ(M + λI)⁻¹g)/(n−B), where SSW is the sum of squares within bids. Patterson and Thompson (1971).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from review.calibration.model import Fit, Table, normal_matrix, values_given
from review.calibration.numbers import Floats, add, ln, ln1

LEAST: Final = 1.0
MOST: Final = 1000.0
_STEP: Final = 1.122018454301963  # 1000 to the power 1/60
_GOLDEN: Final = 0.6180339887498949


@dataclass(frozen=True)
class Reduced:
    """M = Q T Qᵀ with T of three diagonals. vectors: the reflections, to apply Q; g: Qᵀ g."""

    diagonal: list[float]
    off: list[float]
    vectors: list[Floats]
    g: list[float]


def reduced(matrix: Floats, g: Floats) -> Reduced:
    """Householder reduction, element by element in fixed order: no BLAS, so the same bits everywhere."""
    a, h = matrix.copy(), g.copy()
    size = len(h)
    vectors: list[Floats] = []
    for k in range(size - 2):
        v = _reflection(a[k + 1 :, k])
        vectors.append(v)
        if not v.any():
            continue
        block = a[k + 1 :, k + 1 :]
        p = np.cumsum(block * v[:, None], axis=0)[-1]  # block is symmetric
        w = p - v * (_dot(p, v) / 2)
        block -= v[:, None] * w
        block -= w[:, None] * v
        column = a[k + 1 :, k] - v * _dot(v, a[k + 1 :, k])
        a[k + 1 :, k], a[k, k + 1 :] = column, column
        h[k + 1 :] -= v * _dot(v, h[k + 1 :])
    off = [float(a[i + 1, i]) for i in range(size - 1)]
    return Reduced([float(x) for x in a.diagonal()], off, vectors, h.tolist())


def _dot(a: Floats, b: Floats) -> float:
    return float(np.cumsum(a * b)[-1])


def _reflection(x: Floats) -> Floats:
    """v with vᵀv = 2, so that x − v(vᵀx) has only its first element; zeros where x already is so."""
    rest = _dot(x[1:], x[1:]) if len(x) > 1 else 0.0
    if rest == 0:
        return np.zeros_like(x)
    length = math.sqrt(float(x[0]) * float(x[0]) + rest)
    v = x.copy()
    v[0] += length if x[0] >= 0 else -length
    result: Floats = v * math.sqrt(2 / (float(v[0]) * float(v[0]) + rest))
    return result


def _solved(r: Reduced, shrinkage: float) -> tuple[list[float], list[float]]:
    """(T + λI)⁻¹ Qᵀg, and the pivots, whose product is the determinant."""
    pivots, right = [r.diagonal[0] + shrinkage], [r.g[0]]
    for i, off in enumerate(r.off, start=1):
        ratio = off / pivots[-1]
        pivots.append(r.diagonal[i] + shrinkage - ratio * off)
        right.append(r.g[i] - ratio * right[-1])
    x = [0.0] * len(pivots)
    x[-1] = right[-1] / pivots[-1]
    for i in range(len(pivots) - 2, -1, -1):
        x[i] = (right[i] - r.off[i] * x[i + 1]) / pivots[i]
    return x, pivots


def strictness(r: Reduced, shrinkage: float) -> Floats:
    """β̂ = Q (T + λI)⁻¹ Qᵀ g."""
    x: Floats = np.array(_solved(r, shrinkage)[0])
    for k in range(len(r.vectors) - 1, -1, -1):
        v = r.vectors[k]
        if v.any():
            x[k + 1 :] -= v * _dot(v, x[k + 1 :])
    return x


@dataclass(frozen=True)
class Likelihood:
    """−2 restricted log-likelihood of a table as a function of λ."""

    reduced: Reduced
    within: float
    freedom: int

    def residual(self, shrinkage: float) -> float:
        """Sum of squares left, hundredths²."""
        x, _ = _solved(self.reduced, shrinkage)
        return self.within - math.fsum(a * b for a, b in zip(self.reduced.g, x, strict=True))

    def __call__(self, shrinkage: float) -> float:
        x, pivots = _solved(self.reduced, shrinkage)
        left = self.within - math.fsum(a * b for a, b in zip(self.reduced.g, x, strict=True))
        logs = add(ln(np.array(pivots)))
        return self.freedom * ln1(left / self.freedom) + logs - len(pivots) * ln1(shrinkage)


def fit(table: Table) -> Fit:
    """Calibrated scores with λ by REML. Without a second opinion on any bid, or without any difference within bids, nothing is moved:
    β = 0, and λ is None where nothing can be estimated (no second ballot, or a single expert)."""
    spread = table.y - table.bid_means[table.bid]
    within, freedom = add(spread * spread), table.n - len(table.bids)
    zeros = np.zeros(len(table.experts))
    if freedom == 0 or len(table.experts) < 2:
        return Fit(table.bid_means, zeros, None, 0.0, 0.0)
    if within == 0:
        return Fit(table.bid_means, zeros, MOST, 0.0, 0.0)
    matrix, g = normal_matrix(table)
    likelihood = Likelihood(reduced(matrix, g), within, freedom)
    best = shrinkage(likelihood)
    beta = strictness(likelihood.reduced, best)
    sigma_e = math.sqrt(max(likelihood.residual(best), 0.0) / freedom)
    return Fit(values_given(table, beta), beta, best, sigma_e, sigma_e / math.sqrt(best))


def shrinkage(likelihood: Likelihood) -> float:
    """The λ of the smallest value: 61 points in equal ratios, then golden section between the best one's neighbours."""
    grid = [LEAST]
    while len(grid) < 60:
        grid.append(grid[-1] * _STEP)
    grid.append(MOST)
    values = [likelihood(point) for point in grid]
    at = values.index(min(values))
    low, high = grid[max(at - 1, 0)], grid[min(at + 1, 60)]
    return _golden(likelihood, low, high)


def _golden(likelihood: Likelihood, low: float, high: float) -> float:
    a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    fa, fb = likelihood(a), likelihood(b)
    while high - low > 1e-6 * low:
        if fa <= fb:
            high, b, fb = b, a, fa
            a = high - _GOLDEN * (high - low)
            fa = likelihood(a)
        else:
            low, a, fa = a, b, fb
            b = low + _GOLDEN * (high - low)
            fb = likelihood(b)
    return (low + high) / 2
