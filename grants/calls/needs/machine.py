"""需求：已提出 → 已核实 → 已公开 → 已回应 / 已合并 / 不采纳."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.calls.needs.rules import (
    call_is_a_draft,
    has_no_personal_numbers,
    holds_receipt,
    is_answered,
    merges_into_another,
    screener,
)
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from grants.workflow.rules import anyone


class NeedStates(models.TextChoices):
    PROPOSED = "proposed", _("待核实")
    CHECKED = "checked", _("已核实")
    PUBLISHED = "published", _("已公开")
    MERGED = "merged", _("已合并")
    MET = "met", _("已回应")
    DECLINED = "declined", _("不采纳")


S = NeedStates


class NeedMachine(Machine):
    """需求的提出与办理。任何人都可以提出；主办方核实之后才公开，联系方式从不公开。"""

    States = NeedStates
    machine_name = "need"
    door_select = ("agency",)
    opening: ClassVar[Opening] = Opening(_("提出需求"), by=anyone)
    state = StateField(default=S.PROPOSED, choices=S.choices)
    if TYPE_CHECKING:
        published_at: Any  # a column of models.Need

    class Meta:
        abstract = True

    @step(state, _("核实"), source=[S.PROPOSED, S.CHECKED], to=S.CHECKED, by=screener)
    def check_(self, **wording: Any) -> Facts:
        """向提出人、社区了解后，改成可以公开的文字；不得含个人号码和姓名。"""
        changed = self.word(wording)
        self.checked_by = self.actor
        return Facts(public={"fields": changed})

    @step(state, _("公开"), source=S.CHECKED, to=S.PUBLISHED, by=screener, when=[has_no_personal_numbers])
    def publish(self) -> None:
        """列入公开的需求清单，居民可以附议，申报单位可以回应。"""
        self.published_at = clock.now()

    @step(state, _("合并"), source=[S.PROPOSED, S.CHECKED, S.PUBLISHED], to=S.MERGED, by=screener, when=[merges_into_another])
    def merge(self, *, into: Any) -> Facts:
        """同一件事只保留一条，附议一并转过去，同一个人不重复计。"""
        return Facts(public={"into": str(into.pk), "backings": self.hand_over(into)})

    @step(state, _("列入需求指引"), source=S.PUBLISHED, to=None, by=screener, when=[call_is_a_draft])
    def list_(self, *, call: Any, code: str) -> Facts:
        """写进一次征集的需求指引表，申报单位可以对应这条需求申报。"""
        self.call, self.code = call, code
        return Facts(public={"call": call.code, "code": code})

    @step(state, _("已回应"), source=S.PUBLISHED, to=S.MET, by=screener, when=[is_answered])
    def meet(self, *, answer: str) -> Facts:
        """已有服务落地；写明由什么项目、从何时起回应。"""
        return Facts(private={"answer": self.reply(answer)})

    @step(state, _("不采纳"), source=[S.PROPOSED, S.CHECKED], to=S.DECLINED, by=screener, when=[is_answered])
    def decline(self, *, answer: str) -> Facts:
        """不公开；写明理由和可以另找的渠道，提出人凭查询码可以看到。"""
        return Facts(private={"answer": self.reply(answer)})

    @step(state, _("删除联系方式"), source=S.values, to=None, by=screener | holds_receipt)
    def erase_contact(self, *, receipt: str = "") -> None:
        """按个人信息保护法第四十七条删除提出人的姓名和联系方式，不能恢复。"""
        self.proposer_name = self.contact = ""
