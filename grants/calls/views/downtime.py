"""故障时钟: what was down, what the published rule makes of it, and the approver's confirmation."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from grants.calls import outages
from grants.calls.downtime import proposal
from grants.calls.forms import DowntimeForm
from grants.calls.models import Call
from grants.calls.questions import ANSWERING
from grants.people.forms import show_refusal
from grants.people.models import Agency
from grants.people.permissions import permissions_of, scopes_with
from grants.workflow.refusals import Refusal


@login_required
@require_http_methods(["GET", "POST"])
def downtime(request: HttpRequest, pk: UUID) -> HttpResponse:
    """For the agency's people; officers record, approvers confirm."""
    rows = Call.objects.select_related("agency", "rules_version").filter(pk=pk, published_at__isnull=False)
    call = rows.filter(scopes_with(request.user, "read_calls", Agency, "agency")).first()
    if call is None:
        raise Http404(_("没有这次征集，或还没有公开。"))
    form, status = DowntimeForm(request.POST if request.POST.get("act") == "record" else None), 200
    if request.method == "POST":
        done, status = _act(request, call, form)
        if done:
            messages.success(request, done)
            return redirect("calls:downtime", call.pk)
    held = permissions_of(request.user, call.agency)
    context = {
        "call": call,
        "form": form if "draft_calls" in held else None,
        "proposal": proposal(call) if call.state in ANSWERING else None,
        "rule": call.rules.timetable.outage,
        "confirms": "approve_calls" in held,
    }
    return render(request, "calls/downtime.html", context, status=status)


def _act(request: HttpRequest, call: Call, form: DowntimeForm) -> tuple[str, int]:
    """(what was done, status); nothing done leaves the form with its faults."""
    try:
        if request.POST.get("act") == "confirm":
            outages.confirm(call, by=request.user)  # type: ignore[arg-type]
            return _("已顺延截止时间，并通知所有可申报的单位。"), 200
        if not form.is_valid():
            return "", 422
        values = form.cleaned_data
        outages.record(call, values["started_at"], values["ended_at"], values["note"], by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        if form.is_bound:
            show_refusal(form, refusal)
        else:
            messages.error(request, str(refusal))
        return "", refusal.status
    return _("已登记故障。"), 200
