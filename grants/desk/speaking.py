"""Every pattern by which the stages speak without a framework, for pages in another language."""

from __future__ import annotations

from bidding import budget, pasting, related
from grants.awards import allocation, reduction, shares
from grants.calls.rulebook import spoken
from grants.evaluation import closing, grading
from grants.funding import expenses, invariants, surplus, tranches
from grants.web.speaking import patterns_of
from review import conflicts, namesakes, ranking, scoring, tie_kinds, tie_sheet

MODULES = (
    budget, pasting, related, conflicts, namesakes, tie_kinds, tie_sheet, ranking, scoring, allocation, reduction, shares, expenses, invariants, surplus,
    tranches, closing, grading,
)  # fmt: skip


def patterns() -> list[str]:
    """Sentences with holes, of every module that makes sentences of rules and figures."""
    return [*patterns_of(*(module.SENTENCES for module in MODULES), expenses.CHANGE_SENTENCES, namesakes.CONFIRMED), *spoken.patterns()]
