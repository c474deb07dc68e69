"""What goes to the bank and comes back: orders that were ticked, their sum seen in figures and capitals, one file; slips matched row by row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from grants.documents.capitals import capitals
from grants.funding import services
from grants.funding.models import PaymentBatch, PaymentOrder, Tranche
from grants.funding.office import PER_PAGE, as_uuid, by_source
from grants.funding.statement import NotAStatement
from grants.money import ZERO
from grants.people.models import Agency
from grants.people.permissions import scopes_with
from grants.workflow.refusals import Invalid, NotNow, Refusal

MOST_STATEMENT = 5 * 1024 * 1024  # bytes


@login_required
@require_http_methods(["GET", "POST"])
def batch(request: HttpRequest) -> HttpResponseBase:
    """The orders chosen, their sum in figures and in capitals, per source; then one file for the bank. Refused: the page again."""
    given = request.POST if request.method == "POST" else request.GET
    orders = _chosen(request.user, given.getlist("order"), given.get("call", ""))
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            made = _make(request, orders)
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已生成批次 %(number)s，请下载后送银行；系统不会重复发送。") % {"number": made.number})
            return redirect("funding:queue")
    total = sum((o.amount for o in orders), ZERO)
    calls = sorted({o.tranche.award.call for o in orders}, key=lambda c: c.code)
    context = {
        "orders": orders, "total": total, "capitals": capitals(total), "calls": calls, "refusals": [str(refusal)] if refusal else [],
        "sources": by_source(Tranche.objects.filter(payment_order__in=[o.pk for o in orders])),
    }  # fmt: skip
    return render(request, "funding/batch.html", context, status=refusal.status if refusal else 200)


def _chosen(actor: Any, keys: Iterable[str], call: str) -> list[PaymentOrder]:
    """Ready orders among those named (all of a call's when only the call is), on desks where this person pays; 404 for nobody's desk."""
    desk = scopes_with(actor, "pay_tranches", Agency, "tranche__award__call__agency")
    if not Agency.objects.filter(scopes_with(actor, "pay_tranches", Agency, "pk")).exists():
        raise Http404(_("银行批次只由财务生成。"))
    rows = PaymentOrder.objects.filter(desk, status="ready", tranche__award__state="active")
    named = [key for key in keys if key]
    rows = rows.filter(key__in=named) if named else rows.filter(tranche__award__call_id=as_uuid(call))
    related = ("tranche__award__call__agency", "tranche__award__bid")
    return list(rows.select_related(*related).order_by("key"))


def _make(request: HttpRequest, orders: list[PaymentOrder]) -> PaymentBatch:
    if not orders:
        raise NotNow(_("没有待入批的付款单。"), rule="orders_ready")
    calls = {o.tranche.award.call_id for o in orders}
    if len(calls) > 1:
        raise Invalid(_("一个批次只装一次征集的付款单，请分次勾选。"), rule="one_call")
    seen = request.POST.get("seen_total", "")
    total = sum((o.amount for o in orders), ZERO)
    if seen != f"{total:.2f}":
        raise NotNow(_("您确认的合计与现在的不同：有付款单刚刚被处理过。请核对下面的新合计后再确认。"), rule="seen_total")
    return services.make_batch(orders[0].tranche.award.call, by=request.user, only=[o.pk for o in orders])


# --- slips --------------------------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "POST"])
def reconcile(request: HttpRequest) -> HttpResponseBase:
    """Orders at the bank without an answer: each is paid when its slip's number is typed; the others stay unknown. Each by itself."""
    desk = scopes_with(request.user, "pay_tranches", Agency, "tranche__award__call__agency")
    if not Agency.objects.filter(scopes_with(request.user, "pay_tranches", Agency, "pk")).exists():
        raise Http404(_("对账只由财务办理。"))
    rows = PaymentOrder.objects.filter(desk, status="sent_unknown").select_related("tranche__award__bid", "batch").order_by("made_at", "key")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    refused: dict[Any, str] = {}
    if request.method == "POST" and "statement" in request.FILES:
        return _compared(request, rows)
    if request.method == "POST":
        refused = _matched(request, list(page))
        if not refused:
            return redirect("funding:reconcile")
        page = Paginator(rows.all(), PER_PAGE).get_page(request.GET.get("page"))
    typed = {key.removeprefix("slip_"): value for key, value in request.POST.items() if key.startswith("slip_")}
    lines = [{"order": o, "typed": typed.get(str(o.pk), ""), "error": refused.get(o.pk, "")} for o in page]
    return render(request, "funding/reconcile.html", {"page": page, "lines": lines, "refused": refused}, status=409 if refused else 200)


def _compared(request: HttpRequest, rows: Any) -> HttpResponseBase:
    """A bank statement was sent: the orders it pays stand on the page with their slips filled in. Nothing is confirmed yet."""
    problem, found = "", None
    upload: Any = request.FILES["statement"]
    try:
        found = services.compare(upload.read(MOST_STATEMENT), rows, by=request.user)
    except NotAStatement as wrong:
        problem = _("对账单读不出：%(why)s。请从网上银行导出 CSV 再传。") % {"why": wrong}
    slips = found.references if found else {}
    shown = [order for order in rows if order.key in slips][:PER_PAGE] if found else list(rows[:PER_PAGE])
    lines = [{"order": o, "typed": slips.get(o.key, ""), "error": ""} for o in shown]
    context = {"page": Paginator(rows.filter(pk__in=[o.pk for o in shown]), PER_PAGE).get_page(1), "lines": lines, "compared": found, "problem": problem}
    return render(request, "funding/reconcile.html", context, status=422 if problem else 200)


@login_required
@require_http_methods(["GET", "POST"])
def not_received(request: HttpRequest, pk: Any) -> HttpResponseBase:
    """银行确认未收到: a second person's word, with a note; the order is ready again. Nothing is ever sent again without this."""
    desk = scopes_with(request.user, "pay_tranches", Agency, "tranche__award__call__agency")
    desk |= scopes_with(request.user, "approve_tranches", Agency, "tranche__award__call__agency")
    order = PaymentOrder.objects.filter(desk, pk=pk).select_related("tranche__award__call__agency", "batch").first()
    if order is None:
        raise Http404(_("没有这张付款单，或不由您办理。"))
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            services.not_received(order, by=request.user, note=request.POST.get("note", ""))
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("付款单 %(key)s 已退回待入批，可以重新生成批次。") % {"key": order.key})
            return redirect("funding:queue")
    context = {"order": order, "refusal": refusal, "note": request.POST.get("note", ""), "attempts": order.attempts.order_by("pk")}
    return render(request, "funding/not_received.html", context, status=refusal.status if refusal else 200)


def _matched(request: HttpRequest, orders: list[PaymentOrder]) -> dict[Any, str]:
    """Match every row whose slip was typed; why the others were not, by order."""
    refused, done = {}, 0
    for order in orders:
        slip = request.POST.get(f"slip_{order.pk}", "").strip()
        if not slip:
            continue
        try:
            services.reconcile(order, bank_reference=slip[:60], by=request.user)
            done += 1
        except Refusal as refusal:
            refused[order.pk] = str(refusal)
    if done:
        messages.success(request, _("已核对 %(n)d 张付款单。") % {"n": done})
    return refused
