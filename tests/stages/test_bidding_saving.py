"""The end of the pages that save by themselves: what is kept, what clashes, who is refused, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bidding import services
from bidding.completeness import problems
from bidding.models import Bid, Presence
from bidding.services import presence
from grants import clock
from grants.calls.models import Call
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow.refusals import Invalid
from tests.world import bidding as world
from tests.world import calls, people
from tests.world.people import Body, Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def call(desk: Office) -> Call:
    return calls.opened(desk, calls.rules("YX-2026-01"))


@pytest.fixture
def who(desk: Office) -> Body:
    return people.body(desk)


@pytest.fixture
def editor(who: Body) -> User:
    return people.appointed("editor", who.organisation, "王某", by=who.signatory)


@pytest.fixture
def bid(call: Call, who: Body) -> Iterator[Bid]:
    with clock.at(world.opens(call)):
        yield world.started(call, who)


class Typing:
    """A browser with one page of the bid open: sends answers on the marks it has seen, as the script does."""

    def __init__(self, bid: Bid, page: str, person: User | None) -> None:
        self.client, self.page = Client(enforce_csrf_checks=False), page
        self.address = reverse("bidding:save", args=[bid.pk, page])
        if person is not None:
            self.client.force_login(person)
        self.marks: dict[str, str] = {}

    def send(self, **controls: Any) -> Any:
        """answer=[(name, value), …] or answer=text for a single control."""
        rows = [
            {"answer": answer, "mark": self.marks.get(answer, "0-"), "controls": [[answer, each]] if isinstance(each, str) else each}
            for answer, each in controls.items()
        ]
        return self.post({"answers": rows, "marks": self.marks})

    def post(self, body: Any) -> Any:
        told = self.client.post(self.address, body if isinstance(body, bytes) else json.dumps(body), content_type="application/json")
        if "marks" in told.json():
            self.marks.update(told.json()["marks"])
        return told


def line(name: str, price: str, **more: str) -> dict[str, str]:
    return {"category": "activity", "name": name, "unit_price": price, "quantity": "1", "source": "grant", "note": "", **more}


def rows(*lines: dict[str, str]) -> list[list[str]]:
    """A table as the script sends it."""
    cells = [[f"form-{i}-{name}", value] for i, row in enumerate(lines) for name, value in row.items()]
    return [["form-TOTAL_FORMS", str(len(lines))], ["form-INITIAL_FORMS", "0"], *cells]


def test_an_answer_is_kept_and_the_reply_says_when_and_which_version(bid: Bid, who: Body) -> None:
    page = Typing(bid, "sections/basics", who.signatory)
    told = page.send(summary="每周入户探访。").json()
    assert told["saved_at"] == "10:00"
    assert told["marks"]["summary"].startswith("1-")
    assert Bid.objects.get().answers["basics"]["summary"] == "每周入户探访。"
    assert page.send(summary="每周两次。").json()["marks"]["summary"].startswith("2-")


def test_a_colleague_s_answer_is_not_overwritten_and_both_texts_come_back(bid: Bid, who: Body, editor: User) -> None:
    mine, theirs = Typing(bid, "sections/basics", editor), Typing(bid, "sections/basics", who.signatory)
    mine.post({"answers": []})
    theirs.post({"answers": []})
    theirs.send(summary="同事写的。")
    told = mine.send(summary="我写的。", starts_on="2026-06-01")
    assert told.status_code == 409
    clash = told.json()["clashes"][0]
    assert clash["theirs"] == "同事写的。"
    assert clash["controls"] == [["summary", "同事写的。"]]
    assert "签署人 在 10:00 改过" in clash["said"]
    held = Bid.objects.get().answers["basics"]
    assert held["summary"] == "同事写的。"
    assert held["starts_on"] == "2026-06-01"  # the answer that nobody else touched was saved
    mine.marks["summary"] = clash["mark"]
    assert mine.send(summary="我写的。").status_code == 200
    assert Bid.objects.get().answers["basics"]["summary"] == "我写的。"


def test_what_a_colleague_saved_comes_to_a_page_that_only_shows_it(bid: Bid, who: Body, editor: User) -> None:
    mine, theirs = Typing(bid, "sections/basics", editor), Typing(bid, "sections/basics", who.signatory)
    mine.post({"answers": []})
    theirs.send(summary="同事写的。")
    fresh = mine.post({"answers": [], "marks": mine.marks}).json()["fresh"]
    assert [each["controls"] for each in fresh] == [[["summary", "同事写的。"]]]


def test_the_project_s_name_is_one_answer_in_two_places_and_clashes_in_both(bid: Bid, who: Body, editor: User) -> None:
    about, basics = Typing(bid, "about", editor), Typing(bid, "sections/basics", who.signatory)
    about.post({"answers": []})
    basics.post({"answers": []})
    basics.send(name="新名字")
    assert about.send(title="另一个名字").status_code == 409
    assert Bid.objects.get().title == "新名字"


def test_what_is_too_long_or_no_number_is_kept_as_typed_told_and_blocks_submission(bid: Bid, who: Body) -> None:
    told = Typing(bid, "sections/basics", who.signatory).send(summary="长" * 501).json()
    assert "请删减 1 字" in told["problems"]["summary"][0]
    held = Bid.objects.get()
    assert held.answers["basics"]["summary"] == "长" * 501
    assert any(p.wrong and p.field == "summary" for p in problems(held))


def test_a_budget_that_cannot_be_read_is_kept_as_typed_beside_the_last_one_that_could(bid: Bid, who: Body) -> None:
    """The typed rows come back to the page, the table keeps its last good rows, and submission waits."""
    page = Typing(bid, "budget", who.signatory)
    page.send(rows=rows(line("探访", "１，２００．５０")))
    told = page.send(rows=rows(line("探访", "1200.50"), line("坏", "一百块"))).json()
    assert list(told["problems"]) == ["form-1-unit_price"]
    held = Bid.objects.get()
    assert [str(row.unit_price) for row in held.budget_lines.all()] == ["1200.50"]
    assert [p.page for p in problems(held) if "无法识别" in p.sentence] == ["budget"]
    shown = page.client.get(reverse("bidding:budget", args=[bid.pk])).content.decode()
    assert "一百块" in shown
    assert page.send(rows=rows(line("探访", "1200.50"), line("好", "100"))).json()["problems"] == {}
    assert Bid.objects.get().typed == {}
    assert bid.budget_lines.count() == 2


def test_a_title_that_is_too_long_stays_as_typed_and_the_old_one_stands(bid: Bid, who: Body) -> None:
    page = Typing(bid, "about", who.signatory)
    told = page.send(title="长" * 121).json()
    assert "120" in told["problems"]["title"][0]
    held = Bid.objects.get()
    assert (held.title, held.typed["about"]["title"]) == (bid.title, "长" * 121)
    page.send(title="短名")
    held = Bid.objects.get()
    assert (held.title, held.typed) == ("短名", {})


def test_a_table_is_one_answer_and_two_colleagues_tables_are_shown_side_by_side(bid: Bid, who: Body, editor: User) -> None:
    mine, theirs = Typing(bid, "team", editor), Typing(bid, "team", who.signatory)
    mine.post({"answers": []})
    member = {"name": "张某", "role": "社工", "qualification": "", "licence_no": ""}
    theirs.send(rows=rows(member))
    told = mine.send(rows=rows({**member, "name": "李某"}))
    assert told.status_code == 409
    assert told.json()["clashes"][0]["theirs"] == "张某｜社工"
    assert [row.name for row in bid.team.all()] == ["张某"]


def test_saving_writes_no_ledger_entry_and_does_not_submit(bid: Bid, who: Body) -> None:
    before = AuditEvent.objects.count()
    Typing(bid, "sections/basics", who.signatory).send(summary="打字不是步骤。")
    assert AuditEvent.objects.count() == before
    assert Bid.objects.get().state == "draft"


@pytest.mark.parametrize("role", ["claimant", "sponsor_contact"])
def test_colleagues_who_may_not_write_are_refused_with_a_sentence(role: str, bid: Bid, who: Body) -> None:
    told = Typing(bid, "sections/basics", people.appointed(role, who.organisation, by=who.signatory)).send(summary="不该存")
    assert told.status_code in (403, 404)
    assert told.json()["sentence"]
    assert "basics" not in Bid.objects.get().answers or "summary" not in Bid.objects.get().answers["basics"]


def test_strangers_and_the_agency_get_404_before_the_deadline(bid: Bid, desk: Office) -> None:
    for person in (people.person(), desk.officer, desk.auditor, people.body(desk).signatory):
        told = Typing(bid, "sections/basics", person).send(summary="不该存")
        assert told.status_code == 404
        assert told.json()["sentence"]


def test_a_page_that_the_form_has_not_is_404(bid: Bid, who: Body) -> None:
    for page in ("sections/nothing", "attachments", "x/y"):
        assert Typing(bid, page, who.signatory).send(summary="x").status_code == 404


def test_signed_out_is_401_and_says_that_the_text_is_kept_here(bid: Bid) -> None:
    told = Typing(bid, "sections/basics", None).send(summary="x")
    assert told.status_code == 401
    assert "登录后会自动补存" in told.json()["sentence"]


def test_at_the_deadline_nothing_more_is_kept(bid: Bid, who: Body, call: Call) -> None:
    page = Typing(bid, "sections/basics", who.signatory)
    assert call.closes_at is not None
    with clock.at(call.closes_at - timedelta(seconds=1)):
        assert page.send(summary="最后一秒").status_code == 200
    with clock.at(call.closes_at):
        told = page.send(summary="迟了")
    assert told.status_code == 409
    assert "截止" in told.json()["sentence"]
    assert Bid.objects.get().answers["basics"]["summary"] == "最后一秒"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"answers": 1}', b'{"answers": [{"answer": "x"}]}', b"\xff", b'{"answers": [[]]}'])
def test_a_body_that_no_page_sends_is_refused_and_changes_nothing(body: bytes, bid: Bid, who: Body) -> None:
    before = Bid.objects.get().answers
    assert Typing(bid, "sections/basics", who.signatory).post(body).status_code == 400
    assert Bid.objects.get().answers == before


def test_an_answer_that_the_form_does_not_ask_is_not_kept(bid: Bid, who: Body) -> None:
    assert Typing(bid, "sections/basics", who.signatory).send(intruder="x").status_code == 200
    assert "intruder" not in Bid.objects.get().answers.get("basics", {})


def test_without_a_csrf_token_nothing_is_kept(bid: Bid, who: Body) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(who.signatory)
    told = client.post(reverse("bidding:save", args=[bid.pk, "about"]), b'{"answers": []}', content_type="application/json")
    assert told.status_code == 403


def test_colleagues_see_who_is_writing_where_for_half_a_minute(bid: Bid, who: Body, editor: User) -> None:
    Typing(bid, "sections/basics", editor).post({"answers": []})
    title = next(s.title for s in bid.rules.forms.application if s.code == "basics")
    page = Typing(bid, "budget", who.signatory)
    assert page.post({"answers": []}).json()["writers"] == [f"王某 正在填写“{title}”"]
    assert presence.others(bid.subject, than=editor) == ["签署人 正在填写“预算”"]
    with clock.at(clock.now() + timedelta(seconds=36)):
        assert presence.others(bid.subject, than=who.signatory) == []


def test_presence_is_written_at_most_every_ten_seconds(bid: Bid, editor: User) -> None:
    start = clock.now()
    for seconds in range(10):
        with clock.at(start + timedelta(seconds=seconds)):
            presence.note(bid.subject, "预算", by=editor)
    assert Presence.objects.get().seen_at == start


def test_a_save_costs_the_same_however_much_is_in_the_bid(bid: Bid, who: Body, django_assert_num_queries: Any) -> None:
    """Ten statements — session, person, bid, roles, lock, save, presence, colleagues — and none per answer, row or colleague."""
    page = Typing(bid, "sections/basics", who.signatory)
    page.post({"answers": []})
    for i in range(2):
        with django_assert_num_queries(10):
            page.send(summary=f"第 {i} 次")
        services.save_budget(bid, [line(f"第 {n} 行", "1") for n in range(40)], by=who.signatory)


def test_a_page_sent_whole_without_marks_replaces_as_before_and_one_with_marks_does_not(bid: Bid, who: Body, editor: User) -> None:
    address = reverse("bidding:section", args=[bid.pk, "basics"])
    browser = Client()
    browser.force_login(editor)
    shown = browser.get(address).context["form"].marks["summary"]
    Typing(bid, "sections/basics", who.signatory).send(summary="同事写的。")
    told = browser.post(address, {"name": bid.title, "summary": "我写的。", "mark-summary": shown})
    assert told.status_code == 409
    assert "同事写的。" in told.content.decode()
    assert "我写的。" in told.content.decode()
    assert browser.post(address, {"name": bid.title, "summary": "我写的。"}).status_code == 302


def test_the_strict_save_still_refuses_what_autosave_keeps(bid: Bid, who: Body) -> None:
    with pytest.raises(Invalid):
        services.save_answers(bid, "basics", {"summary": "长" * 501}, by=who.signatory)


def test_after_the_deadline_every_open_page_is_on_an_old_version(bid: Bid, who: Body) -> None:
    """Restoring the submitted version counts as a change of every answer that was kept."""
    Typing(bid, "sections/basics", who.signatory).send(summary="甲")
    held = Bid.objects.get()
    from bidding import frozen

    content = frozen.document(held)
    frozen.restore(held, json.loads(json.dumps(content)))
    assert held.marks["sections/basics"]["summary"]["v"] == 2


def test_a_sign_of_life_takes_no_lock_and_writes_nothing_but_presence(bid: Bid, who: Body, django_assert_num_queries: Any) -> None:
    """Every page that is open sends one every fifteen seconds; on SQLite a lock would stop everybody else's typing."""
    for page, queries in (("about", 6), ("sections/basics", 6), ("budget", 7), ("kpis", 7), ("team", 7)):
        typing = Typing(bid, page, who.signatory)
        typing.post({"answers": []})
        with django_assert_num_queries(queries, info=page) as asked:
            typing.post({"answers": [], "marks": typing.marks})
        assert not [q["sql"] for q in asked.captured_queries if not q["sql"].startswith("SELECT")]
