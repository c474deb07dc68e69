"""Bids that nobody wrote, to rehearse rules with. Pure; equal rules and seed, equal bids on any machine.

Numbers come from `grants.counting`, made into fractions with nothing but + − × ÷ √, which IEEE 754 defines to the last bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import sqrt
from typing import Final

from grants.calls.rulebook.eligibility import Facts, Outcome, SponsorFacts, assess
from grants.calls.rulebook.faults import broken
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.eligibility import UNREGISTERED, EntityKind
from grants.calls.rulebook.parts.review import Criterion, Scorer
from grants.calls.rulebook.parts.timetable import months_after
from grants.calls.rulebook.trial import Marks, TrialBid, least_match, lowest_cap
from grants.counting import Counting
from grants.money import ZERO

SEED: Final = 20260301
COUNT: Final = 60
DISTRICTS: Final = 12
"""Places from which the invented applicants come in turn, where the call does not name one."""
FINE: Final = 1_000_000


class _Dice:
    """Fractions from the counter generator."""

    def __init__(self, name: str) -> None:
        self._source = Counting(hashlib.sha256(f"GY-TRIAL-1\0{name}".encode()).digest())

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * (self._source.below(FINE) / FINE)

    def triangular(self, low: float, high: float, mode: float) -> float:
        """Most often near `mode`, never outside low … high."""
        u, turn = self._source.below(FINE) / FINE, (mode - low) / (high - low)
        if u < turn:
            return low + sqrt(u * (high - low) * (mode - low))
        return high - sqrt((1 - u) * (high - low) * (high - mode))


def synthetic(rules: CallRules, *, seed: int = SEED, count: int = COUNT, experts: int | None = None) -> tuple[TrialBid, ...]:
    """`count` bids for these rules: most fit; every fifth breaks one rule, each rule of the call in turn, so that all are tried.

    experts: how many share the reading, each bid by as many as the rules want (default: one panel that reads everything).
    """
    on = rules.timetable.closes_at.date()
    readers = _Readers.of(rules, seed, experts)
    bids = [_plain(rules, number, _Dice(f"{seed}:{rules.code}:{number}"), on, readers) for number in range(count)]
    return tuple(broken(rules, bid, on, number // 5) if number % 5 == 4 else bid for number, bid in enumerate(bids))


@dataclass(frozen=True)
class _Readers:
    """The invented experts with what they give more or less than others; the same experts for every bid, so that strictness is theirs."""

    strictness: tuple[float, ...]
    per_bid: int

    @classmethod
    def of(cls, rules: CallRules, seed: int, experts: int | None) -> _Readers:
        per_bid = max(rules.review.panel.size, rules.review.panel.min_ballots)
        dice = _Dice(f"{seed}:{rules.code}:experts")
        return cls(tuple(dice.uniform(-0.08, 0.08) for _ in range(max(experts or per_bid, per_bid))), per_bid)

    def of_bid(self, number: int) -> list[tuple[str, float]]:
        """(code, strictness) of a bid's readers: the next in turn."""
        turn = [(number * self.per_bid + k) % len(self.strictness) for k in range(self.per_bid)]
        return [(f"{n + 1:02}", self.strictness[n]) for n in sorted(turn)]


def _plain(rules: CallRules, number: int, dice: _Dice, on: date, readers: _Readers) -> TrialBid:
    """A bid that fits: kinds, fields and tracks in turn, an ask below the cap in round hundreds, marks around its own quality."""
    turn = number + number // 5  # so that the ones with a fault are not all of one field
    track = rules.tracks[turn % len(rules.tracks)] if rules.tracks else None
    kinds = track.kinds if track is not None else rules.eligibility.kinds
    criteria = rules.sheet_for(track.code if track is not None else None).criteria
    bid = TrialBid(
        code=f"预演-{number + 1:03}",
        organisation=f"单位-{number + 1:03}",
        facts=fitting(rules, kinds[turn % len(kinds)], on),
        ask=ZERO,
        category=rules.categories[turn % len(rules.categories)].code,
        track=track.code if track is not None else "",
        stages=_stages(rules, criteria, readers.of_bid(number), dice),
        others=_others(rules, criteria, dice),
        district=rules.eligibility.district or f"街道-{number * 7 % DISTRICTS + 1:02}",
        chair="01",
    )
    low, high = rules.amounts.floor or ZERO, lowest_cap(rules, bid)
    part = Decimal(str(round(dice.triangular(0.5, 1, 0.9), 2)))
    ask = max(low, high * part // 100 * 100) or high
    return replace(bid, ask=ask, match=least_match(rules, ask))


def _stages(
    rules: CallRules, criteria: Sequence[Criterion], readers: Sequence[tuple[str, float]], dice: _Dice
) -> dict[str, dict[str, Marks]]:
    """Ballots of every stage: the bid has one quality by criterion, and does somewhat better or worse in each stage."""
    quality = {each.code: dice.triangular(0.45, 0.97, 0.78) for each in criteria}
    found: dict[str, dict[str, Marks]] = {}
    for stage in rules.review.stages:
        form = dice.uniform(-0.05, 0.05) if len(rules.review.stages) > 1 else 0.0
        found[str(stage.kind)] = {
            code: {c: _share(q + form + strict + dice.uniform(-0.06, 0.06)) for c, q in quality.items()} for code, strict in readers
        }
    return found


def _others(rules: CallRules, criteria: Sequence[Criterion], dice: _Dice) -> dict[str, Decimal]:
    """Everything that people enter beside the ballots, under the codes it is entered with (`review.other_scores`)."""
    mix = rules.review.mix
    codes = [code for code in ("residents", "pledges", "public_vote") if getattr(mix, code) > 0]
    codes += ["site_check"] if rules.review.site_check is not None else []
    codes += [f"criterion:{c.code}" for c in criteria if c.scorer in (Scorer.SECRETARIAT, Scorer.RESIDENT)]
    entered = {code: _share(dice.triangular(0.4, 1, 0.8)) for code in codes}
    return {**entered, **{f"bonus:{b.code}": _share(dice.uniform(0, 1)) for b in rules.review.bonuses}}


def _share(value: float) -> Decimal:
    return Decimal(str(round(min(max(value, 0), 1) * 20) / 20))


def fitting(rules: CallRules, kind: EntityKind, on: date) -> Facts:
    """The facts of an applicant of this kind that every eligibility rule of the call accepts on the day."""
    rule = rules.eligibility
    years = rule.annual_checks.years if rule.annual_checks else 0
    facts = Facts(
        kind=kind,
        legal_person=kind not in UNREGISTERED,
        registered_on=months_after(on, -12 * (years + 4)),
        annual_checks={on.year - n: rule.annual_checks.accept[0] for n in range(1, years + 1)} if rule.annual_checks else {},
        assessment=5,
        credit_looked_up_on=on,
        full_time_staff=max(5, rule.staff.full_time if rule.staff else 0),
        professionals={rule.professionals.titles[0]: rule.professionals.at_least} if rule.professionals else {},
        supervisors=rule.professionals.supervisors if rule.professionals else 0,
        adults=max(rule.minimum_adults, 5),
        district=rule.district,
        sponsor=SponsorFacts(rule.sponsor.name or "示例枢纽组织", legal_person=True, valid_from=on, valid_until=on) if rule.sponsor else None,
    )  # fmt: skip
    clerk = {f.rule: True for f in assess(facts, rule, on=on) if f.outcome is Outcome.NEEDS_CLERK}
    return replace(facts, clerk=clerk)
