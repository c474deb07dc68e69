"""Moving a call's timetable as a whole, durations kept: how a preset, or last round's rules, become this year's call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.base import SHANGHAI
from grants.calls.rulebook.toml import from_data


def shift(rules: CallRules, opens_at: datetime) -> CallRules:
    """The same rules opening at `opens_at` (aware): moments keep their distance to the second, days keep theirs in days.

    Spending days of sources move too. A shifted deadline may fall on a holiday; the linter says so. Raises ValueError for a
    naive time.
    """
    if opens_at.tzinfo is None:
        raise ValueError("开始申报的时间必须带时区")
    start = rules.timetable.opens_at
    return from_data(_moved(rules, opens_at - start, _days_between(start, opens_at)), file=rules.code)


def _days_between(start: datetime, other: datetime) -> timedelta:
    return timedelta(days=(other.astimezone(SHANGHAI).date() - start.astimezone(SHANGHAI).date()).days)


def _moved(rules: CallRules, delta: timedelta, days: timedelta) -> dict[str, Any]:
    data = rules.model_dump(by_alias=True, exclude_none=True)
    table = data["timetable"]
    for name in ("opens_at", "questions_until", "closes_at"):
        table[name] += delta
    for batch in table["batches"]:
        batch["closes_at"] += delta
    table["review_by"] += days
    for source in data["sources"]:
        if "spend_by" in source:
            source["spend_by"] += days
    return data


FIRST_VERSION = "1.0.0"
_FAR = 30  # days within which there is a working day, whatever the calendar


def clone(
    rules: CallRules, *, code: str, opens_at: datetime, title: str = "", is_workday: Callable[[date], bool] = lambda _day: True
) -> CallRules:
    """Last round's rules as a new call: own code, version 1.0.0, moved to `opens_at`, deadlines pushed on to working days.

    A deadline that would fall on a free day moves later, never earlier, and what follows it moves by the same days. title: empty takes
    the old one with its year replaced. Raises RulesInvalid for a code that cannot be one, ValueError for a naive time.
    """
    moved = shift(rules, opens_at)
    data = _moved(moved, timedelta(), timedelta())
    _to_workdays(data["timetable"], is_workday)
    old, new = rules.timetable.opens_at.year, opens_at.astimezone(SHANGHAI).year
    name = {**data["title"], "zh": title or data["title"]["zh"].replace(str(old), str(new))}
    return from_data({**data, "code": code, "version": FIRST_VERSION, "title": name}, file=code)


def _to_workdays(table: dict[str, Any], is_workday: Callable[[date], bool]) -> None:
    late = timedelta()
    for moment in (*table["batches"], table):
        days = _until_workday(moment["closes_at"].date(), is_workday)
        moment["closes_at"] += days
        late = max(late, days)
    table["questions_until"] += _until_workday(table["questions_until"].date(), is_workday)
    table["review_by"] += late
    table["review_by"] += _until_workday(table["review_by"], is_workday)


def _until_workday(day: date, is_workday: Callable[[date], bool]) -> timedelta:
    return next((timedelta(days=n) for n in range(_FAR) if is_workday(day + timedelta(days=n))), timedelta())


def mentions(rules: CallRules, words: str) -> list[tuple[str, str]]:
    """(key, text) of every text of the rules that contains `words`: what a person has to look at after cloning."""
    return [(key, text) for key, text in _texts("", rules.plain()) if words in text]


def _texts(way: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield way, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(f"{way}.{key}".lstrip("."), each)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(f"{way}[{index + 1}]", each)
