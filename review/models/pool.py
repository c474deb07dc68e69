"""专家库: experts and what is known of their relations with organisations."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.people.models import Organisation, User
from grants.vault.columns import Secret


class Seat(models.TextChoices):
    """席位类别: what an expert is on a panel for."""

    SECTOR = "sector", _("公益行业专家")
    FINANCE = "finance", _("财务专家")
    FIELD = "field", _("专业领域专家")
    AGENCY = "agency", _("主办方代表")


class Expert(models.Model):
    """专家库成员. `code` is what reports show instead of the name. shortcuts: single letters may be switched off (WCAG 2.1.4)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="expert")
    code = models.CharField(_("专家代码"), max_length=10, unique=True)
    employer = models.CharField(_("工作单位"), max_length=100, blank=True)
    employer_organisation = models.ForeignKey(Organisation, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    fields = models.JSONField(_("服务领域"), default=list, blank=True)
    seat = models.CharField(_("席位类别"), max_length=20, choices=Seat.choices, default=Seat.SECTOR)
    title = models.CharField(_("职称/资格"), max_length=60, blank=True)
    is_active = models.BooleanField(_("在库"), default=True)
    shortcuts = models.BooleanField(_("单键快捷键"), default=True)
    registered_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = _("评审专家")
        ordering: ClassVar[list[str]] = ["code"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="expert_seat", condition=Q(seat__in=Seat.values))
        ]

    def __str__(self) -> str:
        return str(self.user)


class Relation(models.Model):
    """A relation of an expert with an organisation over an interval; kinds are those of `review.conflicts.RelationKind`."""

    class Source(models.TextChoices):
        DECLARED = "declared", _("本人申报")
        COMPUTED = "computed", _("系统比对")
        CHALLENGED = "challenged", _("申报方提出")

    expert = models.ForeignKey(Expert, on_delete=models.CASCADE, related_name="relations")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("关系"), max_length=30)
    since = models.DateField(_("起"), null=True, blank=True)
    until = models.DateField(_("止"), null=True, blank=True)
    source = models.CharField(_("来源"), max_length=10, choices=Source.choices)
    evidence = Secret(_("依据"), max_length=300, blank=True)
    recorded_at = models.DateTimeField(editable=False)
    recorded_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("利害关系")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="relation_interval", condition=Q(since=None) | Q(until=None) | Q(until__gte=models.F("since"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.expert} {self.kind} {self.organisation}"
