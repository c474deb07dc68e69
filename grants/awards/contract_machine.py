"""协议 — one machine, on one screen: on paper (print, seal, scan, upload) or by electronic signature, never half and half."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.awards.esigning_rules import (
    can_sign_electronically,
    executor,
    executor_has_signed,
    freshly_authenticated,
    grantee_signed_electronically,
    nothing_pending,
    renewal_is_good,
    signature_of,
    signature_pending,
    signed_on_paper,
)
from grants.awards.rules import (
    account_is_verified,
    award_is_confirmed,
    ending_signer,
    grantee,
    no_open_objection,
    not_the_contract_drafter,
    preparer,
    reduction_agreed,
    scan_matches,
    still_eligible,
    text_is_ready,
)
from grants.people.rules import may
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from grants.workflow.rules import the_clock


class ContractStates(models.TextChoices):
    DRAFT = "draft", _("待定稿")
    ISSUED = "issued", _("待乙方签署")
    GRANTEE_SIGNED = "grantee_signed", _("待甲方签署")
    EFFECTIVE = "effective", _("已生效")
    COMPLETED = "completed", _("已履行完毕")
    ENDED = "ended", _("已解除")


C = ContractStates


class ContractMachine(Machine):
    """协议：定稿、乙方签署、甲方签署、生效。签署可以打印盖章扫描，也可以电子签名。"""

    States = ContractStates
    machine_name = "contract"
    door_select = ("award__call__agency", "award__bid__organisation", "award__bid__sponsor", "award__bid__rules_version", "file")
    opening: ClassVar[Opening] = Opening(_("起草协议"), by=preparer, when=(award_is_confirmed, account_is_verified),
                                         then=("awards.print_contract",))
    state = StateField(default=C.DRAFT, choices=C.choices)

    class Meta:
        abstract = True

    @step(state, _("重新生成文本"), source=C.DRAFT, to=None, by=preparer, when=[award_is_confirmed, account_is_verified],
          then=["awards.print_contract"])
    def redraw(self) -> Facts:
        """核减或资料更正后，按现在的核定结果重新生成协议文本。"""
        return self.write_text()

    @step(state, _("定稿发出"), source=C.DRAFT, to=C.ISSUED, by=preparer, then=["awards.tell_contract_ready"],
          when=[award_is_confirmed, reduction_agreed, text_is_ready, no_open_objection, still_eligible])
    def issue(self) -> Facts:
        """资格复核合格后文本冻结，编号和摘要印在页脚。"""
        self.issued_at = clock.now()
        return Facts(public={"number": self.number, "recheck": self.remember_recheck()}, files=self.text_files())

    @step(state, _("乙方签署"), source=C.ISSUED, to=C.GRANTEE_SIGNED, by=grantee, when=[award_is_confirmed, nothing_pending, scan_matches])
    def sign_grantee(self, *, scan: Any, number: str, text_hash: str) -> Facts:
        """打印、盖章、扫描后上传；三方协议由托管组织签署。"""
        self.grantee_scan, self.grantee_signed_at = scan, clock.now()
        self.forget_signatures()
        return Facts(public={"number": self.number}, files={**self.text_files(), "scan": scan.sha256})

    @step(state, _("退回重签"), source=C.GRANTEE_SIGNED, to=C.ISSUED, by=may("sign_contracts"), then=["awards.tell_sign_again"],
          danger=True)
    def send_back(self) -> None:
        """扫描件缺页、缺章或看不清，或者要改换签署方式时退回。"""
        self.forget_signatures()

    @step(state, _("甲方签署生效"), source=C.GRANTEE_SIGNED, to=C.EFFECTIVE, by=may("sign_contracts") & not_the_contract_drafter,
          when=[award_is_confirmed, signed_on_paper, scan_matches, still_eligible], then=["awards.activate", "awards.tell_contract_effective"])
    def countersign(self, *, scan: Any, number: str, text_hash: str) -> Facts:
        """甲方盖章扫描上传后，协议生效。"""
        self.agency_scan, self.effective_at = scan, clock.now()
        public = {"number": self.number, "recheck": self.remember_recheck()}
        return Facts(public=public, files={**self.text_files(), "scan": scan.sha256})

    @step(state, _("丙方电子签署"), source=C.ISSUED, to=None, by=executor,
          when=[award_is_confirmed, can_sign_electronically, freshly_authenticated], then=["awards.sign_electronically"])
    def ask_executor(self, *, authenticated: Any) -> Facts:
        """三方协议的执行团队先签：再次验证身份后，由系统用本方证书签名。"""
        return self.ask_signature("executor", authenticated)

    @step(state, _("丙方电子签名完成"), source=C.ISSUED, to=None, by=the_clock, when=[signature_of("executor")])
    def complete_executor(self, *, signed: Any, checked: Any) -> Facts:
        """签名核验通过后自动完成。"""
        return self.keep_signature("executor", signed, checked)

    @step(state, _("乙方电子签署"), source=C.ISSUED, to=None, by=grantee, then=["awards.sign_electronically"],
          when=[award_is_confirmed, executor_has_signed, can_sign_electronically, freshly_authenticated])
    def ask_grantee(self, *, authenticated: Any) -> Facts:
        """再次验证身份后，由系统用本单位证书签名，一般一分钟内完成；也可以打印、盖章、扫描上传。"""
        return self.ask_signature("grantee", authenticated)

    @step(state, _("乙方电子签名完成"), source=C.ISSUED, to=C.GRANTEE_SIGNED, by=the_clock, when=[award_is_confirmed, signature_of("grantee")])
    def complete_grantee(self, *, signed: Any, checked: Any) -> Facts:
        """签名核验通过后自动完成。"""
        self.grantee_scan, self.grantee_signed_at = signed, clock.now()
        return self.keep_signature("grantee", signed, checked)

    @step(state, _("甲方电子签署"), source=C.GRANTEE_SIGNED, to=None, by=may("sign_contracts") & not_the_contract_drafter,
          when=[award_is_confirmed, grantee_signed_electronically, can_sign_electronically, still_eligible, freshly_authenticated],
          then=["awards.sign_electronically"])
    def ask_grantor(self, *, authenticated: Any) -> Facts:
        """再次验证身份后，由系统用主办方证书或签章平台签名，完成后协议生效。"""
        self.remember_recheck()
        return self.ask_signature("grantor", authenticated)

    @step(state, _("甲方电子签名完成，协议生效"), source=C.GRANTEE_SIGNED, to=C.EFFECTIVE, by=the_clock,
          when=[award_is_confirmed, signature_of("grantor")], then=["awards.activate", "awards.tell_contract_effective"])
    def complete_grantor(self, *, signed: Any, checked: Any) -> Facts:
        """签名核验通过后自动生效。"""
        self.agency_scan, self.effective_at = signed, clock.now()
        return self.keep_signature("grantor", signed, checked)

    @step(state, _("电子签署未完成"), source=[C.ISSUED, C.GRANTEE_SIGNED], to=None, by=the_clock, then=["awards.tell_signing_failed"])
    def drop_signature(self, *, why: str) -> Facts:
        """证书过期、被吊销或平台返回的签名不对时，记下原因，可以重试或改用纸质签署。"""
        return Facts(public={"party": self.stop_waiting()}, private={"why": why})

    @step(state, _("撤回电子签署"), source=[C.ISSUED, C.GRANTEE_SIGNED], to=None, by=grantee | executor | may("sign_contracts"),
          when=[signature_pending])
    def withdraw_signature(self) -> Facts:
        """时间戳服务或签章平台迟迟没有回应时撤回，可以再试或改用纸质签署。"""
        return Facts(public={"party": self.stop_waiting()})

    @step(state, _("续加时间戳"), source=[C.EFFECTIVE, C.COMPLETED, C.ENDED], to=None, by=the_clock, when=[renewal_is_good])
    def renew_stamp(self, *, signed: Any, checked: Any) -> Facts:
        """最后一个时间戳的证书到期之前自动续加，原有文本和签名逐字节不变，协议可以长期核验。"""
        return self.keep_renewal(signed, checked)

    @step(state, _("履行完毕"), source=C.EFFECTIVE, to=C.COMPLETED, by=the_clock)
    def complete(self) -> None:
        """项目结项后自动完成。"""

    @step(state, _("解除"), source=[C.DRAFT, C.ISSUED, C.GRANTEE_SIGNED, C.EFFECTIVE], to=C.ENDED, by=ending_signer, danger=True)
    def end(self) -> None:
        """立项取消或项目终止时解除，写明结算办法。"""
