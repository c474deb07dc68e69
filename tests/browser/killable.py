"""A real server process on a database file: it can be killed, started again, and asked what it has kept."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.test import override_settings

from grants.vault.columns import decrypt
from tests import template

ROOT = Path(__file__).resolve().parents[2]


class Killable:
    """The site of `writing_site.py`. `call`, `bid`: ids; `signatory`, `editor`: user names."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.process = folder, None
        self.environment = {**os.environ, "GONGCHUANG_HOME": str(folder), "DATABASE_URL": "", "GONGCHUANG_DEMO": "1"}
        template.lay(folder / "gongchuang.sqlite3")
        made = subprocess.run(
            [sys.executable, "tests/browser/writing_site.py"], cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        )
        self.call, self.bid, self.signatory, self.editor = made.stdout.split()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve, and return once the port answers."""
        self.process: subprocess.Popen[bytes] | None = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", f"127.0.0.1:{self.port}", "--noreload"],
            cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError("the server did not start")

    def kill(self) -> None:
        """SIGKILL: no handler runs, no answer is finished."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _run(self, statement: str) -> list[Any]:
        with sqlite3.connect(self.folder / "gongchuang.sqlite3", timeout=20) as database:
            return database.execute(statement).fetchall()

    def answers(self) -> dict[str, Any]:
        """The answers of the one bid, as the database has them: sealed under the master key of the folder."""
        with override_settings(GONGCHUANG_HOME=self.folder, VAULT_KEY=""):
            found: dict[str, Any] = json.loads(decrypt(self._run("SELECT answers FROM bidding_bid")[0][0], "bidding_bid.answers"))
        return found

    def budget(self) -> list[tuple[Any, ...]]:
        """(category, name, unit price, quantity, source) of the budget's lines."""
        return self._run("SELECT category, name, unit_price, quantity, source FROM bidding_budgetline ORDER BY position, id")

    def end_sessions(self) -> None:
        """Everybody is signed out, as at the end of a working day."""
        self._run("DELETE FROM django_session")
