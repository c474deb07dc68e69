"""How far an order could be trusted with so many experts a bid, and how many bids each expert would have to read. Pure.

Reliability of a mean of n experts from the agreement of two (Spearman and Brown): nρ/(1 + (n − 1)ρ). The agreement is measured in an earlier round;
before there is one, an assumption is used and said to be one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

ASSUMED: Final = Decimal("0.390")
"""Agreement of two experts where no round has been measured: about what grant panels show."""
USUAL: Final = (3, 5, 7)
MOST: Final = 11
"""A curve of reliability is drawn as far as this many experts, or as the rules ask for."""


@dataclass(frozen=True)
class Agreement:
    """ρ of two experts on one bid, three places; call: code of the round it was measured in, "" for the assumption."""

    value: Decimal
    call: str = ""


@dataclass(frozen=True)
class Size:
    """n experts a bid: reliability of their mean (0 … 1, three places), ballots altogether, bids per expert (rounded up; None: no pool)."""

    n: int
    reliability: Decimal
    ballots: int
    load: int | None
    chosen: bool


def reliability_with(agreement: Decimal, n: int) -> Decimal:
    """Reliability of the mean of n experts; nought where two do not agree at all."""
    rho = max(agreement, Decimal(0))
    return (n * rho / (1 + (n - 1) * rho)).quantize(Decimal("0.001"), ROUND_HALF_UP)


def sizes(agreement: Decimal, bids: int, experts: int, chosen: int, numbers: Iterable[int] = USUAL) -> list[Size]:
    """The usual numbers of experts and the one of the rules, side by side."""
    return [
        Size(n, reliability_with(agreement, n), bids * n, -(-bids * n // experts) if experts else None, n == chosen)
        for n in sorted({*numbers, chosen})
    ]


def too_few(experts: int, chosen: int) -> str:
    """Why so many experts cannot read these bids; empty when they can."""
    return f"每份申报要 {chosen} 位专家评，只写了 {experts} 位：请增加专家，或减少每份申报的专家人数" if experts < chosen else ""
