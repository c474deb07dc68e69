"""一页纸: which calls are small enough that a whole bid fits one page. Reads the rules alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grants.calls.rulebook.form import DEFAULT_CHARS
from grants.calls.rulebook.parts.form import FieldKind, Phase

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules

MOST_QUESTIONS = 6
MOST_CHARS = 300
"""Longest answer (字) that a telephone screen shows without scrolling."""
MOST_LINES = 6
MOST_PAPERS = 1
ABOUT = frozenset({"title", "category", "track", "need", "sponsor"})
"""Names of the inputs about the bid itself: a question of the same code needs a page of its own."""


def fits_one_page(rules: CallRules) -> bool:
    """Whether the form is a page: few short questions, no tables, at most six budget lines and one attachment, no licensed staff."""
    asked = [field for section in rules.forms.application for field in section.fields]
    papers = [a for a in rules.attachments if a.phase is Phase.APPLICATION]
    short = all((f.max_chars or DEFAULT_CHARS[f.kind]) <= MOST_CHARS for f in asked if f.kind in DEFAULT_CHARS)
    flat = all(f.kind not in (FieldKind.TABLE, FieldKind.FILE) and f.code not in ABOUT for f in asked)
    few = len(asked) <= MOST_QUESTIONS and len(papers) <= MOST_PAPERS and rules.eligibility.professionals is None
    return few and short and flat and rules.budget.max_lines is not None and rules.budget.max_lines <= MOST_LINES
