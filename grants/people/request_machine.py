"""账号事项：一人提出 → 另一类管理员复核 → 已办理 / 未同意 / 已撤回."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants.people.rules import about_oneself, another_administrator, may, not_about_oneself, only_the_asker, still_possible
from grants.workflow.machine import Facts, Machine, Opening, StateField, step


class AccountRequestStates(models.TextChoices):
    ASKED = "asked", _("待复核")
    DONE = "done", _("已办理")
    REFUSED = "refused", _("未同意")
    WITHDRAWN = "withdrawn", _("已撤回")


S = AccountRequestStates
administrator = may("keep_accounts") | may("appoint_staff")


class AccountRequestMachine(Machine):
    """管理员不能一个人办的事：任免管理员、重设第二重验证、绑定单点登录身份、删除个人信息。系统管理员与安全管理员各一人才能办成；本人申请删除的，一人复核。"""

    States = AccountRequestStates
    machine_name = "account_request"
    door_select = ("site", "person", "asked_by")
    opening: ClassVar[Opening] = Opening(
        _("提出账号事项"), by=administrator | about_oneself, when=(not_about_oneself | about_oneself, still_possible), then=("people.request_asked",)
    )
    state = StateField(default=S.ASKED, choices=S.choices)

    class Meta:
        abstract = True

    @step(state, _("复核同意并办理"), source=S.ASKED, to=S.DONE, by=administrator & another_administrator,
          when=[not_about_oneself, still_possible], then=["people.request_done"])
    def confirm(self) -> Facts:
        """请先与本人当面或通过已知电话核实，再同意；同意后立即生效。"""
        self.decided_by = self.actor
        done = self.carry_out(self.actor)
        return Facts(public={"what": self.what, "role": self.role, "person": str(self.person.pseudonym), **done})

    @step(state, _("不同意"), source=S.ASKED, to=S.REFUSED, by=administrator & another_administrator, danger=True)
    def refuse(self) -> None:
        """写明理由。"""
        self.decided_by = self.actor

    @step(state, _("撤回"), source=S.ASKED, to=S.WITHDRAWN, by=administrator | about_oneself, when=[only_the_asker], danger=True)
    def withdraw(self) -> None:
        """提出人在复核之前可以撤回。"""
