"""`.ci/audit` with tools that answer what a test wants: found, nothing known, and not able to ask are three different ends."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FINE = {"dependencies": [{"name": "a", "version": "1", "vulns": []}], "fixes": []}
FOUND = {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}], "fixes": []}
SKIPPED = {"dependencies": [*FINE["dependencies"], {"name": "b", "skip_reason": "not found"}], "fixes": []}
NPM_FINE = {"vulnerabilities": {}, "metadata": {"dependencies": {"total": 7}}}
NPM_FOUND = {"vulnerabilities": {"htmx.org": {"severity": "high", "range": "<3"}}, "metadata": {"dependencies": {"total": 7}}}
NPM_AWAY = {"message": "request failed", "error": {"summary": "", "detail": ""}}


def audit(folder: Path, pip: object, npm: object, **more: str) -> subprocess.CompletedProcess[str]:
    """pip, npm: what the tool answers; None: it is not there; a text: it says that instead of an answer."""
    for name, answer, place in (("pip-audit", pip, '"$8"'), ("npm", npm, "/dev/stdout")):
        if answer is not None:
            told = answer if isinstance(answer, str) else json.dumps(answer)
            only = 'while [ "$1" != -o ]; do shift; done; set -- 1 2 3 4 5 6 7 "$2"' if name == "pip-audit" else '[ "$1" = audit ] || exit 0'
            (folder / name).write_text(f"#!/bin/bash\n{only}\ncat >{place} <<'E'\n{told}\nE\nexit 1\n")
            (folder / name).chmod(0o755)
    return subprocess.run([ROOT / ".ci/audit"], env={"PATH": os.environ["PATH"], "AUDIT_TOOLS": str(folder), **more}, capture_output=True, text=True, check=False)


def test_nothing_known_of_anything_is_a_pass(tmp_path: Path) -> None:
    ended = audit(tmp_path, FINE, NPM_FINE)
    assert ended.returncode == 0
    assert ended.stdout.count("nothing known") == 3


@pytest.mark.parametrize(("pip", "npm", "told"), [(FOUND, NPM_FINE, "a 1: PYSEC-1, mended in 1.1"), (FINE, NPM_FOUND, "htmx.org: high, <3"), (FOUND, None, "PYSEC-1")])
def test_what_is_known_fails_and_is_named_also_where_something_else_was_not_asked(tmp_path: Path, pip: object, npm: object, told: str) -> None:
    ended = audit(tmp_path, pip, npm)
    assert ended.returncode == 1
    assert told in ended.stdout


@pytest.mark.parametrize(
    ("pip", "npm"), [(None, NPM_FINE), ("", NPM_FINE), ("Traceback", NPM_FINE), ({"dependencies": []}, NPM_FINE), (SKIPPED, NPM_FINE), (FINE, None), (FINE, NPM_AWAY), (FINE, "{}")]
)
def test_what_could_not_be_asked_is_told_and_never_called_clean(tmp_path: Path, pip: object, npm: object) -> None:
    ended = audit(tmp_path, pip, npm)
    assert ended.returncode == 75
    assert "NOT LOOKED UP" in ended.stdout
    assert audit(tmp_path, pip, npm, AUDIT_REQUIRED="1").returncode == 1
