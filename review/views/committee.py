"""What a panel does together: the discussion with its second ballots, rulings on flagged ballots, and lots among equals."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from grants.workflow.door import explain
from grants.workflow.refusals import Refusal
from review import second, services
from review.blinding import anonymous, hidden_from
from review.forms import RulingForm
from review.models import Panel
from review.pages import LOCKED, organises, sits
from review.queue import own
from review.results import lots_of, waiting_for_lots
from review.rules import held
from review.ruling import flagged
from review.views import me
from review.views.ballots import ASKED_BY
from review.views.draws import form_for, opened


@login_required
@require_GET
def discussion(request: HttpRequest, pk: Any) -> HttpResponse:
    """Where the discussion stands, and a member's own ballots with what was given after it; nobody else's."""
    found = _panel(request, pk)
    foreseen = found.rules.review.second_ballot
    if foreseen is None:
        raise Http404(_("本次征集没有讨论后再次评分。"))
    mine = own(me(request)).filter(panel=found, state="submitted").select_related("bid", "second", "panel__call__rules_version")
    rows = [{"review": r, "second": second.of(r), "refusal": explain(r, "revise", me(request))} for r in mine]
    context = {"panel": found, "rows": rows, "hours": foreseen.hours, "refusal": explain(found, "discuss", me(request)), "member": sits(me(request), found),
               "organises": organises(me(request), found)}  # fmt: skip
    return render(request, "review/discussion.html", context)


@login_required
@require_GET
def rulings(request: HttpRequest, pk: Any) -> HttpResponse:
    """The ballots that set off an alarm, each with its reason and what the committee decided; only once results are out."""
    found = _opened(request, pk)
    decided = {r.review_id: r for r in found.rulings.filter(state__in=("proposed", "adopted")).select_related("proposed_by", "decided_by")}
    seen = flagged(found)
    for row in seen if hidden_from(me(request), found) else ():
        anonymous(row.review.bid)
    rows = [{"row": row, "asked": "；".join(str(ASKED_BY[r]) for r in row.rules), "ruling": decided.get(row.review.pk)} for row in seen]
    context = {"panel": found, "rows": rows, "member": sits(me(request), found)}
    return render(request, "review/rulings.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def propose_ruling(request: HttpRequest, pk: Any, review: Any) -> HttpResponse:
    """A member proposes to uphold or to exclude a flagged ballot; another member decides on the proposal's own page."""
    found = _opened(request, pk)
    row = next((row for row in flagged(found) if row.review.pk == review), None)
    if row is None or not sits(me(request), found):
        raise Http404
    form, refusal = RulingForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            services.propose_ruling(row.review, form.cleaned_data["outcome"], form.cleaned_data["reason"], by=me(request))
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已提出，须由另一位成员决定。"))
            return redirect("review:rulings", pk=found.pk)
    if hidden_from(me(request), found):
        anonymous(row.review.bid)
    return render(request, "review/propose_ruling.html", {"panel": found, "row": row, "form": form, "refusal": refusal}, status=_status(request, refusal))


@login_required
@require_http_methods(["GET", "POST"])
def lots(request: HttpRequest, pk: Any) -> HttpResponse:
    """Equals that wait for a lot, and the public draw over them, in the way the rules say; afterwards the order drawn."""
    found = _opened(request, pk)
    running, mine = found.draws.filter(about="tie").exclude(state__in=("drawn", "failed")).first(), organises(me(request), found)
    if running is not None and mine:
        return redirect("desk:object", kind="draw", pk=running.pk)
    form = form_for(request, found, "tie")
    refusal, made = opened(request, form, found.call, found, "tie")
    if made is not None:
        return redirect("desk:object", kind="draw", pk=made.pk)
    waits = set(waiting_for_lots(found))
    rows = [r for r in found.results.select_related("bid").order_by("rank", "bid__number") if r.bid.number in waits]
    context = {
        "panel": found, "rows": rows, "drawn": lots_of(found), "form": form, "refusal": refusal, "organises": mine, "running": running,
        "draw": found.draws.filter(about="tie", state="drawn").order_by("-drawn_at").first(),
    }  # fmt: skip
    return render(request, "review/lots.html", context, status=_status(request, refusal))


def _opened(request: HttpRequest, pk: Any) -> Panel:
    """A locked panel whose results are out; else there is nothing here, for anybody."""
    found = _panel(request, pk)
    if found.state not in LOCKED or held(found):
        raise Http404(_("评分锁定并公布结果之前没有排名。"))
    return found


def _panel(request: HttpRequest, pk: Any) -> Panel:
    rows = Panel.objects.select_related("call__agency", "call__rules_version")
    return get_object_or_404(Panel.visible.filter(rows, me(request)), pk=pk)


def _status(request: HttpRequest, refusal: Refusal | None) -> int:
    return refusal.status if refusal else 422 if request.method == "POST" else 200
