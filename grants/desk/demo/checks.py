"""What must hold of everything in the database, and the line per call. Each breach is a sentence that names what and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from bidding.models import Bid
from grants.awards.models import Award
from grants.calls.models import Call
from grants.documents.files import FileLost, read_file
from grants.documents.models import StoredFile
from grants.evaluation.models import Evaluation
from grants.funding.books import check_call
from grants.funding.models import PaymentOrder, Receipt, Tranche
from grants.ledger.verification import verify
from grants.money import ZERO
from grants.workflow.models import Outbox

GRANTED = ("confirmed", "active", "closed", "terminated")


@dataclass(frozen=True)
class Line:
    """One call in figures; amounts in 元."""

    code: str
    state: str
    bids: int
    admitted: int
    awards: int
    awarded: Decimal
    paid: Decimal
    evaluated: int
    closed: int

    def __str__(self) -> str:
        return (
            f"{self.code}  {self.state:　<4}  bids={self.bids:<3} admitted={self.admitted:<3} awards={self.awards:<3} "
            f"awarded={self.awarded:<11.2f} paid={self.paid:<11.2f} evaluated={self.evaluated:<3} closed={self.closed}"
        )


def line(call: Call) -> Line:
    """The figures of one call, from the rows."""
    granted = Award.objects.filter(call=call, state__in=GRANTED)
    paid = Tranche.objects.filter(award__call=call, state="paid").aggregate(s=Sum("amount"))["s"] or ZERO
    return Line(
        code=call.code, state=str(call.get_state_display()), bids=Bid.objects.filter(call=call).count(),  # type: ignore[attr-defined]
        admitted=Bid.objects.filter(call=call, state="admitted").count(), awards=granted.count(),
        awarded=granted.aggregate(s=Sum("amount"))["s"] or ZERO, paid=paid,
        evaluated=Evaluation.objects.filter(award__call=call, state="confirmed").count(), closed=granted.filter(state="closed").count(),
    )  # fmt: skip


def lines() -> list[Line]:
    """Every call, by code."""
    return [line(call) for call in Call.objects.order_by("code")]


def breaches() -> list[str]:
    """Every invariant that does not hold; empty when all do."""
    return [*_money(), *_orders(), *_receipts(), *_files(), *_outbox(), *_ledger()]


def _money() -> Iterator[str]:
    for call in Call.objects.select_related("rules_version").order_by("code"):
        yield from (f"{call.code}：{violation}" for violation in check_call(call))


def _orders() -> Iterator[str]:
    paid = Tranche.objects.filter(state="paid").exclude(payment_order__status="paid")
    yield from (_("拨款 %(tranche)s 已付，但付款单没有核销。") % {"tranche": t} for t in paid)
    for order in PaymentOrder.objects.exclude(status="void").select_related("tranche__award"):
        if order.amount != order.tranche.amount:
            yield _("付款单 %(key)s 的金额与本期拨款不等。") % {"key": order.key}


def _receipts() -> Iterator[str]:
    twice: Any = Receipt.objects.values("kind", "number").annotate(n=Count("pk")).filter(n__gt=1)
    yield from (_("票据 %(number)s 登记了 %(n)d 次。") % row for row in twice)
    for tranche in Tranche.objects.annotate(got=Sum("receipts__amount")).filter(got__isnull=False):
        if tranche.got > tranche.amount:  # type: ignore[attr-defined]
            yield _("拨款 %(tranche)s 的票据超过拨款金额。") % {"tranche": tranche}


def _files() -> Iterator[str]:
    for stored in StoredFile.objects.all():
        try:
            read_file(stored.sha256)
        except FileLost as lost:
            yield str(lost)


def _outbox() -> Iterator[str]:
    yield from (f"{row.task}：{row.error[:120]}" for row in Outbox.objects.filter(done_at=None).exclude(error=""))


def _ledger() -> Iterator[str]:
    report = verify()
    if report.fault is not None:
        yield _("台账校验不通过：%(fault)s") % {"fault": report.fault}
