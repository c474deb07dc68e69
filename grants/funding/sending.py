"""Orders that go to the bank through an interface instead of a file: an attempt is written down first, then the bank is asked, once.

Killed between the two, the attempt stands without an answer, and nothing sends the order again: its outcome is unknown until a person has
matched the bank's statement (paid), or has the bank's word that it never arrived (`not_received`, back among the ready). The order's
number is the idempotency key of every attempt: a bank that keeps it pays once, whatever happens here (integrity §7.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.funding.models import PaymentAttempt, PaymentOrder
from grants.people.rules import may
from grants.workflow.door import require
from grants.workflow.refusals import NotNow, NotYou


@dataclass(frozen=True)
class Instruction:
    """What the bank is told. key: the idempotency key, the same for every attempt; amount: 元, two places."""

    key: str
    payee_name: str
    payee_bank: str
    payee_account: str
    amount: Decimal
    purpose: str


@dataclass(frozen=True)
class Answer:
    """What the bank said at once. accepted: it took the instruction; whether it paid is told by its statement only."""

    accepted: bool
    said: str = ""


class Bank(Protocol):
    """A bank's interface: BANK_GATEWAY names a class of this shape."""

    def send(self, instruction: Instruction) -> Answer:
        """Hand one instruction over. Anything raised means that the outcome is unknown."""
        ...


@cache
def _gateway(path: str) -> Bank:
    return import_string(path)()  # type: ignore[no-any-return]


def bank() -> Bank | None:
    """The configured bank, or None: then orders go as files, by hand."""
    path = getattr(settings, "BANK_GATEWAY", "")
    return _gateway(path) if path else None


def send(order_id: Any, *, key: str) -> Callable[[], None] | None:
    """Send one order if it was never tried in its batch; the closure writes the answer down. None: nothing was sent.

    key: of the effect, written with the attempt. Runs outside a transaction; commits the attempt before the bank hears of it.
    """
    there = bank()
    attempt = _begun(order_id, key) if there is not None else None
    if there is None or attempt is None:
        return None
    answer = there.send(_instruction(attempt.order))
    return lambda: _answered(attempt.pk, answer)


def _begun(order_id: Any, key: str) -> PaymentAttempt | None:
    """A new attempt, committed; None when the order is no longer at the bank's or was tried in this batch already."""
    with transaction.atomic():
        order = PaymentOrder.objects.select_for_update(of=("self",)).select_related("tranche__award").get(pk=order_id)
        tried = PaymentAttempt.objects.filter(order=order, batch_id=order.batch_id).exists()
        if order.status != PaymentOrder.Status.SENT_UNKNOWN or order.batch_id is None or tried:
            return None
        return PaymentAttempt.objects.create(order=order, batch_id=order.batch_id, effect=key, began_at=clock.now())


def _instruction(order: PaymentOrder) -> Instruction:
    purpose = f"{order.key} {order.tranche.award.number} 第{order.tranche.number}期"
    return Instruction(order.key, order.payee_name, order.payee_bank, order.payee_account, order.amount, purpose)


def _answered(attempt_id: int, answer: Answer) -> None:
    PaymentAttempt.objects.filter(pk=attempt_id, answered_at=None).update(
        answered_at=clock.now(), accepted=answer.accepted, said=answer.said[:200]
    )


def not_received(order: PaymentOrder, *, by: Any, note: str) -> PaymentOrder:
    """The bank's word, taken by a second person, that it never had this order: it is ready again and can go into a next batch.

    note: who at the bank said so, and when. Raises NotYou (no right, or the person who made the batch), Invalid (no note), NotNow.
    """
    call = order.tranche.award.call
    role = require(may("pay_tranches") | may("approve_tranches"), call, by=by).role
    if not note.strip():
        from grants.funding.records import invalid  # noqa: PLC0415 - reads the models of this module's stage

        raise invalid("note", _("请写明银行何人、何时确认没有收到这张付款单。"))
    with transaction.atomic():
        held = PaymentOrder.objects.select_for_update(of=("self",)).select_related("batch").get(pk=order.pk)
        if held.status != PaymentOrder.Status.SENT_UNKNOWN or held.batch is None:
            raise NotNow(_("这张付款单不在“已送银行，待回单”，不能退回待入批。"), rule="sent_unknown")
        if held.batch.made_by_id == by.pk:
            raise NotYou(_("生成批次的人不能自己认定银行没有收到，请由另一位财务或负责人办理。"), rule="not_made_by", verb="not_received")
        number, held.batch, held.status = held.batch.number, None, PaymentOrder.Status.READY
        held.save(update_fields=["batch", "status"])
        ledger.record(
            event="payment_order.not_received", actor=str(by.pseudonym), role=role, subject=order.tranche.subject, scope=call.subject,
            verb="not_received", source="sent_unknown", target="ready", public={"order": held.key, "batch": number}, private={"note": note.strip()},
        )  # fmt: skip
    return held
