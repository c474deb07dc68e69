"""Conflicts found after the lock: the proposal to void an opened ballot. The second person decides on the proposal's own page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from grants.workflow.refusals import Refusal
from review import services
from review.conflict_checks import standing_hits
from review.forms import ReasonForm
from review.models import Panel
from review.pages import organises
from review.views import me


@login_required
@require_http_methods(["GET", "POST"])
def propose_voiding(request: HttpRequest, pk: Any, review: Any) -> HttpResponse:
    """An organiser asks that an opened ballot be voided because its expert should have stepped aside."""
    found = get_object_or_404(
        Panel.visible.filter(Panel.objects.select_related("call__agency", "call__rules_version"), me(request)), pk=pk
    )
    if not organises(me(request), found):
        raise Http404
    rows = found.reviews.filter(state="submitted", opened_at__isnull=False).select_related(
        "expert__user", "bid__call__rules_version"
    )
    row = get_object_or_404(rows, pk=review)
    form, refusal = ReasonForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.propose_voiding(row, form.cleaned_data["reason"], by=me(request))
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已提出作废，须由另一个人同意。"))
            return redirect("desk:object", kind="voiding", pk=made.pk)
    context = {
        "panel": found, "title": _("提出作废评分：%(code)s") % {"code": row.expert.code}, "facts": row.bid, "form": form, "refusal": refusal,
        "hits": standing_hits(row.expert, row.bid),
    }  # fmt: skip
    return render(request, "review/propose_voiding.html", context, status=_status(request, refusal))


def _status(request: HttpRequest, refusal: Refusal | None) -> int:
    return refusal.status if refusal else 422 if request.method == "POST" else 200
