"""The whole demonstration as an installation of its own: loaded by the command, in a folder and a process apart from the tests' database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings


def manage_demo(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the demonstration's installation, on SQLite."""
    env = {**os.environ, "GONGCHUANG_HOME": str(home), "DATABASE_URL": "", "GONGCHUANG_DEMO": "1"}
    program = str(Path(settings.BASE_DIR) / "manage.py")
    return subprocess.run([sys.executable, program, *words], env=env, capture_output=True, text=True, timeout=900, check=False)


def load_demo(home: Path) -> subprocess.CompletedProcess[str]:
    """Load it, or find it loaded."""
    return manage_demo(home, "demo", "--no-serve")
