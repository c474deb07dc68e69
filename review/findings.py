"""核对: every member of a panel compared with every bid; each finding is kept once, whoever computes it again."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from grants import clock, ledger
from grants.people.models import User
from grants.workflow.door import require
from grants.workflow.rules import Answer
from review.conflict_checks import HANDED_IN, Ground, fingerprint
from review.conflicts import Hit
from review.models import ConflictHit, Expert, Panel
from review.panels import bids_of
from review.rules import organiser


def check_conflicts(panel: Panel, *, by: User) -> list[ConflictHit]:
    """Compare every member, alternates too, with every bid; keep each finding once. Returns the findings that stand.

    Run after the draw and whenever something new is known. One ledger entry with counts. Raises NotYou.
    """
    with transaction.atomic():
        answer = require(organiser, panel, by=by)
        experts = [m.expert for m in panel.members.select_related("expert__user")]
        bids = list(_every_bid(panel))
        ground = Ground.of(experts, bids)
        found = [(e, b, hit) for e in experts for b in bids for hit in ground.all_hits(e, b)]
        fresh = ConflictHit.objects.bulk_create([_row(panel, e, b, hit, by) for e, b, hit in found], ignore_conflicts=True)
        remember("panel.check_conflicts", panel, by, answer, {"pairs": len(experts) * len(bids), "hits": len(fresh)})
    return list(panel.hits.filter(dismissed_by=None).select_related("expert__user", "bid"))


def _every_bid(panel: Panel) -> Any:
    if panel.state != "forming":
        return bids_of(panel)
    rows = panel.call.bids.filter(state__in=HANDED_IN)
    return rows.select_related("organisation", "sponsor", "call__rules_version").order_by("number", "pk")


def _row(panel: Panel, expert: Expert, bid: Any, hit: Hit, by: User) -> ConflictHit:
    source = next((e.source for e in hit.evidence if e.source != "computed"), "computed")
    return ConflictHit(
        panel=panel, expert=expert, bid=bid, fingerprint=fingerprint(hit), test=f"{hit.test}:{hit.rule}", sentence=hit.sentence[:500],
        source=source, ties=[int(e.ref.removeprefix("tie:")) for e in hit.evidence if e.ref], found_at=clock.now(), found_by=by,
    )  # fmt: skip


def remember(event: str, panel: Panel, by: Any, answer: Answer, public: dict[str, Any]) -> None:
    """One ledger entry about a panel that is no step of it."""
    ledger.record(
        event=event,
        actor=str(by.pseudonym),
        role=answer.role,
        subject=panel.subject,
        scope=f"call:{panel.call_id}",
        public=public,
    )
