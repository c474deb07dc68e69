"""How long the security log is kept: the rule, what is past it, and its removal, which is itself a line of the log."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from grants.people.models import SecurityEvent
from grants.people.security import note
from grants.workflow.effects import real_now


def past() -> tuple[datetime, QuerySet[SecurityEvent]]:
    """(the moment before which lines are past their time, those lines). Real time: a clock that was set for a rehearsal ages nothing."""
    before = real_now() - timedelta(days=settings.SECURITY_LOG_DAYS)
    return before, SecurityEvent.objects.filter(at__lt=before)


def prune(*, by: Any = None) -> int:
    """Remove what is past its time and write down how much and up to when; returns how many lines. Safe to repeat."""
    with transaction.atomic():
        before, rows = past()
        gone, _each = rows.delete()
        if gone:
            note(SecurityEvent.Kind.PRUNED, by=by, detail=f"{gone} < {before:%Y-%m-%d}")
    return gone
