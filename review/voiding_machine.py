"""作废已拆封的评分：已提出 → 已作废 / 未同意 / 已撤回."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from review import rules as panel_rules
from review import voiding_rules as rules


class VoidingStates(models.TextChoices):
    PROPOSED = "proposed", _("待第二人决定")
    CARRIED_OUT = "carried_out", _("已作废")
    REFUSED = "refused", _("未同意")
    WITHDRAWN = "withdrawn", _("已撤回")


S = VoidingStates


class VoidingMachine(Machine):
    """锁定以后、公布以前才查出应当回避的：一人提出作废，另一人同意；评审组重新开放补评，由没有看过结果的候补评，再锁定、再签署。"""

    States = VoidingStates
    machine_name = "voiding"
    door_select = (
        "panel__call__agency", "panel__call__rules_version", "review__expert__user", "review__bid__organisation",
    )  # fmt: skip
    opening: ClassVar[Opening] = Opening(
        _("提出作废评分"), by=panel_rules.organiser, when=(rules.not_concluded, rules.ballot_was_opened, rules.conflict_stands)
    )
    state = StateField(default=S.PROPOSED, choices=S.choices)

    class Meta:
        abstract = True

    @step(state, _("同意作废"), source=S.PROPOSED, to=S.CARRIED_OUT, by=rules.second_officer, danger=True,
          when=[rules.not_concluded, rules.ballot_was_opened, rules.conflict_stands], then=["review.replace_voided"])  # fmt: skip
    def approve(self) -> Facts:
        """由提出人以外的人决定。原评分保留不计，已有的签署和同分抽签作废，评审组回到评分阶段，候补补评后再锁定。"""
        self.decided_by, self.decided_at = self.actor, clock.now()
        return self.carry_out()

    @step(state, _("不同意作废"), source=S.PROPOSED, to=S.REFUSED, by=rules.second_officer)
    def refuse(self) -> None:
        """不同意，评分照常计入；应当回避的情形仍须处理。"""
        self.decided_by, self.decided_at = self.actor, clock.now()

    @step(state, _("撤回作废"), source=S.PROPOSED, to=S.WITHDRAWN, by=panel_rules.organiser)
    def withdraw(self) -> None:
        """不再提出。"""
