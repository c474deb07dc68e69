"""成批开付款单: approved tranches of one call, one order each, through the same door, with a result for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.calls.models import Call
from grants.funding.models import Tranche
from grants.people.models import User
from grants.people.rules import may
from grants.workflow.door import perform
from grants.workflow.jobs import Done, Target, job_kind, start
from grants.workflow.models import BulkJob, JobItem
from grants.workflow.refusals import Invalid

ORDER = "funding.order_many"


def _call(pk: UUID) -> Call:
    return Call.objects.select_related("agency").get(pk=pk)


@job_kind(ORDER, gettext_lazy("批量开付款单"), by=may("pay_tranches"), scope_of=_call)
def order(item: JobItem) -> Done:
    """批量开付款单：逐期经过同一道门，每期只开一张"""
    tranche = Tranche.objects.select_related(*Tranche.door_select).get(pk=item.object_id)
    done = perform(tranche, "order", by=User.objects.get(pseudonym=item.job.requested_by))
    return Done(_("已开付款单 %(key)s。") % {"key": done.payment_order.key})


def order_many(tranches: Sequence[Tranche], *, by: Any) -> BulkJob:
    """Start the job over approved tranches of one call. Raises NotYou, Invalid (none chosen, or of several calls), NotNow (one still runs)."""
    calls = {t.award.call_id: t.award.call for t in tranches}
    if len(calls) != 1:
        raise Invalid(_("请勾选同一次征集的拨款；不同征集的请分次办理。"), rule="one_call")
    (call,) = calls.values()
    targets = [Target(t.subject, t.pk, f"{t} {t.award.bid.title}") for t in tranches]
    return start(ORDER, call, targets, by=by, title=_("批量开付款单 %(call)s") % {"call": call.code})
