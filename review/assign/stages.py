"""One question after the other: does it fit, with how few alternates, how even, how high a floor, how much affinity. In the worker.

Each stage narrows what the next may choose from: alternates' reviews become the total of a block, the most even loads become levels,
the floor becomes a gate. The last one maximises affinity with the published hash behind it, in one integer cost.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from review.assign import crossing, cut
from review.assign.found import SAFE, TIES, UNIT, Found, first
from review.assign.instance import Instance, Ints
from review.assign.network import Bounds, Shape, build, kappa, narrowed
from review.assign.problem import MOST_AFFINITY, Floor
from review.assign.solving import cheapest, fits


def answer(asked: Instance) -> Found:
    """All stages. Raises cut.Short with the minimum cut when nothing fits, NotSolved when a solver failed."""
    times = asked.options.randomised
    shape = _seated(asked, times)
    wide = shape
    if asked.options.even:
        shape = _evened(asked, shape)
    shape = _floored(asked, shape)
    found = optimum(asked, shape)
    if found.net.crossing and clashes(asked, found.used):
        mended = crossing.mended(asked, found, optimum)
        if mended is None:
            return crossing.answer(asked, wide, optimum)
        found = mended
    if asked.options.fair > 0:
        found = fairest(asked, found)
    return found


def optimum(asked: Instance, shape: Shape, weights: Ints | None = None) -> Found:
    """The largest affinity of this shape, the smallest sum of hashes among equals."""
    worth = asked.pair_a.astype(np.int64) if weights is None else asked.pair_a * weights[asked.pair_b]
    scale = scale_of(asked, shape, int(worth.max(initial=1)))
    worth *= -scale
    worth += asked.pair_h
    net = build(asked, shape, worth)
    del worth
    flows, price = cheapest(net)
    plain = np.full(asked.bids, UNIT, dtype=np.int64) if weights is None else weights
    return Found(np.sort(net.used(flows)), shape, scale, plain, net, price)


def scale_of(asked: Instance, shape: Shape, most: int) -> int:
    """The power of two that puts affinity before every sum of hashes, lowered where 63 bits would not hold the costs."""
    total = max(int(asked.need.sum()) * shape.times, 1)
    scale = 1 << (TIES * total - 1).bit_length()
    nodes = len(asked.seat_bid) + asked.bids + asked.experts + 1
    while scale > 1 and scale * most * nodes > SAFE:
        scale >>= 1
    return scale


def clashes(asked: Instance, used: Ints) -> bool:
    """Whether two experts of one organisation meet in a bid, kept pairs apart."""
    organisation = asked.organisation[asked.pair_r[used]]
    place = asked.places(used[(organisation >= 0) & ~asked.pair_kept[used]])
    return len(np.unique(place)) < len(place)


def _short(asked: Instance, shape: Shape) -> int:
    return fits(build(asked, shape, np.zeros(len(asked.pair_b), dtype=np.int64)))[0]


def _seated(asked: Instance, times: int) -> Shape:
    """As few alternates as possible, in drawn order, and no more of their work than needed. Raises cut.Short."""
    cut.refuse_idle(asked, times)
    everybody = Bounds.of(asked, times)
    levels = [0, *sorted({int(x) for x in asked.reserve if x > 0})]
    at = first(lambda n: _short(asked, _only(asked, everybody, levels[n], times)) == 0, len(levels))
    if at is None:
        raise cut.short(asked, narrowed(_free(_only(asked, everybody, levels[-1], times))))
    shape = _only(asked, everybody, levels[at], times)
    if at == 0:
        return shape
    waiting = _short(asked, _free(_only(asked, everybody, 0, times)))
    alternate = (asked.reserve > 0).astype(np.int64)
    total = int(asked.need.sum()) * times
    return narrowed(shape, bounds=replace(shape.bounds, block=alternate, totals=np.array([total - waiting, waiting])))


def _only(asked: Instance, bounds: Bounds, level: int, times: int) -> Shape:
    """Nobody with a reserve number over `level`."""
    out = asked.reserve > level
    return Shape(replace(bounds, lo=np.where(out, 0, bounds.lo), hi=np.where(out, 0, bounds.hi)), times=times)


def _free(shape: Shape) -> Shape:
    """Without minimum loads."""
    return narrowed(shape, bounds=replace(shape.bounds, lo=np.zeros_like(shape.bounds.lo)))


def _evened(asked: Instance, shape: Shape) -> Shape:
    """Loads as equal as possible: the k-th review of an expert costs k. Prices give each expert's level; load = level or level − 1."""
    net = build(asked, narrowed(shape, even=True), np.zeros(len(asked.pair_b), dtype=np.int64))
    flows, price = cheapest(net)
    bounds = shape.bounds
    loads = np.bincount(asked.pair_r[net.used(flows)], minlength=asked.experts)
    ends = net.experts + asked.experts + bounds.block
    level = price[ends] - price[net.experts : net.experts + asked.experts]
    low, high = (np.clip(x, bounds.lo, bounds.hi) for x in (level - 1, level))
    _names, block = np.unique(np.stack([bounds.block, level]), axis=1, return_inverse=True)
    block = block.reshape(-1)
    totals = np.bincount(block, weights=loads).astype(np.int64)
    return narrowed(shape, bounds=Bounds(np.minimum(low, loads), np.maximum(high, loads), block, totals))


def _floored(asked: Instance, shape: Shape) -> Shape:
    """The highest threshold among the affinities that every bid's open seats can reach at once, by bisection."""
    if asked.options.floor == Floor.NONE:
        return shape
    values = np.unique(asked.pair_a[~asked.pair_kept])[::-1].tolist()
    most = _highest(asked, shape.times)
    at = first(lambda n: _short(asked, narrowed(shape, tau=values[n])) == 0, len(values), sum(1 for v in values if v > most))
    return shape if at is None else narrowed(shape, tau=values[at])


def _highest(asked: Instance, times: int) -> int:
    """No floor is higher: what each bid's best experts reach, were they free of all other bids."""
    strong = (asked.need if asked.options.floor == Floor.ALL else kappa(asked)) * times
    reach = np.where(asked.pair_kept, np.int16(MOST_AFFINITY), asked.pair_a)
    order = np.argsort(-reach, kind="stable")
    order = order[np.argsort(asked.pair_b[order], kind="stable")]
    ends = np.searchsorted(asked.pair_b, np.arange(asked.bids)) + strong - 1
    some = (strong > 0) & (ends < len(order))
    return int(reach[order[ends[some]]].min(initial=MOST_AFFINITY))


def fairest(asked: Instance, start: Found, rounds: int = 40) -> Found:
    """Re-weight the bids that fare worst while the total affinity falls by no more than the allowed share; the best round counts."""
    best, now, weights = start, start, start.weights.copy()
    least = int(asked.pair_a[start.used].sum()) * (1 - asked.options.fair)
    for _ in range(rounds):
        weights = _raised(asked, weights, shares(asked, now.used))
        now = optimum(asked, start.shape, weights)
        if int(asked.pair_a[now.used].sum()) < least:
            break
        if merit(asked, now) > merit(asked, best) and not clashes(asked, now.used):
            best = now
    return best


def sums(asked: Instance, used: Ints) -> Ints:
    """Sum of affinities per bid."""
    return np.bincount(asked.pair_b[used], weights=asked.pair_a[used], minlength=asked.bids).astype(np.int64)


def shares(asked: Instance, used: Ints) -> Ints:
    """Thousandths of a point of affinity per review, so that bids with different needs compare."""
    return sums(asked, used) * 1000 // np.maximum(asked.need, 1)


def merit(asked: Instance, found: Found) -> tuple[int, int]:
    """How a round is judged: the worst bid first, then the total."""
    mine = shares(asked, found.used)[asked.need > 0]
    return int(mine.min(initial=1 << 40)), int(asked.pair_a[found.used].sum())


def _raised(asked: Instance, weights: Ints, mine: Ints) -> Ints:
    """The lowest 3 per cent weigh more, by 0.6 of what they lack to the first bid above them; whole numbers only."""
    some = np.flatnonzero(asked.need > 0)
    order = some[np.argsort(mine[some], kind="stable")]
    low = max(len(order) * 3 // 100, 1)
    target = max(int(mine[order[min(low, len(order) - 1)]]), 1)
    raised = weights.copy()
    at = order[:low]
    raised[at] += np.maximum(weights[at] * 6 * (target - mine[at]) // (10 * target), 1)
    return np.minimum(raised, 64 * UNIT)
