"""Score bands must cover every score exactly once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from grants.calls.rulebook.lint.registry import plain

Band = tuple[str, Decimal, Decimal | None]
"""Name, lowest score (included), first score above (excluded; None at the top)."""


def band_faults(bands: Sequence[Band], *, down_to: Decimal) -> Iterator[tuple[str, str]]:
    """Each overlap, gap, open end and empty band as (sentence, way out); bands may be given in any order."""
    falling = sorted(bands, key=lambda band: band[1], reverse=True)
    yield from _ends(falling, down_to)
    for name, low, high in falling:
        if high is not None and high <= low:
            yield f"等级“{name}”从 {plain(low)} 到 {plain(high)}，没有分数落入", "上限分必须高于起始分"
    for upper, lower in pairwise(falling):
        yield from _between(upper, lower)


def _ends(falling: Sequence[Band], down_to: Decimal) -> Iterator[tuple[str, str]]:
    top, bottom = falling[0], falling[-1]
    if top[2] is not None:
        yield f"最高等级“{top[0]}”到 {plain(top[2])} 为止，更高的分数没有等级", "删去最高等级的上限分"
    if bottom[1] > down_to:
        yield f"最低等级“{bottom[0]}”从 {plain(bottom[1])} 起，低于它的分数没有等级", f"起始分改为 {plain(down_to)}"


def _between(upper: Band, lower: Band) -> Iterator[tuple[str, str]]:
    if lower[2] is None or lower[2] > upper[1]:
        yield f"等级“{lower[0]}”与“{upper[0]}”重叠", f"“{lower[0]}”的上限分改为 {plain(upper[1])}"
    elif lower[2] < upper[1]:
        yield f"{plain(lower[2])} 到 {plain(upper[1])} 之间的分数没有等级", f"“{lower[0]}”的上限分改为 {plain(upper[1])}"
