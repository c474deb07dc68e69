"""Receipts and expenses: what the grantee shows for the money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from grants import clock
from grants.awards.models import AgreedLine, Award
from grants.calls.rulebook.parts.timetable import months_after
from grants.documents.files import store
from grants.funding.expenses import AgreedBudget, Nature, Remark, check
from grants.funding.expenses import Expense as Voucher
from grants.funding.models import Expense, Receipt, Tranche
from grants.funding.records import invalid, locked_award, nothing_came_back, remember
from grants.funding.rules import claimant
from grants.money import ZERO, NotMoney, exact, yuan
from grants.people.rules import may
from grants.workflow.door import require
from grants.workflow.refusals import Invalid, NotNow, NotYou

PAPERS = frozenset({"pdf", "jpg", "png"})
MAX_PAPER = 10 * 1024 * 1024


def add_receipt(tranche: Tranche, *, file: Any, by: Any, kind: str, number: str, amount: Decimal, **columns: Any) -> Receipt:
    """Hand in a receipt (票据) for a tranche; the sum of a tranche's receipts never exceeds the tranche. Locks the tranche.

    kind: one the call's rules accept. columns: issued_on, payer_title. Raises Invalid naming the field, NotYou, NotNow, FileRefused.
    """
    role = require(claimant, tranche, by=by).role
    with transaction.atomic():
        held = Tranche.objects.select_for_update(of=("self",)).select_related(*Tranche.door_select).get(pk=tranche.pk)
        number, amount = number.strip(), _money(amount)
        _fits(held, kind, number, amount)
        kept = store(file, name=file.name, allowed=PAPERS, max_bytes=MAX_PAPER)
        made = Receipt.objects.create(tranche=held, file=kept, added_by=by, kind=kind, number=number, amount=amount, **columns)
        remember(held, "receipt.added", by, role, {"number": number, "amount": f"{amount:.2f}"}, {"receipt": kept.sha256})
    return made


def _fits(tranche: Tranche, kind: str, number: str, amount: Decimal) -> None:
    """Raises what speaks against one more receipt of this tranche."""
    if tranche.state == "cancelled":
        raise NotNow(_("本期不再拨付，不需要票据。"), rule="tranche_running")
    accepted = {k.value: k.zh for k in tranche.award.bid.rules.funding.receipts}
    if kind not in accepted:
        raise invalid("kind", _("本次征集只接受：%(kinds)s。") % {"kinds": "、".join(accepted.values())})
    got = tranche.receipts.aggregate(s=Sum("amount"))["s"] or ZERO
    if amount <= 0 or got + amount > tranche.amount:
        figures = {"tranche": yuan(tranche.amount), "got": yuan(got), "more": yuan(amount)}
        raise invalid("amount", _("本期拨款 %(tranche)s，已有票据 %(got)s，不能再交 %(more)s：票据合计应与本期金额相等。") % figures)
    if not number or Receipt.objects.filter(kind=kind, number=number).exists():
        raise invalid("number", _("票据号码“%(number)s”为空或已经登记过，同一张票据不能重复使用。") % {"number": number})


def _money(amount: Any) -> Decimal:
    try:
        return exact(amount)
    except NotMoney as wrong:
        raise invalid("amount", wrong.sentence if hasattr(wrong, "sentence") else str(wrong)) from wrong


def verify_receipt(receipt: Receipt, *, by: Any) -> Receipt:
    """A second person checks the receipt against the payer's title and the amount. Raises NotYou, NotNow."""
    role = require(may("check_tranches") | may("pay_tranches"), receipt.tranche, by=by).role
    if receipt.added_by_id == by.pk:
        raise NotYou(_("票据由您上传，须由另一人核验。"), rule="not_added_by")
    with transaction.atomic():
        held = Receipt.objects.select_for_update(of=("self",)).select_related("tranche__award__call").get(pk=receipt.pk)
        if held.verified_at:
            raise NotNow(_("这张票据已经核验过。"), rule="receipt_verified")
        held.verified_by, held.verified_at = by, clock.now()
        held.save(update_fields=["verified_by", "verified_at"])
        remember(held.tranche, "receipt.verified", by, role, {"number": held.number}, {})
    return held


def add_expense(
    award: Award, *, by: Any, line: AgreedLine | None, voucher: Any = None, nature: Nature | None = None, **columns: Any
) -> tuple[Expense, tuple[Remark, ...]]:
    """Book one expense with its voucher number; returns the row and the warnings a person should see.

    Ineligible items, days outside the project, repeated vouchers are refused (Invalid names each); over a line is only a warning,
    since what exceeds it does not count. Match money is booked without a grant line. Raises Invalid, NotYou, NotNow.
    """
    role = require(claimant, award, by=by).role
    with transaction.atomic():
        held = locked_award(award)
        if held.state not in ("active", "terminated") or held.started_on is None:
            raise NotNow(_("项目不在执行中（还没有开始，或已经结项），不能登记支出。"), rule="award_running")
        nothing_came_back(held)
        line = line if columns.get("money", "grant") == "grant" else None
        warnings = _checked(held, line, columns, nature)
        kept = None if voucher is None else store(voucher, name=voucher.name, allowed=PAPERS, max_bytes=MAX_PAPER)
        if line is not None:
            columns["category"] = line.category
        made = Expense.objects.create(award=held, line=line, voucher=kept, added_by=by, added_at=clock.now(), **columns)
        public = {"voucher": made.voucher_no, "amount": f"{made.amount:.2f}", "money": made.money}
        remember(held, "expense.added", by, role, public, {"voucher": kept.sha256} if kept else {})
    return made, warnings


def attach_voucher(expense: Expense, *, file: Any, by: Any) -> Expense:
    """Hand the scan of a voucher in later. Raises NotYou, NotNow (there is one already, project ended), FileRefused."""
    role = require(claimant, expense.award, by=by).role
    with transaction.atomic():
        held = locked_award(expense.award)
        row = held.expenses.get(pk=expense.pk)
        if held.state not in ("active", "terminated"):
            raise NotNow(_("项目已经结项，不能再补凭证。"), rule="award_running")
        if row.voucher_id is not None:
            raise NotNow(_("这笔支出已有凭证，不能替换；凭证有误的，请经办不予认可后重新登记。"), rule="voucher_once")
        row.voucher = store(file, name=file.name, allowed=PAPERS, max_bytes=MAX_PAPER)
        row.save(update_fields=["voucher"])
        remember(held, "expense.documented", by, role, {"voucher": row.voucher_no}, {"voucher": row.voucher.sha256})
    return row


def _checked(award: Award, line: AgreedLine | None, columns: Mapping[str, Any], nature: Nature | None) -> tuple[Remark, ...]:
    on_grant = columns.get("money", "grant") == "grant"
    mine = line is not None and line.award_id == award.pk
    spent = award.expenses.filter(line=line, money="grant", disallowed_reason="").aggregate(s=Sum("amount"))["s"] if mine else None
    voucher = Voucher(
        line=_key(line) if line is not None and mine else "", what=columns["purpose"], amount=columns["amount"], day=columns["spent_on"],
        voucher=columns["voucher_no"], nature=nature if on_grant else None,
    )  # fmt: skip
    vouchers = Expense.objects.filter(award__bid__organisation_id=award.bid.organisation_id).values_list("voucher_no", flat=True)
    verdict = check(voucher, _budget(award), spent=spent or ZERO, vouchers=vouchers)
    refusals = [r for r in verdict.refusals if on_grant or r.rule in {"amount", "no_voucher", "duplicate"}]
    if refusals:
        problems = {"__all__": [f"{r.sentence}{r.way_out}" for r in refusals]}
        raise Invalid(refusals[0].sentence + refusals[0].way_out, rule=refusals[0].rule, problems=problems)
    return verdict.warnings if on_grant else ()


def _key(line: AgreedLine) -> str:
    return f"{line.position}:{line.name}"


def _budget(award: Award) -> AgreedBudget:
    started = award.started_on or clock.today()
    banned = {c.code for c in award.bid.rules.budget.categories if c.banned}
    lines = list(award.lines.all())
    return AgreedBudget(
        lines={_key(line): line.agreed for line in lines},
        starts_on=started,
        ends_on=project_end(award),
        banned_lines=frozenset(_key(line) for line in lines if line.category in banned),
    )


def project_end(award: Award) -> date:
    """Last day (Shanghai) of the project: as the contract prints it, or the rules' term in months from the day it took effect.

    Applied changes that extend the project move it later.
    """
    starts = award.started_on or clock.today()
    ends = months_after(starts, award.bid.rules.timetable.term_months) - timedelta(days=1)
    printed = award.contract.data.get("ends_on") if hasattr(award, "contract") else None
    agreed = max(ends, date.fromisoformat(printed)) if printed else ends
    months = award.changes.filter(state="applied").aggregate(n=Sum("extension_months"))["n"] or 0
    return months_after(agreed + timedelta(days=1), months) - timedelta(days=1) if months else agreed


def disallow_expense(expense: Expense, *, reason: str, by: Any) -> Expense:
    """The agency's checker does not accept an expense; it no longer counts as spent. Locks the award.

    Raises Invalid without a reason, NotYou, NotNow (refused already, surplus returned, project closed).
    """
    role = require(may("check_tranches"), expense.award, by=by).role
    if not reason.strip():
        raise invalid("reason", _("请写明不予认可的原因。"))
    with transaction.atomic():
        award = locked_award(expense.award)
        nothing_came_back(award)
        held = award.expenses.get(pk=expense.pk)
        if held.disallowed_reason or award.state not in ("active", "terminated"):
            raise NotNow(_("这笔支出已经不予认可，或项目已经结项。"), rule="expense_stands")
        held.disallowed_reason, held.disallowed_by = reason.strip(), by
        held.save(update_fields=["disallowed_reason", "disallowed_by"])
        remember(award, "expense.disallowed", by, role, {"voucher": held.voucher_no}, {}, private={"reason": reason.strip()})
    return held


def overdue_on(tranche: Tranche, today: date) -> int:
    """Days by which a requested tranche is late; 0 while in time or paid."""
    if tranche.due_at is None or tranche.state in ("paid", "cancelled", "planned", "withheld"):
        return 0
    last = (tranche.due_at - timedelta(seconds=1)).astimezone(clock.TZ).date()
    return max((today - last).days, 0)
