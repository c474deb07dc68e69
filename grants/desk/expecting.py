"""预演的另一半: how far an order could be trusted with so many experts a bid, and how many bids each expert would have to read.

Reliability of a mean of n experts from the agreement of two (Spearman and Brown): nρ/(1 + (n − 1)ρ). The agreement is measured in the agency's
latest round that has a reference analysis; before there is one, an assumption is used and said to be one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from grants.calls.models import Call
from review.analysing import kept
from review.drawing import pool_of
from review.models import Panel

ASSUMED: Final = Decimal("0.390")
"""Agreement of two experts where no round has been measured: about what grant panels show (review.md §2.7)."""
USUAL: Final = (3, 5, 7)


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
    return (n * rho / (1 + (n - 1) * rho)).quantize(Decimal("0.001"))


def sizes(agreement: Decimal, bids: int, experts: int, chosen: int) -> list[Size]:
    """The usual numbers of experts and the one of the rules, side by side."""
    return [
        Size(n, reliability_with(agreement, n), bids * n, -(-bids * n // experts) if experts else None, n == chosen) for n in sorted({*USUAL, chosen})
    ]


def measured(rounds: Iterable[Call]) -> Agreement:
    """The agreement of the first of these rounds that has been analysed; the assumption when none has."""
    for panel in Panel.objects.filter(call__in=list(rounds), analysis__isnull=False).select_related("call").order_by("-concluded_at"):
        found = kept(panel)
        share = None if found is None or found.reliability is None else found.reliability.icc2_single
        if share is not None and share.value is not None:
            return Agreement(share.value, panel.call.code)
    return Agreement(ASSUMED)


def expected(call: Call, rounds: Iterable[Call], bids: int, chosen: int) -> tuple[Agreement, list[Size], int]:
    """(agreement, the sizes side by side, experts who could be drawn today)."""
    agreement, experts = measured(rounds), len(pool_of(call))
    return agreement, sizes(agreement.value, bids, experts, chosen), experts
