"""The demonstration: a cast and plans as promised, scenes in order, a call told to its archive, breaches named, nothing real wiped."""

from __future__ import annotations

import socket
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from grants import clock
from grants.clock.calendar import end_of_period
from grants.desk.demo import act as acts_of
from grants.desk.demo import cast as people
from grants.desk.demo import checks, ground
from grants.desk.demo.act import Act, Plan
from grants.desk.demo.acts import ACTS, MicroAct
from grants.desk.demo.diary import Diary, working_moment
from grants.desk.demo.ground import Ground
from grants.desk.management.commands import demo as command
from grants.people import uscc
from grants.people.models import User
from tests.world.people import person

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=clock.TZ)


def all_plans() -> list[Plan]:
    return [plan for kind in ACTS for plan in kind.plans(kind.__new__(kind))]


# --- what is promised


def test_sixty_bids_of_organisations_in_the_cast_with_titles_that_fit() -> None:
    plans = all_plans()
    keys = {row[0] for row in (*people.LEGAL, *people.GROUPS)}
    assert len(plans) == 60
    assert {plan.body for plan in plans} <= keys
    assert len({plan.idea.title for plan in plans}) == 60
    assert max(len(plan.idea.title) for plan in plans) <= 30


def test_twenty_four_organisations_nine_of_them_arts_and_sports_and_fifteen_experts() -> None:
    rows = [(row[0], row[1], row[-1]) for row in (*people.LEGAL, *people.GROUPS)]
    assert len(rows) == 24
    assert sum(field in ("文艺", "体育") for _key, _kind, field in rows) == 9
    assert {"association", "service", "foundation", "recorded", "team", "committee", "institution"} == {kind for _k, kind, _f in rows}
    assert len(people.EXPERTS) == len(set(people.EXPERTS)) == 15


@pytest.mark.parametrize("kind", people.PREFIX)
def test_every_credit_code_passes_both_checks_in_the_fictional_division(kind: str) -> None:
    codes = [uscc.parse(people.credit_code(number, kind)) for number in range(200)]
    assert {code.division for code in codes} == {people.DIVISION}
    assert len({code.text for code in codes}) == 200


# --- the diary


@pytest.mark.django_db
def test_scenes_run_in_order_of_time_under_their_own_clock_and_stop_today() -> None:
    diary, seen = Diary(NOW), list[datetime]()
    for days in (-3, -30, 1, -10):
        diary.at(NOW + timedelta(days=days), lambda: seen.append(clock.now()))
    diary.run()
    assert seen == [NOW - timedelta(days=30), NOW - timedelta(days=10), NOW - timedelta(days=3)]
    assert diary.played == 3


@pytest.mark.django_db
def test_a_scene_may_add_later_scenes_but_none_before_itself() -> None:
    diary, seen = Diary(NOW), list[str]()

    def first() -> None:
        diary.later(2, lambda: seen.append("later"))
        with pytest.raises(ValueError, match="lies before"):
            diary.at(clock.now() - timedelta(seconds=1), first)

    diary.on(-20, first)
    diary.run()
    assert seen == ["later"]


@pytest.mark.django_db
def test_scenes_of_officials_lie_on_working_days() -> None:
    national_day = datetime(2026, 10, 1, tzinfo=clock.TZ).date()
    assert working_moment(national_day, 9) == datetime(2026, 10, 8, 9, 0, tzinfo=clock.TZ)


class Quiet(Diary):
    """Without the chores of the clock."""

    def _play(self, scene: Any) -> None:
        scene()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [kind for kind in ACTS if kind.path])
def test_the_path_after_a_deadline_keeps_its_order_on_every_third_day_of_a_year(kind: type[Act]) -> None:
    """Whatever holidays lie between: each scene is played after the one before it, and awards are confirmed when nobody may object."""
    for days in range(0, 366, 3):
        played, act = list[tuple[str, datetime]](), kind.__new__(kind)
        act.diary = Quiet(NOW + timedelta(days=600))

        def play(name: str, act: Act = act, played: list[tuple[str, datetime]] = played) -> None:
            played.append((name, clock.now()))
            if name == "announce":
                over = end_of_period(clock.now(), 7, "working", count_first_day=True).ends_at
                act.notice = SimpleNamespace(objections_end=over)  # type: ignore[assignment]
            if name == "confirm":
                assert clock.now() > act.notice.objections_end

        for name, _days in kind.path:
            setattr(act, name, partial(play, name))
        act.diary.at(datetime(2026, 1, 1, 18, tzinfo=clock.TZ) + timedelta(days=days), act.walk)
        act.diary.run()
        assert [name for name, _moment in played] == [name for name, _days in kind.path]
        assert all(one <= other for (_a, one), (_b, other) in pairwise(played))


# --- the ground


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.GONGCHUANG_HOME = tmp_path
    return tmp_path


@pytest.mark.django_db
def test_an_empty_database_is_told_from_one_half_loaded_and_one_loaded(folder: Path) -> None:
    assert ground.found() is Ground.EMPTY
    user = person()
    assert ground.found() is Ground.HALF
    ground.remember([(user.username, user.name, "经办")])
    assert ground.found() is Ground.LOADED
    assert ground.accounts() == [(user.username, user.name, "经办")]


@pytest.mark.django_db
def test_a_mark_of_another_database_does_not_count(folder: Path) -> None:
    person()
    ground.remember([("somebody-else", "某人", "经办")])
    assert ground.found() is Ground.HALF


@pytest.mark.django_db
@pytest.mark.parametrize("options", [[], ["--reset"]])
def test_real_accounts_are_neither_loaded_over_nor_wiped(folder: Path, options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground, "wipe", lambda: pytest.fail("wiped"))
    person()
    User.objects.create(username="clerk", email="clerk@example.gov.cn")
    with pytest.raises(CommandError, match="非演示账号"):
        call_command("demo", "--no-serve", *options)
    assert User.objects.count() == 2


@pytest.mark.django_db
def test_a_half_loaded_story_asks_for_a_reset(folder: Path) -> None:
    person()
    with pytest.raises(CommandError, match="--reset"):
        call_command("demo", "--no-serve")


@pytest.mark.django_db
def test_outside_a_demonstration_the_command_refuses(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="不是演示环境"):
        call_command("demo", "--no-serve")


@pytest.mark.django_db
def test_a_breach_ends_the_command_with_an_error_that_names_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = person()
    ground.remember([(user.username, user.name, "经办")])
    monkeypatch.setattr(checks, "breaches", lambda: ["YX-2026-01：账不平"])
    with pytest.raises(CommandError, match="账不平") as failed:
        call_command("demo", "--no-serve")
    assert failed.value.returncode == 1


def test_acts_do_not_write_states() -> None:
    """The story's modules never assign or update a state: only the door does."""
    for path in Path(acts_of.__file__).parent.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert ".state =" not in text.replace(".state ==", ""), path
        assert "update(state" not in text, path
    assert issubclass(MicroAct, Act)


@pytest.mark.django_db
def test_a_taken_port_is_refused_before_anything_is_started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = person()
    ground.remember([(user.username, user.name, "经办")])
    monkeypatch.setattr(command, "Supervisor", lambda _children: pytest.fail("started"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CommandError, match="make demo PORT="):
            call_command("demo", port=taken.getsockname()[1])
