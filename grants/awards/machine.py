"""立项、异议 — two machines, each on one screen; 协议 is in contract_machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.awards.rules import (
    budget_agreer,
    confirmer,
    contract_not_issued,
    has_open_objection,
    has_reply,
    in_its_notice,
    no_open_objection,
    not_the_handler,
    not_the_preparer,
    notice_is_over,
    objection_in_time,
    objection_is_named,
    preparer,
    resumer,
    the_objector,
    within_limits,
)
from grants.people.rules import may
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from grants.workflow.rules import anyone, the_clock


class AwardStates(models.TextChoices):
    PROPOSED = "proposed", _("拟立项")
    APPROVED = "approved", _("已批准公示")
    NOTICED = "noticed", _("公示中")
    HELD = "held", _("异议暂停")
    CONFIRMED = "confirmed", _("已立项")
    ACTIVE = "active", _("执行中")
    CLOSED = "closed", _("已结项")
    CANCELLED = "cancelled", _("已取消")
    TERMINATED = "terminated", _("已终止")


class ObjectionStates(models.TextChoices):
    FILED = "filed", _("已提出")
    ACCEPTED = "accepted", _("已受理")
    UPHELD = "upheld", _("成立")
    DISMISSED = "dismissed", _("不成立")
    REFUSED = "refused", _("不予受理")
    WITHDRAWN = "withdrawn", _("已撤回")


A, J = AwardStates, ObjectionStates


class AwardMachine(Machine):
    """立项：拟定、批准、公示、确认、核减、执行、结项。"""

    States = AwardStates
    machine_name = "award"
    door_select = ("call__agency", "bid__organisation", "bid__sponsor", "bid__rules_version", "notice")
    opening: ClassVar[Opening] = Opening(_("拟立项"), by=preparer, when=(within_limits,))
    state = StateField(default=A.PROPOSED, choices=A.choices)

    class Meta:
        abstract = True

    @step(state, _("批准公示"), source=A.PROPOSED, to=A.APPROVED, by=confirmer & not_the_preparer, when=[within_limits])
    def approve(self) -> Facts:
        """负责人批准拟立项名单和金额。"""
        return Facts(public={"amount": str(self.amount)})

    @step(state, _("进入公示"), source=A.APPROVED, to=A.NOTICED, by=preparer, when=[in_its_notice],
          then=["awards.print_notice"])
    def publish(self, *, notice: Any) -> Facts:
        """随公示名单一并公布。"""
        self.notice = notice
        return Facts(public={"notice": notice.number})

    @step(state, _("因异议暂停"), source=A.NOTICED, to=A.HELD, by=may("handle_objections"), when=[has_open_objection])
    def hold(self) -> None:
        """异议受理后暂停，办结前不签约、不拨款。"""

    @step(state, _("恢复公示"), source=A.HELD, to=A.NOTICED, by=resumer, when=[no_open_objection])
    def resume(self) -> None:
        """异议不成立、不予受理或撤回后，恢复公示。"""

    @step(state, _("确认立项"), source=A.NOTICED, to=A.CONFIRMED, by=confirmer & not_the_preparer,
          when=[notice_is_over, no_open_objection, within_limits], then=["awards.tell_confirmed"])
    def confirm(self) -> Facts:
        """公示期满且无异议后确认。"""
        self.confirmed_at = clock.now()
        return Facts(public={"amount": str(self.amount)})

    @step(state, _("逐行核减"), source=[A.PROPOSED, A.CONFIRMED], to=None, by=preparer, when=[contract_not_issued],
          then=["awards.tell_reduced"])
    def reduce(self, *, lines: Mapping[Any, Any], reason: str, targets: Mapping[str, int] | None = None, core: Any = None) -> Facts:
        """逐行核定金额，只减不增；受益人群、项目目标、核心服务内容不变，须申报单位确认。"""
        return self.write_reduction(lines, reason, targets or {}, core)

    @step(state, _("同意核减"), source=[A.NOTICED, A.HELD, A.CONFIRMED], to=None, by=budget_agreer)
    def agree_reduction(self) -> Facts:
        """申报单位签署人确认核定的预算和指标。"""
        self.grantee_agreed_by, self.grantee_agreed_at = self.actor, clock.now()
        return Facts(public={"amount": str(self.amount)}, files={"budget": self.budget_hash()})

    @step(state, _("取消立项"), source=[A.PROPOSED, A.APPROVED, A.NOTICED, A.HELD, A.CONFIRMED], to=A.CANCELLED, by=confirmer,
          then=["awards.tell_cancelled", "awards.end_contract"], danger=True)
    def cancel(self) -> None:
        """异议成立、放弃立项或资格不再符合时取消，写明理由。"""

    @step(state, _("开始执行"), source=A.CONFIRMED, to=A.ACTIVE, by=the_clock)
    def activate(self) -> None:
        """协议生效后自动开始执行。"""
        self.started_on = clock.today()

    @step(state, _("终止项目"), source=A.ACTIVE, to=A.TERMINATED, by=confirmer, then=["awards.tell_terminated"], danger=True)
    def terminate(self) -> None:
        """违约、失去资格或无法继续时终止，停止拨款并追回结余。"""

    @step(state, _("结项"), source=A.ACTIVE, to=A.CLOSED, by=confirmer, then=["awards.tell_closed"])
    def close(self) -> None:
        """评估通过、结余退回、档案齐全后结项。"""
        self.closed_on = clock.today()


class ObjectionMachine(Machine):
    """异议：公示期内具名提出，受理后立项暂停，限期书面答复。"""

    States = ObjectionStates
    machine_name = "objection"
    door_select = ("call__agency", "call__rules_version", "award", "notice")
    opening: ClassVar[Opening] = Opening(_("提出异议"), by=anyone, when=(objection_in_time,), then=("awards.tell_objection_filed",))
    state = StateField(default=J.FILED, choices=J.choices)

    class Meta:
        abstract = True

    @step(state, _("受理异议"), source=J.FILED, to=J.ACCEPTED, by=may("handle_objections"), when=[objection_is_named],
          then=["awards.tell_objection_accepted"])
    def accept(self) -> Facts:
        """具名且有具体事实的，予以受理并暂停所涉立项；答复期限从受理日起算。"""
        self.handled_by, self.due_at = self.actor, self.reply_deadline()
        return Facts(public={"due_at": self.due_at.isoformat(), "held": self.hold_awards(self.actor)})

    @step(state, _("不予受理"), source=J.FILED, to=J.REFUSED, by=may("handle_objections"), when=[has_reply],
          then=["awards.tell_objection_decided"], danger=True)
    def refuse(self, *, reply: str) -> Facts:
        """匿名、无具体事实或不在异议范围的，说明理由。"""
        self.handled_by = self.actor
        return self.answer(reply)

    @step(state, _("异议成立"), source=J.ACCEPTED, to=J.UPHELD, by=may("decide_objections") & not_the_handler, when=[has_reply],
          then=["awards.tell_objection_decided"], danger=True)
    def uphold(self, *, reply: str) -> Facts:
        """异议成立，书面答复，并取消所涉立项。"""
        self.cancel_award(self.actor)
        return self.answer(reply)

    @step(state, _("异议不成立"), source=J.ACCEPTED, to=J.DISMISSED, by=may("decide_objections") & not_the_handler, when=[has_reply],
          then=["awards.tell_objection_decided", "awards.resume"])
    def dismiss(self, *, reply: str) -> Facts:
        """异议不成立，书面答复理由，恢复公示。"""
        return self.answer(reply)

    @step(state, _("撤回异议"), source=[J.FILED, J.ACCEPTED], to=J.WITHDRAWN, by=the_objector, then=["awards.resume"])
    def withdraw(self) -> None:
        """异议人撤回。"""
