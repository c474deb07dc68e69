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


def test_all_thirty_complaints_are_answered_by_tests_or_said_to_be_open() -> None:
    """Each row names a test, or says “not yet”; no number is left out."""
    rows = re.findall(r"^\| (\d+) \|(.*)\|$", (ROOT / "docs/complaints.md").read_text("utf-8"), re.MULTILINE)
    assert [int(number) for number, _rest in rows] == list(range(1, 31))
    assert [number for number, rest in rows if "`test_" not in rest and "not yet" not in rest] == []
