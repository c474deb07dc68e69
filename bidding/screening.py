"""Eligibility findings: which count, which are open, which fail. Reads only; imports no model.

A finding is never changed. Of several about one rule at one moment (screening, before contract, before a payment) the latest counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

SCREENING = "screening"
PASS, FAIL, NEEDS_CLERK = "pass", "fail", "needs_clerk"


def standing(bid: Any, moment: str = SCREENING) -> list[Any]:
    """The finding that counts for each rule at `moment`, in the order in which the rules were first asked."""
    latest: dict[str, Any] = {}
    for finding in bid.findings.all():
        if finding.moment == moment:
            latest[finding.rule] = finding
    return list(latest.values())


def open_findings(bid: Any, moment: str = SCREENING) -> tuple[list[str], list[str]]:
    """(undecided, failed): sentences of the rules without a conclusion and of those not met.

    A bid that was never screened at this moment is undecided as a whole.
    """
    found = standing(bid, moment)
    if not found:
        return ["尚未核查"], []
    undecided = [f.sentence for f in found if f.outcome == NEEDS_CLERK]
    return undecided, [f.sentence for f in found if f.outcome == FAIL]


def still_fresh(finding: Any, now: datetime, valid_days: int | None) -> bool:
    """Whether a clerk's finding may be used again at a later moment; valid_days None: a look-up that does not age."""
    return valid_days is None or finding.looked_up_at + timedelta(days=valid_days) > now
