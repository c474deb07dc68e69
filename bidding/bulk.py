"""成批通过资格审查: every bid whose rules are all met, one by one through the door, with a result for each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bidding.models import Bid
from bidding.queue import ready_to_admit
from bidding.rules import screens_calls
from grants.calls.models import Call
from grants.people.models import User
from grants.workflow.door import perform
from grants.workflow.jobs import Done, Target, job_kind, start
from grants.workflow.models import BulkJob, JobItem

ADMIT = "bidding.admit_ready"


def _call(pk: UUID) -> Call:
    return Call.objects.select_related("agency").get(pk=pk)


@job_kind(ADMIT, gettext_lazy("批量通过资格审查"), by=screens_calls, scope_of=_call)
def admit(item: JobItem) -> Done:
    """批量通过资格审查：逐份经过同一道门"""
    bid = Bid.objects.select_related(*Bid.door_select).get(pk=item.object_id)
    perform(bid, "admit", by=asker(item), note=item.job.note)
    return Done(_("已通过，进入评审。"))


def asker(item: JobItem) -> User:
    """Who asked for the job; what they may do is asked anew for every item."""
    return User.objects.get(pseudonym=item.job.requested_by)


def admit_ready(call: Call, *, by: Any, note: str = "") -> BulkJob:
    """Start the job over every bid that is ready now. Raises NotYou, Invalid (none is ready), NotNow (one still runs)."""
    targets = [Target(bid.subject, bid.pk, f"{bid.number} {bid.title}") for bid in ready_to_admit(call, by)]
    return start(ADMIT, call, targets, by=by, title=_("批量通过资格审查 %(call)s") % {"call": call.code}, note=note)
