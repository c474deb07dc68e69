"""Ballots to ask about: far from what bid and expert explain, always the same, or a copy. Pure; thresholds from review practice.

In raw points most alarms hit strict but honest experts. A residual has strictness taken out: |t| > 2.5 with a robust spread
(1.4826 × median absolute residual) flags about one honest ballot in a hundred.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Final

import numpy as np

from review.calibration.findings import Alarm, Words
from review.calibration.model import Fit, Table
from review.calibration.numbers import Floats, ln1, published, quantile1

LIMIT: Final = 2.5
SAME: Final = 3
"""Ballots from which equal totals are worth a question."""
SHARED: Final = 5
LEVEL: Final = 0.01


def alarms(table: Table, fit: Fit, *, limit: float = LIMIT) -> tuple[Alarm, ...]:
    """All alarms: residuals by size, then constant ballots and copies by code."""
    left = fit.residuals(table)
    return (*_residuals(table, left, limit), *_constant(table), *_copies(table, left))


def robust_t(left: Floats) -> Floats | None:
    """Residuals over their robust spread; None without any spread."""
    scale = 1.4826 * float(np.sort(np.abs(left))[len(left) // 2])
    return left / scale if scale > 0.5 else None  # half a hundredth of a point is rounding, not spread


def _residuals(table: Table, left: Floats, limit: float) -> Iterator[Alarm]:
    t = robust_t(left)
    if t is None:
        return
    found = [i for i in np.argsort(-np.abs(t), kind="stable").tolist() if abs(t[i]) > limit]
    for i in found:
        bid, expert, points = table.bids[table.bid[i]], table.experts[table.expert[i]], published(float(left[i]) / 100)
        zh = f"专家 {expert} 对“{bid}”的评分，扣除其宽严后仍{'高' if points > 0 else '低'}出 {abs(points)} 分，建议请其说明理由。"
        en = f"Expert {expert} scored “{bid}” {abs(points)} points {'above' if points > 0 else 'below'} what bid and strictness explain."
        yield Alarm("residual", expert, "", bid, published(float(t[i])), Words(zh, en))


def _constant(table: Table) -> Iterator[Alarm]:
    own: dict[int, list[float]] = defaultdict(list)
    for expert, y in zip(table.expert.tolist(), table.y.tolist(), strict=True):
        own[expert].append(y)
    for expert, totals in sorted(own.items()):
        if len(totals) >= SAME and len(set(totals)) == 1:
            code, shown = table.experts[expert], published((totals[0] + table.centre) / 100)
            zh = f"专家 {code} 的 {len(totals)} 份评审总分全部为 {shown}，未区分申报。"
            en = f"All {len(totals)} ballots of expert {code} have the total {shown}: the bids were not told apart."
            yield Alarm("constant", code, "", "", shown, Words(zh, en))


def _copies(table: Table, left: Floats) -> Iterator[Alarm]:
    """Pairs of experts with SHARED bids or more whose residuals go together: Fisher's z, Bonferroni over the pairs compared."""
    own: dict[int, dict[int, int]] = defaultdict(dict)
    for i, (expert, bid) in enumerate(zip(table.expert.tolist(), table.bid.tolist(), strict=True)):
        own[expert][bid] = i
    shared = {
        pair: bids
        for pair in combinations(sorted(own), 2)
        if len(bids := sorted(own[pair[0]].keys() & own[pair[1]].keys())) >= SHARED
    }
    if not shared:
        return
    line = quantile1(1 - LEVEL / len(shared))
    for (one, two), bids in sorted(shared.items()):
        first, second = [own[one][b] for b in bids], [own[two][b] for b in bids]
        same = sum(bool(table.y[i] == table.y[j]) for i, j in zip(first, second, strict=True))
        r = _correlation(left[first], left[second])
        if r is None or _fisher(r, len(bids)) <= line:
            continue
        codes, shown = (table.experts[one], table.experts[two]), published(r)
        zh = f"专家 {codes[0]} 与 {codes[1]} 共评 {len(bids)} 份，偏差的相关系数 {shown}，其中 {same} 份总分相同，建议核对是否独立评分。"
        en = f"Experts {codes[0]} and {codes[1]} share {len(bids)} bids; their residuals correlate by {shown}, {same} totals are equal."
        yield Alarm("copy", *codes, "", shown, Words(zh, en))


def _correlation(a: Floats, b: Floats) -> float | None:
    x, y = a - np.cumsum(a)[-1] / len(a), b - np.cumsum(b)[-1] / len(b)
    sx, sy, sxy = (float(np.cumsum(v)[-1]) for v in (x * x, y * y, x * y))
    return sxy / math.sqrt(sx * sy) if sx > 0 and sy > 0 else None


def _fisher(r: float, n: int) -> float:
    """artanh(r) √(n − 3); at r = 1 as large as a correlation of 1 − 10⁻¹²."""
    r = min(max(r, -1 + 1e-12), 1 - 1e-12)
    return (ln1(1 + r) - ln1(1 - r)) / 2 * math.sqrt(n - 3)
