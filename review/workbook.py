"""离线评分表: an expert's own sheets as one XLSX to fill in without a network, and what was filled in, read back row by row.

One row per bid and criterion. Points are checked by the spreadsheet and, with the same rules as the page, when the file comes back.
Nothing but one's own reviews is in it. Text is written as text, never as a formula.
"""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from grants.archives import UNREADABLE
from grants.workflow.refusals import Invalid
from review.ballots import CENT, OwnCriterion, plain, shown

if TYPE_CHECKING:
    from review.models import Mark, Review

MARK = "gongchuang-ballots-1"
LARGEST = 2 * 1024 * 1024
"""Bytes of a file that is sent back; 200 sheets of ten criteria take less than a tenth."""
UNPACKED = 40 * 1024 * 1024
MOST_ROWS = 5000
LONGEST = 1000
HEAD, FIRST = 3, 4
COLUMNS = ("number", "title", "stage", "criterion", "top", "anchors", "mark", "comment", "panel", "review", "code")
WIDTHS = (16, 28, 10, 24, 8, 46, 10, 40, 30, 4, 4)
OPEN_COLUMNS = ("mark", "comment", "panel")


@dataclass(frozen=True)
class Sheet:
    """One review with its criteria and the marks it has."""

    review: Review
    criteria: list[OwnCriterion]
    marks: Mapping[str, Mark]


@dataclass
class Entry:
    """One row that was filled in. value: points as text, "" for an empty cell, which changes nothing. problem: why it is refused."""

    line: int
    review: str
    code: str
    value: str
    comment: str
    panel: str
    problem: str = ""
    before: str = ""
    label: str = ""


@dataclass
class Returned:
    """A workbook read back: rows that would change something, rows refused, and how many stay as they are."""

    changes: list[Entry] = field(default_factory=list)
    problems: list[Entry] = field(default_factory=list)
    same: int = 0


def build(sheets: Iterable[Sheet], *, title: str, stages: Mapping[str, str]) -> bytes:
    """The workbook. stages: code → name."""
    book = Workbook()
    page = book.active
    page.title = str(_("评分表"))
    _text(page.cell(1, 1), title).font = Font(bold=True, size=14)
    _text(page.cell(2, 1), _("只填黄色三栏。得分留空表示暂不修改；不要增删行列。填好后在“我的评审”上传，确认后才生效。"))
    _text(page.cell(1, len(COLUMNS)), MARK)
    for at, (name, width) in enumerate(zip(_headings(), WIDTHS, strict=True), start=1):
        _text(page.cell(HEAD, at), name).font = Font(bold=True)
        page.column_dimensions[page.cell(HEAD, at).column_letter].width = width
    for letter in "JK":
        page.column_dimensions[letter].hidden = True
    rows = [(sheet, criterion) for sheet in sheets for criterion in sheet.criteria]
    for line, (sheet, criterion) in enumerate(rows, start=FIRST):
        _row(page, line, sheet, criterion, stages)
    _validations(page, [(FIRST + i, criterion.top) for i, (_sheet, criterion) in enumerate(rows)])
    page.freeze_panes = page.cell(FIRST, 3)
    page.protection.sheet = True
    page.protection.formatColumns = page.protection.formatRows = page.protection.autoFilter = False
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _headings() -> list[str]:
    return [
        str(h)
        for h in (_("编号"), _("项目"), _("环节"), _("指标"), _("满分"), _("评分参考"), _("得分"), _("给申报方的意见"), _("仅评审组可见"), "review", "code")
    ]  # fmt: skip


def _row(page: Any, line: int, sheet: Sheet, criterion: OwnCriterion, stages: Mapping[str, str]) -> None:
    mark = sheet.marks.get(criterion.code)
    anchors = "\n".join(f"{points} {means}" for _key, points, means in criterion.steps())
    words = (
        sheet.review.bid.number, sheet.review.bid.title, stages.get(sheet.review.stage, sheet.review.stage), criterion.name,
        criterion.top, anchors, None if mark is None else mark.value, mark.comment if mark else "", mark.panel_comment if mark else "",
        str(sheet.review.pk), criterion.code,
    )  # fmt: skip
    for at, (name, value) in enumerate(zip(COLUMNS, words, strict=True), start=1):
        cell = page.cell(line, at)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        if isinstance(value, Decimal):
            cell.value = value
            cell.number_format = "0.##"
        elif value is not None:
            _text(cell, str(value))
        if name in OPEN_COLUMNS:
            cell.protection = Protection(locked=False)
            cell.fill = PatternFill("solid", fgColor="FFF8DC")


def _text(cell: Any, value: str) -> Any:
    """As text whatever it begins with: an applicant's title may not become a formula on an expert's computer."""
    cell.value = str(value)
    cell.data_type = "s"
    cell.quotePrefix = str(value).startswith(("=", "+", "-", "@"))
    return cell


def _validations(page: Any, rows: list[tuple[int, Decimal]]) -> None:
    """One rule per maximum, over all its cells."""
    for top, lines in groupby(sorted(rows, key=lambda r: (r[1], r[0])), key=lambda r: r[1]):
        rule = DataValidation(type="decimal", operator="between", formula1="0", formula2=str(top), allow_blank=True)
        rule.error = str(_("得分须在 0 至 %(top)s 之间。") % {"top": shown(top)})
        rule.errorTitle = str(_("得分超出范围"))
        for line, _top in lines:
            rule.add(f"G{line}")
        page.add_data_validation(rule)


def read(content: bytes, sheets: Mapping[str, Sheet]) -> Returned:
    """What a returned workbook would change. sheets: review's key → one's own open sheets; anything else is refused row by row.

    Raises Invalid when it is not a workbook of ours: too large, not XLSX, no mark, too many rows.
    """
    page = _opened(content)
    found = Returned()
    for line, cells in enumerate(page.iter_rows(min_row=FIRST, max_col=len(COLUMNS)), start=FIRST):
        if line > MOST_ROWS:
            raise _refused(_("评分表超过 %(n)d 行，请用系统下载的评分表填写。") % {"n": MOST_ROWS})
        entry = _entry(line, cells)
        if entry is not None:
            _sort(found, entry, sheets)
    return found


def _opened(content: bytes) -> Any:
    if len(content) > LARGEST:
        raise _refused(_("文件超过 %(n)d MB，请只上传系统下载的评分表。") % {"n": LARGEST // 1024 // 1024})
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > UNPACKED:
                raise _refused(_("文件解压后过大，请只上传系统下载的评分表。"))
        page = load_workbook(io.BytesIO(content), read_only=False, data_only=False, keep_links=False).worksheets[0]
    except (*UNREADABLE, InvalidFileException, IndexError, SyntaxError) as broken:
        raise _refused(_("这不是可以打开的 Excel（xlsx）文件，请重新下载评分表填写。")) from broken
    if str(page.cell(1, len(COLUMNS)).value) != MARK:
        raise _refused(_("这不是系统下载的评分表，或表头被改动，请重新下载填写。"))
    return page


def _entry(line: int, cells: tuple[Any, ...]) -> Entry | None:
    values = {name: cells[i] for i, name in enumerate(COLUMNS)}
    texts = {name: _shown(values[name]) for name in (*OPEN_COLUMNS, "review", "code", "number", "criterion")}
    if not texts["review"] and not texts["code"]:
        return None
    label = f"{texts['number']} {texts['criterion']}".strip()
    entry = Entry(line, texts["review"], texts["code"], texts["mark"], texts["comment"], texts["panel"], label=label)
    if any(values[name].data_type in ("f", "e") for name in OPEN_COLUMNS):
        entry.problem = _("单元格里是公式或错误值，请直接填写内容。")
    return entry


def _shown(cell: Any) -> str:
    if cell.value is None:
        return ""
    if isinstance(cell.value, float):  # a spreadsheet's own numbers: 17.5 and not 17.499999999999996
        return shown(Decimal(repr(round(cell.value, 6))))
    return str(cell.value).replace("\r\n", "\n").strip()


def _sort(found: Returned, entry: Entry, sheets: Mapping[str, Sheet]) -> None:
    entry.problem = entry.problem or _why_not(entry, sheets)
    sheet = None if entry.problem else sheets[entry.review]
    mark = sheet.marks.get(entry.code) if sheet else None
    if sheet is not None:
        entry.before = shown(mark.value) if mark else ""
        if not entry.value and (entry.comment or entry.panel) and mark is None:
            entry.problem = _("写了意见但没有得分，请先填得分。")
    if entry.problem:
        found.problems.append(entry)
    elif _changes(entry, mark):
        found.changes.append(entry)
    else:
        found.same += 1


def _changes(entry: Entry, mark: Mark | None) -> bool:
    if mark is None or not (entry.value or entry.comment or entry.panel):
        return bool(entry.value)
    value = mark.value if not entry.value else Decimal(plain(entry.value))
    return (value, entry.comment, entry.panel) != (mark.value, mark.comment, mark.panel_comment)


def _why_not(entry: Entry, sheets: Mapping[str, Sheet]) -> str:
    sheet = sheets.get(entry.review) if _is_key(entry.review) else None
    if sheet is None:
        return _("这一行不是您的评审。")
    criterion = next((c for c in sheet.criteria if c.code == entry.code), None)
    if criterion is None:
        return _("这个指标不由您评分。")
    if max(len(entry.comment), len(entry.panel)) > LONGEST:
        return _("意见最多 %(n)d 字，请缩短。") % {"n": LONGEST}
    if entry.value and (bad := _bad_points(entry.value, criterion)):
        return bad
    mark = sheet.marks.get(entry.code)
    if sheet.review.state != "accepted" and _changes(entry, mark):
        return _not_open(sheet.review)
    return ""


def _bad_points(text: str, criterion: OwnCriterion) -> str:
    try:
        value = Decimal(plain(text))
    except ArithmeticError:
        return _("“%(mark)s”不是数字。") % {"mark": text[:20]}
    if not value.is_finite() or not 0 <= value <= criterion.top:
        return _("得分须在 0 至 %(top)s 之间。") % {"top": shown(criterion.top)}
    return "" if value == value.quantize(CENT) else _("得分最多两位小数。")


def _not_open(review: Review) -> str:
    if review.state == "assigned":
        return _("请先在网页上声明有无利害关系，再填写这份评分。")
    return _("这份评分已经提交或退出，请先取回修改。")


def _is_key(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _refused(sentence: str) -> Invalid:
    return Invalid(sentence, rule="workbook", problems={"file": [sentence]})
