"""The embedded worker's schedule: every duty exists and runs, one that fails stops no other, and a stop is heard."""

from __future__ import annotations

from typing import Any

import pytest

from grants.config.schedule import CHORES
from grants.workflow import worker
from grants.workflow.worker import Chore, Worker

pytestmark = pytest.mark.django_db
ran: list[str] = []


def good() -> None:
    ran.append("good")


def bad() -> None:
    ran.append("bad")
    raise RuntimeError("the disk is full")


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is closed under the test's transaction, and no chore has run yet."""
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)
    ran.clear()


@pytest.mark.parametrize("chore", CHORES, ids=lambda chore: chore.name)
def test_each_chore_of_the_schedule_runs_on_an_empty_installation(chore: Chore) -> None:
    assert chore.every > 0
    chore.function()()


def test_the_names_of_the_schedule_are_distinct() -> None:
    """The worker keeps the next run by name."""
    assert len({chore.name for chore in CHORES}) == len(CHORES)


def test_one_chores_fault_does_not_stop_the_others() -> None:
    busy = Worker([Chore("bad", f"{__name__}.bad", 60), Chore("good", f"{__name__}.good", 60)])
    assert busy.turn() == 0
    assert ran == ["bad", "good"]


def test_a_chore_runs_again_only_after_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(worker.time, "monotonic", lambda: now[0])
    busy = Worker([Chore("good", f"{__name__}.good", 30)])
    for seconds in (0, 10, 19.9, 0.1, 1):
        now[0] += seconds
        busy.turn()
    assert ran == ["good", "good"], "at 0 s and at 30 s"


def test_a_stop_ends_the_loop_after_the_turn_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM's handler only notes the wish; the effect in hand is finished."""
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    busy = Worker([], idle=0.0)
    turns: list[Any] = []

    def turn() -> int:
        turns.append(1)
        if len(turns) == 3:
            busy.stop()
        return 1

    monkeypatch.setattr(busy, "turn", turn)
    busy.run()
    assert len(turns) == 3
