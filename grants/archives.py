"""ZIPs that people hand in and take away: read in memory, whatever was done to them is an answer; written so that the same parts give the same bytes."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterable
from typing import Final

UNREADABLE: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError, OSError,
)  # fmt: skip
"""What `zipfile` raises over a damaged, hostile or encrypted archive. `zlib.error` is none of the others: one damaged byte inside a file raises it."""
EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class Unreadable(ValueError):
    """No ZIP, a damaged one, or one that unpacks to more than it may."""


def packed(parts: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP of these (name, content), stored without compression: what we put into one is compressed or encrypted already."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
    return out.getvalue()


def contents(content: bytes, most: int) -> dict[str, bytes]:
    """Name → bytes of every file in a ZIP; names are never paths. most: bytes of everything in it. Raises Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > most:
                raise Unreadable("too much in it")
            return {entry.filename: archive.read(entry) for entry in entries}
    except UNREADABLE as wrong:
        raise Unreadable(str(wrong)) from wrong
