"""Now as a thing that can be set; deadlines that end at midnight and only ever move later; the override table."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta, timezone
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from grants import clock
from grants.clock import TZ, calendar
from grants.clock.calendar import DeadlineMovedEarlier, end_of_period, only_later
from grants.clock.models import WorkdayOverride

NOON = datetime(2026, 3, 1, 12, tzinfo=TZ)


def test_the_running_clock_is_aware_utc_and_moves() -> None:
    before, first = datetime.now(UTC), clock.now()
    assert first.tzinfo is UTC
    assert before <= first <= clock.now() <= datetime.now(UTC)


def test_today_is_the_day_in_shanghai() -> None:
    """At 16:00 UTC it is already tomorrow there."""
    with clock.at(datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)):
        assert clock.today() == date(2026, 3, 1)
    with clock.at(datetime(2026, 3, 1, 16, tzinfo=UTC)):
        assert clock.today() == date(2026, 3, 2)


def test_set_times_nest_and_return_even_after_an_error() -> None:
    with clock.at(NOON) as outer:
        assert outer == clock.now() == NOON
        with pytest.raises(ZeroDivisionError), clock.at(NOON + timedelta(days=1)) as inner:
            assert 1 / (inner - clock.now()).total_seconds()
        assert clock.now() == NOON
    assert clock.now() > NOON


def test_one_thread_s_set_time_is_not_another_s() -> None:
    seen: list[datetime] = []
    with clock.at(NOON):
        other = threading.Thread(target=lambda: seen.append(clock.now()))
        other.start()
        other.join()
    assert seen[0] != NOON


def test_the_process_clock_is_every_thread_s_and_at_wins_over_it() -> None:
    seen: list[datetime] = []
    clock.set_now(NOON)
    try:
        other = threading.Thread(target=lambda: seen.append(clock.now()))
        other.start()
        other.join()
        with clock.at(NOON + timedelta(hours=1)):
            assert clock.now() == NOON + timedelta(hours=1)
        assert seen == [NOON] == [clock.now()]
    finally:
        clock.set_now(None)
    assert clock.now() != NOON


@pytest.mark.parametrize("set_it", [clock.set_now, lambda moment: clock.at(moment).__enter__()])
def test_a_moment_without_a_zone_is_refused(set_it: object) -> None:
    with pytest.raises(clock.NaiveMoment):
        set_it(datetime(2026, 3, 1))  # type: ignore[operator]
    assert clock.now() > NOON


def test_deadlines_move_only_later() -> None:
    only_later(None, NOON)
    only_later(NOON, NOON)
    only_later(NOON, NOON + timedelta(seconds=1))
    with pytest.raises(DeadlineMovedEarlier, match="2026-03-01 11:59:59"):
        only_later(NOON, NOON - timedelta(seconds=1))


def test_deadlines_are_compared_as_instants_whatever_their_zones() -> None:
    tokyo = timezone(timedelta(hours=9))
    only_later(NOON, datetime(2026, 3, 1, 13, tzinfo=tokyo))
    with pytest.raises(DeadlineMovedEarlier):
        only_later(NOON, datetime(2026, 3, 1, 12, 30, tzinfo=tokyo))


@pytest.mark.django_db
def test_a_period_ends_at_midnight_and_that_instant_is_late() -> None:
    """Futian: five working days from 18 August 2021, the first counted, end at 24:00 on the 24th."""
    period = end_of_period(datetime(2021, 8, 18, 9, tzinfo=TZ), 5, "working", count_first_day=True)
    assert period.last_day == date(2021, 8, 24)
    assert period.ends_at == datetime(2021, 8, 24, 16, tzinfo=UTC)
    assert period.warnings == ()
    with clock.at(period.ends_at - timedelta(microseconds=1)):
        assert not clock.now() >= period.ends_at
        assert clock.today() == period.last_day
    with clock.at(period.ends_at):
        assert clock.now() >= period.ends_at


@pytest.mark.django_db
def test_a_period_is_counted_from_the_day_in_shanghai() -> None:
    """18:00 UTC on 9 February is already the 10th: five working days later is the 24th, after the Spring Festival."""
    period = end_of_period(datetime(2026, 2, 9, 18, tzinfo=UTC), 5, "working")
    assert period.last_day == date(2026, 2, 24)


@pytest.mark.django_db
def test_calendar_periods_roll_to_the_next_working_day_unless_agreed_otherwise() -> None:
    start = datetime(2026, 1, 26, 9, tzinfo=TZ)
    assert end_of_period(start, 5, "calendar").last_day == date(2026, 2, 2)
    assert end_of_period(start, 5, "calendar", roll_over=False).last_day == date(2026, 1, 31)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("unit", "roll", "warned"), [("working", True, ["2027"]), ("calendar", True, ["2027"]), ("calendar", False, [])]
)
def test_an_unpublished_year_warns_where_it_matters(unit: calendar.Unit, roll: bool, warned: list[str]) -> None:
    period = end_of_period(datetime(2027, 3, 1, 9, tzinfo=TZ), 5, unit, roll_over=roll)
    assert [sentence[:4] for sentence in period.warnings] == warned
    assert all("调休安排尚未发布" in sentence for sentence in period.warnings)


@pytest.mark.django_db
def test_the_table_beats_the_libraries_and_a_change_is_seen_at_once() -> None:
    saturday = date(2026, 3, 7)
    assert not calendar.is_workday(saturday)
    row = WorkdayOverride.objects.create(date=saturday, is_workday=True, name="补班", source="区通知")
    assert calendar.is_workday(saturday)
    assert calendar.add_working_days(date(2026, 3, 6), 1) == saturday
    row.is_workday = False
    row.save()
    assert not calendar.is_workday(saturday)
    row.delete()
    assert calendar.overrides() == {}


@pytest.mark.django_db(transaction=True)
def test_the_table_is_read_once_and_again_after_a_change() -> None:
    calendar.forget_overrides()
    with CaptureQueriesContext(connection) as asked:
        for day in range(1, 20):
            calendar.is_workday(date(2026, 3, day))
    assert len(asked) == 1
    WorkdayOverride.objects.create(date=date(2026, 3, 7), is_workday=True, name="补班", source="区通知")
    assert calendar.is_workday(date(2026, 3, 7))
    calendar.forget_overrides()


CSV = "\ufeffdate,is_workday,name,source\n2027-01-01,休息,元旦,国办通知\n2027-02-14,上班,春节调休,国办通知\n"


@pytest.mark.django_db
def test_a_published_arrangement_is_entered_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "2027.csv"
    path.write_text(CSV, encoding="utf-8")
    out = StringIO()
    for _ in range(2):  # a second import replaces, it does not double
        call_command("workdays", "import", str(path), stdout=out)
    assert WorkdayOverride.objects.count() == 2
    assert calendar.is_workday(date(2027, 2, 14))
    assert end_of_period(datetime(2027, 3, 1, 9, tzinfo=TZ), 5, "working").warnings == ()
    call_command("workdays", "list", "2027", stdout=out)
    assert "春节调休" in out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        CSV + "2027-13-01,休息,x,y\n",
        CSV + "2027-03-01,也许,x,y\n",
        CSV.replace("is_workday", "worked"),
        "",
    ],
)
def test_a_file_with_one_bad_line_enters_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("workdays", "import", str(path))
    assert not WorkdayOverride.objects.exists()


@pytest.mark.django_db
def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"absent\.csv"):
        call_command("workdays", "import", str(tmp_path / "absent.csv"))
