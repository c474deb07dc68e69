"""Money under two hands on PostgreSQL: one order per tranche, one row per batch, receipts and awards that never exceed together."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum

from grants import clock
from grants.awards.models import Award
from grants.awards.numbering import award_number
from grants.funding import services
from grants.funding.models import PaymentBatch, PaymentOrder, Receipt, Surplus, Tranche
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow.door import begin, perform
from grants.workflow.models import Outbox
from grants.workflow.refusals import Invalid, NotNow
from tests.races.threads import at_once, winner
from tests.stages.test_awards_limits import TIGHT
from tests.world import awards, people
from tests.world import funding as world
from tests.world.funding import Project

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
ROUNDS = 60


@pytest.fixture(autouse=True)
def _postgresql_only() -> None:
    if connection.vendor != "postgresql":
        pytest.fail("races are proven on PostgreSQL; set TEST_DATABASE_URL (make test-races)")


@pytest.fixture
def project() -> Project:
    [made] = world.begun()
    return made


def seen(user: User) -> User:
    """The person as another browser's request reads them."""
    return User.objects.get(pk=user.pk)


def test_two_finance_officers_order_one_tranche_sixty_times(project: Project) -> None:
    """Exactly one order, one entry; the other is told that it is no longer waiting for payment."""
    second = people.appointed("finance_officer", project.desk.agency, "财务丁")
    now = project.day(2)
    with clock.at(now):
        approved = world.approved(project)
    for _round in range(ROUNDS):
        PaymentOrder.objects.all().delete()
        Tranche.objects.filter(pk=approved.pk).update(state="approved", ordered_by=None)  # beside the door, for the next round
        one, two = project.tranche(), project.tranche()
        before = AuditEvent.objects.count()
        told = at_once(
            lambda one=one: perform(one, "order", by=seen(project.desk.finance)),  # type: ignore[misc]
            lambda two=two: perform(two, "order", by=seen(second)),  # type: ignore[misc]
            now=now,
        )
        _done, refusal = winner(told, NotNow)
        assert refusal.rule == "state"
        assert "可能别人刚刚处理过" in str(refusal)
        assert PaymentOrder.objects.filter(tranche=approved).count() == 1
        assert AuditEvent.objects.count() == before + 1


def test_two_batches_at_once_send_every_order_once(project: Project) -> None:
    """One makes the batch; the other finds nothing left to send."""
    now = project.day(2)
    with clock.at(now):
        world.ordered(project)
    for _round in range(20):
        PaymentOrder.objects.update(status="ready", batch=None)
        PaymentBatch.objects.all().delete()
        act = lambda: services.make_batch(project.call, by=seen(project.desk.finance))  # noqa: E731
        batch, refusal = winner(at_once(act, act, now=now), NotNow)
        assert refusal.rule == "orders_ready"
        assert PaymentBatch.objects.get().pk == batch.pk == world.order_of(project).batch_id


def test_an_order_is_either_sent_or_taken_back_never_both(project: Project) -> None:
    """The approver cancels while finance makes the batch: a void order is in no bank file, a sent one is not void."""
    now = project.day(2)
    with clock.at(now):
        held = world.ordered(project)
    sent = 0
    for _round in range(30):
        PaymentOrder.objects.update(status="ready", batch=None)
        PaymentBatch.objects.all().delete()
        Tranche.objects.filter(pk=held.pk).update(state="ordered")  # beside the door, for the next round
        read = project.tranche()
        told = at_once(
            lambda: services.make_batch(project.call, by=seen(project.desk.finance)),
            lambda read=read: perform(read, "cancel", by=seen(project.desk.approver), note="停付"),  # type: ignore[misc]
            now=now,
        )
        _done, refusal = winner(told, NotNow)
        order = world.order_of(project)
        if order.status == "sent_unknown":
            sent += 1
            assert (refusal.rule, project.tranche().state) == ("not_sent_to_bank", "ordered")
        else:
            assert (refusal.rule, order.status, order.batch, project.tranche().state) == ("orders_ready", "void", None, "cancelled")
    assert 0 <= sent <= 30


def test_two_receipts_never_exceed_the_tranche_together(project: Project) -> None:
    """Each fits alone, both are over by a fen: one is kept, the other is refused with the figures."""
    now, half = project.day(2), Decimal("25000.01")
    for n in range(20):
        Receipt.objects.all().delete()
        acts: list[Callable[[], Any]] = [
            lambda n=n, x=x: world.receipt(project.tranche(), seen(project.claimant), half, number=f"R{n}{x}")  # type: ignore[misc]
            for x in "ab"
        ]
        _kept, refusal = winner(at_once(*acts, now=now), Invalid)
        assert refusal.rule == "amount"
        assert Receipt.objects.aggregate(s=Sum("amount"))["s"] == half


def test_one_bank_slip_never_confirms_two_orders() -> None:
    """Two tranches of two projects, one reference typed twice: one is paid, the other stays ordered and is told by which order."""
    projects = world.begun(amounts=("60000.00", "50000.00"))
    now = projects[1].day(2)
    with clock.at(now):
        held = [world.ordered(p) for p in projects]
    for n in range(20):
        PaymentOrder.objects.update(status="ready", bank_reference="")
        for tranche in held:
            Tranche.objects.filter(pk=tranche.pk).update(state="ordered")  # beside the door, for the next round
        acts = [
            lambda p=p, n=n: services.reconcile(world.order_of(p), bank_reference=f"HD{n}", by=seen(p.desk.finance))  # type: ignore[misc]
            for p in projects
        ]
        _paid, refusal = winner(at_once(*acts, now=now), Invalid)
        assert refusal.rule == "bank_reference_once"
        assert sorted(p.tranche().state for p in projects) == ["ordered", "paid"]


def test_a_surplus_is_returned_once_and_not_recomputed_over(project: Project) -> None:
    """Finance confirms the refund while the officer computes again: the refund stands, the books tie out."""
    now = project.day(3)
    with clock.at(now):
        world.paid(project, 1)
    for n in range(20):
        Surplus.objects.all().delete()
        with clock.at(now):
            services.compute_surplus(project.award, by=project.desk.officer)
        told = at_once(
            lambda n=n: services.return_surplus(project.award, bank_reference=f"T{n}", by=seen(project.desk.finance)),  # type: ignore[misc]
            lambda: services.compute_surplus(project.award, by=seen(project.desk.officer)),
            now=now,
        )
        assert not isinstance(told[0], Exception), told
        assert Surplus.objects.get().returned_at is not None
        assert services.check_call(project.call) == []


def test_two_awards_that_together_exceed_the_pool_are_not_both_let_in() -> None:
    """¥90,000.00 and ¥60,000.01 out of ¥150,000.00, proposed by two officers at once: one is in, the other gets the figures."""
    made = awards.ranked(awards.rules(**TIGHT), amounts=["90000.00", "60000.01"])
    second = people.appointed("officer", made.desk.agency, "经办乙")
    officers = (made.desk.officer, second)
    amounts = (Decimal("90000.00"), Decimal("60000.01"))

    def letting_in(place: int) -> Callable[[], Award]:
        bid, by = made.bids[place], seen(officers[place])
        new = Award(call=made.call, bid=bid, number=f"{award_number(made.call)}{place}", amount=amounts[place], prepared_by=by)
        return lambda: begin(new, by=by)

    for _round in range(20):
        Award.objects.all().delete()
        before = Outbox.objects.count(), AuditEvent.objects.count()
        _in, refusal = winner(at_once(letting_in(0), letting_in(1), now=awards.at(made.call)), NotNow)
        assert refusal.rule == "within_limits"
        assert Award.objects.count() == 1
        assert (Outbox.objects.count(), AuditEvent.objects.count()) == (before[0], before[1] + 1)
