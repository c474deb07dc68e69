"""The last gate before the log: obvious personal numbers must not enter it in the clear. Pure; no Django.

The log cannot be erased, so what must be erasable (个人信息保护法 §47) goes to the private payload instead. This gate knows
居民身份证 numbers (GB 11643, with their check digit) and mobile numbers; names it cannot know: whoever records answers for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# Bounded so that hashes, UUIDs and longer codes that merely contain such digits do not match.
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])([1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx])(?![0-9A-Za-z])"
)
_MOBILE = re.compile(r"(?<![0-9A-Za-z-])(?:\+?86[- ]?)?1[3-9]\d{9}(?![0-9A-Za-z-])")
_PERHAPS = re.compile(r"1[3-9]\d{9}|[1-9]\d{5}(?:18|19|20)\d{9}")  # whatever either of the two matches has such a run of digits in it
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


def perhaps(text: str) -> bool:
    """False when no text that is written in this JSON can hold a personal number: escapes neither add nor part digits. A hash may look like one."""
    return _PERHAPS.search(text) is not None


def found_in(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every (path, kind) at which a text of `value`, a name included, holds a personal number; kind is "identity" or "mobile"."""
    if isinstance(value, str):
        yield from ((path, kind) for kind in _kinds(value))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from ((path, kind) for kind in _kinds(str(name)))
            yield from found_in(inner, f"{path}.{name}")
    elif isinstance(value, (list, tuple)):
        for i, inner in enumerate(value):
            yield from found_in(inner, f"{path}[{i}]")


def _kinds(text: str) -> Iterator[str]:
    if any(_is_identity(number) for number in _IDENTITY.findall(text)):
        yield "identity"
    if _MOBILE.search(text):
        yield "mobile"


def _is_identity(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return _CHECK[total % 11] == number[17].upper()
