"""What the money was spent on, and what goes back: vouchers, lines, the surplus to the fen and to its source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grants import clock, ledger
from grants.awards.models import AgreedLine
from grants.funding import services
from grants.funding.expenses import Nature
from grants.funding.models import Expense, Surplus
from grants.funding.settling import owed
from grants.ledger.models import AuditEvent
from grants.workflow import effects
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import evaluation as grading
from tests.world import funding as world
from tests.world import people, shared
from tests.world.funding import Project, Upload

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(scope="module")
def begun(django_db_setup: None, django_db_blocker: Any) -> Iterator[Project]:
    """One award of ¥100,000.00 whose first tranche of ¥50,000.00 is paid; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        [project] = world.begun()
        with clock.at(project.day(2)):
            world.paid(project, 1)
        yield project


@pytest.fixture
def project(begun: Project) -> Iterator[Project]:
    """Sixty days into the project."""
    desk = begun.desk
    for user in (desk.officer, desk.approver, desk.finance, desk.auditor, begun.claimant):
        user.__dict__.pop("_held", None)
    with clock.at(begun.day(60)):
        yield begun


def refused(kind: type[Exception], rule: str, act: Any) -> Any:
    """Run `act`; it must be refused under `rule` and leave nothing behind."""
    before = Expense.objects.count(), Surplus.objects.count(), AuditEvent.objects.count()
    with pytest.raises(kind) as told, transaction.atomic():
        act()
    assert told.value.rule == rule, told.value  # type: ignore[attr-defined]
    assert (Expense.objects.count(), Surplus.objects.count(), AuditEvent.objects.count()) == before
    return told.value


# --- expenses ------------------------------------------------------------------------------------------------------------


def test_an_expense_is_booked_with_its_voucher_and_recorded_without_names(project: Project) -> None:
    """One row, its file by hash, and an entry that names neither payee nor purpose."""
    row = world.expense(project, "1234.50")
    assert (row.amount, row.category) == (D("1234.50"), row.line.category if row.line else "")
    entry = ledger.history(project.award.subject)[-1]
    assert entry.event == "expense.added"
    assert entry.public == {"voucher": row.voucher_no, "amount": "1234.50", "money": "grant"}
    assert row.voucher is not None
    assert entry.files == {"voucher": row.voucher.sha256}


@pytest.mark.parametrize("nature", list(Nature))
def test_what_a_grant_may_not_pay_is_refused_and_may_be_paid_by_the_match(project: Project, nature: Nature) -> None:
    """Thirteen kinds; the sentence names the kind and the way out."""
    refusal = refused(Invalid, "nature", lambda: world.expense(project, "10.00", nature=nature))
    assert nature.zh in str(refusal)
    assert world.expense(project, "10.00", nature=nature, money="match").line is None


@pytest.mark.parametrize(("more", "rule"), [
    ({"amount": "0.00"}, "amount"), ({"amount": "-1.00"}, "amount"), ({"amount": "0.001"}, "amount"), ({"voucher_no": " "}, "no_voucher"),
    ({"spent_on": date(2026, 1, 1)}, "before"), ({"spent_on": date(2029, 1, 1)}, "after"), ({"line": None}, "line"),
])  # fmt: skip
def test_an_expense_that_cannot_stand_is_refused(project: Project, more: dict[str, Any], rule: str) -> None:
    """No amount, negative, finer than the fen, no number, before or after the project, without an agreed line."""
    asked = {"amount": "10.00", **more}
    refused(Invalid, rule, lambda: world.expense(project, asked.pop("amount"), **asked))


def test_the_last_day_of_the_contract_counts_and_the_day_after_does_not(project: Project) -> None:
    end = services.project_end(project.fresh())
    assert project.fresh().contract.data["ends_on"] == end.isoformat()
    world.expense(project, "1.00", spent_on=end)
    refused(Invalid, "after", lambda: world.expense(project, "1.00", spent_on=end + timedelta(days=1)))


def test_a_voucher_pays_once_across_all_projects_of_an_organisation(project: Project) -> None:
    world.expense(project, "10.00", voucher_no="FP-1")
    refused(Invalid, "duplicate", lambda: world.expense(project, "10.00", voucher_no="FP-1"))
    refused(Invalid, "duplicate", lambda: world.expense(project, "10.00", voucher_no="FP-1", money="match"))


def test_the_line_of_another_award_is_no_line_of_this_one(project: Project) -> None:
    """Even where it has the same position and name."""
    line = project.award.lines.first()
    assert line is not None
    foreign = AgreedLine(pk=10**6, award_id=None, position=line.position, category=line.category, name=line.name, agreed=10)
    refused(Invalid, "line", lambda: world.expense(project, "10.00", line=foreign))


def test_spending_over_a_line_is_booked_with_a_warning_and_does_not_count(project: Project) -> None:
    line = project.award.lines.first()
    assert line is not None
    row, warnings = services.add_expense(
        project.award, by=project.claimant, line=line, spent_on=clock.today(), category="", purpose="物料", payee="店",
        amount=line.agreed + D("0.01"), voucher_no="V-OVER",
    )  # fmt: skip
    assert [w.rule for w in warnings] == ["over_line"]
    assert owed(project.fresh()).eligible == min(line.agreed, D("100000.00"))
    assert row.amount > line.agreed


def test_a_suspicious_word_warns_and_does_not_refuse(project: Project) -> None:
    _row, warnings = services.add_expense(
        project.award, by=project.claimant, line=project.award.lines.first(), spent_on=clock.today(), category="", purpose="慰问品",
        payee="店", amount=D("10.00"), voucher_no="V-W",
    )  # fmt: skip
    assert [w.rule for w in warnings] == ["suspicious"]


def test_only_the_grantee_books_and_only_the_desk_disallows(project: Project) -> None:
    row = world.expense(project, "10.00")
    outsider = Project(project.made, project.award, people.body(project.desk))
    refused(NotYou, "may_claim", lambda: world.expense(outsider, "10.00"))
    refused(NotYou, "may_check_tranches", lambda: services.disallow_expense(row, reason="不符", by=project.claimant))
    refused(Invalid, "reason", lambda: services.disallow_expense(row, reason=" ", by=project.desk.officer))


def test_a_disallowed_expense_no_longer_counts_and_its_reason_is_private(project: Project) -> None:
    row = world.expense(project, "10000.00")
    services.disallow_expense(row, reason="与项目无关", by=project.desk.officer)
    assert owed(project.fresh()).eligible == D("0.00")
    entry = ledger.history(project.award.subject)[-1]
    assert entry.private == {"reason": "与项目无关"}
    assert "与项目无关" not in str(entry.public)
    refused(NotNow, "expense_stands", lambda: services.disallow_expense(row, reason="再次", by=project.desk.officer))


def test_a_voucher_may_be_handed_in_later_and_never_exchanged(project: Project) -> None:
    row = world.expense(project, "10.00", scan=False)
    services.attach_voucher(row, file=Upload("later"), by=project.claimant)
    refused(NotNow, "voucher_once", lambda: services.attach_voucher(row, file=Upload("other"), by=project.claimant))
    assert ledger.history(project.award.subject)[-1].event == "expense.documented"


# --- the surplus ---------------------------------------------------------------------------------------------------------


def test_a_surplus_of_3260_40_goes_back_to_its_source_and_the_project_is_closed(project: Project) -> None:
    """¥100,000.00 paid, ¥96,739.60 properly spent: ¥3,260.40 returned, confirmed by finance, and nothing moves afterwards."""
    with clock.at(project.day(61)):
        world.expense(project, "96739.60")
        world.evidence(project, "logo", *world.CLOSING)
        grading.confirmed(project, "midterm")
        world.paid(project, 2)
    with clock.at(project.day(200)):
        grading.confirmed(project, "final", satisfaction="93")
        assert services.compute_surplus(project.award, by=project.desk.officer).amount == 0
        world.paid(project, 3)
        assert services.standing_surplus(project.fresh()) is None
        refused(NotNow, "nothing_is_missing", lambda: perform(project.fresh(), "close", by=project.desk.approver))
        row = services.compute_surplus(project.award, by=project.desk.officer)
        assert row.amount == D("3260.40")
        assert row.by_source == [[project.call.rules.sources[0].id, "3260.40"]]
        refused(NotNow, "nothing_is_missing", lambda: perform(project.fresh(), "close", by=project.desk.approver))
        refused(Invalid, "bank_reference", lambda: services.return_surplus(project.award, bank_reference=" ", by=project.desk.finance))
        refused(NotYou, "may_pay_tranches", lambda: services.return_surplus(project.award, bank_reference="R", by=project.desk.officer))
        services.return_surplus(project.award, bank_reference="TK-1", by=project.desk.finance)
        refused(NotNow, "surplus_due", lambda: services.return_surplus(project.award, bank_reference="TK-2", by=project.desk.finance))
        refused(NotNow, "surplus_returned", lambda: services.compute_surplus(project.award, by=project.desk.officer))
        refused(NotNow, "surplus_returned", lambda: world.expense(project, "1.00"))
        assert services.check_call(project.call) == []
        assert grading.closed(project).state == "closed"
        assert services.check_call(project.call) == []
        refused(NotNow, "award_running", lambda: services.compute_surplus(project.award, by=project.desk.officer))
        refused(NotNow, "award_running", lambda: world.expense(project, "1.00"))


def test_a_surplus_is_stale_as_soon_as_spending_moves(project: Project) -> None:
    """An expense booked or disallowed afterwards asks for a new computation before anything is settled."""
    row = world.expense(project, "40000.00")
    services.compute_surplus(project.award, by=project.desk.officer)
    assert services.standing_surplus(project.fresh()) is not None
    world.expense(project, "1.00")
    assert services.standing_surplus(project.fresh()) is None
    refused(NotNow, "surplus_stale", lambda: services.return_surplus(project.award, bank_reference="R", by=project.desk.finance))
    assert services.compute_surplus(project.award, by=project.desk.officer).amount == D("9999.00")
    services.disallow_expense(row, reason="不符", by=project.desk.officer)
    assert services.standing_surplus(project.fresh()) is None
    assert services.check_call(project.call) == []


def test_nothing_more_is_paid_after_a_surplus_came_back(project: Project) -> None:
    services.compute_surplus(project.award, by=project.desk.officer)
    services.return_surplus(project.award, bank_reference="TK-9", by=project.desk.finance)
    refused(NotNow, "nothing_returned", lambda: perform(project.tranche(2), "request", by=project.claimant))


def test_a_terminated_award_keeps_its_books(project: Project) -> None:
    """Half paid, a part spent: what was paid and not spent goes back, the rest is cancelled, every invariant holds."""
    world.expense(project, "12345.67")
    perform(project.fresh(), "terminate", by=project.desk.approver, note="负责人失联")
    effects.drain()
    assert [t.state for t in project.award.tranches.order_by("number")] == ["paid", "cancelled", "cancelled"]
    row = services.compute_surplus(project.award, by=project.desk.officer)
    assert row.amount == D("37654.33")
    assert services.check_call(project.call) == []
    services.return_surplus(project.award, bank_reference="TK-3", by=project.desk.finance)
    assert services.check_call(project.call) == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spent=st.lists(st.integers(1, 4_000_000), max_size=5), dropped=st.sets(st.integers(0, 4)))
def test_the_books_tie_out_whatever_is_spent_and_disallowed(project: Project, spent: list[int], dropped: set[int]) -> None:
    """Through the services: surplus = paid − eligible, by source to the fen, and no invariant is ever broken."""
    with transaction.atomic():
        rows = [world.expense(project, D(fen) / 100, scan=False) for fen in spent]
        for place in sorted(dropped):
            if place < len(rows):
                services.disallow_expense(rows[place], reason="不符", by=project.desk.officer)
        stands = sum((D(fen) / 100 for i, fen in enumerate(spent) if i not in dropped), D(0))
        row = services.compute_surplus(project.award, by=project.desk.officer)
        assert row.amount == max(D("50000.00") - min(stands, D("100000.00")), D(0))
        assert sum(D(share) for _code, share in row.by_source) == row.amount
        assert services.check_call(project.call) == []
        transaction.set_rollback(True)


def test_a_broken_row_is_found_and_named(project: Project) -> None:
    """One fen moved beside the services breaks three sums, and each is said."""
    tranche = project.tranche(2)
    type(tranche).objects.filter(pk=tranche.pk).update(amount=tranche.amount + D("0.01"))
    found = {v.rule for v in services.check_call(project.call)}
    assert found == {"tranches", "row"}
