"""What a call asks of those who read and answer it, counted and not judged: words, questions, files, long sentences.

There is no accepted readability score for Chinese official prose, so none is given: only what can be counted, and the sentences worth
shortening. Reading time assumes 300 字 a minute, an ordinary pace for such texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.form import FieldKind, Phase
from grants.calls.rulebook.words import count_words

PER_MINUTE: Final = 300
LONG_SENTENCE: Final = 60
"""字 after which a sentence is listed: two lines of a printed notice."""
_END: Final = re.compile(r"[。！？；;!?\n]+")


@dataclass(frozen=True)
class Burden:
    """The counts. sentences: of the texts people must read; long: the long ones, longest first."""

    words: int
    minutes: int
    sections: int
    questions: int
    required: int
    cells: int
    most_words: int
    attachments: int
    attachments_required: int
    sentences: int
    long: tuple[str, ...]

    @property
    def long_share(self) -> int:
        """Per cent of the sentences that are long, rounded down."""
        return 100 * len(self.long) // self.sentences if self.sentences else 0


def burden(rules: CallRules) -> Burden:
    """Everything an applicant meets before submitting: the notice, the form, the files of the application."""
    fields = [field for section in rules.forms.application for field in section.fields]
    files = [each for each in rules.attachments if each.phase is Phase.APPLICATION]
    texts = list(_texts(rules))
    sentences = [part.strip() for text in texts for part in _END.split(text) if part.strip()]
    words = sum(map(count_words, texts))
    longest = sorted((s for s in sentences if count_words(s) > LONG_SENTENCE), key=count_words, reverse=True)
    return Burden(
        words=words,
        minutes=-(-words // PER_MINUTE),
        sections=len(rules.forms.application),
        questions=len(fields),
        required=sum(field.required for field in fields),
        cells=sum(len(field.columns) * max(field.min_rows, 1) for field in fields if field.kind is FieldKind.TABLE),
        most_words=sum(field.max_chars or _DEFAULTS.get(field.kind, 0) for field in fields),
        attachments=len(files),
        attachments_required=sum(each.required for each in files),
        sentences=len(sentences),
        long=tuple(longest),
    )


_DEFAULTS: Final = {FieldKind.TEXT: 200, FieldKind.LONGTEXT: 2000}


def _texts(rules: CallRules) -> Iterator[str]:
    """The texts of the notice and of the form, as an applicant meets them."""
    yield from (rules.title.zh, rules.summary, *rules.legal_notes, *rules.budget.banned)
    yield from (rule.message for rule in rules.budget.rules)
    yield from (each.note for each in rules.budget.categories)
    yield from (need.text for need in rules.needs.items)
    for sheet in rules.review.sheets:
        for criterion in sheet.criteria:
            yield from (criterion.name, criterion.note, *(anchor.means for anchor in criterion.anchors))
    for section in rules.forms.application:
        yield from (section.title, section.help)
        yield from (text for field in section.fields for text in (field.label, field.help))
    yield from (each.name for each in rules.attachments)
    yield from (each.text for each in rules.forms.declarations)
