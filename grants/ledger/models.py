"""The tables of the log. Append-only by trigger (triggers.py); the evidence is the tree, the triggers are hygiene.

Formats: docs/ledger-format.md. Nothing here is ever updated; only a payload may be deleted, and that is what erasure means.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


def stored_bytes(value: object) -> bytes:
    """A binary column's bytes. SQLite keeps whatever type was written: after tampering a BLOB column may hold text or a number."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return b"" if value is None else str(value).encode("utf-8", "surrogateescape")


class AuditEvent(models.Model):
    """One thing that happened. `leaf` is the evidence; the other columns are copies of it, for finding."""

    id = models.BigAutoField(primary_key=True)
    leaf = models.BinaryField(editable=False)  # the exact canonical bytes that are hashed
    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    subject = models.CharField(max_length=120, editable=False)
    scope = models.CharField(max_length=120, blank=True, editable=False)
    event = models.CharField(max_length=80, editable=False)
    at = models.DateTimeField(editable=False)  # UTC, by grants.clock

    class Meta:
        verbose_name = _("台账事件")
        indexes: ClassVar = [
            models.Index(fields=["subject", "id"], name="ledger_event_subject"),
            models.Index(fields=["scope", "id"], name="ledger_event_scope"),
            models.Index(fields=["event", "id"], name="ledger_event_event"),
            models.Index(fields=["at"], name="ledger_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject}"


class AuditPayload(models.Model):
    """What must be erasable. The leaf holds SHA-256(salt || body); without the salt nobody can guess the body from it."""

    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, primary_key=True, related_name="payload")
    salt = models.BinaryField(editable=False)  # 32 random bytes
    body = models.BinaryField(editable=False)  # canonical JSON

    class Meta:
        verbose_name = _("台账附文")

    def __str__(self) -> str:
        return f"payload of {self.event_id}"


class AuditLeaf(models.Model):
    """The place of a committed event in the tree, given once by the sequencer."""

    index = models.BigIntegerField(primary_key=True)  # from 0, without gaps
    event = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="place")
    leaf_hash = models.BinaryField(editable=False)  # 32 bytes: SHA-256(0x00 || leaf)

    class Meta:
        verbose_name = _("台账叶")

    def __str__(self) -> str:
        return f"{self.index}: event {self.event_id}"


class Checkpoint(models.Model):
    """A signed tree head. `note` is the evidence; size and root repeat it; the frontier lets the next one start from here."""

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField(editable=False)  # 32 bytes
    note = models.TextField(editable=False)  # C2SP signed note
    frontier = models.BinaryField(editable=False)  # authenticated by root
    at = models.DateTimeField(editable=False)  # UTC, by grants.clock; not signed

    class Meta:
        verbose_name = _("台账检查点")
        ordering: ClassVar = ["size"]

    def __str__(self) -> str:
        return f"{self.size} {bytes(self.root).hex()[:16]}"

    def full_note(self) -> str:
        """The signed note with the cosignatures that came later, one line each."""
        lines = self.cosignatures.order_by("pk").values_list("line", flat=True)
        return str(self.note) + "".join(f"{line}\n" for line in lines)


class Cosignature(models.Model):
    """A witness's signature line for a checkpoint (c2sp.org/tlog-cosignature), checked when it was taken in."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="cosignatures")
    name = models.CharField(max_length=120, editable=False)
    line = models.TextField(editable=False)
    signed_at = models.DateTimeField(editable=False)  # UTC, as the witness says

    class Meta:
        verbose_name = _("见证者联署")
        constraints: ClassVar = [models.UniqueConstraint(fields=["checkpoint", "name"], name="ledger_cosigned_once")]

    def __str__(self) -> str:
        return f"{self.name} on {self.checkpoint_id}"


class Stamp(models.Model):
    """An RFC 3161 token of an outside time-stamping authority over a checkpoint's note. Failures are kept too: they only delay."""

    checkpoint = models.OneToOneField(Checkpoint, on_delete=models.PROTECT, related_name="stamp")
    token = models.BinaryField(null=True, editable=False)  # DER TimeStampToken (CMS); None while it could not be had
    stamped_at = models.DateTimeField(null=True, editable=False)  # genTime, UTC
    attempts = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("可信时间戳")

    def __str__(self) -> str:
        return f"stamp of {self.checkpoint_id}"


class AuditTile(models.Model):
    """The root of the complete subtree of leaves 256·index … 256·index + 255. Derived, never trusted: it makes proofs cheap (proofs.py)."""

    index = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(editable=False)  # 32 bytes

    class Meta:
        verbose_name = _("台账子树")

    def __str__(self) -> str:
        return f"tile {self.index}"


class Sweep(models.Model):
    """One nightly check of the whole log: what was found, for the operations page."""

    at = models.DateTimeField(editable=False)  # UTC, when it ended
    ok = models.BooleanField(editable=False)
    leaves = models.BigIntegerField(editable=False)
    unsequenced = models.BigIntegerField(editable=False)  # events older than an hour without a place
    seconds = models.FloatField(editable=False)
    detail = models.TextField(blank=True, editable=False)  # the fault, or the warnings

    class Meta:
        verbose_name = _("台账夜间巡检")
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d} {'ok' if self.ok else 'FAULT'}"
