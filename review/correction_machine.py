"""更正统一录入的分数：已提出 → 已更正 / 未同意 / 已撤回."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from review import correction_rules as rules
from review.rules import organiser


class CorrectionStates(models.TextChoices):
    PROPOSED = "proposed", _("待第二人确认")
    CONFIRMED = "confirmed", _("已更正")
    REFUSED = "refused", _("未同意")
    WITHDRAWN = "withdrawn", _("已撤回")


S = CorrectionStates


class CorrectionMachine(Machine):
    """统一录入的分数（居民代表、认捐、公众投票、现场核查、客观项、加分）录入以后，由一人写明新分数、依据和理由提出更正，另一人确认后才改；此前按原分数计算。"""

    States = CorrectionStates
    machine_name = "score_correction"
    door_select = ("panel__call__agency", "panel__call__rules_version", "score__bid", "proposed_by")
    opening: ClassVar[Opening] = Opening(_("提出更正分数"), by=organiser, when=(rules.never_opened,))
    state = StateField(default=S.PROPOSED, choices=S.choices)

    class Meta:
        abstract = True

    @step(state, _("确认更正"), source=S.PROPOSED, to=S.CONFIRMED, by=rules.second_officer, when=[rules.never_opened])
    def confirm(self) -> Facts:
        """由提出人以外的工作人员核对依据后确认，新分数随即生效；原分数、两份依据、理由和两个人都留在记录里。"""
        self.decided_by, self.decided_at = self.actor, clock.now()
        return self.carry_out()

    @step(state, _("不同意更正"), source=S.PROPOSED, to=S.REFUSED, by=rules.second_officer)
    def refuse(self, *, reason: str) -> Facts:
        """写明理由，分数不变。"""
        self.decided_by, self.decided_at = self.actor, clock.now()
        return self.turned_down(reason)

    @step(state, _("撤回更正"), source=S.PROPOSED, to=S.WITHDRAWN, by=organiser, when=[rules.proposed_it])
    def withdraw(self) -> Any:
        """由提出人撤回，分数不变。"""
        self.decided_at = clock.now()
        return self.named()
