"""400 payment orders while workers, the person and the database are killed: each is paid exactly once, none stays unknown (integrity §7.3)."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.kills
CHILD = Path(__file__).with_name("child.py")
KILLS = 200


class Server:
    """A private PostgreSQL in a folder, that may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        assert found, "PostgreSQL's server programs are needed (.ci/postgres installs them)"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"postgres://postgres@127.0.0.1:{port}/postgres"
        self.as_owner = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=60"
        start = [*self.as_owner, str(found[-1] / "pg_ctl"), "-D", str(self.data), "-l", str(folder / "log"), "-w", "-o", f"'{options}'", "start"]
        self.start_line = f"cd / && rm -f {self.data}/postmaster.pid; for i in 1 2 3 4 5 6 7 8 9; do {' '.join(start)} >/dev/null 2>&1 && break; sleep 0.3; done"
        self.stop = [*self.as_owner, str(found[-1] / "pg_ctl"), "-D", str(self.data), "-m", "immediate", "stop"]
        self._run(*self.as_owner, str(found[-1] / "initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    def start(self) -> None:
        subprocess.run(["/bin/sh", "-c", self.start_line], check=True)


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    folder = Path("/tmp") / f"gongchuang-kills-{os.getpid()}"
    folder.mkdir(mode=0o777)
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    server = Server(folder)
    server.start()
    home = tmp_path_factory.mktemp("home")
    (folder / "bank" / "paid").mkdir(parents=True)
    environment = {
        **os.environ, "DATABASE_URL": server.url, "GONGCHUANG_HOME": str(home), "GONGCHUANG_DEMO": "1", "FAKE_BANK": str(folder / "bank"), "EARNED": str(folder / "bank" / "earned"),
        "START_SERVER": server.start_line, "LOG_LEVEL": "CRITICAL", "DJANGO_SETTINGS_MODULE": "grants.config.settings",
    }  # fmt: skip
    try:
        yield folder, environment
    finally:
        subprocess.run(server.stop, check=False, capture_output=True, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


def child(environment: dict[str, str], *words: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, str(CHILD), *words], env=environment, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_every_order_is_paid_exactly_once_under_two_hundred_kills(site: tuple[Path, dict[str, str]]) -> None:
    folder, environment = site
    (folder / "who.json").write_text(json.dumps(child(environment, "prepare", str(folder))))
    found = child(environment, "run", str(folder), str(KILLS), os.environ.get("KILL_SEED", "5"))
    print(json.dumps(found))
    assert sum(found["kills"].values()) >= KILLS, "the orders were done before enough was killed"
    assert min(found["kills"].get(kind, 0) for kind in ("worker", "person", "connection", "server")) > 0
    assert found["orders"] == found["at_bank"] == 400
    assert not found["not_paid_at_bank"] and not found["paid_beside"] and not found["wrong_amount"]
    assert not found["not_paid_here"], "unknown after reconciliation"
    assert found["silent"] > 0, "no attempt was killed in its middle: the test proved nothing"
    assert found["log"] == ""
