"""One migrated database for all test processes: the first that needs it migrates, the others copy (migrating costs fifteen CPU seconds).

Loaded by pytest only (`addopts`). A copy is as good as migrating anew, because its name is the hash of everything that decides what migrating
makes: every migration of every installed app, and the modules of ours that migrations import. Change one of them and there is no copy. After
copying, Django's own `migrate` runs as ever: it applies what would be missing, and `post_migrate` makes permissions, triggers and the site's row.

SQLite: a file in pytest's cache folder (without one, in the temporary folder of this run). PostgreSQL: a database of the same server, used
as TEMPLATE. One process builds, the others wait for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError

ROOT = Path(__file__).resolve().parents[1]
OURS = re.compile(r"^\s*(?:from ((?:grants|bidding|review)[\w.]*) import ([\w, ]+)|import ((?:grants|bidding|review)[\w.]*))", re.MULTILINE)
PREFIX = "gongchuang_template_"
GATES = {"db", "transactional_db", "django_db_setup", "live_server"}
FOLDER = "GONGCHUANG_TEST_TEMPLATES"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-only", action="store_true", help="only tests that may ask a database: the others prove nothing new on another one")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """pytest-django refuses a test every query unless it asks for a database by mark or fixture; who does not ask cannot depend on which one."""
    if config.getoption("--database-only"):
        left = [item for item in items if not _may_ask(item)]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if _may_ask(item)]


def _may_ask(item: pytest.Item) -> bool:
    return item.get_closest_marker("django_db") is not None or not GATES.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Wrap the making of test databases once for the whole run."""
    from django.db.backends.base.creation import BaseDatabaseCreation  # settings must be configured first

    cache = getattr(config, "cache", None)
    folder = cache.mkdir("database") if cache else Path(os.environ["GONGCHUANG_HOME"])
    os.environ[FOLDER] = str(folder)
    make = BaseDatabaseCreation.create_test_db

    def create_test_db(self: Any, *args: Any, **more: Any) -> str:
        template = TEMPLATES[self.connection.vendor](self, folder)
        with _one_at_a_time(self.connection.vendor):
            name: str = template.copied(lambda: make(self, *args, **more))
            template.keep()
            return name

    BaseDatabaseCreation.create_test_db = create_test_db  # type: ignore[method-assign]


def lay(database: Path) -> None:
    """Put the migrated SQLite file where a process of a test's own will look for its database; without one it migrates by itself."""
    kept = Path(os.environ[FOLDER]) / f"{fingerprint()}.sqlite3"
    if kept.exists():
        shutil.copyfile(kept, database)


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """Also across checkouts: a template is not dropped while another one's tests are about to copy it."""
    with (Path(tempfile.gettempdir()) / f"{PREFIX}{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def decides() -> Iterator[Path]:
    """Every file on which the migrated database depends, each once."""
    from django.apps import apps

    files = [f for app in apps.get_app_configs() for f in sorted(Path(app.path).glob("migrations/*.py"))]
    yield from files
    named = {name for f in files if ROOT in f.parents for name in _imported(f.read_text("utf-8"))}
    yield from sorted({Path(s.origin) for s in map(_spec, named) if s and s.origin})


def _imported(source: str) -> Iterator[str]:
    for package, names, module in OURS.findall(source):
        yield package or module
        yield from (f"{package}.{name.strip()}" for name in names.split(",") if name.strip())


def _spec(name: str) -> Any:
    try:
        return find_spec(name)
    except ModuleNotFoundError:  # the name of a function, not of a module
        return None


@cache
def fingerprint() -> str:
    """Hexadecimal, of `decides()` and the versions of Python, Django and SQLite."""
    import django

    seen = hashlib.sha256(repr((sys.version, django.VERSION, sqlite3.sqlite_version)).encode())
    for path in decides():
        seen.update(f"\0{path.parent.parent.name}/{path.name}\0".encode() + path.read_bytes())
    return seen.hexdigest()[:20]


class InFile:
    """SQLite. creation: Django's, of the connection whose test database is made."""

    def __init__(self, creation: Any, folder: Path) -> None:
        self.creation, self.name, self.folder = creation, fingerprint(), folder
        self.file = folder / f"{self.name}.sqlite3"

    def copied(self, make: Callable[[], str]) -> str:
        """Django's own making; its empty database is filled before `migrate` looks at it."""
        if not self.file.exists():
            return make()
        empty, held = self.creation._create_test_db, []

        def filled(*args: Any, **more: Any) -> str:
            name: str = empty(*args, **more)
            held.append(sqlite3.connect(name, uri=True))  # a database in memory lives as long as somebody is connected
            with closing(sqlite3.connect(self.file)) as kept:
                kept.backup(held[0])
            return name

        self.creation._create_test_db = filled
        try:
            return make()
        finally:
            del self.creation._create_test_db
            for each in held:
                each.close()

    def keep(self) -> None:
        """For the next process; what other migrations made is of no use any more."""
        if self.file.exists():
            return
        new = self.file.with_suffix(f".{os.getpid()}")
        with closing(sqlite3.connect(new)) as kept:
            self.creation.connection.connection.backup(kept)
        for old in self.folder.glob("*.sqlite3"):
            old.unlink()
        new.replace(self.file)


class OnServer:
    """PostgreSQL: `CREATE DATABASE … TEMPLATE …`, a copy of files."""

    def __init__(self, creation: Any, folder: Path) -> None:
        self.creation, self.name = creation, fingerprint()
        self.database = PREFIX + self.name

    def copied(self, make: Callable[[], str]) -> str:
        if not self._there():
            return make()
        test = self.creation.connection.settings_dict["TEST"]
        before, test["TEMPLATE"] = test.get("TEMPLATE"), self.database
        try:
            return make()
        finally:
            test["TEMPLATE"] = before

    def keep(self) -> None:
        if self._there():
            return
        connection = self.creation.connection
        made = connection.settings_dict["NAME"]
        connection.close()  # nobody may be connected to what is copied
        with self.creation._nodb_cursor() as cursor:
            for old in self._others(cursor):
                with suppress(DatabaseError):  # somebody copies it just now
                    cursor.execute(f'DROP DATABASE "{old}"')
            with suppress(DatabaseError):  # the server itself looks into the new database (autovacuum): the next process makes the template
                cursor.execute(f'CREATE DATABASE "{self.database}" TEMPLATE "{made}"')
        connection.ensure_connection()

    def _others(self, cursor: Any) -> list[str]:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        return [row[0] for row in cursor.fetchall()]

    def _there(self) -> bool:
        with self.creation._nodb_cursor() as cursor:
            return self.creation._database_exists(cursor, self.database)


TEMPLATES = {"sqlite": InFile, "postgresql": OnServer}
