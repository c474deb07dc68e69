"""The agency's side: the queue of a call after its deadline, and one bid's eligibility, rule by rule, then the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bidding import bulk, services
from bidding.forms import FindingForm, show
from bidding.machine import BidStates
from bidding.models import Bid
from bidding.queue import OUTCOMES, Filters, hints, hints_of, narrowed, next_open, place, ready_to_admit, received, tallied
from bidding.rules import belongs_to, reads_calls, screener, screens_calls
from bidding.screening import NEEDS_CLERK, standing
from bidding.screening_form import EVIDENCE, EVIDENCE_BYTES, ScreeningSheet
from bidding.views.access import seen
from grants import clock
from grants.calls.models import Call
from grants.documents.files import store
from grants.documents.inspection import FileRefused
from grants.people.watching import watched
from grants.web.cells import Column
from grants.web.exports import as_csv, as_xlsx
from grants.workflow.door import explain, perform
from grants.workflow.refusals import Refusal

PER_PAGE = 50
FILES: dict[str | None, Callable[..., HttpResponseBase]] = {"csv": as_csv, "xlsx": as_xlsx}
COLUMNS = (
    Column(gettext_lazy("编号"), "number", "code"),
    Column(gettext_lazy("项目"), "title"),
    Column(gettext_lazy("申报单位"), "organisation.name"),
    Column(gettext_lazy("托管组织"), "sponsor.name"),
    Column(gettext_lazy("申请资助"), "asks", "money"),
    Column(gettext_lazy("状态"), "get_state_display"),
    Column(gettext_lazy("合格"), "passed", "number"),
    Column(gettext_lazy("不合格"), "failed", "number"),
    Column(gettext_lazy("待人工核实"), "open_rules", "number"),
)
VERBS = ("admit", "return_for_correction", "reject")


@login_required
@require_GET
def of_call(request: HttpRequest, pk: Any) -> HttpResponseBase:
    """The bids handed in to a call, filtered, with how far their screening is. Before the deadline the page says only when it opens.

    `?as=csv` or `xlsx`: exactly the filtered rows as a file.
    """
    call = _call(request, pk)
    filters, rows = Filters.of(request.GET), received(call, request.user)
    form = request.GET.get("as")
    watched(request.user, call, "download" if form in FILES else "read", "screening")
    if form in FILES:
        return FILES[form](_("申报与资格审查 %(call)s") % {"call": call.code}, COLUMNS, tallied(narrowed(rows, filters)), total_of=["asks"])
    counts = {row["state"]: row["n"] for row in rows.order_by().values("state").annotate(n=Count("pk"))}
    pages: Any = Paginator(narrowed(rows, filters).order_by("number").values_list("pk", flat=True), PER_PAGE)
    if filters in (Filters(), Filters(state=filters.state)):
        pages.count = counts.get(filters.state, 0) if filters.state else sum(counts.values())  # counted already
    page = pages.get_page(request.GET.get("page"))
    page.object_list = list(tallied(Bid.objects.filter(pk__in=list(page.object_list))))  # counted for fifty, not for all and then cut
    total, waiting = sum(counts.values()), counts.get(BidStates.SUBMITTED, 0)
    context = {
        "call": call, "page": page, "filters": filters, "query": filters.query, "total": total, "decided": total - waiting, "waiting": waiting,
        "counts": [(s.value, s.label, counts.get(s.value, 0)) for s in BidStates if counts.get(s.value)],
        "states": [(s.value, s.label) for s in BidStates if counts.get(s.value)], "outcomes": OUTCOMES.items(),
        "closed": clock.now() >= call.closes_at if call.closes_at else False,
        "screens": screens_calls.allows(call, request.user, clock.now()),
    }  # fmt: skip
    return render(request, "bidding/of_call.html", context)


def _call(request: HttpRequest, pk: Any) -> Call:
    call = get_object_or_404(Call.objects.select_related("agency", "rules_version"), pk=pk)
    if not reads_calls.allows(call, request.user, clock.now()):
        raise Http404(_("没有这次征集，或您无权查看它的申报。"))
    return call


@login_required
@require_POST
def run(request: HttpRequest, pk: Any) -> HttpResponse:
    """Run the machine checks on every bid that awaits screening."""
    call = _call(request, pk)
    done = services.screen(call, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("已核查 %(n)d 份申报。待人工核实的资格请逐项记录凭证。") % {"n": len(done)})
    return redirect("bidding:of_call", call.pk)


@login_required
@require_GET
def next_bid(request: HttpRequest, pk: Any) -> HttpResponse:
    """Jump to the next bid of the queue that still waits, keeping the filters; back to the list when none is left."""
    call, filters = _call(request, pk), Filters.of(request.GET)
    return redirect(_next(request, call, filters, after=request.GET.get("after", "")))


def _next(request: HttpRequest, call: Call, filters: Filters, *, after: str) -> str:
    found = next_open(call, request.user, filters, after=after)
    if found is None:
        messages.success(request, _("这份清单里没有等待审查的申报了。"))
        return _with(reverse("bidding:of_call", args=[call.pk]), filters)
    return _with(reverse("bidding:screening", args=[found]), filters)


def _with(address: str, filters: Filters) -> str:
    return f"{address}?{filters.query}" if filters.query else address


@login_required
@require_http_methods(["GET", "POST"])
def admit_ready(request: HttpRequest, pk: Any) -> HttpResponse:
    """批量通过: who would be taken, named one by one; then the job."""
    call = _call(request, pk)
    if not screens_calls.allows(call, request.user, clock.now()):
        raise Http404(_("批量通过只由有资格审查职责的人办理。"))
    ready = ready_to_admit(call, request.user).select_related("organisation")
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            job = bulk.admit_ready(call, by=request.user, note=request.POST.get("note", "")[:1000])
        except Refusal as refused:
            refusal = refused
        else:
            return redirect("desk:job", job.pk)
    page = Paginator(ready, PER_PAGE).get_page(request.GET.get("page"))
    context = {"call": call, "page": page, "refusal": refusal, "note": request.POST.get("note", "")}
    return render(request, "bidding/admit_ready.html", context, status=refusal.status if refusal else 200)


@login_required
@require_http_methods(["GET", "POST"])
def related(request: HttpRequest, pk: Any) -> HttpResponse:
    """关联线索 of a call; a clerk sets one aside with a reason."""
    call = _call(request, pk)
    watched(request.user, call, "read", "related")
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            services.dismiss_hint(call, request.POST.get("fingerprint", ""), request.POST.get("reason", ""), by=request.user)
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已记录排除的理由；线索仍在下面，可以再看。"))
            return redirect("bidding:related", call.pk)
    context = {
        "call": call, "hints": _dismissed(call), "refusal": refusal, "typed": request.POST,
        "screens": screens_calls.allows(call, request.user, clock.now()), "closed": bool(call.closes_at and clock.now() >= call.closes_at),
    }  # fmt: skip
    return render(request, "bidding/related.html", context, status=refusal.status if refusal else 200)


def _dismissed(call: Call, bid: Bid | None = None) -> list[dict[str, Any]]:
    """Hints with their bids and what was said about them; only those of one bid when one is given. Two queries beside the search."""
    found = hints_of(bid) if bid is not None else hints(call)
    dismissals = {d.fingerprint: d for d in call.related_dismissals.select_related("by")}
    bids = {str(b.pk): b for b in Bid.objects.filter(pk__in=[pk for h in found for pk in h.bids])}
    return [{"hint": h, "bids": [bids[pk] for pk in h.bids], "dismissal": dismissals.get(h.fingerprint)} for h in found]


@login_required
@require_http_methods(["GET", "POST"])
def of_bid(request: HttpRequest, pk: Any) -> HttpResponse:
    """One bid's eligibility: every finding with its evidence, the sheet for what is open, the form for one conclusion; then the next bid."""
    bid = seen(request, pk)
    if belongs_to(bid, request.user):
        raise Http404(_("资格审查页面只对主办方和承办方开放。"))
    filters, findings = Filters.of(request.GET), standing(bid)
    watched(request.user, bid, "read", "screening")
    whole = request.method == "POST" and "sheet" in request.POST
    single = request.method == "POST" and not whole
    sheet = ScreeningSheet(_open(findings), request.POST if whole else None, request.FILES if whole else None)
    form = FindingForm(findings, data=request.POST if single else None, files=request.FILES if single else None, initial=_first_open(findings))
    if whole and sheet.is_valid() and _recorded(request, bid, sheet):
        return redirect(_onward(request, bid, filters))
    if single and form.is_valid() and _record(request, bid, form):
        messages.success(request, _("已记录。"))
        return redirect(_with(reverse("bidding:screening", args=[bid.pk]), filters))
    context = _facts(request, bid, findings, filters) | {"form": form, "sheet": sheet}
    return render(request, "bidding/screening.html", context, status=422 if form.is_bound or sheet.is_bound else 200)


def _open(findings: list[Any]) -> list[Any]:
    return [f for f in findings if f.outcome == NEEDS_CLERK]


def _facts(request: HttpRequest, bid: Bid, findings: list[Any], filters: Filters) -> dict[str, Any]:
    waits = bid.state == BidStates.SUBMITTED
    steps = [(bid.steps()[verb], explain(bid, verb, request.user)) for verb in VERBS] if waits else []
    return {
        "bid": bid, "findings": findings, "may": waits and screener.allows(bid, request.user, clock.now()), "version": bid.latest, "steps": steps,
        "filters": filters, "query": filters.query, "place": place(bid, narrowed(received(bid.call, request.user), filters)),
        "hints": _dismissed(bid.call, bid),
    }  # fmt: skip


def _first_open(findings: list[Any]) -> dict[str, str]:
    return {"rule": next((f.rule for f in findings if f.outcome == NEEDS_CLERK), "")}


def _recorded(request: HttpRequest, bid: Bid, sheet: ScreeningSheet) -> bool:
    """Write the sheet down; all of it or nothing. What was typed stays in the form when it is refused."""
    concluded = sheet.conclusions()
    if concluded is None:
        return False
    if not concluded and request.POST.get("sheet") == "save":
        sheet.add_error(None, _("还没有填写任何结论；请至少选择一项合格或不合格。"))
        return False
    try:
        made = services.record_findings(bid, concluded, by=request.user)  # type: ignore[arg-type]
    except Refusal as refusal:
        sheet.tell(refusal)
        return False
    if made:
        messages.success(request, _("已记录 %(n)d 项结论。") % {"n": len(made)})
    return True


def _onward(request: HttpRequest, bid: Bid, filters: Filters) -> str:
    """Where to after the sheet was saved: stay, the next bid, or admit this one and then the next."""
    wish = request.POST.get("sheet")
    if wish == "admit" and not _admitted(request, bid):
        wish = "save"
    if wish == "save":
        return _with(reverse("bidding:screening", args=[bid.pk]), filters)
    return _next(request, bid.call, filters, after=bid.number)


def _admitted(request: HttpRequest, bid: Bid) -> bool:
    try:
        perform(bid, "admit", by=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return False
    messages.success(request, _("%(bid)s 已通过资格审查。") % {"bid": bid.number})
    return True


def _record(request: HttpRequest, bid: Bid, form: FindingForm) -> bool:
    given = form.cleaned_data
    try:
        upload = given["evidence"]
        kept = store(upload, name=upload.name, allowed=EVIDENCE, max_bytes=EVIDENCE_BYTES) if upload else None
        services.record_finding(
            bid, given["rule"], given["outcome"], by=request.user, evidence_note=given["evidence_note"], evidence_file=kept  # type: ignore[arg-type]
        )
    except FileRefused as refused:
        form.add_error("evidence", refused.sentence)
        return False
    except Refusal as refusal:
        show(form, getattr(refusal, "problems", {}), str(refusal))
        return False
    return True
