"""The whole demonstration backed up as docs/operations.md says for SQLite, while nobody stops it, and restored elsewhere."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.world.demonstration import manage_demo

pytestmark = pytest.mark.slow
DATABASE = "gongchuang.sqlite3"


def test_the_demonstration_restored_from_its_backup_verifies(demo_home: Path, tmp_path: Path) -> None:
    """Database first, then files, keys from their own place: the log is whole, every file has its hash. One flipped byte of a file is found."""
    backup, home = tmp_path / "backup", tmp_path / "home"
    backup.mkdir()
    home.mkdir(mode=0o700)
    with sqlite3.connect(demo_home / DATABASE) as used, sqlite3.connect(backup / DATABASE) as copy:
        used.backup(copy)
    shutil.copytree(demo_home / "files", backup / "files")
    shutil.copy(backup / DATABASE, home / DATABASE)
    shutil.copytree(backup / "files", home / "files")
    shutil.copytree(demo_home / "keys", home / "keys")
    said = manage_demo(home, "ledger", "verify")
    assert said.returncode == 0 and "台账完整" in said.stdout, said.stderr
    assert manage_demo(home, "files", "check").returncode == 0
    with sqlite3.connect(home / DATABASE) as copy:
        copy.execute("DROP TRIGGER ledger_auditevent_no_update")
        copy.execute(
            "UPDATE ledger_auditevent SET leaf = cast(leaf || x'20' AS blob) WHERE id = (SELECT min(id) FROM ledger_auditevent)"
        )
    found = manage_demo(home, "ledger", "verify")
    assert found.returncode == 1 and "altered" in found.stderr
    paper = next(path for path in sorted((home / "files").rglob("*")) if path.is_file())
    paper.chmod(0o600)
    paper.write_bytes(paper.read_bytes()[:-1] + b"\0")
    checked = manage_demo(home, "files", "check")
    assert checked.returncode == 1 and paper.parent.name + paper.name in checked.stdout
