"""Projects with money: awards that have begun, claimed, checked, approved, ordered and paid through the services a person clicks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import count
from typing import Any

from grants import clock
from grants.awards.models import Award
from grants.calls.models import Call
from grants.evaluation import services as evaluation
from grants.funding import services
from grants.funding.models import Expense, PaymentOrder, Receipt, Tranche
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform
from tests.world import awards, bidding
from tests.world import review as judging
from tests.world.people import Body, Office
from tests.world.review import Judged

_slips = count(1)


@dataclass(frozen=True)
class Project:
    """An award that has begun, its grantee, and the office that pays."""

    made: Judged
    award: Award
    body: Body

    @property
    def desk(self) -> Office:
        return self.made.desk

    @property
    def call(self) -> Call:
        return self.award.call

    @property
    def claimant(self) -> User:
        """The founder holds every role of the organisation."""
        return self.body.signatory

    def tranche(self, number: int = 1) -> Tranche:
        """Fresh from the database."""
        return Tranche.objects.select_related(*Tranche.door_select).get(award=self.award, number=number)

    def fresh(self) -> Award:
        return Award.objects.select_related(*Award.door_select, "call__rules_version", "contract").get(pk=self.award.pk)

    def day(self, days: float = 1) -> datetime:
        """Some days after the contract took effect."""
        effective = self.fresh().contract.effective_at
        assert effective is not None
        return effective + timedelta(days=days)


def begun(value: Any = None, *, amounts: tuple[str, ...] = ("100000.00",), **more: Any) -> list[Project]:
    """Ranked, noticed, confirmed and contracted awards of one call, in order of number; tranches and evaluations are planned."""
    made = awards.ranked(value, amounts=list(amounts), **more)
    awards.proposed(made)
    return [start(made, award) for award in awards.confirmed(made)]


def start(made: Judged, award: Award) -> Project:
    body = awards.body_of(made, award)
    awards.effective(award, made.desk, body.signatory)
    project = Project(made, award, body)
    return Project(made, project.fresh(), body)


class Upload(BytesIO):
    """What a browser sends: bytes with a name."""

    def __init__(self, text: str, name: str = "scan.pdf") -> None:
        super().__init__(bidding.pdf(text))
        self.name = name


def receipt(tranche: Tranche, by: User, amount: str | Decimal | None = None, *, number: str = "", **more: Any) -> Receipt:
    """A receipt over the whole tranche, unless told otherwise."""
    number = number or f"P{next(_slips):06d}"
    asked = {"kind": "settlement", "issued_on": clock.today(), "payer_title": tranche.agency.name, **more}
    return services.add_receipt(
        tranche, file=Upload(number), by=by, number=number, amount=Decimal(amount if amount is not None else tranche.amount), **asked
    )


def expense(project: Project, amount: str | Decimal, *, voucher_no: str = "", scan: bool = True, **more: Any) -> Expense:
    """An expense on the first agreed line, with its voucher."""
    number = voucher_no or f"V{next(_slips):06d}"
    asked: dict[str, Any] = {
        "line": project.award.lines.first(), "money": "grant", "spent_on": clock.today(), "category": "", "purpose": "活动物料",
        "payee": "云溪区便民文具店", "amount": Decimal(amount), "voucher_no": number, **more,
    }  # fmt: skip
    row, _warnings = services.add_expense(project.award, by=project.claimant, voucher=Upload(number) if scan else None, **asked)
    return row


def requested(project: Project, number: int = 1) -> Tranche:
    return perform(project.tranche(number), "request", by=project.claimant)


def checked(project: Project, number: int = 1) -> Tranche:
    """With its receipt, and every look-up of the grantee's standing repeated."""
    held = requested(project, number)
    if not held.receipts.exists():
        receipt(project.tranche(number), project.claimant)
    awards.looked_up(project.award.bid, project.desk.officer)
    return perform(held, "check_", by=project.desk.officer)


def approved(project: Project, number: int = 1) -> Tranche:
    return perform(checked(project, number), "approve", by=project.desk.approver)


def ordered(project: Project, number: int = 1) -> Tranche:
    return perform(approved(project, number), "order", by=project.desk.finance)


def order_of(project: Project, number: int = 1) -> PaymentOrder:
    return PaymentOrder.objects.select_related("tranche").get(tranche__award=project.award, tranche__number=number)


def paid(project: Project, number: int = 1) -> Tranche:
    """Ordered, sent to the bank in a batch, and matched with its slip; the receipt checked by a second person."""
    ordered(project, number)
    services.make_batch(project.call, by=project.desk.finance)
    done = services.reconcile(order_of(project, number), bank_reference=f"HD{next(_slips):08d}", by=project.desk.finance)
    for row in done.receipts.filter(verified_at=None):
        services.verify_receipt(row, by=project.desk.officer)
    effects.drain()
    return project.tranche(number)


def evidence(project: Project, *codes: str) -> None:
    """Papers of the project's file."""
    for code in codes:
        evaluation.add_evidence(project.award, code, name=f"{code}.pdf", file=Upload(code), by=project.claimant)


CLOSING = ("audit", "beneficiary", "photos")
"""What the district call's closing list asks besides what the record itself shows."""
__all__ = ["CLOSING", "Project", "begun", "judging"]
