"""Faults that an invented bid may have: one for each rule by which a call excludes, so that a rehearsal tries them all. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from grants.calls.rulebook.eligibility import Listing
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.eligibility import UNREGISTERED, EntityKind
from grants.calls.rulebook.parts.timetable import months_after
from grants.calls.rulebook.trial import TrialBid, least_match, lowest_cap
from grants.money import ZERO

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
    return replace(bid, ask=ask, match=least_match(rules, ask))


def _poor(rules: CallRules, bid: TrialBid, on: date) -> TrialBid | None:
    return replace(bid, match=ZERO) if rules.amounts.match_share or rules.amounts.cap_share else None


_PLANTED: Final[tuple[Plant, ...]] = (
    _stranger, _young, _unchecked, _listed, _short_of_staff, _unlicensed, _from_elsewhere, _greedy, _poor,
)  # fmt: skip


def broken(rules: CallRules, bid: TrialBid, on: date, turn: int) -> TrialBid:
    """The bid with one fault: the next in turn that this call forbids this kind of applicant."""
    order = [*_PLANTED[turn % len(_PLANTED) :], *_PLANTED[: turn % len(_PLANTED)]]
    return next(found for fault in order if (found := fault(rules, bid, on)) is not None)  # asking too much always is one
