"""回避 is asked, and what is found kept with its moment: before the pool is published, after the draw, on opening the file, before publishing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bidding.models import BidVersion
from grants import clock
from grants.awards import services as awarding
from grants.awards.models import PublicNotice
from grants.desk.audit.conflicts import FOUND, lines
from grants.ledger.models import AuditEvent
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import services
from review.conflicts import RelationKind as K
from review.findings import closed_to
from review.models import ConflictHit, Expert, Panel, Review
from tests.world import awards as awarded
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Two bids; more experts than a panel takes."""
    with shared.rows(django_db_blocker):
        yield world.judged(world.rules(name="YX-2026-M1"), n=2, sector=9, finance=4)


@pytest.fixture(autouse=True)
def the_third_day(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call)):
        yield


def tied(judged: Judged, expert: Expert, bid: int = 0) -> None:
    body = judged.bodies[bid].organisation
    services.record_tie(expert, body, K.CONSULTED, agency=judged.desk.agency, by=judged.desk.officer, since=clock.today())


def entries(event: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(event=event).order_by("id"))


def see(user: Any, page: str) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(page)


# --- before the pool is published, and after the draw --------------------------------------------------------------------------


def test_what_is_found_before_the_pool_is_published_is_kept_with_its_draw_and_only_once(judged: Judged) -> None:
    """Whoever is passed over has a finding too; the check after the draw finds nothing new."""
    tied(judged, judged.experts["S01"])
    panel = world.convened(judged.call, judged.desk.officer)
    (hit,) = ConflictHit.objects.all()
    assert (hit.expert.code, hit.moment, hit.draw, hit.panel, hit.found_by) == ("S01", "pool", panel.draws.get(), None, judged.desk.officer)
    (entry,) = entries("call.check_conflicts")
    assert entry.event and AuditEvent.objects.get(event="panel.check_conflicts")
    assert [line.expert for line in lines(judged.call) if line.kind == FOUND] == ["S01"]


def test_a_finding_made_before_the_draw_belongs_to_the_panel_once_its_expert_is_drawn(judged: Judged) -> None:
    """The pool is so small that somebody in conflict is drawn after all, and kept from the bid concerned."""
    Expert.objects.exclude(code__in=["S01", "S02", "S03", "S04", "F01"]).update(is_active=False)
    tied(judged, judged.experts["S01"])
    panel = world.convened(judged.call, judged.desk.officer)
    (hit,) = panel.hits.all()
    assert (hit.moment, hit.draw) == ("pool", panel.draws.get())
    assert services.check_conflicts(panel, by=judged.desk.officer) == [hit]
    assert ConflictHit.objects.count() == 1


def test_a_draw_by_commitments_keeps_them_with_its_announcement() -> None:
    made = world.judged(world.rules(name="YX-2026-M2", draw="commit-reveal"), n=1, sector=8, finance=3)
    with clock.at(world.after(made.call)):
        tied(made, made.experts["S02"])
        held = world.published(made)
    (hit,) = ConflictHit.objects.filter(bid__call=made.call)
    assert (hit.draw, hit.moment) == (held.draw, "pool")


def test_a_draw_that_is_refused_keeps_what_was_found_all_the_same(judged: Judged) -> None:
    Expert.objects.exclude(code__in=["S01", "S02", "F01"]).update(is_active=False)
    tied(judged, judged.experts["S01"])
    with pytest.raises(Invalid):
        world.convened(judged.call, judged.desk.officer)
    assert [(h.moment, h.draw, h.panel) for h in ConflictHit.objects.all()] == [("pool", None, None)]


def test_a_stranger_has_nothing_compared(judged: Judged) -> None:
    tied(judged, judged.experts["S01"])
    for who in (judged.desk.finance, judged.bodies[0].signatory, judged.experts["S02"].user, people.person("路人")):
        with pytest.raises(NotYou):
            world.announced(judged.call, who)
    assert not ConflictHit.objects.exists()


def test_what_comes_up_after_the_announcement_is_found_after_the_draw(judged: Judged) -> None:
    panel = world.convened(judged.call, judged.desk.officer)
    member = panel.members.filter(alternate=False).first()
    assert member is not None
    tied(judged, member.expert)
    services.check_conflicts(panel, by=judged.desk.officer)
    assert [(h.moment, h.draw) for h in panel.hits.all()] == [("asked", None)]
    last = entries("panel.check_conflicts")[-1]
    assert '"hits":1' in bytes(last.leaf).decode()
    services.check_conflicts(panel, by=judged.desk.officer)
    assert '"hits":0' in bytes(entries("panel.check_conflicts")[-1].leaf).decode(), "counted are new findings"


# --- on opening the file ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def review(judged: Judged) -> Review:
    return world.review_of(world.started(judged.call, judged.desk.officer), judged.bids[0])


def test_a_pledge_that_is_refused_leaves_the_finding_and_one_entry(judged: Judged, review: Review) -> None:
    tied(judged, review.expert)
    for _again in range(2):
        with pytest.raises(NotNow):
            services.accept(review, by=review.expert.user, pledge=True)
    (hit,) = review.panel.hits.all()
    assert (hit.moment, hit.found_by) == ("opening", None)
    (entry,) = entries("panel.found_conflict")
    assert hit.fingerprint in bytes(entry.leaf).decode()


def test_after_the_pledge_a_conflict_closes_the_score_sheet_and_the_files(judged: Judged, review: Review) -> None:
    """Nothing of the bid is on the page that comes instead; it offers to step aside, and that works."""
    services.accept(review, by=review.expert.user, pledge=True)
    last = review.bid.versions.latest("number")
    shown = {**last.content, "attachments": [{**a, "visibility": "experts"} for a in last.content["attachments"]]}
    BidVersion.objects.create(
        bid=review.bid, number=last.number + 1, document=json.dumps(shown), hash="0" * 64, submitted_at=last.submitted_at
    )
    page, desk = reverse("review:score", args=[review.pk]), reverse("desk:object", args=["review", review.pk])
    sheet = see(review.expert.user, page)
    assert sheet.status_code == 200
    text = "为辖区独居老人建立结对探访"
    assert text in sheet.content.decode() and sheet.context["documents"] and see(review.expert.user, desk).context["documents"]
    tied(judged, review.expert)
    answer = see(review.expert.user, page)
    told = answer.content.decode()
    assert answer.status_code == 409 and "为申报提供咨询的关系" in told and text not in told
    assert see(review.expert.user, desk).context["documents"] == []
    assert [h.moment for h in review.panel.hits.all()] == ["opening"]
    assert reverse("review:recuse", args=[review.pk]) in told
    client = Client()
    client.force_login(review.expert.user)
    client.post(reverse("review:recuse", args=[review.pk]), {"reason": "已开始为其提供咨询"})
    assert Review.objects.get(pk=review.pk).state == "recused"


def test_a_finding_set_aside_by_two_opens_the_file_again(judged: Judged, review: Review) -> None:
    services.accept(review, by=review.expert.user, pledge=True)
    tied(judged, review.expert)
    now = Review.objects.select_related(*Review.door_select).get(pk=review.pk)
    assert closed_to(now) is not None
    hit = now.panel.hits.get()
    services.propose_dismissal(hit, "只是公开讲座", by=judged.desk.officer)
    assert closed_to(now) is not None, "one person is not enough"
    services.dismiss_hit(hit, "核对签到表属实", by=judged.desk.approver)
    assert closed_to(now) is None


def test_where_bidders_are_hidden_the_closed_file_names_none() -> None:
    made = world.judged(world.rules(name="YX-2026-M3", hiding={"until": "locked"}), n=1, sector=8, finance=3)
    with clock.at(world.after(made.call)):
        review = world.review_of(world.started(made.call, made.desk.officer), made.bids[0])
        services.accept(review, by=review.expert.user, pledge=True)
        tied(made, review.expert)
        answer = see(review.expert.user, reverse("review:score", args=[review.pk]))
        assert answer.status_code == 409
        assert made.bodies[0].organisation.name not in answer.content.decode()
        assert made.bodies[0].organisation.name in review.panel.hits.get().sentence


def test_handing_in_and_locking_keep_what_refuses_them(judged: Judged, review: Review) -> None:
    panel = Panel.objects.select_related(*Panel.door_select).get(pk=review.panel_id)
    with clock.at(world.after(judged.call, 5)):
        world.scored(review, submit=False)
        tied(judged, review.expert)
        for act in (services.submit, services.hand_in):
            with pytest.raises(NotNow):
                act(review, by=review.expert.user)
        assert [h.moment for h in panel.hits.all()] == ["handing_in"]
        hit = panel.hits.get()
        services.propose_dismissal(hit, "只是公开讲座", by=judged.desk.officer)
        services.dismiss_hit(hit, "核对签到表属实", by=judged.desk.approver)
        services.submit(review, by=review.expert.user)
        world.all_scored(panel)
        world.others_entered(panel, judged.desk.officer)
        other = world.review_of(panel, judged.bids[1])
        tied(judged, other.expert, bid=1)
        with pytest.raises(NotNow) as told:
            services.lock(panel, by=judged.desk.officer)
        assert told.value.rule == "conflicts_are_settled"
    assert sorted(h.moment for h in panel.hits.all()) == ["handing_in", "locking"]


# --- before publishing -------------------------------------------------------------------------------------------------------------


def test_between_the_report_and_the_notice_a_conflict_stops_the_notice_until_two_set_it_aside() -> None:
    """Nothing is public, the finding is kept, and the sentence says where and how."""
    made = awarded.ranked(awarded.rules(), amounts=["90000.00", "80000.00"], sector=9, finance=4)
    awarded.proposed(made)
    panel = made.call.panels.get()
    review = panel.reviews.filter(state="submitted", bid=made.bids[0]).select_related("expert__user").first()
    assert review is not None
    with clock.at(awarded.at(made.call, 13)):
        awarding.release(made.call, by=made.desk.approver)
        tied(made, review.expert)
        for _again in range(2):
            with pytest.raises(NotNow) as told:
                awarding.publish_notice(made.call, by=made.desk.officer)
        for word in (review.expert.code, made.bids[0].number, panel.name, "提出不予回避", "取消拟立项"):
            assert word in str(told.value)
        assert not PublicNotice.objects.exists()
        (hit,) = panel.hits.all()
        assert (hit.moment, len(entries("panel.found_conflict"))) == ("publishing", 1)
        assert reverse("review:propose_dismissal", args=[panel.pk, hit.pk]) in see(made.desk.officer, reverse("review:panel", args=[panel.pk])).content.decode()
        services.propose_dismissal(hit, "只是公开讲座", by=made.desk.officer)
        services.dismiss_hit(hit, "核对签到表属实", by=made.desk.approver)
        assert awarding.publish_notice(made.call, by=made.desk.officer).number


def test_between_the_report_and_the_notice_a_name_stops_the_notice_until_two_settle_it() -> None:
    """Kept for the page on which it is settled, where the agency reads both names also after the report."""
    made = awarded.ranked(awarded.rules(), amounts=["90000.00", "80000.00"], sector=9, finance=4)
    awarded.proposed(made)
    review = made.call.panels.get().reviews.filter(state="submitted", bid=made.bids[0]).select_related("expert__user").first()
    assert review is not None
    with clock.at(awarded.at(made.call, 13)):
        awarding.release(made.call, by=made.desk.approver)
        Expert.objects.filter(pk=review.expert_id).update(employer=made.bodies[0].organisation.name)
        for _again in range(2):
            with pytest.raises(NotNow) as told:
                awarding.publish_notice(made.call, by=made.desk.officer)
        assert told.value.rule == "judges_names_are_settled" and review.expert.code in str(told.value)
        hit = ConflictHit.objects.get(candidate=True)
        assert hit.moment == "publishing"
        page = see(made.desk.officer, reverse("review:namesakes", args=[made.call.pk])).content.decode()
        assert page.count(made.bodies[0].organisation.name) >= 2
        services.propose_dismissal(hit, "另一家同名单位", by=made.desk.officer)
        services.dismiss_hit(hit, "核对信用代码不同", by=made.desk.approver)
        assert awarding.publish_notice(made.call, by=made.desk.officer).number


def test_a_stranger_who_publishes_learns_of_no_conflict() -> None:
    made = awarded.ranked(awarded.rules(), amounts=["90000.00"], sector=9, finance=4)
    awarded.proposed(made)
    review = made.call.panels.get().reviews.filter(state="submitted").select_related("expert__user").first()
    assert review is not None
    with clock.at(awarded.at(made.call, 13)):
        awarding.release(made.call, by=made.desk.approver)
        tied(made, review.expert)
        with pytest.raises(NotYou):
            awarding.publish_notice(made.call, by=people.person("路人"))
    assert not ConflictHit.objects.exists()
