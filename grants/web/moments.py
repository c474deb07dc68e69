"""Days and moments in the reader's language: the Chinese way on Chinese pages, 30 September 2026 on English ones. Papers are Chinese always."""

from __future__ import annotations

import datetime as dt

from django.utils.formats import date_format
from django.utils.translation import get_language

from grants.clock import TZ
from grants.documents.writing import zh_date, zh_datetime


def day_text(day: dt.date) -> str:
    """2026年9月30日 or 30 September 2026; a datetime is first brought to Beijing time."""
    local = day.astimezone(TZ).date() if isinstance(day, dt.datetime) else day
    return zh_date(local) if _chinese() else date_format(local, "j F Y")


def moment_text(moment: dt.datetime) -> str:
    """2026年9月30日 17:00 or 30 September 2026 17:00, in Beijing time; seconds only when they are not zero."""
    local = moment.astimezone(TZ)
    return zh_datetime(moment) if _chinese() else date_format(local, "j F Y H:i:s" if local.second else "j F Y H:i")


def _chinese() -> bool:
    return (get_language() or "zh").startswith("zh")
