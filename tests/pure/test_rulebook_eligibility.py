"""Eligibility: every rule at its edge day, what a clerk may settle and what not, and how the look-back behaves in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.calls.rulebook import presets
from grants.calls.rulebook.eligibility import (
    Facts,
    Finding,
    Listing,
    Outcome,
    PastProject,
    SponsorFacts,
    assess,
    clean_since,
    outcome_of,
)
from grants.calls.rulebook.parts.eligibility import Eligibility, EntityKind, PastResults, Repeat, Staff
from grants.calls.rulebook.parts.timetable import months_after

ON = date(2026, 3, 30)
DISTRICT = presets.load("district").eligibility
MICRO = presets.load("micro").eligibility
PROFESSIONAL = presets.load("professional").eligibility
EVIDENCE = {"annual_checks": True, "charter": True, "double_funding": True, "professionals": True, "staff": True}
GOOD = Facts(
    kind=EntityKind.SERVICE,
    legal_person=True,
    registered_on=date(2019, 5, 6),
    annual_checks={2024: "合格", 2025: "合格"},
    credit_looked_up_on=date(2026, 3, 20),
    district="澄江市云溪区",
    clerk=EVIDENCE,
)
HUB = SponsorFacts("青禾街道社区社会组织联合会", True, date(2026, 1, 1), date(2026, 12, 31))
TEAM = Facts(kind=EntityKind.TEAM, legal_person=False, adults=3, sponsor=HUB, clerk=EVIDENCE)


def of(rule: str, facts: Facts, rules: Eligibility = DISTRICT, on: date = ON) -> Finding:
    found = {finding.rule: finding for finding in assess(facts, rules, on=on)}
    return found[rule]


def changed(rules: Eligibility, **parts: Any) -> Eligibility:
    return Eligibility.model_validate(rules.model_dump() | parts)


def test_a_sound_applicant_passes_every_rule() -> None:
    assert {finding.outcome for finding in assess(GOOD, DISTRICT, on=ON)} == {Outcome.PASS}
    assert {finding.outcome for finding in assess(TEAM, MICRO, on=date(2026, 5, 1))} == {Outcome.PASS}


def test_without_a_clerk_nothing_that_needs_evidence_passes() -> None:
    findings = assess(replace(GOOD, clerk={}, credit_looked_up_on=None), DISTRICT, on=ON)
    waiting = {finding.rule for finding in findings if finding.outcome is Outcome.NEEDS_CLERK}
    assert waiting == {"annual_checks", "credit_abnormal", "credit_serious", "credit_violation", "charter", "double_funding"}
    assert outcome_of(findings) is Outcome.NEEDS_CLERK


@pytest.mark.parametrize(
    ("rule", "facts", "rules", "outcome"),
    [
        ("kind", replace(GOOD, kind=EntityKind.ENTERPRISE), DISTRICT, Outcome.FAIL),
        ("legal_person", replace(GOOD, legal_person=False), DISTRICT, Outcome.FAIL),
        ("legal_person", TEAM, MICRO, Outcome.PASS),
        ("sponsor", replace(TEAM, sponsor=None), MICRO, Outcome.FAIL),
        ("sponsor", replace(TEAM, sponsor=replace(HUB, name="别家")), MICRO, Outcome.FAIL),
        ("sponsor", replace(TEAM, sponsor=replace(HUB, valid_until=ON - timedelta(1))), MICRO, Outcome.FAIL),
        ("sponsor", replace(TEAM, sponsor=replace(HUB, valid_until=ON)), MICRO, Outcome.PASS),
        ("sponsor", replace(TEAM, sponsor=replace(HUB, legal_person=False)), MICRO, Outcome.FAIL),
        ("registered", replace(GOOD, registered_on=date(2025, 3, 30)), DISTRICT, Outcome.PASS),
        ("registered", replace(GOOD, registered_on=date(2025, 3, 31)), DISTRICT, Outcome.FAIL),
        ("registered", replace(GOOD, registered_on=None), DISTRICT, Outcome.NEEDS_CLERK),
        ("annual_checks", replace(GOOD, annual_checks={2024: "合格", 2025: "不合格"}), DISTRICT, Outcome.FAIL),
        ("annual_checks", replace(GOOD, annual_checks={2025: "合格"}), DISTRICT, Outcome.PASS),
        ("annual_checks", replace(GOOD, annual_checks={2025: "合格"}, clerk={}), DISTRICT, Outcome.NEEDS_CLERK),
        ("annual_checks", replace(GOOD, clerk={"annual_checks": False}), DISTRICT, Outcome.FAIL),
        ("credit_abnormal", replace(GOOD, abnormal=(Listing(date(2024, 1, 1), date(2025, 3, 30)),)), DISTRICT, Outcome.PASS),
        ("credit_abnormal", replace(GOOD, abnormal=(Listing(date(2024, 1, 1), date(2025, 3, 31)),)), DISTRICT, Outcome.FAIL),
        ("credit_abnormal", replace(GOOD, abnormal=(Listing(date(2016, 1, 1), None),)), DISTRICT, Outcome.FAIL),
        ("credit_serious", replace(GOOD, serious=(Listing(date(2023, 1, 1), date(2024, 3, 31)),)), DISTRICT, Outcome.FAIL),
        ("credit_serious", replace(GOOD, serious=(Listing(date(2023, 1, 1), date(2024, 3, 30)),)), DISTRICT, Outcome.PASS),
        ("credit_violation", replace(GOOD, violations=(Listing(date(2023, 3, 31), date(2023, 3, 31)),)), DISTRICT, Outcome.FAIL),
        ("credit_violation", replace(GOOD, violations=(Listing(date(2023, 3, 30), date(2023, 3, 30)),)), DISTRICT, Outcome.PASS),
        ("credit_abnormal", replace(GOOD, credit_looked_up_on=ON - timedelta(31)), DISTRICT, Outcome.NEEDS_CLERK),
        ("credit_abnormal", replace(GOOD, credit_looked_up_on=ON - timedelta(30)), DISTRICT, Outcome.PASS),
        ("credit_abnormal", replace(GOOD, credit_looked_up_on=ON + timedelta(1)), DISTRICT, Outcome.NEEDS_CLERK),
        ("credit_abnormal", replace(GOOD, clerk={"credit_abnormal": False}), DISTRICT, Outcome.FAIL),
        ("professionals", replace(GOOD, professionals={"律师": 1, "执业护士": 1}, supervisors=1), PROFESSIONAL, Outcome.PASS),
        ("professionals", replace(GOOD, professionals={"律师": 1, "会计师": 5}, supervisors=1), PROFESSIONAL, Outcome.FAIL),
        ("professionals", replace(GOOD, professionals={"律师": 2}), PROFESSIONAL, Outcome.FAIL),
        ("adults", replace(TEAM, adults=2), MICRO, Outcome.FAIL),
        ("adults", replace(TEAM, adults=None), MICRO, Outcome.NEEDS_CLERK),
        ("joint", replace(GOOD, members=2), DISTRICT, Outcome.FAIL),
        ("joint", replace(GOOD, members=3), PROFESSIONAL, Outcome.PASS),
        ("joint", replace(GOOD, members=4), PROFESSIONAL, Outcome.FAIL),
        ("bids", replace(GOOD, other_bids=1), DISTRICT, Outcome.PASS),
        ("bids", replace(GOOD, other_bids=2), DISTRICT, Outcome.FAIL),
        ("awards", replace(GOOD, other_awards=1), DISTRICT, Outcome.FAIL),
        ("barred", replace(GOOD, barred_until=ON), DISTRICT, Outcome.FAIL),
        ("barred", replace(GOOD, barred_until=ON - timedelta(1)), DISTRICT, Outcome.PASS),
        ("past", replace(GOOD, past=(PastProject(2024, "不合格", date(2025, 1, 1)),)), DISTRICT, Outcome.FAIL),
        ("past", replace(GOOD, past=(PastProject(2024, "合格", date(2025, 1, 1)),)), DISTRICT, Outcome.PASS),
        ("past", replace(GOOD, past=(PastProject(2022, "不合格", date(2023, 3, 30)),)), DISTRICT, Outcome.PASS),
        ("past", replace(GOOD, past=(PastProject(2022, "", date(2023, 3, 31), terminated=True),)), DISTRICT, Outcome.FAIL),
        ("host", replace(GOOD, runs_this_call=True), DISTRICT, Outcome.FAIL),
    ],
)
def test_a_rule_decides_at_its_edge(rule: str, facts: Facts, rules: Eligibility, outcome: Outcome) -> None:
    finding = of(rule, facts, rules)
    assert finding.outcome is outcome
    assert finding.sentence
    assert (finding.way_out != "") is (outcome is not Outcome.PASS)


def test_declared_facts_that_break_a_rule_fail_even_where_a_clerk_said_yes() -> None:
    rules = changed(DISTRICT, staff=Staff(full_time=3).model_dump())
    assert of("staff", replace(GOOD, full_time_staff=2), rules).outcome is Outcome.FAIL
    assert of("staff", replace(GOOD, full_time_staff=3), rules).outcome is Outcome.PASS
    assert of("staff", replace(GOOD, full_time_staff=3, clerk={}), rules).outcome is Outcome.NEEDS_CLERK


def test_a_district_rule_yields_to_a_call_that_welcomes_others() -> None:
    rules = changed(PROFESSIONAL, cross_district=False)
    assert of("district", replace(GOOD, district="别区"), rules).outcome is Outcome.FAIL
    assert of("district", replace(GOOD, district=""), rules).outcome is Outcome.NEEDS_CLERK
    assert "district" not in {finding.rule for finding in assess(replace(GOOD, district="别区"), PROFESSIONAL, on=ON)}


def test_last_years_winner_is_barred_only_where_the_call_says_so() -> None:
    facts = replace(GOOD, past=(PastProject(2025, "优秀", date(2026, 1, 5)),))
    rules = changed(DISTRICT, past=PastResults(repeat=Repeat.BARRED).model_dump())
    assert of("repeat", facts, rules).outcome is Outcome.FAIL
    assert "repeat" not in {finding.rule for finding in assess(facts, DISTRICT, on=ON)}


def test_registered_bodies_rules_do_not_ask_unregistered_groups() -> None:
    rules = presets.load("street").eligibility
    asked = {finding.rule for finding in assess(replace(TEAM, kind=EntityKind.RECORDED), rules, on=ON)}
    assert not asked & {"registered", "annual_checks", "assessment", "staff"}


def test_a_young_organisation_is_not_asked_for_years_before_it_existed() -> None:
    facts = replace(GOOD, registered_on=date(2025, 1, 10), annual_checks={2025: "合格"})
    assert of("annual_checks", facts).outcome is Outcome.PASS
    assert "未填写" not in of("annual_checks", facts).sentence


DAYS = st.dates(date(2010, 1, 1), date(2030, 12, 31))
STAYS = st.builds(lambda since, days: Listing(since, since + timedelta(days) if days else None), DAYS, st.integers(0, 900))


@given(st.lists(STAYS, max_size=4).map(tuple), st.integers(0, 5), DAYS)
def test_a_longer_look_back_never_forgives_more(stays: tuple[Listing, ...], years: int, on: date) -> None:
    if clean_since(stays, years + 1, on):
        assert clean_since(stays, years, on)


@given(st.lists(STAYS, max_size=4).map(tuple), st.integers(0, 5), DAYS, st.integers(0, 2000))
def test_waiting_after_the_last_stay_never_makes_a_clean_record_dirty(
    stays: tuple[Listing, ...], years: int, on: date, wait: int
) -> None:
    begun = tuple(stay for stay in stays if stay.since <= on)
    if clean_since(begun, years, on):
        assert clean_since(begun, years, on + timedelta(wait))


@given(st.lists(STAYS, max_size=3).map(tuple), STAYS, st.integers(0, 5), DAYS)
def test_one_more_stay_never_cleans_a_record(stays: tuple[Listing, ...], more: Listing, years: int, on: date) -> None:
    assert clean_since((*stays, more), years, on) <= clean_since(stays, years, on)


@given(DAYS, st.integers(1, 60))
def test_months_after_is_the_same_day_or_the_last_of_the_month(day: date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(1)).day == 1)


KINDS = st.sampled_from(list(EntityKind))
RULES = st.sampled_from([presets.load(name).eligibility for name in presets.NAMES])
FACTS = st.builds(
    Facts,
    kind=KINDS,
    legal_person=st.booleans(),
    registered_on=st.none() | DAYS,
    annual_checks=st.dictionaries(st.integers(2018, 2030), st.sampled_from(["合格", "不合格", "基本合格"])),
    assessment=st.none() | st.integers(1, 5),
    abnormal=st.lists(STAYS, max_size=2).map(tuple),
    credit_looked_up_on=st.none() | DAYS,
    full_time_staff=st.none() | st.integers(0, 9),
    adults=st.none() | st.integers(0, 9),
    members=st.integers(1, 5),
    other_bids=st.integers(0, 3),
    barred_until=st.none() | DAYS,
    clerk=st.dictionaries(st.sampled_from(["annual_checks", "charter", "double_funding", "staff"]), st.booleans()),
)


@given(FACTS, RULES, DAYS)
def test_any_facts_get_one_explained_finding_for_each_rule(facts: Facts, rules: Eligibility, on: date) -> None:
    findings = assess(facts, rules, on=on)
    assert len({finding.rule for finding in findings}) == len(findings)
    assert all(finding.sentence and bool(finding.way_out) == (finding.outcome is not Outcome.PASS) for finding in findings)


@given(FACTS, RULES, DAYS)
def test_a_clerks_yes_never_turns_a_failure_into_a_pass(facts: Facts, rules: Eligibility, on: date) -> None:
    bare = {finding.rule: finding.outcome for finding in assess(replace(facts, clerk={}), rules, on=on)}
    helped = {finding.rule: finding.outcome for finding in assess(replace(facts, clerk=dict.fromkeys(bare, True)), rules, on=on)}
    assert all(helped[rule] is Outcome.FAIL for rule, outcome in bare.items() if outcome is Outcome.FAIL)
