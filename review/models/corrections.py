"""更正: what one officer wants an entered score to be instead, and what a second one made of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.models import User
from grants.workflow.machine import Facts, states_are
from review.correction_machine import CorrectionMachine, CorrectionStates
from review.correction_rules import correction_visible
from review.models.ballots import OtherScore
from review.models.panels import OfPanel, Panel


class ScoreCorrection(OfPanel, CorrectionMachine):
    """更正统一录入的分数: proposed by one officer, confirmed by another; the old score counts until then.

    …_before: the score as it stood when the correction was proposed, with the salt of its commitment. decision: why it was refused.
    """

    panel = models.ForeignKey(Panel, on_delete=models.PROTECT, related_name="score_corrections")
    score = models.ForeignKey(OtherScore, on_delete=models.PROTECT, related_name="corrections")
    value_before = models.DecimalField(_("原分数"), max_digits=6, decimal_places=2, editable=False)
    basis_before = models.CharField(_("原依据"), max_length=200, editable=False)
    salt_before = models.CharField(max_length=64, default="", editable=False)
    value = models.DecimalField(_("更正为"), max_digits=6, decimal_places=2)
    basis = models.CharField(_("新的依据"), max_length=200)
    salt = models.CharField(max_length=64, editable=False)
    reason = models.TextField(_("更正的理由"), max_length=1000)
    decision = models.TextField(_("不同意的理由"), blank=True, editable=False)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, editable=False)

    visible = correction_visible

    class Meta:
        verbose_name = _("分数更正")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            states_are(CorrectionStates, "score_correction"),
            models.CheckConstraint(name="score_correction_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="score_correction_by_two", condition=Q(decided_by=None) | ~Q(decided_by=models.F("proposed_by"))),
            models.CheckConstraint(name="score_correction_confirmed", condition=~Q(state="confirmed") | Q(decided_by__isnull=False)),
            models.CheckConstraint(name="score_correction_range", condition=Q(value__gte=0) & Q(value__lte=100)),
            models.UniqueConstraint(fields=["score"], condition=Q(state="proposed"), name="score_correction_once"),
        ]

    def __str__(self) -> str:
        return _("更正 %(what)s") % {"what": self.about}

    @property
    def about(self) -> str:
        """“编号 名称 · 分项”."""
        from review.other_scores import named  # noqa: PLC0415 - reads these models

        return named(self.panel, self.score.bid, self.score.component)

    def carry_out(self) -> Facts:
        """Put the new score in force. Called by the `confirm` step only."""
        from review.correcting import carry_out  # noqa: PLC0415 - as above

        return carry_out(self)

    def turned_down(self, reason: str) -> Facts:
        """Keep why it is refused. Called by the `refuse` step only. Raises Invalid without a reason."""
        from review.correcting import turned_down  # noqa: PLC0415 - as above

        return turned_down(self, reason)

    def named(self) -> Facts:
        """What the log says of a correction that changes nothing."""
        from review.correcting import named  # noqa: PLC0415 - as above

        return Facts(public=named(self))
