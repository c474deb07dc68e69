"""工作日: which days are worked, and where a period counted from a day ends. Pure: dates in, dates out, no Django, no database.

Three sources, the first that knows wins: the overrides handed in (an installation's own table), the published 调休 arrangement
(`chinesecalendar`, else `holidays`), and for a year nobody has published yet the statutory holidays plus Monday to Friday.
The last is an estimate: `unsettled_years` names the years for which a caller must show a warning.

Law: the first day is not counted (民法典 §201); a period whose last day is a day off ends on the next working day (§203); law or
the parties may say otherwise (§204), and notices in practice do count their first day, hence `count_first_day` and `roll_over`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

import chinese_calendar
import holidays

Unit = Literal["working", "calendar"]
Overrides = Mapping[date, bool]

NONE: Overrides = {}
DAY = timedelta(days=1)
LONGEST = 3660  # days: ten years; longer than any period in a grant, shorter than a typing error
_FIRST_PUBLISHED = min(chinese_calendar.holidays).year
_LAST_PUBLISHED = max(chinese_calendar.workdays).year


class BadPeriod(ValueError):
    """A period that cannot be counted: not between 1 and 3660 days, or a unit other than "working" and "calendar"."""


def is_workday(day: date, overrides: Overrides = NONE) -> bool:
    """Whether `day` is worked: overrides, then the published arrangement, then the statutory estimate."""
    known = overrides.get(day)
    if known is not None:
        return known
    if _FIRST_PUBLISHED <= day.year <= _LAST_PUBLISHED:
        return bool(chinese_calendar.is_workday(day))
    free, worked = _statutory(day.year)
    return day in worked or (day.weekday() < 5 and day not in free)


def add_working_days(start: date, n: int, *, count_first_day: bool = False, overrides: Overrides = NONE) -> date:
    """The `n`-th working day after `start`; with `count_first_day`, `start` itself is the first when it is worked.

    5 after 2026-02-10 is 2026-02-24: Saturday the 14th is worked, the 15th to 23rd are Spring Festival. Raises BadPeriod.
    """
    _check(n)
    day = start - DAY if count_first_day else start
    while n:
        day += DAY
        n -= is_workday(day, overrides)
    return day


def last_day(
    start: date, amount: int, unit: str, *, count_first_day: bool = False, roll_over: bool = True, overrides: Overrides = NONE
) -> date:
    """The last day of a period of `amount` days from `start`, in Shanghai calendar days.

    roll_over: a calendar period that ends on a day off ends on the next working day instead (§203). Raises BadPeriod.
    """
    _check(amount)
    if unit == "working":
        return add_working_days(start, amount, count_first_day=count_first_day, overrides=overrides)
    if unit != "calendar":
        raise BadPeriod(f'unit is {unit!r}; use "working" or "calendar"')
    end = start + amount * DAY - (DAY if count_first_day else 0 * DAY)
    while roll_over and not is_workday(end, overrides):
        end += DAY
    return end


def recompute_only_longer(
    current: date,
    start: date,
    amount: int,
    unit: str,
    *,
    count_first_day: bool = False,
    roll_over: bool = True,
    overrides: Overrides = NONE,
) -> date:
    """The last day of an open period after the table of working days changed: recounted, but never before `current`.

    Whoever was told a date may rely on it; a newly published arrangement can only give more time.
    """
    return max(current, last_day(start, amount, unit, count_first_day=count_first_day, roll_over=roll_over, overrides=overrides))


def unsettled_years(first: date, last: date, overrides: Overrides = NONE) -> tuple[int, ...]:
    """Years whose 调休 arrangement touches `first`…`last` and is not published, nor entered in the overrides.

    The 元旦 part of a year's arrangement has moved weekends of the last days of December before it (2005-12-31, 2006-12-30,
    2011-12-31), so 29 to 31 December belong to the next year's arrangement. A year counts as entered once the overrides hold its
    1 January: whoever copies an arrangement begins with it, and a single local exception does not.
    """
    years = range((first + 3 * DAY).year, (last + 3 * DAY).year + 1)
    return tuple(year for year in years if not _published(year) and date(year, 1, 1) not in overrides)


def _check(amount: int) -> None:
    if not 1 <= amount <= LONGEST:
        raise BadPeriod(f"a period has 1 to {LONGEST} days, not {amount}")


def _published(year: int) -> bool:
    return _FIRST_PUBLISHED <= year <= _LAST_PUBLISHED or any(day.year == year for day in _statutory(year)[1])


@lru_cache(maxsize=64)
def _statutory(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Days off and weekend days worked that `holidays` knows; an unpublished year has statutory days and none worked."""
    china = holidays.country_holidays("CN", years=year)
    return frozenset(china), frozenset(china.weekend_workdays)
