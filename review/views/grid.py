"""All of one's own bids against all criteria on one page, and the same as a workbook: to compare and adjust until handed in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grants.calls.rulebook.parts.review import StageKind
from grants.people.models import User
from grants.workflow.refusals import Invalid, Refusal
from review import services, workbook
from review.ballots import OwnCriterion, criteria_of, plain, shown
from review.forms import WorkbookForm
from review.models import LIVE, Mark, Review
from review.queue import Filter
from review.views import me
from review.views.ballots import address
from review.workbook import Sheet

SALT = "review.workbook"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
AGE = 3600
STAGES = {str(kind): kind.zh for kind in StageKind}


def sheets_of(user: User, chosen: Filter) -> list[Sheet]:
    """One's own live reviews with criteria and marks, in a fixed number of queries."""
    rows = list(chosen.rows(user).filter(state__in=LIVE).select_related(*Review.door_select).prefetch_related("marks"))
    both = zip(rows, criteria_of(rows), strict=True)
    return [Sheet(review, criteria, review.held()) for review, criteria in both]


@dataclass
class Cell:
    """One box of the grid. name: of its input. value: as saved or as typed."""

    name: str
    criterion: OwnCriterion
    value: str
    error: str = ""


@dataclass
class Line:
    """One review on the grid."""

    review: Review
    cells: list[Cell]
    editable: bool
    words: tuple[int, int] = (0, 0)
    """How many comments are written: to the bidder, to the panel."""
    refusal: str = ""

    @property
    def total(self) -> str:
        """Own points so far; a box that holds no number counts for nothing yet."""
        values = [_decimal(cell.value) for cell in self.cells]
        return shown(sum((v for v in values if v is not None), Decimal(0)))


@dataclass
class Table:
    """Lines that share the same criteria: one panel, one stage, one sheet."""

    title: str
    stage: str
    criteria: list[OwnCriterion]
    lines: list[Line] = field(default_factory=list)

    @property
    def top(self) -> str:
        return shown(sum((c.top for c in self.criteria), Decimal(0)))


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(plain(text))
    except ArithmeticError:
        return None
    return value if value.is_finite() else None


@login_required
@require_http_methods(["GET", "POST"])
def grid(request: HttpRequest) -> HttpResponse:
    """Compare and adjust. Each line is saved by itself: what is right is kept, what is refused stays on the page with its reason."""
    chosen = Filter.of(request.GET)
    sheets = sheets_of(me(request), chosen)
    lines = [_line(sheet, request.POST if request.method == "POST" else None) for sheet in sheets]
    status = 200
    if request.method == "POST":
        saved = sum(_save(sheet, line, me(request)) for sheet, line in zip(sheets, lines, strict=True))
        if not any(line.refusal for line in lines):
            messages.success(request, _("已保存 %(n)d 份。") % {"n": saved})
            return redirect(request.get_full_path())
        status = 422
    done = sum(sheet.review.state == "submitted" for sheet in sheets)
    context = {"tables": _tables(sheets, lines), "chosen": chosen, "n": len(sheets), "done": done,
               "refused": [line for line in lines if line.refusal]}  # fmt: skip
    return render(request, "review/grid.html", context, status=status)


def _line(sheet: Sheet, typed: Any) -> Line:
    editable = sheet.review.state == "accepted" and sheet.review.panel.state == "scoring"
    cells = []
    for criterion in sheet.criteria:
        name, mark = f"m_{sheet.review.pk}_{criterion.code}", sheet.marks.get(criterion.code)
        saved = shown(mark.value) if mark else ""
        cells.append(Cell(name, criterion, str(typed.get(name, saved)).strip() if typed is not None and editable else saved))
    marks = sheet.marks.values()
    words = sum(bool(m.comment) for m in marks), sum(bool(m.panel_comment) for m in marks)
    return Line(sheet.review, cells, editable, words)


def _save(sheet: Sheet, line: Line, by: User) -> bool:
    """Save one line if something on it changed; a refusal is written on it."""
    changed = {c.criterion.code: c.value for c in line.cells if not _same(c.value, sheet.marks.get(c.criterion.code))}
    if not line.editable or not changed:
        return False
    try:
        services.save_marks(sheet.review, changed, by=by, emptied=[code for code, value in changed.items() if not value])
    except Refusal as refused:
        line.refusal = str(refused)
        problems = getattr(refused, "problems", None) or {}
        for cell in line.cells:
            cell.error = str(next(iter(problems.get(cell.criterion.code, [])), ""))
        return False
    return True


def _same(value: str, mark: Mark | None) -> bool:
    return not value if mark is None else _decimal(value) == mark.value


def _tables(sheets: list[Sheet], lines: list[Line]) -> list[Table]:
    tables: dict[Any, Table] = {}
    for sheet, line in zip(sheets, lines, strict=True):
        key = (sheet.review.panel_id, sheet.review.stage, tuple(c.code for c in sheet.criteria))
        title = sheet.review.panel.call.title
        tables.setdefault(key, Table(title, STAGES[sheet.review.stage], sheet.criteria)).lines.append(line)
    return list(tables.values())


@login_required
@require_POST
def hand_in(request: HttpRequest) -> HttpResponse:
    """Hand in every ballot that is complete; the others stay, each with its reason."""
    chosen = Filter.of(request.GET)
    rows = chosen.rows(me(request)).filter(state="accepted", panel__state="scoring").select_related(*Review.door_select)
    outcome = services.hand_in_all(rows, by=me(request))
    if outcome.done:
        messages.success(request, _("已提交 %(n)d 份。锁定之前可以取回修改。") % {"n": len(outcome.done)})
    for review, why in outcome.refused[:10]:
        messages.warning(request, f"{review.bid.number}：{why}")
    if not outcome.done and not outcome.refused:
        messages.info(request, _("没有可以提交的评分：请先声明并填写。"))
    return redirect(address("review:grid", chosen))


@login_required
@require_GET
def download(request: HttpRequest) -> HttpResponse:
    """The workbook of one's own reviews, to fill in without a network."""
    sheets = sheets_of(me(request), Filter.of(request.GET))
    opened = [s for s in sheets if s.review.state != "assigned"]
    content = workbook.build(opened, title=_("评分表（%(n)d 份）") % {"n": len(opened)}, stages=STAGES)
    response = HttpResponse(content, content_type=XLSX)
    response["Content-Disposition"] = 'attachment; filename="ballots.xlsx"'
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Send a workbook back: first what it would change and what is refused, then, confirmed, it is saved like the page."""
    if request.POST.get("confirmed"):
        return _apply(request, request.POST["confirmed"])
    form = WorkbookForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form}
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                context |= _preview(me(request), form.cleaned_data["file"])
                status = 422 if context["found"].problems else 200
            except Refusal as refused:
                form.add_error("file", str(refused))
    return render(request, "review/upload.html", context, status=status)


def _preview(user: User, file: Any) -> dict[str, Any]:
    if file.size > workbook.LARGEST:
        raise Invalid(
            _("文件超过 %(n)d MB，请只上传系统下载的评分表。") % {"n": workbook.LARGEST // 1024 // 1024}, rule="workbook"
        )
    found = workbook.read(file.read(), {str(s.review.pk): s for s in sheets_of(user, Filter())})
    rows = [[e.review, e.code, e.value, e.comment, e.panel] for e in found.changes]
    token = signing.dumps([str(user.pk), rows], salt=SALT, compress=True) if rows and not found.problems else ""
    return {"found": found, "token": token}


def _apply(request: HttpRequest, token: str) -> HttpResponse:
    """What was previewed, and only that, through the same service as the page; all or nothing per ballot."""
    try:
        owner, rows = signing.loads(token, salt=SALT, max_age=AGE)
    except signing.BadSignature:
        owner, rows = "", []
    if owner != str(me(request).pk):
        messages.warning(request, _("预览已经过期，请重新上传评分表。"))
        return redirect("review:upload")
    sheets = {str(s.review.pk): s for s in sheets_of(me(request), Filter())}
    saved, refused = _save_rows(rows, sheets, me(request))
    if saved:
        messages.success(request, _("已按评分表保存 %(n)d 份。请核对后提交。") % {"n": saved})
    for sentence in refused[:10]:
        messages.warning(request, sentence)
    return redirect("review:grid")


def _save_rows(rows: Iterable[list[str]], sheets: dict[str, Sheet], by: User) -> tuple[int, list[str]]:
    by_review: dict[str, list[list[str]]] = {}
    for row in rows:
        by_review.setdefault(row[0], []).append(row)
    saved, refused = 0, []
    for key, own in by_review.items():
        if key not in sheets:
            continue
        sheet = sheets[key]
        marks = {code: value or _now(sheet, code) for _key, code, value, _c, _p in own}
        words = {code: (comment, panel) for _key, code, _v, comment, panel in own}
        try:
            services.save_marks(sheet.review, marks, by=by, comments=words)
            saved += 1
        except Refusal as why:
            refused.append(f"{sheet.review.bid.number}：{why}")
    return saved, refused


def _now(sheet: Sheet, code: str) -> str:
    mark = sheet.marks.get(code)
    return str(mark.value) if mark else ""
