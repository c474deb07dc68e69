"""Reading what was submitted: versions, and one of them in full, fit for printing."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from bidding.rules import belongs_to
from bidding.services import receipts
from bidding.views.access import seen


@login_required
@require_GET
def versions(request: HttpRequest, pk: Any) -> HttpResponse:
    """Every submitted version with its time, hash and receipt."""
    bid = seen(request, pk)
    rows = bid.versions.select_related("receipt", "submitted_by").order_by("-number")
    sealed = bid.sealed_versions.select_related("receipt", "submitted_by").order_by("-number") if bid.sealed else ()
    own = belongs_to(bid, request.user)
    held = receipts.of_bid(bid) if own else []
    waiting = receipts.waiting(held) if own else set()
    return render(request, "bidding/versions.html", {"bid": bid, "versions": rows, "sealed": sealed, "own": own, "receipts": held, "waiting": waiting})


@login_required
@require_GET
def version(request: HttpRequest, pk: Any, number: int) -> HttpResponse:
    """One version word for word, with its hash."""
    bid = seen(request, pk)
    found = get_object_or_404(bid.versions.select_related("receipt"), number=number)
    context = {"bid": bid, "version": found, "document": found.content, "own": belongs_to(bid, request.user)}
    return render(request, "bidding/version.html", context)
