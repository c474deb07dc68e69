"""抽取：已公布 → 承诺中 → 公开中 → 已抽定；不能完成的终止，仍然可见."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from review import draw_rules as rules
from review.machine import written
from review.rules import call_has_closed, organiser


class DrawStates(models.TextChoices):
    PUBLISHED = "published", _("名单已公布")
    COMMITTING = "committing", _("承诺中")
    REVEALING = "revealing", _("公开中")
    DRAWN = "drawn", _("已抽定")
    FAILED = "failed", _("已终止")


D = DrawStates


class DrawMachine(Machine):
    """一次抽取。先公布名单和规则并取哈希，各方承诺，再公开，与事先指名的公共随机源合成种子；简易抽取只有公布和抽取两步。任何人可以复算。"""

    States = DrawStates
    machine_name = "draw"
    door_select = ("call__agency", "call__rules_version", "panel")
    opening: ClassVar[Opening] = Opening(
        _("公布名单和规则"), by=organiser,
        when=(call_has_closed, rules.no_other_draw, rules.nothing_to_replace, rules.numbered_with_reason, rules.pool_has_no_namesakes),
        then=("review.draw_published",),
    )
    state = StateField(default=D.PUBLISHED, choices=D.choices)

    class Meta:
        abstract = True

    @step(state, _("开始承诺"), source=D.PUBLISHED, to=D.COMMITTING, by=organiser,
          when=[rules.parties_are_named, rules.challenges_over, rules.challenges_decided], then=["review.draw_parties"])  # fmt: skip
    def start(self) -> None:
        """异议时间过后请各方承诺；从此名单不再变动。"""

    @step(state, _("承诺"), source=D.COMMITTING, to=None, by=rules.a_party, when=[rules.has_not_committed])
    def commit(self, *, secret: str = "", sha256: str = "", envelope: str = "") -> Facts:
        """承诺方提交 32 个随机字节的 SHA-256，并留下密封副本（系统加密保存，或纸质信封）。"""
        return self.write_commitment(secret, sha256, envelope)

    @step(state, _("截止承诺"), source=D.COMMITTING, to=D.REVEALING, by=rules.host,
          when=[rules.all_committed, rules.beacon_is_ahead], then=["review.draw_parties"])  # fmt: skip
    def close(self) -> Facts:
        """各方承诺齐备后截止，此时台账的最后一条记录并入种子；须早于公共随机源产生的时间。"""
        self.closed_at, self.ledger_head = clock.now().replace(microsecond=0), self.head_now()
        return Facts(public={"ledger_head": self.ledger_head, "closed_at": self.stamp(self.closed_at)})

    @step(state, _("公开"), source=D.REVEALING, to=None, by=rules.a_party, when=[rules.has_not_revealed])
    def reveal(self, *, value: str) -> Facts:
        """承诺方公开承诺过的数；与承诺不符的不收。"""
        return self.write_reveal(self.party_of(self.actor), value, by="party")

    @step(state, _("启用密封副本"), source=D.REVEALING, to=None, by=rules.watcher,
          when=[rules.somebody_is_silent, rules.beacon_has_fallen], danger=True)  # fmt: skip
    def substitute(self, *, party: Any, value: str = "") -> Facts:
        """逾期不公开的，由监督打开其密封副本代为公开，不因此重抽。"""
        return self.write_reveal(party, value or self.opened(party), by="escrow")

    @step(state, _("填写公共随机源"), source=[D.PUBLISHED, D.REVEALING], to=None, by=rules.host,
          when=[rules.commitments_are_over, rules.beacon_has_fallen, rules.beacon_is_open])  # fmt: skip
    def enter_beacon(self, *, value: str, evidence: str) -> Facts:
        """填写公布时指名的那一期的结果和依据（网址、公告、drand 签名）。多方抽取和现场产生的数，由另一个人核对后抽取。"""
        return self.write_beacon(value, evidence)

    @step(state, _("抽取"), source=[D.PUBLISHED, D.REVEALING], to=D.DRAWN, by=rules.drawer,
          when=[rules.ready_to_draw, rules.still_as_announced, rules.pool_has_no_namesakes],
          then=["review.drawn"])  # fmt: skip
    def draw(self, *, name: str = "") -> Facts:
        """由种子得出顺序、入选、候补和越过的人，写成抽取记录公开；评审组或答辩会随之成立，同分的名次随之定下。"""
        return self.write_outcome(name)

    @step(state, _("终止抽取"), source=[D.PUBLISHED, D.COMMITTING, D.REVEALING], to=D.FAILED, by=rules.stopper, danger=True)
    def fail(self, *, reason: str) -> Facts:
        """不能完成时由另一位负责人终止并写明理由；记录仍然公开，下一次抽取编号加一。"""
        self.failure = written(reason)
        return Facts(public={"number": self.number}, private={"note": self.failure})
