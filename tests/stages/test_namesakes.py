"""同名线索: names bar nobody and are never passed over: two persons settle them before the pool is published, drawn or begins to score."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bidding.models import Bid, BidVersion
from grants import clock
from grants.desk.audit.conflicts import ASIDE, FOUND, lines
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow.door import explain, perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import services
from review.conflict_checks import standing_hits
from review.conflicts import RelationKind as K
from review.models import ConflictHit, Expert, Panel
from review.namesake_checks import suggestions, unsettled
from review.pages import waiting
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
NAMESAKE = "欧阳修远"


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Two bids; more experts than a panel takes."""
    with shared.rows(django_db_blocker):
        yield world.judged(world.rules(name="YX-2026-N1"), n=2, sector=9, finance=4)


@pytest.fixture(autouse=True)
def the_third_day(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call)):
        yield


def says(bid: Bid, *, team: str = "", role: str = "社工", partner: str = "") -> None:
    """Another frozen version, with this person in the team and this answer about partners."""
    last = bid.versions.latest("number")
    content = last.content
    if team:
        content["team"] = [*content["team"], {**content["team"][0], "name": team, "role": role}]
    if partner:
        content["sections"][0]["fields"].append({"code": "p", "label": "合作单位", "kind": "text", "value": partner})
    text = json.dumps(content, ensure_ascii=False)
    BidVersion.objects.create(bid=bid, number=last.number + 1, document=text, hash="0" * 64, submitted_at=last.submitted_at)


def called(judged: Judged, code: str = "S01", name: str = NAMESAKE) -> Expert:
    User.objects.filter(pk=judged.experts[code].user_id).update(name=name)
    return Expert.objects.select_related("user").get(code=code)


def employed(judged: Judged, employer: str, code: str = "S01") -> Expert:
    Expert.objects.filter(code=code).update(employer=employer)
    return Expert.objects.select_related("user").get(code=code)


def rules_of(experts: list[Expert], bids: list[Bid]) -> list[str]:
    return [s.namesake.rule for s in suggestions(experts, bids)]


def refused(judged: Judged) -> NotNow:
    with pytest.raises(NotNow) as told:
        world.convened(judged.call, judged.desk.officer)
    return told.value


def only() -> ConflictHit:
    return ConflictHit.objects.get(candidate=True)


def set_aside(judged: Judged, hit: ConflictHit) -> ConflictHit:
    services.propose_dismissal(hit, "电话核实，不是同一人", by=judged.desk.officer)
    return services.dismiss_hit(hit, "核对出生年份不同", by=judged.desk.approver)


def confirmed(judged: Judged, hit: ConflictHit) -> ConflictHit:
    services.propose_confirmation(hit, "电话核实，本人承认", by=judged.desk.officer)
    return services.confirm_hit(hit, "核对证书编号相同", by=judged.desk.approver)


def see(user: Any, judged: Judged, data: Any = None) -> Any:
    client = Client()
    client.force_login(user)
    page = reverse("review:namesakes", args=[judged.call.pk])
    return client.get(page) if data is None else client.post(page, data)


# --- what suggests -------------------------------------------------------------------------------------------------------------


def test_team_leader_employer_and_partner_are_compared_with_what_was_frozen(judged: Judged) -> None:
    """However written; of the version that counts; a registered employer is compared by its row and suggests nothing."""
    bid, other = judged.bids
    assert suggestions(list(judged.experts.values()), judged.bids) == [], "the pool of the tests shares no name with its bids"
    says(bid, team="歐陽 修遠")
    assert rules_of([called(judged)], judged.bids) == ["same_name"]
    says(bid, team=NAMESAKE, role="项目负责人")
    assert rules_of([called(judged)], [bid]) == ["same_leader"]
    body = judged.bodies[1].organisation
    assert rules_of([called(judged, "S02", body.legal_representative)], [other]) == ["same_leader"]
    assert rules_of([employed(judged, body.name + "理事会", "S03")], judged.bids) == ["same_body"]
    says(bid, partner="与云溪大学、月光服务社共建")
    assert rules_of([employed(judged, "雲溪大學", "S03")], judged.bids) == ["named_body"]
    Expert.objects.filter(code="S03").update(employer=body.name, employer_organisation=people.body(judged.desk).organisation)
    assert rules_of([Expert.objects.select_related("user").get(code="S03")], judged.bids) == []


def test_more_bids_and_experts_cost_no_more_queries(judged: Judged) -> None:
    for bid in judged.bids:
        says(bid, team=NAMESAKE, partner="云溪大学")

    def cost(experts: list[Expert], bids: list[Bid]) -> int:
        with CaptureQueriesContext(connection) as told:
            suggestions(experts, bids)
        return len(told)

    people_, bids = list(judged.experts.values()), list(Bid.objects.filter(call=judged.call))
    assert cost(people_, bids) == cost(people_[:1], bids[:1]) <= 6


# --- what waits ----------------------------------------------------------------------------------------------------------------


def test_the_pool_is_not_published_while_a_name_waits_and_the_sentence_says_how_many_and_where(judged: Judged) -> None:
    expert = called(judged)
    for bid in judged.bids:
        says(bid, team=NAMESAKE)
    told = refused(judged)
    assert told.rule == "pool_has_no_namesakes"
    for word in ("2 条", "S01", judged.bids[0].number, "核实同名线索", "另一人决定"):
        assert word in str(told)
    assert NAMESAKE not in str(told)
    rows = list(ConflictHit.objects.all())
    assert [(h.candidate, h.moment, h.expert, h.found_by) for h in rows] == [(True, "pool", expert, judged.desk.officer)] * 2
    assert not Panel.objects.filter(call=judged.call).exists()
    assert standing_hits(expert, judged.bids[0]) == [], "a name bars nobody"


def test_neither_table_nor_log_holds_the_name(judged: Judged) -> None:
    """Not in the clear, and not as a bare hash: only the keyed mark of it enters the fingerprint."""
    says(judged.bids[0], team=NAMESAKE)
    called(judged)
    refused(judged)
    set_aside(judged, only())
    hit = only()
    assert NAMESAKE not in hit.sentence + hit.fingerprint
    for event in AuditEvent.objects.filter(scope=judged.call.subject):
        assert NAMESAKE not in bytes(event.leaf).decode()


def test_set_aside_by_two_it_is_remembered_also_in_another_version_and_spelling(judged: Judged) -> None:
    says(judged.bids[0], team=NAMESAKE)
    called(judged)
    refused(judged)
    hit = set_aside(judged, only())
    assert (hit.settled_role, hit.is_unsettled) == ("approver", False)
    says(judged.bids[0], team="歐陽修遠")
    panel = world.convened(judged.call, judged.desk.officer)
    assert panel.draw["conflicted"] == {} and ConflictHit.objects.count() == 1
    says(judged.bids[1], team=NAMESAKE)
    assert len(unsettled([called(judged)], list(judged.bids))) == 1, "another bid is another question"


def test_confirmed_by_two_it_bars_like_any_finding_and_can_only_be_set_aside_by_two_again(judged: Judged) -> None:
    says(judged.bids[0], team=NAMESAKE)
    expert = called(judged)
    refused(judged)
    hit = confirmed(judged, only())
    (found,) = standing_hits(expert, judged.bids[0])
    assert (found.test, found.rule, found.sentence) == (5, "same_name", hit.sentence)
    assert "经两人核实" in hit.sentence and NAMESAKE not in hit.sentence
    panel = world.convened(judged.call, judged.desk.officer)
    assert "S01" in panel.draw["conflicted"]
    called(judged, name="改了名字")
    assert standing_hits(expert, judged.bids[0]), "editing the register clears nobody"
    services.propose_dismissal(hit, "复核有误", by=judged.desk.officer)
    services.dismiss_hit(hit, "确系同名", by=judged.desk.approver)
    assert standing_hits(expert, judged.bids[0]) == []


def test_a_stored_suggestion_waits_whatever_becomes_of_the_name(judged: Judged) -> None:
    says(judged.bids[0], team=NAMESAKE)
    called(judged)
    refused(judged)
    called(judged, name="改了名字")
    assert refused(judged).rule == "pool_has_no_namesakes"


def test_a_pair_that_is_barred_anyway_asks_nobody(judged: Judged) -> None:
    says(judged.bids[0], team=NAMESAKE)
    expert = called(judged)
    services.record_tie(expert, judged.bodies[0].organisation, K.BOARD, agency=judged.desk.agency, by=judged.desk.officer)
    world.convened(judged.call, judged.desk.officer)
    assert not ConflictHit.objects.filter(candidate=True).exists()


def test_scoring_does_not_begin_while_a_name_waits(judged: Judged) -> None:
    """A bid corrected after the draw names somebody of the panel; after the two decided, it begins."""
    officer = judged.desk.officer
    panel = world.convened(judged.call, officer)
    services.assign(panel, by=officer)
    member = panel.members.filter(alternate=False).select_related("expert").first()
    assert member is not None
    called(judged, member.expert.code)
    says(judged.bids[0], team=NAMESAKE)
    with pytest.raises(NotNow) as told:
        perform(panel, "start", by=officer)
    assert told.value.rule == "namesakes_are_settled" and member.expert.code in str(told.value)
    services.check_conflicts(panel, by=officer)
    assert only().panel == panel
    assert services.check_conflicts(panel, by=officer) == [], "what waits is no finding that stands"
    set_aside(judged, only())
    assert perform(panel, "start", by=officer).state == "scoring"


def test_an_employer_entered_after_the_start_stops_the_lock_and_the_report_until_two_settle_it(judged: Judged) -> None:
    """What refused the step is kept for the page, by the step page and by the service alike, and only once; alternates are not asked."""
    officer = judged.desk.officer
    says(judged.bids[0], partner="云溪社会工作服务中心协办")
    panel = world.started(judged.call, officer)
    waiting = next(m.expert.code for m in panel.members.select_related("expert") if m.alternate)
    employed(judged, "云溪社会工作服务中心", waiting)
    world.all_scored(panel)
    world.others_entered(panel, officer)
    review = world.review_of(panel, judged.bids[0])
    employed(judged, "云溪社会工作服务中心", review.expert.code)
    client = Client()
    client.force_login(officer)
    page = client.post(reverse("desk:step", args=["panel", panel.pk, "lock"]), {"note": "到点了", "seen_state": "scoring"})
    assert page.status_code == 409
    assert review.expert.code in page.content.decode()
    assert (only().moment, only().expert, only().panel) == ("locking", review.expert, panel)
    with pytest.raises(NotNow) as told:
        services.lock(panel, by=officer)
    assert told.value.rule == "judges_names_are_settled"
    set_aside(judged, only())
    services.lock(panel, by=officer)
    panel.refresh_from_db()
    assert panel.state == "scored"


def test_a_simple_draw_that_was_announced_is_not_drawn_while_a_name_waits(judged: Judged) -> None:
    """A bid is corrected between the announcement and the beacon; the announcement stays, and is drawn once the two have decided."""
    officer = judged.desk.officer
    draw = world.announced(judged.call, officer)
    called(judged)
    says(judged.bids[0], team=NAMESAKE)
    with clock.at(clock.now() + world.MINUTE):
        services.enter_beacon(draw, "3-5-2", evidence="公告", by=officer)
        with pytest.raises(NotNow) as told:
            services.draw_now(draw, by=officer)
        assert told.value.rule == "pool_has_no_namesakes"
        client = Client()
        client.force_login(officer)
        assert reverse("review:namesakes", args=[judged.call.pk]) in client.get(reverse("desk:object", args=["draw", draw.pk])).content.decode()
        assert see(officer, judged).status_code == 200
        set_aside(judged, only())
        assert services.draw_now(draw, by=officer).state == "drawn"


def test_a_draw_by_commitments_is_not_drawn_while_a_name_waits() -> None:
    made = world.judged(world.rules(name="YX-2026-N2", draw="commit-reveal"), n=1, sector=8, finance=3)
    held = world.revealing(made)
    with clock.at(held.due):
        services.enter_beacon(held.draw, "3-5-2", evidence="公告", by=held.of("监督"))
        called(made)
        says(made.bids[0], team=NAMESAKE)
        refusal = explain(type(held.draw).objects.get(pk=held.draw.pk), "draw", made.desk.officer)
        assert refusal is not None and refusal.rule == "pool_has_no_namesakes"
        assert see(made.desk.officer, made).status_code == 200
        set_aside(made, only())
        assert services.draw_now(held.draw, by=made.desk.officer).state == "drawn"


# --- who settles ---------------------------------------------------------------------------------------------------------------


def test_one_person_settles_nothing_and_a_stranger_not_even_half(judged: Judged) -> None:
    says(judged.bids[0], team=NAMESAKE)
    expert = called(judged)
    refused(judged)
    hit, officer, approver = only(), judged.desk.officer, judged.desk.approver
    for who in (judged.desk.finance, judged.bodies[0].signatory, people.person("路人"), approver):
        with pytest.raises(NotYou):
            services.propose_confirmation(hit, "x", by=who)
    with pytest.raises(NotNow) as told:
        services.confirm_hit(hit, "没人提出", by=approver)
    assert told.value.rule == "hit_proposed"
    services.propose_confirmation(hit, "电话核实", by=officer)
    for settle in (services.confirm_hit, services.keep_hit):
        for who in (officer, expert.user, judged.desk.finance):
            with pytest.raises(NotYou):
                settle(hit, "自己决定", by=who)
    with pytest.raises(NotNow):
        services.dismiss_hit(hit, "提出的是应当回避", by=approver)
    with pytest.raises(NotNow):
        services.propose_dismissal(hit, "再提一次", by=officer)
    with pytest.raises(Invalid):
        services.confirm_hit(hit, "  ", by=approver)
    assert only().is_unsettled
    services.keep_hit(hit, "没有说明怎样核实", by=approver)
    assert only().is_unsettled and only().proposed_by_id is None
    confirmed(judged, only())
    with pytest.raises(NotNow):
        services.propose_confirmation(hit, "已经确认", by=officer)


def test_what_is_no_suggestion_cannot_be_confirmed(judged: Judged) -> None:
    services.record_tie(judged.experts["S01"], judged.bodies[0].organisation, K.BOARD, agency=judged.desk.agency, by=judged.desk.officer)
    world.convened(judged.call, judged.desk.officer)
    with pytest.raises(NotNow) as told:
        services.propose_confirmation(ConflictHit.objects.get(bid=judged.bids[0]), "x", by=judged.desk.officer)
    assert told.value.rule == "hit_unsettled"


def test_the_database_refuses_a_confirmation_by_one_or_without_a_reason(judged: Judged) -> None:
    says(judged.bids[0], team=NAMESAKE)
    called(judged)
    refused(judged)
    rows, officer, approver = ConflictHit.objects.all(), judged.desk.officer, judged.desk.approver
    whole = {"confirmation_proposed_by": officer, "confirmed_by": approver, "confirmation_reason": "x"}
    for wrong in ({"confirmed_by": officer}, {"confirmation_reason": ""}, {"confirmation_proposed_by": None}, {"candidate": False}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**{**whole, **wrong})


# --- the page ------------------------------------------------------------------------------------------------------------------


def test_the_page_shows_both_names_to_the_agency_and_settles_several_at_once(judged: Judged) -> None:
    called(judged)
    for bid in judged.bids:
        says(bid, team="歐陽修遠")
    page = see(judged.desk.officer, judged)
    told = page.content.decode()
    assert NAMESAKE in told and "歐陽修遠" in told and told.count("办理这一条") == 2
    hits = [h.pk for h in ConflictHit.objects.all()]
    assert [str(w.label) for w in waiting(judged.desk.officer) if "同名" in str(w.label)] == ["核实同名线索 2 条"]
    assert see(judged.desk.officer, judged, {"hit": hits, "do": "dismiss", "reason": ""}).status_code == 422
    assert see(judged.desk.officer, judged, {"do": "dismiss", "reason": "x"}).status_code == 422
    assert see(judged.desk.approver, judged, {"hit": hits, "do": "dismiss", "reason": "x"}).status_code == 403
    assert see(judged.desk.officer, judged, {"hit": hits, "do": "dismiss", "reason": "电话核实"}).status_code == 302
    assert see(judged.desk.officer, judged, {"hit": hits, "do": "agree", "reason": "自己同意"}).status_code == 403
    assert [str(w.label) for w in waiting(judged.desk.officer) if "同名" in str(w.label)] == []
    assert [str(w.label) for w in waiting(judged.desk.approver) if "同名" in str(w.label)] == ["核实同名线索 2 条"]
    assert NAMESAKE in see(judged.desk.approver, judged).content.decode(), "who decides reads what is to be decided"
    assert see(judged.desk.approver, judged, {"hit": hits, "do": "agree", "reason": "属实"}).status_code == 302
    assert ConflictHit.objects.filter(dismissed_by=judged.desk.approver).count() == 2
    assert "已经核实（2）" in see(judged.desk.officer, judged).content.decode()


def test_with_nothing_to_settle_the_page_says_so(judged: Judged) -> None:
    told = see(judged.desk.officer, judged).content.decode()
    assert "没有等待提出的线索" in told and "等待另一人决定" not in told


def test_an_operator_settles_without_reading_the_pool_s_names(judged: Judged) -> None:
    operator = people.appointed("operator", judged.call)
    called(judged)
    says(judged.bids[0], team=NAMESAKE)
    told = see(operator, judged).content.decode()
    assert "S01" in told and NAMESAKE not in told and "欧*" in told


def test_the_page_is_nobody_else_s(judged: Judged) -> None:
    called(judged)
    says(judged.bids[0], team=NAMESAKE)
    for who in (judged.desk.finance, judged.desk.auditor, judged.bodies[0].signatory, judged.experts["S01"].user, people.person("路人")):
        assert see(who, judged).status_code == 404
    assert not ConflictHit.objects.exists()


def test_a_suggestion_of_another_call_cannot_be_settled_here(judged: Judged) -> None:
    other = world.judged(world.rules(name="YX-2026-N3"), n=1, sector=9, finance=4)
    with clock.at(world.after(other.call)):
        called(other)
        says(other.bids[0], team=NAMESAKE)
        refused(other)
        answer = see(judged.desk.officer, judged, {"hit": [only().pk], "do": "dismiss", "reason": "x"})
    assert answer.status_code == 422 and only().proposed_by_id is None


def test_the_refusal_on_the_page_leads_to_where_it_is_settled(judged: Judged) -> None:
    called(judged)
    says(judged.bids[0], team=NAMESAKE)
    client = Client()
    client.force_login(judged.desk.officer)
    due = (clock.now() + world.MINUTE).astimezone(clock.TZ)
    typed = {"beacon_kind": "named", "source": "双色球", "round": "2026039", "due": f"{due:%Y-%m-%dT%H:%M:%S}"}
    answer = client.post(reverse("review:convene", args=[judged.call.pk]), typed)
    assert answer.status_code == 409 and reverse("review:namesakes", args=[judged.call.pk]) in answer.content.decode()


def test_the_record_of_checks_tells_found_and_settled_without_a_name(judged: Judged) -> None:
    called(judged)
    says(judged.bids[0], team=NAMESAKE)
    refused(judged)
    confirmed(judged, only())
    found = lines(judged.call)
    (line,) = [line for line in found if line.kind == FOUND]
    assert (line.expert, line.bid, line.why) == ("S01", judged.bids[0].number, "已由两人确认应当回避")
    assert [line.role for line in found if line.kind == ASIDE] and all(NAMESAKE not in f"{line.about}{line.what}" for line in found)
    assert len([line for line in found if line.kind == ASIDE]) == 2
