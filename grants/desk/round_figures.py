"""Figures of a round: medians, concentration, spread. Pure; days and shares as Decimal, never floats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

TENTH = Decimal("0.1")
DAY = Decimal(86_400)


@dataclass(frozen=True)
class Spell:
    """How long something took: how many cases, median and longest in days with one place; None where there is no case."""

    n: int
    median: Decimal | None
    longest: Decimal | None


def spell(pairs: Sequence[tuple[datetime | None, datetime | None]]) -> Spell:
    """From (begin, end) pairs; a pair with a missing end, or whose end is before its begin, is no case."""
    days = sorted(Decimal((end - begin).total_seconds()) / DAY for begin, end in pairs if begin and end and end >= begin)
    if not days:
        return Spell(0, None, None)
    return Spell(len(days), median(days).quantize(TENTH, ROUND_HALF_UP), days[-1].quantize(TENTH, ROUND_HALF_UP))


def median(values: Sequence[Decimal]) -> Decimal:
    """The middle one; of an even number the mean of the two in the middle. Raises ValueError for nothing."""
    if not values:
        raise ValueError("nothing has no median")
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def share(part: int | Decimal, whole: int | Decimal) -> Decimal | None:
    """Per cent with one place; None of nothing."""
    return None if not whole else (Decimal(part) * 100 / Decimal(whole)).quantize(TENTH, ROUND_HALF_UP)


def top_share(amounts: Sequence[Decimal], n: int = 5) -> Decimal | None:
    """Per cent of the sum that the `n` largest have."""
    return share(sum(sorted(amounts, reverse=True)[:n], Decimal(0)), sum(amounts, Decimal(0)))


def gini(amounts: Sequence[Decimal]) -> Decimal | None:
    """0.00: all have the same; towards 1: one has all. Two places; None for fewer than two or no money at all."""
    ordered, n = sorted(amounts), len(amounts)
    whole = sum(ordered, Decimal(0))
    if n < 2 or not whole:
        return None
    weighted = sum((place * value for place, value in enumerate(ordered, start=1)), Decimal(0))
    return (2 * weighted / (n * whole) - Decimal(n + 1) / n).quantize(Decimal("0.01"), ROUND_HALF_UP)


def evenness(value: Decimal | None) -> str:
    """The Gini coefficient in words, as a code: even | leaning | concentrated | unknown."""
    if value is None:
        return "unknown"
    return "even" if value < Decimal("0.2") else "leaning" if value < Decimal("0.4") else "concentrated"
