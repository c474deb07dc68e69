"""The invitation, as the member reads and answers it; the reminder, as the organiser sends it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from grants.workflow.refusals import Refusal
from review import services
from review.forms import ReasonForm
from review.models import LIVE, Panel, PanelMember
from review.panels import bids_of, last_day
from review.views import me


@login_required
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, pk: Any) -> HttpResponse:
    """Dates, load, fee; accept or decline. Only for the member; alternates and strangers find nothing."""
    seat = _seat(request, pk)
    form = ReasonForm(request.POST if request.POST.get("do") == "decline" else None)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            if request.POST.get("do") == "join":
                services.join(seat.panel, by=me(request))
                messages.success(request, _("已接受邀请。开始评分时会通知您。"))
                return redirect("review:mine")
            if form.is_bound and form.is_valid():
                services.decline(seat.panel, form.cleaned_data["reason"], by=me(request))
                messages.success(request, _("已谢绝邀请，系统将通知候补专家。谢谢您的答复。"))
                return redirect("review:mine")
        except Refusal as refused:
            refusal = refused
    status = refusal.status if refusal else 422 if request.method == "POST" else 200
    return render(request, "review/invitation.html", {**_facts(seat), "form": form, "refusal": refusal}, status=status)


def _seat(request: HttpRequest, pk: Any) -> PanelMember:
    rows = PanelMember.objects.filter(panel=pk, expert__user=me(request), alternate=False, excused=False)
    rows = rows.filter(panel__state__in=("forming", "scoring"))
    return get_object_or_404(rows.select_related("panel__call__agency", "panel__call__rules_version", "expert"))


def _facts(seat: PanelMember) -> dict[str, Any]:
    panel = seat.panel
    assigned = panel.reviews.filter(expert=seat.expert, state__in=LIVE).values("bid").distinct().count()
    return {
        "seat": seat, "panel": panel, "call": panel.call, "due": last_day(panel), "assigned": assigned,
        "bids": len(bids_of(panel)), "stages": panel.rules.review.stages, "years": panel.rules.review.panel.conflict_years,
    }  # fmt: skip


@login_required
@require_POST
def remind(request: HttpRequest, pk: Any) -> HttpResponse:
    """One letter to each member with open reviews, once a day."""
    found = get_object_or_404(Panel.visible.filter(Panel.objects.all(), me(request)), pk=pk)
    try:
        services.remind(found, by=me(request))
    except Refusal as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, _("已催办：还有评审没有交的专家各收到一封信。"))
    return redirect("review:panel", pk=pk)
