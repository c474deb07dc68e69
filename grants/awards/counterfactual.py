"""What an order of a panel's bids would become: the real selection with its sub-quotas, sources, limits and grey band, asked by the reference analysis.

The analysis asks for thousands of orders, and again whenever somebody repeats it: the answer depends on the frozen bids, the call's rules and the
seed that the ballots gave. A bid asks for what it asked; amounts that the panel recommends later, and awards of other panels, are not looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from grants.awards.allocation import Candidate, RulesContradict, SelectionRules
from grants.awards.limits import BAND, selection_rules
from grants.awards.selection import propose, with_lots
from review.conflict_checks import code_of
from review.panels import bids_of
from review.results import ask_of

if TYPE_CHECKING:
    from review.models import Panel

Order = Sequence[tuple[str, Decimal]]
"""(bid, score), best first."""


@dataclass(frozen=True)
class Funding:
    """The selection of a call as a function of an order. seed: what the lots of the grey band are drawn from."""

    known: Mapping[str, Candidate]
    rules: SelectionRules
    seed: bytes

    def __call__(self, order: Order) -> frozenset[str]:
        """The bids that would be funded, with the lots as they fell; nobody where the rules contradict themselves."""
        return self._funded(order, BAND + self.seed)

    def afresh(self, order: Order, time: int) -> frozenset[str]:
        """The same had other experts given this order: their ballots would have been another seed, so each time has lots of its own."""
        return self._funded(order, BAND + hashlib.sha256(self.seed + time.to_bytes(8, "big")).digest())

    def _funded(self, order: Order, seed: bytes) -> frozenset[str]:
        asked = [replace(self.known[bid], score=score, place=place) for place, (bid, score) in enumerate(order, start=1) if bid in self.known]
        try:
            drawn = asked if self.rules.grey_band is None else with_lots(asked, self.rules, seed)
            return frozenset(d.bid for d in propose(drawn, self.rules).decisions if d.awarded)
        except RulesContradict:
            return frozenset()


def funding(panel: Panel) -> Funding:
    """How rankings of this panel would become awards."""
    known = {
        code_of(b): Candidate(code_of(b), str(b.organisation_id), None, None, a := ask_of(b), b.category, b.track, a, b.organisation.district)
        for b in bids_of(panel)
    }
    rules = selection_rules(panel.rules)
    return Funding(known, rules, b"" if rules.grey_band is None else _seed(panel))


def _seed(panel: Panel) -> bytes:
    """As the results keep it; none before they are counted."""
    told = panel.results.order_by("rank").values_list("explanation", flat=True).first()
    return bytes.fromhex((told or {}).get("lot_seed", ""))
