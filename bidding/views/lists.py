"""My bids, and beginning one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from bidding import services
from bidding.completeness import needs_sponsor
from bidding.forms import StartForm, show
from bidding.models import Bid
from bidding.one_page import fits_one_page
from bidding.views.access import open_call, own_organisations
from grants import clock
from grants.calls.models import Call
from grants.people.models import Organisation
from grants.people.permissions import scopes_with
from grants.people.services import sponsor_on
from grants.workflow.refusals import Refusal

PER_PAGE = 50


@login_required
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """Bids of my organisations, newest first, and the calls that accept bids now."""
    belongs = Q()
    for path, permission in (("organisation", "see_bids"), ("sponsor", "sponsor")):
        belongs |= scopes_with(request.user, permission, Organisation, path)
    rows = Bid.objects.filter(belongs).select_related("call", "organisation", "sponsor").order_by("-created_at", "pk")
    now = clock.now()
    calls = Call.objects.filter(state__in=("published", "open"), opens_at__lte=now, closes_at__gt=now).order_by("closes_at")
    context = {"page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")), "calls": calls,
               "may_start": own_organisations(request.user).exists()}  # fmt: skip
    return render(request, "bidding/mine.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, pk: Any) -> HttpResponse:
    """Begin a bid: which organisation, and a working title."""
    call = open_call(pk)
    organisations = own_organisations(request.user)
    form = StartForm(organisations, data=request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                return _begin(request, call, form.cleaned_data)
            except Refusal as refusal:
                show(form, getattr(refusal, "problems", {}), str(refusal))
        status = 422
    return render(request, "bidding/start.html", {"form": form, "call": call, "some": organisations.exists()}, status=status)


def _begin(request: HttpRequest, call: Call, asked: dict[str, Any]) -> HttpResponse:
    organisation = asked["organisation"]
    sponsor = sponsor_on(organisation, clock.today()) if needs_sponsor(call.rules, organisation) else None
    bid = services.start_prefilled(call, organisation, by=request.user, title=asked["title"], sponsor=sponsor)  # type: ignore[arg-type]
    if bid.is_sealed:
        return redirect("bidding:sealed", bid.pk)
    carried = bid.prefills.count()
    if carried:
        messages.success(request, _("已从单位资料和以往申报带入 %(n)d 项内容，请逐项核对后确认。") % {"n": carried})
    return redirect("bidding:one_page" if fits_one_page(bid.rules) else "bidding:tasks", bid.pk)
