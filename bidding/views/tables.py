"""The tables of a bid — budget, indicators, team — and its attachments. Rows are added and removed without a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from bidding import services
from bidding.completeness import asked_attachments, problems
from bidding.forms import MORE_ROWS, AttachmentForm, BudgetRow, KpiRow, MemberRow, RowForm, show, table
from bidding.models import Bid
from bidding.services import presence
from bidding.services.keeping import Kept, keep, standing
from bidding.services.tables import ROWS, Table, promised_elsewhere
from bidding.views.access import after_saving, to_write
from bidding.views.budgeting import budget_facts, told_after_saving
from bidding.views.pasting import paste_into
from bidding.views.saving import based_on, choices, given_way
from grants.documents.inspection import FileRefused
from grants.workflow.refusals import Invalid


@dataclass(frozen=True)
class Sheet:
    """One table page: its title, row form, how it is kept, its template, what else that shows, and what else a save replies."""

    title: Any
    row: type[RowForm]
    part: Table
    template: str
    facts: Callable[[Bid], dict[str, Any]]
    more: Callable[[Kept], Mapping[str, Any]] = lambda _kept: {}


def _page(request: HttpRequest, pk: Any, sheet: Sheet) -> HttpResponse:
    bid = to_write(request, pk)
    data = _rearranged(request) if request.method == "POST" else None
    stands = standing(bid, sheet.part)
    pasted = paste_into(data, sheet.row, bid) if data is not None and "paste" in data else None
    rows = table(sheet.row)(data=data, initial=stands.values[ROWS], form_kwargs={"bid": bid})
    rows.mark = stands.marks[ROWS] if data is None else data.get(f"mark-{ROWS}", "")
    saving = data is not None and not any(key in request.POST for key in REARRANGING)
    if saving and rows.is_valid():
        try:
            kept = _kept(request, bid, sheet, rows)
            if not kept.clashes:
                messages.success(request, _("已保存。"))
                return redirect(request.get_full_path() if "stay" in request.POST else after_saving(request, bid))
            rows.choice = choices(kept, rows.in_words)[ROWS]
        except Invalid as refusal:
            rows.show(refusal.problems, str(refusal))
    told = [p for p in problems(bid) if request.path.endswith(f"/{p.page}/")]
    context = {
        "bid": bid, "rows": rows, "told": told, "pasted": pasted, "page": sheet.part.page, "writers": presence.others(bid.subject, than=request.user),  # type: ignore[arg-type]
        **sheet.facts(bid),
    }  # fmt: skip
    return render(request, sheet.template, context, status=(409 if rows.choice else 422) if saving else 200)


def _kept(request: HttpRequest, bid: Bid, sheet: Sheet, rows: Any) -> Kept:
    given = {} if given_way(request.POST, ROWS) else {ROWS: rows.rows()}
    return keep(bid, sheet.part, given, by=request.user, based_on=based_on(request.POST, given), strict=bool(given))  # type: ignore[arg-type]


REARRANGING = ("more", "up", "down", "paste")
"""Buttons that change the page and save nothing."""


def _rearranged(request: HttpRequest) -> Any:
    """What was posted, with more rows, or with two neighbours changed places."""
    data = request.POST.copy()
    total = data.get("form-TOTAL_FORMS", "")
    n = int(total) if total.isdigit() else 0
    if "more" in data:
        data["form-TOTAL_FORMS"] = str(n + MORE_ROWS)
    for button, step in (("up", -1), ("down", 1)):
        row = data.get(button, "")
        if row.isdigit() and 0 <= int(row) < n and 0 <= int(row) + step < n:
            _swap(data, int(row), int(row) + step)
    return data


def _swap(data: Any, one: int, other: int) -> None:
    first = {key.split("-", 2)[2]: data.pop(key) for key in list(data) if key.startswith(f"form-{one}-")}
    second = {key.split("-", 2)[2]: data.pop(key) for key in list(data) if key.startswith(f"form-{other}-")}
    for place, cells in ((one, second), (other, first)):
        for column, values in cells.items():
            data.setlist(f"form-{place}-{column}", values)


BUDGET = Sheet(gettext_lazy("预算"), BudgetRow, services.BUDGET, "bidding/budget.html", budget_facts, told_after_saving)
KPIS = Sheet(
    gettext_lazy("指标与受益人群"), KpiRow, services.KPIS, "bidding/kpis.html", lambda bid: {"elsewhere": bid.kpis.filter(code__in=promised_elsewhere(bid))}
)
TEAM = Sheet(
    gettext_lazy("人员名单"), MemberRow, services.TEAM, "bidding/team.html", lambda bid: {"wanted": bid.rules.eligibility.professionals}
)
SHEETS = {sheet.part.page: sheet for sheet in (BUDGET, KPIS, TEAM)}


@login_required
@require_http_methods(["GET", "POST"])
def budget(request: HttpRequest, pk: Any) -> HttpResponse:
    """The budget: lines, sums, and every cap beside what is asked."""
    return _page(request, pk, BUDGET)


@login_required
@require_http_methods(["GET", "POST"])
def kpis(request: HttpRequest, pk: Any) -> HttpResponse:
    """Indicators and beneficiary counts."""
    return _page(request, pk, KPIS)


@login_required
@require_http_methods(["GET", "POST"])
def team(request: HttpRequest, pk: Any) -> HttpResponse:
    """The people who will do it."""
    return _page(request, pk, TEAM)


@login_required
@require_http_methods(["GET", "POST"])
def attachments(request: HttpRequest, pk: Any) -> HttpResponse:
    """What is asked for, what is there, and one upload at a time."""
    bid = to_write(request, pk)
    form = AttachmentForm(bid, data=request.POST or None, files=request.FILES or None, initial={"code": request.GET.get("code")})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            services.attach(bid, given["code"], given["file"], by=request.user, expires_on=given.get("expires_on"))  # type: ignore[arg-type]
            messages.success(request, _("已上传“%(name)s”。") % {"name": given["file"].name})
            return _again(request, bid)
        except Invalid as refusal:
            show(form, refusal.problems, str(refusal))
        except FileRefused as refused:
            form.add_error("file", refused.sentence)
    held = list(bid.attachments.select_related("file"))
    items = [(asked, [row for row in held if row.code == asked.code]) for asked in asked_attachments(bid)]
    context = {"bid": bid, "form": form, "items": items, "back": _from_check(request)}
    return render(request, "bidding/attachments.html", context, status=422 if request.method == "POST" else 200)


@login_required
@require_POST
def remove(request: HttpRequest, pk: Any, attachment: int) -> HttpResponse:
    """Take an attachment out of the working copy."""
    bid = to_write(request, pk)
    row = get_object_or_404(bid.attachments, pk=attachment)
    services.detach(row, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("已删除“%(name)s”。") % {"name": row.name})
    return _again(request, bid)


def _from_check(request: HttpRequest) -> str:
    """The query that remembers that the person came from the check page, for several files in a row."""
    return "?from=check" if request.GET.get("from") == "check" else ""


def _again(request: HttpRequest, bid: Any) -> HttpResponse:
    """The page of attachments once more, with the way back it had."""
    return redirect(reverse("bidding:attachments", args=[bid.pk]) + _from_check(request))
