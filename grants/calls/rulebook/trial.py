"""Bids to rehearse rules with: what a trial bid is, and examples that nobody wrote. Pure; equal rules and seed, equal bids on any machine.

Numbers come from `grants.counting`, made into fractions with nothing but + − × ÷ √, which IEEE 754 defines to the last bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from math import sqrt
from typing import Final

from grants.calls.rulebook.eligibility import Facts, Listing, Outcome, SponsorFacts, assess
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.eligibility import UNREGISTERED, EntityKind
from grants.calls.rulebook.parts.review import Criterion, Scorer
from grants.calls.rulebook.parts.timetable import months_after
from grants.counting import Counting
from grants.money import ZERO

SEED: Final = 20260301
COUNT: Final = 60
DISTRICTS: Final = 12
"""Places from which the invented applicants come in turn, where the call does not name one."""
FINE: Final = 1_000_000

Marks = Mapping[str, Decimal]
"""Criterion → share of its points, 0…1."""


@dataclass(frozen=True)
class TrialBid:
    """A bid to rehearse with. ask, match, recommended in 元; ballots: for each expert, criterion → share of the points an expert gives, 0…1.

    stages: stage → expert → ballot, where the stages have ballots of their own or experts have names; a stage that is not there has `ballots`.
    others: what is entered beside the ballots, by the code it is entered under → share of its points. chair: code of the chair's ballot
    (empty: the first). district: where the applicant is registered.
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
        return self.stages.get(stage) or {f"{n:02}": ballot for n, ballot in enumerate(self.ballots, start=1)}


def lowest_cap(rules: CallRules, bid: TrialBid) -> Decimal:
    """The lowest cap that applies, 元: of the call, of the field, of the track."""
    field_caps = [each.cap for each in rules.categories if each.code == bid.category and each.cap is not None]
    track_caps = [each.cap for each in rules.tracks if each.code == bid.track and each.cap is not None]
    return min([rules.amounts.cap, *field_caps, *track_caps])


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
    return tuple(_broken(rules, bid, on, number // 5) if number % 5 == 4 else bid for number, bid in enumerate(bids))


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


def _broken(rules: CallRules, bid: TrialBid, on: date, turn: int) -> TrialBid:
    """The bid with one fault: the next in turn that this call forbids this kind of applicant."""
    order = [*_PLANTED[turn % len(_PLANTED) :], *_PLANTED[: turn % len(_PLANTED)]]
    return next(broken for fault in order if (broken := fault(rules, bid, on)) is not None)  # asking too much always is one


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
    return replace(bid, ask=ask, match=_match(rules, ask))


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


def _match(rules: CallRules, ask: Decimal) -> Decimal:
    """The smallest own contribution that the shares ask for, rounded up to a whole hundred."""
    least = ZERO
    if rules.amounts.match_share and rules.amounts.match_share < 100:
        least = ask * rules.amounts.match_share / (100 - rules.amounts.match_share)
    if rules.amounts.cap_share:
        least = max(least, ask * 100 / rules.amounts.cap_share - ask)
    return (least / 100).to_integral_value(ROUND_CEILING) * 100


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


Plant = Callable[[CallRules, TrialBid, date], "TrialBid | None"]


def _with(bid: TrialBid, **facts: object) -> TrialBid:
    return replace(bid, facts=replace(bid.facts, **facts))  # type: ignore[arg-type]


def _stranger(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    other = next((kind for kind in EntityKind if kind not in rules.eligibility.kinds), None)
    return None if other is None else _with(bid, kind=other, legal_person=other not in UNREGISTERED)


def _young(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    if rules.eligibility.registered is None or bid.facts.kind in UNREGISTERED:
        return None
    return _with(bid, registered_on=months_after(on, 1 - rules.eligibility.registered.months), annual_checks={})


def _unchecked(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    applies = rules.eligibility.annual_checks is not None and bid.facts.kind not in UNREGISTERED
    return _with(bid, annual_checks={**bid.facts.annual_checks, on.year - 1: "不合格"}) if applies else None


def _listed(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    return _with(bid, serious=(Listing(on - timedelta(days=200), None),)) if rules.eligibility.credit else None


def _short_of_staff(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    rule = rules.eligibility.staff
    return _with(bid, full_time_staff=rule.full_time - 1) if rule and bid.facts.kind not in UNREGISTERED else None


def _unlicensed(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    return _with(bid, professionals={}) if rules.eligibility.professionals else None


def _from_elsewhere(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    rule = rules.eligibility
    return _with(bid, district="外区") if rule.district and not rule.cross_district else None


def _greedy(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    ask = lowest_cap(rules, bid) + 100
    return replace(bid, ask=ask, match=_match(rules, ask))


def _poor(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    return replace(bid, match=ZERO) if rules.amounts.match_share or rules.amounts.cap_share else None


_PLANTED: Final[tuple[Plant, ...]] = (
    _stranger, _young, _unchecked, _listed, _short_of_staff, _unlicensed, _from_elsewhere, _greedy, _poor,
)  # fmt: skip
