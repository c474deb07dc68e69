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


# The levels of each section's requirements in order (OWASP ASVS 5.0.0): "1.5 123" means 1.5.1 is level 1, 1.5.2 level 2, 1.5.3 level 3.
ASVS = """
1.1 22 1.2 1111122223 1.3 112222222223 1.4 222 1.5 123 2.1 122 2.2 112 2.3 12223 2.4 23 3.1 3 3.2 113 3.3 12223 3.4 11222233 3.5 11122333 3.6 3 3.7 22333
4.1 12233 4.2 23333 4.3 22 4.4 1222 5.1 2 5.2 112333 5.3 113 5.4 222 6.1 122 6.2 111111112222 6.3 11223333 6.4 112233 6.5 22222333 6.6 2223 6.7 33 6.8 2222
7.1 222 7.2 1111 7.3 22 7.4 11222 7.5 223 7.6 22 8.1 1233 8.2 1123 8.3 133 8.4 23 9.1 111 9.2 1222 10.1 22 10.2 223 10.3 22223 10.4 1111122222233333 10.5 22222
10.6 22 10.7 222 11.1 2233 11.2 22233 11.3 11233 11.4 1222 11.5 23 11.6 23 11.7 33 12.1 12233 12.2 11 12.3 22223 13.1 2333 13.2 222223 13.3 2233 13.4 1222233
14.1 22 14.2 12223333 14.3 122 15.1 12233 15.2 12233 15.3 1222222 15.4 3333 16.1 2 16.2 22222 16.3 2222 16.4 222 16.5 2223 17.1 23 17.2 22223333 17.3 22
"""
VERDICTS = {"met", "operator", "not applicable", "not yet"}


def required() -> dict[str, str]:
    """id → level, of all requirements."""
    words = ASVS.split()
    return {f"{section}.{n}": level for section, levels in zip(words[::2], words[1::2], strict=True) for n, level in enumerate(levels, start=1)}


def test_every_requirement_of_levels_one_and_two_stands_in_the_table_once_and_every_met_is_proved() -> None:
    """253 rows with their levels; “met” names tests or says why there is none; the others say why. The counts at the head are the table's."""
    assert [list(required().values()).count(level) for level in "123"] == [70, 183, 92]  # as the standard counts itself
    text = (ROOT / "docs/asvs.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if re.match(r"\| \d+\.\d+\.\d+ \|", line)]
    assert {len(row) for row in rows} == {6}
    assert [(row[0], row[1]) for row in rows] == [(name, level) for name, level in required().items() if level in "12"]
    assert {row[3] for row in rows} == VERDICTS
    assert [row[0] for row in rows if row[3] == "met" and "`test_" not in row[5] and "no test:" not in row[4]] == []
    assert [row[0] for row in rows if len(row[2]) < 3 or len(row[4]) < 3] == []
    said = {word: int(n) for word, n in re.findall(r"- \*\*([a-z ]+)\*\* \((\d+)\)", text)}
    assert said == {word: sum(row[3] == word for row in rows) for word in VERDICTS}
