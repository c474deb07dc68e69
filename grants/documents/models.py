"""What is known about a stored file. Its bytes lie in the data folder, under its hash (`files.py`)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.clock import now


class StoredFile(models.Model):
    """One content, kept once however often it is handed in. What a person called it belongs to whoever refers to it.

    sha256: 64 lower-case hex digits, the address of the bytes and the value the ledger records.
    size: bytes, never zero. created_at: when this content was first handed in (UTC).
    Rows are never changed and never deleted: every stage refers to them with PROTECT.
    """

    sha256 = models.CharField(_("SHA-256"), primary_key=True, max_length=64, editable=False)
    size = models.PositiveBigIntegerField(_("字节数"), editable=False)
    media_type = models.CharField(_("类型"), max_length=100, editable=False)
    created_at = models.DateTimeField(_("入库时间"), default=now, editable=False)

    class Meta:
        verbose_name = _("文件")
        verbose_name_plural = _("文件")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="documents_file_hash_is_hex"),
            models.CheckConstraint(condition=Q(size__gt=0), name="documents_file_is_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]}… ({self.media_type}, {self.size} B)"
