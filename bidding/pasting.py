"""Pasting a table from a spreadsheet: rows of text into the columns of a page, by their Chinese headings or by their order. Pure.

Nothing is guessed silently: a cell that fits no choice stays blank, a figure that is none stays as it was, and each is named with
its line and column. Full-width digits, thousands separators and ¥ or 元 are what people have in their sheets, and mean the number.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from grants.sentences import marked as _

SUMS: Final = ("合计", "小计", "总计", "共计")
MOST_ROWS: Final = 200
PLACES: Final = ("序号", "编号", "no.")
"""Headings of a column that only counts the rows."""
TICKED: Final = frozenset({"是", "√", "✓", "1", "有", "督导", "y", "yes"})

SENTENCES: Final[Mapping[str, str]] = {
    "choice": _("第 %(line)d 行：%(column)s“%(value)s”不在选项中，请在表里选择。"),
    "number": _("第 %(line)d 行：%(column)s“%(value)s”不是数字，请更正。"),
    "amount": _("第 %(line)d 行：表中金额 %(amount)s，按单价×数量是 %(product)s，请核对。"),
    "sum": _("第 %(line)d 行是合计，没有填入；合计由系统计算。"),
    "heads": _("没有用到这些列：%(heads)s。"),
    "empty": _("没有读到任何一行。请在 Excel 里选中整块单元格（可以带表头）再复制。"),
    "most": _("一次最多粘贴 %(most)d 行，第 %(most)d 行以后的没有填入。"),
}


@dataclass(frozen=True)
class Column:
    """One column of a page. names: headings that mean it. choices: what people call a choice → its code. number, tick: what a cell is."""

    code: str
    names: tuple[str, ...]
    choices: Mapping[str, str] = field(default_factory=dict)
    number: bool = False
    tick: bool = False


@dataclass(frozen=True)
class Pasted:
    """The rows as a page's controls take them (column → text), and what could not be read, in sentences."""

    rows: tuple[dict[str, str], ...]
    unread: tuple[str, ...]


AMOUNT: Final = Column("amount", ("金额", "合价", "总价", "预算金额", "小计金额", "金额(元)", "小计"), number=True)
"""A sheet's own product of price and quantity: compared, or taken as the price where there is none."""


def read(text: str, columns: Sequence[Column], *, priced: bool = False) -> Pasted:
    """Read what a spreadsheet puts on the clipboard: tab-separated, cells with line breaks in quotes. priced: it is a budget."""
    lines = [(i, cells) for i, cells in enumerate(_cells(text), 1) if any(cells)]
    known = [*columns, AMOUNT] if priced else list(columns)
    found = _heads(lines[0][1], known) if lines else {}
    unread = _unused(lines[0][1], found) if found else []
    heads = found or dict(enumerate(columns))
    rows: list[dict[str, str]] = []
    for line, cells in lines[1 if found else 0 :]:
        if any(_plain(cell) in SUMS for cell in cells):
            unread.append(SENTENCES["sum"] % {"line": line})
            continue
        row, told = _row(line, cells, heads)
        rows.append(_priced(line, row, told) if priced else row)
        unread += told
    if not rows:
        unread.append(SENTENCES["empty"])
    if len(rows) > MOST_ROWS:
        unread.append(SENTENCES["most"] % {"most": MOST_ROWS})
    return Pasted(tuple(rows[:MOST_ROWS]), tuple(unread))


def _cells(text: str) -> list[list[str]]:
    rows = csv.reader(io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")), dialect="excel-tab")
    try:
        return [[cell.strip() for cell in row] for row in rows]
    except csv.Error:  # a cell of more than 128 KiB is no cell of a table
        return []


def _plain(text: str) -> str:
    """A heading or a choice as it is compared: width, blanks, brackets and case do not matter."""
    return re.sub(r"[\s*:()]|元$", "", unicodedata.normalize("NFKC", text)).casefold()


def _heads(cells: Sequence[str], columns: Sequence[Column]) -> dict[int, Column]:
    """Place → column, when the first line is a heading: two of its cells, or its only one, are names of columns."""
    names = {_plain(name): column for column in columns for name in column.names}
    found = {i: names[_plain(cell)] for i, cell in enumerate(cells) if _plain(cell) in names}
    return found if len(found) >= min(2, sum(1 for cell in cells if cell)) else {}


def _unused(cells: Sequence[str], heads: Mapping[int, Column]) -> list[str]:
    unused = [cell for i, cell in enumerate(cells) if cell and i not in heads and _plain(cell) not in PLACES]
    return [SENTENCES["heads"] % {"heads": "、".join(unused)}] if unused else []


def _row(line: int, cells: Sequence[str], heads: Mapping[int, Column]) -> tuple[dict[str, str], list[str]]:
    row: dict[str, str] = {}
    told: list[str] = []
    for i, column in heads.items():
        cell = cells[i] if i < len(cells) else ""
        value, wrong = _cell(cell, column)
        row[column.code] = value
        if wrong:
            told.append(SENTENCES[wrong] % {"line": line, "column": column.names[0], "value": cell})
    return row, told


def _cell(cell: str, column: Column) -> tuple[str, str]:
    """(text for the control, what is wrong)."""
    if column.tick:
        return ("on" if _plain(cell) in TICKED else ""), ""
    if column.choices and cell:
        code = {_plain(name): code for name, code in column.choices.items()}.get(_plain(cell), "")
        return code, "" if code else "choice"
    if column.number and cell:
        return (cell, "number") if number(cell) is None else (cell, "")
    return " ".join(cell.split("\n")), ""


def number(text: str) -> Decimal | None:
    """￥１，２００．５０元 → 1200.50; None for what is no number."""
    tidy = re.sub(r"[\s,、¥元]", "", unicodedata.normalize("NFKC", text))
    try:
        found = Decimal(tidy) if re.fullmatch(r"-?[0-9]+(\.[0-9]*)?", tidy) else None
    except InvalidOperation:
        return None
    return found


def _priced(line: int, row: dict[str, str], told: list[str]) -> dict[str, str]:
    """A budget row: the sheet's own amount stands in for a price that it lacks, and is compared with one that it has."""
    stated = row.pop(AMOUNT.code, "")
    amount = number(stated) if stated else None
    price, quantity = number(row.get("unit_price", "")), number(row.get("quantity", "") or "1")
    if amount is None:
        return row
    if not row.get("unit_price"):
        return {**row, "unit_price": stated, "quantity": "1"}
    if price is not None and quantity is not None and price * quantity != amount:
        product = f"{price * quantity:,.2f}"
        told.append(SENTENCES["amount"] % {"line": line, "amount": f"{amount:,.2f}", "product": product})
    return row
