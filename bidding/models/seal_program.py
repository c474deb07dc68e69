"""封标程序的登记: which scripts sealed the bids of a call, and since when. The first is frozen before the call can open, every later one is told."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from bidding.models.sealed import SealKey
from grants.documents.models import StoredFile


class SealProgram(models.Model):
    """One fingerprint (SHA-256, hex, `sealing_bundle.fingerprint`) of the scripts that a call's bids are sealed with, from `at` (UTC). Never changed.

    pdf: the notice that hangs on the wall, printed when the row was written.
    """

    key = models.ForeignKey(SealKey, on_delete=models.PROTECT, related_name="programs")
    fingerprint = models.CharField(max_length=64)
    at = models.DateTimeField()
    pdf = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]

    def __str__(self) -> str:
        return f"{self.fingerprint[:12]} {self.at:%Y-%m-%d}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses to change what was announced; only the printed notice is added later."""
        if not self._state.adding and set(kwargs.get("update_fields") or ["fingerprint"]) != {"pdf"}:
            raise RuntimeError("an announced program cannot be changed; another one is announced beside it")
        super().save(*args, **kwargs)
