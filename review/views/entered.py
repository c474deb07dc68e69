"""统一录入的分数: what officers entered beside the ballots, what became of it, and the proposal to correct one. Decided on the proposal's own page."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from grants.workflow.refusals import Refusal
from review import other_scores, services
from review.correcting import pending
from review.forms import CorrectionForm
from review.models import OtherScore, Panel, ScoreCorrection
from review.pages import organises, reads_entered
from review.panels import bids_of
from review.views import me

PER_PAGE = 50
"""Bids on one page; each has a row per component."""


@login_required
@require_GET
def entered(request: HttpRequest, pk: Any) -> HttpResponse:
    """Every score entered once, with its basis and who entered it; corrections that wait come first, those decided stand with their score."""
    found = _panel(request, pk)
    arranges, actor = organises(me(request), found), me(request)
    page = Paginator(bids_of(found), PER_PAGE).get_page(request.GET.get("page"))
    waits = list(pending(found))
    context = {
        "panel": found, "page": page, "rows": _rows(found, list(page)), "organises": arranges, "opened": found.locked_by_id is not None,
        "waiting": [{"made": made, "mine": made.proposed_by_id == actor.pk, "decides": arranges and made.proposed_by_id != actor.pk} for made in waits],
    }  # fmt: skip
    return render(request, "review/entered.html", context)


def _rows(found: Panel, bids: list[Any]) -> list[dict[str, Any]]:
    """One row for each bid and component, entered or not; three queries, however many."""
    scores = OtherScore.objects.filter(panel=found, bid__in=bids).select_related("entered_by")
    given = {(score.bid_id, score.component): score for score in scores}
    made: dict[Any, list[ScoreCorrection]] = defaultdict(list)
    for row in ScoreCorrection.objects.filter(panel=found, score__bid__in=bids).select_related("proposed_by", "decided_by").order_by("created_at"):
        made[row.score_id].append(row)
    return [
        {"bid": bid, "part": part, "score": score, "corrections": history, "waits": any(c.state == "proposed" for c in history)}
        for bid in bids
        for part in other_scores.components(found.rules, bid)
        for score in [given.get((bid.pk, part.code))]
        for history in [made[score.pk] if score is not None else []]
    ]


@login_required
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, pk: Any, score: int) -> HttpResponse:
    """Propose another value or basis for one entered score; what was typed stays on the page whatever refuses it."""
    found = _panel(request, pk)
    if not organises(me(request), found):
        raise Http404
    row = get_object_or_404(found.other_scores.select_related("bid", "entered_by"), pk=score)
    form, refusal = CorrectionForm(request.POST or None, initial={"basis": row.basis}), None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.propose_correction(row, by=me(request), **form.cleaned_data)
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已提出更正，须由另一位工作人员确认；确认以前按原分数计算。"))
            return redirect("desk:object", kind="score_correction", pk=made.pk)
    status = refusal.status if refusal else 422 if request.method == "POST" else 200
    part = next((c for c in other_scores.components(found.rules, row.bid) if c.code == row.component), None)
    context = {"panel": found, "score": row, "part": part, "form": form, "refusal": refusal, "waits": row.corrections.filter(state="proposed").first()}
    return render(request, "review/correct.html", context, status=status)


def _panel(request: HttpRequest, pk: Any) -> Panel:
    """The panel, for whoever reads what was entered; for everybody else there is none."""
    rows = Panel.objects.select_related("call__agency", "call__rules_version")
    found = get_object_or_404(Panel.visible.filter(rows, me(request)), pk=pk)
    if not reads_entered(me(request), found):
        raise Http404
    return found
