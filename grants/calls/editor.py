"""What a page of the call editor holds while it is worked on: its part of the rules, what was typed, what is wrong, and the way back.

Every saving writes the whole value through the services; a page that someone else changed meanwhile is not overwritten unseen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grants.calls import services
from grants.calls.machine import CallStates
from grants.calls.models import Call
from grants.people.models import User

if TYPE_CHECKING:
    from grants.calls.rulebook.editing.drawing import Node
    from grants.calls.rulebook.model import CallRules
    from grants.calls.rulebook.problems import Problem

S = CallStates


@dataclass
class Sheet:
    """One page of the editor while it is being looked at: what it edits, what was typed, and what is wrong."""

    call: Call
    part: str
    ways: tuple[str, ...]
    data: dict[str, Any]
    held: str
    element: bool = False
    nodes: list[Node] = field(default_factory=list)
    errors: list[Problem] = field(default_factory=list)
    findings: list[Problem] = field(default_factory=list)
    general: list[str] = field(default_factory=list)
    moved: str = ""
    status: int = 200


def rules_of(call: Call) -> CallRules:
    """What is being edited: the draft, or of a published call its drafted addendum, or what it would start from."""
    version = (call.draft_addendum if call.state != S.DRAFT else None) or call.rules_version
    assert version is not None
    return version.rules


def sheet_of(call: Call, code: str, way: str) -> Sheet:
    """The page of a part, or of one element of it; LookupError when there is none (an element may just have been removed)."""
    from grants.calls.rulebook.editing.parts import BY_CODE, covers  # noqa: PLC0415 - pydantic is slow to import

    if code not in BY_CODE or (way and not any(covers(known, way) for known in BY_CODE[code].ways)):
        raise LookupError(code)
    data = rules_of(call).plain()
    ways = (way,) if way else BY_CODE[code].ways
    held = _mark(data, ways)
    if way:
        _room_for(data, way)
    return Sheet(call, code, ways, data, held, element=bool(way))


def _room_for(data: dict[str, Any], way: str) -> None:
    """The element at `way` exists, or is the next one and starts blank; else LookupError."""
    from grants.calls.rulebook.editing import moves  # noqa: PLC0415 - as above

    above, _dot, index = way.rpartition(".")
    try:
        rows, shape = moves.at(data, above), moves.shape_of(above)
    except (LookupError, ValueError, TypeError):
        rows = shape = None
    if shape is None or not index.isdecimal() or not isinstance(rows, list) or int(index) > len(rows):
        raise LookupError(way)
    if int(index) == len(rows):
        rows.append(moves.blank(shape))


def is_new(sheet: Sheet) -> bool:
    """Whether the element is not saved yet."""
    return sheet.element and sheet.held == _mark({}, sheet.ways)


def _mark(data: dict[str, Any], ways: tuple[str, ...]) -> str:
    """A hash of what the page holds, to notice that somebody else saved it meanwhile."""
    from grants.calls.rulebook.editing import moves  # noqa: PLC0415 - as above

    values = []
    for way in ways:
        try:
            values.append(moves.at(data, way))
        except LookupError:
            values.append(None)
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def read(sheet: Sheet, posted: Mapping[str, Sequence[str]]) -> None:
    """What was typed into the page's data; what cannot be understood stays as it was typed."""
    from grants.calls.rulebook.editing import moves, reading  # noqa: PLC0415 - as above
    from grants.calls.rulebook.editing.shapes import shapes  # noqa: PLC0415 - as above

    for way in sheet.ways:
        shape = moves.shape_of(way)
        if sheet.element:
            assert shape.model is not None
            above = way.rpartition(".")[0]
            moves.put(sheet.data, way, reading.read_keys(shapes(shape.model), way, posted, moves.at(sheet.data, way)))
            reading.named_rows(shape, moves.at(sheet.data, above))
        else:
            moves.put(sheet.data, way, reading.read(shape, way, posted, _value(sheet.data, way)))


def _value(data: dict[str, Any], way: str) -> Any:
    from grants.calls.rulebook.editing import moves  # noqa: PLC0415 - as above

    try:
        return moves.at(data, way)
    except LookupError:
        return None


def parsed(sheet: Sheet) -> CallRules | None:
    """The page's data as rules; None with every fault in `errors` and 422 as the status."""
    from grants.calls.rulebook import RulesInvalid, toml  # noqa: PLC0415 - as above

    try:
        return toml.from_data(sheet.data, file=sheet.call.code)
    except RulesInvalid as wrong:
        sheet.errors = list(wrong.problems)
        sheet.status = 422
        return None


def check(sheet: Sheet) -> None:
    """Ask the linter about what was typed, without saving."""
    rules = parsed(sheet)
    if rules is not None:
        sheet.findings = advice_on(rules)


def write(call: Call, rules: CallRules, *, by: User) -> None:
    """Into the draft, or into the drafted addendum with the version number that fits its changes."""
    from grants.calls.rulebook import diff, toml  # noqa: PLC0415 - as above

    if call.state == S.DRAFT:
        services.revise(call, rules, by=by)
        return
    if diff.version_fault(call.rules, rules):
        rules = toml.from_data({**rules.plain(), "version": diff.fitting_version(call.rules, rules)})
    services.draft_addendum(call, rules, by=by)


def advice_on(rules: CallRules) -> list[Problem]:
    """What the linter says."""
    from grants.calls.advice import advice  # noqa: PLC0415 - as above

    return advice(rules)


def found_in(rules: CallRules) -> dict[str, list[Problem]]:
    """What the linter says, by part."""
    from grants.calls.rulebook.editing.parts import by_part  # noqa: PLC0415 - as above

    return by_part(advice_on(rules))


def errors_in(problems: list[Problem]) -> int:
    """How many of them stop publishing."""
    return sum(problem.severity == "error" for problem in problems)
