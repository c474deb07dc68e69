"""Canonical JSON after RFC 8785 (JCS): one value, one byte string. Pure; no Django.

A subset by intention: no floats (money is fen as an integer, or text), integers below 2^53 in size (what every JSON reader keeps
exactly), text that is valid Unicode. Names are sorted by UTF-16 code units as the standard demands (Python's own order differs
above U+D7FF). Only the writer needs this module: the stored bytes are what is hashed, a verifier never encodes anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

BIGGEST = 2**53 - 1
DEEPEST = 32  # levels; deeper is a mistake, and must not end in a recursion error inside a transaction

_quote = json.JSONEncoder(ensure_ascii=False).encode
_whole = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":")).encode


class NotCanonical(ValueError):
    """A value without a canonical form here. `path` says where it sits, e.g. "public.scores[3]"; the sentence how to write it."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path or 'value'}: {why}")
        self.path = path


def encode(value: Any, path: str = "") -> bytes:
    """The canonical UTF-8 bytes of None, bool, int, str, list, tuple or mapping with text names. Raises NotCanonical."""
    if _plain(value, 0):
        try:
            return _whole(value).encode("utf-8")
        except UnicodeEncodeError:
            pass  # a lone surrogate: said below, with its place
    return _text(value, path, 0).encode("utf-8")


def _plain(value: Any, depth: int) -> bool:
    """Whether the standard library's encoder in C writes the same bytes: exactly these types, names in ASCII (where both orders of names agree)."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-BIGGEST <= value <= BIGGEST)
    if depth >= DEEPEST or (kind is not dict and kind is not list and kind is not tuple):
        return False
    if kind is dict:
        if not all([type(name) is str and name.isascii() for name in value]):  # noqa: C419 - a list is quicker than a generator here
            return False
        value = value.values()
    for item in value:  # noqa: SIM110 - a loop costs a third of all() over a generator, and this runs for every event
        if not _plain(item, depth + 1):
            return False
    return True


def _text(value: Any, path: str, depth: int) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _string(value, path)
    if isinstance(value, int):
        return _integer(value, path)
    if depth >= DEEPEST:
        raise NotCanonical(path, f"nested more than {DEEPEST} levels deep")
    if isinstance(value, Mapping):
        return _object(value, path, depth + 1)
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_text(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)) + "]"
    raise NotCanonical(
        path, f"{type(value).__name__} is not allowed; write money as text or as integer fen, times and ids as text"
    )


def _string(value: str, path: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as wrong:
        raise NotCanonical(path, "text with a lone surrogate is not Unicode") from wrong
    return _quote(str.__str__(value))  # the characters of a TextChoices member, whatever its own __str__ says


def _integer(value: int, path: str) -> str:
    if not -BIGGEST <= value <= BIGGEST:
        raise NotCanonical(path, "an integer of 2^53 or more is not kept exactly by JSON readers; write it as text")
    return int.__repr__(value)


def _object(value: Mapping[Any, Any], path: str, depth: int) -> str:
    for name in value:
        if not isinstance(name, str):
            raise NotCanonical(path, f"the name {name!r} is not text")
    inside = f"{path}." if path else ""
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    pairs = (f"{_string(name, inside + repr(name))}:{_text(value[name], inside + name, depth)}" for name in names)
    return "{" + ",".join(pairs) + "}"
