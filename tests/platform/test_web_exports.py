"""CSV and XLSX as downloads: openable in Excel, exact, whole or visibly broken, in constant memory."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tracemalloc
import zipfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from openpyxl import load_workbook

from grants.web import exports
from grants.web.exports import Column, TooManyRows, as_csv, as_xlsx

COLUMNS = [
    Column(_("名称"), "name"),
    Column(_("代码"), "code", "code"),
    Column(_("金额"), "amount", "money"),
    Column(_("提交时间"), "at", "datetime"),
]
AT = dt.datetime(2026, 9, 30, 9, tzinfo=dt.UTC)


def row(name: str = "甲", code: str = "913201001234567890", amount: str | None = "3260.40") -> SimpleNamespace:
    return SimpleNamespace(name=name, code=code, amount=None if amount is None else Decimal(amount), at=AT)


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def read(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body(response).decode("utf-8-sig"), newline="")))


def sheet(response: Any) -> list[tuple[Any, ...]]:
    return list(load_workbook(io.BytesIO(body(response))).active.iter_rows())


def test_a_csv_has_a_mark_for_excel_a_heading_the_rows_and_what_they_add_up_to() -> None:
    response = as_csv("付款单", COLUMNS, [row(), row("乙", amount="-0.40"), row("丙", amount=None)], total_of=["amount"])
    content = body(response)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 5
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert lines[0] == ["名称", "代码", "金额", "提交时间"]
    assert lines[1] == ["甲", "'913201001234567890", "3260.40", "2026-09-30 17:00:00"]
    assert lines[3][2] == ""
    assert lines[-1] == ["合计：共 3 行", "", "3260.00", ""]


@pytest.mark.parametrize("make", [as_csv, as_xlsx])
def test_the_file_has_its_chinese_name_and_is_only_ever_saved(make: Any) -> None:
    response = make("2026 年付款单", COLUMNS, [])
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''2026%20%E5%B9%B4%E4%BB%98")
    assert response["Cache-Control"] == "private, no-store"
    assert "sandbox" in response["Content-Security-Policy"]


EVIL = ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", " =1", '=HYPERLINK("x")']


def test_no_cell_of_a_csv_runs() -> None:
    for line in read(as_csv("x", COLUMNS, [row(evil, evil) for evil in EVIL]))[1:-1]:
        assert line[0].startswith("'")
        assert line[1].startswith("'")


def test_no_cell_of_a_workbook_is_a_formula_and_text_stays_exactly_as_it_was() -> None:
    response = as_xlsx("x", COLUMNS, [row(evil) for evil in [*EVIL, "#N/A"]])
    content = body(response)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    cells = [line[0] for line in load_workbook(io.BytesIO(content)).active.iter_rows(min_row=2, max_row=len(EVIL) + 2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value for cell in cells if "\r" not in cell.value] == [evil for evil in [*EVIL, "#N/A"] if "\r" not in evil]
    assert all(cell.quotePrefix for cell in cells[:-1])


def test_a_workbook_keeps_codes_as_text_amounts_as_numbers_and_times_as_times() -> None:
    heading, first, closing = sheet(as_xlsx("x", COLUMNS, [row()], total_of=["amount"]))
    assert [cell.value for cell in heading] == ["名称", "代码", "金额", "提交时间"]
    name, code, amount, at = first
    assert (name.value, code.value, code.data_type, code.number_format) == ("甲", "913201001234567890", "s", "@")
    assert (amount.value, amount.number_format) == (3260.4, "#,##0.00")
    assert at.value == dt.datetime(2026, 9, 30, 17)
    assert (closing[0].value, closing[2].value) == ("合计：共 1 行", 3260.4)


def test_the_largest_amount_keeps_its_fen_in_a_workbook() -> None:
    with zipfile.ZipFile(io.BytesIO(body(as_xlsx("x", COLUMNS, [row(amount="999999999999.99")])))) as book:
        assert b"<v>999999999999.99</v>" in book.read("xl/worksheets/sheet1.xml")


def breaking() -> Iterator[SimpleNamespace]:
    yield row()
    yield row("乙")
    raise OSError("the database went away")


def test_a_csv_that_breaks_off_says_so_in_the_file_and_breaks_the_connection() -> None:
    response = as_csv("x", COLUMNS, breaking(), total_of=["amount"])
    received: list[bytes] = []
    with pytest.raises(OSError, match="went away"):
        received.extend(response.streaming_content)
    lines = list(csv.reader(io.StringIO(b"".join(received).decode("utf-8-sig"), newline="")))
    assert [line[0] for line in lines[:3]] == ["名称", "甲", "乙"]
    assert "第 2 行之后没有读到" in lines[3][0]
    assert not any("合计" in cell for line in lines for cell in line)


def test_a_workbook_that_cannot_be_finished_is_not_sent_at_all() -> None:
    with pytest.raises(OSError, match="went away"):
        as_xlsx("x", COLUMNS, breaking())


@pytest.mark.parametrize("make", [as_csv, as_xlsx])
def test_a_wrong_column_or_total_is_never_an_empty_column(make: Any) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        make("x", COLUMNS, [row()], total_of=["nonsense"])
    with pytest.raises(AttributeError):
        body(make("x", [Column("错", "nmae")], [row()]))


def test_a_sheet_is_never_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_ROWS", 4)
    assert len(sheet(as_xlsx("x", COLUMNS, [row(), row()]))) == 4
    with pytest.raises(TooManyRows, match="CSV"):
        as_xlsx("x", COLUMNS, [row(), row(), row()])


def test_a_text_too_long_for_a_cell_says_that_it_was_cut() -> None:
    _heading, first, _closing = sheet(as_xlsx("x", COLUMNS, [row("长" * 40_000)]))
    assert len(first[0].value) == 32_767
    assert first[0].value.endswith("全文 40000 字，见 CSV）")


def test_the_file_is_in_the_language_of_the_request_even_when_it_is_sent_later() -> None:
    with override("en"):
        response = as_csv("x", [Column(_("金额"), "amount", "money")], [row()])
    assert read(response)[0] == ["Amount"]


def peak(rows: int) -> int:
    """Bytes at the most while a CSV of so many rows is sent."""

    def many() -> Iterable[SimpleNamespace]:
        return (row() for _number in range(rows))

    response: StreamingHttpResponse = as_csv("x", COLUMNS, many())
    tracemalloc.start()
    for _piece in response.streaming_content:  # type: ignore[union-attr]
        pass
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_a_csv_of_ten_times_the_rows_needs_no_more_memory() -> None:
    peak(100)
    assert peak(20_000) < peak(2_000) * 1.5
