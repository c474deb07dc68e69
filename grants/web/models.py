"""What the pages themselves must remember: how often something was tried lately. No stage, no person."""

from __future__ import annotations

from django.db import models


class Tally(models.Model):
    """Attempts of one visitor at one thing. `mark` is a keyed hash: neither the address nor the name can be read back."""

    mark = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "尝试次数"

    def __str__(self) -> str:
        return f"{self.count} since {self.since}"
