"""What a sealed bid may look like inside: each format of a manifest's `bid`, and who reads it. A reader registers itself at start-up.

Models cannot name the forms that read them, and a package that is opened in ten years may hold a format that is no longer written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.module_loading import import_string

from bidding.sealing.envelope import MANIFEST, Opened
from bidding.sealing.refusals import SealRefused

Reader = Callable[[Any, Any, Mapping[str, bytes], Sequence[str]], list[str]]
"""(bid, fields, attachments, declarations) → sentences about what could not be taken. Never raises for content."""

_readers: dict[str, str] = {}


def reads(name: str, reader: str) -> None:
    """Register the reader of a format by its dotted name, in the AppConfig's ready(): forms are not loaded at every start."""
    _readers[name] = reader


def take(bid: Any, content: Opened, declarations: Sequence[str]) -> list[str]:
    """Let the format's reader fill the working copy. Raises SealRefused("format") for one that nobody reads."""
    named = _readers.get(str(content.bid.get("format")))
    if named is None:
        raise SealRefused("format", MANIFEST)
    reader: Reader = import_string(named)
    return reader(bid, content.bid.get("fields", []), content.attachments, declarations)
