"""What the documents promise by name is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_test_that_a_document_names_exists() -> None:
    """A table that says where something is proved must not outlive the proof."""
    there = {name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}
    for document in (ROOT / "docs").rglob("*.md"):
        named = set(re.findall(r"`(test_\w+)`", document.read_text()))
        assert named - there == set(), document.name
