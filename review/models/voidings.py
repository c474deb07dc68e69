"""作废: ballots that were opened and do not count any more, because their expert should have stepped aside."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.models import User
from grants.workflow.machine import Facts, states_are
from review.models.ballots import Review
from review.models.panels import OfPanel, Panel
from review.voiding_machine import VoidingMachine, VoidingStates
from review.voiding_rules import voiding_visible


class Voiding(OfPanel, VoidingMachine):
    """作废已拆封的评分: an organiser proposes, a second person agrees. review: one of the pair's; all stages of the pair fall.

    why: the conflict as it was found, one sentence. result_before: hash of the panel's results when it was carried out.
    """

    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="voidings")
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="voidings")
    why = models.CharField(_("应当回避的情形"), max_length=500, editable=False)
    reason = models.TextField(_("理由"), max_length=1000)
    result_before = models.CharField(max_length=64, blank=True, editable=False)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, editable=False)

    visible = voiding_visible

    class Meta:
        verbose_name = _("作废评分")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(VoidingStates, "voiding"),
            models.CheckConstraint(name="voiding_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="voiding_by_two", condition=Q(decided_by=None) | ~Q(decided_by=models.F("proposed_by"))),
            models.UniqueConstraint(fields=["review"], condition=Q(state__in=("proposed", "carried_out")), name="voiding_once"),
        ]

    def __str__(self) -> str:
        return _("作废 %(code)s 对 %(bid)s 的评分") % {"code": self.review.expert.code, "bid": self.review.bid.number}

    def carry_out(self) -> Facts:
        """Void the ballots and let the panel score again. Called by the `approve` step only. Raises NotNow."""
        from review.voiding import carry_out  # noqa: PLC0415 - reads these models

        return carry_out(self)
