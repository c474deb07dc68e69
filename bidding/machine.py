"""投标：草稿 → 已提交 → 资格审查 → 进入评审 / 退回补正 / 不予受理 / 撤回."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from bidding.rules import (
    applicant,
    call_is_closed,
    call_is_open,
    declared_files_here,
    in_time,
    is_complete,
    not_the_operator,
    not_yet_corrected,
    organisation_verified,
    rules_acknowledged,
    screener,
    screening_done,
    within_bid_limit,
    writer,
)
from bidding.seal_rules import bids_are_opened, did_not_open, kept_copies_are_taken, not_under_seal, opened_or_failed, under_seal
from bidding.terms import draft_past_its_term, something_to_erase, team_is_named, team_past_its_term
from grants import clock
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from grants.workflow.rules import rule, the_clock


class BidStates(models.TextChoices):
    DRAFT = "draft", _("草稿")
    SUBMITTED = "submitted", _("已提交")
    RETURNED = "returned", _("退回补正")
    ADMITTED = "admitted", _("进入评审")
    REJECTED = "rejected", _("不予受理")
    WITHDRAWN = "withdrawn", _("已撤回")
    LAPSED = "lapsed", _("逾期未提交")


S = BidStates


@rule(_("受理或补正期限已过"), _("期限还没有过。"))
def time_is_up(ask: Any) -> bool:
    due = ask.obj.correction_due_at if ask.obj.state == S.RETURNED else ask.obj.call.closes_at
    return due is not None and ask.now >= due + timedelta(seconds=settings.SUBMISSION_DRAIN)


class BidMachine(Machine):
    """一份申报书。截止前可反复提交、替换、撤回；以最后一次提交的版本为准。"""

    States = BidStates
    machine_name = "bid"
    door_select = ("call__agency", "organisation", "rules_version", "sponsor")
    opening: ClassVar[Opening] = Opening(_("开始填写"), by=writer, when=(call_is_open, not_the_operator))
    acts: ClassVar[dict[str, Any]] = {
        "acknowledge_rules": _("确认最新规则"), "file_followed": _("补交声明的附件"), "screen": _("系统核查资格"), "finding": _("记录资格审查结论"),
    }  # fmt: skip
    """Entries of the log that move no state, in words for the timeline."""
    state = StateField(default=S.DRAFT, choices=S.choices)
    if TYPE_CHECKING:
        team: Any  # rows of models.TeamMember

    class Meta:
        abstract = True

    @step(state, _("提交"), source=[S.DRAFT, S.SUBMITTED, S.RETURNED, S.WITHDRAWN], to=S.SUBMITTED, by=applicant,
          when=[not_under_seal, in_time, organisation_verified, rules_acknowledged, not_the_operator, within_bid_limit, is_complete],
          then=["bidding.acknowledge"])
    def submit(self, *, declarations: Sequence[str] = ()) -> Facts:
        """签署承诺，冻结一个版本并出具回执；截止前可再次提交替换。"""
        accepted = self.accept_declarations(declarations)
        self.submitted_at = clock.arrived()
        self.sign_asked_at = self.sign_asked_by = None
        self.give_number()
        version = self.freeze_version(accepted)
        return Facts(public={"number": self.number, "version": version.number, "content": version.hash}, files=version.files())

    @step(state, _("提交密封投标"), source=[S.DRAFT, S.SUBMITTED, S.WITHDRAWN], to=S.SUBMITTED, by=applicant,
          when=[under_seal, call_is_open, organisation_verified, rules_acknowledged, not_the_operator, within_bid_limit],
          then=["bidding.acknowledge_sealed"])
    def seal(self, *, version: Any, files: Any) -> Facts:
        """收下密封文件和公开的投标头并出具回执；开标之前谁也看不到内容，截止前可再次提交替换。"""
        version.declarations = [d["code"] for d in self.accept_declarations(version.declarations)]
        self.submitted_at = clock.arrived()
        self.give_number()
        self.receive_sealed(version, files)
        public = {"number": self.number, "version": version.number, "content": version.hash, **version.sealed_with}
        return Facts(public=public, files={name: file.sha256 for name, file in files.items()})

    @step(state, _("打开密封投标"), source=S.SUBMITTED, to=None, by=the_clock, when=[under_seal, call_is_closed])
    def unseal(self, *, version: Any, content: Any) -> Facts:
        """开标时逐份打开，内容与投标时的承诺值核对一致才算数。"""
        return self._taken(version, content)

    @step(state, _("用留存包恢复"), source=S.SUBMITTED, to=None, by=applicant, when=[did_not_open, kept_copies_are_taken])
    def restore(self, *, version: Any, content: Any) -> Facts:
        """开标时没有打开的，由投标单位上传投标留存包；与承诺值逐字节一致才接受。"""
        return self._taken(version, content)

    def _taken(self, version: Any, content: Any) -> Facts:
        """What could not be taken (a file that is too large, disguised or infected) stands in the bid's history for the bidder and the desk."""
        taken, told = self.take_out(version, content)
        public = {"version": taken.number, "content": taken.hash, "header": version.hash, "not_taken": len(told)}
        return Facts(public=public, private={"note": " ".join(told)} if told else {}, files=taken.files())

    @step(state, _("请签署人查看"), source=[S.DRAFT, S.SUBMITTED, S.RETURNED, S.WITHDRAWN], to=None, by=writer,
          when=[not_under_seal, in_time], then=["bidding.ask_to_sign"])
    def ask_to_sign(self) -> None:
        """填报人请签署人通读并签署；签署人会收到站内信。"""
        self.ask_for_signature()

    @step(state, _("退给填报人修改"), source=[S.DRAFT, S.SUBMITTED, S.RETURNED, S.WITHDRAWN], to=None, by=applicant,
          when=[not_under_seal, in_time], then=["bidding.send_back"])
    def send_back(self, *, reason: str, pages: Sequence[str] = ()) -> Facts:
        """签署人写明要改什么、在哪几部分；填报人会收到站内信。"""
        self.give_back(reason, pages)
        return Facts(public={"pages": list(pages)}, private={"reason": reason})

    @step(state, _("撤回"), source=S.SUBMITTED, to=S.WITHDRAWN, by=applicant, when=[call_is_open],
          then=["bidding.acknowledge_withdrawal"], danger=True)
    def withdraw(self) -> None:
        """截止前可撤回，撤回后仍可再次提交。"""

    @step(state, _("以提交版本为准"), source=[S.SUBMITTED, S.RETURNED, S.ADMITTED, S.REJECTED], to=None, by=the_clock,
          when=[call_is_closed, bids_are_opened])
    def settle(self) -> Facts:
        """截止后舍弃没有提交的修改，工作稿恢复为最后提交的版本。"""
        version = self.restore_version()
        return Facts(public={"version": version.number, "content": version.hash})

    @step(state, _("退回补正"), source=S.SUBMITTED, to=S.RETURNED, by=screener,
          when=[call_is_closed, bids_are_opened, not_yet_corrected], then=["bidding.ask_for_correction"], danger=True)
    def return_for_correction(self, *, items: str) -> Facts:
        """写明要补正的内容；补正期限按征集规则计算，一次为限。"""
        self.ask_to_correct(items)
        return Facts(public={"due_at": self.correction_due_at.isoformat()}, private={"items": items})

    @step(state, _("通过资格审查"), source=S.SUBMITTED, to=S.ADMITTED, by=screener,
          when=[call_is_closed, bids_are_opened, screening_done, declared_files_here], then=["bidding.tell_admitted"])
    def admit(self) -> None:
        """逐项审查合格，进入评审。"""

    @step(state, _("不予受理"), source=S.SUBMITTED, to=S.REJECTED, by=screener, when=[call_is_closed, opened_or_failed],
          then=["bidding.tell_rejected"], danger=True)
    def reject(self) -> None:
        """写明依据的条款和事实（说明随通知书送达申报单位）。"""

    @step(state, _("逾期"), source=[S.DRAFT, S.RETURNED], to=S.LAPSED, by=the_clock, when=[time_is_up])
    def lapse(self) -> None:
        """期限已过而没有提交。"""

    @step(state, _("删除过期草稿"), source=[S.DRAFT, S.LAPSED, S.WITHDRAWN], to=None, by=screener,
          when=[draft_past_its_term, something_to_erase], danger=True)
    def erase_draft(self) -> Facts:
        """按个人信息保护法第十九条删除从未提交的草稿的内容，不能恢复；这一行和件数保留。"""
        return Facts(public=self.empty_draft())

    @step(state, _("删除团队成员信息"), source=[S.SUBMITTED, S.ADMITTED, S.REJECTED, S.WITHDRAWN, S.LAPSED], to=None, by=screener,
          when=[team_past_its_term, team_is_named], danger=True)
    def erase_team(self) -> Facts:
        """按征集规则的个人信息月数，删除未立项申报的团队姓名和证书编号，不能恢复；人数、职务和资格保留。"""
        return Facts(public={"members": self.team.update(name="", licence_no="")})
