"""Pages of people through the client: who sees what, what a refusal looks like, and that nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants.people import services
from grants.people.models import Agency, AnnualCheck, Organisation, SponsorAgreement, User
from grants.workflow.door import perform
from tests.world import people

pytestmark = pytest.mark.django_db

ACCOUNT = {"username": "liming", "name": "李明", "phone": "", "email": "li@demo.invalid"}
GOOD = "Wanghu-linli-2026"
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc"
    b"\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def typed(registrar: Any, **more: Any) -> dict[str, Any]:
    """What the browser sends for a registered body."""
    values = people.particulars(registrar, **more)
    return {**values, "registrar": str(registrar.pk), "registered_on": "2020-05-18"}


def text(response: Any) -> str:
    return str(response.content.decode())


def test_a_person_signs_up_registers_and_submits() -> None:
    """From nothing to 待核验 by clicks alone."""
    desk, client = people.office(), Client()
    made = client.post(reverse("people:sign_up"), {**ACCOUNT, "password": GOOD, "again": GOOD})
    assert made.status_code == 302 and made["Location"] == reverse("people:register")
    saved = client.post(reverse("people:register"), typed(desk.agency))
    organisation = Organisation.objects.get()
    assert saved["Location"] == reverse("desk:object", args=["organisation", organisation.pk])
    assert organisation.state == "draft"
    done = client.post(reverse("desk:step", args=["organisation", organisation.pk, "submit"]), {"seen_state": "draft"})
    assert done.status_code == 302
    organisation.refresh_from_db()
    assert organisation.state == "submitted"


@pytest.mark.parametrize(
    ("password", "why"), [("short", "短"), ("1234567890123", "数字"), ("password1234", "常见"), ("liming12345", "相似")]
)
def test_weak_passwords_are_refused_beside_the_field(password: str, why: str) -> None:
    """Short, numeric, common, or like the user name; nobody is made."""
    response = Client().post(reverse("people:sign_up"), {**ACCOUNT, "password": password, "again": password})
    assert response.status_code == 422
    assert "password" in response.context["form"].errors, why
    assert not User.objects.exists()


def test_two_different_passwords_and_a_taken_name_are_refused() -> None:
    """Each beside its field; what was typed is still there."""
    response = Client().post(reverse("people:sign_up"), {**ACCOUNT, "password": GOOD, "again": GOOD + "x"})
    assert "again" in response.context["form"].errors
    assert "li@demo.invalid" in text(response)
    services.create_person(username="liming", password=GOOD, name="李明")
    taken = Client().post(reverse("people:sign_up"), {**ACCOUNT, "password": GOOD, "again": GOOD})
    assert taken.status_code == 422 and "username" in taken.context["form"].errors


def test_a_wrong_check_character_is_named_and_nothing_is_lost() -> None:
    """The sentence says which character it should be; the name typed is still on the page; no organisation exists."""
    desk = people.office()
    wrong = people.credit_code(4711)
    wrong = wrong[:-1] + ("0" if wrong[-1] != "0" else "1")
    response = as_(people.person()).post(reverse("people:register"), typed(desk.agency, uscc=wrong, name="望湖之友"))
    assert response.status_code == 422
    assert f"第 18 位应为“{people.credit_code(4711)[-1]}”" in text(response)
    assert "望湖之友" in text(response)
    assert not Organisation.objects.exists()


def test_a_code_is_understood_as_it_is_typed() -> None:
    """Full-width, lower case, with blanks: stored as the standard writes it."""
    desk, code = people.office(), people.credit_code(4712)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code.lower())
    response = as_(people.person()).post(reverse("people:register"), typed(desk.agency, uscc=f" {wide[:8]} {wide[8:]} "))
    assert response.status_code == 302
    assert Organisation.objects.get().uscc == code


def test_a_disputed_code_needs_the_certificate_before_it_is_verified() -> None:
    """与证书一致 lets the draft be saved; the registrar may verify only once a certificate lies there."""
    desk, founder = people.office(), people.person()
    wrong = people.credit_code(4713)[:-1]
    wrong += "0" if people.credit_code(4713)[-1] != "0" else "1"
    as_(founder).post(reverse("people:register"), typed(desk.agency, uscc=wrong, uscc_disputed="on"))
    organisation = perform(Organisation.objects.get(), "submit", by=founder)
    step = reverse("desk:step", args=["organisation", organisation.pk, "verify"])
    refused = as_(desk.officer).post(step, {"seen_state": "submitted", "evidence": "信用中国"})
    assert refused.status_code == 409 and "上传登记证书" in text(refused)
    perform(organisation, "return_", by=desk.officer, note="请上传证书")
    paper = SimpleUploadedFile("证书.png", PNG, "image/png")
    values = typed(desk.agency, uscc=wrong, uscc_disputed="on", certificate=paper, seen_state="returned")
    done = as_(founder).post(reverse("desk:step", args=["organisation", organisation.pk, "update"]), values)
    assert done.status_code == 302, text(done)
    perform(organisation, "submit", by=founder)
    assert as_(desk.officer).post(step, {"seen_state": "submitted", "evidence": "证书原件"}).status_code == 302
    assert Organisation.objects.get().state == "verified"


def test_a_disguised_certificate_is_refused() -> None:
    """A program named .png is not kept, and the form says so."""
    desk = people.office()
    paper = SimpleUploadedFile("证书.png", b"MZ\x90\x00" + b"\x00" * 200, "image/png")
    response = as_(people.person()).post(reverse("people:register"), typed(desk.agency, certificate=paper))
    assert response.status_code == 422 and "certificate" in response.context["form"].errors
    assert not Organisation.objects.exists()


def test_the_same_code_twice_is_refused_with_the_way_out() -> None:
    """The second registration is told to ask the signatory of the first."""
    desk = people.office()
    values = typed(desk.agency)
    as_(people.person()).post(reverse("people:register"), values)
    again = as_(people.person()).post(reverse("people:register"), {**values, "name": "另一个名称"})
    assert again.status_code == 422 and "已经登记" in text(again)
    assert Organisation.objects.count() == 1


def test_visitors_are_sent_to_make_an_account_first() -> None:
    assert Client().get(reverse("people:register"))["Location"] == reverse("people:sign_up")


def test_each_page_needs_signing_in() -> None:
    """No page about people opens without an account."""
    member = people.body(people.office())
    at = member.organisation.pk
    for url in _pages(at):
        response = Client().get(url)
        assert response.status_code == 302 and "sign-in" in response["Location"], url


def _pages(pk: Any) -> Iterable[str]:
    yield from (reverse(f"people:{name}") for name in ("profile", "password", "organisations", "agencies"))
    yield from (reverse(f"people:{name}", args=[pk]) for name in ("records", "sponsorships", "propose_sponsorship"))
    yield reverse("people:staff", args=["organisation", pk])
    yield reverse("people:add_record", args=[pk, "credit"])


def test_own_pages_open_and_strangers_find_nothing() -> None:
    """A member sees the organisation's pages; another organisation's signatory gets 404 (or 403 where a role is asked)."""
    desk = people.office()
    member, stranger = people.body(desk), people.body(desk)
    at = member.organisation.pk
    for name in ("records", "sponsorships"):
        assert as_(member.signatory).get(reverse(f"people:{name}", args=[at])).status_code == 200
        assert as_(stranger.signatory).get(reverse(f"people:{name}", args=[at])).status_code == 404
    staff = reverse("people:staff", args=["organisation", at])
    assert as_(member.signatory).get(staff).status_code == 200
    assert as_(stranger.signatory).get(staff).status_code == 403
    page = reverse("desk:object", args=["organisation", at])
    assert as_(member.signatory).get(page).status_code == 200
    assert as_(stranger.signatory).get(page).status_code == 404


def test_the_account_number_is_never_shown_whole() -> None:
    """Own people, finance and the registrar see the last four digits; the auditor no bank either."""
    desk = people.office()
    member = people.body(desk)
    url = reverse("desk:object", args=["organisation", member.organisation.pk])
    for user in (member.signatory, desk.officer, desk.finance, desk.auditor):
        page = text(as_(user).get(url))
        assert "6217000010001234567" not in page
        assert "4567" in page
    assert "云溪农商银行" not in text(as_(desk.auditor).get(url))


def test_a_signatory_appoints_and_dismisses_but_not_the_last_signatory() -> None:
    """By user name; the last signatory stays, and the page says why."""
    desk = people.office()
    member, colleague = people.body(desk), people.person("王会计")
    client = as_(member.signatory)
    staff = reverse("people:staff", args=["organisation", member.organisation.pk])
    assert client.post(staff, {"username": colleague.username, "role": "claimant"}).status_code == 302
    assert "王会计" in text(client.get(staff))
    last = services.active(user=member.signatory, role="signatory").get()
    page = client.post(reverse("people:dismiss", args=[last.pk]), follow=True)
    assert "最后一位签署人" in text(page)
    assert services.active(user=member.signatory, role="signatory").exists()
    held = services.active(user=colleague).get()
    client.post(reverse("people:dismiss", args=[held.pk]))
    assert not services.active(user=colleague).exists()


def test_an_unknown_user_name_and_an_agencys_person_are_refused_on_the_page() -> None:
    """Beside the field, with what to do."""
    desk = people.office()
    member = people.body(desk)
    staff = reverse("people:staff", args=["organisation", member.organisation.pk])
    unknown = as_(member.signatory).post(staff, {"username": "nobody", "role": "editor"})
    assert unknown.status_code == 422 and "没有这个用户名" in text(unknown)
    other_side = as_(member.signatory).post(staff, {"username": desk.officer.username, "role": "editor"})
    assert other_side.status_code == 422 and "不能同时在申报单位任职" in text(other_side)


def test_the_registrar_records_checks_and_revokes_them() -> None:
    """By form; the member reads them, and may not write."""
    desk = people.office()
    member = people.body(desk)
    add = reverse("people:add_record", args=[member.organisation.pk, "annual-check"])
    assert as_(desk.officer).post(add, {"year": "2025", "result": "passed"}).status_code == 302
    check = AnnualCheck.objects.get()
    revoke = reverse("people:revoke_check", args=[check.pk])
    denied = as_(member.signatory).post(revoke, {"because": "想撤就撤"})
    assert denied.status_code == 403
    assert as_(desk.officer).post(revoke, {"because": "材料不实"}).status_code == 302
    page = text(as_(member.signatory).get(reverse("people:records", args=[member.organisation.pk])))
    assert "已撤销" in page and "材料不实" in page


def test_a_group_proposes_and_its_sponsor_accepts() -> None:
    """Two signatures by two persons, by clicks."""
    desk = people.office()
    sponsor, member = people.body(desk), people.group(desk)
    terms = {
        "sponsor": str(sponsor.organisation.pk), "scope": "签约、收款", "liability": "各负其责",
        "valid_from": "2026-01-01", "valid_to": "2099-12-31",
    }  # fmt: skip
    propose = reverse("people:propose_sponsorship", args=[member.organisation.pk])
    assert as_(member.signatory).post(propose, terms).status_code == 302
    agreement = SponsorAgreement.objects.get()
    accept = reverse("people:accept_sponsorship", args=[agreement.pk])
    assert as_(member.signatory).post(accept).status_code == 302  # refused with a message
    agreement.refresh_from_db()
    assert agreement.accepted_at is None
    as_(sponsor.signatory).post(accept)
    agreement.refresh_from_db()
    assert agreement.accepted_by == sponsor.signatory


def test_one_administrator_sets_up_agencies_and_another_appoints_there() -> None:
    """Neither does the other's part, neither holds a role of it, and a superuser does neither."""
    three, root = people.trio(), User.objects.create_superuser("root", password="x", name="管理员")
    page, bureau = reverse("people:agencies"), {"code": people.credit_code(77, "11"), "name": "云溪区民政局", "short_name": "区民政局"}
    for other in (people.person(), root, three.audit):
        assert as_(other).get(page).status_code == 403
    assert as_(three.security).post(page, bureau).status_code == 403
    assert as_(three.system).post(page, bureau)["Location"] == page
    staff = reverse("people:staff", args=["agency", Agency.objects.get().pk])
    clerk = people.vouched("经办")
    assert as_(three.system).post(staff, {"username": clerk.username, "role": "officer"}).status_code == 403
    assert as_(three.security).post(staff, {"username": clerk.username, "role": "officer"}).status_code == 302
    stranger = people.person("自行注册")
    assert "核对身份" in text(as_(three.security).post(staff, {"username": stranger.username, "role": "approver"}))
    own = as_(three.security).post(staff, {"username": three.security.username, "role": "approver"})
    assert own.status_code == 403
    assert [a.role for a in services.active(user=three.security)] == ["security_admin"]


def test_the_profile_is_changed_and_the_password_too() -> None:
    """And the person stays signed in."""
    user = people.person("旧名")
    client = as_(user)
    assert client.post(reverse("people:profile"), {"name": "新名", "phone": "", "email": "", "large_type": "on"}).status_code == 302
    user.refresh_from_db()
    assert (user.name, user.large_type) == ("新名", True)
    fresh = {"old_password": people.PASSWORD, "new_password1": GOOD, "new_password2": GOOD}
    assert client.post(reverse("people:password"), fresh).status_code == 302
    assert client.get(reverse("people:profile")).status_code == 200
    assert client.post(reverse("people:password"), {**fresh, "old_password": "wrong"}).status_code == 422


@pytest.mark.parametrize("n", [1, 3])
def test_the_list_of_organisations_asks_the_same_number_of_questions_for_one_and_three(n: int) -> None:
    """Session, user, visibility count and page, two role questions: 6 queries, whatever the number of rows."""
    desk = people.office()
    for _each in range(n):
        people.body(desk)
    client = as_(desk.officer)
    with CaptureQueriesContext(connection, ) as asked:
        response = client.get(reverse("people:organisations"))
    assert response.status_code == 200 and text(response).count("社会工作服务中心") == n
    assert len(asked) == 6, [q["sql"][:120] for q in asked]
