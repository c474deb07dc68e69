"""Sources, allocations, tranches, orders, batches, receipts, expenses, surplus. Gross rows; balances are derived."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.awards.models import AgreedLine, Award
from grants.calls.models import Call
from grants.clock.calendar import end_of_period
from grants.documents.models import StoredFile
from grants.funding.change_rules import change_visible
from grants.funding.machine import ChangeMachine, ChangeStates, TrancheMachine, TrancheStates
from grants.funding.rules import tranche_visible
from grants.people.models import Agency, Organisation, User
from grants.vault.columns import Secret
from grants.workflow.columns import Money, not_negative
from grants.workflow.machine import states_are


class FundSource(models.Model):
    """资金来源 of a call: 福彩公益金， 财政， 基金会， 企业认购， 众筹."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="fund_sources")
    code = models.CharField(max_length=30)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20)
    amount = Money()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["call", "code"], name="fund_source_once"),
            not_negative("fund_source", "amount"),
        ]

    def __str__(self) -> str:
        return self.name


class Allocation(models.Model):
    """How much of an award comes from one source. Σ allocations = award, to the fen."""

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="allocations")
    source = models.ForeignKey(FundSource, on_delete=models.PROTECT, related_name="allocations")
    amount = Money()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["award", "source"], name="allocation_once"),
            not_negative("allocation", "amount"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.amount}"


class Tranche(TrancheMachine):
    """一期拨款. `conditions` are copies of the rules' predicates; `due_at` starts the payment clock (UTC)."""

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="tranches")
    number = models.PositiveSmallIntegerField(_("期次"))
    percent = models.DecimalField(max_digits=5, decimal_places=2)
    amount = Money(_("金额"))
    conditions: Any = models.JSONField(default=list)
    due_at = models.DateTimeField(null=True)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(null=True)
    checked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    ordered_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)

    visible = tranche_visible

    class Meta:
        verbose_name = _("拨款")
        ordering: ClassVar[list[str]] = ["award", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(TrancheStates, "tranche"),
            models.UniqueConstraint(fields=["award", "number"], name="tranche_once"),
            not_negative("tranche", "amount"),
        ]

    def __str__(self) -> str:
        return f"{self.award.number} #{self.number}"

    @property
    def call(self) -> Call:
        return self.award.call

    @property
    def agency(self) -> Agency:
        return self.award.call.agency

    @property
    def organisation(self) -> Organisation:
        return self.award.bid.organisation

    @property
    def payee(self) -> Organisation:
        return self.award.payee

    @property
    def objections(self) -> Any:
        return self.award.objections

    def payment_deadline(self) -> datetime:
        """UTC, exclusive: when this tranche is late, counted from now by the rules' period (clause of 保障中小企业款项支付条例 §8)."""
        rule = next(r for r in self.award.bid.rules.funding.tranches if r.no == self.number)
        return end_of_period(clock.now(), rule.pay_within.amount, rule.pay_within.unit.value).ends_at

    def void_order(self) -> None:
        """Take the order back, if one was made and has not gone to the bank. Called by the `cancel` step only; raises NotNow."""
        from grants.funding.orders import void  # noqa: PLC0415 - reads these models

        void(self)

    def make_order(self) -> PaymentOrder:
        """The one order of this tranche, to the contract's account. Called by the `order` step only."""
        from grants.funding.orders import issue  # noqa: PLC0415 - reads these models

        return issue(self)


class TrancheLine(models.Model):
    """The part of a tranche that one source pays. Row sums = tranche, column sums = allocation."""

    tranche = models.ForeignKey(Tranche, on_delete=models.CASCADE, related_name="lines")
    source = models.ForeignKey(FundSource, on_delete=models.PROTECT, related_name="+")
    amount = Money()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["tranche", "source"], name="tranche_line_once"),
            not_negative("tranche_line", "amount"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.amount}"


class PaymentBatch(models.Model):
    """银行批量文件： deterministic bytes, its hash in the ledger."""

    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="+")
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="payment_batches")
    number = models.CharField(max_length=60, unique=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.number


class PaymentOrder(models.Model):
    """付款单. One per tranche, for ever (UNIQUE); never re-sent automatically: an unknown outcome waits for a person."""

    class Status(models.TextChoices):
        READY = "ready", _("待入批")
        SENT_UNKNOWN = "sent_unknown", _("已送银行，待回单")
        PAID = "paid", _("已付")
        VOID = "void", _("作废")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tranche = models.OneToOneField(Tranche, on_delete=models.PROTECT, related_name="payment_order")
    key = models.CharField(max_length=60, unique=True)
    amount = Money()
    payee_name = models.CharField(max_length=100)
    payee_bank = models.CharField(max_length=100)
    payee_account = Secret(max_length=40)
    batch = models.ForeignKey(PaymentBatch, null=True, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=15, choices=Status.choices, default=Status.READY)
    bank_reference = models.CharField(max_length=60, blank=True)
    made_at = models.DateTimeField()
    reconciled_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="order_positive", condition=Q(amount__gt=0)),
            models.UniqueConstraint(fields=["bank_reference"], condition=~Q(bank_reference=""), name="bank_reference_once"),
            models.CheckConstraint(name="order_paid_has_reference", condition=~Q(status="paid") | ~Q(bank_reference="")),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def subject(self) -> str:
        """As effects name what they are about."""
        return f"payment_order:{self.pk}"

    def reconcile(self, bank_reference: str) -> None:
        """A person matched the bank's slip; called by the tranche's `confirm_paid` step only. Raises Invalid (slip used before)."""
        from grants.funding.orders import settle  # noqa: PLC0415 - reads these models

        settle(self, bank_reference)


class PaymentAttempt(models.Model):
    """One time that an order was handed to the bank's interface: written before the bank hears of it. Without an answer: nobody knows."""

    order = models.ForeignKey(PaymentOrder, on_delete=models.PROTECT, related_name="attempts")
    batch = models.ForeignKey(PaymentBatch, on_delete=models.PROTECT, related_name="+")
    effect = models.CharField(max_length=200)
    began_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    accepted = models.BooleanField(null=True)
    said = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["order", "batch"], name="order_tried_once_per_batch")
        ]

    def __str__(self) -> str:
        return f"{self.order} in {self.batch}"


class Receipt(models.Model):
    """票据 for one tranche. Kinds are those a call's rules may accept (`rulebook.parts.funding.ReceiptKind`)."""

    class Kind(models.TextChoices):
        DONATION = "donation", _("公益事业捐赠票据")
        SETTLEMENT = "settlement", _("资金往来结算票据")
        VAT = "vat", _("增值税发票")
        SPONSOR = "sponsor", _("托管组织收据及内部清单")

    tranche = models.ForeignKey(Tranche, on_delete=models.PROTECT, related_name="receipts")
    kind = models.CharField(_("票据种类"), max_length=12, choices=Kind.choices)
    number = models.CharField(_("票据号码"), max_length=40)
    issued_on = models.DateField(_("开票日期"))
    payer_title = models.CharField(_("付款方抬头"), max_length=100)
    amount = Money(_("金额"))
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    verified_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    verified_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            not_negative("receipt", "amount"),
            models.UniqueConstraint(fields=["kind", "number"], name="receipt_number_once"),
        ]

    def __str__(self) -> str:
        return self.number


class Expense(models.Model):
    """支出： one row per movement, gross, per source and budget line, with its voucher."""

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="expenses")
    line = models.ForeignKey(AgreedLine, null=True, on_delete=models.PROTECT, related_name="expenses")
    spent_on = models.DateField(_("日期"))
    category = models.CharField(_("类别"), max_length=30)
    purpose = models.CharField(_("用途"), max_length=100)
    payee = models.CharField(_("收款方"), max_length=100)
    amount = Money(_("金额"))
    money = models.CharField(
        _("资金性质"), max_length=10, choices=[("grant", _("资助资金")), ("match", _("配套资金"))], default="grant"
    )
    method = models.CharField(_("支付方式"), max_length=20, blank=True)
    voucher_no = models.CharField(_("凭证号"), max_length=40)
    voucher = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    disallowed_reason = models.CharField(_("不予认可原因"), max_length=200, blank=True)
    disallowed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["spent_on", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="expense_positive", condition=Q(amount__gt=0)),
            models.UniqueConstraint(fields=["award", "voucher_no"], name="voucher_once"),
        ]

    def __str__(self) -> str:
        return f"{self.voucher_no} {self.amount}"


class Surplus(models.Model):
    """结余： what was paid and not eligibly spent, and its return."""

    award = models.OneToOneField(Award, on_delete=models.PROTECT, related_name="surplus")
    amount = Money()
    by_source: Any = models.JSONField(default=list)
    computed_at = models.DateTimeField()
    due_on = models.DateField(null=True)
    returned_at = models.DateTimeField(null=True)
    bank_reference = models.CharField(max_length=60, blank=True)
    confirmed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [not_negative("surplus", "amount")]

    def __str__(self) -> str:
        return f"{self.award.number} {self.amount}"


class ChangeRequest(ChangeMachine):
    """变更: what a running project asks to do otherwise. before, after: agreed lines (id → 元 as text) and targets (key → figure).

    people and reason may name persons: they stay here and never enter the ledger. Applied rows are the record of the change.
    """

    class By(models.TextChoices):
        RECORD = "record", _("备案")
        OPERATOR = "operator", _("承办方批准")
        AGENCY = "agency", _("主办方批准")

    award = models.ForeignKey(Award, on_delete=models.PROTECT, related_name="changes")
    number = models.PositiveSmallIntegerField()
    before: Any = models.JSONField()
    after: Any = models.JSONField()
    extension_months = models.PositiveSmallIntegerField(_("延期（月）"), default=0)
    people = Secret(_("人员变更"), blank=True)
    reason = models.TextField(_("原因"))
    decider = models.CharField(max_length=10, choices=By.choices)
    sentence = models.CharField(max_length=300)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    checked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    applied_at = models.DateTimeField(null=True)
    annex = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")

    visible = change_visible

    class Meta:
        verbose_name = _("变更")
        ordering: ClassVar[list[str]] = ["award", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(ChangeStates, "change"),
            models.UniqueConstraint(fields=["award", "number"], name="change_once"),
            models.UniqueConstraint(fields=["award"], condition=Q(state__in=["requested", "checked"]), name="change_one_open"),
        ]

    def __str__(self) -> str:
        return f"{self.award.number} {_('变更')} {self.number}"

    @property
    def call(self) -> Call:
        return self.award.call

    @property
    def agency(self) -> Agency:
        return self.award.call.agency

    @property
    def organisation(self) -> Organisation:
        return self.award.bid.organisation

    @property
    def payee(self) -> Organisation:
        return self.award.payee

    def carry_out(self) -> dict[str, Any]:
        """Write the change into the award. Called by the deciding steps only."""
        from grants.funding.changing import carry_out  # noqa: PLC0415 - reads these models

        return carry_out(self)
