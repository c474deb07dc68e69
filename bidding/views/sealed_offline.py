"""离线封标: the sheet to take to a computer without this site, and the place where the sealed envelope comes back."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods

from bidding.forms import show
from bidding.models import Bid
from bidding.rules import in_time, writer
from bidding.seal_forms import EnvelopeForm
from bidding.sealed_sheet import sheet as made
from bidding.sealing.refusals import SealRefused
from bidding.sealing.sheet import unpack
from bidding.services import sealing
from bidding.views.access import own_sealed
from grants import clock
from grants.workflow.door import explain, require
from grants.workflow.refusals import NotNow, Refusal
from grants.workflow.rules import Ask


def _open(request: HttpRequest, pk: Any) -> Bid:
    """The bid while it can be sealed. Raises NotYou, NotNow."""
    bid = own_sealed(request, pk)
    require(writer, bid, by=request.user)
    when = in_time.answer(Ask(request.user, bid, clock.now()))
    if not when.ok:
        raise NotNow(when.sentence, rule=when.rule, verb="seal")
    return bid


@login_required
@require_GET
def sheet(request: HttpRequest, pk: Any) -> HttpResponse:
    """离线封标表 of the next version."""
    bid = _open(request, pk)
    told = made(bid)
    answer = HttpResponse(json.dumps(told, ensure_ascii=False, indent=1), content_type="application/json; charset=utf-8")
    name = f"offline-{told['call']}-v{told['version']}.json"
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@login_required
@require_http_methods(["GET", "POST"])
def offline(request: HttpRequest, pk: Any) -> HttpResponse:
    """How to seal away from this site, and the upload. What has arrived already is answered as the first time."""
    bid = _open(request, pk)
    form = EnvelopeForm(bid.rules.forms.declarations, request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            _hand_in(request, bid, form)
            return redirect("bidding:submitted", bid.pk)
        except Refusal as refusal:
            show(form, {"envelope": [str(refusal)]})
    context = {"bid": bid, "form": form, "place": sealing.place_of(bid), "why_not": explain(bid, "seal", request.user)}
    return render(request, "bidding/sealed_offline.html", context, status=422 if request.method == "POST" else 200)


def _hand_in(request: HttpRequest, bid: Bid, form: EnvelopeForm) -> None:
    try:
        found = unpack(form.cleaned_data["envelope"].read(), sealing.MOST_BYTES)
    except SealRefused as refusal:
        raise sealing.invalid(refusal) from refusal
    by: Any = request.user
    if not sealing.has_arrived(bid, found.header):
        sealing.hand_in(bid, found.header, found.files, by=by, declarations=form.cleaned_data["declarations"])
