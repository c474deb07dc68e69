"""What the stages hand to one another. In the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from review.assign.instance import Ints
from review.assign.network import Network, Shape

TIES: Final = 1 << 16
SAFE: Final = 1 << 61
UNIT: Final = 1024
"""A weight of 1 for a bid's affinity; re-weighting raises it."""


@dataclass(frozen=True)
class Found:
    """An assignment as indices of pairs, the shape it was found in, and the node prices of its network.

    scale: how much one point of affinity weighs against the tie hash. weights: per bid, UNIT where nothing was re-weighted. by: flow,
    or programme: then network and prices are those of the flow without the crossing rules.
    """

    used: Ints
    shape: Shape
    scale: int
    weights: Ints
    net: Network
    price: Ints
    by: str = "flow"


def first(holds: Callable[[int], bool], n: int, low: int = 0) -> int | None:
    """The first of low … n−1 for which a monotone question holds, known not to hold before low; None when for none.

    Asked near `low` first, in growing steps: that is where it mostly is.
    """
    high, step = low, 1
    while high < n and not holds(high):
        low, high, step = high + 1, high + step, step * 2
    if high >= n:
        if low >= n or not holds(n - 1):
            return None
        high = n - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
