"""Money from plan to bank slip: to the fen, by four persons, exactly once, on conditions that explain themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bidding.models import Bid
from grants import clock, ledger
from grants.awards.models import Award, Contract
from grants.documents.files import read_file
from grants.funding import conditions, orders, services
from grants.funding.models import Allocation, FundSource, PaymentBatch, PaymentOrder, Receipt, Tranche, TrancheLine
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.people.models import Organisation
from grants.people.services import set_account
from grants.workflow import effects
from grants.workflow.door import SYSTEM, explain, perform
from grants.workflow.models import Outbox
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import funding as world
from tests.world import people, shared
from tests.world.awards import looked_up
from tests.world.funding import Project

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def begun(django_db_setup: None, django_db_blocker: Any) -> Iterator[Project]:
    """One award of ¥100,000.00 that has begun; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        [project] = world.begun()
        yield project


@pytest.fixture
def project(begun: Project) -> Iterator[Project]:
    """Two days after the contract took effect; what persons were appointed to in another test is forgotten."""
    desk = begun.desk
    for user in (desk.officer, desk.approver, desk.finance, desk.auditor, begun.claimant):
        user.__dict__.pop("_held", None)
    with clock.at(begun.day(2)):
        yield begun


def written() -> tuple[int, ...]:
    """What a refusal must not change."""
    return tuple(m._base_manager.count() for m in (AuditEvent, Outbox, PaymentOrder, PaymentBatch, Receipt, Allocation, TrancheLine))


def refused(kind: type[Exception], rule: str, act: Any) -> Any:
    """Run `act`; it must be refused under `rule` and leave nothing behind. Returns the refusal."""
    before = written()
    with pytest.raises(kind) as told, transaction.atomic():
        act()
    assert told.value.rule == rule  # type: ignore[attr-defined]
    assert str(told.value)
    assert written() == before
    return told.value


# --- the plan ------------------------------------------------------------------------------------------------------------


def test_an_award_that_begins_is_planned_by_the_clock_to_the_fen(project: Project) -> None:
    """50 / 30 / 20 per cent, every tranche paid from the sources the contract names, by the clock, with its conditions copied."""
    tranches = list(project.award.tranches.order_by("number"))
    assert [t.amount for t in tranches] == [Decimal("50000.00"), Decimal("30000.00"), Decimal("20000.00")]
    shares = {a.source.code: str(a.amount) for a in project.award.allocations.select_related("source")}
    assert shares == Contract.objects.get(award=project.award).shares
    assert [c["code"] for c in tranches[1].conditions][:2] == ["midterm_passed", "spend_ratio"]
    entry = ledger.history(tranches[0].subject)[0]
    assert (entry.event, entry.actor) == ("tranche.open", "system")
    assert services.check_call(project.call) == []


def test_planning_again_changes_nothing(project: Project) -> None:
    before = written()
    assert [t.number for t in services.plan(project.award)] == [1, 2, 3]
    services.set_up_sources(project.call)
    assert written() == before


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fen=st.integers(300, 10_000_000), cut=st.integers(0, 100))
def test_every_plan_adds_up_to_the_fen(project: Project, fen: int, cut: int) -> None:
    """Any award over any two shares: Σ tranches = Σ allocations = award, rows and columns of the matrix tie out."""
    with transaction.atomic():
        _replan(project, Decimal(fen) / 100, Decimal(fen * cut // 100) / 100)
        award = project.fresh()
        tranches = services.plan(award)
        assert sum(t.amount for t in tranches) == award.amount
        assert sum(a.amount for a in award.allocations.all()) == award.amount
        book = [v for v in services.check_call(project.call) if v.rule not in ("lines", "contract", "source_over", "source_unknown", "pool")]
        assert book == []
        transaction.set_rollback(True)


def _replan(project: Project, amount: Decimal, second: Decimal) -> None:
    """Beside the door: an award as if it had been contracted over `amount`, `second` of it from a second source."""
    TrancheLine.objects.filter(tranche__award=project.award).delete()
    project.award.tranches.all().delete()
    project.award.allocations.all().delete()
    FundSource.objects.get_or_create(call=project.call, code="zz", defaults={"name": "基金会", "kind": "foundation", "amount": 10**9})
    first = project.call.rules.sources[0].id
    Award.objects.filter(pk=project.award.pk).update(amount=amount)
    Contract.objects.filter(award=project.award).update(shares={first: str(amount - second), "zz": str(second)})


# --- four persons, in order ----------------------------------------------------------------------------------------------


def test_a_tranche_is_requested_checked_approved_ordered_and_paid_by_four_persons(project: Project) -> None:
    """Each step is recorded with its role and amount; the grantee is written to when the money has gone."""
    done = world.paid(project, 1)
    assert done.state == "paid"
    roles = {e.verb: e.role for e in ledger.history(done.subject)}
    assert (roles["check_"], roles["approve"], roles["order"], roles["confirm_paid"]) == (
        "officer", "approver", "finance_officer", "finance_officer",
    )  # fmt: skip
    assert roles["request"] in {"claimant", "editor", "signatory"}
    order = world.order_of(project)
    assert (order.status, order.amount) == ("paid", Decimal("50000.00"))
    payee = Organisation.objects.get(pk=project.body.organisation.pk)
    assert (order.payee_name, order.payee_account) == (payee.account_name or payee.name, payee.account_number)
    assert Message.objects.filter(to=project.claimant, key__startswith="funding.tell_paid/").count() == 1
    assert services.check_call(project.call) == []


@pytest.mark.parametrize(("verb", "column", "rule"), [
    ("check_", "requested_by", "not_requested_by"), ("approve", "checked_by", "not_checked_by"), ("approve", "requested_by", "not_requested_by"),
    ("order", "approved_by", "not_approved_by"), ("order", "checked_by", "not_checked_by"),
])  # fmt: skip
def test_nobody_takes_two_of_the_four_steps(project: Project, verb: str, column: str, rule: str) -> None:
    """Whoever did one of the earlier steps is refused the next, whatever roles they hold."""
    world.receipt(world.requested(project), project.claimant)
    who = {"check_": project.desk.officer, "approve": project.desk.approver, "order": project.desk.finance}[verb]
    Tranche.objects.filter(pk=project.tranche().pk).update(**{column: who})
    refused(NotYou, rule, lambda: perform(project.tranche(), verb, by=who))


def test_strangers_and_the_wrong_roles_are_refused(project: Project) -> None:
    stranger = people.person("路人")
    refused(NotYou, "may_claim", lambda: perform(project.tranche(), "request", by=stranger))
    refused(NotYou, "may_claim", lambda: perform(project.tranche(), "request", by=project.desk.officer))
    world.approved(project)
    refused(NotYou, "may_pay_tranches", lambda: perform(project.tranche(), "order", by=project.desk.approver))
    refused(NotYou, "may_pay_tranches", lambda: services.make_batch(project.call, by=project.desk.auditor))


def test_a_tranche_waits_for_its_conditions_and_says_which(project: Project) -> None:
    """Without a receipt the check is refused by name; with it, it goes through."""
    held = world.requested(project)
    refusal = refused(NotNow, "conditions_met", lambda: perform(held, "check_", by=project.desk.officer))
    assert "票据" in str(refusal)
    assert "¥50,000.00" in str(refusal)
    world.receipt(held, project.claimant)
    looked_up(project.award.bid, project.desk.officer)
    assert perform(held, "check_", by=project.desk.officer).state == "checked"


def test_a_condition_nobody_can_judge_fails_closed(project: Project) -> None:
    """A code without a predicate stops the payment instead of being waved through."""
    held = world.requested(project)
    world.receipt(held, project.claimant)
    Tranche.objects.filter(pk=held.pk).update(conditions=[{"code": "moon_is_full", "percent": None}])
    refusal = refused(NotNow, "conditions_met", lambda: perform(held, "check_", by=project.desk.officer))
    assert "moon_is_full" in str(refusal)


def test_every_condition_of_the_rules_has_a_predicate() -> None:
    from grants.calls.rulebook.parts.funding import Predicate

    assert {p.value for p in Predicate} <= set(conditions._predicates)


def test_tranches_are_paid_in_order(project: Project) -> None:
    refused(NotNow, "earlier_tranches_paid", lambda: perform(project.tranche(2), "request", by=project.claimant))


def test_the_second_tranche_waits_for_midterm_spending_and_logo(project: Project) -> None:
    """All that is missing is named at once."""
    world.paid(project, 1)
    second = world.requested(project, 2)
    refusal = refused(NotNow, "conditions_met", lambda: perform(second, "check_", by=project.desk.officer))
    for word in ("中期评估", "¥30,000.00", "标识", "票据"):
        assert word in str(refusal)


def test_what_was_asked_can_be_returned_with_a_reason_and_asked_again(project: Project) -> None:
    held = perform(world.requested(project), "return_", by=project.desk.officer, note="票据抬头有误")
    assert (held.state, held.requested_by, held.due_at) == ("planned", None, None)
    assert world.requested(project).state == "requested"
    assert ledger.history(held.subject)[-2].private == {"note": "票据抬头有误"}


def test_a_withheld_tranche_is_not_paid_until_it_is_asked_for_again(project: Project) -> None:
    held = perform(world.approved(project), "withhold", by=project.desk.approver, note="材料存疑")
    refused(NotNow, "state", lambda: perform(held, "order", by=project.desk.finance))
    assert world.requested(project).state == "requested"


# --- exactly once --------------------------------------------------------------------------------------------------------


def test_paying_twice_is_refused_by_the_door_and_by_the_database(project: Project) -> None:
    """The second click gets NotNow; a second row is refused by UNIQUE; a void order is not replaced."""
    held = world.ordered(project)
    refused(NotNow, "state", lambda: perform(held, "order", by=project.desk.finance))
    with pytest.raises(IntegrityError), transaction.atomic():
        orders.issue(held)
    assert PaymentOrder.objects.filter(tranche=held).count() == 1


def test_an_order_beside_the_door_does_not_pay_twice(project: Project) -> None:
    """A tranche whose order exists already is refused by rule even where its state would allow another."""
    held = world.approved(project)
    orders.issue(held)
    refused(NotNow, "one_order_only", lambda: perform(held, "order", by=project.desk.finance))


def test_paying_over_the_award_is_refused(project: Project) -> None:
    """Were a tranche larger than what is left of the award by one fen, it would not be paid."""
    held = world.requested(project)
    Award.objects.filter(pk=project.award.pk).update(amount=Decimal("49999.99"))
    world.receipt(held, project.claimant)
    looked_up(project.award.bid, project.desk.officer)
    refusal = refused(NotNow, "award_not_overpaid", lambda: perform(held, "check_", by=project.desk.officer))
    assert "49999.99" in str(refusal)


def test_the_account_must_be_verified_before_an_order_is_made(project: Project) -> None:
    """An account changed after approval stops the order and leaves no order behind."""
    held = world.approved(project)
    set_account(project.body.organisation, bank="另一家银行", number="6217000010009999999", by=project.claimant)
    refused(NotNow, "conditions_met", lambda: perform(held, "order", by=project.desk.finance))


def test_a_terminated_project_is_not_paid_and_its_unsent_order_is_taken_back(project: Project) -> None:
    """Termination cancels what can be stopped, voids the order that has not gone to the bank, and the books still tie out."""
    world.ordered(project)
    perform(project.fresh(), "terminate", by=project.desk.approver, note="失去资格")
    refused(NotNow, "orders_ready", lambda: services.make_batch(project.call, by=project.desk.finance))
    effects.drain()
    assert set(project.award.tranches.values_list("state", flat=True)) == {"cancelled"}
    assert world.order_of(project).status == "void"
    refused(NotNow, "award_running", lambda: perform(_withheld(project), "request", by=project.claimant))
    assert services.check_call(project.call) == []


def _withheld(project: Project) -> Tranche:
    Tranche.objects.filter(pk=project.tranche(3).pk).update(state="withheld")  # beside the door, on purpose
    return project.tranche(3)


def test_an_order_that_went_to_the_bank_is_not_cancelled(project: Project) -> None:
    """The money may be gone: by hand it is refused, at termination it waits for its slip, and it can still be confirmed."""
    world.ordered(project)
    services.make_batch(project.call, by=project.desk.finance)
    refused(NotNow, "not_sent_to_bank", lambda: perform(project.tranche(), "cancel", by=project.desk.approver, note="停付"))
    perform(project.fresh(), "terminate", by=project.desk.approver, note="失去资格")
    effects.drain()
    assert [t.state for t in project.award.tranches.order_by("number")] == ["ordered", "cancelled", "cancelled"]
    done = services.reconcile(world.order_of(project), bank_reference="HD-LATE", by=project.desk.finance)
    assert done.state == "paid"
    assert services.check_call(project.call) == []


# --- the bank ------------------------------------------------------------------------------------------------------------


def test_the_bank_file_is_deterministic_adds_up_and_is_hashed_into_the_ledger(project: Project) -> None:
    """BOM, CRLF, one row per order, a last row with count and total; the same orders give the same bytes."""
    world.ordered(project)
    batch = services.make_batch(project.call, by=project.desk.finance)
    assert batch.file is not None
    data = read_file(batch.file.sha256)
    rows = data.decode("utf-8-sig").split("\r\n")
    assert data.startswith(b"\xef\xbb\xbf")
    assert rows[1].split(",")[1:3] == [f"{project.award.number}-01", project.body.organisation.name]
    assert rows[2] == f"合计,{batch.number},1 笔,,,50000.00,"
    again = list(PaymentOrder.objects.filter(batch=batch).select_related("tranche__award"))
    assert orders.bank_file(batch.number, again) == data
    entry = ledger.history(project.call.subject)[-1]
    assert entry.files == {batch.number: batch.file.sha256}
    assert entry.public["total"] == "50000.00"
    assert orders.file_hash(again, batch.number) == batch.file.sha256


def test_nothing_is_sent_to_the_bank_twice(project: Project) -> None:
    """An order in a batch is never in another, however long its slip takes; without ready orders there is no batch."""
    world.ordered(project)
    services.make_batch(project.call, by=project.desk.finance)
    assert world.order_of(project).status == "sent_unknown"
    refused(NotNow, "orders_ready", lambda: services.make_batch(project.call, by=project.desk.finance))


@pytest.mark.parametrize("text", ["=1+1", "+86", "-1", "@x", "\t=1", "　＝1", "\ufeff=1"])
def test_no_cell_of_the_bank_file_is_a_formula(text: str) -> None:
    assert orders.safe(text) == f"'{text}"
    assert orders.safe("云溪区中心") == "云溪区中心"


def test_one_slip_confirms_one_order(project: Project) -> None:
    """An empty number, and one used before, are refused by name; the tranche stays ordered."""
    world.ordered(project)
    other = _paid_elsewhere(project)
    refused(NotNow, "order_reconciled", lambda: perform(project.tranche(), "confirm_paid", by=project.desk.finance, bank_reference=" "))
    refusal = refused(
        Invalid, "bank_reference_once", lambda: services.reconcile(world.order_of(project), bank_reference=other, by=project.desk.finance)
    )
    assert "bank_reference" in refusal.problems
    assert project.tranche().state == "ordered"


def _paid_elsewhere(project: Project) -> str:
    PaymentOrder.objects.create(
        tranche=project.tranche(3), key="ELSEWHERE", amount=1, payee_name="x", payee_bank="x", payee_account="1", status="paid",
        bank_reference="HD-1", made_at=clock.now(),
    )  # fmt: skip
    return "HD-1"


# --- receipts, clock, sponsors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more", "rule"), [
    ({"amount": "50000.01"}, "amount"), ({"amount": "0.00"}, "amount"), ({"amount": "1.001"}, "amount"), ({"kind": "sponsor"}, "kind"),
    ({"number": "  "}, "number"),
])  # fmt: skip
def test_a_receipt_that_does_not_fit_is_refused_by_field(project: Project, more: dict[str, str], rule: str) -> None:
    """A fen too much, nothing, finer than the fen, a kind the call does not accept, no number."""
    asked = {"amount": "50000.00", "number": "P-1", "kind": "settlement", **more}
    refused(Invalid, rule, lambda: world.receipt(project.tranche(), project.claimant, **asked))  # type: ignore[arg-type]


def test_receipts_together_never_exceed_the_tranche_and_no_number_is_used_twice(project: Project) -> None:
    held = project.tranche()
    world.receipt(held, project.claimant, "30000.00", number="P-1")
    refused(Invalid, "number", lambda: world.receipt(held, project.claimant, "20000.00", number="P-1"))
    refused(Invalid, "amount", lambda: world.receipt(held, project.claimant, "20000.01", number="P-2"))
    world.receipt(held, project.claimant, "20000.00", number="P-2")
    assert conditions.receipt_uploaded(held, None) is None


def test_a_receipt_is_verified_by_another_person_once(project: Project) -> None:
    row = world.receipt(project.tranche(), project.claimant)
    refused(NotYou, "may_check_tranches", lambda: services.verify_receipt(row, by=project.claimant))
    Receipt.objects.filter(pk=row.pk).update(added_by=project.desk.officer)
    row.refresh_from_db()
    refused(NotYou, "not_added_by", lambda: services.verify_receipt(row, by=project.desk.officer))
    services.verify_receipt(row, by=project.desk.finance)
    refused(NotNow, "receipt_verified", lambda: services.verify_receipt(row, by=project.desk.finance))


def test_the_payment_clock_runs_fifteen_working_days_from_the_request(project: Project) -> None:
    """Late is counted in days after the last day, and stops when the money has gone."""
    held = world.requested(project)
    due = project.tranche().due_at
    assert due is not None
    last = (due - timedelta(seconds=1)).astimezone(clock.TZ).date()
    assert services.overdue_on(held, last) == 0
    assert services.overdue_on(held, last + timedelta(days=1)) == 1
    held.__dict__["state"] = "paid"
    assert services.overdue_on(held, last + timedelta(days=9)) == 0


def test_a_sponsored_group_is_paid_through_its_sponsor_whose_claimant_may_act(project: Project) -> None:
    """The sponsor's finance person asks for the tranche, hands in receipts and books expenses; a stranger's does not."""
    host = people.body(project.desk)
    Bid.objects.filter(pk=project.award.bid_id).update(sponsor=host.organisation)  # beside the door: as if contracted through it
    sponsored = Project(project.made, project.fresh(), project.body)
    clerk = people.appointed("claimant", host.organisation, "托管会计")
    held = perform(sponsored.tranche(), "request", by=clerk)
    world.receipt(held, clerk)
    row, _warnings = services.add_expense(
        sponsored.award, by=clerk, line=sponsored.award.lines.first(), spent_on=clock.today(), category="", purpose="活动物料",
        payee="文具店", amount=Decimal("10.00"), voucher_no="V-S1",
    )  # fmt: skip
    assert row.award_id == sponsored.award.pk
    assert Tranche.visible.allows(held, clerk, clock.now())
    other = people.appointed("claimant", people.body(project.desk).organisation)
    refused(NotYou, "may_claim", lambda: perform(sponsored.tranche(), "request", by=other))
    assert not Tranche.visible.allows(held, other, clock.now())


def test_the_clock_may_stop_payments_and_nobody_else_without_a_role(project: Project) -> None:
    """Grades and endings withhold and cancel by the clock; the page says why a person may not."""
    assert perform(project.tranche(3), "withhold", by=SYSTEM, note="评估不合格").state == "withheld"
    assert perform(project.tranche(3), "cancel", by=SYSTEM, note="项目终止").state == "cancelled"
    assert isinstance(explain(project.tranche(2), "cancel", project.claimant), NotYou)
