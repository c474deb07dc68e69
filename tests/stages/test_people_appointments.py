"""Who may be given which role by whom, which roles never meet in one person, and what an ending takes away."""

from __future__ import annotations

import pytest

from grants import ledger
from grants.people import appointments, services
from grants.people.models import Appointment, Organisation, User
from grants.people.permissions import permissions_of
from grants.workflow.door import SYSTEM, explain
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import people
from tests.world.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        ("auditor", "officer"), ("officer", "auditor"), ("auditor", "approver"), ("auditor", "finance_officer"),
        ("finance_officer", "approver"), ("approver", "finance_officer"),
    ],
)  # fmt: skip
def test_roles_that_must_not_meet_in_one_person_at_one_agency(held: str, wanted: str) -> None:
    """Refused in both orders; allowed at another agency."""
    here, there = people.agency(), people.agency()
    user = people.appointed(held, here)
    refused(Invalid, "separation_of_duty", services.appoint, user, wanted, here, by=SYSTEM)
    assert wanted not in {a.role for a in services.active(user=user)}
    services.appoint(user, wanted, there, by=SYSTEM)


def test_officer_and_approver_may_be_one_person_because_each_item_is_asked() -> None:
    """Small offices: never the same item, which the machines enforce."""
    here = people.agency()
    user = people.appointed("officer", here)
    services.appoint(user, "approver", here, by=SYSTEM)
    assert {"draft_calls", "approve_calls"} <= permissions_of(user, here)


def test_who_may_appoint_whom() -> None:
    """The 安全管理员 at agencies, the signatory at the organisation, nobody else: no superuser and no other administrator."""
    desk, three = people.office(), people.trio()
    member, user = people.body(desk), people.vouched()
    for by in (desk.officer, desk.approver, member.signatory):
        refused(NotYou, "may_appoint", services.appoint, user, "officer", desk.agency, by=by)
    for by in (desk.officer, user):
        refused(NotYou, "may_appoint", services.appoint, user, "editor", member.organisation, by=by)
    admin = User.objects.create_superuser("root", password="x")
    for by in (admin, three.system, three.audit):
        refused(NotYou, "may_appoint", services.appoint, user, "officer", desk.agency, by=by)
    refused(NotYou, "not_oneself", services.appoint, three.security, "officer", desk.agency, by=three.security)
    refused(Invalid, "business_account", services.appoint, admin, "officer", desk.agency, by=SYSTEM)
    services.appoint(user, "officer", desk.agency, by=three.security)
    assert "draft_calls" in permissions_of(user, desk.agency)


def test_a_role_of_another_kind_of_scope_is_refused() -> None:
    """An editor is nothing at an agency."""
    refused(Invalid, "role_fits_scope", services.appoint, people.person(), "editor", people.agency(), by=SYSTEM)


def test_dismissal_takes_the_permissions_but_keeps_what_another_role_carries() -> None:
    """Officer and approver both read calls: ending one leaves it, ending both takes it."""
    here = people.agency()
    user = people.appointed("officer", here)
    services.appoint(user, "approver", here, by=SYSTEM)
    first, second = services.active(user=user).order_by("role")
    services.dismiss(first, by=SYSTEM)
    again = User.objects.get(pk=user.pk)
    assert "read_calls" in permissions_of(again, here) and "approve_calls" not in permissions_of(again, here)
    services.dismiss(second, by=SYSTEM)
    assert not permissions_of(User.objects.get(pk=user.pk), here)
    refused(NotNow, "still_held", services.dismiss, second, by=SYSTEM)


def test_appointing_twice_is_one_appointment_and_one_entry() -> None:
    """And the end of an appointment is kept, not deleted."""
    here = people.agency()
    user = people.appointed("officer", here)
    services.appoint(user, "officer", here, by=SYSTEM)
    services.dismiss(services.active(user=user).get(), by=SYSTEM)
    said = [(e.event, e.public.get("role")) for e in ledger.history(f"agency:{here.pk}")]
    assert said.count(("agency.appoint", "officer")) == 1 and said.count(("agency.dismiss", "officer")) == 1
    assert Appointment.objects.filter(user=user, until__isnull=False).count() == 1


def test_a_downstream_stage_can_forbid_a_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sentence is the refusal."""
    monkeypatch.setattr(appointments, "_guards", [])
    services.forbid(lambda user, role, scope: "评审期间不能任职。" if role.code == "editor" else None)
    here = people.agency()
    services.appoint(people.person(), "officer", here, by=SYSTEM)
    with pytest.raises(Invalid) as caught:
        services.register_organisation(by=people.person(), **people.particulars(here))
    assert "评审期间" in str(caught.value)


def test_a_superuser_holds_no_business_permission() -> None:
    """Not even reading an organisation."""
    desk = people.office()
    member, admin = people.body(desk), User.objects.create_superuser("root", password="x")
    assert not permissions_of(admin, desk.agency)
    assert isinstance(explain(member.organisation, "suspend", admin), NotYou)
    assert not Organisation.visible.filter(Organisation.objects.all(), admin).exists()
