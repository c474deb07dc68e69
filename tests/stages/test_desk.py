"""The desk: who sees which object, what they may do there, why not, and what an auditor leaves behind by reading."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock, ledger
from grants.calls.models import Call
from grants.desk import menu, objects, registry
from grants.people.models import User
from grants.workflow.describe import machines
from grants.workflow.door import perform
from grants.workflow.pages import StepForm
from tests.world import bidding, calls, people
from tests.world.people import PASSWORD, Office

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()


@pytest.fixture
def desk() -> Office:
    return people.office()


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(obj: Any) -> str:
    return reverse("desk:object", args=[obj.kind(), obj.pk])


def step_of(obj: Any, verb: str) -> str:
    return reverse("desk:step", args=[obj.kind(), obj.pk, verb])


def text(response: Any) -> str:
    return str(response.content.decode())


# --- what every stage hands over ------------------------------------------------------------------------------------------


def test_every_machine_has_a_page_and_every_form_belongs_to_a_step() -> None:
    """No object without a page; no form for a verb that nobody declared."""
    assert {m.kind() for m in machines()} == {m.kind() for m in registry.pages()}
    for machine, verb in registry.step_forms():
        assert verb in machine.steps(), f"{machine.kind()}.{verb}"


def test_every_recorded_event_has_a_name_people_can_read() -> None:
    """Reads the sources: an event of a machine's object that is no step must be in some stage's EVENTS, or a timeline shows code."""
    kinds = {m.kind(): m for m in machines()}
    root = Path(settings.BASE_DIR)
    sources = [
        p for stage in ("grants", "bidding", "review") for p in (root / stage).rglob("*.py") if "migrations" not in p.parts
    ]
    found = {
        name for p in sources for name in re.findall(r'(?:event=|enter\(|remember\()[^"\n]{0,40}"(\w+\.\w+)"', p.read_text())
    }
    assert {"bid.finding", "receipt.added"} <= found, "the pattern finds what it should"
    ours = {name for name in found if name.split(".")[0] in kinds and name.split(".")[1] not in kinds[name.split(".")[0]].steps()}
    assert ours - set(registry.words()) == set()


def test_a_form_hands_over_exactly_what_the_step_wants() -> None:
    """A step without a form of its own is pressable only if its body needs nothing typed."""
    assert objects.pressable(Call, Call.steps()["propose"])
    assert objects.pressable(Call, Call.steps()["extend"]), "has a form"
    assert not objects.pressable(Call, Call.steps()["open"]), "the clock's"
    unpressable = {(m.kind(), v) for m in machines() for v, s in m.steps().items() if not objects.pressable(m, s)}
    for kind, verb in unpressable:
        step = registry.machine_of(kind).steps()[verb]
        assert step.by.roles == {"system"} or registry.form_for(registry.machine_of(kind), verb) is StepForm


# --- the object's page ----------------------------------------------------------------------------------------------------


def test_the_page_offers_what_one_may_do_and_says_why_not_the_rest(desk: Office) -> None:
    """The officer may propose a draft; the approver reads why it is not yet theirs, and both see who opened it."""
    draft = calls.draft(desk)
    mine = text(as_(desk.officer).get(page(draft)))
    assert step_of(draft, "propose") in mine
    theirs = text(as_(desk.approver).get(page(draft)))
    assert step_of(draft, "propose") not in theirs
    assert "提交审批" in theirs, "greyed, with the reason"
    assert "这一步由" in theirs and "主办方经办" in theirs
    for shown in (mine, theirs):
        moment = re.sub(r"<[^>]+>|\s+", " ", shown[shown.index('<ol class="gc-timeline"') :])
        assert "起草征集" in moment and "经办甲" in moment, moment
        assert 'class="govuk-tag gc-tag-draft"' in shown


def test_an_object_one_may_not_see_does_not_exist(desk: Office) -> None:
    """A draft call is a 404 to a visitor, to a bidder and to another agency's officer, like a call that never was."""
    draft, other = calls.draft(desk), people.office()
    for client in (Client(), as_(people.body(desk).signatory), as_(other.officer)):
        assert client.get(page(draft)).status_code == 404
        assert client.get(step_of(draft, "propose")).status_code == 404
        assert client.post(step_of(draft, "propose"), {"seen_state": "draft"}).status_code == 404
    assert Call.objects.get(pk=draft.pk).state == "draft"
    missing = page(draft).replace(str(draft.pk), "00000000-0000-4000-8000-000000000000")
    assert Client().get(missing).status_code == 404
    assert Client().get(reverse("desk:object", args=["no-such-kind", draft.pk])).status_code == 404


def test_a_visitor_reads_a_public_call_without_names_notes_or_other_peoples_steps(desk: Office) -> None:
    """What officers are called and wrote to each other is not the public's; that and in which role something was done is."""
    made = calls.draft(desk)
    with clock.at(calls.BEFORE):
        perform(made, "propose", by=desk.officer)
        perform(made, "return_", by=desk.approver, note="附件二金额与领导口头要求不一致")
        perform(made, "propose", by=desk.officer)
        perform(made, "publish", by=desk.approver)
    public = text(Client().get(page(made)))
    assert "批准发布" in public and "主办方负责人" in public
    assert "领导口头要求" not in public
    assert "经办甲" not in public and "负责人乙" not in public
    assert "还不能办的步骤" not in public
    inside = text(as_(desk.officer).get(page(made)))
    assert "领导口头要求" in inside and "负责人乙" in inside


def test_the_object_page_costs_the_same_with_one_and_with_many_moments(desk: Office) -> None:
    """One query for the timeline, one for the names, however long the life was."""
    made, client = calls.draft(desk), as_(desk.officer)
    client.get(page(made))

    def cost() -> int:
        with CaptureQueriesContext(connection) as counted:
            assert client.get(page(made)).status_code == 200
        return len(counted)

    before = cost()
    with clock.at(calls.BEFORE):
        for _ in range(3):
            perform(made, "propose", by=desk.officer)
            perform(made, "return_", by=desk.approver, note="再核一遍时间")
    assert cost() == before
    assert before <= 22


def test_later_stages_are_linked_only_for_whom_they_open(desk: Office) -> None:
    """The applicant may start a bid while the call is open; staff get to the bids; a visitor gets neither. No dead link."""
    made, who = calls.opened(desk), people.body(desk)
    start, bids = reverse("bidding:start", args=[made.pk]), reverse("bidding:of_call", args=[made.pk])
    with clock.at(bidding.opens(made)):
        applicant, officer = as_(who.signatory), as_(desk.officer)
        shown, staff, public = text(applicant.get(page(made))), text(officer.get(page(made))), text(Client().get(page(made)))
        assert (start in shown, bids in shown) == (True, False)
        assert (start in staff, bids in staff) == (False, True)
        assert (start in public, bids in public) == (False, False)
        assert applicant.get(start).status_code == 200
        assert officer.get(bids).status_code == 200


# --- the step page --------------------------------------------------------------------------------------------------------


def test_a_step_is_confirmed_taken_and_reported(desk: Office) -> None:
    draft, client = calls.draft(desk), as_(desk.officer)
    asked = client.get(step_of(draft, "propose"))
    assert asked.status_code == 200
    assert 'name="seen_state" value="draft"' in text(asked)
    with clock.at(calls.BEFORE):
        done = client.post(step_of(draft, "propose"), {"seen_state": "draft", "note": "请审"}, follow=True)
    assert done.redirect_chain == [(page(draft), 302)]
    assert "已完成：提交审批" in text(done)
    assert "请审" in text(done)
    assert Call.objects.get(pk=draft.pk).state == "pending"


def test_a_dangerous_step_without_a_reason_is_refused_and_keeps_the_page(desk: Office) -> None:
    draft = calls.draft(desk)
    with clock.at(calls.BEFORE):
        perform(draft, "propose", by=desk.officer)
        refused = as_(desk.approver).post(step_of(draft, "return_"), {"seen_state": "pending", "note": ""})
    assert refused.status_code == 422
    assert "govuk-error-summary" in text(refused)
    assert Call.objects.get(pk=draft.pk).state == "pending"


def test_the_wrong_person_is_refused_with_403_and_the_drafter_may_not_approve(desk: Office) -> None:
    """Separation of duty holds on the page too: the refusal names the reason and nothing changes."""
    draft = calls.draft(desk)
    people.services.appoint(desk.officer, "approver", desk.agency, by=people.SYSTEM)
    with clock.at(calls.BEFORE):
        perform(draft, "propose", by=desk.officer)
        before = len(ledger.history(draft.subject))
        shown = as_(desk.officer).get(step_of(draft, "publish"))
        refused = as_(desk.officer).post(step_of(draft, "publish"), {"seen_state": "pending"})
    for answer in (shown, refused):
        assert answer.status_code == 403
        assert "起草与审批分离" in text(answer)
    assert Call.objects.get(pk=draft.pk).state == "pending"
    assert len(ledger.history(draft.subject)) == before


def test_a_page_left_open_while_others_worked_is_refused_and_nothing_typed_is_lost(desk: Office) -> None:
    """Two people press two buttons: the second is told, sees the present state, and keeps the reason just written."""
    draft = calls.draft(desk)
    with clock.at(calls.BEFORE):
        perform(draft, "propose", by=desk.officer)
        perform(draft, "publish", by=desk.approver)
        late = as_(desk.approver).post(step_of(draft, "return_"), {"seen_state": "pending", "note": "金额写错了一处"})
    assert late.status_code == 409
    assert "别人已经处理" in text(late)
    assert "金额写错了一处" in text(late)
    assert 'name="seen_state" value="published"' in text(late)
    assert Call.objects.get(pk=draft.pk).state == "published"


def test_steps_of_the_clock_and_unknown_verbs_have_no_page(desk: Office) -> None:
    made = calls.published(desk)
    client = as_(desk.approver)
    for verb in ("open", "close", "delete", "__class__"):
        assert client.get(f"{page(made)}do/{verb}/").status_code == 404
        assert client.post(f"{page(made)}do/{verb}/", {"seen_state": "published"}).status_code == 404


def test_a_form_nobody_has_filled_in_is_no_refusal(desk: Office) -> None:
    """`confirm the account` asks for evidence: the page offers the form instead of refusing for what is still to be typed."""
    body = people.body(desk)
    perform(body.organisation, "set_account", by=body.signatory, bank="云溪农商银行", number="6217000010009999999")
    shown = text(as_(desk.finance).get(page(body.organisation)))
    assert step_of(body.organisation, "verify_account") in shown


# --- files and the auditor ------------------------------------------------------------------------------------------------


@pytest.fixture
def receipt(desk: Office) -> Any:
    """A submitted bid, its receipt rendered, after closing."""
    from bidding.models import Bid
    from grants.workflow import effects

    call = calls.opened(desk, calls.rules("YX-2026-01"))
    who = people.body(desk)
    people.checked(who, desk, 2024, 2025)
    with clock.at(bidding.opens(call)):
        bid = bidding.submitted(call, who)
        effects.drain()
    calls.closed(call)
    return Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk), who, call


def address(bid: Any) -> str:
    return reverse("desk:file", args=["bid", bid.pk, bid.latest.receipt.sha256])


def test_a_listed_file_is_a_download_and_another_objects_file_is_not_there(receipt: Any, desk: Office) -> None:
    """A hash opens nothing by itself: the object's page must list it for this very person."""
    bid, who, call = receipt
    got = as_(who.signatory).get(address(bid))
    assert got.status_code == 200
    assert got["Content-Disposition"].startswith("attachment")
    assert b"".join(got.streaming_content).startswith(b"%PDF")
    elsewhere = reverse("desk:file", args=["call", call.pk, bid.latest.receipt.sha256])
    assert as_(desk.officer).get(elsewhere).status_code == 404
    assert as_(people.body(desk).signatory).get(address(bid)).status_code == 404
    assert Client().get(address(bid)).status_code == 404


def test_an_auditor_reads_after_opening_and_every_read_is_an_entry(receipt: Any, desk: Office) -> None:
    """The page and the download are in the log with the auditor's role; the officer's reads are not."""
    bid, _who, call = receipt
    with clock.at(call.closes_at + timedelta(hours=1)):
        for user in (desk.officer, desk.auditor):
            client = as_(user)
            assert client.get(page(bid)).status_code == 200
            assert client.get(address(bid)).status_code == 200
        entries = [e for e in ledger.history(bid.subject) if e.verb in ("read", "download")]
        assert [(e.event, e.role, e.actor) for e in entries] == [
            ("bid.read", "auditor", str(desk.auditor.pseudonym)),
            ("bid.download", "auditor", str(desk.auditor.pseudonym)),
        ]
        assert entries[1].public == {"file": bid.latest.receipt.sha256}
        assert entries[1].scope == f"call:{call.pk}"
        assert "查阅" in text(as_(desk.officer).get(page(bid)))


def test_an_auditor_may_press_nothing(receipt: Any, desk: Office) -> None:
    """写入任何内容: not one step is offered on any object the auditor sees, and pressing is refused."""
    bid, _who, call = receipt
    for obj in (call, bid):
        open_steps, _closed = objects.offers(obj, desk.auditor)
        assert open_steps == []
    refused = as_(desk.auditor).post(step_of(bid, "reject"), {"seen_state": "submitted", "note": "试一试"})
    assert refused.status_code == 403


# --- home, menu, path -----------------------------------------------------------------------------------------------------


def test_home_lists_what_waits_for_the_person_and_not_for_others(desk: Office) -> None:
    draft = calls.draft(desk)
    with clock.at(calls.BEFORE):
        perform(draft, "propose", by=desk.officer)
        assert "审批征集公告" in text(as_(desk.approver).get("/"))
        assert "审批征集公告" not in text(as_(desk.officer).get("/"))
        assert "现在没有等您办理的事" in text(as_(people.person()).get("/"))


def test_home_asks_only_for_the_work_of_the_roles_one_has_however_much_waits(desk: Office) -> None:
    """With one row of work and with five: the officer's desk knows the most kinds of work, a person without a role none."""
    who = people.body(desk)
    homes = {"officer": desk.officer, "approver": desk.approver, "finance": desk.finance, "signatory": who.signatory, "nobody": people.person()}
    made = calls.opened(desk)
    with clock.at(bidding.opens(made)):
        bidding.filled(made, who)
        few = {name: home_cost(user) for name, user in homes.items()}
        for proposed, drafted in (("YX-2026-01", "YX-2026-02"), ("YX-2026-04", "YX-2026-05")):
            perform(calls.draft(desk, calls.rules(proposed)), "propose", by=desk.officer)
            calls.draft(desk, calls.rules(drafted))
        assert {name: home_cost(user) for name, user in homes.items()} == few
    assert few == {"officer": 30, "approver": 27, "finance": 15, "signatory": 21, "nobody": 12}


def home_cost(user: User) -> int:
    """Queries of the home page once the session knows the roles."""
    client = as_(user)
    client.get("/")
    with CaptureQueriesContext(connection) as counted:
        assert client.get("/").status_code == 200
    return len(counted)


def test_what_waits_is_the_same_list_with_and_without_looking_through_the_roles_first(desk: Office) -> None:
    """`looked_through` saves questions, never rows: each source is asked once more on its own."""
    who, made = people.body(desk), calls.opened(desk)
    operator = people.appointed("operator", made)
    with clock.at(bidding.opens(made)):
        bidding.filled(made, who)
        perform(calls.draft(desk, calls.rules("YX-2026-04")), "propose", by=desk.officer)
        for user in (desk.officer, desk.approver, desk.finance, who.signatory, operator):
            plain = [row for module in registry._PAGES for row in module.waiting(user)]
            assert sorted(map(str, registry.waiting_for(user))) == sorted(map(str, plain))
        assert registry.waiting_for(desk.approver)
        assert registry.waiting_for(who.signatory)


def test_a_visitor_sees_open_calls_and_no_drafts(desk: Office) -> None:
    made = calls.opened(desk)
    calls.draft(people.office(), calls.rules("YX-2026-04"))
    with clock.at(bidding.opens(made)):
        shown = text(Client().get("/"))
    assert made.title in shown
    assert calls.preset("YX-2026-04").title.zh not in shown


def labels(user: User) -> set[str]:
    shown = text(as_(user).get("/"))
    return set(re.findall(r'class="gc-nav__link"[^>]*>([^<]+)</a>', shown))


def test_the_menu_follows_the_role(desk: Office) -> None:
    """An applicant is shown no payment queue, a finance officer no bids to write, a visitor only what is public."""
    applicant = people.body(desk).signatory
    assert {"申报", "信箱"} <= labels(applicant)
    assert "付款" not in labels(applicant)
    assert "付款" in labels(desk.finance)
    assert "申报" not in labels(desk.finance)
    assert set(re.findall(r'gc-nav__link"[^>]*>([^<]+)</a>', text(Client().get("/")))) == {"首页", "征集", "需求", "公示", "资助项目", "单位名录", "供需地图", "资金流向", "公开抽取"}


def test_every_menu_entry_opens_for_those_who_are_shown_it(desk: Office) -> None:
    """No dead link: each role follows each of its entries."""
    for user in (desk.officer, desk.approver, desk.finance, desk.auditor, people.body(desk).signatory):
        client = as_(user)
        client.get("/")
        request = client.get("/").wsgi_request
        for place in menu.places(request):
            assert client.get(place.url).status_code == 200, f"{user}: {place.url}"


def test_the_whole_path_shows_stations_to_come_and_hides_those_of_others(receipt: Any, desk: Office) -> None:
    bid, who, _call = receipt
    path = reverse("desk:path", args=[bid.pk])
    shown = text(as_(who.signatory).get(path))
    assert bid.number in shown
    assert shown.count("还没有到这一步，或不对您开放。") == 5
    assert as_(people.body(desk).signatory).get(path).status_code == 404
    assert Client().get(path).status_code == 302


# --- sign-in --------------------------------------------------------------------------------------------------------------


def try_to_sign_in(user: User, password: str, **more: Any) -> Any:
    return Client().post(reverse("desk:sign_in"), {"username": user.username, "password": password}, **more)


def test_signing_in_and_out() -> None:
    user, client = people.person("李明"), Client()
    done = client.post(reverse("desk:sign_in"), {"username": user.username, "password": PASSWORD})
    assert done.status_code == 302
    assert done["Location"] == "/"
    assert "李明" in text(client.get("/"))
    assert client.get(reverse("desk:sign_out")).status_code == 405, "a link must not sign anybody out"
    assert client.post(reverse("desk:sign_out")).status_code == 302
    assert "李明" not in text(client.get("/"))


def test_the_sign_in_page_bears_the_sites_name() -> None:
    assert f"登录 - {settings.SITE_NAME}</title>" in text(Client().get(reverse("desk:sign_in")))


def test_signing_in_never_leads_to_another_site() -> None:
    user = people.person()
    done = Client().post(
        reverse("desk:sign_in"), {"username": user.username, "password": PASSWORD, "next": "https://elsewhere.invalid/"}
    )
    assert done["Location"] == "/"


def test_five_failures_lock_the_name_from_that_address_only() -> None:
    """The sixth try is refused even with the right password; from another address the owner still gets in."""
    user = people.person()
    for _ in range(5):
        assert "用户名或密码不对" in text(try_to_sign_in(user, "wrong"))
    locked = try_to_sign_in(user, PASSWORD)
    assert "输错次数过多" in text(locked)
    assert "_auth_user_id" not in locked.client.session
    assert try_to_sign_in(user, PASSWORD, REMOTE_ADDR="10.0.0.9").status_code == 302


def test_a_success_forgets_earlier_failures() -> None:
    user = people.person()
    for _ in range(4):
        try_to_sign_in(user, "wrong")
    assert try_to_sign_in(user, PASSWORD).status_code == 302
    for _ in range(4):
        try_to_sign_in(user, "wrong")
    assert try_to_sign_in(user, PASSWORD).status_code == 302


def test_an_unknown_name_and_a_wrong_password_read_alike() -> None:
    """Nobody learns from the answer which accounts exist."""
    user = people.person()
    known = text(try_to_sign_in(user, "wrong"))
    unknown = text(Client().post(reverse("desk:sign_in"), {"username": "nobody-here", "password": "wrong"}))
    sentence = re.compile(r'class="govuk-error-summary__body">(.*?)</div>', re.DOTALL)
    assert sentence.findall(known) == sentence.findall(unknown) != []


def test_the_language_is_switched_by_a_button(client: Client) -> None:
    done = client.post(reverse("set_language"), {"language": "en", "next": "/"}, follow=True)
    assert '<html lang="en"' in text(done)


# --- refusals no view has caught ------------------------------------------------------------------------------------------


def test_an_uncaught_refusal_is_a_page_with_its_status_and_sentence(desk: Office) -> None:
    """A stage's view that raises Refusal answers 403 with the reason, not a server error."""
    refused = as_(desk.finance).get(reverse("calls:new"))
    assert refused.status_code == 403
    assert "起草征集由主办方经办办理" in text(refused)


def test_a_refusal_page_never_links_to_another_site(desk: Office) -> None:
    refused = as_(desk.finance).post(reverse("calls:new"), {}, HTTP_REFERER="https://elsewhere.invalid/trap")
    assert refused.status_code == 403
    assert "elsewhere.invalid" not in text(refused)
