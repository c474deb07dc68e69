"""What a trial bid is: a bid to rehearse rules with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from grants.calls.rulebook.eligibility import Facts
from grants.calls.rulebook.model import CallRules
from grants.money import ZERO

Marks = Mapping[str, Decimal]
"""Criterion → share of its points, 0…1."""


class _Settled(dict[str, bool]):
    """What clerks settled last time counts as settled: a rehearsal asks about rules, not about papers."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> bool:
        return True

    def get(self, key: str, default: Any = None) -> Any:
        return True


SETTLED: Final[Mapping[str, bool]] = _Settled()


@dataclass(frozen=True)
class TrialBid:
    """A bid to rehearse with. ask, match, recommended in 元; ballots: for each expert, criterion → share of the points an expert gives, 0…1.

    stages: stage → expert → ballot, where the stages have ballots of their own or experts have names; a stage that is not there has `ballots`, or
    without any those of another stage.
    others: what is entered beside the ballots, by the code it is entered under → share of its points. chair: code of the chair's ballot
    (empty: the first). district: where the applicant is registered. organisation: a key of the applicant, for the most awards of one.
    """

    code: str
    organisation: str
    facts: Facts
    ask: Decimal
    match: Decimal = ZERO
    category: str = ""
    track: str = ""
    ballots: tuple[Marks, ...] = ()
    stages: Mapping[str, Mapping[str, Marks]] = field(default_factory=dict)
    others: Mapping[str, Decimal] = field(default_factory=dict)
    district: str = ""
    recommended: Decimal | None = None
    chair: str = ""

    def given(self, stage: str) -> Mapping[str, Marks]:
        """Expert → ballot of a stage."""
        own = self.stages.get(stage) or {f"{n:02}": ballot for n, ballot in enumerate(self.ballots, start=1)}
        return own or next(iter(self.stages.values()), {})


def lowest_cap(rules: CallRules, bid: TrialBid) -> Decimal:
    """The lowest cap that applies, 元: of the call, of the field, of the track."""
    field_caps = [each.cap for each in rules.categories if each.code == bid.category and each.cap is not None]
    track_caps = [each.cap for each in rules.tracks if each.code == bid.track and each.cap is not None]
    return min([rules.amounts.cap, *field_caps, *track_caps])


def least_match(rules: CallRules, ask: Decimal) -> Decimal:
    """The smallest own contribution that the shares ask for, rounded up to a whole hundred."""
    least = ZERO
    if rules.amounts.match_share and rules.amounts.match_share < 100:
        least = ask * rules.amounts.match_share / (100 - rules.amounts.match_share)
    if rules.amounts.cap_share:
        least = max(least, ask * 100 / rules.amounts.cap_share - ask)
    return (least / 100).to_integral_value(ROUND_CEILING) * 100
