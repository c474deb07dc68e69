"""A file of ties, read row by row: what each row says, and for every cell that is wrong its line, its column and the rule. Pure.

Nothing is guessed: an unknown word is a problem, not a blank. What a spreadsheet puts in front of a code (an apostrophe) and full-width
characters mean the same as without.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from grants.people import identity, uscc
from grants.sentences import marked as _
from grants.web.cells import unguarded
from review import tie_kinds
from review.conflicts import RelationKind

MOST_ROWS: Final = 2000
MOST_BYTES: Final = 512 * 1024
EXPERT, PERSON, BODY = "专家", "个人", "单位"
KIND, SINCE, UNTIL, EVIDENCE = "关系", "起", "止", "依据"
SIDES: Final = ("甲方", "乙方")
TYPE, NAME, NUMBER, AT = "类型", "", "证件号码", "所在单位"
COLUMNS: Final = (KIND, *(f"{side}{part}" for side in SIDES for part in (TYPE, NAME, NUMBER, AT)), SINCE, UNTIL, EVIDENCE)
SAMPLE: Final = "(示例,请删除本行)"
"""Stands in the evidence of a sample row, as read: half-width."""
SAMPLES: Final = (
    (
        "任职",
        PERSON,
        "张三",
        "",
        "某某社工服务中心",
        BODY,
        "某某社工服务中心",
        "",
        "",
        "2023-01-01",
        "",
        "官网理事会名单（示例，请删除本行）",
    ),
    ("夫妻", EXPERT, "E01", "", "", PERSON, "李四", "", "某某基金会", "2010-05-01", "", "本人申报（示例，请删除本行）"),
    ("控制", BODY, "某某集团", "", "", BODY, "某某社工服务中心", "", "", "", "", "工商登记（示例，请删除本行）"),
)
SENTENCES: Final[Mapping[str, str]] = {
    "columns": _("缺少这些列：%(what)s。请下载模板，按模板的表头填写。"),
    "unknown_columns": _("不认识这些列：%(what)s。请删除，或按模板的表头改名。"),
    "empty": _("文件里没有一行关系。"),
    "most": _("一次最多导入 %(most)d 行，这份文件有 %(n)d 行，请分成几份。"),
    "encoding": _("读不出文字：请用 Excel 另存为“CSV UTF-8”。"),
    "sample": _("这是模板里的示例，请删除这一行。"),
    "kind": _("没有“%(value)s”这种关系，可填：%(choices)s。"),
    "type": _("“%(value)s”不是类型，只能填：专家、个人、单位。"),
    "missing": _("没有填写。专家填专家代码，个人填姓名，单位填全称。"),
    "expert_number": _("专家由专家代码认定，这里请留空。"),
    "who": _("只有姓名认不出是谁：请填身份证号，或填所在单位。"),
    "at": _("只有个人才填所在单位，这里请留空。"),
    "identity": _("居民身份证号不正确（%(why)s），请逐位核对证件。"),
    "code": _("统一社会信用代码不正确（%(why)s），请逐位核对证书。"),
    "date": _("“%(value)s”不是日期，请写成 2024-01-31。"),
    "order": _("结束日期早于开始日期。"),
    "expert": _("专家库里没有代码“%(value)s”。"),
    "twice": _("与第 %(line)d 行相同，请删除一行。"),
    "long": _("超过 %(most)d 个字。"),
}
RULES: Final[Mapping[str, str]] = {
    "length": _("位数不对"), "alphabet": _("有不允许的字符"), "birth": _("出生日期不存在"), "check": _("校验位不符"),
    "organisation": _("组织机构代码校验位不符"),
}  # fmt: skip
LONGEST: Final = {NAME: 100, AT: 100, NUMBER: 60, EVIDENCE: 300}


@dataclass(frozen=True)
class Side:
    """One party as the file names it. type: 专家, 个人 or 单位. name: an expert's code, a person's or a body's name. number, at: "" if none."""

    type: str
    name: str
    number: str = ""
    at: str = ""

    @property
    def end(self) -> str:
        """person or body, as `tie_kinds` says."""
        return tie_kinds.BODY if self.type == BODY else tie_kinds.PERSON


@dataclass(frozen=True)
class Row:
    """One tie. line: as a spreadsheet counts, the heading is 1."""

    line: int
    kind: RelationKind
    left: Side
    right: Side
    since: date | None
    until: date | None
    evidence: str


@dataclass(frozen=True)
class Problem:
    """line 0: the whole file. column: a heading; rule: a key of SENTENCES."""

    line: int
    column: str
    rule: str
    sentence: str


@dataclass
class Sheet:
    """What a file says. rows are complete only where there are no problems: a file with one is not imported."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def template() -> list[Sequence[str]]:
    """The heading and the sample rows, which the reader refuses until they are deleted."""
    return [COLUMNS, *SAMPLES]


def decode(content: bytes) -> str | None:
    """The text of a file as Excel saves it: UTF-8, or the Chinese encoding; None for what is neither, or no text."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None


def read(content: bytes) -> Sheet:
    """Read a file whole. Raises nothing: what is wrong is a problem."""
    text = decode(content)
    if text is None:
        return Sheet(problems=[_problem(0, "", "encoding")])
    try:
        lines = [
            (n, [_plain(cell) for cell in cells]) for n, cells in enumerate(csv.reader(io.StringIO(text, newline="")), start=1)
        ]
    except csv.Error:
        return Sheet(problems=[_problem(0, "", "encoding")])
    lines = [(n, cells) for n, cells in lines if any(cells)]
    wrong = _headings(lines[0][1] if lines else [])
    return Sheet(problems=wrong) if wrong else _rows(lines[0][1], lines[1:])


def _plain(cell: str) -> str:
    return unicodedata.normalize("NFKC", unguarded(cell.strip())).strip()


def _headings(cells: Sequence[str]) -> list[Problem]:
    missing = [c for c in COLUMNS if c not in cells]
    strange = [c for c in cells if c and c not in COLUMNS]
    found = [_problem(1, "", "columns", what="、".join(missing))] if missing else []
    return found + ([_problem(1, "", "unknown_columns", what="、".join(strange))] if strange else [])


def _rows(heads: Sequence[str], lines: Sequence[tuple[int, list[str]]]) -> Sheet:
    sheet, seen = Sheet(), dict[tuple[object, ...], int]()
    if not lines:
        sheet.problems.append(_problem(0, "", "empty"))
    if len(lines) > MOST_ROWS:
        return Sheet(problems=[_problem(0, "", "most", most=MOST_ROWS, n=len(lines))])
    for line, cells in lines:
        values = {head: cells[i] if i < len(cells) else "" for i, head in enumerate(heads) if head}
        row, problems = row_of(line, values)
        if row is not None and not problems:
            key = (row.kind, row.left, row.right, row.since)
            problems = [_problem(line, KIND, "twice", line=seen[key])] if key in seen else []
            seen.setdefault(key, line)
            sheet.rows.append(row)
        sheet.problems += problems
    return sheet


def row_of(line: int, values: Mapping[str, str]) -> tuple[Row | None, list[Problem]]:
    """One tie from its cells by heading (COLUMNS), or what is wrong with them."""
    if SAMPLE in values[EVIDENCE]:
        return None, [_problem(line, KIND, "sample")]
    kind = tie_kinds.kind_named(values[KIND])
    sides = [Side(*(values[f"{side}{part}"] for part in (TYPE, NAME, NUMBER, AT))) for side in SIDES]
    since, until, late = _days(line, values)
    problems = [*_kind(line, kind, values), *_long(line, values)]
    for side, label in zip(sides, SIDES, strict=True):
        problems += _side(line, label, side)
    problems += late
    if kind is None or problems:
        return None, problems
    if rule := tie_kinds.wrong_ends(kind, sides[0].end, sides[1].end):
        return None, [Problem(line, KIND, rule, tie_kinds.SENTENCES[rule] % {"kind": kind.zh})]
    return Row(line, kind, sides[0], sides[1], since, until, values[EVIDENCE]), []


def _kind(line: int, kind: RelationKind | None, values: Mapping[str, str]) -> Iterator[Problem]:
    if kind is None:
        yield _problem(line, KIND, "kind", value=values[KIND], choices="、".join(tie_kinds.SHORT[k] for k in tie_kinds.KINDS))


def _long(line: int, values: Mapping[str, str]) -> Iterator[Problem]:
    for column in COLUMNS:
        most = LONGEST.get(column.removeprefix(SIDES[0]).removeprefix(SIDES[1]))
        if most is not None and len(values[column]) > most:
            yield _problem(line, column, "long", most=most)


def _side(line: int, label: str, side: Side) -> Iterator[Problem]:
    if side.type not in (EXPERT, PERSON, BODY):
        yield _problem(line, f"{label}{TYPE}", "type", value=side.type)
        return
    if not side.name:
        yield _problem(line, f"{label}{NAME}", "missing")
    if side.at and side.type != PERSON:
        yield _problem(line, f"{label}{AT}", "at")
    if side.type == EXPERT and side.number:
        yield _problem(line, f"{label}{NUMBER}", "expert_number")
    if side.type == PERSON and not side.number and not side.at:
        yield _problem(line, f"{label}{AT}", "who")
    if side.number and side.type != EXPERT and (wrong := _wrong_number(side)):
        rule = "identity" if side.type == PERSON else "code"
        yield _problem(line, f"{label}{NUMBER}", rule, why=RULES.get(wrong, wrong))


def _wrong_number(side: Side) -> str:
    """The rule that an identity number or a credit code breaks; a body's number that is not of 18 characters is a record number."""
    try:
        if side.type == PERSON:
            identity.parse(side.number)
        elif is_credit_code(side.number):
            uscc.parse(side.number)
    except (identity.IdentityError, uscc.CreditCodeError) as wrong:
        return str(wrong.rule)
    return ""


def is_credit_code(number: str) -> bool:
    """Whether a body's number means a credit code: eighteen letters and digits."""
    return re.fullmatch(r"[0-9A-Za-z]{18}", number) is not None


def _days(line: int, values: Mapping[str, str]) -> tuple[date | None, date | None, list[Problem]]:
    found: dict[str, date | None] = {}
    problems: list[Problem] = []
    for column in (SINCE, UNTIL):
        try:
            found[column] = _day(values[column])
        except ValueError:
            problems.append(_problem(line, column, "date", value=values[column]))
    since, until = found.get(SINCE), found.get(UNTIL)
    if since is not None and until is not None and until < since:
        problems.append(_problem(line, UNTIL, "order"))
    return since, until, problems


def _day(text: str) -> date | None:
    """A day, None for a blank: 2024-01-31, 2024/1/31, 2024.1.31, 2024年1月31日. Raises ValueError for what is none."""
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", text)
    if text and found is None:
        raise ValueError(text)
    return date(*map(int, found.groups())) if found else None


def _problem(line: int, column: str, rule: str, /, **values: object) -> Problem:
    return Problem(line, column, rule, SENTENCES[rule] % values)
