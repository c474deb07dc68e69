"""偏离提醒: which ballots their experts are asked about, and by which rule. Pure arithmetic over totals; decides nothing.

Two rules (review.md §3.5, §4.5). A ballot further from the mean of its bid than the call's percentage; and a ballot whose residual, once the
bid's value and the expert's own strictness are taken out, is more than 2.5 robust standard deviations: raw points mostly hit strict, honest
experts, residuals flag about one honest ballot in a hundred. A residual below LEAST is never worth a question, and an expert with fewer
than FEWEST bids has no strictness that could be told from chance: one odd ballot would only accuse its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from review import scoring
from review.calibration.alarms import LIMIT, robust_t
from review.calibration.model import Table
from review.calibration.reml import fit

LEAST = 500
"""Hundredths of a point."""
FEWEST = 5
"""Bids of an expert in one stage from which a residual says something (at five, its own data weigh some three quarters)."""
PERCENT, RESIDUAL = "percent", "residual"


@dataclass(frozen=True)
class Row:
    """One ballot: bid, stage, expert code, total with at most two places."""

    bid: str
    stage: str
    expert: str
    total: Decimal


def deviating(rows: Iterable[Row], *, percent: Decimal) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """(bid, stage, expert) → the rules by which it is asked about: "percent", "residual". Stages are judged apart."""
    found: dict[tuple[str, str, str], set[str]] = {}
    ballots = list(rows)
    for stage in sorted({row.stage for row in ballots}):
        here = [row for row in ballots if row.stage == stage]
        for key in _by_percent(here, percent):
            found.setdefault(key, set()).add(PERCENT)
        for key in _by_residual(here):
            found.setdefault(key, set()).add(RESIDUAL)
    return {key: tuple(sorted(rules)) for key, rules in sorted(found.items())}


def _by_percent(rows: list[Row], percent: Decimal) -> list[tuple[str, str, str]]:
    totals: dict[str, dict[str, Decimal]] = {}
    for row in rows:
        totals.setdefault(row.bid, {})[row.expert] = row.total
    stage = rows[0].stage
    return [(bid, stage, d.reviewer) for bid, given in totals.items() for d in scoring.deviations(given, limit=percent)]


def _by_residual(rows: list[Row]) -> list[tuple[str, str, str]]:
    table = Table.of([(row.bid, row.expert, row.total) for row in rows])
    left = fit(table).residuals(table)
    t = robust_t(left)
    if t is None:
        return []
    known = table.per_expert[table.expert] >= FEWEST
    far = [i for i in range(table.n) if known[i] and abs(t[i]) > LIMIT and abs(left[i]) >= LEAST]
    return [(table.bids[table.bid[i]], rows[0].stage, table.experts[table.expert[i]]) for i in far]
