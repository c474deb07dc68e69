"""Pages of review: who finds them, that nothing of a score shows before the lock, that nothing typed is lost, that lists stay cheap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock
from grants.workflow import effects
from review import pages, services
from review.ballots import own_criteria
from review.conflict_checks import standing_hits
from review.models import Draw, Panel, Review
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Three admitted bids and eleven experts, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        yield world.judged()


@pytest.fixture(scope="module")
def started(judged: Judged, django_db_blocker: Any) -> Panel:
    """Convened, assigned and started, once (tests that need the call before that come first)."""
    with django_db_blocker.unblock():
        return world.started(judged.call, judged.desk.officer)


@pytest.fixture
def panel(started: Panel) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(pk=started.pk)


@pytest.fixture(autouse=True)
def _after_closing(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call, 4)):
        yield


def of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: Any, name: str, *args: Any) -> Any:
    return of(user).get(reverse(f"review:{name}", args=args))


def text(response: Any) -> str:
    return str(response.content.decode())


def opened(panel: Panel) -> Review:
    review = world.review_of(panel)
    return services.accept(review, by=review.expert.user, pledge=True)


# --- who sees what ------------------------------------------------------------------------------------------------------------


def test_before_the_lock_a_review_exists_for_its_expert_only(judged: Judged, panel: Panel) -> None:
    """Queryset and page: officer, approver, auditor, another member and an applicant find nothing; the expert finds it."""
    review = world.scored(world.review_of(panel))
    other = panel.members.filter(alternate=False).exclude(expert=review.expert).first()
    assert other is not None
    strangers = [judged.desk.officer, judged.desk.approver, judged.desk.auditor, other.expert.user, judged.bodies[0].signatory]
    for who in strangers:
        assert not Review.visible.filter(Review.objects.filter(pk=review.pk), who).exists()
        assert of(who).get(reverse("desk:object", args=["review", review.pk])).status_code == 404
        assert page(who, "review", review.pk).status_code == 404
        assert page(who, "score", review.pk).status_code == 404
        assert of(who).post(reverse("review:score", args=[review.pk]), {"mark_need": "0", "do": "save"}).status_code == 404
    assert page(review.expert.user, "score", review.pk).status_code == 200


def test_after_the_lock_the_agency_and_its_auditor_see_reviews_other_members_do_not(judged: Judged, panel: Panel) -> None:
    panel = world.locked(panel, judged.desk.officer)
    review = world.review_of(panel)
    other = panel.members.filter(alternate=False).exclude(expert=review.expert).first()
    assert other is not None
    seen = {
        who: of(who).get(reverse("desk:object", args=["review", review.pk])).status_code
        for who in (judged.desk.auditor, other.expert.user)
    }
    assert seen == {judged.desk.auditor: 200, other.expert.user: 404}


def test_no_page_shows_a_score_or_a_ranking_before_the_lock(judged: Judged, panel: Panel) -> None:
    """One ballot of 73.21 points is in: the figure and any sum are nowhere; the ranking does not exist for anybody."""
    review = opened(panel)
    marks = {c.code: "0" for c in own_criteria(review)} | {"design": "13.21"}
    services.save_marks(review, marks, by=review.expert.user)
    services.submit(review, by=review.expert.user)
    for who in (judged.desk.officer, judged.desk.auditor, review.expert.user):
        assert page(who, "ranking", panel.pk).status_code == 404
        for url in (reverse("review:panel", args=[panel.pk]), reverse("desk:object", args=["panel", panel.pk])):
            response = of(who).get(url)
            assert response.status_code == 200
            assert "13.21" not in text(response)
    assert "13.21" in text(page(review.expert.user, "score", review.pk))


def test_the_ranking_shows_every_ballot_by_code_and_which_were_dropped(judged: Judged, panel: Panel) -> None:
    panel = world.locked(panel, judged.desk.officer)
    for who in (judged.desk.officer, panel.members.filter(alternate=False).first().expert.user):  # type: ignore[union-attr]
        shown = text(page(who, "ranking", panel.pk))
        assert "80.00" in shown
        assert "去掉的最高分" in shown
        assert all(m.expert.code in shown for m in panel.members.filter(alternate=False))
    assert page(judged.bodies[0].signatory, "ranking", panel.pk).status_code == 404


@pytest.mark.parametrize("name", ["panels", "mine", "experts", "new_expert"])
def test_whoever_is_not_signed_in_is_asked_to(judged: Judged, name: str) -> None:
    response = Client().get(reverse(f"review:{name}"))
    assert response.status_code == 302
    assert "sign-in" in response["Location"]


def test_the_pool_is_for_officers(judged: Judged) -> None:
    expert = judged.experts["S01"]
    assert page(judged.desk.officer, "experts").status_code == 200
    for who in (judged.bodies[0].signatory, judged.desk.auditor, judged.experts["S02"].user):
        assert page(who, "experts").status_code == 404
        assert page(who, "expert", expert.pk).status_code == 404
    assert page(expert.user, "expert", expert.pk).status_code == 200


def test_an_alternate_does_not_see_the_panel(judged: Judged, panel: Panel) -> None:
    waiting = panel.members.filter(alternate=True).first()
    assert waiting is not None
    assert page(waiting.expert.user, "panel", panel.pk).status_code == 404


# --- the expert's way -----------------------------------------------------------------------------------------------------------


def test_the_material_is_on_no_page_before_the_pledge(judged: Judged, panel: Panel) -> None:
    review = world.review_of(panel)
    user, answer = review.expert.user, "为辖区独居老人建立结对探访"
    assert page(user, "score", review.pk).status_code == 302
    assert answer not in text(page(user, "review", review.pk))
    refused = of(user).post(reverse("review:review", args=[review.pk]), {"do": "accept"})
    assert refused.status_code == 409
    assert "请勾选" in text(refused)
    assert of(user).post(reverse("review:review", args=[review.pk]), {"do": "accept", "pledge": "yes"}).status_code == 302
    assert answer in text(page(user, "score", review.pk))


def test_the_expert_reads_the_frozen_version_not_the_working_copy(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    bid = review.bid
    type(bid)._base_manager.filter(pk=bid.pk).update(title="改头换面")
    shown = text(page(review.expert.user, "score", review.pk))
    assert "改头换面" not in shown.split("评分表")[0].split("<h1")[1]
    assert bid.latest.content["title"] in shown


def test_stepping_aside_needs_a_reason_and_calls_the_alternate(judged: Judged, panel: Panel) -> None:
    review = world.review_of(panel)
    url, client = reverse("review:review", args=[review.pk]), of(review.expert.user)
    assert client.post(url, {"do": "recuse", "reason": ""}).status_code == 422
    assert Review.objects.get(pk=review.pk).state == "assigned"
    assert client.post(url, {"do": "recuse", "reason": "曾任该单位监事"}).status_code == 302
    effects.drain()
    assert panel.reviews.filter(bid=review.bid, state__in=("assigned", "accepted")).count() == 5


def test_saving_half_a_ballot_keeps_it_and_a_refusal_loses_nothing_that_was_typed(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    url, client = reverse("review:score", args=[review.pk]), of(review.expert.user)
    assert client.post(url, {"mark_need": "17.5", "comment_need": "需求清楚", "do": "save"}).status_code == 302
    assert [m.value for m in world.sheet(review).values()] == [17.5]
    over = client.post(url, {"mark_need": "18", "mark_design": "25.01", "comment_design": "指标偏虚", "do": "save"})
    assert over.status_code == 422
    assert "25.01" in text(over)
    assert "指标偏虚" in text(over)
    assert [m.value for m in world.sheet(review).values()] == [17.5]
    halfway = client.post(url, {"mark_need": "18", "mark_design": "", "do": "submit"})
    assert halfway.status_code == 409
    assert "没有评分不等于零分" in text(halfway)
    assert [m.value for m in world.sheet(review).values()] == [18]


def test_handing_in_through_the_desk_and_the_next_one(judged: Judged, panel: Panel) -> None:
    review = opened(panel)
    client = of(review.expert.user)
    marks = {f"mark_{c.code}": "1" for c in own_criteria(review)}
    nxt = client.post(reverse("review:score", args=[review.pk]), {**marks, "do": "next"})
    assert nxt.status_code == 302
    assert str(review.pk) not in nxt["Location"]
    done = client.post(reverse("desk:step", args=["review", review.pk, "submit"]), {"seen_state": "accepted"})
    assert done.status_code == 302
    assert Review.objects.get(pk=review.pk).state == "submitted"
    assert "取回修改" in text(page(review.expert.user, "score", review.pk))


def test_a_ballot_that_owes_a_reason_is_shown_to_its_expert_once_all_are_in_and_not_before(judged: Judged, panel: Panel) -> None:
    odd = world.review_of(panel, code=panel.members.filter(alternate=False, seat="sector").first().expert.code)  # type: ignore[union-attr]
    last = panel.reviews.exclude(pk=odd.pk).exclude(expert=odd.expert).order_by("pk").first()

    def given(review: Review) -> Any:
        return world.Decimal("0.4" if review.pk == odd.pk else "0.95")

    assert last is not None
    world.all_scored(panel, given, but=[last])
    assert "写明理由" not in text(page(odd.expert.user, "mine"))
    world.all_scored(panel, given)
    assert "写明理由" in text(page(odd.expert.user, "mine"))
    assert "写明理由" not in text(page(last.expert.user, "mine"))
    taken = of(odd.expert.user).post(
        reverse("desk:step", args=["review", odd.pk, "explain"]), {"reason": "未回应需求", "seen_state": "submitted"}
    )
    assert taken.status_code == 302
    now = Review.objects.select_related("panel").get(pk=odd.pk)
    assert (now.deviation_reason, now.reason) == ("", "未回应需求"), "sealed until the opening"


def test_signing_through_the_desk_keeps_the_dissent(judged: Judged, panel: Panel) -> None:
    panel = world.locked(panel, judged.desk.officer)
    member = panel.members.filter(alternate=False).select_related("expert__user").first()
    assert member is not None
    url = reverse("desk:step", args=["panel", panel.pk, "sign"])
    assert of(member.expert.user).post(url, {"dissent": "第二名预算偏高", "seen_state": "scored"}).status_code == 302
    member.refresh_from_db()
    assert member.dissent == "第二名预算偏高"


# --- the organiser's way ----------------------------------------------------------------------------------------------------------


def test_an_officer_clicks_from_the_draw_to_the_start(judged: Judged) -> None:
    client = of(judged.desk.officer)
    url = reverse("review:convene", args=[judged.call.pk])
    assert client.get(url).status_code == 200
    due = clock.now() + world.MINUTE
    typed = {"beacon_kind": "named", "source": "双色球", "round": "2026039", "due": f"{due.astimezone(clock.TZ):%Y-%m-%dT%H:%M:%S}"}
    made = client.post(url, typed)
    draw = Draw.objects.get(call=judged.call)
    own = reverse("desk:object", args=["draw", draw.pk])
    assert made["Location"] == client.get(url)["Location"] == own, "while one runs the page leads to it"
    step = {"seen_state": "published"}
    with clock.at(due):
        client.post(reverse("desk:step", args=["draw", draw.pk, "enter_beacon"]), {**step, "value": "3-5-2", "evidence": "公告"})
        client.post(reverse("desk:step", args=["draw", draw.pk, "draw"]), {**step, "name": "第一评审组"})
        panel = Panel.objects.get(call=judged.call)
        assert panel.name == "第一评审组"
        again = client.post(url, {**typed, "due": f"{due.astimezone(clock.TZ) + world.MINUTE:%Y-%m-%dT%H:%M:%S}", "reason": "再组一个"})
    assert again.status_code == 409
    assert "再组一个" in text(again), "nothing typed is lost"
    assert client.post(reverse("review:assign", args=[panel.pk]), {"max_load": ""}).status_code == 302
    assert panel.reviews.count() == 15
    assert client.post(reverse("desk:step", args=["panel", panel.pk, "start"]), {"seen_state": "forming"}).status_code == 302
    assert Panel.objects.get(pk=panel.pk).state == "scoring"


def test_an_impossible_load_is_refused_on_the_page_in_words(judged: Judged) -> None:
    """Three bids by five reviewers are fifteen reviews; one each from ten experts is not enough."""
    panel = world.convened(judged.call, judged.desk.officer)
    response = of(judged.desk.officer).post(reverse("review:assign", args=[panel.pk]), {"max_load": "1"})
    assert response.status_code == 422
    assert "评审力量不足" in text(response)
    assert not panel.reviews.exists()


def test_a_finding_is_dismissed_on_its_page_by_somebody_else_only(judged: Judged) -> None:
    panel = world.convened(judged.call, judged.desk.officer)
    member = panel.members.filter(alternate=False).first()
    assert member is not None
    services.add_relation(member.expert, judged.bodies[0].organisation, "mentor", by=member.expert.user)
    of(judged.desk.officer).post(reverse("review:check", args=[panel.pk]))
    hit = panel.hits.get()
    url = reverse("review:dismiss", args=[panel.pk, hit.pk])
    proposal = reverse("review:propose_dismissal", args=[panel.pk, hit.pk])
    assert of(judged.desk.approver).post(url, {"reason": "没有人提出过"}).status_code == 409
    assert of(judged.desk.officer).post(proposal, {"reason": "督导协议没有签"}).status_code == 302
    assert "督导协议没有签" in text(of(judged.desk.officer).get(reverse("review:panel", args=[panel.pk])))
    same = of(judged.desk.officer).post(url, {"reason": "已核实无实际督导"})
    assert same.status_code == 403
    assert "已核实无实际督导" in text(same)
    assert of(judged.desk.approver).post(url, {"reason": "已核实无实际督导"}).status_code == 302
    hit.refresh_from_db()
    assert hit.dismissed_by == judged.desk.approver


def test_an_officer_voids_a_ballot_they_cannot_open(judged: Judged, panel: Panel) -> None:
    review = world.scored(world.review_of(panel))
    url = reverse("review:void", args=[panel.pk, review.pk])
    assert of(judged.desk.approver).get(url).status_code == 404
    assert of(judged.desk.officer).post(url, {"reason": ""}).status_code == 422
    assert of(judged.desk.officer).post(url, {"reason": "向申报单位透露评审情况"}).status_code == 302
    assert Review.objects.get(pk=review.pk).state == "voided"


def test_another_agencys_officer_finds_nothing(judged: Judged, panel: Panel) -> None:
    foreign = people.office().officer
    assert page(foreign, "panel", panel.pk).status_code == 404
    assert page(foreign, "convene", judged.call.pk).status_code in (403, 404)
    assert of(foreign).post(reverse("review:check", args=[panel.pk])).status_code == 404


def test_registering_an_expert_by_hand(judged: Judged) -> None:
    someone = people.person("新专家")
    client, url = of(judged.desk.officer), reverse("review:new_expert")
    wrong = client.post(url, {"username": "nobody-here", "code": "N01", "seat": "sector"})
    assert wrong.status_code == 422
    assert "N01" in text(wrong)
    good = client.post(url, {"username": someone.username, "code": "N01", "seat": "field", "fields_": "为老服务、助残服务"})
    assert good.status_code == 302
    assert someone.expert.fields == ["为老服务", "助残服务"]


def test_an_employer_typed_by_name_suggests_the_registered_body(judged: Judged) -> None:
    """Full-width and legal-form differences only suggest; nothing becomes a conflict by name alone."""
    name = judged.bodies[0].organisation.name
    expert = services.register_expert(
        user=people.person("周某"), code="N02", agency=judged.desk.agency, by=judged.desk.officer, employer=f" {name}"
    )
    assert "名称相近" in text(page(judged.desk.officer, "expert", expert.pk))
    assert standing_hits(expert, judged.bids[0]) == []


# --- what waits, and what it costs ------------------------------------------------------------------------------------------------


def labels(user: Any) -> list[str]:
    return [str(row.label) for row in pages.waiting(user)]


def test_what_waits_follows_the_panel(judged: Judged) -> None:
    by = judged.desk.officer
    assert labels(by) == ["组建评审组"]
    panel = world.started(judged.call, by)
    expert = panel.members.filter(alternate=False).first().expert.user  # type: ignore[union-attr]
    assert (labels(by), labels(expert)) == (["跟进评分"], ["评审 3 份申报"])
    panel = world.locked(panel, by)
    assert (labels(by), labels(expert)) == (["收齐签署，出具评审报告"], ["签署评审报告"])
    world.concluded(panel, by)
    assert (labels(by), labels(expert)) == ([], [])


def queries(user: Any, url: str) -> int:
    """Queries on review's and bidding's tables; the header's own (menu, letters) belong to other tests."""
    client = of(user)
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(url).status_code == 200
    return sum('"review_' in q["sql"] or '"bidding_' in q["sql"] for q in seen)


def test_my_list_costs_the_same_with_one_and_with_three_reviews(judged: Judged, panel: Panel) -> None:
    user = world.review_of(panel).expert.user
    three = queries(user, reverse("review:mine"))
    keep = panel.reviews.filter(expert__user=user).order_by("pk").first()
    assert keep is not None
    panel.reviews.filter(expert__user=user).exclude(pk=keep.pk).delete()
    assert queries(user, reverse("review:mine")) == three == 9


def test_the_panel_page_costs_the_same_with_one_and_with_three_bids(judged: Judged, panel: Panel) -> None:
    url = reverse("review:panel", args=[panel.pk])
    three = queries(judged.desk.officer, url)
    panel.reviews.exclude(bid=judged.bids[0]).delete()
    assert queries(judged.desk.officer, url) == three == 31


def test_the_ranking_costs_the_same_with_one_and_with_three_bids(judged: Judged, panel: Panel) -> None:
    panel = world.locked(panel, judged.desk.officer)
    url = reverse("review:ranking", args=[panel.pk])
    three = queries(judged.desk.officer, url)
    panel.results.exclude(bid=judged.bids[0]).delete()
    assert queries(judged.desk.officer, url) == three == 5
