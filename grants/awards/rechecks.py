"""资格复核: eligibility asked again before a contract (and before each payment), from today's facts. Reads bidding, writes findings."""

from __future__ import annotations

from typing import Any

from bidding.services.screening import assess, recheck
from grants.workflow.door import SYSTEM

MOMENT = "contract"


def findings(award: Any) -> list[Any]:
    """Every eligibility rule's answer today: what was revoked, listed or has run out since screening shows here."""
    return list(assess(award.bid).values())


def failures(award: Any) -> list[str]:
    """Sentences of the rules that are not met or must be looked up anew; empty when the grantee is still eligible."""
    return [f"{f.sentence}，{f.way_out}" if f.way_out else f.sentence for f in findings(award) if f.outcome.value != "pass"]


def remember(award: Any) -> dict[str, str]:
    """Write today's findings beside the bid, with the clerks' evidence they rest on; rule → outcome. In the caller's transaction."""
    return {f.rule: str(f.outcome) for f in recheck(award.bid, MOMENT, by=SYSTEM)}
