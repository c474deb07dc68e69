"""A ballot taken back in the very second in which the panel is locked, and two alternates called at once, on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from grants import clock
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform
from grants.workflow.refusals import NotNow
from review import services
from review.conflicts import RelationKind
from review.models import LIVE, ConflictHit, Draw, OtherScore, Panel, Review, ScoreCorrection, Tie, Voiding
from tests.world import people
from tests.world import review as world
from tests.world.review import Judged

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

ROUNDS = 4


@pytest.fixture(autouse=True)
def _postgresql_only() -> None:
    if connection.vendor != "postgresql":
        pytest.fail("races are proven on PostgreSQL; set TEST_DATABASE_URL (make test-races)")


def at_once(made: Judged, *works: Callable[[], Any]) -> list[Any]:
    """Start every work behind one barrier, each with a connection of its own; results or refusals, in order."""
    barrier = threading.Barrier(len(works))
    told: list[Any] = [None] * len(works)

    def run(i: int, work: Callable[[], Any]) -> None:
        try:
            with clock.at(world.after(made.call, 6)):
                barrier.wait(10)
                told[i] = work()
        except BaseException as wrong:  # noqa: BLE001 - the test looks at what came out
            told[i] = wrong
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return told


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_ballot_taken_back_while_the_panel_locks_loses_or_stops_the_lock(number: int) -> None:
    """One of the two wins; a locked panel never holds an open ballot, and its results count five."""
    made = world.judged(n=1, sector=5, finance=1)
    panel = world.started(made.call, made.desk.officer)
    with clock.at(world.after(made.call, 5)):
        world.all_scored(panel)
    review = world.review_of(panel)
    told = at_once(
        made,
        lambda: services.lock(Panel.objects.get(pk=panel.pk), by=fresh(made.desk.officer)),
        lambda: perform(Review.objects.get(pk=review.pk), "reopen", by=fresh(review.expert.user)),
    )
    losers = [t for t in told if isinstance(t, NotNow)]
    assert len(losers) == 1, told
    assert losers[0].rule in {"ballots_are_in", "panel_is_scoring"}
    after = Panel.objects.get(pk=panel.pk)
    still_open = panel.reviews.filter(state__in=("assigned", "accepted")).count()
    assert (after.state, still_open) in {("scored", 0), ("scoring", 1)}
    assert panel.results.count() == (1 if after.state == "scored" else 0)


def test_two_recusals_at_once_call_two_different_alternates() -> None:
    """Two experts leave the same bid; both effects run at once: five live reviews by five different experts."""
    made = world.judged(n=1, sector=8, finance=2)
    panel = world.started(made.call, made.desk.officer)
    leaving = list(panel.reviews.filter(state__in=LIVE).select_related("expert__user").order_by("expert__code"))[:2]
    told = at_once(
        made,
        *(lambda r=r: services.recuse(Review.objects.get(pk=r.pk), "利害关系", by=fresh(r.expert.user)) for r in leaving),  # type: ignore[misc]
    )
    assert not [t for t in told if isinstance(t, BaseException)], told
    at_once(made, effects.drain, effects.drain)
    effects.drain()
    live = list(panel.reviews.filter(state__in=LIVE).values_list("expert_id", flat=True))
    assert len(live) == len(set(live)) == 5
    assert not {r.expert_id for r in leaving} & set(live)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_two_officers_who_draw_at_once_one_panel_comes_out(number: int) -> None:
    """A draw is not repeated, not even in the same second: the call's row puts the two in line."""
    made = world.judged(n=1, sector=5, finance=1)
    told = at_once(made, *[lambda: world.announced(made.call, fresh(made.desk.officer))] * 2)
    losers = [t for t in told if isinstance(t, NotNow)]
    assert [t.rule for t in losers] == ["no_other_draw"], told
    draw = Draw.objects.get(call=made.call)
    with clock.at(draw.beacon_due):
        services.enter_beacon(draw, "3-5-2", evidence="公告", by=made.desk.officer)
    told = at_once(made, *[lambda: drawn_late(draw, fresh(made.desk.officer))] * 2)
    assert [t.rule for t in told if isinstance(t, NotNow)] == ["state"], told
    assert Panel.objects.filter(call=made.call).count() == 1


def drawn_late(draw: Draw, by: Any) -> Draw:
    """Each thread has its own clock."""
    with clock.at(draw.beacon_due):
        return services.draw_now(Draw.objects.get(pk=draw.pk), by=by)


def conflicted(name: str) -> tuple[Judged, Panel, Review]:
    """A locked panel in which a ballot turns out to be in conflict, every member's signature under the report."""
    made = world.judged(world.rules(name=name), n=1, sector=7, finance=2)
    panel = world.locked(world.started(made.call, made.desk.officer), made.desk.officer)
    with clock.at(world.after(made.call, 10)):
        for member in panel.members.filter(alternate=False).select_related("expert__user"):
            services.sign(panel, by=member.expert.user)
        review = world.review_of(panel)
        services.record_tie(review.expert, review.bid.organisation, RelationKind.CONSULTED, agency=made.desk.agency, by=made.desk.officer)
    return made, Panel.objects.get(pk=panel.pk), review


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_two_who_void_the_same_ballot_at_once_one_does(number: int) -> None:
    """Two proposals in the same second are one; two approvals void once, reopen once and call one alternate."""
    made, panel, review = conflicted(f"YX-2026-R{number}")
    proposals = at_once(made, *[lambda: services.propose_voiding(review, "应当回避", by=fresh(made.desk.officer))] * 2)
    assert [t.rule for t in proposals if isinstance(t, NotNow)] == ["voiding_once"], proposals
    voiding = Voiding.objects.get()
    told = at_once(made, *[lambda: perform(Voiding.objects.get(pk=voiding.pk), "approve", by=fresh(made.desk.approver))] * 2)
    assert len([t for t in told if isinstance(t, NotNow)]) == 1, told
    effects.drain()
    effects.drain()
    assert Panel.objects.get(pk=panel.pk).state == "scoring"
    assert panel.reviews.filter(state="voided").count() == 1
    assert panel.reviews.filter(state="assigned").count() == 1


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_finding_set_aside_while_its_ballot_is_voided_ends_one_way(number: int) -> None:
    """Whichever comes first: dismissed and nothing voided, or voided; never a concluded panel over a standing conflict."""
    made, panel, review = conflicted(f"YX-2026-Q{number}")
    with clock.at(world.after(made.call, 6)):
        services.check_conflicts(panel, by=made.desk.officer)
        hit = ConflictHit.objects.get(expert=review.expert)
        services.propose_dismissal(hit, "误录", by=made.desk.officer)
        voiding = services.propose_voiding(review, "应当回避", by=made.desk.officer)
    told = at_once(
        made,
        lambda: services.dismiss_hit(ConflictHit.objects.get(pk=hit.pk), "核实", by=fresh(made.desk.approver)),
        lambda: perform(Voiding.objects.get(pk=voiding.pk), "approve", by=fresh(made.desk.approver)),
        lambda: services.conclude(Panel.objects.get(pk=panel.pk), by=fresh(made.desk.officer)),
    )
    assert all(t is None or not isinstance(t, BaseException) or isinstance(t, NotNow) for t in told), told
    state = Panel.objects.get(pk=panel.pk).state
    gone = panel.reviews.filter(state="voided").exists()
    set_aside = ConflictHit.objects.filter(pk=hit.pk).exclude(dismissed_by=None).exists()
    assert state != "concluded" or (set_aside and not gone)
    assert gone == (state == "scoring")


def entered(number: int) -> tuple[Judged, Panel, OtherScore, User]:
    """A panel with every ballot in and 80.00 from its residents; a second officer."""
    made = world.judged(world.rules(name=f"YX-2026-C{number}", residents=20, mix={"experts": "80.00", "residents": "20.00"}), n=1, sector=5, finance=1)
    panel = world.started(made.call, made.desk.officer)
    with clock.at(world.after(made.call, 5)):
        world.all_scored(panel)
        world.others_entered(panel, made.desk.officer)
    return made, panel, OtherScore.objects.get(panel=panel), people.appointed("officer", made.desk.agency)


def corrected(score: OtherScore, value: str, by: User) -> ScoreCorrection:
    return services.propose_correction(score, Decimal(value), basis="复核表", reason="看错一行", by=fresh(by))


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_two_who_correct_or_confirm_at_once_one_does(number: int) -> None:
    """Two proposals in the same second are one; a confirmation against another, a refusal and a withdrawal ends one way, and the score says which."""
    made, _panel, score, second = entered(number)
    told = at_once(made, *[lambda v=v, by=by: corrected(score, v, by) for v, by in (("60.00", made.desk.officer), ("70.00", second))])  # type: ignore[misc]
    assert [t.rule for t in told if isinstance(t, NotNow)] == ["correction_waits"], told
    found = ScoreCorrection.objects.get()
    other, own = (second, made.desk.officer) if found.proposed_by_id == made.desk.officer.pk else (made.desk.officer, second)
    third = people.appointed("officer", made.desk.agency)
    told = at_once(
        made,
        lambda: perform(ScoreCorrection.objects.get(pk=found.pk), "confirm", by=fresh(other)),
        lambda: perform(ScoreCorrection.objects.get(pk=found.pk), "confirm", by=fresh(third)),
        lambda: perform(ScoreCorrection.objects.get(pk=found.pk), "refuse", by=fresh(third), reason="没有错"),
        lambda: perform(ScoreCorrection.objects.get(pk=found.pk), "withdraw", by=fresh(own)),
    )
    assert [t.rule for t in told if isinstance(t, NotNow)] == ["state"] * 3, told
    state = ScoreCorrection.objects.get().state
    assert OtherScore.objects.get().value == (found.value if state == "confirmed" else Decimal("80.00"))
    assert AuditEvent.objects.filter(event__startswith="score_correction.").count() == 2


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_correction_proposed_or_confirmed_while_the_panel_locks_counts_or_is_refused(number: int) -> None:
    """A locked panel has no correction waiting, and its result counts the score in force; never the old one under a confirmed correction."""
    made, panel, score, second = entered(number)
    waits = corrected(score, "60.00", made.desk.officer) if number % 2 else None
    told = at_once(
        made,
        lambda: services.lock(Panel.objects.get(pk=panel.pk), by=fresh(made.desk.officer)),
        lambda: perform(ScoreCorrection.objects.get(), "confirm", by=fresh(second)) if waits else corrected(score, "60.00", second),
    )
    assert all(not isinstance(t, BaseException) or isinstance(t, NotNow) for t in told), told
    locked, now = Panel.objects.get(pk=panel.pk).state == "scored", OtherScore.objects.get().value
    assert not (locked and ScoreCorrection.objects.filter(state="proposed").exists())
    assert not locked or panel.results.get().total == 64 + now / 5
    assert locked or any(isinstance(t, NotNow) and t.rule == "no_correction_waits" for t in told)


def test_the_same_tie_recorded_by_two_at_once_is_one_row() -> None:
    made = world.judged(n=1, sector=2, finance=0)
    expert, body = made.experts["S01"], made.bodies[0].organisation
    services.record_tie(expert, body, RelationKind.DONOR, agency=made.desk.agency, by=made.desk.officer)  # so that both parties are there already
    told = at_once(made, *[lambda: services.record_tie(expert, body, RelationKind.BOARD, agency=made.desk.agency, by=fresh(made.desk.officer))] * 3)
    assert Tie.objects.count() == 2
    assert {getattr(t, "pk", t) for t in told} == {Tie.objects.get(kind="board").pk}, told


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_two_officers_who_assign_a_large_panel_at_once_one_computes(number: int) -> None:
    """One job comes of it; two workers that take it at once write every review once."""
    made = world.judged(n=1, sector=6, finance=2)
    panel = world.convened(made.call, made.desk.officer)
    told = at_once(made, *[lambda: services.assign_soon(Panel.objects.get(pk=panel.pk), by=fresh(made.desk.officer))] * 2)
    losers = [t for t in told if isinstance(t, NotNow)]
    assert [t.rule for t in losers] == ["one_job_at_a_time"], told
    at_once(made, effects.drain, effects.drain)
    effects.drain()
    pairs = list(panel.reviews.values_list("bid_id", "expert_id", "stage"))
    assert pairs and len(pairs) == len(set(pairs))
    assert panel.runs.filter(carried_out=True).count() == 1


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_computed_and_an_immediate_assignment_at_once_assign_once(number: int) -> None:
    """Whoever writes second finds another panel than the one that was solved, or nothing left to do."""
    made = world.judged(n=1, sector=6, finance=2)
    panel = world.convened(made.call, made.desk.officer)
    with clock.at(world.after(made.call)):
        services.assign_soon(panel, by=made.desk.officer)
    told = at_once(made, effects.drain, lambda: services.assign(Panel.objects.get(pk=panel.pk), by=fresh(made.desk.officer)))
    assert not [t for t in told if isinstance(t, BaseException)], told
    pairs = list(panel.reviews.values_list("bid_id", "expert_id", "stage"))
    assert pairs and len(pairs) == len(set(pairs))
    assert len({expert for _bid, expert, _stage in pairs}) == panel.rules.review.panel.size
