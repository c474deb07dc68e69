"""The visible mark of an electronic signature: words in a rectangle. Never round, never red, never a star: it must not pass for a seal.

A picture and not text, because a text mark would need its own embedded font in every signature's appearance to stay PDF/A.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

from django.utils import translation
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from grants.clock import TZ
from grants.documents.glyphs import FOLDER, spell_out

SIZE = (1120, 352)  # pixels for 70 × 22 mm: 400 dpi
HEAD, LINE, LEAST, EDGE = 56, 42, 18, 26
ONE_LINE = 25  # characters of a name
INK = 40  # dark grey on white


def draw(*, name: str, at: datetime, serial: str, development: bool) -> Image.Image:
    """The mark as a greyscale picture. name: the body as on the paper; at: when (shown in Beijing time); serial: of the certificate."""
    picture = Image.new("L", SIZE, 255)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((4, 4, SIZE[0] - 5, SIZE[1] - 5), outline=INK, width=4)
    pen.line((EDGE, 96, SIZE[0] - EDGE, 96), fill=INK, width=2)
    _write(pen, "电子签名 · 非公章", 22, HEAD)
    lines = _lines(name, at, serial, development=development)
    pitch = (SIZE[1] - 112 - 16) // len(lines)
    for row, text in enumerate(lines):
        _write(pen, text, 112 + row * pitch, min(LINE, pitch - 8))
    return picture


def _lines(name: str, at: datetime, serial: str, *, development: bool) -> list[str]:
    with translation.override("zh-hans"):
        when = at.astimezone(TZ).strftime("%Y-%m-%d %H:%M:%S")
    half = -(-len(name) // 2)
    named = [name] if len(name) <= ONE_LINE else [name[:half], name[half:]]
    lines = [*named, f"时间 {when}（北京时间）", f"证书序列号 {serial}"]
    return [*lines, "开发证书，不具第三方认证效力" if development else "证书签发者和效力以核验结果为准"]


def _write(pen: ImageDraw.ImageDraw, text: str, y: int, size: int) -> None:
    """One line, smaller until it fits between the edges."""
    text = spell_out(text)
    font = _font(_role(text), size)
    while pen.textlength(text, font=font) > SIZE[0] - 2 * EDGE and size > LEAST:
        size -= 2
        font = _font(_role(text), size)
    pen.text((EDGE, y), text, fill=INK, font=font)


def _role(text: str) -> str:
    """The sans face where it has every letter, else the body face, which alone has the rare ones."""
    return "hei" if all(ord(letter) in _points("hei") for letter in text) else "body"


@cache
def _points(role: str) -> frozenset[int]:
    with TTFont(FOLDER / f"{role}.ttf", lazy=True) as font:
        return frozenset(font.getBestCmap())


@cache
def _font(role: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FOLDER / f"{role}.ttf"), size)
