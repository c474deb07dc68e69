"""A conflict found after the lock: it stops the result, two set it aside or two void the ballot, and an alternate who saw nothing steps in."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock, ledger
from grants.awards.evidence.packing import pack
from grants.awards.models import Decision
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.workflow import effects
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import opening, services
from review.analysing import recheck
from review.conflicts import RelationKind as K
from review.models import Expert, Mark, Panel, PanelMember, Review, Tie, Voiding
from review.results import recompute, waiting_for_lots
from tests.stages.test_evidence import failed, run
from tests.world import awards as awarded
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
SHARES = ("0.9", "0.7")


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Two bids of different worth, five experts with alternates; locked on the tenth day, nobody has signed."""
    with shared.rows(django_db_blocker):
        made = world.judged(world.rules(name="YX-2026-V1"), n=2, sector=9, finance=4)
        given = world.by_bid({b.pk: s for b, s in zip(made.bids, SHARES, strict=True)})
        world.locked(world.started(made.call, made.desk.officer), made.desk.officer, given)
        effects.drain()
        yield made


@pytest.fixture(autouse=True)
def the_eleventh_day(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call, 11)):
        yield


def fresh(judged: Judged) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(call=judged.call)


def again(review: Review) -> Review:
    return Review.objects.select_related(*Review.door_select).get(pk=review.pk)


def ballot(judged: Judged, at: int = 0, bid: int = 0) -> Review:
    """The n-th sector member's ballot for a bid."""
    seats = fresh(judged).members.filter(alternate=False, seat="sector").order_by("position")
    return world.review_of(fresh(judged), judged.bids[bid], code=seats[at].expert.code)


def tied(judged: Judged, review: Review) -> Tie:
    """What nobody knew: the expert advised the bidder."""
    body = review.bid.organisation
    return services.record_tie(
        review.expert, body, K.CONSULTED, agency=judged.desk.agency, by=judged.desk.officer, since=clock.today()
    )


def signed(judged: Judged) -> Panel:
    panel = fresh(judged)
    for member in panel.members.filter(alternate=False, excused=False, signed_at=None).select_related("expert__user"):
        services.sign(panel, by=member.expert.user)
    return fresh(judged)


def voided(judged: Judged, review: Review) -> Voiding:
    made = services.propose_voiding(review, "曾为其撰写申报书", by=judged.desk.officer)
    made = perform(made, "approve", by=judged.desk.approver)
    effects.drain()
    return made


def newcomer(judged: Judged, gone: Review) -> Review:
    return fresh(judged).reviews.select_related(*Review.door_select).get(bid=gone.bid_id, state="assigned")


def relocked(judged: Judged, gone: Review, share: str = "0.8") -> Panel:
    with clock.at(clock.now() + timedelta(days=1)):
        world.scored(newcomer(judged, gone), lambda _r: Decimal(share))
        services.lock(fresh(judged), by=judged.desk.officer)
        effects.drain()
    return fresh(judged)


def see(user: Any, page: str) -> Any:
    client = Client()
    client.force_login(user)
    return client.get(page)


# --- it stops the result -----------------------------------------------------------------------------------------------------


def test_nothing_new_and_the_report_is_issued(judged: Judged) -> None:
    assert services.conclude(signed(judged), by=judged.desk.officer).state == "concluded"


def test_a_conflict_found_after_the_lock_stops_the_report_and_says_what_and_how(judged: Judged) -> None:
    panel, review = signed(judged), ballot(judged)
    tied(judged, review)
    events = AuditEvent.objects.count()
    with pytest.raises(NotNow) as told:
        services.conclude(panel, by=judged.desk.officer)
    assert told.value.rule == "no_late_conflict"
    for word in (review.expert.code, "为申报提供咨询的关系", review.bid.organisation.name, "提出不予回避", "提出作废"):
        assert word in str(told.value)
    assert fresh(judged).state == "scored"
    assert [e.event for e in AuditEvent.objects.order_by("id")[events:]] == ["call.keep_findings", "panel.found_conflict"], "kept although the step was refused"
    assert panel.hits.get().moment == "publishing"


def test_two_set_it_aside_and_it_is_remembered(judged: Judged) -> None:
    """One proposes, another agrees; asked again, the same finding does not come back. One person cannot do both."""
    panel, review = signed(judged), ballot(judged)
    tied(judged, review)
    (hit,) = services.check_conflicts(panel, by=judged.desk.officer)
    services.propose_dismissal(hit, "只参加过一次公开培训", by=judged.desk.officer)
    with pytest.raises(NotYou):
        services.dismiss_hit(hit, "同意", by=judged.desk.officer)
    services.dismiss_hit(hit, "核实签到表", by=judged.desk.approver)
    assert services.check_conflicts(panel, by=judged.desk.officer) == []
    assert services.conclude(panel, by=judged.desk.officer).state == "concluded"


def test_taking_back_the_tie_alone_does_not_clear_what_was_found(judged: Judged) -> None:
    panel, review = signed(judged), ballot(judged)
    tie = tied(judged, review)
    services.check_conflicts(panel, by=judged.desk.officer)
    services.withdraw_tie(tie, "误录", agency=judged.desk.agency, by=judged.desk.officer)
    with pytest.raises(NotNow) as told:
        services.conclude(panel, by=judged.desk.officer)
    assert told.value.rule == "no_late_conflict"


def test_the_result_of_a_defence_is_not_read_out_over_a_conflict() -> None:
    made = world.judged(world.rules(name="YX-2026-V2", stages=2), n=1, sector=5, finance=1)
    panel = world.started(made.call, made.desk.officer)
    with clock.at(world.after(made.call, 6)):
        meeting = world.order_drawn(panel, made.desk.officer)
        world.all_scored(panel)
        world.others_entered(panel, made.desk.officer)
        services.lock(panel, by=made.desk.officer)
        tied(made, world.review_of(panel))
        with pytest.raises(NotNow) as told:
            services.release(meeting, by=panel.members.get(chair=True).expert.user)
        assert told.value.rule == "no_late_conflict_here"
        assert not fresh(made).meeting.released_at


# --- who may void, and what ---------------------------------------------------------------------------------------------------


def test_after_the_lock_a_ballot_falls_for_a_conflict_and_for_nothing_else(judged: Judged) -> None:
    with pytest.raises(NotNow) as told:
        services.propose_voiding(ballot(judged), "分数太低", by=judged.desk.officer)
    assert told.value.rule == "conflict_stands"
    tied(judged, ballot(judged))
    with pytest.raises(NotNow):
        services.propose_voiding(ballot(judged, bid=1), "与另一份申报无关", by=judged.desk.officer)
    with pytest.raises(Invalid):
        services.propose_voiding(ballot(judged), "  ", by=judged.desk.officer)
    assert not Voiding.objects.exists()


def test_only_organisers_propose_and_another_person_decides(judged: Judged) -> None:
    review = ballot(judged)
    tied(judged, review)
    for who in (
        judged.desk.finance,
        judged.desk.approver,
        judged.bodies[0].signatory,
        review.expert.user,
        ballot(judged, 1).expert.user,
    ):
        with pytest.raises(NotYou):
            services.propose_voiding(review, "应当回避", by=who)
    made = services.propose_voiding(review, "应当回避", by=judged.desk.officer)
    for who in (judged.desk.officer, judged.desk.finance, review.expert.user, judged.bodies[0].signatory):
        for verb in ("approve", "refuse"):
            with pytest.raises(NotYou):
                perform(made, verb, by=who)
    with pytest.raises(NotNow) as twice:
        services.propose_voiding(review, "再提一次", by=judged.desk.officer)
    assert twice.value.rule == "voiding_once"
    assert perform(made, "refuse", by=judged.desk.approver).state == "refused"
    assert again(review).state == "submitted"
    assert fresh(judged).state == "scored"


def test_nobody_reopens_a_panel_or_annuls_a_ballot_by_hand(judged: Judged) -> None:
    for who in (judged.desk.officer, judged.desk.approver, ballot(judged).expert.user):
        with pytest.raises(NotYou):
            perform(fresh(judged), "reopen", by=who)
        with pytest.raises(NotYou):
            perform(ballot(judged), "annul", by=who, reason="应当回避")


def test_a_finding_set_aside_meanwhile_leaves_nothing_to_void(judged: Judged) -> None:
    review = ballot(judged)
    tied(judged, review)
    made = services.propose_voiding(review, "应当回避", by=judged.desk.officer)
    (hit,) = services.check_conflicts(fresh(judged), by=judged.desk.officer)
    services.propose_dismissal(hit, "误录", by=judged.desk.officer)
    services.dismiss_hit(hit, "核实", by=judged.desk.approver)
    with pytest.raises(NotNow) as told:
        perform(made, "approve", by=judged.desk.approver)
    assert told.value.rule == "conflict_stands"
    assert again(review).state == "submitted"


def test_a_sealed_ballot_is_voided_the_plain_way_and_a_concluded_panel_not_at_all(judged: Judged) -> None:
    other = world.judged(world.rules(name="YX-2026-V3"), n=1, sector=6, finance=2)
    panel = world.started(other.call, other.desk.officer)
    with clock.at(world.after(other.call, 6)):
        sealed = world.scored(world.review_of(panel))
        tied(other, sealed)
        with pytest.raises(NotNow) as told:
            services.propose_voiding(sealed, "应当回避", by=other.desk.officer)
        assert told.value.rule == "ballot_was_opened"
        assert services.void_conflicted(panel, by=other.desk.officer)
    services.conclude(signed(judged), by=judged.desk.officer)
    review = ballot(judged)
    tied(judged, review)
    with pytest.raises(NotNow) as late:
        services.propose_voiding(review, "应当回避", by=judged.desk.officer)
    assert late.value.rule == "not_concluded"


def test_a_free_member_who_sat_at_the_lock_is_not_called_for_they_have_seen_the_ranking() -> None:
    """Everybody drawn sits and some are free for the bid: before the lock one of them would step in, after it the organiser is told instead."""
    made = world.judged(world.rules(name="YX-2026-V6", least=4), n=2, sector=6, finance=3)
    Expert.objects.exclude(code__in=made.experts).update(is_active=False)
    panel = world.locked(world.seated(made), made.desk.officer)
    with clock.at(world.after(made.call, 11)):
        review = world.review_of(fresh(made), made.bids[0])
        free = set(panel.members.values_list("expert_id", flat=True)) - set(panel.reviews.filter(bid=review.bid_id).values_list("expert_id", flat=True))
        assert free, "somebody could step in, had they not seen the results"
        tied(made, review)
        voided(made, review)
        assert not fresh(made).reviews.filter(state="assigned").exists()
        assert Message.objects.filter(to=made.desk.officer, template="review/short").exists()


# --- carried out ----------------------------------------------------------------------------------------------------------------


def test_the_ballot_falls_signatures_fall_and_an_alternate_who_saw_nothing_is_called(judged: Judged) -> None:
    signed(judged)
    review, before = ballot(judged), fresh(judged).result_hash()
    saw = set(fresh(judged).members.filter(alternate=False).values_list("expert_id", flat=True))
    tied(judged, review)
    made = voided(judged, review)
    panel = fresh(judged)
    assert (made.state, made.result_before, panel.state, again(review).state) == ("carried_out", before, "scoring", "voided")
    assert not PanelMember.objects.filter(panel=panel).exclude(signed_at=None).exists()
    heir = newcomer(judged, review)
    assert heir.expert_id not in saw
    assert Message.objects.filter(to=heir.expert.user, template="review/invited").exists()
    assert Mark.objects.filter(review=review).exists(), "the voided ballot stays as it was"
    told = ledger.history(made.subject)[-1]
    assert told.public["result_before"] == before
    assert "撰写" not in bytes(AuditEvent.objects.filter(subject=made.subject).latest("pk").leaf).decode()
    assert {e.event for e in ledger.history(panel.subject)} >= {"panel.reopen", "panel.fill_gaps"}


def test_meanwhile_nobody_sees_results_and_nobody_touches_an_opened_ballot(judged: Judged) -> None:
    """Neither its expert nor an organiser alone: not taken back, not left, not voided, not exchanged for another member's."""
    review, other = ballot(judged), ballot(judged, 1)
    tied(judged, review)
    voided(judged, review)
    panel = fresh(judged)
    for verb, more in (("reopen", {}), ("recuse", {})):
        with pytest.raises(NotNow) as told:
            perform(again(other), verb, by=other.expert.user, **more)
        assert told.value.rule == "still_sealed"
    with pytest.raises(NotNow) as alone:
        perform(again(other), "void", by=judged.desk.officer, reason="不满意")
    assert alone.value.rule == "still_sealed"
    with pytest.raises(NotNow):
        services.propose_swap(newcomer(judged, review), other.expert, "换成老成员", by=judged.desk.officer)
    assert see(other.expert.user, reverse("review:ranking", args=[panel.pk])).status_code == 404
    assert see(judged.desk.officer, reverse("review:ranking", args=[panel.pk])).status_code == 404
    assert see(judged.desk.officer, reverse("desk:object", args=["review", other.pk])).status_code == 404
    with pytest.raises(NotNow) as late:
        services.challenge(judged.bids[0], name="某人", reason="利害关系", by=judged.bodies[0].signatory)
    assert late.value.rule == "scores_not_locked"


def test_the_alternate_scores_and_the_result_is_counted_anew(judged: Judged) -> None:
    """The voided ballot is out, the alternate's is in; the other bid and every opened ballot are as they were; nothing differs on recount."""
    review = ballot(judged)
    opened = dict(fresh(judged).reviews.exclude(pk=review.pk).exclude(opened_at=None).values_list("pk", "opened_at"))
    before = {r.bid_id: r.total for r in fresh(judged).results.all()}
    tied(judged, review)
    voided(judged, review)
    panel = relocked(judged, review, "0.8")
    after = {r.bid_id: r.total for r in panel.results.all()}
    assert panel.state == "scored"
    assert after[judged.bids[1].pk] == before[judged.bids[1].pk]
    assert after[judged.bids[0].pk] <= before[judged.bids[0].pk]
    codes = {b["expert"] for b in panel.results.get(bid=review.bid).explanation["stages"][0]["ballots"]}
    assert len(codes) == 5
    assert review.expert.code not in codes
    assert recompute(panel) == []
    assert recheck(panel) == []
    assert {pk: at for pk, at in panel.reviews.values_list("pk", "opened_at") if pk in opened} == opened
    assert all(row["agrees"] for row in opening.recheck(panel))
    assert services.conclude(signed(judged), by=judged.desk.officer).state == "concluded"


def test_a_lower_ballot_in_place_of_the_voided_changes_the_result(judged: Judged) -> None:
    """Two fall one after the other, the second while the panel scores again; two at 50 step in, so that one of them outlives the trimming."""
    before = fresh(judged).results.get(bid=judged.bids[0]).total
    reviews = [ballot(judged, 0), ballot(judged, 1)]
    for review in reviews:
        tied(judged, review)
    voided(judged, reviews[0])
    with pytest.raises(NotNow) as told:
        services.lock(fresh(judged), by=judged.desk.officer)
    assert told.value.rule in ("ballots_are_in", "conflicts_are_settled")
    voided(judged, reviews[1])
    with clock.at(clock.now() + timedelta(days=1)):
        for row in fresh(judged).reviews.filter(state="assigned").select_related(*Review.door_select):
            world.scored(row, lambda _r: Decimal("0.5"))
        flagged = fresh(judged).reviews.filter(state="submitted", bid=judged.bids[0]).select_related(*Review.door_select)
        for row in flagged:
            services.explain_deviation(row, "看法不同", by=row.expert.user)
        services.lock(fresh(judged), by=judged.desk.officer)
        effects.drain()
    assert fresh(judged).results.get(bid=judged.bids[0]).total < before - 10
    assert recompute(fresh(judged)) == []
    assert recheck(fresh(judged)) == []


def test_where_nobody_is_left_the_organiser_is_told_and_enough_ballots_still_lock() -> None:
    made = world.judged(world.rules(name="YX-2026-V4", least=4), n=1, sector=4, finance=1)
    Expert.objects.exclude(code__in=made.experts).update(is_active=False)
    world.locked(world.started(made.call, made.desk.officer), made.desk.officer)
    with clock.at(world.after(made.call, 11)):
        review = ballot(made)
        tied(made, review)
        voided(made, review)
        assert Message.objects.filter(to=made.desk.officer, template="review/short").exists()
        services.lock(fresh(made), by=made.desk.officer)
        assert fresh(made).results.get().n_ballots == 4


def test_lots_fall_anew_over_whoever_is_equal_then() -> None:
    """Two equal bids parted by lot; a ballot of one is voided and given anew alike: they wait for a lot again, and sign only after it."""
    made = world.judged(world.rules(name="YX-2026-V5"), n=2, sector=8, finance=3)
    world.locked(world.started(made.call, made.desk.officer), made.desk.officer)
    with clock.at(world.after(made.call, 11)):
        assert waiting_for_lots(fresh(made)) == []
        review = ballot(made)
        tied(made, review)
        voided(made, review)
        panel = relocked(made, review, "0.8")
        assert len(waiting_for_lots(panel)) == 2
        with clock.at(clock.now() + timedelta(days=1)):
            with pytest.raises(NotNow):
                services.sign(panel, by=panel.members.get(chair=True).expert.user)
            with pytest.raises(NotNow) as told:
                world.lots_drawn(panel, made.desk.officer, value="6-6-1")
            assert told.value.rule == "numbered_with_reason", "a lot drawn again after a voiding says why"
            again = world.lots_drawn(panel, made.desk.officer, value="6-6-1", reason="有评分作废重评")
            assert (again.announced["number"], again.announced["reason"]) == (2, "有评分作废重评")
            assert waiting_for_lots(fresh(made)) == []
            assert recompute(fresh(made)) == []
            assert services.conclude(signed(made), by=made.desk.officer).state == "concluded"


@pytest.mark.slow
def test_the_evidence_pack_repeats_a_result_with_a_voided_ballot(tmp_path: Path) -> None:
    """Every step OK; the voided ballot is not in it, its expert is among those left out, the entry of the log is."""
    made = world.judged(awarded.rules(), amounts=["90000.00", "80000.00"], n=2, sector=9, finance=4)
    given = world.by_bid({b.pk: s for b, s in zip(made.bids, SHARES, strict=True)})
    world.locked(world.started(made.call, made.desk.officer), made.desk.officer, given)
    with clock.at(world.after(made.call, 10) + timedelta(hours=1)):
        review = ballot(made)
        tied(made, review)
        voided(made, review)
        with clock.at(clock.now() + timedelta(hours=1)):
            world.scored(newcomer(made, review), lambda _r: Decimal("0.8"))
            services.lock(fresh(made), by=made.desk.officer)
    world.concluded(fresh(made), made.desk.officer)
    awarded.proposed(made)
    awarded.noticed(made)
    with clock.at(awarded.at(made.call, 14)):
        ledger.sequence()
        ledger.checkpoint()
        decision = Decision.objects.select_related("bid__organisation", "call__rules_version", "call__agency", "panel").get(
            bid=review.bid
        )
        content = pack(decision)
    with zipfile.ZipFile(io.BytesIO(content if isinstance(content, bytes) else content.content)) as package:
        package.extractall(tmp_path)
    code, lines = run(tmp_path)
    assert failed(lines) == [], lines
    assert code == 0
    assert review.expert.code not in (tmp_path / "ballots.json").read_text()
    assert f'"{review.expert.code}"' in (tmp_path / "assignment.json").read_text()
    assert "voiding.approve" in (tmp_path / "ledger.json").read_text()


# --- pages ----------------------------------------------------------------------------------------------------------------------


def test_the_officer_finds_the_way_from_the_panel_to_the_second_person(judged: Judged) -> None:
    review = ballot(judged)
    tied(judged, review)
    panel_page = reverse("review:panel", args=[review.panel_id])
    page = reverse("review:propose_voiding", args=[review.panel_id, review.pk])
    assert page in see(judged.desk.officer, panel_page).content.decode()
    client = Client()
    client.force_login(judged.desk.officer)
    assert "为申报提供咨询的关系" in client.get(page).content.decode()
    assert client.post(page, {"reason": ""}).status_code == 422
    assert client.post(page, {"reason": "应当回避"}).status_code == 302
    made = Voiding.objects.get()
    mine = reverse("desk:object", args=["voiding", made.pk])
    assert mine in see(judged.desk.officer, panel_page).content.decode()
    assert mine in see(judged.desk.approver, reverse("desk:home")).content.decode()
    client.force_login(judged.desk.approver)
    step = reverse("desk:step", args=["voiding", made.pk, "approve"])
    assert client.post(step, {"seen_state": "proposed", "note": "属实"}).status_code == 302
    assert fresh(judged).state == "scoring"


def test_members_and_strangers_learn_nothing_of_it(judged: Judged) -> None:
    """Neither the expert concerned, nor another member, nor a bidder, nor another agency; before and after the decision."""
    review = ballot(judged)
    tied(judged, review)
    made = services.propose_voiding(review, "应当回避", by=judged.desk.officer)
    pages = [
        reverse("desk:object", args=["voiding", made.pk]),
        reverse("review:propose_voiding", args=[review.panel_id, review.pk]),
    ]
    for who in (review.expert.user, ballot(judged, 1).expert.user, judged.bodies[0].signatory, people.office().officer):
        assert [see(who, page).status_code for page in pages] == [404, 404]
    member = see(ballot(judged, 1).expert.user, reverse("review:panel", args=[review.panel_id])).content.decode()
    assert "为申报提供咨询" not in member
    assert "已提出作废" not in member
    assert see(judged.desk.auditor, pages[0]).status_code == 200
