"""回避申请：已提出 → 成立 / 不成立."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.workflow.machine import Facts, Machine, Opening, StateField, step
from review import challenge_rules as rules
from review.machine import written


class ChallengeStates(models.TextChoices):
    FILED = "filed", _("待决定")
    UPHELD = "upheld", _("成立，应当回避")
    REJECTED = "rejected", _("不成立")


C = ChallengeStates


class ChallengeMachine(Machine):
    """申报方申请某位专家回避。次数有限，须有理由；由主办方负责人决定，不由抽取的人决定。"""

    States = ChallengeStates
    machine_name = "challenge"
    door_select = ("bid__call__agency", "bid__organisation", "bid__call__rules_version", "expert__user")
    opening: ClassVar[Opening] = Opening(
        _("申请回避"), by=rules.bidder, when=(rules.bid_is_in, rules.scores_not_locked, rules.within_the_bound)
    )
    state = StateField(default=C.FILED, choices=C.choices)

    class Meta:
        abstract = True

    @step(state, _("认定成立"), source=C.FILED, to=C.UPHELD, by=rules.decider, then=["review.void_late"])
    def uphold(self, *, expert: Any, reason: str) -> Facts:
        """认定这位专家应当回避；已分配的评审作废，由候补补上。"""
        self._decide(reason)
        self.expert = expert
        self.write_relation(expert)
        return Facts(public={"code": expert.code, "bid": self.bid.number}, private={"note": self.decision})

    @step(state, _("认定不成立"), source=C.FILED, to=C.REJECTED, by=rules.decider)
    def reject(self, *, reason: str) -> Facts:
        """写明理由，申报方看得到。"""
        self._decide(reason)
        return Facts(private={"note": self.decision})

    def _decide(self, reason: str) -> None:
        self.decision, self.decided_by, self.decided_at = written(reason), self.actor, clock.now()
