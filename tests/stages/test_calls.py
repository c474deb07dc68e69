"""A call's life through services: two persons, frozen rules, deadlines that only move later, the clock as an actor."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from grants import clock, ledger
from grants.calls import facts, services
from grants.calls.models import Call, RulesAltered, RulesVersion
from grants.calls.rulebook.problems import RulesInvalid
from grants.notifications.models import Message
from grants.people import services as people_services
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import SYSTEM, begin, perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import calls, people
from tests.world.calls import DAY, fresh, unsound
from tests.world.refusals import refused

pytestmark = pytest.mark.django_db

# --- drafting ----------------------------------------------------------------------------------------------------------


def test_a_draft_has_its_rules_its_times_and_two_entries() -> None:
    """Opened and revised by the drafter; the hash of the rules is in the ledger."""
    desk = people.office()
    made = calls.draft(desk)
    rules = calls.rules()
    assert made.rules == rules and made.rules_version is not None
    assert (made.opens_at, made.closes_at) == (rules.timetable.opens_at, rules.timetable.closes_at)
    entries = ledger.history(made.subject)
    assert [e.event for e in entries] == ["call.open", "call.revise"]
    assert entries[1].public["rules_hash"] == rules.rules_hash == made.rules_version.hash


def test_only_the_agencys_officer_drafts() -> None:
    """Approver, finance, auditor, another agency's officer, an applicant: no, and no row."""
    desk, elsewhere = people.office(), people.office()
    member = people.body(desk)
    for user in (desk.approver, desk.finance, desk.auditor, elsewhere.officer, member.signatory):
        refused(NotYou, "may_draft_calls", services.draft_call, desk.agency, calls.rules(), by=user)
    assert not Call.objects.exists() and not RulesVersion.objects.exists()


def test_a_code_is_used_once() -> None:
    """For drafting and for revising; the first call is untouched."""
    desk = people.office()
    calls.draft(desk)
    refused(Invalid, "code_is_free", calls.draft, desk)
    other = calls.draft(desk, calls.rules("YX-2026-02"))
    refused(Invalid, "code_is_free", services.revise, other, calls.rules(), by=desk.officer)
    assert fresh(other).rules == calls.rules("YX-2026-02")


def test_an_operator_is_a_verified_legal_person_and_named_in_the_draft_only() -> None:
    """A group cannot run a call; after publication nobody is put in its place."""
    desk = people.office()
    good, group = people.body(desk), people.group(desk)
    refused(Invalid, "operator", services.draft_call, desk.agency, calls.rules(), by=desk.officer, operator=group.organisation)
    made = calls.draft(desk)
    refused(NotYou, "may_draft_calls", services.name_operator, made, good.organisation, by=desk.approver)
    services.name_operator(made, good.organisation, by=desk.officer)
    assert fresh(made).operator == good.organisation
    public = calls.published(desk, calls.rules("YX-2026-02"))
    refused(NotNow, "state", services.name_operator, public, good.organisation, by=desk.officer)


def test_toml_goes_out_and_comes_back_equal() -> None:
    """Export, import at another agency under another code, same rules otherwise."""
    desk, elsewhere = people.office(), people.office()
    made = calls.draft(desk)
    text = services.export_toml(made).replace('code = "YX-2026-03"', 'code = "ZZ-2026-03"', 1)
    again = services.import_toml(elsewhere.agency, text, by=elsewhere.officer)
    assert again.code == "ZZ-2026-03"
    assert {**again.rules.plain(), "code": ""} == {**made.rules.plain(), "code": ""}


def test_a_broken_file_names_every_fault_and_makes_nothing() -> None:
    """Two faults, two problems, each with its key and way out."""
    desk = people.office()
    text = services.export_toml(calls.draft(desk)).replace("cap = 5000\n", "cap = 5000.5\nceiling = 3\n", 1)
    with pytest.raises(RulesInvalid) as caught:
        services.import_toml(desk.agency, text.replace("YX-2026-03", "ZZ-1"), by=desk.officer)
    assert {p.key for p in caught.value.problems} == {"amounts.cap", "amounts.ceiling"}
    assert all(p.way_out for p in caught.value.problems)
    assert Call.objects.count() == 1


def test_unsound_rules_may_be_kept_as_a_draft_but_not_proposed() -> None:
    """The refusal names the first contradiction."""
    desk = people.office()
    made = calls.draft(desk, unsound(calls.rules()))
    refusal = refused(NotNow, "has_sound_rules", services.propose, made, by=desk.officer)
    assert "处矛盾" in str(refusal)
    services.revise(made, calls.rules(), by=desk.officer)
    assert services.propose(made, by=desk.officer).state == "pending"


# --- publishing --------------------------------------------------------------------------------------------------------


def test_publishing_freezes_the_rules_and_puts_their_hash_into_the_ledger() -> None:
    """And a frozen version is not changed by anybody."""
    made = calls.published(people.office())
    version = RulesVersion.objects.get(call=made)
    assert version.frozen_at is not None
    entry = ledger.history(made.subject)[-1]
    assert (entry.event, entry.role, entry.public["rules_hash"]) == ("call.publish", "approver", version.hash)
    version.document = "{}"
    with pytest.raises(RuntimeError):
        version.save()


def test_rules_changed_behind_the_services_are_not_used() -> None:
    """The text no longer matches its hash: reading it fails instead of applying it."""
    made = calls.published(people.office())
    held = RulesVersion.objects.get(call=made)
    RulesVersion.objects.filter(pk=held.pk).update(document=held.document.replace("5000.00", "9000.00"))
    with pytest.raises(RulesAltered):
        _ = fresh(made).rules


def test_who_drafted_may_not_publish_though_they_hold_both_roles() -> None:
    """起草与审批分离, for one person with both roles."""
    desk = people.office()
    people_services.appoint(desk.officer, "approver", desk.agency, by=SYSTEM)
    made = calls.draft(desk)
    with clock.at(calls.BEFORE):
        services.propose(made, by=desk.officer)
        refused(NotYou, "not_the_drafter", services.publish, made, by=User.objects.get(pk=desk.officer.pk))
        assert services.publish(made, by=desk.approver).state == "published"


def test_who_ever_revised_a_draft_may_not_publish_it() -> None:
    """Even when somebody else revised it after them."""
    desk = people.office()
    both = people.appointed("officer", desk.agency)
    people_services.appoint(both, "approver", desk.agency, by=SYSTEM)
    made = calls.draft(desk)
    with clock.at(calls.BEFORE):
        services.revise(made, calls.rules(summary="改一"), by=both)
        services.revise(made, calls.rules(summary="改二"), by=desk.officer)
        services.propose(made, by=desk.officer)
        refused(NotYou, "not_the_drafter", services.publish, made, by=both)


def test_a_superuser_neither_drafts_nor_publishes() -> None:
    """Being super gives no business role."""
    desk, admin = people.office(), User.objects.create_superuser("root", password="x")
    refused(NotYou, "may_draft_calls", services.draft_call, desk.agency, calls.rules(), by=admin)
    made = calls.draft(desk)
    with clock.at(calls.BEFORE):
        services.propose(made, by=desk.officer)
        refused(NotYou, "may_approve_calls", services.publish, made, by=admin)


def test_a_superuser_who_drafted_cannot_publish_even_when_given_the_role() -> None:
    """The drafter is refused by who they are, not by which flags they carry."""
    desk = people.office()
    people_services.appoint(desk.officer, "approver", desk.agency, by=SYSTEM)
    made = calls.draft(desk)
    with clock.at(calls.BEFORE):
        services.propose(made, by=desk.officer)
        User.objects.filter(pk=desk.officer.pk).update(is_superuser=True)
        refused(NotYou, "not_the_drafter", services.publish, made, by=User.objects.get(pk=desk.officer.pk))


def test_a_late_approval_does_not_shorten_the_period() -> None:
    """After the opening, or after the deadline: return it and move the timetable."""
    desk = people.office()
    made = calls.draft(desk)
    with clock.at(calls.BEFORE):
        services.propose(made, by=desk.officer)
    for moment in (calls.OPENS + DAY, calls.rules().timetable.closes_at + DAY):
        with clock.at(moment):
            refused(NotNow, "full_period_ahead", services.publish, made, by=desk.approver)
    with clock.at(calls.OPENS):
        assert services.publish(made, by=desk.approver).state == "published"


def test_a_published_call_is_not_revised() -> None:
    """Its rules change by addendum only."""
    desk = people.office()
    made = calls.published(desk)
    refused(NotNow, "state", services.revise, made, calls.rules(summary="偷改"), by=desk.officer)
    assert fresh(made).rules == calls.rules()


def test_a_call_enters_only_as_its_drafters() -> None:
    """`begin` asks the same role; nothing is left behind."""
    desk = people.office()
    refused(NotYou, "may_draft_calls", begin, Call(agency=desk.agency, code="X", title="x", drafted_by=desk.auditor), by=desk.auditor)
    assert not Call.objects.exists()


# --- the clock ---------------------------------------------------------------------------------------------------------


def test_the_clock_opens_and_closes_to_the_second_and_signs_as_system() -> None:
    """One second before: nothing. At the second: open, closed. A second tick does nothing more."""
    made = calls.published(people.office())
    assert made.opens_at and made.closes_at
    for moment, state in (
        (made.opens_at - timedelta(seconds=1), "published"), (made.opens_at, "open"),
        (made.closes_at - timedelta(seconds=1), "open"), (made.closes_at, "closed"), (made.closes_at, "closed"),
    ):  # fmt: skip
        with clock.at(moment):
            services.tick()
        assert fresh(made).state == state, moment
    roles = [(e.event, e.role) for e in ledger.history(made.subject)][-2:]
    assert roles == [("call.open", "system"), ("call.close", "system")]


def test_a_tick_after_a_long_sleep_opens_and_closes_at_once() -> None:
    """A server that was down passes through both steps, and each is recorded."""
    made = calls.published(people.office())
    assert made.closes_at
    with clock.at(made.closes_at + DAY):
        assert services.tick() == 2
    assert fresh(made).state == "closed"


def test_nobody_opens_or_closes_by_hand() -> None:
    """Not the approver, not a superuser."""
    desk = people.office()
    made = calls.published(desk)
    admin = User.objects.create_superuser("root", password="x")
    with clock.at(calls.OPENS + DAY):
        for user in (desk.officer, desk.approver, admin):
            refused(NotYou, "the_clock", perform, made, "open", by=user)


# --- who is told, who sees ---------------------------------------------------------------------------------------------


def test_whoever_could_bid_is_told_of_the_call_and_of_every_change_once() -> None:
    """Verified groups of the kinds admitted; not the unverified, not a kind that is not admitted, not the agency."""
    desk = people.office()
    member, registered = people.group(desk), people.body(desk)
    unverified = people.person()
    values = people.particulars(desk.agency, kind_of_body="team", uscc="", record_no="云备9999")
    people_services.register_organisation(by=unverified, **values)
    made = calls.opened(desk)
    with clock.at(calls.OPENS + DAY):
        assert made.closes_at
        services.extend(made, made.closes_at + DAY, by=desk.approver)
        perform(made, "cancel", by=desk.approver, note="资金调整")
        effects.drain()
        effects.drain()
    mine = ["call_announced", "call_cancelled", "call_extended"]
    told = Message.objects.filter(template__startswith="call_")
    assert sorted(told.values_list("template", flat=True)) == mine
    assert set(told.values_list("to", flat=True)) == {member.signatory.pk}
    assert registered.signatory.pk not in set(told.values_list("to", flat=True))


def test_the_officers_and_the_operator_are_told_of_the_closing() -> None:
    """They have work to do now."""
    desk = people.office()
    made = calls.opened(desk)
    hub = people.appointed("operator", made, by=desk.approver)
    calls.closed(made)
    effects.drain()
    told = Message.objects.filter(template="call_closed").values_list("to", flat=True)
    assert set(told) == {desk.officer.pk, hub.pk}


def test_drafts_are_seen_by_the_agency_only_and_notices_by_everybody() -> None:
    """A cancelled notice stays public; a cancelled draft never was."""
    desk, elsewhere = people.office(), people.office()
    made, public = calls.draft(desk), calls.published(desk, calls.rules("YX-2026-02"))
    hidden = perform(made, "cancel", by=desk.approver, note="不办了")
    shown = perform(public, "cancel", by=desk.approver, note="资金调整")

    def seen(user: Any) -> set[str]:
        return {call.code for call in Call.visible.filter(Call.objects.all(), user)}

    assert seen(None) == seen(elsewhere.officer) == {shown.code}
    assert seen(desk.auditor) == {hidden.code, shown.code}


# --- facts for eligibility ---------------------------------------------------------------------------------------------


def test_the_facts_of_an_organisation_are_what_the_registrar_wrote() -> None:
    """Checks by year in words, lists with their days, the grade that holds, the last look-up, the sponsor."""
    desk = people.office()
    sponsor, group, member = people.body(desk, name="青禾联合会"), people.group(desk), people.body(desk)
    on = date(2026, 6, 1)
    with clock.at(datetime(2026, 6, 1, 10, tzinfo=clock.TZ)):
        people.sponsored(group, sponsor)
        people.checked(member, desk, 2024, 2025)
        by = {"by": desk.officer}
        people_services.revoke_annual_check(member.organisation.annual_checks.get(year=2025), because="不实", **by)
        listed = {"source": "信用中国", **by}
        people_services.record_credit(member.organisation, kind="abnormal", listed_on=date(2025, 1, 1), **listed)
        people_services.record_credit(member.organisation, kind="violation", listed_on=date(2024, 2, 2), **listed)
        people_services.record_grade(
            member.organisation, grade="4A", valid_from=date(2023, 1, 1), valid_to=date(2027, 12, 31), **by
        )
        people_services.record_credit_lookup(member.organisation, **listed)
    known = services.eligibility_facts(member.organisation, on)
    assert known.annual_checks == {2024: "合格", 2025: "已撤销"}
    assert (known.assessment, known.credit_looked_up_on, known.full_time_staff) == (4, on, 6)
    assert known.abnormal[0].until is None and known.violations[0].until == date(2024, 2, 2)
    backed = services.eligibility_facts(group.organisation, on)
    assert backed.sponsor is not None and (backed.sponsor.name, backed.sponsor.legal_person) == ("青禾联合会", True)
    assert backed.legal_person is False


def test_later_stages_add_facts_and_the_caller_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider's bar is there; what the bid itself says wins."""
    monkeypatch.setattr(facts, "_providers", [])
    member = people.body(people.office())
    services.add_facts(lambda organisation, on: {"barred_until": date(2027, 1, 1), "other_awards": 1})
    known = services.eligibility_facts(member.organisation, date(2026, 6, 1), other_awards=2)
    assert (known.barred_until, known.other_awards) == (date(2027, 1, 1), 2)


def test_every_effect_of_the_machines_of_people_and_calls_is_registered() -> None:
    """A name in `then=` without a function would be promised and never done."""
    from grants.people.models import Organisation

    promised = {name for model in (Call, Organisation) for step in model.steps().values() for name in step.then}
    assert promised <= set(effects.registered())
