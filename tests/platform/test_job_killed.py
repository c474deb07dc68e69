"""A job whose worker is killed in the middle: what was done stays, the item in hand is done once, by the next worker or by 续办."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import template

CHILD = Path(__file__).with_name("job_child.py")
ITEMS = "select count(*), sum(done_at is not null), sum(failed_at is not null) from workflow_jobitem"
LETTERS = "select count(*) from notifications_message where template = 'note'"
FINISHED = "select finished_at is not null from workflow_bulkjob"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a migrated database file."""
    template.lay(tmp_path / "killed.sqlite3")
    return tmp_path


def run(home: Path, moment: str) -> int:
    """A process of its own on the database in `home`; its exit code (minus the signal when killed)."""
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{home}/killed.sqlite3", "GONGCHUANG_HOME": str(home), "GONGCHUANG_DEMO": "1"}
    done = subprocess.run([sys.executable, str(CHILD), moment], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def one(home: Path, question: str) -> tuple[Any, ...]:
    with sqlite3.connect(f"file:{home}/killed.sqlite3?mode=ro", uri=True) as database:
        return tuple(database.execute(question).fetchone())


@pytest.mark.slow
def test_a_job_survives_sigkill_and_does_nothing_twice(home: Path) -> None:
    """SIGKILL after the third letter and before its mark: two done; the next worker does the third again, once, and the rest."""
    assert run(home, "start") == 0
    assert run(home, "die") == -signal.SIGKILL
    assert one(home, ITEMS) == (5, 2, 0)
    assert one(home, LETTERS) == (2,), "the letter of the killed attempt was rolled back"
    assert run(home, "finish") == 0
    assert one(home, ITEMS) == (5, 5, 0)
    assert one(home, LETTERS) == (5,)
    assert one(home, FINISHED) == (1,)


@pytest.mark.slow
def test_resuming_does_not_wait_for_the_dead_workers_lease(home: Path) -> None:
    """The lease of the killed item runs for minutes; whoever presses 续办 has the job done now, and still nothing twice."""
    assert run(home, "start") == 0
    assert run(home, "hold") == -signal.SIGKILL
    assert run(home, "finish") == 0
    assert one(home, ITEMS) == (5, 4, 0), "the held item waits for its lease"
    assert run(home, "resume") == 0
    assert one(home, ITEMS) == (5, 5, 0)
    assert one(home, LETTERS) == (5,)
