"""One call of the demonstration told with two groups: by the door alone, to its archive; and every breach is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

import pytest

from bidding.models import Bid
from grants import clock
from grants.awards.models import Award, Contract, Objection
from grants.calls.models import Call
from grants.desk.demo import checks, story
from grants.desk.demo.act import Plan
from grants.desk.demo.acts import MicroAct
from grants.documents.files import path_of
from grants.funding.models import PaymentOrder, Receipt, Tranche
from grants.ledger import history
from grants.ledger.models import AuditEvent
from grants.people.models import Organisation, User
from review.models import Expert
from tests.world import shared

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=clock.TZ)


class SmallMicro(MicroAct):
    """Two groups are enough to go all the way."""

    groups: ClassVar[tuple[str, ...]] = MicroAct.groups[:2]

    def plans(self) -> Sequence[Plan]:
        return [plan for plan in super_plans() if plan.body in self.groups]


def super_plans() -> Sequence[Plan]:
    return MicroAct.plans(MicroAct.__new__(MicroAct))


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker: Any) -> Iterator[Call]:
    """The micro-grants' call with two groups, told once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker), clock.at(NOW), pytest.MonkeyPatch.context() as patch:
        patch.setattr(story, "ACTS", (SmallMicro,))
        story.tell()
        yield Call.objects.get()


@pytest.mark.slow
@pytest.mark.django_db
def test_the_micro_call_goes_from_draft_to_archive_by_the_services_alone(told: Call) -> None:
    assert told.state == "archived"
    assert set(Award.objects.values_list("state", flat=True)) == {"closed"}
    assert set(Contract.objects.values_list("state", flat=True)) == {"completed"}
    assert set(Tranche.objects.values_list("state", flat=True)) == {"paid"}
    assert list(Objection.objects.values_list("state", flat=True)) == ["refused"]
    assert checks.breaches() == []


@pytest.mark.slow
@pytest.mark.django_db
def test_every_state_of_the_story_has_its_ledger_entry(told: Call) -> None:
    """Nothing was written past the door: each object's state is the target of its newest entry that moved it."""
    for model in (Call, Bid, Award, Contract, Tranche, Organisation):
        for row in model._base_manager.all():
            moves = [entry for entry in history(row.subject) if entry.event == f"{row.kind()}.{entry.verb}" and entry.target]
            assert moves, row
            assert moves[-1].target == row.state, row


@pytest.mark.slow
@pytest.mark.django_db
def test_the_line_of_a_call_says_its_figures(told: Call) -> None:
    line = checks.line(told)
    assert (line.bids, line.admitted, line.awards, line.closed) == (2, 2, 2, 2)
    assert line.awarded == line.paid > 0
    assert "YX-2026-03" in str(line)


@pytest.mark.slow
@pytest.mark.django_db
def test_the_story_ends_before_the_clock_and_begins_with_everybody(told: Call) -> None:
    assert AuditEvent.objects.filter(at__gt=NOW).count() == 0
    assert Organisation.objects.filter(state="verified").count() == 24
    assert Expert.objects.count() == 15
    assert User.objects.exclude(email__endswith="@demo.invalid").count() == 0


@pytest.mark.slow
@pytest.mark.django_db
def test_a_missing_file_is_named(told: Call) -> None:
    contract = Contract.objects.select_related("file").first()
    assert contract is not None
    assert contract.file is not None
    path = path_of(contract.file.sha256)
    kept = path.rename(path.with_suffix(".away"))
    try:
        assert any(contract.file.sha256 in breach for breach in checks.breaches())
    finally:
        kept.rename(path)


@pytest.mark.slow
@pytest.mark.django_db
def test_a_changed_amount_is_named_by_call_and_order(told: Call) -> None:
    order = PaymentOrder.objects.order_by("key")[0]
    PaymentOrder.objects.filter(pk=order.pk).update(amount=order.amount + 1)
    assert any(order.key in breach for breach in checks.breaches())


@pytest.mark.slow
@pytest.mark.django_db
def test_a_paid_tranche_whose_order_is_open_is_named(told: Call) -> None:
    order = PaymentOrder.objects.order_by("key")[0]
    PaymentOrder.objects.filter(pk=order.pk).update(status="sent_unknown")
    assert any("没有核销" in breach for breach in checks.breaches())


@pytest.mark.slow
@pytest.mark.django_db
def test_receipts_over_a_tranche_are_named(told: Call) -> None:
    receipt = Receipt.objects.order_by("number")[0]
    Receipt.objects.filter(pk=receipt.pk).update(amount=receipt.amount + 1)
    assert any("票据超过拨款金额" in breach for breach in checks.breaches())
