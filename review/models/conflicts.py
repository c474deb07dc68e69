"""回避: findings, and who let one no longer stand."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bidding.models import Bid
from grants.calls.models import Call
from grants.people.models import Agency, User
from review.models.draws import Draw
from review.models.panels import Panel
from review.models.pool import Expert

UNSETTLED: Final = Q(candidate=True, confirmed_by=None, dismissed_by=None)
"""Suggestions by name that wait for two persons."""
STANDS: Final = Q(dismissed_by=None) & (Q(candidate=False) | Q(confirmed_by__isnull=False))
"""Findings that bar."""


class ConflictHit(models.Model):
    """A conflict found: which statutory test, on what evidence, from which source; a dismissal needs a reason and a second person.

    fingerprint: the same finding is one row however often it is computed; new evidence is a new row. ties: numbers of the ties on its path;
    such a finding stands until two persons set it aside, even if a tie has been ended or withdrawn since. moment: when it was first found.
    draw: the announcement before which, panel: the panel in which; a finding made before the draw gets its panel when the expert is drawn.

    candidate: names alone suggest it (`review.namesakes`); it bars nobody until two persons have confirmed it, and waits until they have
    confirmed it or set it aside. settled_role: as what the second of them acted.
    """

    class Moment(models.TextChoices):
        POOL = "pool", _("公布名单前")
        DRAWN = "drawn", _("抽取后")
        ASKED = "asked", _("工作人员核对时")
        OPENING = "opening", _("打开材料时")
        HANDING_IN = "handing_in", _("提交评分时")
        LOCKING = "locking", _("锁定评分前")
        PUBLISHING = "publishing", _("公布结果前")

    class Outcome(models.TextChoices):
        DISMISS = "dismiss", _("不予回避")
        CONFIRM = "confirm", _("应当回避")

    draw = models.ForeignKey(Draw, null=True, on_delete=models.SET_NULL, related_name="hits")
    panel = models.ForeignKey(Panel, null=True, on_delete=models.CASCADE, related_name="hits")
    expert = models.ForeignKey(Expert, on_delete=models.CASCADE, related_name="hits")
    bid = models.ForeignKey(Bid, on_delete=models.CASCADE, related_name="hits")
    fingerprint = models.CharField(max_length=64)
    test = models.CharField(max_length=40)
    sentence = models.CharField(max_length=500)
    source = models.CharField(max_length=10)
    ties: Any = models.JSONField(default=list, editable=False)
    moment = models.CharField(max_length=10, choices=Moment.choices, default=Moment.ASKED)
    found_at = models.DateTimeField()
    found_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    candidate = models.BooleanField(default=False)
    proposed_outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.DISMISS)
    proposed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(null=True)
    proposal_reason = models.TextField(blank=True)
    dismissed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    dismissed_at = models.DateTimeField(null=True)
    dismissal_reason = models.TextField(blank=True)
    confirmation_proposed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    confirmation_reason = models.TextField(blank=True)
    settled_role = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["expert", "bid", "fingerprint"], name="hit_once"),
            models.CheckConstraint(name="hit_dismissed_with_reason", condition=Q(dismissed_by=None) | ~Q(dismissal_reason="")),
            models.CheckConstraint(
                name="hit_dismissed_by_two",
                condition=Q(dismissed_by=None) | ~Q(proposed_by=models.F("dismissed_by")),
            ),
            models.CheckConstraint(name="hit_confirmed_with_reason", condition=Q(confirmed_by=None) | (Q(candidate=True) & ~Q(confirmation_reason=""))),
            models.CheckConstraint(
                name="hit_confirmed_by_two",
                condition=Q(confirmed_by=None)
                | (Q(confirmation_proposed_by__isnull=False) & ~Q(confirmation_proposed_by=models.F("confirmed_by"))),
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def is_unsettled(self) -> bool:
        """`UNSETTLED`, of this row."""
        return self.candidate and self.confirmed_by_id is None and self.dismissed_by_id is None

    @property
    def rule(self) -> str:
        """Which kind of hit, as `conflicts.Hit` and `namesakes` name it."""
        return self.test.split(":", 1)[1]

    @property
    def call(self) -> Call:
        return self.bid.call

    @property
    def agency(self) -> Agency:
        return self.bid.call.agency
