"""Which fonts documents are set in, and what to do about characters that none of them can draw."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from django.conf import settings
from fontTools.ttLib import TTFont

FOLDER = Path(__file__).parent / "fonts"
ROLES = ("body", "title", "hei", "kai")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def faces() -> list[tuple[str, Path]]:
    """(family name in the style sheet, file), an office's own fonts (`<data folder>/fonts/`) first under `own-…` names.

    A wrong font path makes WeasyPrint print boxes without a word, so a missing file of ours is an error here.
    """
    found = []
    for role in ROLES:
        own = Path(settings.GONGCHUANG_HOME) / "fonts" / f"{role}.ttf"
        if own.is_file():
            found.append((f"own-{role}", own))
        found.append((f"gc-{role}", (FOLDER / f"{role}.ttf").resolve(strict=True)))
    return found


def stacks() -> dict[str, str]:
    """CSS font stacks by role. The body face stands behind every other: it alone has the rare characters."""
    names = [family for family, _path in faces()]
    body = [name for name in names if name.endswith("-body")]
    return {role: ", ".join([name for name in names if name.endswith(f"-{role}") and role != "body"] + body) for role in ROLES}


@cache
def drawable() -> frozenset[int]:
    """Every code point that at least one of our faces has a glyph for. Read once per process (about 0.1 s)."""
    points: set[int] = set()
    for _family, path in faces():
        with TTFont(path, lazy=True) as font:
            points.update(font.getBestCmap())
    return frozenset(points)


def spell_out(html: str) -> str:
    """Replace what cannot be drawn by its code point, as in 〔U+1F600〕, so that nothing is lost and no empty box is printed.

    Marks without a shape of their own (joiners, variation selectors) are dropped. Composed letters are composed (NFC) first.
    """
    return _BEYOND_ASCII.sub(_drawn, unicodedata.normalize("NFC", html))


def _drawn(match: re.Match[str]) -> str:
    letter = match[0]
    if ord(letter) in drawable() or letter.isspace():
        return letter
    if unicodedata.category(letter) in {"Cf", "Mn", "Cc"}:
        return ""
    return f"〔U+{ord(letter):04X}〕"
