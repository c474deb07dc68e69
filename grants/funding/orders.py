"""Payment orders: one per tranche for ever, to the verified account, batched for the bank, reconciled by a person.

Whatever is retried or killed: the UNIQUE column on the tranche refuses a second order, an order that went to the bank and has no
answer stays `sent_unknown` until a person matches the bank's slip, and nothing is ever sent again by itself. Where BANK_GATEWAY names an
interface of the bank's, each order of the batch is handed over once by an effect (sending.py); elsewhere the file goes by hand.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.calls.models import Call
from grants.documents.files import store
from grants.funding.models import PaymentBatch, PaymentOrder, Tranche
from grants.funding.sending import bank
from grants.money import ZERO
from grants.people.rules import may
from grants.workflow import effects
from grants.workflow.door import perform, require
from grants.workflow.refusals import Invalid, NotNow

COMMITTED = ("ordered", "paid")
MAX_BATCH = 5 * 1024 * 1024
COLUMNS = ("序号", "付款单号", "收款户名", "开户银行", "收款账号", "金额（元）", "用途")
RISKY = "=+-@\t\r\n＝＋－＠"


def committed(award: Any, *, besides: Tranche | None = None) -> Decimal:
    """Σ tranches of an award that are ordered or paid, 元， without `besides`."""
    rows = Tranche.objects.filter(award_id=award.pk, state__in=COMMITTED)
    if besides is not None:
        rows = rows.exclude(pk=besides.pk)
    return rows.aggregate(s=Sum("amount"))["s"] or ZERO


def issue(tranche: Tranche) -> PaymentOrder:
    """The one order of a tranche. Called by the tranche's `order` step only; raises NotNow without a verified account."""
    payee = tranche.award.payee
    if not payee.account_verified_at:
        raise NotNow(_("收款账户还没有核验，不能开付款单。"), rule="account_verified")
    return PaymentOrder.objects.create(
        tranche=tranche,
        key=f"{tranche.award.number}-{tranche.number:02d}",
        amount=tranche.amount,
        payee_name=payee.account_name or payee.name,
        payee_bank=payee.account_bank,
        payee_account=payee.account_number,
        made_at=clock.now(),
    )


def make_batch(call: Any, *, by: Any, only: Collection[Any] | None = None) -> PaymentBatch:
    """Put every ready order of a call into one bank file; the orders become `sent_unknown`. The file's hash goes into the ledger.

    only: primary keys of the orders somebody chose; every one of them must be ready still, or nothing is sent. Locks the call, then the
    orders. Orders of a project that was terminated meanwhile stay out; they can only be cancelled. Raises NotYou, NotNow (nothing to
    send, or not what was chosen).
    """
    role = require(may("pay_tranches"), call, by=by).role
    with transaction.atomic():
        list(Call.objects.select_for_update(of=("self",)).filter(pk=call.pk).values_list("pk"))  # one batch of a call at a time
        orders = list(
            PaymentOrder.objects.select_for_update(of=("self",))
            .filter(tranche__award__call=call, tranche__award__state="active", status=PaymentOrder.Status.READY)
            .select_related("tranche__award__bid")
            .order_by("key")
        )
        orders = [o for o in orders if only is None or o.pk in only]
        if not orders:
            raise NotNow(_("没有待入批的付款单。"), rule="orders_ready")
        if only is not None and len(orders) < len(only):
            raise NotNow(_("选中的付款单有的已经入批或作废，请重新核对后再生成。"), rule="orders_still_ready")
        batch = PaymentBatch(agency=call.agency, call=call, number=_number(call), made_by=by, made_at=clock.now())
        batch.file = store(bank_file(batch.number, orders), name=f"{batch.number}.csv", allowed={"csv"}, max_bytes=MAX_BATCH)
        batch.save()
        PaymentOrder.objects.filter(pk__in=[o.pk for o in orders]).update(batch=batch, status=PaymentOrder.Status.SENT_UNKNOWN)
        event_id = _remember(call, batch, orders, by, role)
        if bank() is not None:
            effects.schedule_each("funding.send", orders, event_id)
    return batch


def bank_file(number: str, orders: list[PaymentOrder]) -> bytes:
    """CSV for the bank: UTF-8 with BOM, CRLF, one row per order, last row count and total. Same orders, same bytes."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for n, o in enumerate(orders, start=1):
        use = f"{o.tranche.award.number} 第{o.tranche.number}期"
        rows.writerow(
            [n, safe(o.key), safe(o.payee_name), safe(o.payee_bank), f"'{o.payee_account}", f"{o.amount:.2f}", safe(use)]
        )
    rows.writerow(["合计", number, f"{len(orders)} 笔", "", "", f"{sum((o.amount for o in orders), ZERO):.2f}", ""])
    return out.getvalue().encode("utf-8-sig")


def safe(text: str) -> str:
    """Text that a spreadsheet will not take for a formula (integrity §4.3)."""
    return f"'{text}" if text.lstrip(" \u3000\u00a0\ufeff")[:1] in tuple(RISKY) else text


def void(tranche: Tranche) -> None:
    """Take back an order that has not gone to the bank. Called by the tranche's `cancel` step only; raises NotNow when it has."""
    unsent = PaymentOrder.objects.filter(tranche=tranche, status=PaymentOrder.Status.READY)
    if not unsent.update(status=PaymentOrder.Status.VOID) and PaymentOrder.objects.filter(tranche=tranche).exists():
        raise NotNow(_("付款单已送银行，钱可能已经付出，不能取消；请核对回单。"), rule="not_sent_to_bank")


def reconcile(order: PaymentOrder, *, bank_reference: str, by: Any) -> Tranche:
    """A person matched the bank's slip: the tranche is paid. One slip pays one order. Raises Invalid, NotYou, NotNow."""
    return perform(order.tranche, "confirm_paid", by=by, bank_reference=bank_reference.strip())


def settle(order: PaymentOrder, bank_reference: str) -> None:
    """Write the slip's number onto its order. The order's row is locked, so that no batch takes it meanwhile. Raises Invalid."""
    held = PaymentOrder.objects.select_for_update(of=("self",)).get(pk=order.pk)
    reference = bank_reference.strip()
    if PaymentOrder.objects.filter(bank_reference=reference).exclude(pk=held.pk).exists():
        raise _used(reference)
    held.status, held.bank_reference, held.reconciled_at = PaymentOrder.Status.PAID, reference, clock.now()
    try:
        with transaction.atomic():
            held.save(update_fields=["status", "bank_reference", "reconciled_at"])
    except IntegrityError as taken:  # two slips with one number at the same moment
        raise _used(reference) from taken


def _used(reference: str) -> Invalid:
    order = PaymentOrder.objects.filter(bank_reference=reference).first()
    sentence = _("流水号 %(ref)s 已用于付款单 %(key)s，一笔回单只能核销一张付款单。") % {"ref": reference, "key": order or ""}
    return Invalid(sentence, rule="bank_reference_once", problems={"bank_reference": [sentence]})


def _number(call: Any) -> str:
    return f"{call.code}-PL-{call.payment_batches.count() + 1:03d}"


def _remember(call: Any, batch: PaymentBatch, orders: list[PaymentOrder], by: Any, role: str) -> int:
    total = sum((o.amount for o in orders), ZERO)
    event = ledger.record(
        event="payment_batch.made", actor=str(by.pseudonym), role=role, subject=call.subject, scope=call.subject, verb="make_batch",
        source=call.state, target=call.state, files={batch.number: str(batch.file_id)},
        public={"batch": batch.number, "orders": len(orders), "total": f"{total:.2f}", "keys": [o.key for o in orders]},
    )  # fmt: skip
    return int(event.pk)


def file_hash(orders: list[PaymentOrder], number: str) -> str:
    """SHA-256 of the bank file these orders make, for checking a file somebody holds against the record."""
    return hashlib.sha256(bank_file(number, orders)).hexdigest()
