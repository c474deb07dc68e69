"""The whole account number of a payment order, for finance that compares it with the bank's paper; what for is asked and recorded."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from grants.funding.models import PaymentOrder
from grants.people.models import Agency, User
from grants.people.permissions import scopes_with
from grants.people.revealing import note
from grants.people.revealing_views import after_a_reason
from grants.people.rules import may
from grants.workflow.door import require

PAYS = may("pay_tranches")


@login_required
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, pk: UUID) -> HttpResponse:
    """404 for everybody but the paying agency's finance."""
    mine = scopes_with(request.user, "pay_tranches", Agency, "tranche__award__call__agency")
    rows = PaymentOrder.objects.select_related("tranche__award__call__agency")
    order = get_object_or_404(rows.filter(mine), tranche=pk)
    look = lambda reason: _noted(order, request.user, reason)  # type: ignore[arg-type] # noqa: E731 - the page calls it once
    return after_a_reason(request, "funding/account.html", {"order": order}, look)


def _noted(order: PaymentOrder, person: User, reason: str) -> bool:
    role = require(PAYS, order.tranche, by=person).role
    note(order.tranche, by=person, role=role, reason=reason, what=["account"])
    return True
