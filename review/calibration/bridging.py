"""跨组排名: bids of different panels are ranked together only where enough ballots bridge the panels. Pure.

One bridging ballot connects two panels in form; the difference between them is then still mostly chance. Measured (ADR 15): with ten into
every panel the error of the panels' offsets is halved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from review.calibration.model import Connection, Table, connection
from review.scoring import ScoreRefused, rounded

LEAST: Final = 10
"""Bridging ballots that every panel must have."""

Totals = Mapping[str, Mapping[str, Decimal]]
"""Bid → expert → total."""


def table_of(totals: Totals) -> Table | None:
    """The ballots as a table; None without any."""
    rows = [(bid, expert, rounded(total)) for bid, ballots in totals.items() for expert, total in ballots.items()]
    return Table.of(rows) if rows else None


def require(totals: Totals, groups: Mapping[str, str], least: int = LEAST, *, signed: bool = False) -> None:
    """groups: bid → panel. Does nothing where there is one panel only, or the same experts sat in all. Raises ScoreRefused unbridged.

    signed: the panels have signed their reports, so that no further ballot can bridge them: unbridged_signed.
    """
    table = table_of(totals)
    if table is None or _one_panel_in_fact(totals, groups):
        return
    if not (found := connection(table, groups, least=least)).comparable:
        raise refusal(table, found, least, rule="unbridged_signed" if signed else "unbridged")


def _one_panel_in_fact(totals: Totals, groups: Mapping[str, str]) -> bool:
    """Whether every panel has the very same experts."""
    sat: dict[str, set[str]] = {}
    for bid, ballots in totals.items():
        if ballots:
            sat.setdefault(groups.get(bid, ""), set()).update(ballots)
    return len({frozenset(experts) for experts in sat.values()}) < 2


def refusal(table: Table, found: Connection, least: int, *, named: bool = True, rule: str = "unbridged") -> ScoreRefused:
    """Why there is no order across panels: which panels, how many bridges each has, how many it needs, and the ways out.

    named: the bridges are told by panel; else by connected part, each by its first bids.
    """
    panels = found.bridges if named else {_part(table, int(name) - 1): n for name, n in found.bridges.items()}
    told = "、".join(f"“{name or '未分组'}”{n} 份" for name, n in panels.items())
    return ScoreRefused(rule, panels=told, parts=found.parts, least=least)


def _part(table: Table, part: int) -> str:
    bids: Sequence[str] = [bid for bid, own in zip(table.bids, table.parts.tolist(), strict=True) if own == part]
    return "、".join(bids[:3]) + (f" 等 {len(bids)} 份" if len(bids) > 3 else "")
