"""Reading the environment: typed, and refusing what it cannot read instead of guessing.

A mistyped `DEBUG=flase` must not quietly mean "on" or "off". This module imports no Django, so settings can use it.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off", ""}
DEMO_MARK = "demo-secret-key"


class BadEnvironment(ValueError):
    """A variable is set to something that cannot be read. The sentence names it, what was found and what is accepted."""

    def __init__(self, name: str, found: str, accepted: str) -> None:
        chinese = f"环境变量 {name}={found!r} 无法识别,可用:{accepted}。"
        super().__init__(f"{chinese}/ {name}={found!r} is not understood; use {accepted}.")
        self.name = name


def text(name: str, default: str = "") -> str:
    """The variable without surrounding blanks; `default` when unset."""
    return os.environ.get(name, default).strip()


def flag(name: str, *, default: bool = False) -> bool:
    """A yes-or-no variable (1/true/yes/on, 0/false/no/off/empty). Raises BadEnvironment for anything else."""
    found = os.environ.get(name)
    if found is None:
        return default
    lowered = found.strip().lower()
    if lowered in _YES:
        return True
    if lowered in _NO:
        return False
    raise BadEnvironment(name, found, "1/true/yes/on, 0/false/no/off")


def number(name: str, default: int, *, least: int = 0) -> int:
    """A whole number of at least `least`. Raises BadEnvironment."""
    found = text(name)
    if not found:
        return default
    if not found.isascii() or not found.isdigit() or int(found) < least:
        raise BadEnvironment(name, found, f"≥ {least} 的整数 / a whole number ≥ {least}")
    return int(found)


def words(name: str, default: list[str] | None = None) -> list[str]:
    """A comma-separated list without blanks and empty entries."""
    if name not in os.environ:
        return list(default or [])
    return [word.strip() for word in os.environ[name].split(",") if word.strip()]


def data_folder(default: Path) -> Path:
    """The one folder that holds all state (`GONGCHUANG_HOME`), made readable by its owner only when it is new."""
    folder = Path(text("GONGCHUANG_HOME") or default).expanduser().absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def is_demo(folder: Path) -> bool:
    """Whether this is a demonstration: `GONGCHUANG_DEMO` says so, or nothing is said and the demo made this folder.

    The second case lets `manage.py ledger verify` run on the demo's folder without any variable. Whoever sets SECRET_KEY
    means it seriously; the start-up check then refuses a folder whose accounts have public passwords.
    """
    if "GONGCHUANG_DEMO" in os.environ:
        return flag("GONGCHUANG_DEMO")
    return not text("SECRET_KEY") and (folder / DEMO_MARK).is_file()


def demo_secret(folder: Path) -> str:
    """The demonstration's secret key: random, made once, kept beside its data with mode 0600; marks the folder as a demo's."""
    kept = folder / DEMO_MARK
    if not kept.exists():
        _keep_once(kept, secrets.token_urlsafe(64))
    return kept.read_text(encoding="ascii")


def _keep_once(kept: Path, value: str) -> None:
    """Write a file that appears whole or not at all; of two processes that start at once, one wins and both read the same."""
    draft = kept.with_name(f".{kept.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(value)
    try:
        os.link(draft, kept)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
