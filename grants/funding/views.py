"""Pages of funding: one project's money, claims and vouchers, the finance officer's queue, what is overdue."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grants import clock
from grants.awards.models import Award
from grants.calls.models import Call
from grants.documents.download import download
from grants.documents.inspection import FileRefused
from grants.funding import invariants, services
from grants.funding.books import call_book
from grants.funding.expenses import Nature
from grants.funding.forms import ChangeForm, ExpenseForm, ReasonForm, ReceiptForm, ReferenceForm, VoucherForm
from grants.funding.models import Expense, PaymentBatch, Receipt, Surplus, Tranche
from grants.funding.rules import tranche_visible
from grants.people.models import Agency
from grants.people.permissions import permissions_of, scopes_with
from grants.workflow.refusals import Refusal


def _award(request: HttpRequest, pk: Any) -> Award:
    """The award, for those who may see its money: whoever may see one of its tranches."""
    visible = tranche_visible.filter(Tranche.objects.filter(award_id=pk), request.user)
    if not visible.exists():
        raise Http404(_("没有这个项目的资金记录，或您无权查看。"))
    return get_object_or_404(
        Award.objects.select_related("call__agency", "bid__organisation", "bid__sponsor", "bid__rules_version"), pk=pk
    )


@login_required
@require_GET
def award(request: HttpRequest, pk: Any) -> HttpResponse:
    """One project's money: plan, matrix, receipts, expenses with a running balance, surplus."""
    found = _award(request, pk)
    held = permissions_of(request.user, found.call.agency)
    context = {
        "award": found, "tranches": found.tranches.order_by("number").prefetch_related("lines__source"),
        "allocations": found.allocations.select_related("source"), "expenses": _running(found),
        "surplus": Surplus.objects.filter(award=found).first(),
        "may_claim": "claim" in permissions_of(request.user, found.payee) | permissions_of(request.user, found.organisation),
        "may_check": "check_tranches" in held, "may_pay": "pay_tranches" in held, "reference_form": ReferenceForm(),
    }  # fmt: skip
    return render(request, "funding/award.html", context)


def _running(found: Award) -> list[dict[str, Any]]:
    left = {line.pk: line.agreed for line in found.lines.all()}
    rows = []
    for e in found.expenses.select_related("line", "voucher"):
        if e.line_id in left and not e.disallowed_reason:
            left[e.line_id] -= e.amount
        rows.append({"expense": e, "left": None if e.line_id is None else left.get(e.line_id)})
    return rows


@login_required
@require_http_methods(["GET", "POST"])
def receipt(request: HttpRequest, pk: Any) -> HttpResponse:
    """Hand in a receipt for a tranche."""
    tranche = get_object_or_404(tranche_visible.filter(Tranche.objects.select_related(*Tranche.door_select), request.user), pk=pk)
    initial = {"amount": tranche.amount, "payer_title": tranche.agency.name, "issued_on": clock.today()}
    accepted = tranche.award.bid.rules.funding.receipts
    form = ReceiptForm(request.POST or None, request.FILES or None, initial=initial, accepted=accepted)
    if request.method == "POST" and form.is_valid():
        columns = {k: v for k, v in form.cleaned_data.items() if k != "file"}
        if _done(
            request, form, lambda: services.add_receipt(tranche, file=form.cleaned_data["file"], by=request.user, **columns)
        ):
            return redirect("desk:object", kind="tranche", pk=tranche.pk)
    back = reverse("desk:object", args=["tranche", tranche.pk])
    return _form(request, form, _("上传票据"), str(tranche), back)


@login_required
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: Any) -> HttpResponse:
    """Ask for a change of a running project."""
    found = _award(request, pk)
    form = ChangeForm(request.POST or None, award=found, targets=services.targets_of(found))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = services.propose_change(found, by=request.user, **form.details())
                messages.success(request, _("变更已经生效。") if made.state == "applied" else _("变更申请已提交。"))
                return redirect("desk:object", kind="change", pk=made.pk)
            except Refusal as refusal:
                status = refusal.status
                form.add_error("reason" if getattr(refusal, "rule", "") == "reason" else None, str(refusal))
    context = {"award": found, "form": form, "limits": services.limits_of(found)}
    return render(request, "funding/change.html", context, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def expense(request: HttpRequest, pk: Any) -> HttpResponse:
    """Book an expense; warnings are shown after saving."""
    found = _award(request, pk)
    form = ExpenseForm(request.POST or None, request.FILES or None, award=found, initial={"spent_on": clock.today()})
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        nature, voucher = data.pop("nature"), data.pop("voucher_file")
        act = lambda: _book(request, found, data, nature, voucher)  # noqa: E731
        if _done(request, form, act):
            return redirect("funding:award", pk=found.pk)
    return _form(request, form, _("登记支出"), str(found), reverse("funding:award", args=[found.pk]))


def _book(request: HttpRequest, found: Award, data: dict[str, Any], nature: str, voucher: Any) -> None:
    kind = Nature(nature) if nature else None
    _row, warnings = services.add_expense(found, by=request.user, voucher=voucher, nature=kind, **data)
    for warning in warnings:
        messages.warning(request, f"{warning.sentence}{warning.way_out}")


def _done(request: HttpRequest, form: Any, act: Any) -> bool:
    """Do it; a refusal goes into the form's error summary and nothing typed is lost."""
    try:
        act()
    except (Refusal, FileRefused) as refused:
        problems = getattr(refused, "problems", {}) or {"__all__": [str(refused)]}
        for name, sentences in problems.items():
            for sentence in sentences:
                form.add_error(name if name in form.fields else None, sentence)
        return False
    messages.success(request, _("已保存。"))
    return True


def _form(request: HttpRequest, form: Any, title: str, lead: str, back: str) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "funding/form.html", {"form": form, "title": title, "lead": lead, "back": back}, status=status)


@login_required
@require_POST
def verify_receipt(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Receipt.objects.select_related("tranche__award__call__agency"), pk=pk)
    services.verify_receipt(row, by=request.user)
    messages.success(request, _("票据已核验。"))
    return redirect("desk:object", kind="tranche", pk=row.tranche_id)


@login_required
@require_http_methods(["GET", "POST"])
def voucher(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in the scan of a voucher for an expense that has none."""
    row = get_object_or_404(Expense.objects.select_related("award__call__agency"), pk=pk)
    found = _award(request, row.award_id)
    form = VoucherForm(request.POST or None, request.FILES or None)
    act = lambda: services.attach_voucher(row, file=form.cleaned_data["file"], by=request.user)  # noqa: E731
    if request.method == "POST" and form.is_valid() and _done(request, form, act):
        return redirect("funding:award", pk=found.pk)
    return _form(request, form, _("补交凭证"), str(row), reverse("funding:award", args=[found.pk]))


@login_required
@require_http_methods(["GET", "POST"])
def disallow(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Expense.objects.select_related("award__call__agency"), pk=pk)
    _award(request, row.award_id)
    form = ReasonForm(request.POST or None)
    act = lambda: services.disallow_expense(row, reason=form.cleaned_data["reason"], by=request.user)  # noqa: E731
    if request.method == "POST" and form.is_valid() and _done(request, form, act):
        return redirect("funding:award", pk=row.award_id)
    return _form(request, form, _("不予认可这笔支出"), str(row), reverse("funding:award", args=[row.award_id]))


@login_required
@require_POST
def surplus(request: HttpRequest, pk: Any) -> HttpResponse:
    """Compute the surplus, or confirm that it came back."""
    found = _award(request, pk)
    if request.POST.get("bank_reference"):
        services.return_surplus(found, bank_reference=request.POST["bank_reference"], by=request.user)
        messages.success(request, _("已确认结余退回。"))
    else:
        services.compute_surplus(found, by=request.user)
        messages.success(request, _("结余已核算。"))
    return redirect("funding:award", pk=found.pk)


@login_required
@require_GET
def batch_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The bank file, for those who may pay."""
    row = get_object_or_404(PaymentBatch.objects.filter(scopes_with(request.user, "pay_tranches", Agency, "call__agency")), pk=pk)
    if row.file is None:
        raise Http404
    return download(row.file, name=f"{row.number}.csv")  # type: ignore[return-value]


@login_required
@require_GET
def overview(request: HttpRequest, pk: Any) -> HttpResponse:
    """A call's sources with what is promised, paid and left, whatever does not tie out, and late tranches."""
    desk = scopes_with(request.user, "read_calls", Agency, "agency")
    call = get_object_or_404(Call.objects.filter(desk).select_related("rules_version"), pk=pk)
    waiting = Tranche.objects.filter(award__call=call, state__in=("requested", "checked", "approved", "ordered")).select_related(
        "award__bid"
    )
    late = [(t, services.overdue_on(t, clock.today())) for t in waiting]
    book = call_book(call)
    context = {
        "call": call, "balances": services.balances(call, book), "violations": invariants.check_call(book),
        "late": [(t, days) for t, days in late if days],
    }  # fmt: skip
    return render(request, "funding/overview.html", context)
