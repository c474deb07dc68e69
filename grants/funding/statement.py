"""银行对账单: reading a bank's list of payments and finding the orders they paid. Pure; a person confirms every match.

A CSV with a header, UTF-8 or GB 18030. Columns are found by their usual names. A line pays an order when its text holds the order's
number and account and amount agree; everything else is shown and decided by nobody but the person.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "reference": ("流水号", "交易流水号", "银行流水号", "回单编号", "reference"),
    "account": ("收款账号", "对方账号", "收款人账号", "account"),
    "amount": ("金额", "金额（元）", "金额(元)", "付款金额", "借方发生额", "amount"),
    "note": ("用途", "摘要", "附言", "用途/附言", "note"),
}
MOST_LINES = 20_000


class NotAStatement(ValueError):
    """A file that cannot be read as a statement; the sentence names the missing column or the line."""


@dataclass(frozen=True)
class Line:
    """One payment as the bank tells it. amount: 元, positive."""

    number: int
    reference: str
    account: str
    amount: Decimal
    note: str


@dataclass(frozen=True)
class Expected:
    """An order that waits for its slip."""

    key: str
    account: str
    amount: Decimal


@dataclass(frozen=True)
class Matched:
    """references: order key → the bank's reference. contradicted: (line, key, why) of lines that name an order and disagree with it.
    others: lines that name no order of ours."""

    references: Mapping[str, str]
    contradicted: Sequence[tuple[Line, str, str]]
    others: Sequence[Line]


def read(raw: bytes) -> list[Line]:
    """The lines of a statement. Raises NotAStatement."""
    rows = list(csv.reader(io.StringIO(_text(raw))))
    places = _places(rows)
    found = [_line(number, row, places) for number, row in enumerate(rows[1:], start=2) if any(cell.strip() for cell in row)]
    if len(found) > MOST_LINES:
        raise NotAStatement(f"超过 {MOST_LINES} 行，请分次导入")
    return found


def match(lines: Iterable[Line], orders: Iterable[Expected]) -> Matched:
    """Which line pays which order. An order's number counts only as a whole word; two lines for one order are a contradiction."""
    waiting = {order.key: order for order in orders}
    references: dict[str, str] = {}
    contradicted: list[tuple[Line, str, str]] = []
    others: list[Line] = []
    for line in lines:
        key = next((word for word in re.findall(r"[0-9A-Za-z\u4e00-\u9fff-]+", line.note) if word in waiting), "")
        why = _contradiction(line, waiting[key], references) if key else ""
        if not key:
            others.append(line)
        elif why:
            contradicted.append((line, key, why))
        else:
            references[key] = line.reference
    return Matched(references, contradicted, others)


def _contradiction(line: Line, order: Expected, references: Mapping[str, str]) -> str:
    if line.amount != order.amount:
        return f"金额 {line.amount} 与付款单 {order.amount} 不符"
    if line.account != order.account:
        return "收款账号与付款单不符"
    if references.get(order.key, line.reference) != line.reference:
        return f"同一付款单出现两笔流水 {references[order.key]}、{line.reference}：可能重复付款，请立即联系银行"
    return ""


def _text(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotAStatement("编码读不出，请另存为 UTF-8 或 GBK 的 CSV")


def _places(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    header = [cell.strip() for cell in rows[0]] if rows else []
    found = {name: next((header.index(title) for title in titles if title in header), -1) for name, titles in COLUMNS.items()}
    missing = [COLUMNS[name][0] for name, place in found.items() if place < 0]
    if missing:
        raise NotAStatement(f"第一行缺少列：{'、'.join(missing)}")
    return found


def _line(number: int, row: Sequence[str], places: Mapping[str, int]) -> Line:
    cells = {name: row[place].strip().lstrip("'") if place < len(row) else "" for name, place in places.items()}
    try:
        amount = Decimal(cells["amount"].replace(",", "").replace("，", "").removeprefix("¥").removeprefix("-"))
    except InvalidOperation as wrong:
        raise NotAStatement(f"第 {number} 行的金额读不出：{cells['amount'][:20]}") from wrong
    if not amount.is_finite():
        raise NotAStatement(f"第 {number} 行的金额读不出：{cells['amount'][:20]}")
    if not cells["reference"]:
        raise NotAStatement(f"第 {number} 行没有流水号")
    return Line(number, cells["reference"][:60], cells["account"].replace(" ", ""), amount, cells["note"])
