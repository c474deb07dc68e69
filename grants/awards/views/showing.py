"""评审情况: the exhibits of a call's ranking, for whoever may see them – public after publication – and each as a file of the same rows."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from grants.awards.showing.audience import Audience, audience, own_bids
from grants.awards.showing.exhibits import EXHIBITS, seen_by
from grants.awards.showing.view import View
from grants.awards.views import in_office, who
from grants.calls.models import Call
from grants.people.watching import watched
from grants.web.exports import as_csv, as_xlsx

FILES = {"csv": as_csv, "xlsx": as_xlsx}


def _view(request: HttpRequest, code: str) -> View:
    """The call as this person sees it; 404 for whoever may not, or too early."""
    call = get_object_or_404(Call.objects.select_related("agency", "rules_version"), code=code)
    actor = who(request)
    seen = audience(call, actor)
    if seen is None:
        raise Http404(_("评审结果公布之后，评审情况列在这里。"))
    return View(call, seen, actor)


@require_GET
def review(request: HttpRequest, code: str) -> HttpResponse:
    """Every exhibit this person may see, one after the other."""
    view = _view(request, code)
    watched(request.user, view.call, "read", "exhibits")
    shown = [EXHIBITS[each][2](view) for each in seen_by(view.who)]
    letters = own_bids(view.call, view.actor) if view.who is Audience.BIDDER else ()
    office = Call.objects.filter(in_office(view.actor), pk=view.call.pk).exists()
    context = {"call": view.call, "exhibits": shown, "office": office, "letters": letters}
    return render(request, "awards/review.html", context)


@require_GET
def review_file(request: HttpRequest, code: str, what: str, form: str) -> HttpResponseBase:
    """One exhibit's rows as a file, under the same rule."""
    view = _view(request, code)
    if what not in seen_by(view.who) or form not in FILES:
        raise Http404
    watched(request.user, view.call, "download", f"exhibit-{what}")
    shown: Any = EXHIBITS[what][2](view)
    return FILES[form](f"{shown.title} {view.call.code}", shown.columns, shown.rows, total_of=shown.total_of)
