"""People's services: who may, what is refused and by which rule, what the ledger keeps, and that nothing half-written stays."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from grants import clock, ledger
from grants.notifications.models import Message
from grants.people import services
from grants.people.models import Agency, AnnualCheck, Appointment, CreditRecord, Organisation, SponsorAgreement
from grants.people.permissions import permissions_of
from grants.vault.columns import mark
from grants.workflow import effects
from grants.workflow.door import SYSTEM, perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import people
from tests.world.refusals import refused

pytestmark = pytest.mark.django_db


def fresh(organisation: Organisation) -> Organisation:
    return Organisation.objects.select_related("registrar").get(pk=organisation.pk)


# --- registering -------------------------------------------------------------------------------------------------------


def test_the_founder_signs_edits_and_claims() -> None:
    """Three roles, granted as permissions on that organisation only."""
    desk, founder = people.office(), people.person()
    made = services.register_organisation(by=founder, **people.particulars(desk.agency))
    other = people.body(desk)
    assert {"sign_for", "write_bids", "claim"} <= permissions_of(founder, made)
    assert not permissions_of(founder, other.organisation)


def test_a_legal_person_without_a_code_is_refused_and_nothing_is_written() -> None:
    """No organisation, no appointment, no ledger entry."""
    desk, founder = people.office(), people.person()
    before = Appointment.objects.count()
    refusal = refused(
        Invalid, "particulars", services.register_organisation, by=founder, **people.particulars(desk.agency, uscc="")
    )
    assert isinstance(refusal, Invalid) and list(refusal.problems) == ["uscc"]
    assert (Organisation.objects.count(), Appointment.objects.count()) == (0, before)


def test_every_wrong_particular_is_named_at_once() -> None:
    """Not one fault per attempt."""
    desk = people.office()
    with pytest.raises(Invalid) as caught:
        values = people.particulars(desk.agency, name=" ", phone="", uscc="123")
        services.register_organisation(by=people.person(), **values)
    assert set(caught.value.problems) == {"name", "phone", "uscc"}


def test_an_agencys_officer_cannot_found_an_applicant() -> None:
    """Two sides: the registration is rolled back whole."""
    desk = people.office()
    refused(Invalid, "two_sides", services.register_organisation, by=desk.officer, **people.particulars(desk.agency))
    assert not Organisation.objects.exists()


def test_a_record_number_is_once_per_registrar() -> None:
    """The same 备案号 at another registrar is another group."""
    desk, elsewhere = people.office(), people.office()
    people.group(desk, record_no="云备一号")
    people.group(elsewhere, record_no="云备一号")
    values = people.particulars(desk.agency, kind_of_body="team", uscc="", record_no="云备一号")
    refused(Invalid, "already_registered", services.register_organisation, by=people.person(), **values)


def test_registration_data_is_closed_after_verification_and_contact_data_is_not() -> None:
    """A new name needs 申请变更; a new telephone does not."""
    desk = people.office()
    member = people.body(desk)
    services.update_organisation(member.organisation, by=member.signatory, phone="12345")
    assert fresh(member.organisation).phone == "12345"
    rename = {"by": member.signatory, "name": "另一个名称"}
    refused(Invalid, "particulars", services.update_organisation, member.organisation, **rename)
    perform(member.organisation, "reopen", by=member.signatory)
    services.update_organisation(member.organisation, **rename)
    assert fresh(member.organisation).name == "另一个名称"


def test_a_new_name_unverifies_the_account() -> None:
    """The account is held in the organisation's name."""
    desk = people.office()
    member = people.body(desk)
    perform(member.organisation, "reopen", by=member.signatory)
    services.update_organisation(member.organisation, by=member.signatory, name="更名后的中心")
    found = fresh(member.organisation)
    assert not found.has_verified_account and found.account_name == "更名后的中心"


def test_a_stranger_changes_nothing() -> None:
    """Another organisation's signatory, the registrar's officer and the auditor alike."""
    desk = people.office()
    member, stranger = people.body(desk), people.body(desk)
    for user in (stranger.signatory, desk.officer, desk.auditor):
        with pytest.raises(NotYou):
            services.update_organisation(member.organisation, by=user, phone="999")
    assert fresh(member.organisation).phone != "999"


def test_the_registrar_of_another_place_verifies_nothing() -> None:
    """The role is asked on the organisation's own registrar."""
    desk, elsewhere = people.office(), people.office()
    made = services.register_organisation(by=(founder := people.person()), **people.particulars(desk.agency))
    made = perform(made, "submit", by=founder)
    refused(NotYou, "may_verify_organisations", perform, made, "verify", by=elsewhere.officer, evidence="x")


def test_verification_without_evidence_is_refused() -> None:
    """The step has no default for what was looked at."""
    desk = people.office()
    made = services.register_organisation(by=(founder := people.person()), **people.particulars(desk.agency))
    made = perform(made, "submit", by=founder)
    refused(Invalid, "details", perform, made, "verify", by=desk.officer)
    assert fresh(made).state == "submitted"


def test_the_database_itself_refuses_a_legal_person_without_a_code() -> None:
    """Whatever writes past the services."""
    desk = people.office()
    member = people.body(desk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Organisation.objects.filter(pk=member.organisation.pk).update(uscc=None)


def test_refreshing_an_object_reads_the_state_that_another_hand_wrote() -> None:
    """A protected state is read again like every other column, and a row that is gone leaves the old one standing."""
    member = people.body(desk := people.office())
    stale = fresh(member.organisation)
    perform(member.organisation, "suspend", by=desk.officer)
    stale.refresh_from_db()
    assert stale.state == "suspended"
    stale.phone = "typed"
    stale.refresh_from_db(fields=["phone"])
    assert (stale.state, stale.phone) == ("suspended", member.organisation.phone)
    ghost = Organisation(pk=uuid4(), state="draft")
    with pytest.raises(Organisation.DoesNotExist):
        ghost.refresh_from_db()
    assert ghost.state == "draft"


# --- the account -------------------------------------------------------------------------------------------------------


def test_changing_the_account_unverifies_it_and_the_setter_cannot_verify() -> None:
    """Another person than who typed it, and finance only."""
    desk = people.office()
    member = people.body(desk)
    assert member.organisation.has_verified_account
    services.set_account(member.organisation, bank="工商银行", number="6222 0000 1111 2222", by=member.signatory)
    found = fresh(member.organisation)
    assert (found.account_number, found.has_verified_account) == ("6222000011112222", False)
    for user in (member.signatory, desk.officer, desk.approver):
        refused(NotYou, "may_verify_accounts", services.verify_account, found, evidence="x", by=user)


def test_the_account_number_is_private_in_the_ledger() -> None:
    """Neither part of the entry has the number: the erasable one names its last digits and the keyed hash that tells whether it is the same."""
    member = people.body(people.office())
    entries = [e for e in ledger.history(member.organisation.subject) if e.verb == "set_account"]
    assert "6217000010001234567" not in f"{entries[0].public} {entries[0].private}"
    assert entries[0].private is not None and entries[0].private["number"] == "**** 4567"
    assert entries[0].private["mark"] == fresh(member.organisation).same_account == mark("6217000010001234567", "account_number")


@pytest.mark.parametrize("number", ["", "12345", "6222-abcd-1111", "6" * 33, "六二二二零零零零一一一一"])
def test_an_impossible_account_number_is_refused(number: str) -> None:
    """Digits only, 8 to 32 of them; the old account stays verified."""
    member = people.body(people.office())
    refused(
        Invalid, "account_number", services.set_account, member.organisation, bank="工行", number=number, by=member.signatory
    )
    assert fresh(member.organisation).has_verified_account


def test_a_group_without_legal_personality_has_no_account() -> None:
    """It is told to find a sponsor."""
    member = people.group(people.office())
    refusal = refused(
        NotNow, "may_hold_account", services.set_account, member.organisation, bank="x", number="62220000", by=member.signatory
    )
    assert "托管" in str(refusal)


# --- the registrar's records -------------------------------------------------------------------------------------------


def test_an_annual_check_is_recorded_once_and_revoked_once_with_a_reason() -> None:
    """The row stays; the ledger has both acts; the facts say 已撤销."""
    desk = people.office()
    member = people.body(desk)
    people.checked(member, desk, 2024, 2025)
    check = AnnualCheck.objects.get(year=2025)
    again = {"year": 2025, "result": "passed", "by": desk.officer}
    refused(Invalid, "year", services.record_annual_check, member.organisation, **again)
    refused(Invalid, "because", services.revoke_annual_check, check, because=" ", by=desk.officer)
    services.revoke_annual_check(check, because="材料不实", by=desk.officer)
    refused(NotNow, "not_revoked", services.revoke_annual_check, check, because="再撤", by=desk.officer)
    events = [e.event for e in ledger.history(member.organisation.subject)]
    assert events.count("organisation.annual_check") == 2 and events.count("organisation.annual_check_revoked") == 1


@pytest.mark.parametrize("act", ["check", "credit", "grade", "lookup"])
def test_only_the_registrars_officer_writes_records(act: str) -> None:
    """Neither the organisation itself, nor finance, nor the auditor, nor another registrar."""
    desk, elsewhere = people.office(), people.office()
    member = people.body(desk)
    today = clock.today()
    acts: dict[str, Any] = {
        "check": lambda by: services.record_annual_check(member.organisation, year=2025, result="passed", by=by),
        "credit": lambda by: services.record_credit(
            member.organisation, kind="abnormal", listed_on=today, source="信用中国", by=by
        ),
        "grade": lambda by: services.record_grade(
            member.organisation, grade="4A", valid_from=date(2024, 1, 1), valid_to=date(2028, 12, 31), by=by
        ),
        "lookup": lambda by: services.record_credit_lookup(member.organisation, source="信用中国", by=by),
    }
    for user in (member.signatory, desk.finance, desk.auditor, elsewhere.officer):
        refused(NotYou, "may_verify_organisations", acts[act], user)
    acts[act](desk.officer)


def test_impossible_dates_and_words_in_records_are_refused_by_field() -> None:
    """Tomorrow's listing, a removal before the listing, a grade of 6A, a validity that ends before it starts."""
    desk = people.office()
    org = people.body(desk).organisation
    listed = {"kind": "abnormal", "source": "信用中国", "by": desk.officer}
    refused(Invalid, "listed_on", services.record_credit, org, listed_on=date(2999, 1, 1), **listed)
    dates = {"listed_on": date(2025, 3, 1), "removed_on": date(2025, 2, 1)}
    refused(Invalid, "removed_on", services.record_credit, org, **dates, **listed)
    refused(Invalid, "kind", services.record_credit, org, listed_on=date(2025, 3, 1), **{**listed, "kind": "rumour"})
    graded = {"valid_from": date(2025, 1, 1), "by": desk.officer}
    refused(Invalid, "grade", services.record_grade, org, grade="6A", valid_to=date(2026, 1, 1), **graded)
    refused(Invalid, "valid_to", services.record_grade, org, grade="3A", valid_to=date(2025, 1, 1), **graded)
    refused(Invalid, "result", services.record_annual_check, org, year=2025, result="revoked", by=desk.officer)
    refused(Invalid, "year", services.record_annual_check, org, year=2999, result="passed", by=desk.officer)
    assert not CreditRecord.objects.exists()


def test_leaving_a_list_keeps_the_entry_and_its_day() -> None:
    """And happens once."""
    desk = people.office()
    org = people.body(desk).organisation
    record = services.record_credit(org, kind="serious", listed_on=date(2024, 1, 1), source="信用中国", by=desk.officer)
    left = {"removed_on": date(2025, 1, 1), "source": "信用中国", "by": desk.officer}
    assert services.remove_credit(record, **left).removed_on == date(2025, 1, 1)  # type: ignore[arg-type]
    refused(NotNow, "still_listed", services.remove_credit, record, **left)


# --- sponsorship -------------------------------------------------------------------------------------------------------


TERMS: dict[str, Any] = {
    "scope": "签约、收款", "liability": "各负其责", "valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31),
}  # fmt: skip


def test_an_agreement_holds_after_both_signatures_and_within_its_days() -> None:
    """Before acceptance nobody sponsors; both end days are included."""
    desk = people.office()
    sponsor, member = people.body(desk), people.group(desk)
    with clock.at(datetime(2026, 2, 1, tzinfo=clock.TZ)):
        agreement = services.propose_sponsorship(member.organisation, sponsor.organisation, **TERMS, by=member.signatory)
        assert services.sponsor_on(member.organisation, date(2026, 2, 1)) is None
        services.accept_sponsorship(agreement, by=sponsor.signatory)
    for day, holds in ((date(2025, 12, 31), False), (date(2026, 1, 1), True), (date(2026, 12, 31), True), (date(2027, 1, 1), False)):
        assert (services.sponsor_on(member.organisation, day) is not None) is holds, day


def test_parties_that_cannot_make_an_agreement() -> None:
    """A legal person needs none; a group or an unverified body cannot sponsor; a stranger cannot propose or accept."""
    desk = people.office()
    sponsor, member, other = people.body(desk), people.group(desk), people.group(desk)
    propose = services.propose_sponsorship
    legal, helper = sponsor.organisation, member.organisation
    refused(Invalid, "group", propose, legal, people.body(desk).organisation, **TERMS, by=sponsor.signatory)
    refused(Invalid, "sponsor", propose, helper, other.organisation, **TERMS, by=member.signatory)
    refused(NotYou, "may_sign_for", propose, helper, legal, **TERMS, by=other.signatory)
    for name, value in (("scope", " "), ("liability", ""), ("valid_to", date(2025, 1, 1))):
        refused(Invalid, name, propose, helper, legal, **{**TERMS, name: value}, by=member.signatory)
    assert not SponsorAgreement.objects.exists()


def test_one_person_cannot_give_both_signatures() -> None:
    """Signatory of both bodies: two signatures, two people."""
    desk = people.office()
    sponsor, member = people.body(desk), people.group(desk)
    services.appoint(member.signatory, "signatory", sponsor.organisation, by=sponsor.signatory)
    agreement = services.propose_sponsorship(member.organisation, sponsor.organisation, **TERMS, by=member.signatory)
    with clock.at(datetime(2026, 2, 1, tzinfo=clock.TZ)):
        refused(NotYou, "two_signatures", services.accept_sponsorship, agreement, by=member.signatory)
        services.accept_sponsorship(agreement, by=sponsor.signatory)
        refused(NotNow, "not_accepted", services.accept_sponsorship, agreement, by=sponsor.signatory)


def test_either_side_ends_an_agreement_early_but_not_backwards() -> None:
    """From a day that has not passed."""
    desk = people.office()
    sponsor, member, stranger = people.body(desk), people.group(desk), people.body(desk)
    with clock.at(datetime(2026, 2, 1, tzinfo=clock.TZ)):
        agreement = people.sponsored(member, sponsor)
        end = services.end_sponsorship
        refused(Invalid, "last_day", end, agreement, last_day=date(2026, 1, 15), by=member.signatory)
        with pytest.raises(NotYou):
            end(agreement, last_day=date(2026, 3, 1), by=stranger.signatory)
        end(agreement, last_day=date(2026, 6, 30), by=member.signatory)
        end(agreement, last_day=date(2026, 5, 31), by=sponsor.signatory)
    assert services.sponsor_on(member.organisation, date(2026, 6, 1)) is None


# --- agencies, letters, names ------------------------------------------------------------------------------------------


def test_agencies_have_one_code_and_one_name() -> None:
    """A failing code, a taken one, and somebody who may not."""
    code = people.credit_code(900, "11")
    made = {"name": "云溪区民政局", "short_name": "民政局"}
    services.create_agency(code=code, **made, by=SYSTEM)
    refused(Invalid, "already_registered", services.create_agency, code=code, name="另一家", short_name="x", by=SYSTEM)
    refused(Invalid, "uscc", services.create_agency, code="123", name="另一家", short_name="x", by=SYSTEM)
    refused(NotYou, "may_keep_agencies", services.create_agency, code=people.credit_code(901, "11"), **made, by=people.person())
    assert Agency.objects.count() == 1


def test_verification_is_told_to_the_signatory_once() -> None:
    """However often the effects are drained."""
    member = people.body(people.office())
    effects.drain()
    effects.drain()
    letters = Message.objects.filter(to=member.signatory)
    assert sorted(letters.values_list("template", flat=True)) == ["account_verified", "organisation_verified"]


def test_names_are_found_by_pseudonym_in_one_query(django_assert_num_queries: Any) -> None:
    """And the system is nobody."""
    a, b = people.person("甲"), people.person("乙")
    with django_assert_num_queries(1):
        names = services.names_of({str(a.pseudonym), str(b.pseudonym), "system"})
    assert names == {str(a.pseudonym): "甲", str(b.pseudonym): "乙"}
