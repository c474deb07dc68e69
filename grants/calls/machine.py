"""征集：草稿 → 待审批 → 已发布 → 受理中 → 已截止 → 已立项 → 已归档 / 已终止."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.calls.rules import (
    addendum_is_lawful,
    before_closing,
    closing_reached,
    extension_is_later,
    full_period_ahead,
    has_sound_rules,
    held_by_downtime,
    measured_downtime_owed,
    no_downtime_owed,
    not_the_drafter,
    opening_reached,
)
from grants.clock.calendar import only_later
from grants.people.rules import may
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from grants.workflow.rules import the_clock


class CallStates(models.TextChoices):
    DRAFT = "draft", _("草稿")
    PENDING = "pending", _("待审批")
    PUBLISHED = "published", _("已发布")
    OPEN = "open", _("受理中")
    CLOSED = "closed", _("已截止")
    DECIDED = "decided", _("已立项")
    ARCHIVED = "archived", _("已归档")
    CANCELLED = "cancelled", _("已终止")


S = CallStates
approver = may("approve_calls")


class CallMachine(Machine):
    """一次征集，从起草到归档。规则在发布时冻结；截止时间只能延后。"""

    States = CallStates
    machine_name = "call"
    door_select = ("agency", "rules_version")
    opening: ClassVar[Opening] = Opening(_("起草征集"), by=may("draft_calls"))
    state = StateField(default=S.DRAFT, choices=S.choices)
    if TYPE_CHECKING:
        closes_at: Any  # a column of models.Call

    class Meta:
        abstract = True

    @step(state, _("修改规则"), source=S.DRAFT, to=None, by=may("draft_calls"))
    def revise(self, *, rules: Any) -> Facts:
        """保存一份新的规则草稿，并记下修改人。"""
        self.contributors.add(self.actor)
        return Facts(public={"rules_hash": self.write_rules(rules, by=self.actor).hash})

    @step(state, _("提交审批"), source=S.DRAFT, to=S.PENDING, by=may("draft_calls"), when=[has_sound_rules])
    def propose(self) -> None:
        """经办起草完毕，交负责人审批。"""

    @step(state, _("退回起草"), source=S.PENDING, to=S.DRAFT, by=approver, danger=True)
    def return_(self) -> None:
        """写明要改什么。"""

    @step(state, _("批准发布"), source=S.PENDING, to=S.PUBLISHED, by=approver & not_the_drafter,
          when=[has_sound_rules, full_period_ahead], then=["calls.announce"])
    def publish(self) -> Facts:
        """第二人批准；规则从此冻结，其哈希写入台账。"""
        self.published_at = clock.now()
        self.rules_version.freeze()
        return Facts(public={"rules_hash": self.rules_version.hash, "rules_number": self.rules_version.number})

    @step(state, _("开始受理"), source=S.PUBLISHED, to=S.OPEN, by=the_clock, when=[opening_reached])
    def open(self) -> None:
        """到受理时间自动开始。"""

    @step(state, _("延长截止"), source=[S.PUBLISHED, S.OPEN], to=None, by=approver,
          when=[before_closing | held_by_downtime, extension_is_later], then=["calls.announce_extension"], danger=True)
    def extend(self, *, closes_at: datetime) -> Facts:
        """截止时间只能延后，对所有人一视同仁。"""
        return self._later(closes_at)

    @step(state, _("故障顺延"), source=S.OPEN, to=None, by=the_clock, when=[closing_reached, measured_downtime_owed],
          then=["calls.announce_extension"])
    def give_back(self, *, closes_at: datetime) -> Facts:
        """截止时系统自己测得的故障，负责人还没有确认的，按公布的规则自动顺延。"""
        return self._later(closes_at)

    def _later(self, closes_at: datetime) -> Facts:
        only_later(self.closes_at, closes_at)
        before: datetime = self.closes_at
        self.closes_at = closes_at
        return Facts(public={"from": before.isoformat(), "to": closes_at.isoformat()})

    @step(state, _("发布补充公告"), source=[S.PUBLISHED, S.OPEN], to=None, by=approver & not_the_drafter,
          when=[before_closing, addendum_is_lawful], then=["calls.announce_addendum"], danger=True)
    def amend(self, *, version: Any) -> Facts:
        """规则只能以新版本补充；申报单位须确认差异。"""
        version.freeze()
        self.rules_version = version
        self.copy_timetable()
        return Facts(public={"rules_hash": version.hash, "rules_number": version.number, "changes": len(version.changes)})

    @step(state, _("截止"), source=S.OPEN, to=S.CLOSED, by=the_clock, when=[closing_reached, no_downtime_owed],
          then=["calls.announce_closing"])
    def close(self) -> None:
        """到截止时间自动截止，迟一秒也不受理。"""

    @step(state, _("完成立项"), source=S.CLOSED, to=S.DECIDED, by=may("confirm_awards"))
    def decide(self) -> None:
        """全部立项、异议处理完毕。"""

    @step(state, _("归档"), source=S.DECIDED, to=S.ARCHIVED, by=may("confirm_awards"))
    def archive(self) -> None:
        """全部项目结项或终止后归档。"""

    @step(state, _("终止征集"), source=[S.DRAFT, S.PENDING, S.PUBLISHED, S.OPEN, S.CLOSED], to=S.CANCELLED,
          by=approver & not_the_drafter, then=["calls.announce_cancellation"], danger=True)
    def cancel(self) -> None:
        """写明原因并通知所有申报单位。"""
