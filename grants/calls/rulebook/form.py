"""The form engine: answers against the sections of a call, for bids, reports and closings alike.

Answers are what a JSONField holds: `{section: {field: value}}`; text, dates (`2026-03-30`), numbers and money are text, a
multiple choice is a list of text, a table a list of `{column: value}`, yes/no a boolean, a file the SHA-256 or key of a stored file (or a
list of them). Nothing is ever shortened: an answer that is too long is reported with its length.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from grants.calls.rulebook.parts.form import Column, Declaration, FieldKind, FormField, Section
from grants.calls.rulebook.words import count_words
from grants.money import NotMoney, exact, number

DEFAULT_CHARS: Final = {FieldKind.TEXT: 200, FieldKind.LONGTEXT: 2000}
"""How long an answer usually is where the call sets no limit: for estimates and for the space on a printed form, never a limit."""
MOST_CHARS: Final = 100_000
"""No limit of a call: what one answer may hold at all, in characters, so that nobody fills the disk with a question."""
DEFAULT_ROWS: Final = 50
SPACE_HUNGRY: Final = frozenset({FieldKind.NUMBER, FieldKind.MONEY, FieldKind.DATE})


@dataclass(frozen=True)
class FieldProblem:
    """One thing wrong with one answer: where (row is 1-based, 0 outside tables) and a Chinese sentence that says what to do."""

    section: str
    field: str
    message: str
    row: int = 0
    column: str = ""


def validate(sections: Sequence[Section], answers: Mapping[str, Any], *, final: bool) -> list[FieldProblem]:
    """Everything wrong with `answers`; drafts (`final=False`) may leave blanks but what is there must be right."""
    return [*_strangers(sections, answers), *(problem for section in sections for problem in _section(section, answers, final))]


def normalise(sections: Sequence[Section], answers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The answers as they are stored: outer spaces gone, full-width digits and thousands commas made plain in numbers and dates.

    Unknown keys are kept so that `validate` can name them; text itself is never changed or shortened.
    """
    fields = {(section.code, field.code): field for section in sections for field in section.fields}
    return {
        section: {code: _tidy(fields.get((section, code)), value) for code, value in given.items()}
        for section, given in answers.items()
        if isinstance(given, Mapping)
    }


def default_answers(sections: Sequence[Section]) -> dict[str, dict[str, Any]]:
    """An empty sheet: every field present with an empty value, tables with their least number of blank rows."""
    return {section.code: {field.code: _blank(field) for field in section.fields} for section in sections}


def missing_declarations(declarations: Sequence[Declaration], accepted: Sequence[str]) -> list[str]:
    """The sentences the signatory has not accepted yet."""
    return [declaration.text for declaration in declarations if declaration.code not in accepted]


def is_empty(value: Any) -> bool:
    """Whether an answer was left blank; `False` and zero are answers."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, Mapping):
        return all(is_empty(each) for each in value.values())
    if isinstance(value, Sequence):
        return all(is_empty(each) for each in value)
    return value is None


def _strangers(sections: Sequence[Section], answers: Mapping[str, Any]) -> Iterator[FieldProblem]:
    known = {section.code: {field.code for field in section.fields} for section in sections}
    for code, given in answers.items():
        if code not in known:
            yield FieldProblem(code, "", f"表单没有“{code}”这一部分，请刷新页面后重填")
        elif not isinstance(given, Mapping):
            yield FieldProblem(code, "", "这一部分的内容无法识别，请刷新页面后重填")
        else:
            yield from (
                FieldProblem(code, field, f"这一部分没有“{field}”这个问题") for field in given if field not in known[code]
            )


def _section(section: Section, answers: Mapping[str, Any], final: bool) -> Iterator[FieldProblem]:
    given = answers.get(section.code, {})
    for field in section.fields if isinstance(given, Mapping) else ():
        for message, row, column in _field(field, _tidy(field, given.get(field.code)), final):
            yield FieldProblem(section.code, field.code, message, row, column)


Complaint = tuple[str, int, str]
"""Sentence, row (0 outside tables), column."""


def _field(field: FormField, value: Any, final: bool) -> Iterator[Complaint]:
    if is_empty(value):
        if final and field.required:
            yield f"请填写“{field.label}”", 0, ""
    elif field.kind is FieldKind.TABLE:
        yield from _table(field, value, final)
    else:
        yield from ((message, 0, "") for message in _value(field, value))


def _value(field: FormField | Column, value: Any) -> Iterator[str]:
    message = _CHECKS[field.kind](field, value)
    if message:
        yield f"“{field.label}”{message}"


def _text(field: FormField | Column, value: Any) -> str:
    if not isinstance(value, str):
        return "应为文字"
    if len(value) > MOST_CHARS:
        return f"超过 {MOST_CHARS} 个字符，请改为附件上传"
    length = count_words(value)
    over = length - field.max_chars if field.max_chars else 0
    return f"限 {field.max_chars} 字，现为 {length} 字，请删减 {over} 字" if over > 0 else ""


def _number(field: FormField | Column, value: Any) -> str:
    try:
        return _range(field, number(value))
    except NotMoney as fault:
        return f"应为数字：{fault.sentence}"


def _money(field: FormField | Column, value: Any) -> str:
    try:
        amount = exact(value)
    except NotMoney as fault:
        return f"应为金额：{fault.sentence}"
    except ArithmeticError:
        return "超出可记账的范围"
    return "不能为负数" if amount < 0 else _range(field, amount)


def _range(field: FormField | Column, value: Decimal) -> str:
    if not isinstance(field, FormField):
        return ""
    if field.minimum is not None and value < field.minimum:
        return f"不能小于 {field.minimum:f}"
    if field.maximum is not None and value > field.maximum:
        return f"不能大于 {field.maximum:f}"
    return ""


def _date(field: FormField | Column, value: Any) -> str:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        return "应为日期，例如 2026-03-30"
    return ""


def _choice(field: FormField | Column, value: Any) -> str:
    return "" if value in field.options else f"请从下列选项中选择：{'、'.join(field.options)}"


def _choices(field: FormField | Column, value: Any) -> str:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return "应为多选"
    strange = [each for each in value if each not in field.options]
    return f"没有选项“{strange[0]}”" if strange else "重复选择了同一选项" if len(set(value)) < len(value) else ""


def _yesno(field: FormField | Column, value: Any) -> str:
    return "" if isinstance(value, bool) else "请选择是或否"


def _file(field: FormField | Column, value: Any) -> str:
    keys = value if isinstance(value, list) else [value]
    return "" if all(isinstance(key, str) and key.strip() for key in keys) else "请上传文件"


_CHECKS: Final[Mapping[FieldKind, Callable[[FormField | Column, Any], str]]] = {
    FieldKind.TEXT: _text,
    FieldKind.LONGTEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.MONEY: _money,
    FieldKind.DATE: _date,
    FieldKind.CHOICE: _choice,
    FieldKind.MULTICHOICE: _choices,
    FieldKind.YESNO: _yesno,
    FieldKind.FILE: _file,
}


def _table(field: FormField, value: Any, final: bool) -> Iterator[Complaint]:
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        yield f"“{field.label}”应为表格", 0, ""
        return
    filled = [(index, row) for index, row in enumerate(value, 1) if not is_empty(row)]
    most = field.max_rows or DEFAULT_ROWS
    if len(filled) > most:
        yield f"“{field.label}”最多 {most} 行，现为 {len(filled)} 行，请合并同类项", 0, ""
    if final and len(filled) < field.min_rows:
        yield f"“{field.label}”至少填写 {field.min_rows} 行，现为 {len(filled)} 行", 0, ""
    for index, row in filled:
        yield from _row(field, index, row, final)


def _row(field: FormField, index: int, row: Mapping[str, Any], final: bool) -> Iterator[Complaint]:
    known = {column.code for column in field.columns}
    for code in sorted(row.keys() - known):
        yield f"第 {index} 行没有“{code}”这一列", index, str(code)
    for column in field.columns:
        cell = row.get(column.code)
        if not is_empty(cell):
            yield from ((f"第 {index} 行{message}", index, column.code) for message in _value(column, cell))
        elif final and column.required:
            yield f"第 {index} 行请填写“{column.label}”", index, column.code


def _tidy(field: FormField | Column | None, value: Any) -> Any:
    if isinstance(field, FormField) and field.kind is FieldKind.TABLE and isinstance(value, list):
        columns = {column.code: column for column in field.columns}
        return [_tidy_row(columns, row) for row in value]
    if field is None or not isinstance(value, str):
        return value
    text = value.strip()
    return unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "") if field.kind in SPACE_HUNGRY else text


def _tidy_row(columns: Mapping[str, Column], row: Any) -> Any:
    return {code: _tidy(columns.get(code), cell) for code, cell in row.items()} if isinstance(row, Mapping) else row


def _blank(field: FormField) -> Any:
    if field.kind is FieldKind.TABLE:
        return [dict.fromkeys((column.code for column in field.columns), "") for _ in range(field.min_rows)]
    if field.kind in (FieldKind.MULTICHOICE, FieldKind.FILE):
        return []
    return None if field.kind is FieldKind.YESNO else ""
