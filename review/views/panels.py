"""The panel at work: draw, findings, assignment, progress in counts; after locking, the ranking with its arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grants import clock
from grants.workflow.door import explain, perform
from grants.workflow.refusals import Refusal
from grants.workflow.rules import Ask
from review import other_scores, services
from review.blinding import anonymous, hidden_from
from review.conflict_checks import reviews_in_conflict
from review.correcting import pending
from review.forms import AssignForm, ReasonForm
from review.models import LIVE, Panel
from review.namesake_checks import stored_unsettled
from review.pages import LOCKED, member_rows, organises, reads_entered, sits
from review.panels import bids_of, missing_seats, outstanding, under_reviewed, unexplained, waiting
from review.results import WAITS
from review.rules import held, judge
from review.services.assignments import last_job, takes_long
from review.services.pool import agency_of
from review.views import me

PER_PAGE = 50


@login_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Panels this person may see, newest first."""
    rows = Panel.visible.filter(Panel.objects.select_related("call").order_by("-created_at"), me(request))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "review/panels.html", {"page": page, "keeps": agency_of(me(request)) is not None})


@login_required
@require_GET
def panel(request: HttpRequest, pk: Any) -> HttpResponse:
    """Members, loads, findings and what is missing. No score and no mean of scores is shown here, in any state."""
    return _working_page(request, _panel(request, pk))


def _working_page(request: HttpRequest, found: Panel, refusal: Refusal | None = None) -> HttpResponse:
    """Members of the panel read who sits in it; how far the others are, and their relations, is the organiser's business."""
    member, locked, arranges = sits(me(request), found), found.state in LOCKED, organises(me(request), found)
    sees = locked or not member
    context = {
        "panel": found, "rows": member_rows(found, sees_counts=sees), "alternates": waiting(found), "member": member, "refusal": refusal,
        "organises": arranges, "bids": len(bids_of(found)), "locked": locked, "sees_counts": sees,
        "defends": any(str(stage.kind) == "oral" for stage in found.rules.review.stages), "held": held(found),
        "discusses": found.rules.review.second_ballot is not None,
        **({} if member else _work(found, me(request), arranges)),
    }  # fmt: skip
    return render(request, "review/panel.html", context, status=refusal.status if refusal else 200)


def _work(found: Panel, actor: Any, arranges: bool) -> dict[str, Any]:
    hits = found.hits.exclude(candidate=True, confirmed_by=None)
    hits = hits.select_related("expert", "bid", "dismissed_by", "proposed_by").order_by("dismissed_by", "pk")
    return {
        "settles": arranges or judge.answer(Ask(actor, found, clock.now())).ok,
        "namesakes": stored_unsettled().filter(bid__call=found.call_id).count(),
        "hits": hits, "missing_seats": missing_seats(found), "under_reviewed": under_reviewed(found), "form": AssignForm(),
        "declined": found.members.exclude(declined_at=None).select_related("expert"), **_gaps(found, actor), **_computing(found),
        "runs": found.runs.select_related("made_by")[:10], "swaps": _swaps(found), **_entered(found, actor),
        "live": _live(found).filter(opened_at=None) if found.state in ("forming", "scoring") else (), "late": _late(found),
    }  # fmt: skip


def _computing(found: Panel) -> dict[str, Any]:
    """The last computation by a worker: whether it runs, or why it came to nothing."""
    job = last_job(found)
    if job is None:
        return {}
    refused = job.items.exclude(failed_at=None).values_list("outcome", flat=True).first()
    return {"job": job, "job_running": job.finished_at is None and job.cancelled_at is None, "job_failed": refused}


def _late(found: Panel) -> list[dict[str, Any]]:
    """Opened ballots whose expert should have stepped aside, before the report is issued, each with its proposal to void it if there is one."""
    if found.state not in ("scoring", "scored") or found.locked_by_id is None:
        return []
    proposed = {(v.review.bid_id, v.review.expert_id): v for v in found.voidings.filter(state="proposed").select_related("review")}
    rows = [(r, hits[0]) for r, hits in reviews_in_conflict(found) if r.opened_at is not None]
    return [{"review": r, "hit": hit, "voiding": proposed.get((r.bid_id, r.expert_id))} for r, hit in rows]


def _gaps(found: Panel, actor: Any) -> dict[str, Any]:
    """What stands between now and locking: open ballots (for voiding one), missing other scores, reasons still owed."""
    if found.state != "scoring":
        return {}
    return {
        "outstanding": outstanding(found), "others_missing": other_scores.missing(found), "unexplained": unexplained(found),
        "lock_refusal": explain(found, "lock", actor),
    }  # fmt: skip


def _swaps(found: Panel) -> Any:
    return found.swaps.filter(state="proposed").select_related("review__expert", "review__bid", "expert")


def _entered(found: Panel, actor: Any) -> dict[str, Any]:
    """The way to the scores entered once, and what waits there."""
    if not reads_entered(actor, found) or not other_scores.wanted(found.rules):
        return {}
    return {"reads_entered": True, "corrections": pending(found)}


def _live(found: Panel) -> Any:
    return found.reviews.filter(state__in=LIVE).select_related("bid", "expert").order_by("expert__code", "bid__number", "stage")


@login_required
@require_POST
def check(request: HttpRequest, pk: Any) -> HttpResponse:
    """Compare everybody with every bid again."""
    return _act(request, pk, lambda p: services.check_conflicts(p, by=me(request)), _("已核对，尚未处理的利害关系 %(n)d 条。"))


@login_required
@require_POST
def assign(request: HttpRequest, pk: Any) -> HttpResponse:
    """Assign experts to bids."""
    form = AssignForm(request.POST)
    most = form.cleaned_data["max_load"] if form.is_valid() else None
    if takes_long(_panel(request, pk)):
        return _assign_soon(request, pk, most)
    if request.POST.get("do") == "try":
        return _act(request, pk, lambda p: [services.try_assignment(p, by=me(request), max_load=most)], _("已试算 %(n)d 次并留痕，没有分派。"))
    return _act(request, pk, lambda p: services.assign(p, by=me(request), max_load=most), _("新分配 %(n)d 份评审。"))


def _assign_soon(request: HttpRequest, pk: Any, most: int | None) -> HttpResponse:
    """A large panel is computed by a job, whose page shows how far it is."""
    found = _panel(request, pk)
    try:
        job = services.assign_soon(found, by=me(request), max_load=most, trial=request.POST.get("do") == "try")
    except Refusal as refusal:
        return _working_page(request, found, refusal)
    return redirect("desk:job", job.pk)


@login_required
@require_POST
def void_conflicted(request: HttpRequest, pk: Any) -> HttpResponse:
    """Void ballots of experts found in conflict."""
    return _act(request, pk, lambda p: services.void_conflicted(p, by=me(request)), _("作废 %(n)d 份评审，由候补专家补评。"))


def _act(request: HttpRequest, pk: Any, act: Callable[[Panel], list[Any]], said: str) -> HttpResponse:
    found = _panel(request, pk)
    try:
        rows = act(found)
    except Refusal as refusal:
        return _working_page(request, found, refusal)
    messages.success(request, said % {"n": len(rows)})
    return redirect("review:panel", pk=pk)


@login_required
@require_http_methods(["GET", "POST"])
def propose(request: HttpRequest, pk: Any, hit: int) -> HttpResponse:
    """The organiser asks that a finding no longer stand; a second person decides."""
    found = _panel(request, pk)
    row = get_object_or_404(found.hits.select_related("expert__user", "bid"), pk=hit)
    return _with_reason(
        request, found, title=_("提出不予回避：%(code)s") % {"code": row.expert.code}, facts=row.sentence,
        act=lambda reason: services.propose_dismissal(row, reason, by=me(request)),
    )  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def keep(request: HttpRequest, pk: Any, hit: int) -> HttpResponse:
    """A second person turns a proposal down: the finding stands."""
    found = _panel(request, pk)
    row = get_object_or_404(found.hits.select_related("expert__user", "bid"), pk=hit)
    return _with_reason(
        request, found, title=_("维持回避：%(code)s") % {"code": row.expert.code}, facts=f"{row.sentence} {row.proposal_reason}",
        act=lambda reason: services.keep_hit(row, reason, by=me(request)),
    )  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def dismiss(request: HttpRequest, pk: Any, hit: int) -> HttpResponse:
    """A second person lets a finding no longer stand, with a reason."""
    found = _panel(request, pk)
    row = get_object_or_404(found.hits.select_related("expert__user", "bid"), pk=hit)
    return _with_reason(
        request, found, title=_("不予回避：%(code)s") % {"code": row.expert.code}, facts=row.sentence,
        act=lambda reason: services.dismiss_hit(row, reason, by=me(request)),
    )  # fmt: skip


@login_required
@require_http_methods(["GET", "POST"])
def void(request: HttpRequest, pk: Any, review: Any) -> HttpResponse:
    """Void one ballot: the organiser cannot open it, but may void it with a reason."""
    found = _panel(request, pk)
    if not organises(me(request), found):
        raise Http404
    row = get_object_or_404(found.reviews.filter(state__in=LIVE).select_related("expert", "bid"), pk=review)
    return _with_reason(
        request, found, title=_("作废评审：%(code)s") % {"code": row.expert.code}, facts=str(row.bid),
        act=lambda reason: perform(row, "void", by=me(request), note=reason, reason=reason),
    )  # fmt: skip


def _with_reason(request: HttpRequest, found: Panel, *, title: str, facts: str, act: Callable[[str], Any]) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data["reason"])
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已办理：%(what)s。") % {"what": title})
            return redirect("review:panel", pk=found.pk)
    context = {"panel": found, "title": title, "facts": facts, "form": form, "refusal": refusal}
    return render(request, "review/reason.html", context, status=_status(request, refusal))


@login_required
@require_GET
def ranking(request: HttpRequest, pk: Any) -> HttpResponse:
    """The ranking with every bid's arithmetic; before locking there is nothing to show to anybody."""
    found = _panel(request, pk)
    if found.state not in LOCKED or held(found):
        raise Http404(_("评分锁定并公布结果之前没有排名。"))
    results = found.results.select_related("bid__organisation", "bid__sponsor").order_by("rank", "bid__number")
    member = found.members.filter(expert__user_id=me(request).pk, alternate=False, excused=False).first()
    if hidden_from(me(request), found):
        for result in results:
            anonymous(result.bid)
    rows = [
        {"result": r, "ask": Decimal(r.explanation["ask"]), "total": f"{r.total:.{found.rules.review.decimals}f}"}
        for r in results
    ]
    names = {c.code: c.name for sheet in found.rules.review.sheets for c in sheet.criteria}
    context = {
        "panel": found,
        "rows": rows,
        "member": member,
        "rules": found.rules.review,
        "names": names,
        "hash": found.result_hash(),
        "waits": any(result.explanation["decided_by"] == WAITS for result in results),
    }
    return render(request, "review/ranking.html", context)


def _panel(request: HttpRequest, pk: Any) -> Panel:
    rows = Panel.objects.select_related("call__agency", "call__rules_version", "report")
    return get_object_or_404(Panel.visible.filter(rows, me(request)), pk=pk)


def _status(request: HttpRequest, refusal: Refusal | None) -> int:
    if refusal is not None:
        return refusal.status
    return 422 if request.method == "POST" else 200
