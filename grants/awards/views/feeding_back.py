"""反馈信和证据包: the bidder's own result, on a page and on paper, and everything to re-run it; the agency may read the letter before it is released."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from grants import clock
from grants.awards.evidence.packing import pack, pack_visible, remember
from grants.awards.feedback import LEAST, letter
from grants.awards.feedback_charts import by_criterion
from grants.awards.feedback_paper import NEEDS, kept
from grants.awards.models import Decision
from grants.awards.showing.audience import audience
from grants.documents.download import download
from grants.documents.inspection import clean_name
from grants.people.watching import watched


def _decision(request: HttpRequest, pk: Any) -> Decision:
    """The decision about a bid, for whoever may see it; 404 otherwise, whether or not it exists."""
    rows = Decision.objects.select_related(*NEEDS, "letter")
    return get_object_or_404(Decision.visible.filter(rows, request.user), bid_id=pk)


@login_required
@require_GET
def feedback(request: HttpRequest, pk: Any) -> HttpResponse:
    """One bidder's letter, criterion by criterion."""
    decision = _decision(request, pk)
    watched(request.user, decision.bid, "read", "feedback")
    said = letter(decision)
    until = said.objecting.until
    context = {
        "letter": said, "decision": decision, "bid": decision.bid, "call": decision.call, "chart": by_criterion(said), "least": LEAST,
        "pack": pack_visible.allows(decision, request.user, clock.now()),
        "published": audience(decision.call, request.user) is not None,
        "open": until is not None and clock.now() < until, "stages": len({b.stage for b in said.ballots}) > 1,
    }  # fmt: skip
    return render(request, "awards/feedback.html", context)


@login_required
@require_GET
def paper(request: HttpRequest, pk: Any) -> HttpResponse:
    """The printed letter."""
    decision = _decision(request, pk)
    if decision.released_at is None:
        raise Http404(_("决定还没有发布，反馈信尚未定稿。"))
    watched(request.user, decision.bid, "download", "feedback")
    return download(kept(decision), name=f"{_('反馈信')} {decision.bid.number}.pdf")  # type: ignore[return-value]


@login_required
@require_GET
def evidence(request: HttpRequest, pk: Any) -> HttpResponse:
    """The evidence pack of one bid; every download is an entry of the log."""
    found = get_object_or_404(pack_visible.filter(Decision.objects.select_related(*NEEDS), request.user), bid_id=pk)
    made = pack(found)
    remember(found, made, by=request.user)  # type: ignore[arg-type]
    response = HttpResponse(made.content, content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=clean_name(f"{_('证据包')} {made.name}")) or ""
    response["X-Content-Type-Options"], response["Cache-Control"] = "nosniff", "private, no-store"
    return response
