"""Deadlines that only move later, and rules that change by addendum only: drafted by one, issued by another, never unlawful."""

from __future__ import annotations

from typing import Any

import pytest

from grants import clock, ledger
from grants.calls import services
from grants.calls.models import RulesVersion
from grants.calls.rulebook import toml
from grants.people import services as people_services
from grants.workflow.door import SYSTEM, explain
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import calls, people
from tests.world.calls import DAY, fresh, later, unsound
from tests.world.refusals import refused

pytestmark = pytest.mark.django_db

def test_a_deadline_moves_later_only_and_not_after_it_has_passed() -> None:
    """Earlier, equal, and too late are refused; later is recorded from → to."""
    desk = people.office()
    made = calls.opened(desk)
    held = made.closes_at
    assert held is not None
    with clock.at(calls.OPENS + DAY):
        for moment in (held, held - DAY):
            refused(NotNow, "extension_is_later", services.extend, made, moment, by=desk.approver)
        refused(NotYou, "may_approve_calls", services.extend, made, held + DAY, by=desk.officer)
        assert services.extend(made, held + DAY, by=desk.approver, note="系统故障").closes_at == held + DAY
    assert ledger.history(made.subject)[-1].public == {"from": held.isoformat(), "to": (held + DAY).isoformat()}
    with clock.at(held + DAY):
        refused(NotNow, "before_closing", services.extend, made, held + 2 * DAY, by=desk.approver)


def test_an_extended_call_stays_open_past_its_first_deadline() -> None:
    """The clock asks the new one."""
    desk = people.office()
    made = calls.opened(desk)
    assert made.closes_at
    with clock.at(calls.OPENS + DAY):
        services.extend(made, made.closes_at + DAY, by=desk.approver)
    with clock.at(made.closes_at):
        services.tick()
    assert fresh(made).state == "open"


def test_an_addendum_is_drafted_by_one_and_issued_by_another() -> None:
    """A new frozen version with its machine diff; the old one stays; the times follow."""
    desk = people.office()
    made = calls.opened(desk)
    first, new = made.rules_version, later(made.rules)
    with clock.at(calls.OPENS + DAY):
        version = services.draft_addendum(made, new, by=desk.officer)
        assert fresh(made).rules_version == first
        done = services.amend(made, version, by=desk.approver, note="延长受理")
    assert done.rules == new and done.closes_at == new.timetable.closes_at
    assert done.rules_version is not None and done.rules_version.number == 2
    assert {change["path"] for change in done.rules_version.changes} >= {"timetable.closes_at", "version"}
    assert RulesVersion.objects.get(call=made, number=1).frozen_at is not None


def test_the_author_of_an_addendum_cannot_issue_it() -> None:
    """Though they hold the approver's role too and did not draft the call."""
    desk = people.office()
    both = people.appointed("officer", desk.agency)
    people_services.appoint(both, "approver", desk.agency, by=SYSTEM)
    made = calls.opened(desk)
    with clock.at(calls.OPENS + DAY):
        version = services.draft_addendum(made, later(made.rules), by=both)
        refused(NotYou, "not_the_drafter", services.amend, made, version, by=both)
        assert isinstance(explain(fresh(made), "amend", both), NotYou)
        assert explain(fresh(made), "amend", desk.approver) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rules: later(rules, -DAY), "截止时间"),
        (lambda rules: toml.from_data({**rules.plain(), "version": "2.0.0", "legal_basis": "reward"}), "法律依据"),
        (lambda rules: later(rules, DAY, version=rules.version), "版本号"),
        (lambda rules: unsound(later(rules)), "矛盾"),
    ],
)  # fmt: skip
def test_an_addendum_that_is_not_lawful_is_not_issued(change: Any, why: str) -> None:
    """An earlier deadline, another legal basis, the same version number, a contradiction: each says why, rules stay."""
    desk = people.office()
    made = calls.opened(desk)
    with clock.at(calls.OPENS + DAY):
        version = services.draft_addendum(made, change(made.rules), by=desk.officer)
        refusal = refused(NotNow, "addendum_is_lawful", services.amend, made, version, by=desk.approver)
    assert why in str(refusal)
    assert fresh(made).rules_version == made.rules_version
    version.refresh_from_db()
    assert version.frozen_at is None


def test_an_addendum_needs_a_difference_its_own_code_and_time() -> None:
    """No change, another call's code, after the deadline: refused."""
    desk = people.office()
    made = calls.opened(desk)
    with clock.at(calls.OPENS + DAY):
        refused(Invalid, "something_changed", services.draft_addendum, made, made.rules, by=desk.officer)
        refused(Invalid, "same_call", services.draft_addendum, made, calls.rules("YX-2026-02"), by=desk.officer)
        refused(NotYou, "may_draft_calls", services.draft_addendum, made, later(made.rules), by=desk.approver)
        version = services.draft_addendum(made, later(made.rules), by=desk.officer)
    assert made.closes_at
    with clock.at(made.closes_at):
        refused(NotNow, "before_closing", services.amend, made, version, by=desk.approver)


def test_an_addendum_does_not_take_back_an_extension() -> None:
    """A wording change drafted from the first rules leaves the extended deadline standing."""
    desk = people.office()
    made = calls.opened(desk)
    assert made.closes_at
    longer = made.closes_at + 10 * DAY
    with clock.at(calls.OPENS + DAY):
        services.extend(made, longer, by=desk.approver)
        wording = toml.from_data({**made.rules.plain(), "summary": "改一个字", "version": "1.0.1"})
        version = services.draft_addendum(made, wording, by=desk.officer)
        assert services.amend(made, version, by=desk.approver).closes_at == longer


def test_another_calls_version_cannot_be_slipped_in() -> None:
    """Nor an old one of the same call."""
    desk = people.office()
    made, other = calls.opened(desk), calls.opened(desk, calls.rules("YX-2026-02"))
    with clock.at(calls.OPENS + DAY):
        foreign = services.draft_addendum(other, later(other.rules), by=desk.officer)
        refused(NotNow, "addendum_is_lawful", services.amend, made, foreign, by=desk.approver)
        refused(NotNow, "addendum_is_lawful", services.amend, made, made.rules_version, by=desk.approver)
