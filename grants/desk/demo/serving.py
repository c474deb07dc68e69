"""Web server and worker as children of one supervisor: what dies is started again, SIGTERM ends all cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from django.conf import settings

PATIENCE = 20.0
"""Seconds that a child has to end after SIGTERM."""
SETTLED = 10.0
"""Seconds of life after which a crash counts as new."""


@dataclass
class Child:
    """One process to keep alive."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    crashes: int = 0
    again_at: float = 0.0

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=settings.BASE_DIR)  # noqa: S603 - fixed words and a port number
        self.started = time.monotonic()

    def look(self) -> str | None:
        """Restart when it has died, ever slower while it keeps dying; returns what to say about it."""
        if self.process is None:
            if time.monotonic() >= self.again_at:
                self.start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        lived = time.monotonic() - self.started
        self.crashes = 1 if lived > SETTLED else self.crashes + 1
        self.again_at = time.monotonic() + min(2.0 ** (self.crashes - 1), 30.0)
        self.process = None
        return f"{self.name} ended ({code}) after {lived:.0f} s; starting it again"

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, until: float) -> None:
        """Until it has ended; killed when it does not."""
        if self.process is None:
            return
        try:
            self.process.wait(max(until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Keeps its children until told to stop."""

    def __init__(self, children: list[Child]) -> None:
        self.children = children
        self.stopping = False

    def stop(self, _signum: int = 0, _frame: FrameType | None = None) -> None:
        self.stopping = True

    def run(self) -> None:
        """Blocks until SIGTERM or SIGINT; then every child is ended and waited for."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        for child in self.children:
            child.start()
        try:
            while not self.stopping:
                for child in self.children:
                    if said := child.look():
                        sys.stderr.write(f"{said}\n")
                time.sleep(0.3)
        finally:
            self._end()

    def _end(self) -> None:
        until = time.monotonic() + PATIENCE
        for child in self.children:
            child.end()
        for child in self.children:
            child.wait(until)


def children(host: str, port: int) -> list[Child]:
    """The web server and the worker, in this very environment. Two web threads per core are plenty for one machine's visitors."""
    os.environ["GONGCHUANG_DEMO"] = "1"
    os.environ["GONGCHUANG_HOME"] = str(settings.GONGCHUANG_HOME)
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    web = [sys.executable, "-m", "gunicorn", "grants.config.wsgi", "--bind", f"{host}:{port}", "--workers", "2", "--threads", "4"]
    web += ["--worker-class", "gthread", "--graceful-timeout", "10", "--log-level", "warning"]
    return [Child("web", web), Child("worker", [sys.executable, manage, "worker"])]
