"""结果: the official result of each bid, and the reference analysis beside it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from bidding.models import Bid
from grants import clock
from grants.workflow.columns import Money
from review.models.panels import Panel


class Result(models.Model):
    """A bid's official result in a panel: total, what was dropped, rank, pass, and the arithmetic in words."""

    panel = models.ForeignKey(Panel, on_delete=models.CASCADE, related_name="results")
    bid = models.ForeignKey(Bid, on_delete=models.PROTECT, related_name="results")
    total = models.DecimalField(_("得分"), max_digits=9, decimal_places=4)
    rank = models.PositiveIntegerField(_("名次"), null=True)
    passed = models.BooleanField(_("达到及格线"))
    n_ballots = models.PositiveSmallIntegerField()
    recommended = Money(_("建议金额"), null=True, default=None)
    explanation: Any = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["rank", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["panel", "bid"], name="result_once")
        ]

    def __str__(self) -> str:
        return f"{self.bid} {self.total}"


class PanelAnalysis(models.Model):
    """参考分析: written after the scores were locked; anew only when a ballot is excluded or lots fall. body: canonical JSON of `review.analysis.Analysis`."""

    panel = models.OneToOneField(Panel, on_delete=models.PROTECT, related_name="analysis")
    body = models.TextField()
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("参考分析")

    def __str__(self) -> str:
        return f"{self.panel} {self.sha256[:12]}"
