"""答辩会: the order, who stands in front, the clock on the wall, the result once the chair lets it be seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bidding.models import Bid
from grants import clock
from grants.workflow.door import explain
from grants.workflow.refusals import Refusal
from grants.workflow.rules import Ask
from review import services
from review.ballots import shown
from review.blinding import anonymous, hidden_from, hides
from review.composing import expert_top
from review.meeting_rules import conductor
from review.models import LIVE, Meeting, Panel
from review.pages import organises
from review.panels import sheet_of, sitting
from review.queue import own
from review.rules import held
from review.services.meeting import in_order
from review.views import me
from review.views.draws import form_for, opened


@login_required
@require_http_methods(["GET", "POST"])
def meeting(request: HttpRequest, pk: Any) -> HttpResponse:
    """Before the draw: announce it, or how far it is. Afterwards: the order, the one in front, the steps, and for an expert the way to the ballot."""
    panel = _panel(request, pk)
    found = Meeting.objects.filter(panel=panel).select_related(*Meeting.door_select).first()
    if found is not None:
        return _room(request, found)
    form = form_for(request, panel, "order")
    refusal, made = opened(request, form, panel.call, panel, "order")
    if made is not None:
        return redirect("desk:object", kind="draw", pk=made.pk)
    status = refusal.status if refusal else 422 if request.method == "POST" else 200
    running = panel.draws.filter(about="order").exclude(state__in=("drawn", "failed")).first()
    context = {"panel": panel, "form": form, "refusal": refusal, "organises": organises(me(request), panel), "running": running}
    return render(request, "review/meeting_draw.html", context, status=status)


def _room(request: HttpRequest, found: Meeting, refusal: Refusal | None = None) -> HttpResponse:
    rows = _rows(found, me(request))
    context = {
        "meeting": found, "panel": found.panel, "refusal": refusal, "rows": rows, "clock": _clock(found),
        "mine": any(row["mine"] for row in rows), "conducts": conductor.answer(Ask(me(request), found, clock.now())).ok,
        "release_refusal": explain(found, "release", me(request)), "locked": found.panel.state in ("scored", "concluded"),
    }  # fmt: skip
    return render(request, "review/meeting.html", context, status=refusal.status if refusal else 200)


def _rows(found: Meeting, user: Any) -> list[dict[str, Any]]:
    """The bids in drawn order, with the viewer's own oral ballot if there is one. Nobody else's is asked for."""
    mine = {r.bid_id: r for r in own(user).filter(panel=found.panel_id, stage="oral", state__in=LIVE)}
    return [{"bid": bid, "mine": mine.get(bid.pk), "here": bid.pk == found.on_stage_id} for bid in _bids(found, user)]


def _bids(found: Meeting, user: Any) -> list[Bid]:
    """In drawn order; without the bidders for a member from whom they are hidden, and on the wall, which everybody reads."""
    bids = in_order(found)
    if (hides(found.panel) if user is None else hidden_from(user, found.panel)) and bids:
        return [anonymous(bid) for bid in bids]
    return bids


@login_required
@require_POST
def act(request: HttpRequest, pk: Any) -> HttpResponse:
    """One step of the meeting: present a bid, go on to questions, release the result."""
    found = _meeting(request, pk)
    do = request.POST.get("do", "")
    try:
        if do == "present":
            services.present(found, _bid(found, request.POST.get("bid", "")), by=me(request))
        elif do == "question":
            services.question(found, by=me(request))
        elif do == "release":
            services.release(found, by=me(request))
            messages.success(request, _("结果已公布。"))
    except Refusal as refused:
        return _room(request, found, refused)
    return redirect("review:meeting", pk=pk)


def _bid(found: Meeting, key: str) -> Bid:
    try:
        return get_object_or_404(found.call.bids, pk=UUID(key))
    except ValueError:
        raise Http404 from None


@login_required
@require_GET
def screen(request: HttpRequest, pk: Any) -> HttpResponse:
    """For the projector: who stands in front and how long still; the result only after its release."""
    found = _meeting(request, pk)
    context = {
        "meeting": found,
        "panel": found.panel,
        "clock": _clock(found),
        "rows": _rows(found, None),
        "results": _results(found),
    }
    return render(request, "review/screen.html", context)


@login_required
@require_GET
def state(request: HttpRequest, pk: Any) -> HttpResponse:
    """What a screen asks every few seconds: {"bid", "part", "left": seconds, "stamp"}; the page is loaded anew when the stamp changes."""
    found = _meeting(request, pk)
    response = JsonResponse(_clock(found))
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_GET
def paper(request: HttpRequest, pk: Any) -> HttpResponse:
    """To print: attendance and signatures, and blank score sheets should the network fail."""
    found = _meeting(request, pk)
    panel = found.panel
    bids = _bids(found, None)
    rules = panel.rules
    criteria = [(c, shown(expert_top(rules, c))) for c in sheet_of(rules, bids[0]).criteria] if bids else []
    context = {"meeting": found, "panel": panel, "bids": bids, "members": sitting(panel), "criteria": criteria}
    return render(request, "review/paper.html", context)


def _oral(panel: Panel) -> Any:
    return next((s for s in panel.rules.review.stages if str(s.kind) == "oral"), None)


def _clock(found: Meeting) -> dict[str, Any]:
    """Seconds left of the part that runs; negative when over."""
    stage = _oral(found.panel)
    minutes = 0 if stage is None else stage.question_minutes if found.part == "questions" else stage.pitch_minutes
    ends = found.since + timedelta(minutes=minutes) if found.since and found.part else None
    left = int((ends - clock.now()).total_seconds()) if ends else 0
    return {
        "bid": f"{found.on_stage.number} {found.on_stage.title}" if found.on_stage else "", "part": found.part, "minutes": minutes,
        "left": left, "shown": _minutes(left), "ends_at": ends.astimezone(clock.TZ).strftime("%H:%M:%S") if ends else "",
        "stamp": f"{found.state}/{found.on_stage_id}/{found.part}",
    }  # fmt: skip


def _minutes(seconds: int) -> str:
    """7:05; −0:30 when over."""
    sign, rest = ("−" if seconds < 0 else ""), abs(seconds)
    return f"{sign}{rest // 60}:{rest % 60:02d}"


def _results(found: Meeting) -> list[dict[str, Any]]:
    if held(found.panel) or found.panel.state not in ("scored", "concluded"):
        return []
    places = found.panel.rules.review.decimals
    rows = list(found.panel.results.select_related("bid__organisation", "bid__sponsor").order_by("rank", "bid__number"))
    for row in rows if hides(found.panel) else ():
        anonymous(row.bid)
    return [{"result": r, "total": f"{r.total:.{places}f}"} for r in rows]


def _panel(request: HttpRequest, pk: Any) -> Panel:
    rows = Panel.objects.select_related("call__agency", "call__rules_version")
    return get_object_or_404(Panel.visible.filter(rows, me(request)), pk=pk)


def _meeting(request: HttpRequest, pk: Any) -> Meeting:
    """The meeting of a panel this person may see."""
    rows = Meeting.visible.filter(Meeting.objects.select_related(*Meeting.door_select), me(request))
    return get_object_or_404(rows, panel=pk)
