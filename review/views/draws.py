"""抽取 and 回避申请: the organiser announces or publishes a draw; a bidder asks for a recusal."""

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
from review.forms_draw import AnnounceForm, ChallengeForm, PublishForm
from review.models import Challenge, Draw, Expert, Panel
from review.rules import organiser
from review.transcript import COMMITTED
from review.views import me


@login_required
@require_http_methods(["GET", "POST"])
def convene(request: HttpRequest, pk: Any) -> HttpResponse:
    """Announce a simple draw of experts; where the rules want commitments, the other page; where one is running, its own."""
    call = _call(request, pk)
    if str(call.rules.review.panel.draw) == COMMITTED:
        return redirect("review:publish_draw", pk=pk)
    return _experts(request, call, AnnounceForm(request.POST or None, again=_drawn_before(call)), "review/convene.html")


@login_required
@require_http_methods(["GET", "POST"])
def publish(request: HttpRequest, pk: Any) -> HttpResponse:
    """Publish a draw of experts by commitments; where one is running, go to it."""
    call = _call(request, pk)
    return _experts(request, call, PublishForm(request.POST or None, again=_drawn_before(call), me=me(request)), "review/publish_draw.html")


def _call(request: HttpRequest, pk: Any) -> Call:
    call = get_object_or_404(Call.visible.filter(Call.objects.select_related("agency", "rules_version"), me(request)), pk=pk)
    require(organiser, Draw(call=call), by=me(request))
    return call


def _drawn_before(call: Call) -> bool:
    return Draw.objects.filter(call=call, about="panel").exists()


def _experts(request: HttpRequest, call: Call, form: Any, template: str) -> HttpResponse:
    running = Draw.objects.filter(call=call, about="panel").exclude(state__in=("drawn", "failed")).first()
    if running is not None:
        return redirect("desk:object", kind="draw", pk=running.pk)
    refusal, made = opened(request, form, call)
    if made is not None:
        return redirect("desk:object", kind="draw", pk=made.pk)
    context = {"call": call, "form": form, "refusal": refusal, "rules": call.rules.review}
    return render(request, template, context, status=_status(request, refusal))


def opened(request: HttpRequest, form: Any, call: Call, panel: Panel | None = None, about: str = "") -> tuple[Refusal | None, Draw | None]:
    """Announce or publish what the form says. Returns why not, and the draw that is under way now."""
    if request.method != "POST":
        return None, None
    act = services.publish if isinstance(form, PublishForm) else services.announce
    try:
        require(organiser, Draw(call=call, panel=panel), by=me(request))
        if not form.is_valid():
            return None, None
        made = act(call, panel=panel, about=about, by=me(request), **form.terms())
    except Refusal as refused:
        return refused, None
    messages.success(request, _("名单已公布，哈希已写入台账。"))
    return None, made


def form_for(request: HttpRequest, panel: Panel, about: str) -> Any:
    """The form that announces an order or a lot in the way the rules of the call say."""
    again = panel.draws.filter(about=about).exists()
    if str(panel.rules.review.panel.draw) != COMMITTED:
        return AnnounceForm(request.POST or None, again=again)
    form = PublishForm(request.POST or None, again=again, me=me(request))
    del form.fields["challenge_until"]  # nobody's relation is judged here
    return form


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
