"""What was typed, as plain data: numbers and moments in the ways people write them; what is not understood stays as typed.

Names of controls are ways with indexes: `sources.0.amount`. A list carries its length in `sources.n`, an optional table that is there
`sources.0.claim.on`; a list or table whose mark is missing was not on the page and keeps what it holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from grants.calls.rulebook.editing.shapes import NUMBERS, Shape, shapes

Posted = Mapping[str, Sequence[str]]
MOST_ROWS: Final = 200
_SEPARATORS: Final = re.compile(r"[\s,，、￥¥元%％分]")
_DAY: Final = re.compile(r"(\d{4})[年./-](\d{1,2})[月./-](\d{1,2})日?")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T\s]*(\d{1,2}):(\d\d)(?::(\d\d))?")


def read(shape: Shape, name: str, posted: Posted, held: Any) -> Any:
    """The plain data of one control, group or list; None means: left out. held: what it was, for what the page did not show."""
    if shape.kind == "fixed":
        return held
    if shape.kind == "group":
        return _group(shape, name, posted, held)
    if shape.kind == "table":
        return _table(shape, name, posted, held)
    if shape.kind == "flag":
        return name in posted
    values = posted.get(name, ())
    if shape.kind == "choices":
        return ordered([each for each in values if each], held)
    text = _typed(shape, "\n".join(values if shape.kind == "lines" else values[-1:]))
    return ordered(text, held) if len(values) > 1 else text  # a list whose elements are ticked has one value for each


def ordered(ticked: list[str], held: Any) -> list[str]:
    """Ticked boxes come in the order of the page; what was chosen before keeps the order in which it was written down."""
    before = [each for each in held if each in ticked] if isinstance(held, list) else []
    return before + [each for each in ticked if each not in before]


def read_keys(wanted: Sequence[Shape], name: str, posted: Posted, held: Mapping[str, Any]) -> dict[str, Any]:
    """The plain data of the keys of one table; what was left out is not in it."""
    lead = f"{name}." if name else ""
    values = {each.key: read(each, lead + each.key, posted, held.get(each.key)) for each in wanted}
    return {key: value for key, value in values.items() if value is not None}


def _group(shape: Shape, name: str, posted: Posted, held: Any) -> Any:
    assert shape.model is not None
    if shape.optional and f"{name}.on" not in posted:
        return None
    return read_keys(shapes(shape.model), name, posted, held if isinstance(held, Mapping) else {})


def _table(shape: Shape, name: str, posted: Posted, held: Any) -> Any:
    assert shape.model is not None
    count = posted.get(f"{name}.n")
    if count is None:
        return held
    rows = range(min(int(count[-1]) if count[-1].isdecimal() else 0, MOST_ROWS))
    below = held if isinstance(held, list) else []
    read_rows = [
        read_keys(shapes(shape.model), f"{name}.{row}", posted, below[row] if row < len(below) else {}) for row in rows
    ]
    return named_rows(shape, read_rows)


def named_rows(shape: Shape, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose short name or number was left blank get one: people name things, machines number them."""
    assert shape.model is not None
    keys = {each.key: each for each in shapes(shape.model)}
    taken = {str(row.get("code", "")) for row in rows}
    for index, row in enumerate(rows, 1):
        for key in ("code", "id"):
            if key in keys and keys[key].kind == "code" and not row.get(key):
                row[key] = _fresh(shape.model.__name__.lower(), taken)
                taken.add(row[key])
        if "no" in keys and "no" not in row:
            row["no"] = index
    return rows


def _fresh(stem: str, taken: set[str]) -> str:
    return next(name for number in range(1, 10_000) if (name := f"{stem}_{number}") not in taken)


def _typed(shape: Shape, text: str) -> Any:
    text = text.replace("\r\n", "\n").strip()
    if shape.kind == "lines":
        return [unwritten(line.strip()) for line in text.split("\n") if line.strip()]
    if not text:
        return "" if shape.kind == "prose" else None
    return number(shape, text) if shape.kind in NUMBERS else moment(shape, text) if shape.kind in ("moment", "day") else text


def number(shape: Shape, text: str) -> Any:
    """150，000 元 → "150000"; 3 → 3 for counts."""
    plain = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    return int(plain) if shape.kind == "count" and plain.isdecimal() and len(plain) < 10 else plain


def moment(shape: Shape, text: str) -> str:
    """2026年9月30日 17:00 → 2026-09-30T17:00:00+08:00; a day without its time."""
    plain = _DAY.sub(lambda m: f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}", unicodedata.normalize("NFKC", text)).strip()
    found = _MOMENT.fullmatch(plain)
    if shape.kind == "day" or found is None:
        return plain
    try:
        return datetime.fromisoformat(f"{found[1]}T{int(found[2]):02}:{found[3]}:{found[4] or '00'}+08:00").isoformat()
    except ValueError:
        return plain


def written(element: str) -> str:
    """One element of a list as one line: line breaks inside it become \\n."""
    return element.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def unwritten(line: str) -> str:
    """The element of a line; the reverse of `written`."""
    return re.sub(r"\\([\\nr])", lambda m: {"\\": "\\", "n": "\n", "r": "\r"}[m[1]], line)
