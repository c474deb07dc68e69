"""The three administrators: who they are, what each may, what takes two, and what the database itself refuses."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from grants import clock, ledger
from grants.notifications.models import Message
from grants.people import account_acts, retention, security, services
from grants.people.models import AccountRequest, Appointment, SecurityEvent, Site, User
from grants.people.permissions import permissions_of
from grants.people.roles import ROLES, SITE
from grants.workflow import effects
from grants.workflow.door import SYSTEM, explain, perform
from grants.workflow.effects import real_now
from grants.workflow.models import Outbox
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review.models import Expert
from tests.world import people
from tests.world.refusals import refused

pytestmark = pytest.mark.django_db
OFFICES = [role.code for role in ROLES if role.scope == SITE]


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return b"".join(response).decode() if response.streaming else str(response.content.decode())


def again(user: User) -> User:
    return User.objects.get(pk=user.pk)


def asked(what: str, person: User, by: User, **more: Any) -> AccountRequest:
    return services.ask_for(what, person, by=by, note="当面核实", **more)


# --- three persons -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", OFFICES)
@pytest.mark.parametrize("wanted", OFFICES)
def test_one_person_holds_only_one_of_the_three_offices(held: str, wanted: str) -> None:
    """In every order; the same one twice is the same appointment."""
    user = people.appointed(held, Site.there())
    if held == wanted:
        assert services.appoint(user, wanted, Site.there(), by=SYSTEM).pk == services.active(user=user).get().pk
    else:
        refused(Invalid, "three_persons", services.appoint, user, wanted, Site.there(), by=SYSTEM)
    assert again(user).administers == held


@pytest.mark.parametrize("office", OFFICES)
def test_an_administrator_takes_no_business_role_and_nobody_with_one_becomes_administrator(office: str) -> None:
    """Agency, organisation, founding an organisation: refused both ways round."""
    desk = people.office()
    admin = people.appointed(office, Site.there())
    refused(Invalid, "three_persons", services.appoint, admin, "officer", desk.agency, by=SYSTEM)
    refused(NotYou, "administrators_apart", services.register_organisation, by=again(admin), **people.particulars(desk.agency))
    founder = people.body(desk).signatory
    for busy in (desk.officer, desk.auditor, founder):
        refused(Invalid, "three_persons", services.appoint, busy, office, Site.there(), by=SYSTEM)
        assert again(busy).administers == ""


def test_an_expert_does_not_administer_and_an_administrator_does_not_judge() -> None:
    """Being an expert is a record, not an appointment; it stands against the office all the same."""
    from review.services import register_expert

    desk, admin = people.office(), people.appointed("audit_admin", Site.there())
    Expert.objects.create(user=(expert := people.person("专家")), code="E01")
    refused(Invalid, "separation_of_duty", services.appoint, expert, "audit_admin", Site.there(), by=SYSTEM)
    with pytest.raises(Invalid) as told:
        register_expert(user=again(admin), code="E02", agency=desk.agency, by=desk.officer)
    assert "不参与任何业务" in str(told.value.problems)


@pytest.mark.parametrize("business_first", [True, False])
def test_the_database_refuses_office_and_business_role_beside_the_services(business_first: bool) -> None:
    """A row written past every service still fails; so does waking an ended one."""
    desk, user = people.office(), people.person()
    first, second = ("agency", "site") if business_first else ("site", "agency")

    def row(kind: str, **more: Any) -> Appointment:
        return Appointment.objects.create(
            user=user, role="x", scope_kind=kind, scope_id=desk.agency.pk, scope_name="x", since=clock.now(), **more
        )

    row(first)
    with pytest.raises(IntegrityError, match="no business role"), transaction.atomic():
        row(second)
    ended = row(second, until=clock.now())
    with pytest.raises(IntegrityError, match="no business role"), transaction.atomic():
        Appointment.objects.filter(pk=ended.pk).update(until=None)
    with pytest.raises(IntegrityError), transaction.atomic():  # and two of the three offices
        Appointment.objects.filter(pk=ended.pk).update(until=None, scope_kind=first, role="y")
        if business_first:
            raise IntegrityError("a second business role is allowed; that part is for offices only")


def test_a_superuser_of_the_framework_may_nothing_here() -> None:
    """No page, no act, no appointment: the flag belongs to no office."""
    root, other = User.objects.create_superuser("root", password="x", name="root"), people.person()
    for name in ("site", "accounts", "open_account", "requests", "roles", "appointments", "log", "system", "agencies"):
        assert as_(root).get(reverse(f"people:{name}")).status_code == 403, name
    refused(NotYou, "may_keep_accounts", services.vouch, other, by=root)
    refused(NotYou, "may_unlock_accounts", services.unlock, other, by=root)
    assert not permissions_of(root, Site())


def test_impersonation_does_not_exist() -> None:
    """No address, view or setting by which anybody becomes somebody else; only two places sign a person in, both their own."""
    names = [str(pattern) for pattern in _addresses(get_resolver().url_patterns)]
    forbidden = ("imperson", "login-as", "login_as", "sign-in-as", "hijack", "become", "switch-user", "su/")
    assert len(names) > 60
    assert [name for name in names for word in forbidden if word in name.lower()] == []
    three, other = people.trio(), people.person()
    for admin in (three.system, three.security, three.audit):
        client = as_(admin)
        for act in ("vouch", "unlock", "sign-out", "reactivate"):
            client.post(f"/people/site/accounts/{other.pk}/{act}/")
        assert client.session["_auth_user_id"] == str(admin.pk)
    from pathlib import Path

    from django.conf import settings

    places = {
        str(path.relative_to(settings.BASE_DIR))
        for top in ("grants", "bidding", "review") for path in (settings.BASE_DIR / top).rglob("*.py")
        if any(word in Path(path).read_text("utf-8") for word in (" login(", "perform_login(", "force_login", "SESSION_KEY]"))
    }  # fmt: skip
    assert places == {"grants/people/views.py", "grants/people/sign_in.py"}, "sign-up signs in whom it made, the sign-in page whoever knows the password"


def _addresses(patterns: Any, prefix: str = "") -> list[str]:
    found = []
    for each in patterns:
        path = prefix + str(each.pattern)
        found += _addresses(each.url_patterns, path) if hasattr(each, "url_patterns") else [path]
    return found


# --- accounts ------------------------------------------------------------------------------------------------------------------


def test_an_account_is_opened_without_a_password_and_its_owner_sets_one_once() -> None:
    """Opened and vouched for in one act; the link works once, and never for an account that has a password."""
    three = people.trio()
    page = as_(three.system).post(reverse("people:open_account"), {"username": "wangfang", "name": "王芳", "email": "", "phone": ""}, follow=True)
    user = User.objects.get(username="wangfang")
    assert not user.has_usable_password() and user.vouched_by == three.system
    link = services.welcome_link(user)
    assert link.split("/")[-3] in text(page)
    visitor = Client()
    form = visitor.get(link, follow=True)
    assert visitor.post(form.redirect_chain[-1][0], {"new_password1": "abc", "new_password2": "abc"}).status_code == 200
    assert not again(user).has_usable_password()
    fine = {"new_password1": people.PASSWORD, "new_password2": people.PASSWORD}
    assert visitor.post(form.redirect_chain[-1][0], fine)["Location"] == reverse("desk:sign_in")
    assert again(user).check_password(people.PASSWORD)
    assert "已经失效" in text(Client().get(link, follow=True))
    assert "已经失效" in text(Client().get(services.welcome_link(again(user)), follow=True))


def test_who_may_do_what_to_an_account() -> None:
    """System opens, vouches, deactivates; security unlocks; both end sessions; audit none of it."""
    three, user = people.trio(), people.person()
    for by in (three.security, three.audit, people.person()):
        refused(NotYou, "may_keep_accounts", services.open_account, username="x", name="x", by=by)
        refused(NotYou, "may_keep_accounts", services.vouch, user, by=by)
        refused(NotYou, "may_keep_accounts", services.deactivate, user, because="x", by=by)
    for by in (three.system, three.audit):
        refused(NotYou, "may_unlock_accounts", services.unlock, user, by=by)
    refused(NotYou, "may_keep_accounts", services.end_sessions, user, by=three.audit)
    refused(NotYou, "not_oneself", services.unlock, three.security, by=three.security)
    services.end_sessions(user, by=three.security)
    services.vouch(user, by=three.system)
    refused(NotNow, "vouched", services.vouch, user, by=three.system)
    said = {e.event for e in ledger.history(f"user:{user.pk}")}
    assert said == {"user.vouch"}


def test_an_account_is_deactivated_never_deleted() -> None:
    """Signed out at once, sign-in refused, appointments kept; coming back is one act. The last signatory and administrators stay."""
    three, desk = people.trio(), people.office()
    client, officer = as_(desk.officer), desk.officer
    assert client.get("/").context["user"] == officer
    services.deactivate(officer, because="调离", by=three.system)
    assert not client.get("/").context["user"].is_authenticated
    assert Client().post(reverse("desk:sign_in"), {"username": officer.username, "password": people.PASSWORD}).status_code == 200
    assert services.active(user=officer).exists()
    refused(NotNow, "is_active", services.deactivate, officer, because="x", by=three.system)
    services.reactivate(officer, by=three.system)
    assert again(officer).is_active
    refused(NotNow, "is_active", services.reactivate, officer, by=three.system)
    refused(NotNow, "last_signatory", services.deactivate, people.body(desk).signatory, because="x", by=three.system)
    refused(NotNow, "administers", services.deactivate, three.audit, because="x", by=three.system)


def test_a_person_who_signed_up_alone_is_appointed_at_an_agency_only_after_the_identity_check() -> None:
    """Opening and appointing are two persons' work."""
    three, desk, user = people.trio(), people.office(), people.person()
    refused(Invalid, "vouched", services.appoint, user, "officer", desk.agency, by=three.security)
    services.vouch(user, by=three.system)
    services.appoint(again(user), "officer", desk.agency, by=three.security)
    assert services.active(user=user).get().appointed_by == three.security
    services.dismiss(services.active(user=user).get(), by=three.security)
    assert not services.active(user=user).exists()


# --- what takes two ------------------------------------------------------------------------------------------------------------


def test_an_administrator_is_appointed_by_two_kinds_and_dismissed_by_two_kinds() -> None:
    """Asked by one, confirmed by the other; signed out so that the new standing holds at once; letters to both sides."""
    three, new = people.trio(), people.vouched("新人")
    request = asked("appoint", new, three.security, role="audit_admin")
    effects.drain()
    assert Message.objects.filter(to=three.system, template="people/request_asked").count() == 1
    assert not Message.objects.filter(to=three.audit).exists()
    done = perform(request, "confirm", by=three.system)
    effects.drain()
    assert done.state == "done" and again(new).administers == "audit_admin"
    assert "read_security_log" in permissions_of(again(new), Site())
    assert Message.objects.filter(to=new, template="people/request_done").count() == 1
    perform(asked("dismiss", again(new), three.system), "confirm", by=three.security)
    assert again(new).administers == "" and not permissions_of(again(new), Site())
    assert {e.event for e in ledger.history(Site.there()._meta.model_name + f":{Site().pk}")} >= {"site.appoint", "site.dismiss"}


def test_one_kind_alone_cannot_do_what_takes_two() -> None:
    """Not the asker, not a colleague of the same kind, not the auditor, not the person concerned, not a superuser."""
    three, new = people.trio(), people.vouched("新人")
    second = people.appointed("security_admin", Site.there())
    request = asked("appoint", new, three.security, role="system_admin")
    root = User.objects.create_superuser("root", password="x")
    for by in (three.security, second):
        refused(NotYou, "another_administrator", perform, request, "confirm", by=by)
        refused(NotYou, "another_administrator", perform, request, "refuse", by=by, note="x")
    for by in (three.audit, new, root, people.person()):
        assert isinstance(explain(request, "confirm", by), NotYou)
    assert again(new).administers == ""
    about_the_other = asked("dismiss", three.system, three.security)
    refused(NotNow, "not_about_oneself", perform, about_the_other, "confirm", by=three.system)
    refused(NotNow, "not_about_oneself", asked, "dismiss", three.security, three.security)
    refused(NotYou, "may_keep_accounts", asked, "dismiss", three.system, three.audit)
    with pytest.raises(IntegrityError), transaction.atomic():  # beside the door
        AccountRequest.objects.filter(pk=request.pk).update(decided_by=three.security)


def test_a_request_is_withdrawn_by_its_asker_refused_with_a_reason_and_open_once() -> None:
    three, new = people.trio(), people.vouched("新人")
    request = asked("appoint", new, three.system, role="security_admin")
    refused(Invalid, "open_once", asked, "appoint", new, three.security, role="audit_admin")
    refused(NotNow, "only_the_asker", perform, request, "withdraw", by=three.security, note="x")
    perform(request, "withdraw", by=three.system, note="填错了")
    second = asked("appoint", new, three.system, role="security_admin")
    assert perform(second, "refuse", by=three.security, note="没有任命文件").state == "refused"
    refused(NotNow, "state", perform, second, "confirm", by=three.security)
    assert again(new).administers == ""


@pytest.mark.parametrize(
    ("what", "more", "words"),
    [
        ("appoint", {"role": "officer"}, "请选择"), ("appoint", {"role": "system_admin"}, "核对身份"), ("dismiss", {}, "不是管理员"),
        ("factors", {}, "没有设置"), ("identity", {"identity": "sub-1"}, "没有启用单点登录"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_not_asked_for(what: str, more: dict[str, str], words: str) -> None:
    """The refusal says why, and nothing is left behind."""
    three, stranger = people.trio(), people.person()
    refusal = refused(NotNow, "still_possible", asked, what, stranger, three.security, **more)
    assert words in str(refusal)
    assert not AccountRequest.objects.exists()


def test_second_factors_are_reset_by_two_and_the_person_is_signed_out_and_told() -> None:
    """A lost telephone: the factors go, the sessions end, the log and the ledger have it, no administrator sees a code."""
    three, desk = people.trio(), people.office()
    officer, client = desk.officer, as_(desk.officer)
    client.get("/")
    Authenticator.objects.create(user=officer, type="totp", data={"secret": "x"})
    Authenticator.objects.create(user=officer, type="recovery_codes", data={"seed": "x"})
    perform(asked("factors", officer, three.system), "confirm", by=three.security)
    effects.drain()
    assert not Authenticator.objects.filter(user=officer).exists()
    assert not client.get("/").context["user"].is_authenticated
    assert Message.objects.filter(to=officer, template="people/request_done").exists()
    line = SecurityEvent.objects.get(kind="factor_reset")
    assert (line.person, line.actor) == (officer.pseudonym, three.security.pseudonym)


def test_a_forgotten_password_is_taken_away_by_two_and_set_again_by_its_owner() -> None:
    """No administrator learns or chooses one: the old is void, the sessions end, a link is there for the owner."""
    three, user = people.trio(), people.person()
    client = as_(user)
    request = asked("password", user, three.system)
    refused(NotYou, "another_administrator", perform, request, "confirm", by=three.system)
    perform(request, "confirm", by=three.security)
    assert not again(user).has_usable_password() and not client.get("/").context["user"].is_authenticated
    assert "/people/welcome/" in text(as_(three.system).get(reverse("people:account", args=[user.pk])))
    assert "/people/welcome/" not in text(as_(three.security).get(reverse("people:account", args=[user.pk])))
    refused(NotNow, "still_possible", asked, "password", again(user), three.system)


# --- pages ---------------------------------------------------------------------------------------------------------------------

PAGES = {
    "site": {"system", "security", "audit"}, "accounts": {"system", "security"}, "open_account": {"system"},
    "requests": {"system", "security", "audit"}, "roles": {"system", "security", "audit"},
    "appointments": {"system", "security", "audit"}, "log": {"audit"}, "system": {"system"}, "agencies": {"system", "security"},
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_for_its_administrators_and_for_nobody_else(page: str) -> None:
    """Also not for officers, auditors, applicants and visitors; the same for the file of the list."""
    three, desk = people.trio(), people.office()
    address = reverse(f"people:{page}")
    for name in ("system", "security", "audit"):
        for asks in (address, address + "?as=csv"):
            answer = as_(getattr(three, name)).get(asks)
            assert answer.status_code == (200 if name in PAGES[page] else 403), (name, asks)
    for other in (desk.officer, desk.auditor, desk.approver, people.body(desk).signatory, people.person()):
        assert as_(other).get(address).status_code == 403
        assert as_(other).get(address + "?as=csv").status_code == 403
    assert Client().get(address).status_code == 302


def test_a_request_is_seen_by_administrators_only_and_confirmed_on_its_page() -> None:
    """404 for everybody else; the other administrator's home page and menu lead there."""
    three, new, desk = people.trio(), people.vouched("新人"), people.office()
    made = as_(three.security).post(
        reverse("people:ask", args=[new.pk]), {"what": "appoint", "role": "system_admin", "note": "局党组会议纪要", "identity": ""}
    )
    page = made["Location"]
    for other in (new, desk.auditor, desk.officer):
        assert as_(other).get(page).status_code == 404
    assert as_(three.audit).get(page).status_code == 200
    home = text(as_(three.system).get("/"))
    assert page in home and "平台管理" in home
    assert page not in text(as_(three.security).get("/"))
    done = as_(three.system).post(page + "do/confirm/", {"seen_state": "asked", "note": ""})
    assert done.status_code == 302 and again(new).administers == "system_admin"


def test_an_incomplete_request_comes_back_with_its_reasons() -> None:
    """Nothing typed is lost."""
    three, new = people.trio(), people.vouched("新人")
    answer = as_(three.system).post(reverse("people:ask", args=[new.pk]), {"what": "appoint", "role": "", "note": "依据三"})
    assert answer.status_code == 422 and "role" in answer.context["form"].errors and "依据三" in text(answer)
    answer = as_(three.system).post(reverse("people:ask", args=[new.pk]), {"what": "dismiss", "role": "", "note": "依据四"})
    assert answer.status_code == 409 and "不是管理员" in text(answer) and "依据四" in text(answer)


def test_accounts_are_searched_and_filtered() -> None:
    three, desk = people.trio(), people.office()
    services.deactivate(people.person("走了的人"), because="x", by=three.system)
    client = as_(three.system)
    assert desk.officer.username in text(client.get(reverse("people:accounts"), {"q": "经办"}))
    assert desk.auditor.username not in text(client.get(reverse("people:accounts"), {"q": "经办"}))
    gone = text(client.get(reverse("people:accounts"), {"state": "inactive"}))
    assert "走了的人" in gone and desk.officer.username not in gone
    assert three.audit.username in text(client.get(reverse("people:accounts"), {"state": "administers"}))


@pytest.mark.parametrize(("page", "who", "queries"), [("accounts", "system", 5), ("appointments", "system", 5), ("log", "audit", 5)])
def test_a_list_costs_the_same_queries_for_few_and_many_rows(page: str, who: str, queries: int) -> None:
    """Session, person, offices, count, page."""
    three = people.trio()
    client = as_(getattr(three, who))
    found = []
    for _more in range(2):
        with CaptureQueriesContext(connection) as asked_for:
            assert client.get(reverse(f"people:{page}")).status_code == 200
        found.append(len(asked_for))
        for _n in range(4):
            people.office()
    assert found == [queries, queries]


def test_roles_are_shown_as_people_approve_them() -> None:
    """Every role with what it may and must never, and how many hold it."""
    people.office()
    page = text(as_(people.trio().audit).get(reverse("people:roles")))
    for role in ROLES:
        assert str(role.name) in page and str(role.never) in page and f"role={role.code}" in page


def test_the_security_log_is_filtered_taken_home_and_the_taking_is_in_it() -> None:
    """By kind and by person; the CSV is a line of the log and an entry of the ledger; no name of an unknown user is anywhere."""
    three, desk = people.trio(), people.office()
    Client().post(reverse("desk:sign_in"), {"username": desk.officer.username, "password": "wrong"}, REMOTE_ADDR="203.0.113.77")
    Client().post(reverse("desk:sign_in"), {"username": "my-secret-password", "password": "wrong"})
    client = as_(three.audit)
    page = text(client.get(reverse("people:log"), {"kind": "failed"}))
    assert desk.officer.username in page and "203.0.113.x" in page and "203.0.113.77" not in page
    assert "my-secret-password" not in page
    mine = text(client.get(reverse("people:log"), {"who": desk.officer.username}))
    assert "登录失败" in mine and "任命" in mine and three.system.username not in mine
    body = text(client.get(reverse("people:log"), {"as": "csv", "kind": "failed"}))
    assert body.count("登录失败") == 2
    assert SecurityEvent.objects.filter(kind="downloaded", actor=three.audit.pseudonym, detail="security-log.csv").count() == 1
    entry = ledger.history(f"site:{Site().pk}")[-1]
    assert (entry.event, entry.role, entry.public) == ("site.download", "audit_admin", {"what": "security-log", "as": "csv", "rows": 2})


def test_the_security_log_is_never_changed_or_deleted() -> None:
    """Not even by SQL; writing goes on."""
    line = security.note("failed")
    for statement in ("UPDATE people_securityevent SET kind = 'signed_in'", "DELETE FROM people_securityevent"):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert SecurityEvent.objects.get(pk=line.pk).kind == "failed"


def test_the_security_log_ages_by_a_published_rule_and_its_removal_is_a_line_of_it(settings: Any) -> None:
    """Older than the rule: shown by the command, removed with --do only, once, and written down; younger than six months: never, not by SQL either."""
    settings.SECURITY_LOG_DAYS = 200
    old, young, fresh = (SecurityEvent.objects.create(kind="failed", at=real_now() - timedelta(days=days)) for days in (201, 199, 150))
    said = StringIO()
    call_command("security_log", stdout=said)
    assert "1 条" in said.getvalue() and SecurityEvent.objects.filter(pk=old.pk).exists()
    call_command("security_log", "--do", stdout=said)
    assert set(SecurityEvent.objects.filter(kind="failed").values_list("pk", flat=True)) == {young.pk, fresh.pk}
    assert SecurityEvent.objects.get(kind="pruned").detail.startswith("1 <")
    assert retention.prune() == 0 and SecurityEvent.objects.filter(kind="pruned").count() == 1
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        fresh.delete()


def test_an_effect_that_failed_for_good_is_retried_through_its_door() -> None:
    """Seen with its reason, retried by the 系统管理员 alone, done, recorded; what has not failed is not retried."""
    three = people.trio()
    row = Outbox.objects.create(
        task="people.request_done", subject="account_request:x", object_id=Site().pk, event_id=1, key="k", due_at=effects.real_now(),
        attempts=12, failed_at=effects.real_now(), error="ConnectionError: mail.example.org",
    )  # fmt: skip
    client = as_(three.system)
    page = text(client.get(reverse("people:system")))
    assert "mail.example.org" in page and "需要处理" in page
    for by in (three.security, three.audit, people.office().officer):
        assert as_(by).post(reverse("people:retry", args=[row.pk])).status_code == 403
    client.post(reverse("people:retry", args=[row.pk]))
    row.refresh_from_db()
    assert (row.failed_at, row.attempts) == (None, 0)
    assert SecurityEvent.objects.get(kind="retried").detail == "people.request_done"
    assert [e.event for e in ledger.history(f"site:{Site().pk}")][-1] == "site.retry"
    assert "没有失败" in text(client.post(reverse("people:retry", args=[row.pk]), follow=True))


def test_the_state_of_the_machinery_is_told_with_what_to_do() -> None:
    """A backlog and an unsigned ledger are said; a fresh one is well."""
    three, desk = people.trio(), people.office()
    found = {sign.name: sign for sign in as_(three.system).get(reverse("people:system")).context["signs"]}
    assert found["待办事项（后台）"].well and not found["台账"].well and "manage.py worker" in found["台账"].advice
    from datetime import timedelta

    member = people.body(desk)
    Outbox.objects.create(
        task="people.verified", subject="x", object_id=member.organisation.pk, event_id=1, key="late", due_at=effects.real_now() - timedelta(hours=3)
    )
    found = {sign.name: sign for sign in as_(three.system).get(reverse("people:system")).context["signs"]}
    assert not found["待办事项（后台）"].well and "3 小时" in found["待办事项（后台）"].found


# --- the first ones ------------------------------------------------------------------------------------------------------------


def command(*words: str) -> str:
    out = StringIO()
    call_command("administrators", *words, stdout=out)
    return out.getvalue()


def test_the_first_administrators_are_made_on_the_server() -> None:
    """An account with a link, the office, an entry by the installation; the same refusals as on the pages; the way back."""
    said = command("appoint", "system_admin", "zhang", "--name", "张三")
    zhang = User.objects.get(username="zhang")
    assert zhang.administers == "system_admin" and "/people/welcome/" in said
    with pytest.raises(CommandError, match="三类管理员由三个人"):
        command("appoint", "audit_admin", "zhang")
    assert "张三 (zhang)" in command() and "空缺" in command()
    assert [e.actor for e in ledger.history(f"site:{Site().pk}")] == ["system"]
    Authenticator.objects.create(user=zhang, type="totp", data={})
    assert "1 项" in command("reset-factors", "zhang")
    command("dismiss", "zhang")
    assert again(zhang).administers == ""
    with pytest.raises(CommandError, match="没有用户"):
        command("dismiss", "nobody")
    with pytest.raises(CommandError, match="name"):
        command("appoint", "audit_admin", "li")


def test_an_organisation_that_lost_its_signatory_gets_a_new_one_from_the_security_administrator() -> None:
    three, desk = people.trio(), people.office()
    member, heir = people.body(desk), people.person("接任者")
    refused(NotYou, "may_appoint", services.appoint, heir, "signatory", member.organisation, by=three.system)
    services.appoint(heir, "signatory", member.organisation, by=three.security)
    assert "sign_for" in permissions_of(again(heir), member.organisation)


def test_carry_out_covers_every_kind_of_request() -> None:
    """A kind without an act or an obstacle would be confirmed and do nothing."""
    kinds = set(AccountRequest.What.values)
    assert set(account_acts.CARRY_OUT) == set(account_acts.OBSTACLES) == kinds
