"""What an order of a panel's bids would become: the real selection with its sub-quotas, sources and limits, asked by the reference analysis.

The analysis asks for thousands of orders, and again whenever somebody repeats it: the answer depends on the frozen bids and the call's rules
alone. A bid asks for what it asked; amounts that the panel recommends later, and awards of other panels, are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from grants.awards.allocation import Candidate, RulesContradict
from grants.awards.limits import selection_rules
from grants.awards.selection import propose
from review.conflict_checks import code_of
from review.panels import bids_of
from review.results import ask_of

if TYPE_CHECKING:
    from review.models import Panel

Fund = Callable[[Sequence[tuple[str, Decimal]]], frozenset[str]]


def funding(panel: Panel) -> Fund:
    """(bid, score) in order, best first → the bids that would be funded; nobody where the rules contradict themselves."""
    rules = selection_rules(panel.rules)
    known = {
        code_of(b): Candidate(code_of(b), str(b.organisation_id), None, None, a := ask_of(b), b.category, b.track, a, b.organisation.district)
        for b in bids_of(panel)
    }

    def fund(order: Sequence[tuple[str, Decimal]]) -> frozenset[str]:
        asked = [replace(known[bid], score=score, place=place) for place, (bid, score) in enumerate(order, start=1) if bid in known]
        try:
            return frozenset(d.bid for d in propose(asked, rules).decisions if d.awarded)
        except RulesContradict:
            return frozenset()

    return fund
