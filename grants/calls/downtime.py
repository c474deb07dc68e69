"""What the published rule makes of downtime so far: what is owed, and whether a call may be closed. Reads only; steps are in `outages`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.calls.models import Call, Downtime, Pulse
from grants.workflow.effects import real_now

if TYPE_CHECKING:
    from grants.calls.rulebook.parts.timetable import Outage

GAP: Final = timedelta(minutes=5)
"""A pulse older than this is a gap in service."""


@dataclass(frozen=True)
class Proposal:
    """What the published rule makes of the downtime so far. more: owed altogether; closes_at: the deadline that follows."""

    rule: Outage
    rows: list[Downtime]
    more: timedelta
    closes_at: datetime

    @property
    def minutes(self) -> int:
        return int(self.more.total_seconds() // 60)


def proposal(call: Call, *, measured: bool = False) -> Proposal | None:
    """What the rule adds to the deadline; None without a rule, or when nothing more is owed than was already given.

    measured: count only what the site's own clock measured, not what an officer recorded.
    """
    from grants.calls.rulebook.deadline import moved  # noqa: PLC0415 - pydantic is slow to import

    rule = call.rules.timetable.outage
    if rule is None or call.closes_at is None:
        return None
    first = call.rules.timetable.closes_at
    rows = Downtime.objects.filter(ended_at__gt=first - timedelta(hours=rule.within_hours)).order_by("started_at")
    found = list(rows.filter(recorded_by=None) if measured else rows)
    closes_at, counted = moved(rule, _deadlines(call), [(row.started_at, row.ended_at) for row in found])
    if closes_at <= call.closes_at:
        return None
    shown = [row for row in found if row.started_at < closes_at]
    return Proposal(rule, shown, counted, closes_at.astimezone(UTC))  # as every moment of a call is kept


def _deadlines(call: Call) -> list[datetime]:
    """As published and as extended since, in order; the log knows every one."""
    later = [datetime.fromisoformat(event.public["to"]) for event in ledger.history(call.subject) if event.verb in ("extend", "give_back")]
    known = {call.rules.timetable.closes_at, *later, *([call.closes_at] if call.closes_at else [])}
    return sorted(at for at in known if at >= call.rules.timetable.closes_at)


def still_owed(call: Call, now: datetime) -> Proposal | None:
    """A proposal that would still give somebody time: the deadline it leads to is ahead."""
    found = proposal(call)
    return found if found is not None and found.closes_at > now else None


def holds_open(call: Call, now: datetime) -> str:
    """Why a call whose deadline has passed may not be closed yet; empty: it may.

    The site has just come back and has not measured the gap yet; what it measured is not given back yet; or an officer recorded downtime
    that would still give time, and the approver has not answered.
    """
    if call.rules.timetable.outage is None:
        return ""
    if _silent():
        return _("系统刚刚恢复，正在测定停摆了多久。")
    if proposal(call, measured=True) is not None:
        return _("系统测得的故障还没有顺延。")
    return _("登记的故障等待负责人确认是否顺延。") if still_owed(call, now) else ""


def _silent() -> bool:
    """Whether the clock's last beat is too long ago, so that a gap is about to be written down. A clock that was set has no beat."""
    now = real_now()
    last = Pulse.objects.filter(pk=1).first()
    return last is not None and now - last.at >= GAP and abs(clock.now() - now) <= GAP
