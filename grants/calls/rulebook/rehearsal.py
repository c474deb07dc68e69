"""预演: a draft's rules run on bids that nobody wrote, before anybody bids — who falls out by which rule, and what to judge them with.

Here are only the bids and what the rules alone decide. Ranking and giving out money belong to later stages: they hand their arithmetic
up with `judge_with`, so that a rehearsal uses the very code that will decide. Everything is deterministic: equal rules and seed, equal result.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final

from grants.calls.rulebook.eligibility import Facts, Listing, Outcome, SponsorFacts, assess
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.eligibility import UNREGISTERED, EntityKind
from grants.calls.rulebook.parts.timetable import months_after
from grants.money import ZERO, percent_text, yuan

SEED: Final = 20260301
COUNT: Final = 60
STEP: Final = Decimal("0.01")


@dataclass(frozen=True)
class TrialBid:
    """A bid to rehearse with. ask, match in 元; ballots: for each expert, criterion → share of its points, 0…1."""

    code: str
    organisation: str
    facts: Facts
    ask: Decimal
    match: Decimal = ZERO
    category: str = ""
    track: str = ""
    ballots: tuple[Mapping[str, Decimal], ...] = ()


@dataclass(frozen=True)
class Exclusion:
    """A bid that falls out, by the first rule that it breaks, with the sentence its applicant would read."""

    bid: str
    rule: str
    sentence: str


@dataclass(frozen=True)
class Line:
    """A ranked bid: its place and score, what decided between equals (empty: the score), and whether and why it is funded."""

    bid: str
    place: int | None
    score: Decimal | None
    decided_by: str
    awarded: bool
    amount: Decimal
    sentence: str
    category: str = ""


@dataclass(frozen=True)
class Swing:
    """One criterion's weight moved by a tenth, the others making up for it: the bids that would win or lose their award."""

    criterion: str
    percent: int
    flips: tuple[str, ...]


@dataclass(frozen=True)
class Usage:
    """A field of service: 元 set aside and given, projects funded and bids that competed."""

    name: str
    set_aside: Decimal | None
    used: Decimal
    awards: int
    bids: int


@dataclass(frozen=True)
class Rehearsal:
    """What would happen. refused: why the rules cannot be carried out at all (then lines are empty)."""

    rules_hash: str
    bids: int
    exclusions: tuple[Exclusion, ...]
    lines: tuple[Line, ...] = ()
    usage: tuple[Usage, ...] = ()
    swings: tuple[Swing, ...] = ()
    awarded: Decimal = ZERO
    left: Decimal = ZERO
    refused: str = ""
    by_rule: Mapping[str, int] = field(default_factory=dict)

    @property
    def ties(self) -> tuple[Line, ...]:
        """Bids whose place the score alone did not decide."""
        return tuple(line for line in self.lines if line.decided_by not in ("", "score"))

    @property
    def fragile(self) -> tuple[str, ...]:
        """Bids whose award hangs on a tenth of some weight, each once."""
        return tuple(dict.fromkeys(bid for swing in self.swings for bid in swing.flips))


Judge = Callable[[CallRules, Sequence[TrialBid]], Rehearsal]
_judges: list[Judge] = []


def judge_with(judge: Judge) -> None:
    """Register the arithmetic of ranking and allocation; the last one registered is asked."""
    if judge not in _judges:
        _judges.append(judge)


def rehearse(rules: CallRules, bids: Sequence[TrialBid]) -> Rehearsal:
    """The whole rehearsal of `bids`; without a registered judge only the exclusions. Equal input, equal result."""
    out = exclusions(rules, bids)
    fallen = {each.bid for each in out}
    staying = [bid for bid in bids if bid.code not in fallen]
    judged = _judges[-1](rules, staying) if _judges else Rehearsal(rules.rules_hash, 0, ())
    counted: dict[str, int] = {}
    for each in out:
        counted[each.rule] = counted.get(each.rule, 0) + 1
    return replace(judged, bids=len(bids), exclusions=out, by_rule=counted)


def exclusions(rules: CallRules, bids: Sequence[TrialBid]) -> tuple[Exclusion, ...]:
    """Who may not bid, asks for too much or too little, or brings too little: the first broken rule of each bid."""
    on = rules.timetable.closes_at.date()
    found = ((bid, next(_faults(rules, bid, on), None)) for bid in bids)
    return tuple(Exclusion(bid.code, *fault) for bid, fault in found if fault is not None)


Fault = tuple[str, str]
"""Rule, sentence."""


def _faults(rules: CallRules, bid: TrialBid, on: date) -> Iterator[Fault]:
    yield from ((f.rule, f.sentence) for f in assess(bid.facts, rules.eligibility, on=on) if f.outcome is Outcome.FAIL)
    cap = _cap(rules, bid)
    if bid.ask > cap:
        yield "cap", f"申请 {yuan(bid.ask)}，高于单个项目上限 {yuan(cap)}"
    if rules.amounts.floor is not None and bid.ask < rules.amounts.floor:
        yield "floor", f"申请 {yuan(bid.ask)}，低于单个项目下限 {yuan(rules.amounts.floor)}"
    share = rules.amounts.match_share
    if share is not None and bid.match * 100 < share * (bid.ask + bid.match):
        yield "match_share", f"配套 {yuan(bid.match)}，不足项目预算的 {percent_text(share)}"
    grant = rules.amounts.cap_share
    if grant is not None and bid.ask * 100 > grant * (bid.ask + bid.match):
        yield "cap_share", f"资助占项目预算的比例高于 {percent_text(grant)}"


def _cap(rules: CallRules, bid: TrialBid) -> Decimal:
    """The lowest cap that applies: of the call, of the field, of the track."""
    field_caps = [each.cap for each in rules.categories if each.code == bid.category and each.cap is not None]
    track_caps = [each.cap for each in rules.tracks if each.code == bid.track and each.cap is not None]
    return min([rules.amounts.cap, *field_caps, *track_caps])


# --- bids that nobody wrote ------------------------------------------------------------------------------------------------


def synthetic(rules: CallRules, *, seed: int = SEED, count: int = COUNT) -> tuple[TrialBid, ...]:
    """`count` bids for these rules: most fit; every fifth breaks one rule, each rule of the call in turn, so that all are tried."""
    dice = random.Random(f"{seed}:{rules.code}")  # noqa: S311 - a repeatable example, nothing is drawn for real
    on = rules.timetable.closes_at.date()
    bids = [_plain(rules, number, dice, on) for number in range(count)]
    return tuple(_broken(rules, bid, on, number // 5) if number % 5 == 4 else bid for number, bid in enumerate(bids))


def _broken(rules: CallRules, bid: TrialBid, on: date, turn: int) -> TrialBid:
    """The bid with one fault: the next in turn that this call forbids this kind of applicant."""
    order = [*_PLANTED[turn % len(_PLANTED) :], *_PLANTED[: turn % len(_PLANTED)]]
    return next(broken for fault in order if (broken := fault(rules, bid, on)) is not None)  # asking too much always is one


def _plain(rules: CallRules, number: int, dice: random.Random, on: date) -> TrialBid:
    """A bid that fits: kinds, fields and tracks in turn, an ask below the cap in round hundreds, marks around its own quality."""
    turn = number + number // 5  # so that the ones with a fault are not all of one field
    track = rules.tracks[turn % len(rules.tracks)] if rules.tracks else None
    kinds = track.kinds if track is not None else rules.eligibility.kinds
    bid = TrialBid(
        code=f"预演-{number + 1:03}",
        organisation=f"单位-{number + 1:03}",
        facts=fitting(rules, kinds[turn % len(kinds)], on),
        ask=ZERO,
        category=rules.categories[turn % len(rules.categories)].code,
        track=track.code if track is not None else "",
        ballots=_ballots(rules, track.sheet if track is not None else None, dice),
    )
    low, high = rules.amounts.floor or ZERO, _cap(rules, bid)
    part = Decimal(str(round(dice.triangular(0.5, 1, 0.9), 2)))
    ask = max(low, high * part // 100 * 100) or high
    return replace(bid, ask=ask, match=_match(rules, ask))


def _match(rules: CallRules, ask: Decimal) -> Decimal:
    """The smallest own contribution that the shares ask for, rounded up to a whole hundred."""
    least = ZERO
    if rules.amounts.match_share and rules.amounts.match_share < 100:
        least = ask * rules.amounts.match_share / (100 - rules.amounts.match_share)
    if rules.amounts.cap_share:
        least = max(least, ask * 100 / rules.amounts.cap_share - ask)
    return (least / 100).to_integral_value(ROUND_CEILING) * 100


def _ballots(rules: CallRules, sheet: str | None, dice: random.Random) -> tuple[dict[str, Decimal], ...]:
    criteria = next((s for s in rules.review.sheets if s.code == sheet), rules.review.sheets[0]).criteria
    quality = {each.code: dice.triangular(0.45, 0.97, 0.78) for each in criteria}
    strictness = [dice.uniform(-0.08, 0.08) for _ in range(max(rules.review.panel.size, rules.review.panel.min_ballots))]
    return tuple({c: _share(q + s + dice.uniform(-0.06, 0.06)) for c, q in quality.items()} for s in strictness)


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
    ask = _cap(rules, bid) + 100
    return replace(bid, ask=ask, match=_match(rules, ask))


def _poor(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    return replace(bid, match=ZERO) if rules.amounts.match_share or rules.amounts.cap_share else None


_PLANTED: Final[tuple[Plant, ...]] = (
    _stranger, _young, _unchecked, _listed, _short_of_staff, _unlicensed, _from_elsewhere, _greedy, _poor,
)  # fmt: skip
