"""Tables that people take home: CSV that Excel opens in Chinese, and XLSX. Safe against formulas, exact, and never silently short.

Every file ends with a line that says how many rows it has and what the amounts add up to. A CSV is sent while it is read, in constant
memory: if reading fails half-way, the file ends with a line that says so and the connection is broken, so that the browser reports a
failed download. An XLSX is complete before its first byte is sent, or it is not sent at all.

    return as_csv(_("付款单"), COLUMNS, rows, total_of=["amount"])

Who may take the file, and writing that into the ledger, is the caller's business: the same rule and the same queryset as its page.
"""

from __future__ import annotations

import csv
import io
import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, TypeVar

from django.db.models import QuerySet
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from grants.documents.inspection import clean_name
from grants.web.cells import NUMERIC, Column, Kind, Totals, amount, csv_cell, dangerous, day, local, plain

BOM = "\ufeff"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHUNK = 500  # rows read from the database, and sent, at a time
MOST_ROWS, LONGEST_CELL = 1_048_576, 32_767  # what one sheet and one cell of a workbook can hold
FORMATS: dict[Kind, str] = {
    "code": "@",
    "text": "@",
    "money": "#,##0.00",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm:ss",
}
WIDTHS: dict[Kind, int] = {"text": 24, "code": 24, "money": 16, "number": 10, "date": 12, "datetime": 20}
BOLD = Font(bold=True)
log = logging.getLogger(__name__)
Response = TypeVar("Response", bound=HttpResponseBase)


class TooManyRows(Exception):
    """A sheet would be cut off after 1,048,576 rows; the CSV has no such end."""


def as_csv(name: Any, columns: Sequence[Column], rows: Iterable[Any], *, total_of: Sequence[str] = ()) -> StreamingHttpResponse:
    """A response that sends `rows` (a queryset is read in pieces) as `name`.csv. total_of: names of money and number columns.

    Raises ValueError at once for an unknown name in `total_of`; what fails later breaks the download visibly.
    """
    pieces = csv_pieces(Totals(columns, total_of), _in_pieces(rows), done=_done(), broken=_broken())
    response = StreamingHttpResponse(_in_language(pieces, get_language()), content_type="text/csv; charset=utf-8")
    return _as_download(response, f"{name}.csv")


def as_xlsx(name: Any, columns: Sequence[Column], rows: Iterable[Any], *, total_of: Sequence[str] = ()) -> FileResponse:
    """The same as one sheet of `name`.xlsx, complete before it is sent. Raises TooManyRows, and whatever reading the rows raises."""
    kept = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it when it has been sent
    try:
        write_workbook(kept, Totals(columns, total_of), _in_pieces(rows), done=_done())
    except BaseException:
        kept.close()
        raise
    kept.seek(0)
    return _as_download(FileResponse(kept, content_type=XLSX), f"{name}.xlsx")


def _done() -> str:
    return _("合计：共 {count} 行")


def _broken() -> str:
    return _("！！！导出中断：第 {count} 行之后没有读到，这份文件不完整，请重新导出。")


def csv_pieces(totals: Totals, rows: Iterable[Any], *, done: str, broken: str) -> Iterator[str]:
    """The text of the file, CHUNK lines at a time. done, broken: the closing sentence of a whole and of a broken file, with {count}."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield BOM + writer.writerow([csv_cell(str(column.label), "text") for column in totals.columns])
    lines: list[str] = []
    try:
        for values in totals.passing(rows):
            lines.append(
                writer.writerow([csv_cell(value, column.kind) for column, value in zip(totals.columns, values, strict=True)])
            )
            if len(lines) == CHUNK:
                yield "".join(lines)
                lines.clear()
    except Exception:
        log.exception("a CSV broke off after %d rows", totals.count)
        yield "".join(lines) + writer.writerow([broken.format(count=totals.count)])
        raise
    closing = zip(totals.closing(done.format(count=totals.count)), totals.closing_kinds(), strict=True)
    yield "".join(lines) + writer.writerow([csv_cell(value, kind) for value, kind in closing])


class _Echo:
    """What csv.writer writes into: it hands the line back."""

    def write(self, line: str) -> str:
        return line


def write_workbook(target: IO[bytes], totals: Totals, rows: Iterable[Any], *, done: str) -> None:
    """One sheet with a bold, frozen heading and a bold closing line. Rows go to disk as they come."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    for at, column in enumerate(totals.columns, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = WIDTHS[column.kind]
    try:
        _fill(sheet, totals, rows, done)
    except BaseException:
        book.save(io.BytesIO())  # the only way to make openpyxl remove the rows it has put into the machine's temporary folder
        raise
    book.save(target)


def _fill(sheet: Any, totals: Totals, rows: Iterable[Any], done: str) -> None:
    sheet.append([_cell(sheet, str(column.label), "text", bold=True) for column in totals.columns])
    for values in totals.passing(rows):
        if totals.count > MOST_ROWS - 2:
            raise TooManyRows(_("一张工作表最多 %(n)d 行，请改用 CSV，或先缩小范围。") % {"n": MOST_ROWS - 2})
        sheet.append([_cell(sheet, value, column.kind) for column, value in zip(totals.columns, values, strict=True)])
    closing = zip(totals.closing(done.format(count=totals.count)), totals.closing_kinds(), strict=True)
    sheet.append([_cell(sheet, value, kind, bold=True) for value, kind in closing])


def _cell(sheet: Any, value: Any, kind: Kind, *, bold: bool = False) -> WriteOnlyCell:
    """One cell of its kind. Text is text whatever it looks like: openpyxl would make a formula of what begins with =."""
    cell = WriteOnlyCell(sheet, value=None)
    if value not in (None, ""):
        cell.value = _typed(value, kind)
        if isinstance(cell.value, str):
            cell.data_type = "s"
            cell.quotePrefix = dangerous(cell.value)  # and stays text when somebody edits the cell
    if kind in FORMATS:
        cell.number_format = FORMATS[kind]
    if bold:
        cell.font = BOLD
    return cell


def _typed(value: Any, kind: Kind) -> Any:
    if kind in NUMERIC:
        return amount(value, kind)
    if kind == "date":
        return day(value)
    if kind == "datetime":
        return local(value)
    text = plain(value)
    if len(text) <= LONGEST_CELL:
        return text
    cut = _("……（单元格放不下，全文 %(n)d 字，见 CSV）") % {"n": len(text)}
    return text[: LONGEST_CELL - len(cut)] + cut


def _in_pieces(rows: Iterable[Any]) -> Iterable[Any]:
    """A queryset is read CHUNK rows at a time (its prefetches too) instead of whole."""
    return rows.iterator(chunk_size=CHUNK) if isinstance(rows, QuerySet) else rows


def _in_language(pieces: Iterator[str], language: str | None) -> Iterator[str]:
    """The pieces, each made in the language of the request: they are asked for after it is over."""
    while True:
        with override(language):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _as_download(response: Response, filename: str) -> Response:
    """Saved under a Chinese name (RFC 5987), never shown inside a page of ours, never kept by a cache on the way."""
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=clean_name(filename)) or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


__all__ = ["Column", "TooManyRows", "as_csv", "as_xlsx"]
