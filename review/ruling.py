"""偏离评分的处理: which ballots the committee may rule on, and what follows from its ruling (ADR 24).

The figures are those of the alarm before the lock, asked of every ballot, excluded ones too: a ruling never makes another ballot deviate.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from grants.workflow.machine import Facts
from review.models import Review
from review.results import Tally, compute
from review.scoring import rounded

if TYPE_CHECKING:
    from review.models import Panel, Ruling


@dataclass(frozen=True)
class Flagged:
    """A ballot that set off an alarm. rules: “percent”, “residual”; total, others: points of it and the mean of the bid's other ballots."""

    review: Review
    rules: tuple[str, ...]
    total: Decimal
    others: Decimal | None
    reason: str


def flagged(panel: Panel) -> list[Flagged]:
    """The flagged ballots of a locked panel, in order of bid and expert; empty before the lock."""
    if panel.state not in ("scored", "concluded"):
        return []
    tally = Tally.of(panel, whole=True)
    rows = [_flagged(tally, review, rules) for review, rules in tally.alarms()]
    return sorted(rows, key=lambda row: (row.review.bid.number, row.review.expert.code, row.review.stage))


def _flagged(tally: Tally, review: Review, rules: tuple[str, ...]) -> Flagged:
    totals = tally.totals(review.bid, review.stage)
    rest = [total for code, total in totals.items() if code != review.expert.code]
    mean = rounded(sum(rest, Decimal(0)) / len(rest)) if rest else None
    return Flagged(review, rules, totals[review.expert.code], mean, review.reason)


def carry_out(ruling: Ruling) -> Facts:
    """Keep the result's hash, and where the ballot is excluded write the results anew without it. Raises Invalid when none would be left."""
    panel = ruling.panel
    before = ruling.result_before = panel.result_hash()
    if ruling.outcome == ruling.Outcome.EXCLUDE:
        compute(panel, without=ruling.review)
    public = {**about(ruling), "result_before": before, "result": panel.result_hash()}
    return Facts(public=public, private={"note": ruling.reason})


def about(ruling: Ruling) -> dict[str, str]:
    """What the ledger says of a ruling: bid, expert code, stage, outcome."""
    review = ruling.review
    return {"bid": review.bid.number, "expert": review.expert.code, "stage": review.stage, "outcome": str(ruling.outcome)}
