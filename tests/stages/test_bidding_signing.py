"""Writing and signing are two duties: the editor asks, the signatory reads everything and signs, or sends it back with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bidding import services
from bidding.completeness import problems
from bidding.models import Bid
from bidding.pages import waiting
from bidding.tasks_of import tasks_of
from grants import clock
from grants.calls.models import Call
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.people.models import User
from grants.people.services import active, dismiss
from grants.workflow.effects import drain
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import bidding as world
from tests.world import calls, people
from tests.world.people import Body, Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def who(desk: Office) -> Body:
    made = people.body(desk)
    people.checked(made, desk, 2024, 2025)
    return made


@pytest.fixture
def editor(who: Body) -> User:
    return people.appointed("editor", who.organisation, "王某", by=who.signatory)


@pytest.fixture
def call(desk: Office) -> Call:
    return calls.opened(desk, calls.rules("YX-2026-01"))


@pytest.fixture
def bid(call: Call, who: Body) -> Iterator[Bid]:
    with clock.at(world.opens(call)):
        yield world.filled(call, who)


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(name: str, bid: Bid) -> str:
    return reverse(f"bidding:{name}", args=[bid.pk])


def statuses(bid: Bid) -> dict[str, str]:
    fresh = Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)
    return {str(task["title"]): str(task["status"]) for task in tasks_of(fresh, problems(fresh), linked=True)}


def test_an_editor_asks_the_signatory_gets_a_letter_and_a_task_and_signs(bid: Bid, who: Body, editor: User) -> None:
    client = browser(editor)
    shown = client.get(page("check", bid)).content.decode()
    assert "请签署人查看" in shown
    assert "确认并提交申报书" not in shown
    assert client.post(page("ask_to_sign", bid)).status_code == 302
    drain()
    letter = Message.objects.get(to=who.signatory, template="bidding/ask_to_sign")
    assert bid.title in letter.subject
    assert letter.link == page("check", bid)
    assert not Message.objects.filter(to=editor, template="bidding/ask_to_sign").exists()
    assert [w.url for w in waiting(who.signatory)] == [page("check", bid)]
    signing = browser(who.signatory).get(page("check", bid)).content.decode()
    assert "王某" in signing
    assert "确认并提交申报书" in signing
    done = browser(who.signatory).post(page("check", bid), {"declarations": world.pledges(bid.call)})
    assert done.status_code == 302
    assert Bid.objects.get().sign_asked_at is None


def test_the_signatory_sends_it_back_with_a_reason_and_the_pages_are_marked(bid: Bid, who: Body, editor: User) -> None:
    services.ask_to_sign(bid, by=editor)
    told = browser(who.signatory).post(page("send_back", bid), {"reason": "督导费偏高，请说明。", "pages": ["budget"]})
    assert told.status_code == 302
    drain()
    assert "督导费偏高" in Message.objects.get(to=editor, template="bidding/sent_back").body
    assert statuses(bid)["预算"] == "需修改"
    assert "督导费偏高，请说明。" in browser(editor).get(page("tasks", bid)).content.decode()
    services.save_budget(bid, [*world.budget(bid.call, bid.call.rules.amounts.cap / 6)], by=editor)
    assert statuses(bid)["预算"] != "需修改"
    services.ask_to_sign(bid, by=editor)
    assert Bid.objects.get().sent_back_because == ""


def test_without_a_reason_nothing_is_sent_back_and_the_page_says_so(bid: Bid, who: Body) -> None:
    told = browser(who.signatory).post(page("send_back", bid), {"reason": " ", "pages": ["budget"]})
    assert told.status_code == 422
    assert 'href="#id_reason"' in told.content.decode()
    with pytest.raises(Invalid):
        services.send_back(bid, by=who.signatory, reason=" ")
    assert Bid.objects.get().sent_back_pages == []


def test_an_editor_neither_signs_nor_sends_back(bid: Bid, editor: User) -> None:
    assert browser(editor).post(page("check", bid), {"declarations": world.pledges(bid.call)}).status_code == 403
    with pytest.raises(NotYou):
        services.send_back(bid, by=editor, reason="不该由填报人退回")
    assert Bid.objects.get().state == "draft"


def test_asking_and_returning_are_steps_in_the_ledger_and_the_reason_is_private(bid: Bid, who: Body, editor: User) -> None:
    services.ask_to_sign(bid, by=editor)
    services.send_back(bid, by=who.signatory, reason="请补充数据来源", pages=["kpis"])
    events = AuditEvent.objects.filter(subject=bid.subject).order_by("pk")
    assert [e.event for e in events][-2:] == ["bid.ask_to_sign", "bid.send_back"]
    assert "请补充数据来源" not in str(events.last().__dict__)


def test_after_the_deadline_nobody_is_asked_to_sign(bid: Bid, editor: User, call: Call) -> None:
    assert call.closes_at is not None
    with clock.at(call.closes_at), pytest.raises(NotNow):
        services.ask_to_sign(bid, by=editor)


def test_a_long_text_is_done_when_its_writer_says_so(bid: Bid, who: Body, call: Call) -> None:
    """Everything required is there, yet only the writer knows whether the text is finished."""
    section = next(s for s in call.rules.forms.application if any(f.kind == "longtext" for f in s.fields))
    assert statuses(bid)[section.title] == "填写中"
    client, address = browser(who.signatory), reverse("bidding:section", args=[bid.pk, section.code])
    assert "本部分是否已填完？" in client.get(address).content.decode()
    services.finish(bid, f"sections/{section.code}", done=True, by=who.signatory)
    assert statuses(bid)[section.title] == "已完成"
    services.finish(bid, f"sections/{section.code}", done=False, by=who.signatory)
    assert statuses(bid)[section.title] == "填写中"


def test_every_status_of_the_task_list_means_what_it_says(call: Call, who: Body) -> None:
    with clock.at(world.opens(call)):
        fresh = world.started(call, who)
        found = statuses(fresh)
        assert found["预算"] == "尚未开始"
        assert found["检查、签署并提交"] == "尚不能开始"
        over = [{**world.budget(call, call.rules.amounts.cap)[0], "unit_price": str(call.rules.amounts.cap + 1)}]
        services.save_budget(fresh, over, by=who.signatory)
        assert statuses(fresh)["预算"] == "有问题"
        services.save_team(fresh, world.team(call), by=who.signatory)
        assert statuses(fresh)["人员名单"] == "已完成"


def test_the_last_signatory_stays_so_that_no_bid_is_orphaned(who: Body, desk: Office) -> None:
    held = active(role="signatory", scope_kind="organisation", scope_id=who.organisation.pk).get()
    with pytest.raises(NotNow, match="最后一位签署人"):
        dismiss(held, by=who.signatory)
    successor = people.appointed("signatory", who.organisation, by=who.signatory)
    dismiss(held, by=successor)
    assert not active(pk=held.pk).exists()


def test_a_bid_stays_with_the_organisation_when_its_writer_leaves(bid: Bid, who: Body, editor: User) -> None:
    """Whoever began it may go: the colleagues go on."""
    services.keep(bid, services.About(), {"title": "王某写的名字"}, by=editor)
    dismiss(active(role="editor", user=editor).get(), by=who.signatory)
    assert browser(editor).get(page("tasks", bid)).status_code == 404
    shown: Any = browser(who.signatory).get(page("about", bid))
    assert "王某写的名字" in shown.content.decode()


def test_the_receipt_page_links_the_receipt_and_says_what_comes_next_and_when(bid: Bid, who: Body) -> None:
    services.submit(bid, by=who.signatory, declarations=world.pledges(bid.call))
    client = browser(who.signatory)
    assert "正在生成" in client.get(page("submitted", bid)).content.decode()
    drain()
    shown = client.get(page("submitted", bid)).content.decode()
    assert "下载回执 YX-2026-01-001-H1.pdf" in shown
    assert "评审计划在" in shown


def test_a_viewer_reads_everything_of_their_organisation_and_writes_nothing(bid: Bid, who: Body) -> None:
    viewer = people.appointed("viewer", who.organisation, "志愿者", by=who.signatory)
    client = browser(viewer)
    shown = client.get(page("tasks", bid)).content.decode()
    assert bid.title in shown
    assert f'href="{page("about", bid)}"' not in shown
    assert client.get(page("check", bid)).status_code == 200
    assert client.get(page("about", bid)).status_code == 403
    assert client.post(page("check", bid), {"declarations": world.pledges(bid.call)}).status_code == 403
    assert client.post(page("ask_to_sign", bid)).status_code == 403
    told = client.post(reverse("bidding:save", args=[bid.pk, "about"]), '{"answers": []}', content_type="application/json")
    assert told.status_code == 403
    assert Bid.objects.get().state == "draft"


def test_a_change_from_the_check_page_returns_to_the_check_page(bid: Bid, who: Body) -> None:
    client = browser(who.signatory)
    address = f"{page('about', bid)}?from=check"
    assert f'href="{address}"' in client.get(page("check", bid)).content.decode()
    shown = client.get(address).content.decode()
    assert "保存并返回检查页" in shown
    told = client.post(address, {"title": "改过的名字", "category": bid.category, "need": bid.need})
    assert told.headers["Location"] == page("check", bid)
    assert client.post(page("about", bid), {"title": "又改", "category": bid.category}).headers["Location"] == page("tasks", bid)
