"""关系网: persons and organisations, and what is known to join them, beyond what an expert's own page holds (`Relation`)."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.people.identity import mask_name
from grants.people.models import Agency, Organisation, User
from grants.vault.columns import Secret
from review.models.pool import Expert

STANDING = {"standing": _("现存"), "ended": _("已结束"), "ahead": _("尚未开始"), "withdrawn": _("已撤回")}


class Node(models.Model):
    """One party: an expert, a registered organisation, or somebody else — a person or a body known only here.

    mark: keyed hash of what identifies somebody else (`review.nodes`): the identity number, or name and organisation; of a body its credit
    code, record number or folded name. title: a body's name. name: a person's, encrypted; name_mark finds equal names without reading any.
    No identity number is kept.
    """

    class Kind(models.TextChoices):
        PERSON = "person", _("个人")
        BODY = "body", _("单位")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    expert = models.OneToOneField(Expert, null=True, on_delete=models.PROTECT, related_name="node")
    organisation = models.OneToOneField(Organisation, null=True, on_delete=models.PROTECT, related_name="node")
    mark = models.CharField(max_length=64, blank=True)
    title = models.CharField(_("单位名称"), max_length=100, blank=True)
    name = Secret(_("姓名"), max_length=60, blank=True)
    name_mark = models.CharField(max_length=64, blank=True, db_index=True)

    class Meta:
        verbose_name = _("关系网中的一方")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["mark"], condition=~Q(mark=""), name="node_once"),
            models.CheckConstraint(
                name="node_is_one",
                condition=Q(kind="person", expert__isnull=False, organisation=None, mark="")
                | Q(kind="body", expert=None, organisation__isnull=False, mark="")
                | (Q(expert=None, organisation=None) & ~Q(mark="")),
            ),
        ]

    def __str__(self) -> str:
        """Names of persons masked: a list of ties is read by many who need no name."""
        if self.expert_id is not None and self.expert is not None:
            return f"{self.expert.code} {mask_name(str(self.expert))}"
        if self.organisation_id is not None:
            return str(self.organisation)
        return self.title or mask_name(self.name)


class Tie(models.Model):
    """A tie between two parties over an interval of days (Shanghai, both included; None: open). left controls, leads or sponsors right.

    It is never deleted: a tie is ended by its last day, or withdrawn with a reason when it should not have been recorded. once: hash of
    kind, parties and first day, so that the same tie imported again is the same row.
    """

    class Source(models.TextChoices):
        DECLARED = "declared", _("本人申报")
        COMPUTED = "computed", _("系统比对")
        IMPORTED = "imported", _("批量导入")
        CHALLENGED = "challenged", _("申报方提出")

    left = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="ties_out")
    right = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="ties_in")
    kind = models.CharField(_("关系"), max_length=30)
    since = models.DateField(_("起"), null=True, blank=True)
    until = models.DateField(_("止"), null=True, blank=True)
    source = models.CharField(_("来源"), max_length=10, choices=Source.choices)
    evidence = Secret(_("依据"), max_length=300, blank=True)
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(editable=False)
    recorded_by = models.ForeignKey(User, editable=False, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    withdrawn_by = models.ForeignKey(User, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    withdrawn_because = Secret(max_length=300, blank=True, editable=False)
    once = models.CharField(max_length=64, editable=False)

    class Meta:
        verbose_name = _("关系")
        ordering: ClassVar[list[str]] = ["-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="tie_joins_two", condition=~Q(left=F("right"))),
            models.CheckConstraint(name="tie_interval", condition=Q(since=None) | Q(until=None) | Q(until__gte=F("since"))),
            models.UniqueConstraint(fields=["once"], condition=Q(withdrawn_at=None), name="tie_once"),
            models.CheckConstraint(
                name="tie_withdrawn_with_reason",
                condition=Q(withdrawn_at=None, withdrawn_by=None) | (Q(withdrawn_by__isnull=False) & ~Q(withdrawn_because="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.left} {self.kind_name} {self.right}"

    @property
    def kind_name(self) -> str:
        """The Chinese term."""
        from review.conflicts import RelationKind  # noqa: PLC0415 - pure, read when shown

        return RelationKind(self.kind).zh

    @property
    def standing(self) -> str:
        """withdrawn, ended, ahead (begins later) or standing, as of today."""
        today = clock.today()
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.until is not None and self.until < today:
            return "ended"
        return "ahead" if self.since is not None and self.since > today else "standing"

    @property
    def standing_words(self) -> str:
        """The same in words."""
        return str(STANDING[self.standing])

    @property
    def subject(self) -> str:
        """How the ledger names it."""
        return f"tie:{self.pk}"
