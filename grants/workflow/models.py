"""The outbox: effects promised by committed steps, and the truth about whether they were done. Jobs: one wish over many objects."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from grants.documents.models import StoredFile


class Outbox(models.Model):
    """One effect of one committed step.

    An effect is done when `done_at` says so; the broker is only a wake-up. `key` makes a second promise of the same effect
    impossible. `lease_until` is held while a worker prepares; a killed worker's lease runs out and another takes over.
    """

    task = models.CharField(max_length=100)
    subject = models.CharField(max_length=80)
    object_id = models.UUIDField()
    event_id = models.BigIntegerField()
    key = models.CharField(max_length=200, unique=True)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = _("待办事项")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], name="outbox_open", condition=models.Q(done_at=None, failed_at=None)),
            models.Index(fields=["subject"], name="outbox_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.subject}"


class BulkJob(models.Model):
    """成批办理: one person asked for the same thing on many objects. What is done is counted from its items, never kept as a figure.

    kind: a registered kind (`grants.workflow.jobs`). scope: whom the ledger files it under, e.g. "call:<uuid>". requested_by: the
    pseudonym of whoever asked, as in the ledger; this layer knows no persons. note: their reason, where the kind asks for one.
    asked: what else the kind must know to do it, as JSON; public, in the ledger too.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    scope = models.CharField(max_length=80)
    scope_id = models.UUIDField()
    requested_by = models.UUIDField()
    requested_at = models.DateTimeField()
    note = models.CharField(max_length=1000, blank=True)
    asked: Any = models.JSONField(default=dict, editable=False)
    cancelled_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("成批办理")
        ordering: ClassVar[list[str]] = ["-requested_at", "-pk"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["scope_id", "kind"], name="bulk_job_scope")]

    def __str__(self) -> str:
        return self.title

    @property
    def subject(self) -> str:
        """How the ledger names it."""
        return f"job:{self.pk}"


class JobItem(models.Model):
    """One object's part in a job: done, refused with a sentence, or still waiting. The same object stands once in a job.

    object_id, subject: what it is about. outcome: what was done, or why not, in words for the person who asked; before that, of a long
    work, where it stands.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    subject = models.CharField(max_length=80)
    object_id = models.UUIDField()
    label = models.CharField(max_length=200)
    outcome = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["job", "subject"], name="job_item_once"),
            models.CheckConstraint(name="job_item_one_end", condition=models.Q(done_at=None) | models.Q(failed_at=None)),
        ]

    def __str__(self) -> str:
        return self.label


class JobFile(models.Model):
    """A file that an item made, under the path it has in the package people download."""

    item = models.ForeignKey(JobItem, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=250)
    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["path"]
        constraints: ClassVar[list[models.BaseConstraint]] = [models.UniqueConstraint(fields=["item", "path"], name="job_file_once")]

    def __str__(self) -> str:
        return self.path
