"""A page for one section of a call's form: questions of every kind, tables with rows that can be added without a script.

Bids, reports and closings share it. Nothing is judged here beyond "is this one of the choices": the rulebook's form engine judges,
and its sentences come back through `show`. What was typed is never lost: fields are text until the engine has read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _

from grants.calls.rulebook.form import DEFAULT_ROWS
from grants.calls.rulebook.parts.form import Column, FieldKind, FormField, Section
from grants.web.fields import DayInput, YuanInput

RADIOS_AT_MOST = 8
ROWS_AT_ONCE = 3


@dataclass(frozen=True)
class Question:
    """One thing to show: a bound field, a table (heads and rows of bound fields), or a file question (answered by attachments).

    mark: the version of the answer shown (`rulebook.marks`). choice: a colleague's text, when both have changed the answer.
    """

    kind: str
    field: FormField
    bound: BoundField | None = None
    rows: tuple[tuple[BoundField, ...], ...] = ()
    mark: str = ""
    choice: Any = None


class SectionForm(forms.Form):
    """The questions of `section`. answers: what is stored for the section (field code → JSON value). prefix: before every control's name."""

    def __init__(self, section: Section, *, data: Any = None, answers: Mapping[str, Any] | None = None, prefix: str | None = None) -> None:
        self.section, self.answers_before = section, answers or {}
        self.marks: Mapping[str, str] = {}
        self.choices: Mapping[str, Any] = {}
        super().__init__(data=data, initial=dict(self._initial()), prefix=prefix)
        self.kept: dict[str, list[int]] = {}
        self.heights = {f.code: self._rows(f) for f in section.fields if f.kind is FieldKind.TABLE}
        for field in section.fields:
            if field.kind is FieldKind.TABLE:
                self._add_table(field)
            elif field.kind is not FieldKind.FILE:
                self.fields[field.code] = _control(field, optional=not field.required)

    def _initial(self) -> Iterator[tuple[str, Any]]:
        for field in self.section.fields:
            value = self.answers_before.get(field.code)
            if field.kind is FieldKind.TABLE:
                for i, row in enumerate(value or []):
                    yield from ((f"{field.code}-{i}-{c.code}", _shown(row.get(c.code))) for c in field.columns)
            else:
                yield field.code, _shown(value)

    def _add_table(self, field: FormField) -> None:
        rows = self.heights[field.code]
        self.fields[f"{field.code}-rows"] = forms.IntegerField(
            widget=forms.HiddenInput, initial=rows, required=False, min_value=0, max_value=_most(field)
        )
        for i in range(rows):
            for column in field.columns:
                cell = _control(column, optional=True)
                cell.label = _("第 %(row)d 行%(column)s") % {"row": i + 1, "column": column.label}
                cell.widget.attrs["aria-label"] = cell.label
                self.fields[f"{field.code}-{i}-{column.code}"] = cell

    def _rows(self, field: FormField) -> int:
        """As many rows as were sent; unsent: those stored, the least number asked, and one to write on."""
        if self.is_bound:
            counted = self.add_prefix(f"{field.code}-rows")
            sent = str(self.data.get(counted, ""))
            wanted = int(sent) if sent.isdigit() and len(sent) < 4 else 0
            if self.data.get("more") == self.add_prefix(field.code):
                wanted += ROWS_AT_ONCE
                typed: Any = self.data
                self.data = typed = typed.copy()
                typed[counted] = str(min(wanted, _most(field)))
        else:
            wanted = max(len(self.answers_before.get(field.code) or []) + 1, field.min_rows)
        return min(wanted, _most(field))

    def questions(self) -> list[Question]:
        """Everything to show, in the section's order, with the marks and choices that the view has set."""
        shown = (self._question(field) for field in self.section.fields)
        return [replace(q, mark=self.marks.get(q.field.code, ""), choice=self.choices.get(q.field.code)) for q in shown]

    def names_of(self, answer: str) -> list[str]:
        """The controls of one answer."""
        return [name for name in self.fields if name == answer or name.startswith(f"{answer}-")]

    def in_words(self, answer: str, value: Any) -> str:
        """A stored value as text, tables line by line; for showing two texts side by side."""
        field = next(f for f in self.section.fields if f.code == answer)
        if field.kind is not FieldKind.TABLE:
            return in_words(value)
        rows = ("｜".join(in_words(row.get(c.code)) for c in field.columns) for row in value or [])
        return "\n".join(rows)

    def _question(self, field: FormField) -> Question:
        if field.kind is FieldKind.TABLE:
            height = self.heights[field.code]
            rows = tuple(tuple(self[f"{field.code}-{i}-{c.code}"] for c in field.columns) for i in range(height))
            return Question("table", field, self[f"{field.code}-rows"], rows)
        if field.kind is FieldKind.FILE:
            return Question("file", field)
        return Question("field", field, self[field.code])

    def answers(self) -> dict[str, Any]:
        """What was typed, as the form engine reads it: blank rows are left out. Call after `is_valid()`."""
        return {f.code: self._answer(f) for f in self.section.fields if f.kind is not FieldKind.FILE}

    def _answer(self, field: FormField) -> Any:
        if field.kind is not FieldKind.TABLE:
            return _typed(field, self.cleaned_data.get(field.code))
        rows = [
            {c.code: _typed(c, self.cleaned_data.get(f"{field.code}-{i}-{c.code}")) for c in field.columns}
            for i in range(self.heights[field.code])
        ]
        self.kept[field.code] = [i for i, row in enumerate(rows) if any(v not in (None, "", []) for v in row.values())]
        return [rows[i] for i in self.kept[field.code]]

    def show(self, problems: Mapping[str, Sequence[str]]) -> None:
        """Put the engine's sentences beside their questions (names as `completeness.answer_field` gives them)."""
        for name, sentences in problems.items():
            place = self.place(name)
            for sentence in sentences:
                self.add_error(place if place in self.fields else None, sentence)

    def place(self, name: str) -> str:
        """A row is counted among the rows that were not blank; on the page it may stand further down."""
        table, _dash, rest = name.partition("-")
        row, _dash, column = rest.partition("-")
        if table in self.kept and row.isdigit() and int(row) < len(self.kept[table]):
            return f"{table}-{self.kept[table][int(row)]}-{column}"
        return name


def in_words(value: Any) -> str:
    """One value as people read it."""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return "、".join(map(str, value))
    return "" if value is None else str(value)


def _most(field: FormField) -> int:
    return field.max_rows or DEFAULT_ROWS


def _shown(value: Any) -> Any:
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


def _typed(field: FormField | Column, value: Any) -> Any:
    if field.kind is FieldKind.YESNO:
        return {"yes": True, "no": False}.get(str(value))
    return value


def _control(field: FormField | Column, *, optional: bool) -> forms.Field:
    """The control for one question; `required` only decides whether 选填 is shown, because a draft may leave anything out."""
    made = _typed_control(field)
    if field.kind in (FieldKind.LONGTEXT, FieldKind.TEXT):
        made.widget.attrs["data-words"] = field.max_chars or ""
    made.label, made.help_text = field.label, _help(field)
    made.required = not optional
    made.clean = _unless_blank(made)  # type: ignore[method-assign]
    return made


def _unless_blank(made: forms.Field) -> Any:
    """A blank is no error while drafting, though the question is marked as one to be answered."""
    judge = made.clean

    def clean(value: Any) -> Any:
        return value if value in (None, "", []) else judge(value)

    return clean


def _typed_control(field: FormField | Column) -> forms.Field:
    if field.kind is FieldKind.LONGTEXT:
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 8}), strip=False)
    if field.kind is FieldKind.MONEY:
        return forms.CharField(widget=YuanInput())
    if field.kind is FieldKind.NUMBER:
        return forms.CharField(widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "govuk-input--width-10"}))
    if field.kind is FieldKind.DATE:
        return forms.CharField(widget=DayInput())
    if field.kind is FieldKind.YESNO:
        return forms.ChoiceField(choices=[("yes", _("是")), ("no", _("否"))], widget=forms.RadioSelect)
    if field.kind in (FieldKind.CHOICE, FieldKind.MULTICHOICE):
        return _choices(field)
    return forms.CharField()


def _choices(field: FormField | Column) -> forms.Field:
    options = [(text, text) for text in field.options]
    if field.kind is FieldKind.MULTICHOICE:
        return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple)
    if len(options) <= RADIOS_AT_MOST and isinstance(field, FormField):
        return forms.ChoiceField(choices=options, widget=forms.RadioSelect)
    return forms.ChoiceField(choices=[("", _("请选择")), *options])


def _help(field: FormField | Column) -> str:
    """The call's own explanation, and its limit where it sets one."""
    said = field.help if isinstance(field, FormField) else ""
    if field.kind in (FieldKind.LONGTEXT, FieldKind.TEXT) and isinstance(field, FormField) and field.max_chars:
        limit = _("限 %(most)d 字。") % {"most": field.max_chars}
        return said if str(field.max_chars) in said else f"{said}{limit}"
    return said
