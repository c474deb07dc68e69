"""A workbook that came back: what was typed, and in which cell, so that every mistake can be named by its place.

Nothing is judged here beyond "is this the right file": values are handed to the same services as the web's pages. Only values are read;
a formula counts with the result Excel stored, and one without a result is a mistake. XML with a document type is refused before any
parser sees it (no entities, no bombs); the archive itself was inspected when it was stored.
"""

from __future__ import annotations

import unicodedata
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from bidding.completeness import answer_field
from bidding.models import Bid
from bidding.workbook import layout
from bidding.workbook.layout import Column
from grants.archives import UNREADABLE
from grants.web.fields import DayField
from grants.workflow.refusals import Invalid

FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY")
NEAR = Decimal("0.000001")
"""How far a binary number may lie from the fen it stands for."""


@dataclass
class Filled:
    """What the workbook says. A part whose sheet is missing is None or absent, and stays as it is.

    places: (part, field as the services name it) → "sheet!cell". wrong: (place, sentence) found while reading.
    """

    basics: dict[str, Any] | None = None
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    budget: list[dict[str, Any]] | None = None
    kpis: list[dict[str, Any]] | None = None
    team: list[dict[str, Any]] | None = None
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    basis: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell: its value, and whether it is a formula that nobody has calculated."""

    value: Any
    lost: bool


Row = tuple[int, list[Cell]]


def read(content: bytes, bid: Bid) -> Filled:
    """The workbook of this very bid. Raises Invalid: not ours, another bid's, of older rules, or not safe to open."""
    _refuse_doctypes(content)
    values, formulas = _open(content, data_only=True), _open(content, data_only=False)
    filled = Filled(basis=_identify(values, bid))
    for sheet in values.worksheets:
        if sheet.title in (layout.IDS, layout.LISTS):
            continue
        rows = _grid(sheet, formulas[sheet.title], filled)
        marker = str(rows[0][1][0].value or "") if rows else ""
        _take(marker, sheet.title, rows[1:], bid, filled)
    return filled


def _refuse_doctypes(content: bytes) -> None:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            parts = (archive.read(name) for name in archive.namelist())
            found = any(mark in text or mark.decode().encode("utf-16-le") in text for text in parts for mark in FORBIDDEN)
    except UNREADABLE as broken:
        raise _damaged() from broken
    if found:
        _refuse(_("这个文件含有不安全的内容，没有读取。请用 Excel 或 WPS 打开，另存后重新上传。"), "unsafe_xml")


def _open(content: bytes, *, data_only: bool) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles that openpyxl does not know are nobody's mistake
            return load_workbook(BytesIO(content), read_only=True, data_only=data_only, keep_links=False)
    except Exception as broken:
        raise _damaged() from broken


def _damaged() -> Invalid:
    sentence = _("这个文件打不开，可能已损坏。请重新下载工作簿再填。")
    return Invalid(sentence, rule="not_our_workbook", problems={"file": [sentence]})


def _identify(book: Any, bid: Bid) -> str:
    """The digest of the working copy it was made from."""
    if layout.IDS not in book.sheetnames:
        _refuse(_("这不是从本系统下载的申报工作簿。请先下载，再在其中填写。"), "not_our_workbook")
    facts = [str(row[0] or "") for row in book[layout.IDS].iter_rows(max_row=6, max_col=1, values_only=True)]
    if len(facts) < 5 or facts[0] != layout.FORMAT:
        _refuse(_("这不是从本系统下载的申报工作簿。请先下载，再在其中填写。"), "not_our_workbook")
    if facts[1] != str(bid.pk):
        _refuse(_("这个工作簿属于另一份申报。请上传从本页下载的那一个。"), "other_bid")
    if facts[3] != bid.rules_version.hash:
        _refuse(_("规则已经更新，这个工作簿是按旧规则做的。请重新下载，把内容复制过去。"), "older_rules")
    return facts[4]


def _grid(values: Any, formulas: Any, filled: Filled) -> list[Row]:
    """Rows as (number, cells); too many of them are reported, not dropped in silence."""
    rows: list[Row] = []
    both = zip(_cells(values), _cells(formulas), strict=False)
    for number, (shown, typed) in enumerate(both, 1):
        if number > layout.MOST_ROWS:
            if any(cell.value is not None for cell in shown):
                filled.wrong.append((values.title, _("最多 %(most)d 行，多出的行没有读取。") % {"most": layout.MOST_ROWS}))
            break
        rows.append((number, [Cell(s.value, t.data_type == "f" and s.value is None) for s, t in zip(shown, typed, strict=False)]))
    return rows


def _cells(sheet: Any) -> Iterator[Any]:
    return sheet.iter_rows(max_row=layout.MOST_ROWS + 1, max_col=layout.MOST_COLUMNS)  # type: ignore[no-any-return]


def _take(marker: str, sheet: str, rows: list[Row], bid: Bid, filled: Filled) -> None:
    """Put what one sheet says into `filled`."""
    kind, _colon, code = marker.partition(":")
    if kind == "about":
        filled.basics = _fields(rows, layout.about(bid), sheet, "basics", filled)
    elif kind in layout.TABLES:
        setattr(filled, kind, _lines(rows, layout.TABLES[kind](bid), sheet, kind, filled))
    elif kind == "section":
        section = next((s for s in bid.rules.forms.application if s.code == code), None)
        if section is not None:
            filled.answers[code] = _section(rows, section, sheet, filled)


def _fields(rows: list[Row], columns: list[Column], sheet: str, part: str, filled: Filled) -> dict[str, Any]:
    """Answers that stand one per row, in the answer column."""
    known = {column.code: column for column in columns}
    found: dict[str, Any] = {}
    for number, cells in rows:
        kind, _colon, code = str(cells[0].value or "").partition(":")
        if kind == "field" and code in known:
            place = f"{sheet}!{get_column_letter(layout.ANSWER)}{number}"
            filled.places[part, code] = place
            found[code] = _value(known[code], cells[layout.ANSWER - 1], place, filled)
    return found


def _section(rows: list[Row], section: Any, sheet: str, filled: Filled) -> dict[str, Any]:
    simple = [layout.of_field(f) for f in section.fields if str(f.kind) not in ("table", "file")]
    found = _fields(rows, simple, sheet, section.code, filled)
    for asked in section.fields:
        if str(asked.kind) == "table":
            columns = [layout.of_field(column) for column in asked.columns]
            found[asked.code] = _nested(rows, asked.code, columns, sheet, section.code, filled)
    return found


def _nested(rows: list[Row], code: str, columns: list[Column], sheet: str, part: str, filled: Filled) -> list[dict[str, Any]]:
    """The rows between a table's head and its end, with rows that people inserted."""
    inside, kept = False, []
    for number, cells in rows:
        marker = str(cells[0].value or "")
        if marker == f"head:{code}":
            inside = True
        elif inside and marker.partition(":")[0] in ("end", "field", "table", "head"):
            break
        elif inside:
            kept.append((number, cells))
    name = lambda i, column: answer_field(code, i + 1, column)  # noqa: E731
    return _typed(kept, columns, sheet, part, name, filled)


def _lines(rows: list[Row], columns: list[Column], sheet: str, part: str, filled: Filled) -> list[dict[str, Any]]:
    start = next((i for i, (_n, cells) in enumerate(rows) if str(cells[0].value or "") == f"head:{part}"), None)
    if start is None:
        filled.wrong.append((sheet, _("找不到表头行。请重新下载工作簿。")))
        return []
    return _typed(rows[start + 1 :], columns, sheet, part, lambda i, column: f"form-{i}-{column}", filled)


COUNTS = {"budget": ("category", "name", "unit_price"), "kpis": ("target",), "team": ("name", "role", "qualification", "licence_no")}
"""A row in which none of these was typed is not there (as on the web's pages)."""


def _typed(rows: list[Row], columns: list[Column], sheet: str, part: str, name: Any, filled: Filled) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, cells in rows:
        counts = COUNTS.get(part, tuple(c.code for c in columns))
        if not any(_there(cells, i) for i, column in enumerate(columns, 1) if column.code in counts):
            continue
        line = {}
        for i, column in enumerate(columns, 1):
            place = f"{sheet}!{get_column_letter(i + 1)}{number}"
            filled.places[part, name(len(found), column.code)] = place
            line[column.code] = _value(column, cells[i] if i < len(cells) else Cell(None, lost=False), place, filled)
        found.append(line)
    return found


def _there(cells: list[Cell], i: int) -> bool:
    return i < len(cells) and (cells[i].lost or str(cells[i].value if cells[i].value is not None else "").strip() != "")


def _value(column: Column, cell: Cell, place: str, filled: Filled) -> Any:
    """The cell as the services take it: codes for choices, text for figures and days; what is not understood is handed on as typed."""
    if cell.lost:
        filled.wrong.append((place, _("这一格是公式，但没有计算结果。请改成数值。")))
        return ""
    text = _text(cell.value, column.kind)
    if column.kind == "yesno":
        return {"是": True, "yes": True, "true": True, "1": True, "否": False, "no": False, "false": False, "0": False}.get(text.lower(), text or None)
    if column.kind == "several":
        return [part.strip() for part in text.replace(",", layout.JOINT).replace("，", layout.JOINT).split(layout.JOINT) if part.strip()]
    if column.kind == "date":
        return _day(text)
    if column.choices:
        return next((code for code, shown in column.choices.items() if text in (shown, code)), text)
    return text


def _text(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime | date):
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    if isinstance(value, float):
        return _plain(value, kind)
    return str(value) if kind == "text" else unicodedata.normalize("NFKC", str(value)).strip() if kind in ("money", "number") else str(value).strip()


def _plain(value: float, kind: str) -> str:
    """0.30000000000000004 is what Excel keeps for 0.3; a true third of a fen is left as it is and refused by the services."""
    exact = Decimal(repr(value))
    if not exact.is_finite():
        return str(value)
    near = exact.quantize(Decimal("0.01")) if abs(exact) < Decimal(10) ** 15 else exact
    kept = near if kind in ("money", "number") and abs(near - exact) < NEAR else exact
    return f"{kept.normalize():f}"


def _day(text: str) -> str:
    try:
        return str(DayField(required=False).clean(text) or "")
    except Exception:  # noqa: BLE001 - the services say what is wrong with it
        return text


def _refuse(sentence: str, rule: str) -> NoReturn:
    raise Invalid(sentence, rule=rule, problems={"file": [sentence]})
