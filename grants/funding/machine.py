"""拨付：待申请 → 已申请 → 已核对 → 已批准 → 已开付款单 → 已付 / 暂缓 / 取消."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.funding.change_rules import (
    approver,
    asker,
    no_other_change,
    operator,
    operator_decides,
    recording_is_enough,
    refuser,
    still_possible,
)
from grants.funding.change_rules import checker as change_checker
from grants.funding.rules import (
    award_not_overpaid,
    award_running,
    canceller,
    checker,
    claimant,
    conditions_met,
    earlier_tranches_paid,
    no_open_objection,
    not_sent_to_bank,
    nothing_returned,
    one_order_only,
    order_reconciled,
    payer,
    still_eligible,
    stopper,
    tranche_approver,
)
from grants.people.rules import may
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from grants.workflow.rules import the_clock


class TrancheStates(models.TextChoices):
    PLANNED = "planned", _("待申请")
    REQUESTED = "requested", _("待核对")
    CHECKED = "checked", _("待批准")
    APPROVED = "approved", _("待付款")
    ORDERED = "ordered", _("已开付款单")
    PAID = "paid", _("已付")
    WITHHELD = "withheld", _("暂缓拨付")
    CANCELLED = "cancelled", _("不再拨付")


S = TrancheStates


class TrancheMachine(Machine):
    """一期拨款。申请、核对、批准、付款由不同的人办理；每期只开一张付款单。"""

    States = TrancheStates
    machine_name = "tranche"
    door_select = ("award__call__agency", "award__bid__organisation", "award__bid__sponsor")
    opening: ClassVar[Opening] = Opening(_("列入拨款计划"), by=the_clock)
    state = StateField(default=S.PLANNED, choices=S.choices)

    class Meta:
        abstract = True

    @step(
        state,
        _("申请拨款"),
        source=[S.PLANNED, S.WITHHELD],
        to=S.REQUESTED,
        by=claimant,
        when=[award_running, earlier_tranches_paid, nothing_returned],
    )
    def request(self) -> Facts:
        """受助方申请本期拨款。"""
        self.requested_by, self.requested_at, self.due_at = self.actor, clock.now(), self.payment_deadline()
        return Facts(public={"amount": str(self.amount)})

    @step(
        state,
        _("核对通过"),
        source=S.REQUESTED,
        to=S.CHECKED,
        by=checker,
        when=[award_running, conditions_met, still_eligible, award_not_overpaid],
    )
    def check_(self) -> Facts:
        """经办逐项核对本期条件。"""
        self.checked_by, self.checked_at = self.actor, clock.now()
        return Facts(public={"amount": str(self.amount)})

    @step(
        state,
        _("退回申请"),
        source=[S.REQUESTED, S.CHECKED],
        to=S.PLANNED,
        by=may("check_tranches") | may("approve_tranches"),
        danger=True,
    )
    def return_(self) -> None:
        """写明缺什么。"""
        self.requested_by = self.checked_by = self.due_at = None

    @step(
        state,
        _("批准拨款"),
        source=S.CHECKED,
        to=S.APPROVED,
        by=tranche_approver,
        when=[award_running, conditions_met, no_open_objection, award_not_overpaid],
    )
    def approve(self) -> Facts:
        """负责人批准。"""
        self.approved_by, self.approved_at = self.actor, clock.now()
        return Facts(public={"amount": str(self.amount)})

    @step(
        state,
        _("开付款单"),
        source=S.APPROVED,
        to=S.ORDERED,
        by=payer,
        when=[award_running, conditions_met, still_eligible, one_order_only, award_not_overpaid, nothing_returned],
    )
    def order(self) -> Facts:
        """每期只能开一张付款单，付到经财务核验的收款账户。"""
        self.ordered_by, self.ordered_at = self.actor, clock.now()
        made = self.make_order()
        return Facts(public={"amount": str(self.amount), "order": made.key})

    @step(
        state,
        _("确认已付"),
        source=S.ORDERED,
        to=S.PAID,
        by=may("pay_tranches"),
        when=[order_reconciled],
        then=["funding.tell_paid"],
    )
    def confirm_paid(self, *, bank_reference: str) -> Facts:
        """凭银行回单确认；系统从不自动重发付款。"""
        self.paid_at = clock.now()
        self.payment_order.reconcile(bank_reference)
        return Facts(public={"amount": str(self.amount), "bank_reference": bank_reference})

    @step(
        state,
        _("暂缓拨付"),
        source=[S.PLANNED, S.REQUESTED, S.CHECKED, S.APPROVED],
        to=S.WITHHELD,
        by=stopper,
        danger=True,
    )
    def withhold(self) -> None:
        """评估不合格、资格存疑或材料逾期时暂缓，写明原因。"""

    @step(
        state,
        _("不再拨付"),
        source=[S.PLANNED, S.REQUESTED, S.CHECKED, S.APPROVED, S.ORDERED, S.WITHHELD],
        to=S.CANCELLED,
        by=canceller,
        when=[not_sent_to_bank],
        danger=True,
    )
    def cancel(self) -> None:
        """项目终止或按评估结果不再拨付；还没有送银行的付款单一并作废。"""
        self.void_order()


class ChangeStates(models.TextChoices):
    REQUESTED = "requested", _("待核对")
    CHECKED = "checked", _("待批准")
    APPLIED = "applied", _("已生效")
    REFUSED = "refused", _("未批准")
    WITHDRAWN = "withdrawn", _("已撤回")


C = ChangeStates


class ChangeMachine(Machine):
    """变更申请。小额调整备案即生效，其余由承办方或主办方批准；批准即自动执行，总额不变。"""

    States = ChangeStates
    machine_name = "change"
    door_select = (
        "award__call__agency", "award__bid__organisation", "award__bid__sponsor", "award__bid__rules_version", "award__contract",
    )  # fmt: skip
    opening: ClassVar[Opening] = Opening(_("申请变更"), by=asker, when=(award_running, no_other_change))
    state = StateField(default=C.REQUESTED, choices=C.choices)

    class Meta:
        abstract = True

    @step(state, _("备案生效"), source=C.REQUESTED, to=C.APPLIED, by=the_clock, when=[award_running, recording_is_enough, still_possible],
          then=["funding.print_annex"])
    def record(self) -> Facts:
        """变动在备案限额内，申请即生效。"""
        return Facts(public=self.carry_out())

    @step(state, _("批准变更（承办方）"), source=C.REQUESTED, to=C.APPLIED, by=operator,
          when=[award_running, operator_decides, still_possible], then=["funding.print_annex"])
    def endorse(self) -> Facts:
        """承办方在权限内批准，批准即执行。"""
        return Facts(public=self.carry_out())

    @step(state, _("核对变更"), source=C.REQUESTED, to=C.CHECKED, by=change_checker, when=[award_running, still_possible])
    def check_(self) -> None:
        """经办核对理由和金额，请负责人批准。"""
        self.checked_by = self.actor

    @step(state, _("批准变更"), source=C.CHECKED, to=C.APPLIED, by=approver, when=[award_running, still_possible],
          then=["funding.print_annex"])
    def approve(self) -> Facts:
        """负责人批准，预算、指标和期限随即更新，并出具变更附件。"""
        return Facts(public=self.carry_out())

    @step(state, _("不批准"), source=[C.REQUESTED, C.CHECKED], to=C.REFUSED, by=refuser, then=["funding.tell_refused"], danger=True)
    def refuse(self) -> None:
        """写明原因；项目按原来的内容执行。"""

    @step(state, _("撤回变更申请"), source=[C.REQUESTED, C.CHECKED], to=C.WITHDRAWN, by=asker)
    def withdraw(self) -> None:
        """受助方撤回，可以改后重新申请。"""
