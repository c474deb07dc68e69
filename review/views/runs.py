"""Solved assignments as files, and the proposal to exchange an expert."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from grants.workflow.refusals import Refusal
from review import services
from review.forms import SwapForm
from review.models import Panel
from review.pages import LOCKED, organises, sits
from review.views import me

FILES = {"IN": "question", "OUT": "answer"}


@login_required
@require_GET
def download(request: HttpRequest, pk: Any, run: int, which: str) -> HttpResponse:
    """IN.json or OUT.json of a run. Members of the panel learn who reviews what only when the scores are locked."""
    found = _panel(request, pk)
    if which not in FILES or (sits(me(request), found) and found.state not in LOCKED):
        raise Http404
    row = get_object_or_404(found.runs, pk=run)
    answer = HttpResponse(getattr(row, FILES[which]), content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="assignment-{row.pk}-{which}.json"'
    return answer


@login_required
@require_http_methods(["GET", "POST"])
def swap(request: HttpRequest, pk: Any, review: Any) -> HttpResponse:
    """Propose another expert for one bid; a second person decides on the proposal's own page."""
    found = _panel(request, pk)
    if not organises(me(request), found):
        raise Http404
    row = get_object_or_404(found.reviews.filter(state__in=("assigned", "accepted")).select_related("expert", "bid", "panel"), pk=review)
    form = SwapForm(request.POST or None, review=row)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            services.propose_swap(row, form.cleaned_data["expert"], form.cleaned_data["reason"], by=me(request))
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已提出换人，须由另一位工作人员同意后才更换。"))
            return redirect("review:panel", pk=found.pk)
    status = refusal.status if refusal else 422 if request.method == "POST" else 200
    return render(request, "review/swap.html", {"panel": found, "review": row, "form": form, "refusal": refusal}, status=status)


def _panel(request: HttpRequest, pk: Any) -> Panel:
    rows = Panel.objects.select_related("call__agency", "call__rules_version")
    return get_object_or_404(Panel.visible.filter(rows, me(request)), pk=pk)
