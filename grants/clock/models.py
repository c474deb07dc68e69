"""The installation's own exceptions to the published calendar."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkdayOverride(models.Model):
    """One day that is, or is not, a working day whatever the libraries say (State Council notice, typhoon, local holiday).

    Filled by `manage.py workdays import FILE.csv`. An arrangement of a whole year includes its 1 January: that row is what
    silences the warning about an unpublished year.
    """

    date = models.DateField(_("日期"), unique=True)
    is_workday = models.BooleanField(_("上班"))
    name = models.CharField(_("名称"), max_length=60)
    source = models.CharField(_("依据"), max_length=200)

    class Meta:
        verbose_name = _("工作日调整")
        ordering: ClassVar = ["date"]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d} {_('上班') if self.is_workday else _('休息')} {self.name}"
