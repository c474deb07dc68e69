"""Which declared files are still to come, and until when. Reads only; imports no model."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bidding import frozen


def due_at(bid: Any) -> datetime | None:
    """Until when declared files may follow; None where the rules do not allow it."""
    hours = bid.rules.timetable.files_follow_hours
    return None if hours is None or bid.call.closes_at is None else bid.call.closes_at + timedelta(hours=hours)


def missing(bid: Any) -> list[Any]:
    """Declared files whose bytes are not here."""
    return [row for row in frozen.declared(bid) if row.delivered_at is None]
