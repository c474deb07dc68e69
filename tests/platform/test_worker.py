"""The embedded worker and the outbox: what a committed step promised is done once, whoever is killed, whatever fails."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from grants.workflow import effects
from grants.workflow.effects import Effect, Job
from grants.workflow.models import Outbox
from grants.workflow.worker import Chore, Worker
from tests import template

CHILD = Path(__file__).with_name("worker_child.py")
ran: list[str] = []


# --- killed for real, on a database file -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("killed")
    template.lay(made / "killed.sqlite3")
    return made


def run(home: Path, moment: str) -> int:
    """A process of its own on the database in `home`; its exit code (minus the signal when killed)."""
    database = f"sqlite:///{home}/killed.sqlite3"
    environment = {**os.environ, "DATABASE_URL": database, "GONGCHUANG_HOME": str(home), "GONGCHUANG_DEMO": "1"}
    done = subprocess.run([sys.executable, str(CHILD), moment], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def rows(home: Path, question: str) -> list[Any]:
    with sqlite3.connect(f"file:{home}/killed.sqlite3?mode=ro", uri=True) as database:
        return database.execute(question).fetchall()


PROMISED = "select attempts, done_at is not null from workflow_outbox where task = 'test.letter'"
LETTERS = "select count(*) from notifications_message where template = 'test'"


@pytest.mark.slow
def test_an_effect_happens_once_although_its_worker_is_killed_twice(home: Path) -> None:
    """SIGKILL between commit and effect; SIGKILL inside the effect after its writes; then a third process finishes it, once.

    After the first kill the promise stands and nothing was written. After the second the letter of the killed attempt is rolled back.
    A fourth process finds nothing to do.
    """
    assert run(home, "prepare") == 0
    assert run(home, "commit") == -signal.SIGKILL
    assert rows(home, "select state from people_organisation") == [("returned",)]
    assert (rows(home, PROMISED), rows(home, LETTERS)) == ([(0, 0)], [(0,)])
    assert run(home, "effect") == -signal.SIGKILL
    assert (rows(home, PROMISED), rows(home, LETTERS)) == ([(1, 0)], [(0,)])
    assert run(home, "drain") == 0
    assert (rows(home, PROMISED), rows(home, LETTERS)) == ([(2, 1)], [(1,)])
    assert run(home, "drain") == 0
    assert (rows(home, PROMISED), rows(home, LETTERS)) == ([(2, 1)], [(1,)])


# --- what fails, waits; what waits, is done --------------------------------------------------------------------------------


@pytest.fixture
def promised(db: None, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """One row of the effect `test.count`."""
    ran.clear()
    monkeypatch.setitem(effects._effects, "test.count", Effect("test.count", lambda job: ran.append(job.key), slow=False, says="count"))
    return Outbox.objects.create(
        task="test.count", subject="x:1", object_id=uuid4(), event_id=1, key="test.count/1", due_at=effects.real_now()
    )


def test_a_row_is_delivered_once_however_often_it_is_sent(promised: Outbox) -> None:
    assert [effects.deliver(promised.pk) for _ in range(3)] == [1, 0, 0]
    assert ran == ["test.count/1"]


def test_a_held_row_is_left_to_its_holder_until_the_lease_runs_out(promised: Outbox) -> None:
    Outbox.objects.update(lease_until=effects.real_now() + timedelta(minutes=1))
    assert effects.drain() == 0
    Outbox.objects.update(lease_until=effects.real_now() - timedelta(seconds=1))
    assert effects.drain() == 1


def test_a_failing_effect_is_rolled_back_kept_with_its_error_and_tried_again_later(
    promised: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing it wrote stays; the next look is later and later, and after twelve attempts a person must look."""

    def broken(job: Job) -> None:
        Outbox.objects.create(task="test.count", subject="y", object_id=uuid4(), event_id=2, key="half", due_at=effects.real_now())
        raise OSError("printer on fire")

    monkeypatch.setitem(effects._effects, "test.count", Effect("test.count", broken, slow=False, says="broken"))
    assert effects.drain() == 0
    row = Outbox.objects.get()
    assert (row.attempts, row.done_at, row.error) == (1, None, "OSError: printer on fire")
    assert row.due_at > effects.real_now()
    Outbox.objects.update(attempts=effects.MAX_ATTEMPTS - 1, due_at=effects.real_now())
    effects.drain()
    assert Outbox.objects.get().failed_at is not None
    Outbox.objects.update(due_at=effects.real_now())
    assert effects.drain() == 0


def test_a_slow_result_that_came_too_late_is_dropped(promised: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease ran out while rendering and another worker finished: the second result is not written."""

    def slow(job: Job) -> Any:
        Outbox.objects.filter(pk=promised.pk).update(attempts=9, done_at=effects.real_now())  # the other worker, meanwhile
        return lambda: ran.append("late")

    monkeypatch.setitem(effects._effects, "test.count", Effect("test.count", slow, slow=True, says="slow"))
    effects.deliver(promised.pk)
    assert ran == []


def test_a_step_that_is_rolled_back_promises_nothing(promised: Outbox) -> None:
    class Thing:
        subject, pk = "x:2", uuid4()

    with pytest.raises(RuntimeError), transaction.atomic():
        effects.schedule(["test.count"], Thing(), 77)
        raise RuntimeError
    assert Outbox.objects.count() == 1


# --- the worker's turn -----------------------------------------------------------------------------------------------------


def beat() -> None:
    ran.append("beat")


def trip() -> None:
    ran.append("trip")
    raise RuntimeError


def test_a_turn_keeps_the_chores_that_are_due_and_drains_the_outbox(promised: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chore that fails stops neither the others nor the effects; none runs before its time."""
    monkeypatch.setattr(Chore, "function", lambda self: {"beat": beat, "trip": trip}[self.name])
    monkeypatch.setattr("grants.workflow.worker.close_old_connections", lambda: None)  # the test's transaction lives on it
    worker = Worker([Chore("trip", "x", 60), Chore("beat", "x", 60)])
    assert worker.turn() == 1
    assert ran == ["trip", "beat", "test.count/1"]
    assert worker.turn() == 0
    assert ran == ["trip", "beat", "test.count/1"]


def test_a_worker_that_is_told_to_stop_ends() -> None:
    worker = Worker([], idle=0)
    worker.stop()
    handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        worker.run()
    finally:
        signal.signal(signal.SIGTERM, handlers[0])
        signal.signal(signal.SIGINT, handlers[1])
    assert worker.stopping


def test_every_chore_of_the_schedule_can_be_called() -> None:
    from grants.config import schedule

    chores = next(v for v in vars(schedule).values() if isinstance(v, list | tuple) and v and isinstance(v[0], Chore))
    assert all(callable(chore.function()) for chore in chores)
