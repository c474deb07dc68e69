"""校准分作为正式结果, only where the rules of the call said so before opening: the trimmed mean of totals less strictness. Pure.

Strictness is taken off as published, with two places, so that anybody can redo it; a total stays between 0 and 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from review.calibration.model import Table, connection
from review.calibration.numbers import published
from review.calibration.reml import fit
from review.scoring import HUNDRED, ScoreRefused, rounded

Totals = Mapping[str, Mapping[str, Decimal]]
"""Bid → expert → total."""


def strictness(totals: Totals) -> dict[str, Decimal]:
    """Expert → points to take off, two places (0.00 where nothing can be estimated).

    Raises ScoreRefused unbridged when bids fall into parts that no expert connects: then they cannot be compared.
    """
    rows = [(bid, expert, rounded(total)) for bid, ballots in totals.items() for expert, total in ballots.items()]
    if not rows:
        return {}
    table = Table.of(rows)
    if not connection(table).comparable:
        raise ScoreRefused("unbridged")
    return {code: published(float(beta) / 100) for code, beta in zip(table.experts, fit(table).beta, strict=True)}


def calibrated(total: Decimal, off: Decimal) -> Decimal:
    """A ballot's total without the expert's strictness, 0…100."""
    return min(max(total - off, Decimal(0)), HUNDRED)
