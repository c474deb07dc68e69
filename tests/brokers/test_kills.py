"""Effects over real brokers: whoever is killed and whenever the broker is away, each promised effect is done once."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

pytestmark = pytest.mark.brokers
ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("child.py")
STEPS, KILLS = 40, 3
PATIENCE = 180  # seconds until a stuck effect fails the test; normal runs take a tenth


KEY = base64.urlsafe_b64encode(bytes(32)).decode()
"""The processes of all sites read one database, so they share the key of its encrypted columns, as hosts do."""


class Site:
    """One database, one broker, and the processes on them."""

    def __init__(self, broker: str, home: Path) -> None:
        self.database = os.environ["TEST_DATABASE_URL"]
        self.environment = {
            **os.environ, "DATABASE_URL": self.database, "CELERY_BROKER_URL": broker, "GONGCHUANG_HOME": str(home), "GONGCHUANG_VAULT_KEY": KEY,
            "GONGCHUANG_DEMO": "1", "TEST_QUEUE": f"test-{uuid4().hex[:12]}",
        }  # fmt: skip

    def run(self, *words: str) -> None:
        done = subprocess.run([sys.executable, str(CHILD), *words], env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        log = subprocess.DEVNULL
        return subprocess.Popen([sys.executable, *command], env=self.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)

    @contextmanager
    def process(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Killed at the end with its children, as the kernel kills."""
        started = self.start(*command)
        try:
            yield started
        finally:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()

    def worker(self) -> Any:
        return self.process("-m", "celery", "-A", "tests.brokers.child", "worker", "--concurrency", "2", "--loglevel", "ERROR")

    def ask(self, question: str) -> Any:
        with psycopg.connect(self.database) as connection:
            return connection.execute(question).fetchall()  # type: ignore[call-overload]

    def done(self) -> int:
        return int(self.ask("select count(*) from workflow_outbox where task like 'test.%' and done_at is not null")[0][0])

    def until(self, done: int) -> None:
        """Wait for so many effects, as long as patience lasts."""
        end = time.monotonic() + PATIENCE
        while self.done() < done:
            assert time.monotonic() < end, self.ask("select task, attempts, error from workflow_outbox where done_at is null limit 5")
            time.sleep(0.1)


@pytest.fixture(params=["TEST_REDIS_URL", "TEST_AMQP_URL"], ids=["redis", "rabbitmq"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    made = Site(os.environ[request.param], tmp_path)
    made.run("prepare")
    yield made
    made.ask("delete from workflow_outbox where task like 'test.%' returning 1")
    made.ask("delete from notifications_message where template like 'test%' returning 1")


def test_every_effect_happens_once_although_its_workers_are_killed(site: Site) -> None:
    """80 effects of 40 committed steps; the worker and all its children get SIGKILL three times in their midst."""
    site.run("commit", str(STEPS))
    with site.process(str(CHILD), "sweep"):
        for kill in range(1, KILLS + 1):
            with site.worker():
                site.until(kill * 2 * STEPS // (KILLS + 1))
        with site.worker():
            site.until(2 * STEPS)
    assert site.done() == 2 * STEPS
    told = site.ask("select template, count(*), count(distinct subject) from notifications_message where template like 'test%' group by 1 order by 1")
    assert told == [("test", STEPS, STEPS), ("test-paper", STEPS, STEPS)]


def test_steps_commit_while_the_broker_is_away_and_their_effects_follow(site: Site) -> None:
    """Nobody listens where the broker should be: the step is not held up; once it is back the sweeper sends what was promised."""
    away = Site("redis://127.0.0.1:1/0", Path(site.environment["GONGCHUANG_HOME"]))
    away.run("commit", "3")
    assert site.done() == 0
    with site.process(str(CHILD), "sweep"), site.worker():
        site.until(6)
    assert site.ask("select count(*) from notifications_message where template like 'test%'") == [(6,)]
