"""The ground the demonstration stands on: is it loaded, half loaded, or somebody's real data? Wiping asks first."""

from __future__ import annotations

import json
import shutil
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from grants.people.models import User

MARK = "demo-loaded.json"
FOLDERS = ("files", "mail", "keys", "arriving")
"""What belongs to the database being wiped. The secret, which marks the folder as a demonstration's, and fonts stay."""


class Ground(StrEnum):
    """What was found in the database."""

    EMPTY = "empty"
    LOADED = "loaded"
    HALF = "half"
    REAL = "real"


def mark() -> Path:
    return Path(settings.GONGCHUANG_HOME) / MARK


def found() -> Ground:
    """What the database holds; it must be migrated. A single account with another address makes it real."""
    users = User.objects.all()
    if not users.exists():
        return Ground.EMPTY
    if users.exclude(email__endswith=f"@{settings.DEMO_MAIL_DOMAIN}").exists():
        return Ground.REAL
    return Ground.LOADED if mark().is_file() and User.objects.filter(username=_marked()).exists() else Ground.HALF


def remember(accounts: list[tuple[str, str, str]]) -> None:
    """Write down that the story was told to its end, with the accounts by role."""
    mark().write_text(json.dumps({"accounts": accounts}, ensure_ascii=False, indent=1), encoding="utf-8")


def accounts() -> list[tuple[str, str, str]]:
    """(user name, person, role) as remembered."""
    return [(a, b, c) for a, b, c in json.loads(mark().read_text(encoding="utf-8"))["accounts"]]


def _marked() -> str:
    return accounts()[-1][0]


def wipe() -> None:
    """Empty database and data folder. The caller has made sure that nothing real is in them."""
    mark().unlink(missing_ok=True)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
    else:
        _wipe_sqlite()
    for name in FOLDERS:
        shutil.rmtree(Path(settings.GONGCHUANG_HOME) / name, ignore_errors=True)
    Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir(mode=0o700, exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)


def _wipe_sqlite() -> None:
    path = Path(str(connection.settings_dict["NAME"]))
    connection.close()
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)

