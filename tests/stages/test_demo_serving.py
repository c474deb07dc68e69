"""The supervisor: a child that dies is started again, a signal ends all, a stubborn one is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grants.desk.demo import serving
from grants.desk.demo.serving import Child, Supervisor

SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"]


def until(condition: object, seconds: float = 10) -> bool:
    """Whether it came true in time."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_a_killed_child_is_started_again_as_another_process() -> None:
    child = Child("web", SLEEPS)
    child.start()
    assert child.process is not None
    first = child.process.pid
    child.process.kill()
    child.process.wait()
    said = child.look()
    assert said is not None
    assert "web ended (-9)" in said
    assert until(lambda: child.look() is None and child.process is not None)
    assert child.process.pid != first
    child.end()
    child.wait(time.monotonic() + 5)


def test_a_child_that_keeps_dying_waits_longer_each_time() -> None:
    child = Child("web", [sys.executable, "-c", "raise SystemExit(3)"])
    waits = []
    for _ in range(3):
        child.start()
        assert child.process is not None
        child.process.wait()
        child.look()
        waits.append(child.again_at - time.monotonic())
    assert waits[0] < waits[1] < waits[2]
    assert child.crashes == 3


def test_a_child_deaf_to_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Child("deaf", DEAF)
    child.process = subprocess.Popen(DEAF, stdout=subprocess.PIPE)
    assert child.process.stdout is not None
    child.process.stdout.readline()
    child.end()
    child.wait(time.monotonic() + 0.3)
    assert child.process.returncode == -signal.SIGKILL
    child.process.stdout.close()


def test_sigterm_to_the_supervisor_ends_every_child(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        "import os, sys, time\n"
        "from grants.desk.demo.serving import Child, Supervisor\n"
        f"one, two = (Child(n, {SLEEPS!r}) for n in 'ab')\n"
        "class Loud(Child):\n"
        "    def start(self):\n"
        "        super().start(); print(self.process.pid, flush=True)\n"
        "Supervisor([Loud('a', one.command), Loud('b', two.command)]).run()\n",
        encoding="utf-8",
    )
    env = {**os.environ, "PYTHONPATH": str(Path(serving.__file__).parents[3]), "DJANGO_SETTINGS_MODULE": "grants.config.settings"}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=env, text=True) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline()) for _ in range(2)]
        process.terminate()
        assert process.wait(15) == 0
    assert until(lambda: not any(_alive(pid) for pid in pids))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_children_are_the_web_server_on_that_port_and_the_worker() -> None:
    web, worker = serving.children("127.0.0.1", 8123)
    assert "127.0.0.1:8123" in web.command
    assert "grants.config.wsgi" in web.command
    assert worker.command[-1] == "worker"
    assert Supervisor([web, worker]).stopping is False
