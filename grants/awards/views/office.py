"""The agency's desk: from ranking to proposal, the notice before it is published, objections, reduction, contract, re-check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bidding.services import record_finding
from grants import clock
from grants.awards import services
from grants.awards.forms import NoticeForm, ReduceForm, leaking_titles, show_refusal
from grants.awards.models import Award, Decision, Objection
from grants.awards.notice_body import shown
from grants.awards.progress import category_lines, pool_line, undecided
from grants.awards.rechecks import MOMENT, findings
from grants.awards.rules import objection_office, preparer
from grants.awards.services.proposing import ready
from grants.awards.views import in_office
from grants.calls.models import Call
from grants.people.permissions import permissions_of
from grants.people.revealing_views import after_a_reason
from grants.workflow.door import explain, perform, require
from grants.workflow.refusals import Refusal

PER_PAGE = 50


def _call(request: HttpRequest, pk: Any) -> Call:
    """A call whose files this person may read; 404 otherwise."""
    return get_object_or_404(Call.objects.select_related("agency", "rules_version").filter(in_office(request.user)), pk=pk)


def _award(request: HttpRequest, pk: Any) -> Award:
    rows = Award.objects.select_related(*Award.door_select, "call__rules_version")
    return get_object_or_404(Award.visible.filter(rows, request.user), pk=pk)


@login_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Calls on this desk that are past their deadline, newest first, with how many awards each has in which state."""
    inside = in_office(request.user)
    rows = Call.objects.filter(inside, state__in=("closed", "decided", "archived")).select_related("agency")
    counted = rows.annotate(
        proposed=Count("awards", filter=Q(awards__state__in=("proposed", "approved"))),
        noticed=Count("awards", filter=Q(awards__state__in=("noticed", "held"))),
        standing=Count("awards", filter=Q(awards__state__in=("confirmed", "active", "closed", "terminated"))),
    )
    page = Paginator(counted.order_by("-closes_at", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "awards/index.html", {"page": page})


@login_required
@require_GET
def call(request: HttpRequest, pk: Any) -> HttpResponse:
    """Ranking, decisions with their reasons, the pool to the fen, and the next stroke over the whole list."""
    return _call_page(request, _call(request, pk))


def _call_page(request: HttpRequest, found: Call, refusals: list[str] | None = None, status: int = 200) -> HttpResponse:
    rows = Decision.objects.filter(call=found).select_related("bid__organisation", "bid__award").order_by("panel", F("rank").asc(nulls_last=True), "pk")
    counts = _counts(found)
    context = {
        "call": found, "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")), "pool": pool_line(found),
        "categories": category_lines(found), "ranked": ready(found).exists(), "panels": found.panels.filter(state="concluded").count(),
        "counts": counts, "undecided": undecided(found),
        "pending": services.pending(found).count(),
        "notices": found.notices.order_by("pk"), "refusals": refusals or [], "held": permissions_of(request.user, found.agency),
        "decide": explain(found, "decide", request.user) if found.state == "closed" else None,
    }  # fmt: skip
    return render(request, "awards/call.html", context, status=status)


def _counts(found: Call) -> dict[str, int]:
    states = list(Award.objects.filter(call=found).values_list("state", flat=True))
    return {state: states.count(state) for state in set(states)}


@login_required
@require_POST
def propose(request: HttpRequest, pk: Any) -> HttpResponse:
    """拟定立项."""
    found = _call(request, pk)
    try:
        made = services.propose(found, by=request.user, within=request.POST.get("within", ""))  # type: ignore[arg-type]
    except Refusal as refusal:
        return _call_page(request, found, [str(refusal)], refusal.status)
    chosen = sum(d.awarded for d in made)
    messages.success(request, _("已拟定：%(all)d 份申报中拟立项 %(n)d 个，每份都写明了理由。") % {"all": len(made), "n": chosen})
    return redirect("awards:call", pk=found.pk)


@login_required
@require_POST
def confirm(request: HttpRequest, pk: Any) -> HttpResponse:
    """确认立项 over the whole list."""
    return _over_all(request, pk, services.confirm_all, _("已确认立项 %(n)d 个项目。"))


def _over_all(request: HttpRequest, pk: Any, stroke: Callable[..., services.Taken], words: str) -> HttpResponse:
    found = _call(request, pk)
    taken = stroke(found, by=request.user)
    if taken.done:
        messages.success(request, words % {"n": len(taken.done)})
    if taken.refused:
        sentences = [f"{award.number}：{refusal}" for award, refusal in taken.refused]
        return _call_page(request, found, sentences, taken.refused[0][1].status)
    return redirect("awards:call", pk=found.pk)


@login_required
@require_http_methods(["GET", "POST"])
def notice(request: HttpRequest, pk: Any) -> HttpResponse:
    """The notice exactly as the public would see it, with what the gate found; then publish."""
    found, by = _call(request, pk), request.user
    before = services.preview(found, by=by)  # type: ignore[arg-type]
    form = NoticeForm(request.POST or None, leaking=leaking_titles(before.leaks, before.body["rows"]))
    status = 200
    if request.method == "POST" and form.is_valid():
        given = {"intro": form.cleaned_data["intro"], "titles": form.titles()}
        before = services.preview(found, by=by, **given)  # type: ignore[arg-type]
        if "publish" in request.POST:
            try:
                made = services.publish_notice(found, by=by, **given)  # type: ignore[arg-type]
            except Refusal as refusal:
                show_refusal(form, refusal)
                status = refusal.status
            else:
                messages.success(request, _("公示 %(number)s 已发布。") % {"number": made.number})
                return redirect("awards:notice", pk=made.pk)
    context = {"call": found, "form": form, "preview": before, "body": shown(before.body)}
    return render(request, "awards/preview.html", context, status=status)


@login_required
@require_GET
def objections(request: HttpRequest, pk: Any) -> HttpResponse:
    """Objections of a call, those that are due first."""
    found = _call(request, pk)
    seen = Objection.visible.filter(Objection.objects.filter(call=found), request.user)
    rows = seen.select_related("award__bid", "notice").order_by(F("due_at").asc(nulls_last=True), "number")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "awards/objections.html", {"call": found, "page": page, "now": clock.now()})


@login_required
@require_http_methods(["GET", "POST"])
def objector(request: HttpRequest, pk: Any) -> HttpResponse:
    """Name and contact of whoever objected, for whoever handles or decides it and says what for; the reading is in the ledger."""
    objection = get_object_or_404(Objection.visible.filter(Objection.objects.select_related(*Objection.door_select), request.user), pk=pk)
    require(objection_office, objection, by=request.user)
    look = lambda reason: services.read_objector(objection, by=request.user, reason=reason)  # type: ignore[arg-type] # noqa: E731 - the page calls it once
    hint = _("例如：电话告知受理；寄送书面答复。用途和您的身份记入台账，审计可以看到。")
    return after_a_reason(request, "awards/objector.html", {"objection": objection}, look, hint=hint)


@login_required
@require_http_methods(["GET", "POST"])
def reduce(request: HttpRequest, pk: Any) -> HttpResponse:
    """核减表: every line with what was asked and what is agreed, every target."""
    award = _award(request, pk)
    require(preparer, award, by=request.user)
    form = ReduceForm(request.POST or None, obj=award, actor=request.user)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                perform(award, "reduce", by=request.user, **form.details())
            except Refusal as refusal:
                show_refusal(form, refusal)
                status = refusal.status
            else:
                messages.success(request, _("核减方案已保存，等待申报单位签署人确认。"))
                return redirect("desk:object", kind="award", pk=award.pk)
    core = award.bid.latest
    context = {"award": award, "form": form, "asked": sum(line.asked for line in form.lines), "frozen": core}
    return render(request, "awards/reduce.html", context, status=status)


@login_required
@require_POST
def draft(request: HttpRequest, pk: Any) -> HttpResponse:
    """起草协议."""
    award = _award(request, pk)
    contract = services.draft_contract(award, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("协议 %(number)s 已起草，文本正在生成。") % {"number": contract.number})
    return redirect("desk:object", kind="contract", pk=contract.pk)


@login_required
@require_GET
def confirm_draft(request: HttpRequest, pk: Any) -> HttpResponse:
    """Before drafting: what the contract will be made of."""
    award = _award(request, pk)
    require(preparer, award, by=request.user)
    return render(request, "awards/draft.html", {"award": award, "payee": award.payee, "tranches": award.rules.funding.tranches})


@login_required
@require_http_methods(["GET", "POST"])
def recheck(request: HttpRequest, pk: Any) -> HttpResponse:
    """资格复核: every rule's answer today; the clerk records a look-up that has aged, with evidence."""
    award = _award(request, pk)
    require(preparer, award, by=request.user)
    refusal: Refusal | None = None
    if request.method == "POST":
        given = {name: request.POST.get(name, "") for name in ("rule", "outcome", "evidence_note")}
        try:
            record_finding(award.bid, given["rule"], given["outcome"], by=request.user, evidence_note=given["evidence_note"], moment=MOMENT)  # type: ignore[arg-type]
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已记录核查结论。"))
            return redirect("awards:recheck", pk=award.pk)
    context = {"award": award, "findings": findings(award), "refusals": [str(refusal)] if refusal else [], "typed": request.POST}
    return render(request, "awards/recheck.html", context, status=refusal.status if refusal else 200)
