"""What follows steps, in evaluation: the calendar of a project, consequences of a grade, endings, letters."""

from __future__ import annotations

from typing import Any

from grants.awards.models import Award
from grants.evaluation import following
from grants.evaluation.models import Evaluation
from grants.funding.models import ChangeRequest
from grants.notifications.services import send_all
from grants.people.services import holders
from grants.workflow.effects import Job, effect


def _award(job: Job) -> Award:
    return Award.objects.select_related("bid__organisation", "call__agency", "contract").get(pk=job.object_id)


def _evaluation(job: Job) -> Evaluation:
    return Evaluation.objects.select_related(*Evaluation.door_select).get(pk=job.object_id)


@effect("evaluation.schedule")
def schedule(job: Job) -> None:
    """Arrange the evaluations of an award that has begun."""
    following.schedule(_award(job))


@effect("evaluation.apply_consequences")
def apply_consequences(job: Job) -> None:
    """Carry out what the confirmed grade leads to."""
    following.apply_consequences(_evaluation(job))


@effect("evaluation.after_closing")
def after_closing(job: Job) -> None:
    """Fulfil the contract and write the organisation's record when an award is closed."""
    following.after_closing(_award(job))


@effect("evaluation.after_termination")
def after_termination(job: Job) -> None:
    """Stop payments and write the organisation's record when an award is terminated."""
    following.after_termination(_award(job))


@effect("evaluation.tell_submitted")
def tell_submitted(job: Job) -> None:
    """Write to the evaluator, or to those who nominate one, that a report has come."""
    found = _evaluation(job)
    readers: Any = [found.evaluator] if found.evaluator else holders("check_tranches", found.agency)
    send_all(
        to=readers, template="evaluation/submitted", context={"evaluation": found}, key=job.key, link=f"/o/evaluation/{found.pk}/"
    )


@effect("evaluation.tell_reason_accepted")
def tell_reason_accepted(job: Job) -> None:
    """Write to the grantee that the reason for being late was accepted and the report may still be handed in."""
    found = _evaluation(job)
    readers = holders("write_bids", found.organisation) | holders("sign_for", found.organisation)
    link = f"/o/evaluation/{found.pk}/"
    send_all(to=readers, template="evaluation/reason_accepted", context={"evaluation": found}, key=job.key, link=link)


@effect("evaluation.tell_confirmed")
def tell_confirmed(job: Job) -> None:
    """Write to the grantee which grade was confirmed and what follows."""
    found = _evaluation(job)
    readers = holders("write_bids", found.organisation) | holders("sign_for", found.organisation)
    send_all(
        to=readers, template="evaluation/confirmed", context={"evaluation": found}, key=job.key, link=f"/o/evaluation/{found.pk}/"
    )


@effect("evaluation.follow_change")
def follow_change(job: Job) -> None:
    """A project that was extended hands its final report in later by as many months; one already handed in stays."""
    change = ChangeRequest.objects.select_related("award").get(pk=job.object_id)
    if change.extension_months:
        following.later(change.award, change.extension_months)
