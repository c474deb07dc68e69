"""核实同名线索: where a name suggests that an expert is somebody of a bid, one person says what it is and another decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from grants import clock
from grants.calls.models import Call
from grants.people.identity import mask_name
from grants.people.models import AgencyPermission
from grants.workflow.refusals import Refusal
from grants.workflow.rules import Ask
from review.conflict_checks import handed_in
from review.findings import look_for_namesakes
from review.forms_namesakes import SettleForm
from review.models import ConflictHit
from review.namesake_checks import not_barred, suggestions
from review.namesakes import LEADER, NAME
from review.rules import judge, proposer
from review.views import me


@dataclass(frozen=True)
class Line:
    """One suggestion with both names as this person may see them. theirs: "" where the bid no longer says it."""

    hit: ConflictHit
    ours: str
    theirs: str


@login_required
@require_http_methods(["GET", "POST"])
def namesakes(request: HttpRequest, pk: Any) -> HttpResponse:
    """What waits for a proposal, what for another person's decision, and what was settled. Opening the page looks for what came up since."""
    call = get_object_or_404(Call.visible.filter(Call.objects.select_related("agency", "rules_version"), me(request)), pk=pk)
    about = ConflictHit(bid=call.bids.model(call=call))
    proposes, decides = (rule.answer(Ask(me(request), about, clock.now())).ok for rule in (proposer, judge))
    if not proposes and not decides:
        raise Http404(_("没有这一页，或您无权查看。"))
    look_for_namesakes(call)
    rows = ConflictHit.objects.filter(bid__call=call, candidate=True)
    form = SettleForm(request.POST or None, rows=rows)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            settled = form.carry_out(me(request))
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已办理 %(n)d 条。") % {"n": settled})
            return redirect("review:namesakes", pk=pk)
    context = {"call": call, "form": form, "refusal": refusal, "proposes": proposes, "decides": decides, **_groups(call, rows, me(request))}
    status = refusal.status if refusal else 422 if request.method == "POST" else 200
    return render(request, "review/namesakes.html", context, status=status)


def _groups(call: Call, rows: Any, actor: Any) -> dict[str, Any]:
    """Every suggestion of the call in three groups, and how many need no answer because a finding bars the pair anyway."""
    hits = list(rows.select_related("expert__user", "bid__organisation", "proposed_by", "confirmed_by", "dismissed_by").order_by("expert__code", "bid__number"))
    bids = list(handed_in(call))
    open_ = [h for h in hits if h.is_unsettled]
    waiting = not_barred(open_, bids)
    inside = AgencyPermission.objects.filter(content_object_id=call.agency_id, user_id=actor.pk).exists()
    lines = _lines(call, hits, bids, plain=inside)
    return {
        "undecided": [lines[h.pk] for h in waiting if h.proposed_by_id is None],
        "proposed": [lines[h.pk] for h in waiting if h.proposed_by_id is not None],
        "settled": [lines[h.pk] for h in hits if not h.is_unsettled], "moot": len(open_) - len(waiting),
    }  # fmt: skip


def _lines(call: Call, hits: list[ConflictHit], bids: list[Any], *, plain: bool) -> dict[Any, Line]:
    """plain: whole names, for the agency whose pool it is; an operator, who sees the call only, reads the first character."""
    experts = list({h.expert_id: h.expert for h in hits}.values())
    now = {(s.expert.pk, s.bid.pk, s.fingerprint): s.namesake.theirs for s in suggestions(experts, bids)} if hits else {}
    shown = (lambda text: text) if plain else mask_name
    lines = {}
    for hit in hits:
        ours = hit.expert.user.name if hit.rule in (NAME, LEADER) else hit.expert.employer
        lines[hit.pk] = Line(hit, shown(ours), shown(now.get((hit.expert_id, hit.bid_id, hit.fingerprint), "")))
    return lines
