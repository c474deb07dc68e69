"""Adding, removing and reordering elements, and switching optional tables on and off: buttons that work without a script.

A move is a word and a way: `add:sources`, `drop:sources.1`, `up:sources.1`, `down:sources.0`, `on:sources.0.claim`, `off:…`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from grants.calls.rulebook.editing.reading import named_rows
from grants.calls.rulebook.editing.shapes import Shape, shape_at, shapes
from grants.calls.rulebook.model import CallRules

WORDS: Final = ("add", "drop", "up", "down", "on", "off")


def at(data: Any, way: str) -> Any:
    """What lies at a way of keys and indexes; raises LookupError when there is nothing."""
    for step in way.split("."):
        key: Any = int(step) if isinstance(data, list) and step.isdecimal() else step
        if not isinstance(data, Mapping if isinstance(key, str) else list):
            raise LookupError(way)  # noqa: TRY004 - the way leads nowhere, whatever lies there
        data = data[key]
    return data


def put(data: Any, way: str, value: Any) -> None:
    """Put a value at a way whose parent is there; None takes the key out, an index one past the end appends."""
    *above, last = way.split(".")
    parent = at(data, ".".join(above)) if above else data
    if isinstance(parent, list):
        parent[int(last) : int(last) + 1] = [] if value is None else [value]
    elif value is None:
        parent.pop(last, None)
    else:
        parent[last] = value


def shape_of(way: str) -> Shape:
    """The shape at a way, indexes left out; raises KeyError."""
    return shape_at(CallRules, tuple(step for step in way.split(".") if not step.isdecimal()))


def move(data: dict[str, Any], act: str) -> str:
    """Carry out a move in `data`; returns the way to look at afterwards. Raises LookupError for a move that makes no sense."""
    word, _, way = act.partition(":")
    if word not in WORDS:
        raise LookupError(act)
    return {"add": _add, "drop": _drop, "up": _up, "down": _down, "on": _on, "off": _off}[word](data, way)


def blank(shape: Shape) -> dict[str, Any]:
    """A new element: every key that has a default, so that the page shows it."""
    assert shape.model is not None
    return {each.key: each.default for each in shapes(shape.model) if each.default is not None}


def _add(data: dict[str, Any], way: str) -> str:
    shape = shape_of(way)
    if shape.kind != "table":
        raise LookupError(way)
    rows = at(data, ".".join(way.split(".")[:-1]) or way) if "." in way else data
    held = rows.setdefault(way.rsplit(".", 1)[-1], [])
    held.append(blank(shape))
    named_rows(shape, held)
    return f"{way}.{len(held) - 1}"


def _rows(data: dict[str, Any], way: str) -> tuple[list[Any], int, str]:
    above, _, index = way.rpartition(".")
    rows = at(data, above)
    if not isinstance(rows, list) or not index.isdecimal() or int(index) >= len(rows):
        raise LookupError(way)
    return rows, int(index), above


def _drop(data: dict[str, Any], way: str) -> str:
    rows, index, above = _rows(data, way)
    del rows[index]
    return f"{above}.{min(index, len(rows) - 1)}" if rows else above


def _up(data: dict[str, Any], way: str) -> str:
    rows, index, above = _rows(data, way)
    to = max(index - 1, 0)
    rows.insert(to, rows.pop(index))
    return f"{above}.{to}"


def _down(data: dict[str, Any], way: str) -> str:
    rows, index, above = _rows(data, way)
    rows.insert(index + 1, rows.pop(index))
    return f"{above}.{min(index + 1, len(rows) - 1)}"


def _on(data: dict[str, Any], way: str) -> str:
    shape = shape_of(way)
    if shape.kind != "group" or not shape.optional:
        raise LookupError(way)
    put(data, way, blank(shape))
    return way


def _off(data: dict[str, Any], way: str) -> str:
    if not shape_of(way).optional:
        raise LookupError(way)
    put(data, way, None)
    return way
