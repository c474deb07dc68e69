"""偏离评分的处理：已提出 → 已决定 / 未同意 / 已撤回."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from review import ruling_rules as rules


class RulingStates(models.TextChoices):
    PROPOSED = "proposed", _("待第二人决定")
    ADOPTED = "adopted", _("已决定")
    REFUSED = "refused", _("未同意")
    WITHDRAWN = "withdrawn", _("已撤回")


S = RulingStates


class RulingMachine(Machine):
    """评审组对触发偏离提醒的评分的处理：维持或排除，一人写明理由提出、另一人决定；排除的，结果随即重算，原评分原样保留。"""

    States = RulingStates
    machine_name = "ruling"
    door_select = (
        "panel__call__agency", "panel__call__rules_version", "review__expert__user", "review__bid",
    )  # fmt: skip
    opening: ClassVar[Opening] = Opening(
        _("提出处理意见"), by=rules.on_the_panel,
        when=(rules.committee_sits, rules.not_own_ballot, rules.ballot_was_flagged, rules.enough_is_left),
    )  # fmt: skip
    state = StateField(default=S.PROPOSED, choices=S.choices)

    class Meta:
        abstract = True

    @step(state, _("同意处理意见"), source=S.PROPOSED, to=S.ADOPTED, by=rules.second_member,
          when=[rules.committee_sits, rules.not_own_ballot, rules.enough_is_left], then=["review.analyse_again"])  # fmt: skip
    def adopt(self) -> Facts:
        """由提出人以外的成员决定；排除的评分不再计入，全组结果当场重算，前后两个结果的摘要都记入台账。"""
        self.decided_by = self.actor
        return self.carry_out()

    @step(state, _("不同意处理意见"), source=S.PROPOSED, to=S.REFUSED, by=rules.second_member, when=[rules.not_own_ballot])
    def refuse(self) -> None:
        """不同意，评分和结果不变。"""
        self.decided_by = self.actor

    @step(state, _("撤回处理意见"), source=S.PROPOSED, to=S.WITHDRAWN, by=rules.on_the_panel)
    def withdraw(self) -> None:
        """不再提出，评分和结果不变。"""
