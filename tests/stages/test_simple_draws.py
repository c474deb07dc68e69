"""简易抽取 in two actions: announced with a beacon of the future, drawn once it fell; numbers and reasons of repeated draws."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from grants import clock, ledger
from grants.audit.parts import Wish, reviews
from grants.audit.tables import sheets
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.workflow import effects
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import services, transcript
from review.drawing_parties import head_of
from review.models import Draw, Meeting, Panel
from review.transcript_reading import read
from tests.world import people, shared
from tests.world import review as world
from tests.world.refusals import refused
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """A closed call whose rules draw simply and have a defence, with three admitted bids and a pool."""
    with shared.rows(django_db_blocker):
        yield world.judged(world.rules(name="YX-2026-S1", stages=2))


@pytest.fixture(autouse=True)
def _after_closing(made: Judged) -> Iterator[None]:
    with clock.at(world.after(made.call)):
        yield


def named(hours: float = 1, **more: Any) -> dict[str, Any]:
    return {"kind": "named", "source": "双色球", "round": "2026039", "due": clock.now() + hours * HOUR, **more}


def of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


# --- announced, then drawn -----------------------------------------------------------------------------------------------------


def test_what_is_announced_is_committed_and_hashed_before_any_chance_falls(made: Judged) -> None:
    """The announcement has everything of the seed but the beacon, stands in the log and on the square, and nothing is drawn."""
    draw = services.announce(made.call, beacon=named(), by=made.desk.officer)
    kept = Draw.objects.get(pk=draw.pk)
    assert (kept.state, kept.transcript, Panel.objects.filter(call=made.call).exists()) == ("published", {}, False)
    assert kept.announced_sha256 == transcript.announced_hash(kept.announced)
    opened = json.loads(bytes(AuditEvent.objects.get(event="draw.open", subject=draw.subject).leaf))["public"]
    assert (opened["announced_sha256"], opened["ledger_head"]) == (kept.announced_sha256, kept.ledger_head)
    shown = Client().get(reverse("square:draw", args=[draw.pk])).content.decode()
    assert kept.announced_sha256 in shown and "随机源产生以后才能抽取" in shown


def test_nobody_draws_before_the_beacon_fell_or_without_its_value(made: Judged) -> None:
    draw, by = services.announce(made.call, beacon=named(), by=made.desk.officer), made.desk.officer
    refused(NotNow, "beacon_has_fallen", services.draw_now, draw, by=by)
    refused(NotNow, "beacon_has_fallen", services.enter_beacon, draw, "03 07", evidence="公告", by=by)
    refused(NotNow, "parties_are_named", services.start_draw, draw, by=by)
    with clock.at(draw.beacon_due - timedelta(seconds=1)):
        refused(NotNow, "beacon_has_fallen", services.draw_now, draw, by=by)
    with clock.at(draw.beacon_due):
        refused(NotNow, "ready_to_draw", services.draw_now, draw, by=by)
        refused(Invalid, "draw_evidence", services.enter_beacon, draw, "03 07", evidence=" ", by=by)
        services.enter_beacon(draw, "03 07", evidence="公告", by=by)
        assert services.draw_now(draw, by=by).state == "drawn", "one person, one named beacon"


def test_anybody_repeats_it_and_sees_that_it_was_announced_first(made: Judged) -> None:
    whole = world.drawn(made.call, made.desk.officer, value="03 07 12").transcript
    assert all(check.ok for check in transcript.verify(read(json.dumps(whole).encode(), complete=True)))
    late = {**whole, "closed_at": whole["announced"]["beacon"]["due"]}
    assert (transcript.verify(late)[-1].step, transcript.verify(late)[-1].where) == ("beacon", "closed_at")
    silent = {**whole, "beacon": {"value": "", "evidence": ""}}
    assert transcript.verify(silent)[-1].where == "beacon.value"


def test_the_ledger_head_is_fixed_at_the_announcement_so_that_later_entries_steer_nothing(made: Judged) -> None:
    draw, by = services.announce(made.call, beacon=named(), by=made.desk.officer), made.desk.officer
    with transaction.atomic():
        with clock.at(draw.beacon_due):
            services.enter_beacon(draw, "1", evidence="公告", by=by)
            plain = services.draw_now(draw, by=by).transcript["seed"]
        transaction.set_rollback(True)
    assert draw.ledger_head == head_of(made.call.subject) != "", "the last entry about the call"
    with transaction.atomic():
        ledger.record(event="call.noted", actor="system", role="system", subject=made.call.subject, scope=f"call:{made.call.pk}", public={"n": 1})
    assert draw.ledger_head != head_of(made.call.subject), "somebody wrote another one"
    with clock.at(draw.beacon_due):
        services.enter_beacon(draw, "1", evidence="公告", by=by)
        assert services.draw_now(draw, by=by).transcript["seed"] == plain


def test_what_is_thrown_in_the_room_needs_two_people(made: Judged) -> None:
    beacon = {"kind": "said", "source": "监督员当众掷骰子四次", "due": clock.now() + HOUR}
    draw, by, other = services.announce(made.call, beacon=beacon, by=made.desk.officer), made.desk.officer, people.appointed("observer", made.call)
    with clock.at(draw.beacon_due):
        with transaction.atomic():
            services.enter_beacon(draw, "3-5-2-6", evidence="录像", by=by)
            refused(NotYou, "not_beacon_entered_by", services.draw_now, draw, by=by)
            transaction.set_rollback(True)
        services.enter_beacon(draw, "3-5-2-6", evidence="录像", by=other)
        assert services.draw_now(draw, by=by).state == "drawn"


@pytest.mark.parametrize(
    ("field", "beacon"),
    [
        ("due", {"due": timedelta()}), ("due", {"due": -HOUR}), ("source", {"source": " "}), ("source", {"round": ""}),
        ("source", {"source": "13812345678"}), ("due", {"kind": "drand", "round": 1}),
    ],
)  # fmt: skip
def test_what_cannot_be_announced(made: Judged, field: str, beacon: dict[str, Any]) -> None:
    """A beacon that has fallen, without a name or an issue, or with somebody's number: refused beside its field, nothing kept."""
    if "due" in beacon:
        beacon = {"due": clock.now() + beacon["due"]}
    told = refused(Invalid, f"draw_{field}", services.announce, made.call, beacon=named(**beacon), by=made.desk.officer)
    assert list(told.problems) == [field]  # type: ignore[attr-defined]
    assert not Draw.objects.filter(call=made.call).exists()


def test_a_challenge_that_is_open_holds_the_simple_draw_back(made: Judged) -> None:
    draw = services.announce(made.call, beacon=named(), by=made.desk.officer)
    effects.drain()
    asked = Message.objects.get(template="review/draw_published", to=made.bodies[0].signatory)
    assert asked.link == reverse("review:challenge", args=[made.bids[0].pk])
    challenge = services.challenge(made.bids[0], name="专家S01", reason="同事", by=made.bodies[0].signatory)
    with clock.at(draw.beacon_due):
        services.enter_beacon(draw, "1", evidence="公告", by=made.desk.officer)
        refused(NotNow, "challenges_decided", services.draw_now, draw, by=made.desk.officer)
        services.reject_challenge(challenge, "离职已久", by=made.desk.approver)
        assert services.draw_now(draw, by=made.desk.officer).state == "drawn"


def test_an_order_is_drawn_over_the_announced_bids_or_not_at_all(made: Judged) -> None:
    panel = world.started(made.call, made.desk.officer)
    draw = services.announce(made.call, beacon=named(2), by=made.desk.officer, panel=panel)
    panel.reviews.filter(bid=made.bids[0]).delete()
    with clock.at(draw.beacon_due):
        services.enter_beacon(draw, "1", evidence="公告", by=made.desk.officer)
        told = refused(NotNow, "still_as_announced", services.draw_now, draw, by=made.desk.officer)
        assert "重新公布" in str(told)
        assert not Meeting.objects.filter(panel=panel).exists()
        refused(NotNow, "no_other_draw", world.order_drawn, panel, made.desk.officer, reason="再来")
        services.fail_draw(draw, "一份申报退出", by=made.desk.approver)
        assert world.order_drawn(panel, made.desk.officer, reason="一份申报退出").state


def test_where_the_rules_want_commitments_the_order_is_not_drawn_simply() -> None:
    strict = world.judged(world.rules(name="YX-2026-S2", stages=2, draw="commit-reveal"), n=2)
    held = world.revealing(strict)
    with clock.at(held.due):
        services.enter_beacon(held.draw, "1", evidence="公告", by=held.of("监督"))
        panel = services.draw_now(held.draw, by=strict.desk.officer).panel
        assert panel is not None
        refused(NotNow, "draw_by_parties", world.order_drawn, panel, strict.desk.officer)
        page = of(strict.desk.officer).get(reverse("review:meeting", args=[panel.pk])).content.decode()
        assert 'name="user_3"' in page, "the page asks for parties"


# --- numbers and reasons -------------------------------------------------------------------------------------------------------


def test_every_earlier_draw_counts_whatever_became_of_it_and_the_next_needs_a_typed_reason(made: Judged) -> None:
    """A stopped draw, then one that was drawn and its panel concluded: the third draw is number 3 and says why."""
    by, start = made.desk.officer, world.after(made.call)
    first = services.announce(made.call, beacon=named(), by=by)
    services.fail_draw(first, "开奖停办", by=made.desk.approver)
    told = refused(NotNow, "numbered_with_reason", services.announce, made.call, beacon=named(), by=by)
    assert "已经抽取过 1 次" in str(told) and "再次抽取的理由" in str(told)
    refused(NotNow, "numbered_with_reason", services.announce, made.call, beacon=named(), by=by, reason="  ")
    refused(Invalid, "draw_reason", services.announce, made.call, beacon=named(), by=by, reason="电话 13812345678")
    second = world.drawn(made.call, by, reason="开奖停办")
    assert (second.number, second.announced["number"], second.announced["reason"]) == (2, 2, "开奖停办")
    Panel._base_manager.filter(pk=second.panel_id).update(state="concluded")
    refused(NotNow, "numbered_with_reason", services.announce, made.call, beacon=named(), by=by)
    with clock.at(start + 3 * HOUR):
        third = world.drawn(made.call, by, reason="为助残类另组评审组")
    assert [d.number for d in Draw.objects.filter(call=made.call).order_by("created_at")] == [1, 2, 3]
    assert any("为助残类另组评审组" in check.said for check in transcript.verify(third.transcript))


def test_number_and_reason_stand_in_the_log_on_the_pages_and_in_the_audit_package(made: Judged) -> None:
    by = made.desk.officer
    services.fail_draw(services.announce(made.call, beacon=named(), by=by), "停办", by=made.desk.approver)
    page = of(by).get(reverse("review:convene", args=[made.call.pk])).content.decode()
    assert 'name="reason"' in page, "the form asks for it, too"
    draw = world.drawn(made.call, by, reason="开奖停办")
    opened = json.loads(bytes(AuditEvent.objects.get(event="draw.open", subject=draw.subject).leaf))["public"]["announced"]
    assert (opened["number"], opened["reason"]) == (2, "开奖停办")
    for url in (reverse("square:draw", args=[draw.pk]), reverse("square:draws")):
        shown = Client().get(url).content.decode()
        assert "第 2 次" in shown and "开奖停办" in shown
    own = of(by).get(reverse("desk:object", args=["draw", draw.pk])).content.decode()
    assert "第 2 次" in own and "开奖停办" in own


def test_the_audit_package_has_every_draw_the_stopped_ones_too(made: Judged) -> None:
    """Number, reason and why it was stopped in a table; what was announced as the very bytes whose hash the log has."""
    by = made.desk.officer
    services.fail_draw(first := services.announce(made.call, beacon=named(), by=by), "停办", by=made.desk.approver)
    second = world.drawn(made.call, by, reason="开奖停办")
    wish = Wish(ballots=True, personal=False)
    sheet = next(s for s in sheets(made.call, ballots=True, personal=False) if s.code == "draws")
    cell = {c.name: c for c in sheet.columns}
    rows = [[str(cell[n].value(row)) for n in ("number", "reason", "failure", "state")] for row in sheet.rows]
    assert rows == [["1", "", "停办", "已终止"], ["2", "开奖停办", "", "已抽定"]]
    files = {path: row for path, row in reviews(made.call, wish) if path.startswith("draws/")}
    announced = {d.number: files[f"draws/announced-panel-{d.number}-{d.pk}.json"].sha256 for d in (first, second)}
    assert announced == {1: first.announced_sha256, 2: second.announced_sha256}
    assert [p for p in files if p.startswith("draws/panel-")] == [f"draws/panel-2-{second.pk}.json"]


def test_two_kinds_of_draws_are_counted_apart(made: Judged) -> None:
    """The order of defence is another matter than the experts: its first draw is number 1 and asks for no reason."""
    panel = world.started(made.call, made.desk.officer)
    assert world.order_drawn(panel, made.desk.officer).panel.draws.get(about="order").number == 1


def test_the_page_asks_for_what_the_kind_of_beacon_has_and_keeps_what_was_typed(made: Judged) -> None:
    page, client = reverse("review:convene", args=[made.call.pk]), of(made.desk.officer)
    due = f"{clock.now().astimezone(clock.TZ) + HOUR:%Y-%m-%dT%H:%M:%S}"
    for typed in (
        {"beacon_kind": "named", "source": "双色球", "due": due}, {"beacon_kind": "named", "source": "双色球", "round": "2026039"},
        {"beacon_kind": "said", "due": due}, {"beacon_kind": "drand", "round": "第一轮"}, {"beacon_kind": "drand"},
    ):  # fmt: skip
        answer = client.post(page, typed)
        assert answer.status_code == 422, typed
        assert all(value in answer.content.decode() for value in typed.values() if value != due)
    assert client.post(page, {"beacon_kind": "drand", "round": "99000000"}).status_code == 302
    assert Draw.objects.get(call=made.call).announced["beacon"]["source"] == "drand quicknet"
