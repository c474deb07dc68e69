"""One cell of a table that people take home: what is written, so that no program changes or runs it. Pure.

Three traps of spreadsheet programs, each answered here: a cell that begins like a formula is run when the file is opened (OWASP, CSV
injection); an 18-digit code becomes 9.1E+17; an amount of 0.1 + 0.2 is no amount. Text that could be taken for something else gets one
apostrophe in front — `unguarded` takes it off again — and amounts stay exact decimals.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from grants.documents.writing import BEIJING

Kind = Literal["text", "code", "money", "number", "date", "datetime"]
NUMERIC: Final = frozenset({"money", "number"})
DANGEROUS: Final = "=+-@\t\r\n＝＋－＠"  # full width too: Excel in East Asian locales reads them as their half-width selves
GUARD: Final = "'"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what a file of XML cannot hold
_LINE_END: Final = re.compile(r"\r+\n")
_READ_AS_NUMBER: Final = re.compile(r"\d[\d.,:/\-\s]*(?:[eE][+-]?\d+)?%?")
_EXACT_DIGITS: Final = 11  # a mobile number survives in a spreadsheet; 12 digits show as 1.2E+11, from 16 on they are lost


@dataclass(frozen=True)
class Column:
    """One column of a list, on the page and in its files.

    label: the heading. key: attribute path with dots ("bid.organisation.name"; a method without arguments is called) or a function of the row.
    kind: money and number are added up and stand right; code is an identifier that must never become a number.
    name: how the address and `total_of` call it; the key with underscores by default. The rest is for pages (`grants.web.tables`):
    sort: the ORM path to sort by ("" – not sortable); url: like key, where the cell leads; tag: like key, the state that colours it as a tag;
    shown: whether it is there before anybody chooses columns. Files always hold every column.
    """

    label: Any
    key: str | Callable[[Any], Any]
    kind: Kind = "text"
    name: str = ""
    sort: str = ""
    url: str | Callable[[Any], Any] = ""
    tag: str | Callable[[Any], Any] = ""
    shown: bool = True

    def __post_init__(self) -> None:
        if not self.name:
            if not isinstance(self.key, str):
                raise TypeError(f"column {self.label!s}: a column with a function for its key needs a name")
            object.__setattr__(self, "name", self.key.replace(".", "_"))

    def value(self, row: Any) -> Any:
        """What the row holds here. Raises AttributeError or KeyError for a wrong path: an empty column would be a silent lie."""
        return look_up(row, self.key)

    @property
    def numeric(self) -> bool:
        return self.kind in NUMERIC


def look_up(row: Any, key: str | Callable[[Any], Any]) -> Any:
    """Follow a dotted path through attributes, mappings and methods; None on the way ends it."""
    if callable(key):
        return key(row)
    found = row
    for step in key.split("."):
        if found is None:
            return None
        found = found[step] if isinstance(found, Mapping) else getattr(found, step)
        if callable(found):
            found = found()
    return found


def amount(value: Any, kind: Kind) -> Decimal | None:
    """A money or number cell as an exact Decimal; money has two places. TypeError for floats, ValueError for finer than a fen."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise TypeError(f"a {kind} cell is a Decimal or an int, not {type(value).__name__}")
    exact = Decimal(value)
    if not exact.is_finite():
        raise ValueError(f"a {kind} cell is a finite number, not {exact}")
    if kind != "money":
        return exact
    whole = exact.quantize(Decimal("0.01"))
    if whole != exact:
        raise ValueError(f"{exact} is finer than a fen: a file for auditors never rounds")
    return whole


def plain(value: Any) -> str:
    """Text as it may stand in any file: line ends as \\n, no control characters, no halves of characters."""
    return _CONTROL.sub("�", _LINE_END.sub("\n", str(value)))


def dangerous(text: str) -> bool:
    """Whether a spreadsheet program might run this text; blanks in front do not count, some programs drop them."""
    return text[:1] in tuple(DANGEROUS) or text.lstrip(" \u00a0\u3000\ufeff\u200b")[:1] in tuple(DANGEROUS)


def loses_digits(text: str, kind: Kind) -> bool:
    """Whether a spreadsheet program would read this text as a number or a date and show another one."""
    if not _READ_AS_NUMBER.fullmatch(text.strip()):
        return False
    digits = sum(map(str.isdigit, text))
    return kind == "code" or digits > _EXACT_DIGITS or (text.startswith("0") and len(text) > 1)


def guarded(text: str, kind: Kind = "text") -> str:
    """The text as a CSV cell: an apostrophe in front where it could be run or read as a number, or already begins with one."""
    unsafe = text.startswith(GUARD) or dangerous(text) or loses_digits(text, kind)
    return GUARD + text if unsafe else text


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if cell.startswith(GUARD) else cell


def day(value: dt.date) -> dt.date:
    """The day, for a moment the day in Beijing. ValueError for a naive time."""
    return local(value).date() if isinstance(value, dt.datetime) else value


def local(value: dt.datetime) -> dt.datetime:
    """A moment as the clock on the wall in Beijing shows it, without zone. ValueError for a naive time."""
    if value.tzinfo is None:
        raise ValueError("a time without zone cannot be shown as Beijing time")
    return value.astimezone(BEIJING).replace(tzinfo=None, microsecond=0)


def csv_cell(value: Any, kind: Kind) -> str:
    """One value as it stands in a CSV file. Dates as 2026-09-30, times as 2026-09-30 17:00:00 in Beijing time, nothing as nothing."""
    if value is None or value == "":
        return ""
    if kind in NUMERIC:
        return f"{amount(value, kind):f}"
    if kind == "date":
        return day(value).isoformat()
    if kind == "datetime":
        return local(value).isoformat(sep=" ")
    return guarded(plain(value), kind)


@dataclass
class Totals:
    """Counts rows and adds up columns while they pass by, so that a file can end with what it should contain."""

    columns: Sequence[Column]
    total_of: Sequence[str]
    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numeric = {column.name for column in self.columns if column.numeric}
        unknown = [name for name in self.total_of if name not in numeric]
        if unknown:
            raise ValueError(f"no money or number column called {', '.join(unknown)}")
        self.sums = dict.fromkeys(self.total_of, Decimal(0))

    def passing(self, rows: Iterable[Any]) -> Iterable[list[Any]]:
        """Each row as the values of its columns, counted and added up as it goes."""
        for row in rows:
            values = [column.value(row) for column in self.columns]
            self._add(values)
            yield values

    def _add(self, values: list[Any]) -> None:
        self.count += 1
        for column, value in zip(self.columns, values, strict=True):
            if column.name in self.sums:
                self.sums[column.name] += amount(value, column.kind) or 0

    def closing(self, label: str) -> list[Any]:
        """The last line: `label` (with the row count) in the first column that has no total, the sums in theirs."""
        line: list[Any] = [self.sums.get(column.name) for column in self.columns]
        free = next((at for at, column in enumerate(self.columns) if column.name not in self.sums), None)
        if free is None:
            return [*line, label]
        line[free] = label
        return line

    def closing_kinds(self) -> list[Kind]:
        """The kinds of the closing line's cells: text, but for the sums."""
        kinds: list[Kind] = [column.kind if column.name in self.sums else "text" for column in self.columns]
        return kinds if len(self.sums) < len(self.columns) else [*kinds, "text"]
