"""Working days: the vectors of practice and law, and the properties that any count must have."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.clock import working_days as wd
from grants.clock.working_days import BadPeriod

DAYS = st.dates(date(2005, 1, 1), date(2026, 11, 30))


@pytest.mark.parametrize(
    ("start", "n", "count_first", "end"),
    [
        (date(2021, 8, 18), 5, True, date(2021, 8, 24)),  # Futian: "5 working days, 18-24 August"
        (date(2023, 4, 20), 5, True, date(2023, 4, 25)),  # Luohu: five only because Sunday the 23rd was worked
        (date(2026, 2, 10), 5, False, date(2026, 2, 24)),  # across Spring Festival; Monday-Friday would say the 17th
        (date(2026, 4, 28), 5, False, date(2026, 5, 8)),  # across Labour Day; Monday-Friday would say the 5th
        (date(2026, 2, 13), 1, False, date(2026, 2, 14)),  # the next day is a worked Saturday
        (date(2026, 2, 15), 1, True, date(2026, 2, 24)),  # the first day is no working day: it does not count
        (date(2026, 10, 1), 1, False, date(2026, 10, 8)),
    ],
)
def test_vectors(start: date, n: int, count_first: bool, end: date) -> None:
    assert wd.add_working_days(start, n, count_first_day=count_first) == end
    assert wd.last_day(start, n, "working", count_first_day=count_first) == end


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 2, 14), True),  # Saturday, worked for the Spring Festival
        (date(2026, 2, 23), False),  # Monday, off
        (date(2026, 9, 20), True),  # Sunday, worked for the National Day
        (date(2023, 4, 23), True),
        (date(2021, 8, 21), False),  # an ordinary Saturday
        (date(2027, 1, 1), False),  # unpublished year: statutory day
        (date(2027, 2, 8), False),  # unpublished year: Spring Festival, third day
        (date(2027, 3, 1), True),  # unpublished year: an ordinary Monday
        (date(2027, 3, 6), False),  # unpublished year: an ordinary Saturday
    ],
)
def test_known_days(day: date, worked: bool) -> None:
    assert wd.is_workday(day) is worked


def test_an_override_beats_every_source() -> None:
    table = {date(2026, 2, 14): False, date(2027, 2, 8): True, date(2026, 3, 2): False}
    assert [wd.is_workday(day, table) for day in table] == [False, True, False]
    assert wd.add_working_days(date(2026, 2, 10), 5, overrides=table) == date(2026, 2, 25)


@pytest.mark.parametrize(
    ("start", "n", "count_first", "roll", "end"),
    [
        (date(2026, 1, 26), 5, False, True, date(2026, 2, 2)),  # ends on Saturday 31 January: §203 gives Monday
        (date(2026, 1, 26), 5, False, False, date(2026, 1, 31)),  # rules that agreed otherwise (§204)
        (date(2026, 1, 26), 5, True, True, date(2026, 1, 30)),  # the first day counted
        (date(2026, 2, 9), 5, False, True, date(2026, 2, 14)),  # a worked Saturday is no day off
        (date(2026, 2, 10), 7, False, True, date(2026, 2, 24)),  # into Spring Festival: the day after all of it
        (date(2026, 1, 1), 30, False, True, date(2026, 2, 2)),
    ],
)
def test_calendar_periods_after_the_civil_code(start: date, n: int, count_first: bool, roll: bool, end: date) -> None:
    assert wd.last_day(start, n, "calendar", count_first_day=count_first, roll_over=roll) == end


@given(DAYS, st.integers(1, 40))
def test_the_count_is_what_it_says(start: date, n: int) -> None:
    """Exactly n working days lie after the start up to the end, and the end is one of them."""
    end = wd.add_working_days(start, n)
    between = [start + timedelta(days=i) for i in range(1, (end - start).days + 1)]
    assert sum(map(wd.is_workday, between)) == n
    assert wd.is_workday(end)


@given(DAYS, st.integers(1, 20), st.integers(1, 20))
def test_counting_in_two_parts_is_counting_at_once(start: date, a: int, b: int) -> None:
    assert wd.add_working_days(wd.add_working_days(start, a), b) == wd.add_working_days(start, a + b)


@given(DAYS, st.integers(1, 40))
def test_counting_the_first_day_saves_one_if_it_is_worked(start: date, n: int) -> None:
    with_first = wd.add_working_days(start, n, count_first_day=True)
    if not wd.is_workday(start):
        assert with_first == wd.add_working_days(start, n)
    else:
        assert with_first == (start if n == 1 else wd.add_working_days(start, n - 1))


@given(DAYS, st.integers(1, 30), st.sets(st.integers(0, 60), max_size=20), st.booleans())
def test_a_changed_table_never_shortens_an_open_period(start: date, n: int, changed: set[int], worked: bool) -> None:
    current = wd.add_working_days(start, n)
    table = {start + timedelta(days=i): worked for i in changed}
    found = wd.recompute_only_longer(current, start, n, "working", overrides=table)
    assert found >= current
    assert found in (current, wd.add_working_days(start, n, overrides=table))


def test_a_published_arrangement_lengthens_an_open_period() -> None:
    """Five working days from Thursday 4 February 2027, counted before and after somebody enters two more days off."""
    start = date(2027, 2, 4)
    before = wd.add_working_days(start, 5)
    table = {date(2027, 2, 11): False, date(2027, 2, 12): False}
    assert before == date(2027, 2, 17)
    assert wd.recompute_only_longer(before, start, 5, "working", overrides=table) == date(2027, 2, 19)
    assert wd.recompute_only_longer(before, start, 5, "working", overrides={date(2027, 2, 13): True}) == before


@pytest.mark.parametrize(
    ("first", "last", "years"),
    [
        (date(2026, 11, 20), date(2026, 12, 28), ()),
        (date(2026, 12, 20), date(2026, 12, 29), (2027,)),  # the 元旦 of 2027 may move these days
        (date(2026, 12, 20), date(2027, 1, 5), (2027,)),
        (date(2026, 12, 20), date(2028, 1, 5), (2027, 2028)),
        (date(2021, 8, 18), date(2021, 8, 24), ()),
    ],
)
def test_unpublished_years_are_named(first: date, last: date, years: tuple[int, ...]) -> None:
    assert wd.unsettled_years(first, last) == years


def test_an_entered_arrangement_settles_its_year_and_a_local_exception_does_not() -> None:
    period = date(2027, 3, 1), date(2027, 3, 31)
    assert wd.unsettled_years(*period, {date(2027, 3, 10): False}) == (2027,)
    assert wd.unsettled_years(*period, {date(2027, 1, 1): False}) == ()


@pytest.mark.parametrize("amount", [0, -1, 3661, 10**9])
def test_a_senseless_period_is_refused(amount: int) -> None:
    for unit in ("working", "calendar"):
        with pytest.raises(BadPeriod):
            wd.last_day(date(2026, 1, 1), amount, unit)  # type: ignore[arg-type]


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(BadPeriod, match="weeks"):
        wd.last_day(date(2026, 1, 1), 2, "weeks")  # type: ignore[arg-type]
