"""The defence meeting: an order anybody can draw again, a clock, and totals that nobody sees before they are released."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import pages, services
from review.draw import shuffled
from review.models import Meeting, Panel, Review
from review.transcript import seed_of
from tests.world import review as world
from tests.world import shared
from tests.world.refusals import refused
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Three admitted bids of a call with documents and an oral defence (8 + 5 minutes)."""
    with shared.rows(django_db_blocker):
        yield world.judged(world.rules(stages=2))


@pytest.fixture(scope="module")
def started(judged: Judged, django_db_blocker: Any) -> Panel:
    """Convened, assigned and started, once (tests that need the call before that come first)."""
    with django_db_blocker.unblock():
        return world.started(judged.call, judged.desk.officer)


@pytest.fixture
def panel(started: Panel) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(pk=started.pk)


@pytest.fixture
def meeting(panel: Panel, judged: Judged) -> Meeting:
    return world.order_drawn(panel, judged.desk.officer, value="3-5-2")


@pytest.fixture(autouse=True)
def _after_closing(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call, 4)):
        yield


def of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.getvalue().decode())


def page(user: Any, name: str, panel: Panel) -> Any:
    return of(user).get(reverse(f"review:{name}", args=[panel.pk]))


def chair_of(panel: Panel) -> Any:
    return panel.members.select_related("expert__user").get(chair=True).expert.user


def member_of(panel: Panel) -> Any:
    found = panel.members.filter(chair=False, alternate=False).select_related("expert__user").first()
    assert found is not None
    return found.expert.user


def fresh(meeting: Meeting) -> Meeting:
    return Meeting.objects.select_related(*Meeting.door_select).get(pk=meeting.pk)


# --- the order ----------------------------------------------------------------------------------------------------------------


def test_the_order_is_drawn_on_the_page_once_and_anybody_can_draw_it_again(judged: Judged, panel: Panel) -> None:
    client, url = of(judged.desk.officer), reverse("review:meeting", args=[panel.pk])
    codes = sorted(b.number for b in judged.bids)
    due = clock.now() + world.MINUTE
    typed = {"beacon_kind": "named", "source": "双色球", "round": "2026039", "due": f"{due.astimezone(clock.TZ):%Y-%m-%dT%H:%M:%S}"}
    assert client.post(url, typed).status_code == 302
    assert not Meeting.objects.filter(panel=panel).exists(), "announced, not drawn"
    draw = panel.draws.get(about="order")
    assert reverse("square:draw", args=[draw.pk]) in text(of(chair_of(panel)).get(url)), "a member sees that it is announced"
    step = {"seen_state": "published"}
    with clock.at(due):
        entered = client.post(reverse("desk:step", args=["draw", draw.pk, "enter_beacon"]), {**step, "value": "4-4-1", "evidence": "公告"})
        assert entered.status_code == 302
        assert client.post(reverse("desk:step", args=["draw", draw.pk, "draw"]), step).status_code == 302
    meeting = Meeting.objects.get(panel=panel)
    draw.refresh_from_db()
    assert meeting.seed == seed_of(draw.transcript).hex() == draw.transcript["seed"]
    assert draw.transcript["beacon"]["value"] == "4-4-1"
    assert meeting.draw["order"] == list(shuffled(codes, bytes.fromhex(meeting.seed)))
    shown = text(client.get(url))
    for words in (meeting.seed, "4-4-1", *codes):
        assert words in shown
    refused(NotNow, "has_no_meeting", world.order_drawn, panel, judged.desk.officer, reason="不合意")


def test_what_witnesses_throw_changes_the_seed(judged: Judged, panel: Panel) -> None:
    seeds = set()
    for thrown in ("1", "2"):
        with transaction.atomic():
            seeds.add(world.order_drawn(panel, judged.desk.officer, value=thrown).seed)
            transaction.set_rollback(True)
    assert len(seeds) == 2


def test_the_order_is_drawn_by_the_organiser_only_and_only_where_there_is_a_defence(judged: Judged, panel: Panel) -> None:
    refused(NotYou, "may_convene_panels", world.order_drawn, panel, chair_of(panel))
    url = reverse("review:meeting", args=[panel.pk])
    assert of(chair_of(panel)).post(url, {}).status_code == 403
    assert of(judged.bodies[0].signatory).get(url).status_code == 404
    locked = world.locked(panel, judged.desk.officer)
    refused(NotNow, "panel_is_not_locked", world.order_drawn, locked, judged.desk.officer)


def test_a_witness_number_like_a_phone_is_refused(judged: Judged, panel: Panel) -> None:
    refused(Invalid, "draw_value", world.order_drawn, panel, judged.desk.officer, value="13812345678")
    assert not Meeting.objects.filter(panel=panel).exists()


def test_without_an_oral_stage_there_is_nothing_to_draw() -> None:
    other = world.judged(world.rules(name="YX-2026-77"), n=1)
    with clock.at(world.after(other.call, 4)):
        refused(NotNow, "defends", world.order_drawn, world.started(other.call, other.desk.officer), other.desk.officer)


# --- the clock ----------------------------------------------------------------------------------------------------------------


def test_the_clock_runs_for_the_pitch_then_for_questions_as_the_rules_say(judged: Judged, panel: Panel, meeting: Meeting) -> None:
    bid = judged.bids[1]
    act, chair = reverse("review:meeting_act", args=[panel.pk]), of(chair_of(panel))
    assert chair.post(act, {"do": "question"}).status_code == 409
    assert chair.post(act, {"do": "present", "bid": bid.pk}).status_code == 302
    state = chair.get(reverse("review:meeting_state", args=[panel.pk])).json()
    assert (state["bid"], state["part"], state["left"]) == (f"{bid.number} {bid.title}", "pitch", 480)
    with clock.at(clock.now() + timedelta(seconds=30)):
        assert page(member_of(panel), "meeting_state", panel).json()["left"] == 450
        assert "7:30" in text(page(member_of(panel), "screen", panel))
        assert chair.post(act, {"do": "question"}).status_code == 302
        assert page(member_of(panel), "meeting_state", panel).json()["left"] == 300
        with clock.at(clock.now() + timedelta(seconds=330)):
            assert page(member_of(panel), "meeting_state", panel).json()["left"] == -30
            assert "−0:30" in text(page(member_of(panel), "screen", panel))
    assert of(member_of(panel)).post(act, {"do": "present", "bid": bid.pk}).status_code == 403


def test_a_bid_that_is_not_in_the_order_cannot_be_called(judged: Judged, panel: Panel, meeting: Meeting) -> None:
    bid = judged.bids[0]
    Meeting.objects.filter(pk=meeting.pk).update(draw={**meeting.draw, "order": [b.number for b in judged.bids[1:]]})
    refused(NotNow, "bid_defends_here", services.present, fresh(meeting), bid, by=judged.desk.officer)
    strange = of(judged.desk.officer).post(reverse("review:meeting_act", args=[panel.pk]), {"do": "present", "bid": "x"})
    assert strange.status_code == 404


def test_an_expert_goes_from_the_bid_in_front_to_their_own_oral_ballot_and_sees_no_other(
    judged: Judged, panel: Panel, meeting: Meeting
) -> None:
    user = member_of(panel)
    services.present(meeting, judged.bids[0], by=judged.desk.officer)
    shown = text(page(user, "meeting", panel))
    own = Review.objects.get(panel=panel, bid=judged.bids[0], stage="oral", expert__user=user)
    assert f"{reverse('review:review', args=[own.pk])}?panel={panel.pk}&amp;stage=oral" in shown
    assert "正在答辩" in shown
    assert "请上场" not in shown
    for other in Review.objects.filter(panel=panel).exclude(expert__user=user):
        assert str(other.pk) not in shown


# --- hold and release -----------------------------------------------------------------------------------------------------------


def readers(judged: Judged, panel: Panel) -> list[Any]:
    return [judged.desk.officer, judged.desk.approver, judged.desk.auditor, chair_of(panel), member_of(panel)]


def everything(user: Any, panel: Panel, bid: Any) -> str:
    """Every page on which a total could stand, for one person."""
    client, found = of(user), ""
    names = ("panel", "ranking", "meeting", "screen", "meeting_state", "paper")
    for url in [reverse(f"review:{n}", args=[panel.pk]) for n in names] + [
        reverse("desk:object", args=["panel", panel.pk]), reverse("desk:object", args=["bid", bid.pk]), reverse("review:mine"), "/",
        reverse("awards:board", args=[panel.call.pk]), reverse("awards:board_file", args=[panel.call.pk, "csv"]),
        reverse("desk:object", args=["meeting", panel.meeting.pk]), f"/project/{bid.pk}/",
    ]:  # fmt: skip
        found += text(client.get(url))
    return found


def test_after_the_lock_nobody_sees_a_total_until_it_is_released(judged: Judged, panel: Panel, meeting: Meeting) -> None:
    """Every ballot gives 0.8734 of the points, so every total is 87.3x: nowhere before, everywhere after."""
    panel = world.locked(panel, judged.desk.officer, lambda review: world.Decimal("0.8734"))
    total = f"{panel.results.first().total:.2f}"  # type: ignore[union-attr]
    assert not total.endswith("0.00")
    for who in readers(judged, panel):
        assert total not in everything(who, panel, judged.bids[0])
        assert page(who, "ranking", panel).status_code == 404
    for review in panel.reviews.all()[:3]:
        assert of(judged.desk.auditor).get(reverse("desk:object", args=["review", review.pk])).status_code == 404
    refused(NotNow, "results_are_out", services.sign, panel, by=chair_of(panel))
    refused(
        NotNow,
        "results_are_out",
        services.recommend_amount,
        panel,
        judged.bids[0],
        world.Decimal(1),
        "试",
        by=judged.desk.officer,
    )
    assert pages.waiting(chair_of(panel)) == []
    act = reverse("review:meeting_act", args=[panel.pk])
    assert of(member_of(panel)).post(act, {"do": "release"}).status_code == 403
    assert of(chair_of(panel)).post(act, {"do": "release"}).status_code == 302
    for who in readers(judged, panel):
        assert total in text(page(who, "screen", panel))
        assert total in text(page(who, "ranking", panel))
    refused(NotNow, "nothing_is_pending", services.sign, panel, by=chair_of(panel))
    with clock.at(world.after(judged.call, 11)):
        world.parted(panel, judged.desk.officer)
    services.sign(panel, by=chair_of(panel))


def test_whoever_locked_does_not_publish_and_nothing_is_published_before_the_lock(
    judged: Judged, panel: Panel, meeting: Meeting
) -> None:
    refused(NotNow, "scores_are_locked", services.release, meeting, by=chair_of(panel))
    world.locked(panel, judged.desk.officer)
    refused(NotYou, "not_locked_by", services.release, fresh(meeting), by=judged.desk.officer)
    assert "另一位工作人员公布" in text(page(judged.desk.officer, "meeting", panel))
    assert services.release(fresh(meeting), by=chair_of(panel)).state == "released"
    refused(NotNow, "state", services.present, fresh(meeting), judged.bids[0], by=chair_of(panel))


def test_the_paper_has_a_line_for_every_member_and_a_sheet_for_every_bid(judged: Judged, panel: Panel, meeting: Meeting) -> None:
    shown = text(page(judged.desk.officer, "paper", panel))
    for member in panel.members.filter(alternate=False):
        assert member.expert.code in shown
    assert shown.count("专家签字") == 3
    assert meeting.seed in shown


def test_the_meeting_costs_the_same_with_one_and_with_three_bids(judged: Judged, panel: Panel, meeting: Meeting) -> None:
    def queries(name: str) -> int:
        client, url = of(member_of(panel)), reverse(f"review:{name}", args=[panel.pk])
        client.get(url)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        return sum('"review_' in q["sql"] or '"bidding_' in q["sql"] for q in seen)

    three = {name: queries(name) for name in ("meeting", "screen", "meeting_state")}
    panel.reviews.exclude(bid=judged.bids[0]).delete()
    assert {name: queries(name) for name in three} == three == {"meeting": 6, "screen": 3, "meeting_state": 1}
