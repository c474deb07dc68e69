"""Evaluation's verbs, in one place for views, tasks and the demo."""

from __future__ import annotations

from django.db.models import QuerySet

from grants import clock
from grants.evaluation.following import after_closing, after_termination, apply_consequences, past_facts, schedule
from grants.evaluation.gate import missing_for
from grants.evaluation.models import Evaluation
from grants.evaluation.reports import add_evidence, against_plan, keep_report, problems, save_report, sections, standing
from grants.notifications.services import send_all
from grants.people.services import holders

__all__ = [
    "add_evidence", "after_closing", "after_termination", "against_plan", "apply_consequences", "keep_report", "missing_for", "overdue", "past_facts",
    "problems", "save_report", "schedule", "sections", "standing", "tick",
]  # fmt: skip


def overdue() -> QuerySet[Evaluation]:
    """Reports that should have been handed in by now, of projects that still run."""
    late = Evaluation.objects.filter(state__in=("due", "returned"), due_at__lte=clock.now(), award__state="active")
    return late.select_related("award__bid__organisation", "award__call").order_by("due_at")


def tick() -> int:
    """Remind every grantee whose report is late, once per report; returns how many letters were new. Called by the schedule."""
    sent = 0
    for late in overdue():
        readers = holders("write_bids", late.award.bid.organisation) | holders("sign_for", late.award.bid.organisation)
        key = f"evaluation.overdue/{late.pk}"
        sent += send_all(
            to=readers, template="evaluation/overdue", context={"evaluation": late}, key=key, link=f"/o/evaluation/{late.pk}/"
        )
    return sent
