"""预演的另一半 from what the agency has: agreement of two experts as its latest analysed round measured it, and who could be drawn today.

The arithmetic is `grants.calls.rulebook.expectation`.
"""

from __future__ import annotations

from collections.abc import Iterable

from grants.calls.models import Call
from grants.calls.rulebook.expectation import ASSUMED, Agreement
from review.analysing import kept
from review.drawing import pool_of
from review.models import Panel


def measured(rounds: Iterable[Call]) -> Agreement:
    """The agreement of the first of these rounds that has been analysed; the assumption when none has."""
    for panel in Panel.objects.filter(call__in=list(rounds), analysis__isnull=False).select_related("call").order_by("-concluded_at"):
        found = kept(panel)
        share = None if found is None or found.reliability is None else found.reliability.icc2_single
        if share is not None and share.value is not None:
            return Agreement(share.value, panel.call.code)
    return Agreement(ASSUMED)


def pool_size(call: Call) -> int:
    """Experts who could be drawn today."""
    return len(pool_of(call))
