"""A bid as a workbook: one sheet per section, drop-downs, sums. Whatever people typed is written as text, never as a formula."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from bidding import questions
from bidding.models import Bid
from bidding.services.tables import promised_elsewhere
from bidding.workbook import layout
from bidding.workbook.layout import Column
from grants import clock
from grants.documents.writing import zh_datetime

HEAD = PatternFill("solid", fgColor="D9E2F0")
TYPED = PatternFill("solid", fgColor="FFFBE6")
BOLD, WRAP = Font(bold=True), Alignment(wrap_text=True, vertical="top")
FORMATS = {"money": "#,##0.00", "number": "General", "date": "yyyy-mm-dd"}
SPARE = 10
"""Blank rows below what is there."""


class _Book:
    """The workbook while it is being written: where the next list of choices goes."""

    def __init__(self) -> None:
        self.book = Workbook()
        self.lists = self.book.create_sheet(layout.LISTS)
        self.lists.sheet_state = "veryHidden"
        self.columns = 0
        self.ranges: dict[tuple[str, ...], str] = {}

    def sheet(self, title: str, marker: str) -> Any:
        clean = "".join("-" if letter in r"[]:*?/\'" else letter for letter in title)[:28] or marker
        sheet = self.book.create_sheet(clean)
        sheet.column_dimensions["A"].hidden = True
        _put(sheet, 1, 1, marker)
        _put(sheet, 1, 2, title).font = Font(bold=True, size=14)
        return sheet

    def choose(self, sheet: Any, cells: str, names: Sequence[str]) -> None:
        """A drop-down of `names` on `cells`."""
        key = tuple(names)
        if key not in self.ranges:
            self.columns += 1
            for row, name in enumerate(names, 1):
                _put(self.lists, row, self.columns, name)
            letter = get_column_letter(self.columns)
            self.ranges[key] = f"={layout.LISTS}!${letter}$1:${letter}${len(names)}"
        rule = DataValidation(type="list", formula1=self.ranges[key], allow_blank=True)
        sheet.add_data_validation(rule)
        rule.add(cells)


def write(bid: Bid) -> bytes:
    """The workbook of `bid` as it stands now."""
    book = _Book()
    _guide(book, bid)
    _about(book, bid)
    for group, section in zip(questions.groups(bid.rules), bid.rules.forms.application, strict=True):
        _section(book, group, section, bid.answers.get(section.code, {}))
    _budget(book, bid)
    _table(book, "kpis", _("指标与受益人群"), layout.kpis(bid), _kpis(bid))
    _table(book, "team", _("人员名单"), layout.team(bid), [dict(row) for row in bid.team.values()])
    _ids(book, bid)
    out = BytesIO()
    book.book.save(out)
    return out.getvalue()


def _put(sheet: Any, row: int, column: int, value: Any) -> Any:
    """A cell. Text stays text, whatever it begins with: "=1+1" typed by a person is not a formula of ours."""
    cell = sheet.cell(row, column, value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.quotePrefix = value[:1] in "=+-@"
    cell.alignment = WRAP
    return cell


def _guide(book: _Book, bid: Bid) -> None:
    sheet = book.book.active
    sheet.title = _("填写说明")
    sheet.column_dimensions["A"].width = 100
    closes = zh_datetime(bid.call.closes_at) if bid.call.closes_at else ""
    for row, sentence in enumerate(
        [
            bid.call.title, _("申报单位：%(name)s") % {"name": bid.organisation.name}, _("截止时间：%(at)s（北京时间）") % {"at": closes},
            _("1. 只填浅黄色的格子；要加行就直接插入行。请不要删除隐藏的 A 列。"),
            _("2. 有下拉框的请从下拉框选择；多选的用顿号“、”隔开；日期写成 2026-06-01；金额以元为单位，最多两位小数。"),
            _("3. 填好后在申报书清单“用 Excel 离线填写”上传。系统先列出改动和错误，您确认后才写入；有错误时什么都不写入。"),
            _("4. 表格里留空的回答，上传后网上也会变空。附件和承诺书请在网上办理。"),
            _("5. 公式只取计算结果；合计由系统重新计算。本文件只能用于这一份申报，规则更新后请重新下载。"),
        ], 1,
    ):  # fmt: skip
        _put(sheet, row, 1, sentence)


def _about(book: _Book, bid: Bid) -> None:
    sheet = book.sheet(_("项目概况"), "about")
    _heads(sheet, 2, ["", _("项目"), "", _("填写")])
    for row, column in enumerate(layout.about(bid), 3):
        _put(sheet, row, 1, f"field:{column.code}")
        _put(sheet, row, 2, column.label)
        _answer(book, sheet, row, layout.ANSWER, column, getattr(bid, column.code))
    _widths(sheet, [26, 26, 60])


def _section(book: _Book, group: Any, section: Any, answers: dict[str, Any]) -> None:
    sheet = book.sheet(group.title, f"section:{section.code}")
    if section.help:
        _put(sheet, 2, 2, section.help)
    row = 3
    _heads(sheet, row, ["", _("问题"), _("要求"), _("回答")])
    for asked, field in zip(group.questions, section.fields, strict=True):
        row += 1
        if asked.kind == "table":
            row = _rows(book, sheet, row, asked, field, answers.get(field.code) or [])
        elif asked.kind != "file":
            _put(sheet, row, 1, f"field:{field.code}")
            _put(sheet, row, 2, f"{asked.number} {asked.label}")
            _put(sheet, row, 3, "\n".join(filter(None, [asked.wants, asked.help])))
            _answer(book, sheet, row, layout.ANSWER, layout.of_field(field), answers.get(field.code))
            sheet.row_dimensions[row].height = 15 * max(2, min(asked.lines, 12))
    _widths(sheet, [30, 34, 70, *[18] * 8])


def _rows(book: _Book, sheet: Any, row: int, asked: Any, field: Any, held: list[dict[str, Any]]) -> int:
    """A table among the questions; returns its last row."""
    _put(sheet, row, 1, f"table:{field.code}")
    _put(sheet, row, 2, f"{asked.number} {asked.label}（{asked.wants}）").font = BOLD
    columns = [layout.of_field(column) for column in field.columns]
    _heads(sheet, row + 1, [f"head:{field.code}", *(c.label for c in columns)])
    spare = min(len(held) + SPARE, field.max_rows or len(held) + SPARE)
    for i in range(max(spare, field.min_rows)):
        line = held[i] if i < len(held) else {}
        for place, column in enumerate(columns, 2):
            _answer(book, sheet, row + 2 + i, place, column, line.get(column.code))
    last = row + 2 + max(spare, field.min_rows)
    _put(sheet, last, 1, f"end:{field.code}")
    return last


def _budget(book: _Book, bid: Bid) -> None:
    """Lines with a drop-down, an amount that multiplies, and sums per source above them."""
    columns = layout.budget(bid)
    sheet = book.sheet(_("预算"), "budget")
    held: list[dict[str, Any]] = [dict(row) for row in bid.budget_lines.values()]
    count = max(len(held), min(bid.rules.budget.max_lines or len(held) + 2 * SPARE, 200))
    first = 8
    last, amount = first + count - 1, get_column_letter(len(columns) + 2)
    for row, label in enumerate((columns[2].choices or {}).values(), 2):
        _put(sheet, row, 2, label)
        sheet.cell(row, 3, f"=SUMIFS({amount}{first}:{amount}{last},D{first}:D{last},B{row})").number_format = FORMATS["money"]
    _put(sheet, 5, 2, _("项目总预算"))
    sheet.cell(5, 3, f"=SUM({amount}{first}:{amount}{last})").number_format = FORMATS["money"]
    _put(sheet, 6, 2, " ".join(questions.limits(bid.rules)))
    _heads(sheet, first - 1, ["head:budget", *(c.label for c in columns), _("金额（自动）")])
    for i in range(count):
        line = held[i] if i < len(held) else {}
        for place, column in enumerate(columns, 2):
            _answer(book, sheet, first + i, place, column, line.get(column.code))
        cell = sheet.cell(first + i, len(columns) + 2, f'=IF(E{first + i}="","",ROUND(E{first + i}*F{first + i},2))')
        cell.number_format = FORMATS["money"]
    _widths(sheet, [c.width for c in columns] + [16])


def _kpis(bid: Bid) -> list[dict[str, Any]]:
    rows = list(bid.kpis.exclude(code__in=promised_elsewhere(bid)).values())
    return [{**row, "kind": "" if row["code"] else row["kind"], "name": "" if row["code"] else row["name"]} for row in rows]


def _table(book: _Book, marker: str, title: str, columns: list[Column], held: list[dict[str, Any]]) -> None:
    sheet = book.sheet(title, marker)
    _heads(sheet, 2, [f"head:{marker}", *(c.label for c in columns)])
    for i in range(len(held) + SPARE):
        line = held[i] if i < len(held) else {}
        for place, column in enumerate(columns, 2):
            _answer(book, sheet, 3 + i, place, column, line.get(column.code))
    _widths(sheet, [c.width for c in columns])


def _answer(book: _Book, sheet: Any, row: int, place: int, column: Column, value: Any) -> None:
    """An input cell: light yellow, of the right format, with its drop-down."""
    cell = _put(sheet, row, place, _shown(column, value))
    cell.fill = TYPED
    cell.number_format = FORMATS.get(column.kind, "@") if column.sums or column.kind == "date" else "@"
    choices = list((column.choices or {}).values()) if column.kind == "choice" else [_("是"), _("否")] if column.kind == "yesno" else []
    if choices:
        book.choose(sheet, cell.coordinate, choices)


def _shown(column: Column, value: Any) -> Any:
    if value in (None, "", []) and not (column.kind == "choice" and value == "" and "" in (column.choices or {})):
        return None
    if column.kind == "yesno":
        return _("是") if value else _("否")
    if column.kind == "several":
        return layout.JOINT.join(map(str, value))
    if column.sums:
        return _number(value)
    return (column.choices or {}).get(str(value), str(value))


def _number(value: Any) -> Any:
    """A figure as Excel keeps it, so that sums work; what is no figure stays as typed."""
    try:
        exact = Decimal(str(value))
    except ArithmeticError:
        return str(value)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _heads(sheet: Any, row: int, labels: Sequence[str]) -> None:
    for column, label in enumerate(labels, 1):
        cell = _put(sheet, row, column, label or None)
        cell.font, cell.fill = BOLD, HEAD


def _widths(sheet: Any, widths: Sequence[int]) -> None:
    for column, width in enumerate(widths, 2):
        sheet.column_dimensions[get_column_letter(column)].width = width


def _ids(book: _Book, bid: Bid) -> None:
    """What the way back needs, where nobody types."""
    from bidding.services.offline import basis  # noqa: PLC0415 - the service reads workbooks

    sheet = book.book.create_sheet(layout.IDS)
    sheet.sheet_state = "veryHidden"
    facts = (layout.FORMAT, str(bid.pk), str(bid.rules_version.number), bid.rules_version.hash, basis(bid), clock.now().isoformat())
    for row, fact in enumerate(facts, 1):
        _put(sheet, row, 1, fact)
