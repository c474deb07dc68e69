"""How a clerk finds a rule: the parts of the editor, each some ways into the value, in the order in which a call is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from grants.calls.rulebook.parts.form import Section
from grants.calls.rulebook.parts.review import Sheet
from grants.calls.rulebook.problems import Problem

HEAVY: Final = (Section, Sheet)
"""Elements of lists that have a page of their own; the list shows one line for each."""


@dataclass(frozen=True)
class PartOf:
    """One page of the editor: its short name in addresses, and the ways it edits."""

    code: str
    ways: tuple[str, ...]


PARTS: Final = (
    PartOf("basics", ("code", "version", "legal_basis", "title", "summary", "agency", "legal_notes", "sealing")),
    PartOf("timetable", ("timetable",)),
    PartOf("money", ("pool", "sources", "amounts", "categories", "tracks")),
    PartOf("applicants", ("eligibility",)),
    PartOf("needs", ("needs", "in_kind")),
    PartOf("forms", ("forms.application", "forms.midterm", "forms.final", "forms.closing")),
    PartOf("budget", ("budget",)),
    PartOf("attachments", ("attachments",)),
    PartOf("outcomes", ("outcomes", "forms.declarations")),
    PartOf("sheets", ("review.sheets",)),
    PartOf(
        "review",
        (
            "review.stages", "review.panel", "review.trim", "review.pass_line", "review.decimals", "review.mix", "review.deviation_alarm",
            "review.assigning", "review.official", "review.bonuses", "review.hiding", "review.second_ballot",
            "review.finance_review", "review.optimisation", "review.site_check",
        ),
    ),
    PartOf("award", ("allocation", "review.ties", "contract")),
    PartOf("funding", ("funding",)),
    PartOf("evaluation", (
        "evaluation.midterm", "evaluation.final", "evaluation.late_is_fail", "evaluation.satisfaction_min", "evaluation.audit_sample",
    )),
    PartOf("closing", ("evaluation.closing", "retention")),
)  # fmt: skip
BY_CODE: Final = {part.code: part for part in PARTS}


def part_of(key: str) -> PartOf:
    """The part where a problem with this key is repaired: the one with the longest way into it, else the first one below it."""
    inside = [(len(way), part) for part in PARTS for way in part.ways if covers(way, key)]
    if inside:
        return max(inside, key=lambda each: each[0])[1]
    return next((part for part in PARTS for way in part.ways if covers(key, way)), PARTS[0])


def covers(way: str, key: str) -> bool:
    """Whether `key` is `way` or lies below it."""
    return key == way or (key.startswith(way) and key[len(way)] in ".[")


def by_part(problems: Iterable[Problem]) -> dict[str, list[Problem]]:
    """Problems by the code of the part where they are repaired; every part is there."""
    found: dict[str, list[Problem]] = {part.code: [] for part in PARTS}
    for problem in problems:
        found[part_of(problem.key).code].append(problem)
    return found
