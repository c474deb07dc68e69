"""QR codes for paper and pages, drawn by `documents/_qr.html` as inline SVG. The only importer of segno."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno

QUIET = 4  # modules of white around the code: ISO/IEC 18004


@dataclass(frozen=True)
class Code:
    """A code as a drawing. size: modules of a side with the white around it; path: its dark modules as SVG path data; label: what it is."""

    size: int
    path: str
    label: str


def qr_code(text: str, *, label: str) -> Code:
    """The code of a text, error correction M. label: said to who cannot see it. Raises ValueError for more than 2,331 bytes."""
    try:
        made = segno.make(text, error="m", micro=False)
    except segno.DataOverflowError as wrong:
        raise ValueError("too long for a QR code") from wrong
    rows = [tuple(row) for row in made.matrix]
    return Code(len(rows) + 2 * QUIET, "".join(_runs(rows)), label)


def _runs(rows: list[tuple[int, ...]]) -> list[str]:
    """Each run of dark modules of a row as one rectangle."""
    found = []
    for y, row in enumerate(rows, QUIET):
        x = QUIET
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                found.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    return found
