"""docs/complaints.md: thirty complaints, each with tests that exist, or an honest word that it is not there yet."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/complaints.md").read_text("utf-8")
ROWS = re.findall(r"^\| (\d+) \|(.*)\|$", PAGE, re.MULTILINE)


def defined() -> set[str]:
    """Names of every test of the suite."""
    trees = (ast.parse(path.read_text("utf-8")) for path in (ROOT / "tests").rglob("test_*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.parametrize("document", ["complaints", "accessibility"])
def test_every_test_that_a_document_names_exists(document: str) -> None:
    """Names may be cut with an ellipsis; a file of tests is named with its folder."""
    text, names = (ROOT / f"docs/{document}.md").read_text("utf-8"), defined()
    named = set(re.findall(r"`(test_[a-z0-9_]+)(…?)`", text))
    gone = {name for name, cut in named if not (any(n.startswith(name) for n in names) if cut else name in names)}
    files = {path for path in re.findall(r"`(tests/[\w/]+\.py)`", text) if not (ROOT / path).exists()}
    assert (gone, files) == (set(), set())
    assert len(named) > 3


def test_all_thirty_complaints_are_answered_with_tests_or_said_to_be_open() -> None:
    assert [int(number) for number, _rest in ROWS] == list(range(1, 31))
    assert [number for number, rest in ROWS if "`test_" not in rest and "not yet" not in rest] == []
