"""开标密钥：待演练 → 可以受理 → 已开标；受理之前可以更换；截止后钥匙丢到不够数的，两人宣布后凭留存包恢复."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from bidding import loss_rules as losses
from bidding import seal_rules as rules
from bidding import sealing_bundle
from grants import clock
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from grants.workflow.rules import the_clock


class SealStates(models.TextChoices):
    MADE = "made", _("待演练")
    READY = "ready", _("演练完毕")
    OPENED = "opened", _("已开标")
    REPLACED = "replaced", _("已更换")


S = SealStates


class SealMachine(Machine):
    """一次征集的开标密钥：任何 M 名开标人一起才能打开投标；私钥只以分份存在，系统里没有完整的一份。"""

    States = SealStates
    machine_name = "seal"
    door_select = ("call__agency", "call__rules_version")
    opening: ClassVar[Opening] = Opening(
        _("制作开标密钥"), by=rules.dealer, when=(rules.call_is_sealed, rules.not_yet_open, rules.no_other_key)
    )
    state = StateField(default=S.MADE, choices=S.choices)

    class Meta:
        abstract = True

    @step(state, _("演练开标"), source=S.MADE, to=None, by=rules.custodian, when=[rules.not_yet_open])
    def rehearse(self, *, share: Any, content: bytes) -> Facts:
        """一组开标人依次解开自己的一层，打开测试信封；内容相符才算通过。"""
        self.prove(share, content)
        return Facts(public={"group": share.group})

    @step(
        state,
        _("演练完毕"),
        source=S.MADE,
        to=S.READY,
        by=rules.custodian,
        when=[rules.all_rehearsed],
        then=["bidding.print_seal_notice"],
    )
    def get_ready(self) -> Facts:
        """每一组都打开过测试信封，征集可以开始受理；公钥和封标程序的指纹就此公告。"""
        return Facts(public={"groups": self.shares.count(), **self._announce()})

    @step(
        state,
        _("登记封标程序更新"),
        source=S.READY,
        to=None,
        by=the_clock,
        when=[rules.bids_may_come, rules.program_has_changed],
        then=["bidding.print_seal_notice"],
    )
    def renew_program(self) -> Facts:
        """受理期间系统升级，网页发出的封标程序变了：新的指纹记入台账并重新公告，原来的仍然保留。"""
        return Facts(public=self._announce())

    def _announce(self) -> dict[str, Any]:
        """What bidders compare: the very scripts this system serves now, and what they seal to."""
        row = self.programs.create(fingerprint=sealing_bundle.fingerprint(), at=clock.now())
        return {"program": row.fingerprint, "recipient": self.recipient, "record": self.fingerprint}

    @step(state, _("更换密钥"), source=[S.MADE, S.READY], to=S.REPLACED, by=rules.dealer, when=[rules.not_yet_open], danger=True)
    def replace(self) -> None:
        """钥匙丢失或开标人变动时，受理开始之前重做；原密钥作废。"""

    @step(state, _("解开一层"), source=S.READY, to=None, by=rules.custodian, when=[rules.time_to_open])
    def peel(self, *, share: Any, layer: int) -> Facts:
        """开标人用自己的钥匙解开自己的一层，交给下一位；最后一位之前谁也看不到内容。"""
        return Facts(public={"group": share.group, "layer": layer})

    @step(
        state,
        _("开标"),
        source=S.READY,
        to=S.OPENED,
        by=rules.custodian,
        when=[rules.time_to_open],
        then=["bidding.print_opening", "bidding.tell_opening"],
    )
    def open(self, *, record: Any) -> Facts:
        """全部投标逐份打开，打不开的一份不影响其他；开标记录当场写成。"""
        self.opened_at = clock.now()
        self.note_loss(None)
        return Facts(public={"record": record.hash, "opened": record.opened, "failed": record.failed, "group": record.officers})

    @step(
        state,
        _("报告密钥丢失"),
        source=S.READY,
        to=None,
        by=losses.desk,
        when=[rules.time_to_open, losses.not_yet_reported, losses.too_few_left, losses.shown_again],
        then=["bidding.tell_lost_report"],
        danger=True,
    )
    def report_lost(self, *, offices: Any, authenticated: Any) -> Facts:
        """写明哪些岗位的钥匙丢失和经过；每名开标人收到信，找回钥匙的可以撤销或直接开标，另一人核对后才能宣布。"""
        self.note_loss(self.actor)
        seats = [row.name for row in self.officers.all()]
        gone = [name for name in seats if name in offices]
        return Facts(public={"left": len(seats) - len(gone), "authenticated": authenticated.method}, private={"offices": gone})

    @step(state, _("撤销丢失报告"), source=S.READY, to=None, by=losses.who_knows, when=[losses.lost_is_reported])
    def withdraw_lost(self) -> None:
        """宣布之前找回了钥匙，或报告有误；撤销后照常开标。"""
        self.note_loss(None)

    @step(
        state,
        _("宣布密钥丢失"),
        source=S.READY,
        to=S.OPENED,
        by=losses.declarer,
        when=[rules.time_to_open, losses.lost_is_reported, losses.shown_again],
        then=["bidding.print_opening", "bidding.tell_key_lost"],
        danger=True,
    )
    def declare_lost(self, *, record: Any, until: Any, authenticated: Any) -> Facts:
        """由报告人以外的人核对后宣布，不能撤销：全部投标记为没有打开，开标记录公开，各投标单位在写明的日期以前凭留存包恢复。"""
        self.opened_at, self.lost_declared_by, self.kept_until = clock.now(), self.actor, until
        public = {
            "record": record.hash, "opened": record.opened, "failed": record.failed, "kept_until": until.isoformat(), "authenticated": authenticated.method,
        }  # fmt: skip
        return Facts(public=public)

    @step(
        state,
        _("签署开标记录"),
        source=S.OPENED,
        to=None,
        by=rules.custodian,
        when=[rules.took_part, rules.not_signed_yet],
        then=["bidding.print_opening"],
    )
    def sign(self) -> Facts:
        """参加开标的人各自签署同一份记录，记录的哈希写入台账。"""
        self.record_row.signatures.create(user=self.actor, at=clock.now())
        return Facts(public={"record": self.record_row.hash})
