"""申报单位：草稿 → 待核验 → 已核验 / 退回 / 停用."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.people.rules import (
    account_is_given,
    anybody_signed_in,
    code_is_settled,
    is_identified,
    may,
    may_hold_account,
    not_the_account_setter,
)
from grants.workflow.machine import Facts, Machine, Opening, StateField, step


class OrganisationStates(models.TextChoices):
    DRAFT = "draft", _("草稿")
    SUBMITTED = "submitted", _("待核验")
    RETURNED = "returned", _("已退回")
    VERIFIED = "verified", _("已核验")
    SUSPENDED = "suspended", _("已停用")


S = OrganisationStates
registrar = may("verify_organisations")
member = may("write_bids") | may("sign_for")
treasurer = may("claim") | may("sign_for")


class OrganisationMachine(Machine):
    """申报单位的核验。草拟申报书不必等核验，只有提交时才需要。"""

    States = OrganisationStates
    machine_name = "organisation"
    door_select = ("registrar",)
    opening: ClassVar[Opening] = Opening(_("登记单位"), by=anybody_signed_in)
    state = StateField(default=S.DRAFT, choices=S.choices)

    class Meta:
        abstract = True

    @step(state, _("修改资料"), source=[S.DRAFT, S.RETURNED, S.VERIFIED], to=None, by=member)
    def update(self, *, values: Mapping[str, Any]) -> Facts:
        """联系方式等随时可改；名称、代码等登记信息核验后要先申请变更。"""
        return Facts(public={"fields": self.apply(values)})

    @step(state, _("提交核验"), source=[S.DRAFT, S.RETURNED], to=S.SUBMITTED, by=may("sign_for"), when=[is_identified])
    def submit(self) -> None:
        """请登记机关核验单位信息。"""

    @step(state, _("通过核验"), source=S.SUBMITTED, to=S.VERIFIED, by=registrar, when=[is_identified, code_is_settled],
          then=["people.verified"])
    def verify(self, *, evidence: str) -> Facts:
        """经办核对登记证书后通过，写明核对的依据（证书、查询网站和日期）。"""
        return Facts(private={"evidence": evidence})

    @step(state, _("退回修改"), source=S.SUBMITTED, to=S.RETURNED, by=registrar, then=["people.returned"], danger=True)
    def return_(self) -> None:
        """写明缺什么，请单位补充。"""

    @step(state, _("申请变更登记信息"), source=S.VERIFIED, to=S.RETURNED, by=may("sign_for"), danger=True)
    def reopen(self) -> None:
        """名称、代码、法定代表人等变更后须重新核验。"""

    @step(state, _("停用"), source=[S.VERIFIED, S.RETURNED], to=S.SUSPENDED, by=registrar, danger=True)
    def suspend(self) -> None:
        """登记被撤销或查无此单位时停用。"""

    @step(state, _("恢复"), source=S.SUSPENDED, to=S.SUBMITTED, by=registrar)
    def reinstate(self) -> None:
        """恢复为待核验，需重新核验。"""

    @step(state, _("填写收款账户"), source=[S.DRAFT, S.SUBMITTED, S.RETURNED, S.VERIFIED], to=None, by=treasurer,
          when=[may_hold_account])
    def set_account(self, *, bank: str, number: str) -> Facts:
        """户名就是单位名称；每次修改都要重新核验。"""
        self.change_account(bank, number, by=self.actor)
        return Facts(private=self.account_facts())

    @step(state, _("核验收款账户"), source=S.VERIFIED, to=None, by=may("verify_accounts") & not_the_account_setter,
          when=[may_hold_account, account_is_given], then=["people.account_verified"])
    def verify_account(self, *, evidence: str) -> Facts:
        """财务核对开户许可或基本存款账户信息后锁定账户。"""
        self.account_verified_at, self.account_verified_by = clock.now(), self.actor
        return Facts(private={"evidence": evidence, **self.account_facts()})
