"""校准分作为正式结果, only where the rules of the call said so before opening: the trimmed mean of totals less strictness. Pure.

Strictness is taken off as published, with two places, so that anybody can redo it; a total stays between 0 and 100.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from review.calibration import bridging
from review.calibration.model import connection
from review.calibration.numbers import published
from review.calibration.reml import fit
from review.scoring import HUNDRED

Totals = Mapping[str, Mapping[str, Decimal]]
"""Bid → expert → total."""


def strictness(totals: Totals, groups: Mapping[str, str] | None = None, *, least: int = bridging.LEAST) -> dict[str, Decimal]:
    """Expert → points to take off, two places (0.00 where nothing can be estimated). groups: bid → panel, where there are several.

    Raises ScoreRefused unbridged when bids fall into parts that no expert connects, or a panel has fewer than `least` bridging ballots: then
    they cannot be compared.
    """
    table = bridging.table_of(totals)
    if table is None:
        return {}
    found = connection(table, groups or None, least=least)
    if not found.comparable:
        raise bridging.refusal(table, found, least, named=bool(groups))
    return {code: published(float(beta) / 100) for code, beta in zip(table.experts, fit(table).beta, strict=True)}


def calibrated(total: Decimal, off: Decimal) -> Decimal:
    """A ballot's total without the expert's strictness, 0…100."""
    return min(max(total - off, Decimal(0)), HUNDRED)
