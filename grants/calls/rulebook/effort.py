"""用时: how much a call's form asks of an applicant, in questions and minutes, before anybody has to answer it.

The minutes are our own assumptions, printed beside the figure wherever it is shown: they are for comparing one form with another and
for seeing what one more question costs, not a promise to anybody. Writing goes at 20 字 a minute (drafting, not copying).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from grants.calls.rulebook.form import DEFAULT_CHARS
from grants.calls.rulebook.parts.form import Attachment, FieldKind, FormField, Phase, Section

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules

WRITING: Final = 20
"""字 that a person drafts in a minute."""
FILLED: Final = 60
"""Per cent of a limit that people write on average."""
MINUTES: Final = {
    FieldKind.TEXT: 1,
    FieldKind.NUMBER: 2,
    FieldKind.MONEY: 2,
    FieldKind.DATE: 1,
    FieldKind.CHOICE: 1,
    FieldKind.MULTICHOICE: 1,
    FieldKind.YESNO: 1,
    FieldKind.FILE: 5,
}
ROW: Final = 3
"""Minutes for one row of a table."""
USUAL_ROWS: Final = 3
BUDGET_LINE, BUDGET_LINES = 4, 8
FIGURE: Final = 2
"""Minutes for one indicator."""
PERSON: Final = 2
PAPER: Final = 5
"""Minutes to find, scan and upload one attachment."""


@dataclass(frozen=True)
class Share:
    """One part of the form: title, questions in it, minutes for it."""

    title: str
    questions: int
    minutes: int


@dataclass(frozen=True)
class Effort:
    """What a whole bid asks: the parts in order; the totals are their sums."""

    parts: tuple[Share, ...]

    @property
    def questions(self) -> int:
        return sum(part.questions for part in self.parts)

    @property
    def minutes(self) -> int:
        return sum(part.minutes for part in self.parts)


def effort(rules: CallRules) -> Effort:
    """The effort of one bid under `rules`: every section, then budget, indicators, team and the attachments that must be there."""
    sections = [Share(s.title, len(s.fields), sum(map(minutes, s.fields))) for s in rules.forms.application]
    lines = min(rules.budget.max_lines or BUDGET_LINES, BUDGET_LINES)
    elsewhere = {field.kpi for section in rules.forms.application for field in section.fields}
    figures = sum(1 for kpi in rules.outcomes.kpis if kpi.code not in elsewhere)
    people = max(rules.eligibility.minimum_adults, 1 if rules.amounts.micro else 3)
    papers = [a for a in must_hand_in(rules.attachments) if not _asked_in_form(a, rules.forms.application)]
    return Effort((
        *sections,
        Share("预算", 1, lines * BUDGET_LINE),
        Share("指标与受益人群", figures + 1, (figures + 1) * FIGURE),
        Share("人员名单", 1, people * PERSON),
        Share("附件", len(papers), len(papers) * PAPER),
    ))  # fmt: skip


def minutes(field: FormField) -> int:
    """Minutes for one question: by its kind, and for long answers by the length that is asked for."""
    if field.kind is FieldKind.LONGTEXT:
        return max(2, -(-(field.max_chars or DEFAULT_CHARS[FieldKind.LONGTEXT]) * FILLED // (100 * WRITING)))
    if field.kind is FieldKind.TABLE:
        return ROW * max(field.min_rows, USUAL_ROWS)
    return MINUTES[field.kind]


def must_hand_in(attachments: Iterable[Attachment]) -> list[Attachment]:
    """Attachments that every applicant hands in with the bid."""
    return [a for a in attachments if a.required and a.phase is Phase.APPLICATION and not a.required_for]


def known_share(rules: CallRules, known: Iterable[tuple[str, str]]) -> int:
    """Per cent of the form's questions (files left out) whose (code, kind) is among `known`: what an organisation need not type again."""
    asked = [(f.code, str(f.kind)) for s in rules.forms.application for f in s.fields if f.kind is not FieldKind.FILE]
    there = set(known)
    return 100 * sum(1 for each in asked if each in there) // len(asked) if asked else 0


def _asked_in_form(attachment: Attachment, sections: Iterable[Section]) -> bool:
    return any(field.attachment == attachment.code for section in sections for field in section.fields)
