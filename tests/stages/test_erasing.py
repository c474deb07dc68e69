"""个人信息: a person sees, copies and may have erased what is held about them; what must stay is told with its reason and day; sums never change."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from bidding.models import Bid, BidVersion
from grants import clock, ledger
from grants.audit import retention
from grants.awards.models import Award, PublicNotice
from grants.calls.rulebook.toml import from_data
from grants.ledger.models import AuditEvent, AuditPayload
from grants.people import erasing, services
from grants.people.models import AccountRequest, User
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review.models import Expert, Result, Review
from review.services.pool import change_expert, erase_profile
from tests.world import awards, calls, packages, people, shared
from tests.world import bidding as bids
from tests.world.funding import Project

pytestmark = pytest.mark.django_db
PHONE, MAIL = "13911223344", "linghu@example.org"


def reached(name: str = "令狐沛然") -> User:
    """Somebody with an account and no duty, who left ways to be reached."""
    user = people.person(name)
    User.objects.filter(pk=user.pk).update(phone=PHONE, email=MAIL)
    user.refresh_from_db()
    user.phone = PHONE
    user.save()
    return user


def as_(user: User) -> Client:
    found = Client()
    found.force_login(user)
    return found


def asked(user: User, by: User | None = None) -> AccountRequest:
    return services.ask_for("erase", user, by=by or user)


def everything(*tables: Any) -> str:
    return "\n".join(str(list(model._base_manager.values())) for model in tables)


# --- the person's own page -------------------------------------------------------------------------------------------------


def test_a_person_sees_and_saves_what_is_held_about_them_and_nobody_elses() -> None:
    user, other = reached(), reached("欧阳致远")
    page = as_(user).get(reverse("people:mine"))
    assert page["Cache-Control"] == "no-store"
    assert "账号：姓名、用户名" in page.content.decode()
    answer = as_(user).get(reverse("people:copy"))
    copy = json.loads(answer.content)
    assert (copy["account"]["name"], copy["account"]["phone"], copy["account"]["email"]) == ("令狐沛然", PHONE, MAIL)
    assert other.name not in answer.content.decode()
    assert answer["Content-Disposition"].startswith("attachment")
    for address in ("people:mine", "people:copy"):
        assert Client().get(reverse(address)).status_code == 302


def test_erasure_is_asked_by_the_person_and_confirmed_by_an_administrator_and_the_person_can_take_it_back() -> None:
    three, user = people.trio(), reached()
    client, page = as_(user), reverse("people:mine")
    assert client.post(page, {"note": ""}).status_code == 422, "the box that nothing can be undone must be ticked"
    assert client.post(page, {"note": "不再使用", "sure": "on"}).status_code == 302
    request = AccountRequest.objects.get()
    assert (request.what, request.person, request.asked_by) == ("erase", user, user)
    assert "正在等待管理员复核" in client.get(page).content.decode()
    assert client.get(reverse("desk:object", args=["account_request", request.pk])).status_code == 200
    with pytest.raises(NotYou):
        perform(request, "confirm", by=user)
    with pytest.raises(NotYou):
        perform(request, "confirm", by=three.audit)
    perform(request, "withdraw", by=user)
    perform(asked(user), "confirm", by=three.security)
    gone = User.objects.get(pk=user.pk)
    assert (gone.name, gone.phone, gone.email, gone.is_active, gone.has_usable_password()) == (erasing.NAMELESS, "", "", False, False)
    assert gone.erased_at is not None
    assert gone.pseudonym == user.pseudonym


def test_nobody_asks_for_another_persons_erasure_but_administrators_and_those_are_two() -> None:
    three, user, other = people.trio(), reached(), reached("欧阳致远")
    with pytest.raises(NotYou):
        asked(user, by=other)
    request = asked(user, by=three.system)
    for one in (three.system, three.audit, other, user):
        with pytest.raises(NotYou):
            perform(request, "confirm", by=one)
    assert User.objects.get(pk=user.pk).phone == PHONE
    perform(request, "confirm", by=three.security)
    assert User.objects.get(pk=user.pk).erased_at is not None


def test_an_erased_account_is_not_revived_and_not_erased_twice() -> None:
    three, user = people.trio(), reached()
    perform(asked(user), "confirm", by=three.system)
    with pytest.raises(NotNow) as refused:
        services.reactivate(user, by=three.system)
    assert refused.value.rule == "erased"
    with pytest.raises(NotNow):
        asked(user, by=three.system)


def test_whoever_still_has_a_duty_is_refused_with_what_to_do_and_nothing_is_written() -> None:
    desk = people.office()
    before = AuditEvent.objects.count()
    with pytest.raises(NotNow) as refused:
        asked(desk.officer)
    assert "请先卸任" in str(refused.value)
    page = as_(desk.officer).get(reverse("people:mine")).content.decode()
    assert "现在还不能删除" in page
    assert "请先卸任" in page
    assert "申请删除我的个人信息</button>" not in page
    assert as_(desk.officer).post(reverse("people:mine"), {"sure": "on"}).status_code == NotNow.status
    assert (AuditEvent.objects.count(), AccountRequest.objects.count()) == (before, 0)


def test_nothing_personal_of_the_erasure_enters_the_log_and_what_was_written_about_the_account_is_erased() -> None:
    three, user = people.trio(), reached()
    services.deactivate(user, because=f"本人{user.name}来电{PHONE}", by=three.system)
    perform(asked(user, by=three.system), "confirm", by=three.security, note="已当面核实")
    leaves = b"".join(bytes(e.leaf) for e in AuditEvent.objects.all())
    bodies = b"".join(bytes(p.body) for p in AuditPayload.objects.all())
    for secret in ("令狐沛然", PHONE, MAIL):
        assert secret.encode() not in leaves + bodies
    entry = ledger.history(f"user:{user.pk}")[-1]
    last = [e for e in ledger.history(f"user:{user.pk}") if e.event == "user.erase"][-1]
    assert last.public["name"] == "erased"
    assert entry.event in ("user.erase", "ledger.erase")
    out = io.StringIO()
    call_command("ledger", "verify", stdout=out, stderr=io.StringIO())
    assert "台账完整" in out.getvalue()
    assert erasing.GROUND in out.getvalue()


# --- a call that was run ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Project]]:
    """Two awards of one call, one with a payment."""
    with shared.rows(django_db_blocker):
        yield packages.projects()


def aggregates(call: Any) -> list[Any]:
    """What statistics, rankings and notices are made of."""
    return [
        sorted(Bid.objects.values_list("state", "number", "title")), sorted(Award.objects.values_list("number", "state", "amount")),
        sorted(map(str, Result.objects.values())), sorted(map(str, PublicNotice.objects.values("number", "title", "body"))),
        sorted(BidVersion.objects.values_list("hash", flat=True)), Review.objects.count(), User.objects.count(), Expert.objects.count(),
        sorted(map(str, Bid.objects.values_list("team__role", "team__qualification", "team__is_supervisor"))),
    ]


def test_whoever_signed_a_running_project_loses_what_reaches_them_and_keeps_the_name_until_a_day_that_is_told(two: list[Project]) -> None:
    """And everything that is counted is what it was."""
    three, project = people.trio(), two[0]
    signer = BidVersion.objects.filter(bid=project.award.bid).latest("number").submitted_by
    assert signer is not None
    for held in signer.appointments.filter(until=None):
        type(held).objects.filter(pk=held.pk).update(until=clock.now())
    with clock.at(two[-1].day(3)):
        before, name = aggregates(project.call), signer.name
        page = as_(signer).get(reverse("people:mine")).content.decode()
        assert "签署过立项项目" in page
        assert "还不能确定到哪一天" in page
        perform(asked(signer), "confirm", by=three.system)
        kept = User.objects.get(pk=signer.pk)
        assert (kept.name, kept.phone, kept.email, kept.erased_at, kept.is_active) == (name, "", "", None, False)
        with pytest.raises(NotNow) as refused:
            asked(kept, by=three.system)
        assert "须保留" in str(refused.value)
        assert aggregates(project.call) == before


def test_a_team_of_a_bid_that_was_not_funded_goes_by_the_calls_months_and_that_of_a_project_is_refused_with_its_reason(two: list[Project], tmp_path: Path) -> None:
    """Sums, rankings, notices and hashes stay; the audit package made afterwards is checked by a bare Python."""
    project, other = two[0], two[1]
    stood = Award.objects.get(pk=other.award.pk).state
    Award.objects.filter(pk=other.award.pk).update(state="cancelled")  # as if; the log, which the package is compared with, knows nothing of it
    bid = Bid.objects.get(pk=other.award.bid_id)
    due = retention.later(bid.call.closes_at.astimezone(clock.TZ).date(), bid.rules.retention.personal_months)  # type: ignore[union-attr]
    noon = datetime.combine(due, datetime.min.time(), clock.TZ) + timedelta(hours=12)
    officer = project.desk.officer
    with clock.at(noon - timedelta(days=1)), pytest.raises(NotNow) as early:
        perform(bid, "erase_team", by=officer)
    assert str(due) in str(early.value)
    with clock.at(noon):
        before = aggregates(project.call)
        with pytest.raises(NotNow) as refused:
            perform(project.award.bid, "erase_team", by=officer)
        assert project.award.number in str(refused.value)
        with pytest.raises(NotYou):
            perform(bid, "erase_team", by=project.desk.finance)
        out = io.StringIO()
        call_command("retention", "erase", "--kind", "teams", "--dry-run", stdout=out)
        assert f"{bid.number}　" in out.getvalue()
        assert str(due) in out.getvalue()
        assert "没有删除任何内容" in out.getvalue()
        assert bid.team.exclude(name="").exists()
        call_command("retention", "erase", "--kind", "teams", "--by", officer.username, stdout=io.StringIO())
        assert not bid.team.exclude(name="", licence_no="").exists()
        assert aggregates(project.call) == before
        with pytest.raises(NotNow):
            perform(bid, "erase_team", by=officer)
        Award.objects.filter(pk=other.award.pk).update(state=stood)
        folder = packages.unpacked(project, "auditor", tmp_path)
    found = subprocess.run([sys.executable, "-S", "-E", "verify.py"], cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "结论:完整" in found.stdout


def test_experts_who_left_keep_their_code_and_lose_what_describes_them(two: list[Project]) -> None:
    desk, elsewhere, stranger = two[0].desk, people.office(), people.person()
    expert = Expert.objects.filter(reviews__isnull=False).distinct()[0]
    with clock.at(two[-1].day(3)):
        change_expert(expert, agency=desk.agency, by=desk.officer, is_active=False, employer="某某大学", title="教授")
        before = aggregates(two[0].call)
        with pytest.raises(NotNow):
            erase_profile(expert, agency=desk.agency, by=desk.officer)
        row = next(row for row in retention.plan() if row.kind is retention.EXPERTS and row.number == expert.code)
    with clock.at(datetime.combine(row.due, datetime.min.time(), clock.TZ) + timedelta(hours=9)):
        with pytest.raises(NotYou):
            erase_profile(expert, agency=elsewhere.agency, by=stranger)
        retention.erase(row.due, by=desk.officer, kinds=["experts"])
        gone = Expert.objects.get(pk=expert.pk)
        assert (gone.code, gone.employer, gone.title) == (expert.code, "", "")
        assert aggregates(two[0].call) == before
    assert ledger.history(f"expert:{expert.pk}")[-1].event == "expert.erase"


# --- drafts and accounts ---------------------------------------------------------------------------------------------------


def test_a_draft_that_was_never_handed_in_goes_a_year_after_the_deadline_and_its_row_stays() -> None:
    desk = people.office()
    call = calls.opened(desk, from_data({**awards.rules().plain(), "code": "YX-2026-91"}))
    with clock.at(bids.opens(call)):
        draft, handed_in = bids.filled(call, people.body(desk)), bids.submitted(call, people.body(desk))
    calls.closed(call)
    assert call.closes_at is not None
    due = retention.later(call.closes_at.astimezone(clock.TZ).date(), 12)
    noon = datetime.combine(due, datetime.min.time(), clock.TZ) + timedelta(hours=12)
    with clock.at(noon - timedelta(days=1)):
        assert retention.due(["drafts"], clock.today()) == []
        with pytest.raises(NotNow):
            perform(Bid.objects.get(pk=draft.pk), "erase_draft", by=desk.officer)
    with clock.at(noon):
        with pytest.raises((NotNow, NotYou)):
            perform(Bid.objects.get(pk=handed_in.pk), "erase_draft", by=desk.officer)
        with pytest.raises(CommandError):
            call_command("retention", "erase", "--kind", "drafts", "--by", people.office().officer.username, stdout=io.StringIO())
        assert Bid.objects.get(pk=draft.pk).answers
        call_command("retention", "erase", "--kind", "drafts", "--by", desk.officer.username, stdout=io.StringIO())
        gone = Bid.objects.get(pk=draft.pk)
        assert (gone.answers, gone.team.count(), gone.budget_lines.count(), gone.attachments.count()) == ({}, 0, 0, 0)
        assert Bid.objects.filter(call=call).count() == 2
        assert Bid.objects.get(pk=handed_in.pk).answers
        assert ledger.history(gone.subject)[-1].verb == "erase_draft"
        assert retention.due(["drafts"], clock.today()) == []


def test_a_closed_account_is_due_a_year_later_and_the_command_asks_for_it_with_a_second_administrator_to_confirm() -> None:
    three, user = people.trio(), reached()
    with clock.at(datetime(2026, 3, 2, 9, tzinfo=clock.TZ)):
        services.deactivate(user, because="离职", by=three.system)
    with clock.at(datetime(2027, 3, 1, 9, tzinfo=clock.TZ)):
        assert retention.due(["accounts"], clock.today()) == []
    with clock.at(datetime(2027, 3, 2, 9, tzinfo=clock.TZ)):
        row = retention.due(["accounts"], clock.today())[0]
        assert (row.number, row.since, row.due) == (str(user.pseudonym), date(2026, 3, 2), date(2027, 3, 2))
        with pytest.raises(NotYou):
            retention.erase(clock.today(), by=people.office().officer, kinds=["accounts"])
        retention.erase(clock.today(), by=three.system, kinds=["accounts"])
        assert User.objects.get(pk=user.pk).phone == PHONE
        perform(AccountRequest.objects.get(person=user), "confirm", by=three.security)
        assert User.objects.get(pk=user.pk).erased_at is not None
        assert retention.due(["accounts"], clock.today()) == []


def test_the_same_request_is_not_made_twice() -> None:
    user = reached()
    asked(user)
    with pytest.raises(Invalid):
        asked(user)
