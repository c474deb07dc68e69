"""The page on which a sealed bid is written: nothing of it comes here but, at last, ciphertext. Without scripts the server seals, in memory."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bidding.models import Bid
from bidding.rules import in_time, writer
from bidding.sealed_asked import for_page
from bidding.sealed_form import LEAST_ROWS, SealedForm
from bidding.services import programs, sealing
from bidding.services.tables import promised_elsewhere
from bidding.views.access import own_sealed
from bidding.views.budgeting import budget_facts
from bidding.views.bundled import rendered
from grants import clock
from grants.documents.uploads import in_memory
from grants.workflow.door import explain, require
from grants.workflow.refusals import NotNow, Refusal
from grants.workflow.rules import Ask


@in_memory(lambda: sealing.MOST_BYTES)
@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "POST"])
def sealed(request: HttpRequest, pk: Any) -> HttpResponse:
    """The whole bid on one page. A POST comes from a browser without scripts, which asks for more rows or for a check; nothing is stored."""
    bid = own_sealed(request, pk)
    if not bid.is_sealed:
        return redirect("bidding:tasks", bid.pk)
    require(writer, bid, by=request.user)
    when = in_time.answer(Ask(request.user, bid, clock.now()))
    if not when.ok:
        raise NotNow(when.sentence, rule=when.rule, verb="write")
    if request.method == "GET":
        return shown(request, bid, SealedForm(bid))
    form = SealedForm(bid, _longer(request.POST), request.FILES)
    return shown(request, bid, form, status=200 if "more" in request.POST else 422)


def _longer(data: Any) -> Any:
    """What was posted, with more rows in the table that `more` names; tables of a section lengthen themselves."""
    counted = f"{data.get('more', '')}-TOTAL_FORMS"
    if counted in data:
        data = data.copy()
        total = str(data[counted])
        data[counted] = str((int(total) if total.isdigit() and len(total) < 4 else 0) + LEAST_ROWS)
    return data


def shown(request: HttpRequest, bid: Bid, form: SealedForm, *, refusal: Refusal | None = None, status: int = 200) -> HttpResponse:
    """The page; form may hold what was posted. refusal: why the server could not seal it."""
    judged = form.data is not None and "more" not in form.data
    errors = [*([("", str(refusal))] if refusal else []), *(form.problems() if judged else [])]
    key, place = sealing.key_of(bid.call), sealing.place_of(bid)
    told = {**place.says(), "recipient": key.recipient, "rules": bid.rules_version.hash, "closes_at": _iso(bid.call.closes_at)}
    served = programs.of_key(key)
    program = {"bundle_sha256": served.served, "unannounced": served.unannounced}
    why_not = explain(bid, "seal", request.user)
    context = {
        "bid": bid, "form": form, "errors": errors, "program": program, "key": key, "place": place,
        "why_not": why_not, "declarations": bid.rules.forms.declarations,
        "declared": form.data.getlist("declarations") if judged else [], "elsewhere": _elsewhere(bid),
        "wanted": bid.rules.eligibility.professionals, "page_json": for_page(form, told, bid), **budget_facts(bid),
    }  # fmt: skip
    return rendered(request, "bidding/sealed.html", "bidding/sealed.js", context, status=status)


def _elsewhere(bid: Bid) -> list[str]:
    codes = promised_elsewhere(bid)
    return [kpi.name for kpi in bid.rules.outcomes.kpis if kpi.code in codes]


def _iso(at: Any) -> str:
    return at.isoformat() if at else ""
