"""The award pack's page: what it will hold, the packs made before, one button."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from grants import clock
from grants.awards.models import Award
from grants.awards.rules import preparer
from grants.calls.models import Call
from grants.desk import pack
from grants.people.models import Agency
from grants.people.permissions import scopes_with
from grants.workflow.models import BulkJob
from grants.workflow.refusals import Refusal


@login_required
@require_http_methods(["GET", "POST"])
def award_pack(request: HttpRequest, pk: Any) -> HttpResponse:
    """立项资料包 of a call: for those who read its files; made by those who prepare awards."""
    inside = scopes_with(request.user, "read_calls", Agency, "agency")
    call = get_object_or_404(Call.objects.filter(inside).select_related("agency"), pk=pk)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            return redirect("desk:job", pack.award_pack(call, by=request.user).pk)
        except Refusal as refused:
            refusal = refused
    awards = Award.objects.filter(call=call, state__in=pack.TAKEN)
    context = {
        "call": call, "n": awards.count(), "without": awards.filter(contract=None).count(), "refusal": refusal,
        "jobs": BulkJob.objects.filter(kind=pack.PACK, scope_id=call.pk)[:50], "may": preparer.allows(call, request.user, clock.now()),
    }  # fmt: skip
    return render(request, "desk/pack.html", context, status=refusal.status if refusal else 200)
