"""The whole account number of a payment order, for finance that compares it with the bank's paper; what for is asked and recorded."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from grants.funding.models import PaymentOrder
from grants.people.forms import show_refusal
from grants.people.models import Agency
from grants.people.permissions import scopes_with
from grants.people.revealing import note
from grants.people.revealing_views import ReasonForm
from grants.people.rules import may
from grants.workflow.door import require
from grants.workflow.refusals import Refusal

PAYS = may("pay_tranches")


@login_required
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, pk: UUID) -> HttpResponse:
    """404 for everybody but the paying agency's finance."""
    mine = scopes_with(request.user, "pay_tranches", Agency, "tranche__award__call__agency")
    rows = PaymentOrder.objects.select_related("tranche__award__call__agency")
    order = get_object_or_404(rows.filter(mine), tranche=pk)
    form, shown = ReasonForm(request.POST or None), False
    if form.is_valid():
        shown = _noted(form, order, request)
    answer = render(request, "funding/account.html", {"form": form, "order": order, "shown": shown}, status=422 if form.errors else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _noted(form: ReasonForm, order: PaymentOrder, request: HttpRequest) -> bool:
    person = request.user
    try:
        role = require(PAYS, order.tranche, by=person).role
        note(order.tranche, by=person, role=role, reason=form.cleaned_data["reason"], what=["account"])  # type: ignore[arg-type]
    except Refusal as refusal:
        show_refusal(form, refusal)
        return False
    return True
