"""抽取 and 回避申请: the organiser publishes a draw; a bidder asks for a recusal."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bidding.models import Bid
from grants.calls.models import Call
from grants.workflow.door import require
from grants.workflow.refusals import Refusal
from review import services
from review.challenge_rules import bidder, bound
from review.forms_draw import ChallengeForm, PublishForm
from review.models import Challenge, Draw, Expert
from review.rules import organiser
from review.views import me


@login_required
@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest, pk: Any) -> HttpResponse:
    """Publish a draw of experts by commitments; where one is running, go to it."""
    call = get_object_or_404(Call.visible.filter(Call.objects.select_related("agency", "rules_version"), me(request)), pk=pk)
    require(organiser, Draw(call=call), by=me(request))
    running = Draw.objects.filter(call=call, about="panel").exclude(state__in=("drawn", "failed")).first()
    if running is not None:
        return redirect("desk:object", kind="draw", pk=running.pk)
    again = Draw.objects.filter(call=call, about="panel", state="failed").exists()
    form = PublishForm(request.POST or None, again=again, me=me(request))
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.publish(call, by=me(request), **form.terms())
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("名单已公布，哈希已写入台账。"))
            return redirect("desk:object", kind="draw", pk=made.pk)
    return render(request, "review/publish_draw.html", {"call": call, "form": form, "refusal": refusal}, status=_status(request, refusal))


@login_required
@require_http_methods(["GET", "POST"])
def challenge(request: HttpRequest, pk: Any) -> HttpResponse:
    """A bidder names an expert who should step aside; the bound is shown, and what was asked before."""
    bid = get_object_or_404(Bid.visible.filter(Bid.objects.select_related("call__agency", "call__rules_version", "organisation"), me(request)), pk=pk)
    require(bidder, Challenge(bid=bid), by=me(request))
    form = ChallengeForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.challenge(bid, by=me(request), **form.cleaned_data)
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("申请已提出，由主办方负责人决定。"))
            return redirect("desk:object", kind="challenge", pk=made.pk)
    filed = list(Challenge.objects.filter(bid=bid).order_by("created_at"))
    most = bound(Expert.objects.filter(is_active=True).count())
    context = {
        "bid": bid, "form": form, "refusal": refusal, "filed": filed, "bound": most, "left": max(most - len(filed), 0),
        "years": bid.call.rules.review.panel.conflict_years,
    }  # fmt: skip
    return render(request, "review/challenge.html", context, status=_status(request, refusal))


def _status(request: HttpRequest, refusal: Refusal | None) -> int:
    if refusal is not None:
        return refusal.status
    return 422 if request.method == "POST" else 200
