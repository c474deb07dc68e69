"""Review from the draw to the signed report: who may score what, that conflicts bar at every moment, and that the sums are right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from bidding.models import Bid
from grants import clock, ledger
from grants.documents.files import path_of
from grants.ledger.models import AuditEvent
from grants.workflow import effects
from grants.workflow.door import explain, perform
from grants.workflow.models import Outbox
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import services
from review.ballots import own_criteria
from review.conflict_checks import standing_hits
from review.draw import Candidate, Seats, draw
from review.models import LIVE, ConflictHit, Expert, Mark, Panel, PanelMember, Review
from review.results import recompute
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Three admitted bids and eleven experts, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        yield world.judged(amounts=["40000.00", "50000.00", "60000.00"])


@pytest.fixture(scope="module")
def started(judged: Judged, django_db_blocker: Any) -> Panel:
    """Convened, assigned and started, once (tests that need the call before that come first)."""
    with django_db_blocker.unblock():
        return world.started(judged.call, judged.desk.officer)


@pytest.fixture
def panel(started: Panel) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(pk=started.pk)


def officer(judged: Judged) -> Any:
    return judged.desk.officer


def written() -> tuple[int, ...]:
    """What a refusal must not change."""
    rows = (AuditEvent, Outbox, Review, Mark, PanelMember, Panel, ConflictHit)
    return tuple(model._base_manager.count() for model in rows)


def related(judged: Judged, code: str, body: int = 0, kind: str = "mentor", **more: Any) -> None:
    """An expert and the organisation of a bid, on file."""
    org = judged.bodies[body].organisation
    services.add_relation(
        judged.experts[code],
        org,
        kind,
        by=officer(judged),
        agency=judged.desk.agency,
        since=date(2024, 1, 1),
        evidence="督导协议",
        **more,
    )


# --- the pool and the draw -----------------------------------------------------------------------------------------------


def test_the_draw_seats_what_the_rules_ask_and_anybody_can_repeat_it(judged: Judged) -> None:
    """Five seats of which one finance; the same pool, seats and seed give the same order, whatever order the pool comes in."""
    panel = world.convened(judged.call, officer(judged), value="骰子 3-5-2")
    seated = list(panel.members.filter(alternate=False))
    assert len(seated) == 5
    assert sum(m.seat == "finance" for m in seated) == 1
    told = panel.draw
    again = draw(
        [Candidate(code, seat) for code, seat in reversed(told["pool"])],
        Seats(told["size"], told["minimum"], told["maximum"]), seed=bytes.fromhex(panel.seed), conflicted=told["conflicted"],
    )  # fmt: skip
    assert [c.code for c in again.order] == told["order"]
    assert [c.code for c in again.seated] == told["seated"] == [m.expert.code for m in sorted(seated, key=lambda m: m.position)]
    event = AuditEvent.objects.get(event="panel.open", subject=panel.subject)
    assert panel.seed.encode() in bytes(event.leaf)


def test_what_witnesses_throw_changes_the_draw(judged: Judged) -> None:
    seeds = []
    for thrown in ("1", "2"):
        with transaction.atomic():
            seeds.append(world.convened(judged.call, officer(judged), value=thrown).seed)
            transaction.set_rollback(True)
    assert seeds[0] != seeds[1]


def test_a_witness_number_that_looks_like_a_phone_is_refused_because_it_becomes_public(judged: Judged) -> None:
    with pytest.raises(Invalid) as told:
        world.convened(judged.call, officer(judged), value="13812345678")
    assert told.value.rule == "draw_value"
    assert not Panel.objects.filter(call=judged.call).exists()


def test_a_panel_is_drawn_once(judged: Judged) -> None:
    """A draw whose outcome displeases is not repeated."""
    world.convened(judged.call, officer(judged))
    before = written()
    with pytest.raises(NotNow) as told:
        world.convened(judged.call, officer(judged), reason="名单不合意")
    assert told.value.rule == "no_other_panel"
    assert written() == before


def test_no_panel_before_the_call_has_closed() -> None:
    from tests.world import calls

    desk = people.office()
    call = calls.opened(desk, world.rules(name="YX-2026-91"))
    world.pool(desk)
    with pytest.raises(NotNow) as told:
        world.announced(call, desk.officer)
    assert told.value.rule == "call_has_closed"
    assert not Panel.objects.filter(call=call).exists()


def test_a_pool_too_small_is_said_in_figures_and_nothing_is_kept(judged: Judged) -> None:
    Expert.objects.exclude(code__in=["S01", "S02", "F01"]).update(is_active=False)
    before = written()
    with pytest.raises(Invalid) as told:
        world.convened(judged.call, officer(judged))
    assert told.value.rule == "pool_too_small"
    assert "5" in str(told.value)
    assert "3" in str(told.value)
    assert written() == before


def test_nobody_with_a_role_in_the_agency_or_the_call_is_in_the_pool(judged: Judged) -> None:
    """主办方、承办、监督 never score: the expert who becomes observer of the call is not drawn."""
    from grants.people import services as staff
    from grants.people.services import SYSTEM

    staff.appoint(judged.experts["S01"].user, "observer", judged.call, by=SYSTEM)
    panel = world.convened(judged.call, officer(judged))
    assert "S01" not in panel.draw["order"]


def test_an_expert_in_conflict_is_passed_over_by_the_draw(judged: Judged) -> None:
    related(judged, "S01")
    panel = world.convened(judged.call, officer(judged))
    assert "S01" in panel.draw["conflicted"]
    assert not panel.members.filter(expert__code="S01").exists()


def test_an_expert_cannot_register_themself_and_a_code_is_used_once(judged: Judged) -> None:
    desk, stranger = judged.desk, people.person("新专家")
    with pytest.raises(NotYou):
        services.register_expert(user=desk.officer, code="S99", agency=desk.agency, by=desk.officer)
    with pytest.raises(Invalid) as told:
        services.register_expert(user=stranger, code="S01", agency=desk.agency, by=desk.officer)
    assert told.value.rule == "expert_code"
    with pytest.raises(NotYou):
        services.register_expert(user=stranger, code="S98", agency=desk.agency, by=desk.finance)


def test_a_bidders_own_person_cannot_convene_even_with_the_mandate(judged: Judged) -> None:
    """Were somebody of an applicant handed the operator's permissions, the rule on interest still refuses, not the role."""
    from grants.people.permissions import grant
    from grants.people.roles import BY_CODE

    insider = judged.bodies[0].signatory
    grant(BY_CODE["operator"], insider, judged.call)
    with pytest.raises(NotYou) as told:
        world.convened(judged.call, insider)
    assert told.value.rule == "convenes_without_interest"


# --- assignment and conflicts ----------------------------------------------------------------------------------------------


def test_everybody_scores_everything_once_and_loads_are_even(judged: Judged, panel: Panel) -> None:
    pairs = list(panel.reviews.values_list("bid_id", "expert_id"))
    assert len(pairs) == len(set(pairs)) == 15
    loads = [panel.reviews.filter(expert=m.expert).count() for m in panel.members.filter(alternate=False)]
    assert loads == [3] * 5


def test_the_same_seed_assigns_the_same_pairs(judged: Judged) -> None:
    """Eight members, five reviews a bid: the choice of pairs depends on the seed only."""
    found = []
    for _ in range(2):
        with transaction.atomic():
            panel = world.convened(judged.call, officer(judged))
            panel.members.filter(alternate=True).update(alternate=False)
            Panel._base_manager.filter(pk=panel.pk).update(seed="ab" * 32)
            with clock.at(world.after(judged.call)):
                services.assign(panel, by=officer(judged))
            found.append(sorted(panel.reviews.values_list("bid__number", "expert__code")))
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert len(found[0]) == 15


def test_a_member_in_conflict_is_not_assigned_and_an_alternate_takes_that_bid_only(judged: Judged) -> None:
    panel = world.convened(judged.call, officer(judged))
    member = panel.members.filter(alternate=False, seat="sector").first()
    assert member is not None
    related(judged, member.expert.code)
    with clock.at(world.after(judged.call)):
        services.assign(panel, by=officer(judged))
    first = Bid.objects.get(pk=judged.bids[0].pk)
    assert not panel.reviews.filter(bid=first, expert=member.expert).exists()
    assert panel.reviews.filter(expert=member.expert).count() == 2
    called = panel.members.get(called_up_at__isnull=False)
    assert list(panel.reviews.filter(expert=called.expert).values_list("bid_id", flat=True)) == [first.pk]


def test_a_review_for_an_expert_in_conflict_is_refused_at_the_door(judged: Judged) -> None:
    """Whatever a caller computed: opening the review asks again, names the relation, and writes nothing."""
    from grants.workflow.door import begin

    panel = world.convened(judged.call, officer(judged))
    member = panel.members.filter(alternate=False).first()
    assert member is not None
    related(judged, member.expert.code)
    before = written()
    with pytest.raises(NotNow) as told:
        begin(Review(panel=panel, bid=judged.bids[0], expert=member.expert), by=officer(judged))
    assert told.value.rule == "no_conflict"
    assert "督导" in str(told.value)
    assert written() == before


def test_a_conflict_found_after_assignment_bars_the_opening_of_the_file(judged: Judged, panel: Panel) -> None:
    review = world.review_of(panel, judged.bids[0])
    related(judged, review.expert.code)
    with pytest.raises(NotNow) as told:
        services.accept(review, by=review.expert.user, pledge=True)
    assert told.value.rule == "no_conflict"


def test_a_conflict_found_late_bars_submission_and_locking_until_the_ballot_is_voided(judged: Judged, panel: Panel) -> None:
    """The ballot is voided, never averaged over fewer: the alternate scores, and only then the panel locks."""
    by = officer(judged)
    with clock.at(world.after(judged.call, 5)):
        late = world.scored(world.review_of(panel, judged.bids[0]), submit=False)
        related(judged, late.expert.code)
        with pytest.raises(NotNow) as told:
            services.submit(late, by=late.expert.user)
        assert told.value.rule == "no_conflict"
        with pytest.raises(NotNow):
            services.save_marks(late, {"need": "1"}, by=late.expert.user)
        voided = services.void_conflicted(panel, by=by)
        assert [r.pk for r in voided] == [late.pk]
        effects.drain()
        world.all_scored(panel)
        assert services.lock(panel, by=by).state == "scored"
    codes = [b["expert"] for b in panel.results.get(bid=judged.bids[0]).explanation["stages"][0]["ballots"]]
    assert late.expert.code not in codes
    assert len(codes) == 5


def test_a_conflict_found_on_a_submitted_ballot_blocks_the_lock(judged: Judged, panel: Panel) -> None:
    with clock.at(world.after(judged.call, 5)):
        world.all_scored(panel)
        related(judged, world.review_of(panel).expert.code)
        with pytest.raises(NotNow) as told:
            services.lock(panel, by=officer(judged))
    assert told.value.rule == "conflicts_are_settled"
    assert not panel.results.exists()


def test_a_relation_that_ended_before_the_look_back_bars_nobody(judged: Judged, panel: Panel) -> None:
    """Three years back from submission (2026-03-10): the day before is free, the day itself is a conflict."""
    review = world.review_of(panel, judged.bids[0])
    bid = Bid.objects.select_related("call__rules_version").get(pk=review.bid_id)
    day = bid.submitted_at.astimezone(clock.TZ).date().replace(year=2023)
    row = services.add_relation(
        review.expert,
        bid.organisation,
        "employed",
        by=review.expert.user,
        since=date(2019, 1, 1),
        until=date(day.year, day.month, day.day - 1),
    )
    with clock.at(world.after(judged.call)):
        assert standing_hits(review.expert, bid) == []
        row.until = day
        row.save()
        assert [h.test for h in standing_hits(review.expert, bid)] == [1]


def test_whoever_is_appointed_by_a_bidder_is_out_of_the_whole_call(judged: Judged, panel: Panel) -> None:
    """Employed by a competitor: §9(5) for the other bids, §9(1) for the own one."""
    from grants.people import services as staff
    from grants.people.services import SYSTEM

    expert = world.review_of(panel).expert
    with clock.at(judged.call.opens_at):
        staff.appoint(expert.user, "editor", judged.bodies[0].organisation, by=SYSTEM)
    with clock.at(world.after(judged.call)):
        found = {b.number: standing_hits(expert, Bid.objects.get(pk=b.pk))[0].test for b in judged.bids}
    assert sorted(found.values()) == [1, 5, 5]


def test_a_finding_is_dismissed_by_a_second_person_with_a_reason_and_then_no_longer_stands(judged: Judged) -> None:
    panel = world.convened(judged.call, officer(judged))
    member = panel.members.filter(alternate=False).first()
    assert member is not None
    related(judged, member.expert.code)
    hit = services.check_conflicts(panel, by=officer(judged))[0]
    with pytest.raises(NotYou) as told:
        services.dismiss_hit(hit, "已核实", by=officer(judged))
    assert told.value.rule == "second_person"
    with pytest.raises(NotYou):
        services.dismiss_hit(hit, "已核实", by=judged.desk.finance)
    with pytest.raises(NotNow) as unproposed:
        services.dismiss_hit(hit, "已核实", by=judged.desk.approver)
    assert unproposed.value.rule == "hit_proposed"
    with pytest.raises(NotYou):
        services.propose_dismissal(hit, "协议没有签成", by=judged.desk.finance)
    services.propose_dismissal(hit, "协议没有签成", by=officer(judged))
    with pytest.raises(NotNow) as twice:
        services.propose_dismissal(hit, "再提一次", by=officer(judged))
    assert twice.value.rule == "hit_unproposed"
    with pytest.raises(Invalid) as empty:
        services.dismiss_hit(hit, "  ", by=judged.desk.approver)
    assert empty.value.rule == "reason_given"
    assert standing_hits(member.expert, judged.bids[0])
    services.dismiss_hit(hit, "协议未履行,双方书面确认", by=judged.desk.approver)
    assert standing_hits(member.expert, judged.bids[0]) == []
    with pytest.raises(NotNow):
        services.dismiss_hit(hit, "再次", by=judged.desk.approver)
    related(judged, member.expert.code, kind="dispute")
    assert [h.evidence[0].kind for h in standing_hits(member.expert, judged.bids[0])] == ["dispute"]


def test_checking_twice_keeps_each_finding_once(judged: Judged, panel: Panel) -> None:
    related(judged, world.review_of(panel).expert.code)
    first = {h.pk for h in services.check_conflicts(panel, by=officer(judged))}
    assert {h.pk for h in services.check_conflicts(panel, by=officer(judged))} == first
    assert len(first) == 1


def test_too_few_experts_for_a_bid_is_told_in_words_and_nothing_is_assigned(judged: Judged) -> None:
    """Everybody but four is related to the first bid's applicant: the bid, the number and the way out are named."""
    panel = world.convened(judged.call, officer(judged))
    for code in sorted(judged.experts)[4:]:
        related(judged, code)
    before = written()
    with pytest.raises(Invalid) as told:
        services.assign(panel, by=officer(judged))
    assert told.value.rule.startswith("assignment_")
    assert judged.bids[0].number in str(told.value)
    assert "不得放宽回避" in str(told.value)
    assert written() == before


# --- replacement -----------------------------------------------------------------------------------------------------------


def test_a_recusal_moves_only_the_gap(judged: Judged, panel: Panel) -> None:
    """One pair leaves, one pair comes; every other pair stays. The alternate becomes a member who signs."""
    before = set(panel.reviews.values_list("bid_id", "expert__code"))
    review = world.review_of(panel, judged.bids[1])
    with clock.at(world.after(judged.call, 4)):
        services.recuse(review, "与负责人是同学", by=review.expert.user)
        effects.drain()
    live = set(panel.reviews.filter(state__in=LIVE).values_list("bid_id", "expert__code"))
    assert before - live == {(review.bid_id, review.expert.code)}
    assert len(live - before) == 1
    bid, code = next(iter(live - before))
    assert bid == review.bid_id
    assert panel.members.get(expert__code=code).alternate is False
    assert Review.objects.get(pk=review.pk).state == "recused"


def test_a_finance_expert_is_replaced_by_a_finance_expert(judged: Judged, panel: Panel) -> None:
    review = world.review_of(panel, judged.bids[0], code=panel.members.get(alternate=False, seat="finance").expert.code)
    services.recuse(review, "利害关系", by=review.expert.user)
    effects.drain()
    seats = dict(panel.members.values_list("expert_id", "seat"))
    live = panel.reviews.filter(bid=review.bid_id, state__in=LIVE).values_list("expert_id", flat=True)
    assert sorted(seats[e] for e in live).count("finance") == 1


def test_an_expert_who_leaves_everything_signs_nothing(judged: Judged, panel: Panel) -> None:
    code = world.review_of(panel).expert.code
    for review in panel.reviews.filter(expert__code=code).select_related("expert__user"):
        services.recuse(review, "身体原因", by=review.expert.user)
        effects.drain()
    assert panel.members.get(expert__code=code).excused
    done = world.concluded(world.locked(panel, officer(judged)), officer(judged))
    assert done.state == "concluded"


def test_leaving_one_stage_leaves_both(judged: Judged) -> None:
    """With documents and an oral defence, a recusal in one stage voids the other, and the alternate takes both."""
    two = world.judged(world.rules(name="YX-2026-92", stages=2), n=1, sector=6, finance=2)
    panel = world.started(two.call, two.desk.officer)
    review = world.review_of(panel, stage="oral")
    services.recuse(review, "利害关系", by=review.expert.user)
    effects.drain()
    live = panel.reviews.filter(state__in=LIVE)
    assert not live.filter(expert=review.expert).exists()
    assert {stage: live.filter(stage=stage).count() for stage in ("document", "oral")} == {"document": 5, "oral": 5}
    with clock.at(world.after(two.call, 5)), pytest.raises(NotNow) as told:
        world.scored(world.review_of(panel, stage="oral"))
    assert told.value.rule == "earlier_stage_is_in"


def test_without_alternates_the_organiser_is_told_and_the_panel_cannot_lock(judged: Judged, panel: Panel) -> None:
    from grants.notifications.models import Message

    panel.members.filter(alternate=True).delete()
    review = world.review_of(panel)
    services.recuse(review, "利害关系", by=review.expert.user)
    effects.drain()
    assert Message.objects.filter(template="review/short", to=officer(judged)).count() == 1
    with clock.at(world.after(judged.call, 5)):
        world.all_scored(panel)
        with pytest.raises(NotNow) as told:
            services.lock(panel, by=officer(judged))
    assert told.value.rule == "ballots_are_in"


# --- ballots ---------------------------------------------------------------------------------------------------------------


def test_only_the_expert_of_the_review_may_mark_it(judged: Judged, panel: Panel) -> None:
    """An expert of the same panel, an officer, a superuser: NotYou, and nothing is written."""
    review = services.accept(world.review_of(panel), by=world.review_of(panel).expert.user, pledge=True)
    other = panel.members.filter(alternate=False).exclude(expert=review.expert).first()
    assert other is not None
    chief = people.person("超级管理员")
    chief.is_superuser = True
    chief.save()
    before = written()
    for who in (other.expert.user, officer(judged), chief):
        with pytest.raises(NotYou):
            services.save_marks(review, {"need": "10"}, by=who)
        with pytest.raises(NotYou):
            services.submit(review, by=who)
        with pytest.raises(NotYou):
            services.accept(review, by=who, pledge=True)
    assert written() == before


def test_the_file_opens_only_after_the_pledge(judged: Judged, panel: Panel) -> None:
    review = world.review_of(panel)
    with pytest.raises(NotNow) as told:
        services.accept(review, by=review.expert.user, pledge=False)
    assert told.value.rule == "pledge_signed"
    with pytest.raises(NotNow) as early:
        services.save_marks(review, {"need": "10"}, by=review.expert.user)
    assert early.value.rule == "review_accepted"


@pytest.mark.parametrize(
    ("mark", "why"),
    [("20.01", "超出"), ("-0.01", "超出"), ("NaN", "超出"), ("1.005", "两位小数"), ("好", "不是数字"), ("1e3", "超出")],
)
def test_a_mark_outside_its_range_is_refused_with_the_criterion(judged: Judged, panel: Panel, mark: str, why: str) -> None:
    review = world.review_of(panel)
    review = services.accept(review, by=review.expert.user, pledge=True)
    with pytest.raises(Invalid) as told:
        services.save_marks(review, {"design": "5", "need": mark}, by=review.expert.user)
    assert list(told.value.problems) == ["need"]
    assert why in told.value.problems["need"][0]
    assert world.sheet(review) == {}


def test_only_finance_experts_mark_the_finance_criterion(judged: Judged, panel: Panel) -> None:
    sector = world.review_of(panel, code=panel.members.filter(alternate=False, seat="sector").first().expert.code)
    finance = world.review_of(panel, code=panel.members.get(alternate=False, seat="finance").expert.code)
    assert "budget" not in {c.code for c in own_criteria(sector)}
    assert "budget" in {c.code for c in own_criteria(finance)}
    sector = services.accept(sector, by=sector.expert.user, pledge=True)
    with pytest.raises(Invalid) as told:
        services.save_marks(sector, {"budget": "10"}, by=sector.expert.user)
    assert "budget" in told.value.problems


def test_an_incomplete_ballot_is_not_handed_in_and_a_missing_mark_is_no_zero(judged: Judged, panel: Panel) -> None:
    review = world.review_of(panel)
    user = review.expert.user
    review = services.accept(review, by=user, pledge=True)
    criteria = own_criteria(review)
    services.save_marks(review, {c.code: "1" for c in criteria[:-1]}, by=user)
    with pytest.raises(NotNow) as told:
        services.submit(review, by=user)
    assert told.value.rule == "ballot_is_complete"
    assert criteria[-1].name in str(told.value)
    services.save_marks(review, {criteria[-1].code: "0"}, by=user)
    assert services.submit(review, by=user).state == "submitted"


def test_a_submitted_ballot_is_taken_back_before_it_changes_and_the_ledger_holds_no_mark(judged: Judged, panel: Panel) -> None:
    review = world.scored(world.review_of(panel))
    user = review.expert.user
    with pytest.raises(NotNow):
        services.save_marks(review, {"need": "1"}, by=user)
    review = perform(review, "reopen", by=user)
    services.save_marks(review, {"need": "1"}, by=user)
    services.submit(review, by=user)
    events = AuditEvent.objects.filter(subject=review.subject)
    assert [e.event for e in events.order_by("id")] == [
        "review.open", "review.accept", "review.marks", "review.submit", "review.reopen", "review.marks", "review.submit",
    ]  # fmt: skip
    assert all(b'"need"' not in bytes(e.leaf) for e in events)
    named = [e.files["ballot"] for e in ledger.history(review.subject) if "ballot" in e.files]
    assert named[0] == named[1], "handed in as saved"
    assert len(set(named)) == 2, "a fresh salt for each saved ballot"


# --- locking, results --------------------------------------------------------------------------------------------------------


def test_a_panel_with_a_missing_ballot_does_not_lock(judged: Judged, panel: Panel) -> None:
    last = world.review_of(panel)
    with clock.at(world.after(judged.call, 5)):
        world.all_scored(panel, but=[last])
        before = written()
        with pytest.raises(NotNow) as told:
            services.lock(panel, by=officer(judged))
    assert told.value.rule == "ballots_are_in"
    assert last.expert.code in str(told.value)
    assert written() == before
    assert Panel.objects.get(pk=panel.pk).state == "scoring"


def shares(judged: Judged, table: dict[str, list[str]]) -> Any:
    """A share per bid number and position of the expert among the members; finance gives 0.8."""

    def given(review: Review) -> Decimal:
        seats = list(PanelMember.objects.filter(panel=review.panel_id, alternate=False).order_by("position"))
        if next(m for m in seats if m.expert_id == review.expert_id).seat == "finance":
            return Decimal("0.8")
        sector = [m.expert_id for m in seats if m.seat != "finance"]
        return Decimal(table[review.bid.number][sector.index(review.expert_id)])

    return given


def test_the_trimmed_mean_with_stated_numbers(judged: Judged, panel: Panel) -> None:
    """Sector experts give 70, 80, 90, 100 % of 85 points, finance gives 12 of 15 to everybody, and 80 % of the rest.

    Totals 71.5, 80, 88.5, 97 and 80 (finance): 97 and 71.5 are dropped; (80 + 80 + 88.5) / 3 = 82.8333… → 82.83.
    """
    numbers = [b.number for b in judged.bids]
    table = {numbers[0]: ["0.7", "0.8", "0.9", "1.0"], numbers[1]: ["0.8"] * 4, numbers[2]: ["0.8", "0.8", "0.8", "0.9"]}
    panel = world.locked(panel, officer(judged), shares(judged, table))
    first = panel.results.get(bid=judged.bids[0])
    stage = first.explanation["stages"][0]
    assert sorted(b["total"] for b in stage["ballots"]) == ["71.50", "80.00", "80.00", "88.50", "97.00"]
    assert {b["total"]: b["dropped"] for b in stage["ballots"] if b["dropped"]} == {"97.00": "high", "71.50": "low"}
    assert first.total == Decimal("82.83")
    assert (first.rank, first.passed, first.n_ballots) == (1, True, 5)
    assert panel.results.get(bid=judged.bids[2]).total == Decimal("80.00")


def test_equal_scores_are_parted_by_the_lower_ask(judged: Judged, panel: Panel) -> None:
    """All criteria equal: need and design do not part them, the asks 40,000 < 50,000 < 60,000 do; the sentence says so."""
    panel = world.locked(panel, officer(judged))
    rows = list(panel.results.order_by("rank").select_related("bid"))
    assert [r.bid.pk for r in rows] == [b.pk for b in judged.bids]
    assert {r.explanation["decided_by"] for r in rows} == {"lower_ask"}
    assert "申请金额" in rows[0].explanation["sentence"]


def test_equal_scores_and_equal_asks_are_parted_by_the_chair_and_the_lot_can_be_drawn_again() -> None:
    """Same criteria, same asks, same chair's points: only the lot is left; it is a public draw, and its transcript gives the same places."""
    from review.draw import shuffled

    same = world.judged(world.rules(name="YX-2026-93"), n=2, sector=5, finance=1)
    panel = world.locked(world.started(same.call, same.desk.officer), same.desk.officer)
    rows = list(panel.results.order_by("rank").select_related("bid"))
    assert {r.explanation["decided_by"] for r in rows} == {"lot"}
    drawn = panel.draws.get(about="tie").transcript
    order = shuffled([b.number for b in same.bids], bytes.fromhex(drawn["seed"]))
    assert [r.bid.number for r in rows] == list(order)


def test_below_the_pass_line_a_bid_is_ranked_but_not_passed(judged: Judged, panel: Panel) -> None:
    table = {judged.bids[0].pk: "0.7", judged.bids[1].pk: "0.69", judged.bids[2].pk: "0.9"}
    panel = world.locked(panel, officer(judged), world.by_bid(table))
    passed = dict(panel.results.values_list("bid_id", "passed"))
    assert passed == {judged.bids[0].pk: True, judged.bids[1].pk: False, judged.bids[2].pk: True}


def test_counting_again_gives_identical_rows_and_a_changed_row_is_found(judged: Judged, panel: Panel) -> None:
    panel = world.locked(panel, officer(judged))
    assert recompute(panel) == []
    panel.results.filter(bid=judged.bids[0]).update(total=Decimal("99.00"))
    assert len(recompute(panel)) == 1


def test_after_locking_nothing_moves(judged: Judged, panel: Panel) -> None:
    panel = world.locked(panel, officer(judged))
    review = world.review_of(panel)
    for verb, details in (("reopen", {}), ("recuse", {})):
        with pytest.raises(NotNow):
            perform(review, verb, by=review.expert.user, **details)
    with pytest.raises(NotNow) as told:
        perform(review, "void", by=officer(judged), reason="不满意")
    assert told.value.rule == "panel_is_not_locked"
    with pytest.raises(NotNow):
        services.lock(panel, by=officer(judged))


def test_a_ballot_far_from_the_mean_needs_a_written_reason_before_the_lock(judged: Judged, panel: Panel) -> None:
    """Totals 95, 95, 95, ~92, 46: the last is 46 % away. The lock names expert and bid; only the expert may explain."""
    odd = world.review_of(panel, judged.bids[0], code=panel.members.filter(alternate=False, seat="sector").first().expert.code)

    def given(review: Review) -> Decimal:
        return Decimal("0.4") if review.pk == odd.pk else Decimal("0.95")

    with clock.at(world.after(judged.call, 5)):
        world.all_scored(panel, given)
        with pytest.raises(NotNow) as told:
            services.lock(panel, by=officer(judged))
        assert told.value.rule == "deviations_are_explained"
        assert odd.expert.code in str(told.value)
        with pytest.raises(NotYou):
            services.explain_deviation(odd, "他人代写", by=officer(judged))
        with pytest.raises(Invalid):
            services.explain_deviation(odd, "   ", by=odd.expert.user)
        services.explain_deviation(odd, "方案照搬往年文本,未回应需求", by=odd.expert.user)
        assert services.lock(panel, by=officer(judged)).state == "scored"


def test_residents_and_other_parts_are_entered_before_the_lock_and_mixed_as_the_rules_say() -> None:
    """Experts 80 %, residents 20 %: 80.00 and 50.00 give 74.00. Without the residents' score the panel does not lock."""
    mixed = world.judged(
        world.rules(name="YX-2026-94", residents=20, mix={"experts": "80.00", "residents": "20.00"}), n=1, sector=5, finance=1
    )
    by = mixed.desk.officer
    panel = world.started(mixed.call, by)
    with clock.at(world.after(mixed.call, 5)):
        world.all_scored(panel)
        with pytest.raises(NotNow) as told:
            services.lock(panel, by=by)
        assert told.value.rule == "other_scores_are_in"
        for value, basis, rule in (
            ("100.01", "计票表", "other_score_value"),
            ("50", " ", "other_score_basis"),
            ("1.005", "x", "other_score_value"),
        ):
            with pytest.raises(Invalid) as bad:
                services.enter_other_score(panel, mixed.bids[0], "residents", Decimal(value), basis=basis, by=by)
            assert bad.value.rule == rule
        with pytest.raises(Invalid):
            services.enter_other_score(panel, mixed.bids[0], "public_vote", Decimal(50), basis="计票表", by=by)
        services.enter_other_score(panel, mixed.bids[0], "residents", Decimal("50.00"), basis="20 名居民代表计票表", by=by)
        panel = services.lock(panel, by=by)
    assert panel.results.get().total == Decimal("74.00")


def test_documents_and_oral_defence_are_weighted() -> None:
    """40 % of 80 and 60 % of 90: 86.00."""
    two = world.judged(world.rules(name="YX-2026-92", stages=2), n=1, sector=5, finance=1)
    panel = world.started(two.call, two.desk.officer)
    share = {"document": Decimal("0.8"), "oral": Decimal("0.9")}
    panel = world.locked(panel, two.desk.officer, lambda review: share[review.stage])
    assert panel.results.get().total == Decimal("86.00")


@pytest.mark.parametrize("code", ["YX-2026-03", "YX-2026-04"])
def test_points_given_once_by_residents_or_on_site_stand_on_every_ballot(code: str) -> None:
    """The micro call's residents' criterion and the professional call's site check: everybody at 80 % makes exactly 80."""
    from grants.calls.rulebook.toml import from_data
    from tests.world import calls

    desk = people.office()
    given = calls.rules(code).plain()
    simple = {**given["review"], "panel": {**given["review"]["panel"], "draw": "simple"}}
    call = calls.opened(desk, from_data({**given, "review": simple}))
    host = people.body(desk, name="青禾街道社区社会组织联合会")
    kind = people.group(desk, host) if code == "YX-2026-03" else people.body(desk)
    people.checked(kind, desk, 2024, 2025)
    from tests.world import bidding

    with clock.at(bidding.opens(call)):
        bid = bidding.submitted(call, kind)
    call = calls.closed(call)
    with clock.at(world.after(call, 1)):
        bidding.admitted(Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk), desk)
    world.pool(desk, sector=8, finance=2, field=4)
    panel = world.locked(world.started(call, desk.officer), desk.officer)
    assert panel.results.get().total == Decimal("80.00")


# --- report ------------------------------------------------------------------------------------------------------------------


def test_the_report_needs_every_signature_and_keeps_dissent(judged: Judged, panel: Panel) -> None:
    from pypdf import PdfReader

    by = officer(judged)
    panel = world.locked(panel, by)
    members = list(panel.members.filter(alternate=False).select_related("expert__user"))
    with pytest.raises(NotYou):
        services.sign(panel, by=by)
    services.sign(panel, by=members[0].expert.user, dissent="对第一名的预算存疑,单价偏高")
    with pytest.raises(NotNow) as twice:
        services.sign(panel, by=members[0].expert.user)
    assert twice.value.rule == "has_not_signed"
    with pytest.raises(NotNow) as told:
        services.conclude(panel, by=by)
    assert told.value.rule == "everybody_signed"
    for member in members[1:]:
        services.sign(panel, by=member.expert.user)
    panel = services.conclude(panel, by=by)
    effects.drain()
    panel = Panel.objects.get(pk=panel.pk)
    text = "".join(page.extract_text() for page in PdfReader(path_of(panel.report_id)).pages)
    assert "单价偏高" in text
    assert judged.bids[0].organisation.name[:6] in text
    assert "评审报告" in text
    event = AuditEvent.objects.get(event="panel.report")
    assert panel.report_id.encode() in bytes(event.leaf)
    effects.drain()
    assert AuditEvent.objects.filter(event="panel.report").count() == 1


def test_a_recommended_amount_is_within_the_ask_and_written_before_anybody_signs(judged: Judged, panel: Panel) -> None:
    by, bid = officer(judged), judged.bids[0]
    panel = world.locked(panel, by)
    for amount in ("40000.01", "0", "-1", "1.005"):
        with pytest.raises(Invalid) as told:
            services.recommend_amount(panel, bid, Decimal(amount), "核减", by=by)
        assert told.value.rule == "recommend_amount"
    before = panel.result_hash()
    services.recommend_amount(panel, bid, Decimal("35000.00"), "场地费重复,核减 5000 元", by=by)
    assert panel.results.get(bid=bid).recommended == Decimal("35000.00")
    assert panel.result_hash() != before
    member = panel.members.filter(alternate=False).first()
    assert member is not None
    services.sign(panel, by=member.expert.user)
    with pytest.raises(NotNow) as late:
        services.recommend_amount(panel, bid, Decimal("30000.00"), "再核减", by=by)
    assert late.value.rule == "nobody_signed"


def test_an_expert_of_a_running_panel_takes_no_office_in_its_agency(judged: Judged, panel: Panel) -> None:
    from grants.people import services as staff
    from grants.people.services import SYSTEM

    member = panel.members.filter(alternate=False).select_related("expert__user").first()
    assert member is not None
    for role, scope in (("officer", judged.desk.agency), ("observer", judged.call)):
        with pytest.raises(Invalid) as told:
            staff.appoint(member.expert.user, role, scope, by=SYSTEM)
        assert told.value.rule == "separation_of_duty"


def test_the_organiser_who_sits_on_the_panel_cannot_run_it(judged: Judged, panel: Panel) -> None:
    """Separation of duty holds even if somebody slipped a seat into the database."""
    row = Expert.objects.create(user=officer(judged), code="X1")
    PanelMember.objects.create(panel=panel, expert=row, seat="sector", position=99)
    refusal = explain(panel, "lock", officer(judged))
    assert isinstance(refusal, NotYou)
    assert refusal.rule == "does_not_score"


def test_the_database_refuses_a_second_live_review_of_the_same_pair(judged: Judged, panel: Panel) -> None:
    review = world.review_of(panel)
    twin = Review(panel=panel, bid=review.bid, expert=review.expert, created_at=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)
