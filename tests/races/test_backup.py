"""A backup as docs/operations.md describes it, restored into a fresh PostgreSQL: the log verifies, what was encrypted opens, tampering is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from grants import ledger
from grants.documents.files import store
from grants.ledger import keys
from tests.platform import ledger_book as bk
from tests.world import people

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
ASK = (
    "from grants.people.models import Organisation, User; print(Organisation.objects.get().account_number, User.objects.count())"
)


def address(name: str) -> str:
    """This test's server, another database."""
    return urlunsplit(urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{name}"))


@pytest.fixture
def fresh() -> Iterator[str]:
    """An empty database on the same server; gone afterwards."""
    if connection.vendor != "postgresql":
        pytest.fail("proven on PostgreSQL; set TEST_DATABASE_URL (make test-races)")
    name = f"restored_{uuid4().hex[:12]}"
    with psycopg.connect(address("postgres"), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        yield name
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def manage(home: Path, database: str, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GONGCHUANG_HOME": str(home), "DATABASE_URL": address(database), "GONGCHUANG_DEMO": "1"}
    program = str(Path(settings.BASE_DIR) / "manage.py")
    return subprocess.run([sys.executable, program, *words], env=env, capture_output=True, text=True, timeout=300, check=False)


def test_a_dump_restored_into_a_fresh_database_verifies_and_a_tampered_one_does_not(fresh: str, tmp_path: Path) -> None:
    """pg_dump and pg_restore, files and keys beside; one altered entry of the copy is found although its triggers were restored too."""
    people.body(people.office())
    with transaction.atomic():
        bk.write(6)
        store("一份材料".encode(), name="材料.txt", allowed={"txt"}, max_bytes=1000)
    ledger.checkpoint()
    dump, home = tmp_path / "gongchuang.dump", tmp_path / "home"
    subprocess.run(["pg_dump", "--format=custom", f"--file={dump}", address(connection.settings_dict["NAME"])], check=True)
    shutil.copytree(Path(settings.GONGCHUANG_HOME) / "files", home / "files")
    shutil.copytree(keys.private_path().parent, home / "keys")
    home.chmod(0o700)
    subprocess.run(["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={address(fresh)}", dump], check=True)

    said = manage(home, fresh, "ledger", "verify")
    assert said.returncode == 0 and "台账完整" in said.stdout, said.stderr
    assert "trigger" not in said.stderr, "the triggers came with the dump"
    assert manage(home, fresh, "migrate", "--check").returncode == 0
    opened = manage(home, fresh, "shell", "--no-imports", "-c", ASK)
    assert opened.stdout.split()[0] == "6217000010001234567", opened.stderr
    checked = manage(home, fresh, "files", "check")
    assert checked.returncode == 0 and "共 1 个文件，0 个有问题" in checked.stdout, checked.stdout

    with psycopg.connect(address(fresh), autocommit=True) as copy:
        with pytest.raises(psycopg.Error, match="append-only"):
            copy.execute("UPDATE ledger_auditevent SET leaf = 'x' WHERE id = (SELECT max(id) FROM ledger_auditevent)")
        copy.execute("ALTER TABLE ledger_auditevent DISABLE TRIGGER USER")
        copy.execute("UPDATE ledger_auditevent SET leaf = leaf || ' '::bytea WHERE id = (SELECT max(id) FROM ledger_auditevent)")
    found = manage(home, fresh, "ledger", "verify")
    assert found.returncode == 1 and "altered" in found.stderr


def test_without_its_keys_a_restored_database_opens_nothing(fresh: str, tmp_path: Path) -> None:
    """A copy of the database alone is not a copy of the secrets: that is why keys are kept apart, and why they must be kept."""
    people.body(people.office())
    dump, home = tmp_path / "gongchuang.dump", tmp_path / "home"
    home.mkdir(mode=0o700)
    subprocess.run(["pg_dump", "--format=custom", f"--file={dump}", address(connection.settings_dict["NAME"])], check=True)
    subprocess.run(["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={address(fresh)}", dump], check=True)
    opened = manage(home, fresh, "shell", "--no-imports", "-c", ASK)
    assert opened.returncode != 0 and "6217000010001234567" not in opened.stdout + opened.stderr
