"""Working days and deadlines of this installation: the pure count of `working_days` with the override table read in.

Days are Shanghai calendar days. A deadline is an instant and exclusive: `late` everywhere means `now() >= ends_at`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from grants.clock import TZ, working_days
from grants.clock.models import WorkdayOverride
from grants.clock.working_days import DAY, BadPeriod, Overrides

__all__ = [
    "BadPeriod",
    "DeadlineMovedEarlier",
    "Period",
    "add_working_days",
    "end_of_period",
    "is_workday",
    "only_later",
    "overrides",
]

FRESH = 30.0  # seconds a process may go on with a table that another process has changed


class DeadlineMovedEarlier(ValueError):
    """A published deadline was to be moved earlier. Deadlines only ever move later: someone has planned with the old one."""

    def __init__(self, old: datetime, new: datetime) -> None:
        sentence = _("截止时间只能延后，不能提前：原定 %(old)s，拟改为 %(new)s。请改为不早于原定时间，或撤回后重新发布。")
        super().__init__(sentence % {"old": _shown(old), "new": _shown(new)})
        self.old, self.new = old, new


@dataclass(frozen=True)
class Period:
    """Where a period ends. ends_at: exclusive, 00:00 Shanghai after `last_day`; warnings: sentences to show beside the date."""

    ends_at: datetime
    last_day: date
    warnings: tuple[str, ...] = ()


def is_workday(day: date) -> bool:
    """Whether `day` is worked here."""
    return working_days.is_workday(day, overrides())


def add_working_days(start: date, n: int, *, count_first_day: bool = False) -> date:
    """The `n`-th working day after `start` (or counting it). Raises BadPeriod."""
    return working_days.add_working_days(start, n, count_first_day=count_first_day, overrides=overrides())


def end_of_period(start: datetime, amount: int, unit: str, *, count_first_day: bool = False, roll_over: bool = True) -> Period:
    """The end of `amount` working or calendar days counted from the Shanghai day of `start`.

    roll_over: a calendar period ending on a day off ends with the next working day (民法典 §203); rules that agree otherwise
    (§204) pass False. Raises BadPeriod.
    """
    first, table = start.astimezone(TZ).date(), overrides()
    last = working_days.last_day(first, amount, unit, count_first_day=count_first_day, roll_over=roll_over, overrides=table)
    return Period(midnight_after(last), last, _warnings(first, last, unit, roll_over=roll_over, table=table))


def midnight_after(day: date) -> datetime:
    """24:00 of `day` in Shanghai, as the aware instant 00:00 of the next day."""
    following = day + DAY
    return datetime(following.year, following.month, following.day, tzinfo=TZ)


def only_later(old: datetime | None, new: datetime) -> None:
    """Refuse to move a deadline earlier; None means there was none yet. Raises DeadlineMovedEarlier."""
    if old is not None and new < old:
        raise DeadlineMovedEarlier(old, new)


def _warnings(first: date, last: date, unit: str, *, roll_over: bool, table: Overrides) -> tuple[str, ...]:
    if unit == "calendar":
        if not roll_over:
            return ()
        first = last  # only the last day's being worked was asked
    sentence = _("%(year)s 年调休安排尚未发布，本期限暂按法定节假日和周一至周五推算；安排发布后只会延长，不会缩短。")
    return tuple(sentence % {"year": year} for year in working_days.unsettled_years(first, last, table))


def _shown(moment: datetime) -> str:
    return moment.astimezone(TZ).strftime("%Y-%m-%d %H:%M:%S")


_cached: tuple[float, Overrides] | None = None


def overrides() -> Overrides:
    """The override table, kept for half a minute per process and dropped at once when this process changes it.

    Inside a transaction nothing is kept: what is read there may yet be rolled back.
    """
    global _cached  # noqa: PLW0603 - one table per process
    if _cached is not None and time.monotonic() - _cached[0] < FRESH:
        return _cached[1]
    table = dict(WorkdayOverride.objects.values_list("date", "is_workday"))
    if not transaction.get_connection().in_atomic_block:
        _cached = (time.monotonic(), table)
    return table


def forget_overrides(**_signal: object) -> None:
    """Drop the kept table now and, because a reader may fill it again before the commit, once more after it."""
    _drop()
    transaction.on_commit(_drop)


def _drop() -> None:
    global _cached  # noqa: PLW0603 - see overrides()
    _cached = None
