"""Ranking board and release: what is proposed and why, on the screen, on paper and in a file; the letters before they are sent; one stroke."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from grants.awards import services
from grants.awards.board import Board, Row, board, how_amounts, tie_rule
from grants.awards.progress import category_lines
from grants.awards.showing.audience import Audience
from grants.awards.showing.public import budget_chart
from grants.awards.showing.view import View
from grants.awards.views.office import _call
from grants.calls.models import Call
from grants.people.permissions import permissions_of
from grants.people.watching import watched
from grants.web.cells import Column
from grants.web.exports import as_csv, as_xlsx
from grants.workflow.refusals import Refusal

PER_PAGE = 50

COLUMNS = (
    Column(gettext_lazy("名次"), "result.rank", "number", "rank"),
    Column(gettext_lazy("编号"), "bid.number", "code", "number"),
    Column(gettext_lazy("项目"), "bid.title", name="title"),
    Column(gettext_lazy("申报单位"), "bid.organisation.name", name="organisation"),
    Column(gettext_lazy("服务领域"), "category"),
    Column(gettext_lazy("得分"), "result.total", "number", "score"),
    Column(gettext_lazy("原始均分"), "mean", "number", "mean"),
    Column(gettext_lazy("校准分（参考）"), "calibrated", "number", "calibrated"),
    Column(gettext_lazy("各专家评分"), lambda row: " ".join(f"({d.total})" if d.dropped else str(d.total) for d in row.dots), name="dots"),
    Column(gettext_lazy("评分份数"), "result.n_ballots", "number", "ballots"),
    Column(gettext_lazy("标记"), "flag_words", name="flags"),
    Column(gettext_lazy("申请金额"), "ask", "money"),
    Column(gettext_lazy("拟资助金额"), "proposed", "money"),
    Column(gettext_lazy("累计"), "cumulative", "money"),
    Column(gettext_lazy("可用资金来源"), "pools"),
    Column(gettext_lazy("理由"), "reason"),
    Column(gettext_lazy("状态"), "state"),
)


@login_required
@require_GET
def ranking(request: HttpRequest, pk: Any) -> HttpResponseBase:
    """The board, fifty rows a page; `?all=1` is all of it, for printing."""
    call = _call(request, pk)
    watched(request.user, call, "read", "board")
    made = board(call)
    size = max(len(made.rows), 1) if request.GET.get("all") else PER_PAGE
    page = Paginator(made.rows, size).get_page(request.GET.get("page"))
    seen = View(call, Audience.STAFF, request.user)
    seen.board = made
    context = {
        "budget": budget_chart(seen) if made.rows else None,
        "call": call, "board": made, "page": page, "ties": tie_rule(call), "how": how_amounts(call), "categories": category_lines(call),
        "scale": _scale(made), "pass_line": call.rules.review.pass_line,
    }  # fmt: skip
    return render(request, "awards/board.html", context)


def _scale(made: Board) -> tuple[Any, Any]:
    """One scale for every strip of the board: the lowest and highest ballot."""
    totals = [d.total for row in made.rows for d in row.dots]
    return (min(totals), max(totals)) if totals else (0, 100)


@login_required
@require_GET
def ranking_file(request: HttpRequest, pk: Any, form: str) -> HttpResponseBase:
    """The same rows as a file."""
    call = _call(request, pk)
    if form in ("csv", "xlsx"):
        watched(request.user, call, "download", "board")
    name, rows = _("排名与决定表 %(call)s") % {"call": call.code}, board(call).rows
    return _file(form, name, rows)


def _file(form: str, name: str, rows: list[Row]) -> HttpResponseBase:
    if form not in ("csv", "xlsx"):
        raise Http404
    return (as_xlsx if form == "xlsx" else as_csv)(name, COLUMNS, rows, total_of=["ask", "proposed"])


@login_required
@require_http_methods(["GET", "POST"])
def release(request: HttpRequest, pk: Any) -> HttpResponseBase:
    """The letters as they will be sent; the approver releases all of it in one transaction. Refused: the page again, nothing sent."""
    call = _call(request, pk)
    watched(request.user, call, "read", "letters")
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            made = services.release(call, by=request.user, note=request.POST.get("note", "")[:1000])  # type: ignore[arg-type]
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已发布 %(n)d 份申报的决定，信正在发给全部申报单位。") % {"n": len(made)})
            return redirect("awards:call", pk=call.pk)
    return _letters(request, call, refusal)


def _letters(request: HttpRequest, call: Call, refusal: Refusal | None) -> HttpResponseBase:
    page = Paginator(services.pending(call), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "call": call, "page": page, "letters": list(services.drafts(page)), "refusals": [str(refusal)] if refusal else [],
        "note": request.POST.get("note", ""), "may": "confirm_awards" in permissions_of(request.user, call.agency),
        "awarded": services.pending(call).filter(awarded=True).count(),
    }  # fmt: skip
    return render(request, "awards/release.html", context, status=refusal.status if refusal else 200)
