"""Reading JSON that people wrote: every refusal begins with the path of the bad key. Writing: canonical JSON, the same bytes everywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from django.core.management.base import CommandError

from grants.ledger import canonical

T = TypeVar("T")


def unreadable(path: str, zh: str, en: str) -> NoReturn:
    """Input that cannot be read: exit code 1."""
    raise CommandError(f"{path}: {zh} / {en}", returncode=1)


def no_answer(zh: str, en: str) -> NoReturn:
    """A question without an answer: exit code 2."""
    raise CommandError(f"{zh} / {en}", returncode=2)


@dataclass(frozen=True)
class Node:
    """A value and where it stands."""

    value: Any
    path: str

    def refuse(self, zh: str, en: str) -> NoReturn:
        unreadable(self.path or "(root)", zh, en)

    def keys(self, needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Node]:
        """The members of an object that has exactly these keys; optional ones may be missing or null."""
        if not isinstance(self.value, dict):
            self.refuse("应为对象", "must be an object")
        for key in needed:
            if key not in self.value:
                Node(None, self._at(key)).refuse("缺少这一项", "is missing")
        for key in self.value:
            if key not in needed and key not in optional:
                Node(None, self._at(key)).refuse("没有这一项", "is not known")
        return {key: Node(value, self._at(key)) for key, value in self.value.items() if value is not None or key in needed}

    def entries(self) -> dict[str, Node]:
        """The members of an object with any keys."""
        if not isinstance(self.value, dict):
            self.refuse("应为对象", "must be an object")
        return {key: Node(value, self._at(key)) for key, value in self.value.items()}

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def items(self, length: int | None = None) -> Iterator[Node]:
        """The elements of an array."""
        if not isinstance(self.value, list) or (length is not None and len(self.value) != length):
            size = "" if length is None else f" {length} "
            self.refuse(
                f"应为{size}项的数组" if length else "应为数组",
                f"must be an array of{size}items" if length else "must be an array",
            )
        return (Node(value, f"{self.path}[{i}]") for i, value in enumerate(self.value))

    def text(self, *, empty: bool = False) -> str:
        if not isinstance(self.value, str) or not (self.value or empty):
            self.refuse("应为非空文字", "must be text that is not empty")
        return str(self.value)

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.refuse("应为 true 或 false", "must be true or false")
        return bool(self.value)

    def whole(self, least: int = 0, most: int = 10**9) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not least <= self.value <= most:
            self.refuse(f"应为 {least} 到 {most} 的整数", f"must be an integer from {least} to {most}")
        return int(self.value)

    def number(self, least: str = "0", most: str = "1000000000000", places: int = 2) -> Decimal:
        """A decimal number, as JSON number or text."""
        try:
            found = (
                Decimal(self.value) if isinstance(self.value, int | str | Decimal) and not isinstance(self.value, bool) else None
            )
        except InvalidOperation:
            found = None
        if (
            found is None
            or not found.is_finite()
            or not Decimal(least) <= found <= Decimal(most)
            or found != round(found, places)
        ):
            self.refuse(
                f"应为 {least} 到 {most} 的数，至多 {places} 位小数",
                f"must be a number from {least} to {most} with at most {places} places",
            )
        return found

    def choice(self, kind: Callable[[str], T]) -> T:
        """One of the values of an enumeration."""
        try:
            return kind(self.text())
        except ValueError:
            known = "、".join(each.value for each in kind)  # type: ignore[attr-defined]
            self.refuse(f"应为 {known} 之一", f"must be one of {known}")


def read(name: str) -> tuple[Node, str]:
    """The file and the SHA-256 of its bytes; numbers with a point as Decimal. Raises CommandError."""
    try:
        data = Path(name).read_bytes()
        value = json.loads(data.decode("utf-8"), parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_once)
    except OSError as wrong:
        unreadable(name, f"打不开文件（{wrong.strerror}）", f"cannot be opened ({wrong.strerror})")
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as wrong:
        unreadable(name, f"不是 UTF-8 编码的 JSON（{wrong}）", f"is not JSON in UTF-8 ({wrong})")
    return Node(value, ""), hashlib.sha256(data).hexdigest()


def _constant(word: str) -> NoReturn:
    unreadable(word, "不是有限的数", "is not a finite number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            unreadable(key, "同一对象中出现两次", "stands twice in one object")
        found[key] = value
    return found


def write(name: str, value: Any) -> None:
    """Canonical JSON with a newline at the end. Raises CommandError when the file cannot be written."""
    try:
        Path(name).write_bytes(canonical.encode(value) + b"\n")
    except OSError as wrong:
        unreadable(name, f"写不了文件（{wrong.strerror}）", f"cannot be written ({wrong.strerror})")
