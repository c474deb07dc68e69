"""作废, carried out: the ballots of the pair do not count any more, the panel scores again, and somebody who has seen no result steps in (ADR 26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Max

from grants.workflow.door import SYSTEM, perform
from grants.workflow.machine import Facts

if TYPE_CHECKING:
    from datetime import datetime

    from review.models import Panel, Voiding


def carry_out(voiding: Voiding) -> Facts:
    """Reopen the panel where it was locked, and annul the opened ballots of the pair in all stages. Raises NotNow when a step refuses."""
    panel, review = voiding.panel, voiding.review
    voiding.result_before = panel.result_hash()
    if panel.state == "scored":
        voiding.panel = perform(panel, "reopen", by=SYSTEM)
    rows = panel.reviews.filter(bid=review.bid_id, expert=review.expert_id, state="submitted", opened_at__isnull=False)
    gone = [perform(row, "annul", by=SYSTEM, reason=voiding.reason) for row in rows.order_by("pk")]
    public = {**about(voiding), "stages": [r.stage for r in gone], "result_before": voiding.result_before}
    return Facts(public=public, private={"note": voiding.reason, "why": voiding.why})


def about(voiding: Voiding) -> dict[str, str]:
    """What the ledger says of it: bid and expert code."""
    return {"bid": voiding.review.bid.number, "expert": voiding.review.expert.code}


def last_opening(panel: Panel) -> datetime | None:
    """When results were last there to be seen; None while no ballot was ever opened."""
    found: datetime | None = panel.reviews.aggregate(at=Max("opened_at"))["at"]
    return found


def saw_results(panel: Panel) -> set[Any]:
    """Keys of experts who sat when results were there: they score nothing any more, or they would know what their mark decides."""
    at = last_opening(panel)
    if at is None:
        return set()
    members = panel.members.filter(alternate=False).exclude(called_up_at__gt=at)
    return set(members.values_list("expert_id", flat=True))


def last_voiding(panel: Panel) -> datetime | None:
    """When a ballot was last voided after the lock: lots that fell before fell over another result."""
    found: datetime | None = panel.voidings.filter(state="carried_out").aggregate(at=Max("decided_at"))["at"]
    return found
