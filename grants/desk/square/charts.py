"""The two pictures of the square, each with its table and its files: need beside supply, and where the money went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from grants.calls.needs.fields import ServiceField
from grants.calls.needs.places import DISTRICT_WIDE
from grants.desk.menu import KEY
from grants.desk.square import drawing, supply
from grants.desk.square.gaps import Cell, Matrix, Row
from grants.desk.square.whitelist import public
from grants.web.caching import cacheable
from grants.web.exports import Column, as_csv, as_xlsx

FILES = {"csv": as_csv, "xlsx": as_xlsx}


def year_of(request: HttpRequest) -> int | None:
    """The year asked for; None for all, also when it is not a year."""
    asked = request.GET.get("year", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) == 4 else None


@dataclass(frozen=True)
class Line:
    """One field on the page: its name, its squares with what stands in them, its totals."""

    code: str
    name: Any
    row: Row
    cells: Sequence[tuple[str, Cell, drawing.Square]]


def _lines(matrix: Matrix, squares: list[list[drawing.Square]]) -> list[Line]:
    rows = _shown(matrix)
    return [
        Line(row.field, ServiceField(row.field).label, row, list(zip(matrix.streets, row.cells, places, strict=True)))
        for row, places in zip(rows, squares, strict=True)
    ]


def _shown(matrix: Matrix) -> list[Row]:
    """Every field but 其他 when nothing is in it."""
    return [row for row in matrix.rows if row.field != ServiceField.OTHER or row.total.needs or row.total.awards or row.registered]


def _may_draft(request: HttpRequest) -> bool:
    """Whether the officer's link leads anywhere: officers, and visitors (whom it asks to sign in). A page without cookies asks no session."""
    return not request.COOKIES or "officer" in request.session.get(KEY, ())


def _crowded(matrix: Matrix) -> tuple[Any, Row] | None:
    """The field most organisations name, unless that is 其他, which says nothing."""
    row = matrix.crowded
    return None if row is None or row.field == ServiceField.OTHER else (ServiceField(row.field).label, row)


@require_GET
@cacheable()
def gaps(request: HttpRequest) -> HttpResponse:
    """供需地图: service field × street; holes marked by pattern, sign and word; the same as a table."""
    year = year_of(request)
    every = supply.funded()
    matrix = supply.gap_map(every, year)
    width, height, squares = drawing.grid(len(_shown(matrix)), len(matrix.streets))
    lines = _lines(matrix, squares)
    largest = matrix.largest
    context = {
        "matrix": matrix, "lines": lines, "width": width, "height": height, "years": [(str(y), str(y)) for y in supply.years(every)], "year": str(year or ""),
        "heads": list(zip(matrix.streets, squares[0], strict=True)) if squares else [],
        "unserved": [(ServiceField(row.field).label, row.total) for row in matrix.unserved],
        "holes": [(ServiceField(field).label, field, street, cell) for field, street, cell in matrix.holes],
        "largest": (ServiceField(largest.field).label, largest) if largest else None, "everywhere": DISTRICT_WIDE,
        "crowded": _crowded(matrix), "drafts": _may_draft(request),
    }  # fmt: skip
    return render(request, "square/gaps.html", context)


GAP_COLUMNS = (
    Column(gettext_lazy("服务领域"), "field"),
    Column(gettext_lazy("街道（镇）"), "street"),
    Column(gettext_lazy("状况"), "state"),
    Column(gettext_lazy("需求（条）"), "needs", kind="number"),
    Column(gettext_lazy("涉及人数"), "people", kind="number"),
    Column(gettext_lazy("在地单位（家）"), "organisations", kind="number"),
    Column(gettext_lazy("资助项目（个）"), "awards", kind="number"),
    Column(gettext_lazy("资助金额（元）"), "amount", kind="money"),
)


def state_word(state: str) -> str:
    """What a cell's state is called."""
    return {
        "gap": _("空白"), "wide": _("仅全区项目"), "served": _("有项目"), "supply": _("有项目，无需求登记"), "nothing": _("无"),
    }[state]  # fmt: skip


@require_GET
def gaps_file(request: HttpRequest, ending: str) -> Any:
    """The grid as a list of its cells, empty ones too, as CSV or XLSX."""
    matrix = supply.gap_map(supply.funded(), year_of(request))
    rows = [
        {"field": str(ServiceField(row.field).label), "street": street, "state": state_word(cell.state), "needs": cell.needs, "people": cell.people,
         "organisations": cell.organisations, "awards": cell.awards, "amount": cell.amount}
        for row in _shown(matrix) for street, cell in zip(matrix.streets, row.cells, strict=True)
    ]  # fmt: skip
    return _file(ending)(_("供需地图"), GAP_COLUMNS, rows, total_of=["needs", "people", "awards", "amount"])


def _file(ending: str) -> Any:
    if ending not in FILES:
        raise Http404(_("没有这种格式。"))
    return FILES[ending]


@require_GET
@cacheable()
def money(request: HttpRequest) -> HttpResponse:
    """资金流向: sources → calls → fields → organisations, as a picture and as tables; every column adds up to the same sum."""
    year = year_of(request)
    every = supply.funded()
    rows = supply.of_year(every, year)
    flow = supply.money_flow(rows)
    picture = drawing.sankey(flow)
    names = [_("资金来源"), _("征集"), _("服务领域"), _("单位")]
    context = {
        "flow": flow, "picture": picture, "year": str(year or ""), "awards": len(rows),
        "heads": list(zip(picture.heads, names, strict=False)),
        "tables": [(name, column) for name, column in zip(names, flow.columns, strict=True)] if flow.total else [],
        "years": [(str(y), str(y)) for y in supply.years(every)],
    }  # fmt: skip
    return render(request, "square/money.html", context)


MONEY_COLUMNS = (
    Column(gettext_lazy("项目编号"), "number", kind="code"),
    Column(gettext_lazy("征集"), "call"),
    Column(gettext_lazy("服务领域"), "field"),
    Column(gettext_lazy("街道（镇）"), "street"),
    Column(gettext_lazy("单位"), "organisation"),
    Column(gettext_lazy("年份"), "year", kind="code"),
    Column(gettext_lazy("资助金额（元）"), "amount", kind="money"),
)


@require_GET
def money_file(request: HttpRequest, ending: str) -> Any:
    """Every funded project with its money, as CSV or XLSX."""
    rows = [
        {"number": f.number, "call": f.call, "field": str(f.field.label), "street": f.street, "year": str(f.year), "amount": f.amount,
         "organisation": public("organisation", {"name": f.organisation})["name"]}
        for f in supply.of_year(supply.funded(), year_of(request))
    ]  # fmt: skip
    return _file(ending)(_("资助项目"), MONEY_COLUMNS, rows, total_of=["amount"])
