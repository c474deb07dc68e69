"""处理意见: what the committee decided about a ballot that set off an alarm."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.models import User
from grants.workflow.machine import Facts, states_are
from review.models.ballots import Review
from review.models.panels import OfPanel, Panel
from review.ruling_machine import RulingMachine, RulingStates
from review.ruling_rules import ruling_visible


class Ruling(OfPanel, RulingMachine):
    """偏离评分的处理: a member proposes to uphold or to exclude a flagged ballot, another decides. reason: the minutes.

    result_before: hash of the panel's results when it was adopted; the one after stands in the ledger beside it.
    """

    class Outcome(models.TextChoices):
        UPHOLD = "uphold", _("维持")
        EXCLUDE = "exclude", _("排除")

    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="rulings")
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="rulings")
    outcome = models.CharField(_("处理"), max_length=10, choices=Outcome.choices)
    reason = models.TextField(_("理由"), max_length=2000)
    result_before = models.CharField(max_length=64, blank=True, editable=False)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")

    visible = ruling_visible

    class Meta:
        verbose_name = _("偏离评分的处理")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(RulingStates, "ruling"),
            models.CheckConstraint(name="ruling_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="ruling_outcome", condition=Q(outcome__in=("uphold", "exclude"))),
            models.CheckConstraint(name="ruling_by_two", condition=Q(decided_by=None) | ~Q(decided_by=models.F("proposed_by"))),
            models.UniqueConstraint(fields=["review"], condition=Q(state__in=("proposed", "adopted")), name="ruling_once"),
        ]

    def __str__(self) -> str:
        return _("%(what)s %(code)s 对 %(bid)s 的评分") % {
            "what": self.get_outcome_display(), "code": self.review.expert.code, "bid": self.review.bid.number,
        }  # fmt: skip

    def carry_out(self) -> Facts:
        """Count again where a ballot is excluded. Called by the `adopt` step only. Raises Invalid."""
        from review.ruling import carry_out  # noqa: PLC0415 - reads these models

        return carry_out(self)
