"""Papers that people upload: one page each, readable, marked as an example. No seals are drawn."""

from __future__ import annotations

from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path

from django.core.files.base import ContentFile
from PIL import Image, ImageDraw, ImageFont

from grants import documents

SIZE = (620, 400)
MARK = "示例文件 · 仅供演示"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(documents.__file__).parent / "fonts" / "hei.ttf"), size)


def _page(title: str, *lines: str) -> Image.Image:
    image = Image.new("1", SIZE, 1)
    pen = ImageDraw.Draw(image)
    pen.text((30, 24), title, font=_font(26), fill=0)
    for at, line in enumerate(lines):
        pen.text((30, 84 + 34 * at), line[:40], font=_font(18), fill=0)
    pen.text((30, SIZE[1] - 40), MARK, font=_font(16), fill=0)
    return image


def picture(title: str, *lines: str) -> ContentFile[bytes]:
    """A scanned sheet (PNG). The lines make it different from every other."""
    return _saved(_page(title, *lines), "PNG", f"{title[:30]}.png")


def sheet(title: str, *lines: str) -> ContentFile[bytes]:
    """The same as a one-page PDF, where a call takes no pictures."""
    return _saved(_page(title, *lines), "PDF", f"{title[:30]}.pdf")


def paper(media_types: object, title: str, *lines: str) -> ContentFile[bytes]:
    """A picture where the call takes pictures, else a PDF."""
    return picture(title, *lines) if "image/png" in str(media_types) else sheet(title, *lines)


def day(value: date) -> str:
    """2026年3月5日."""
    return f"{value.year}年{value.month}月{value.day}日"


def _saved(image: Image.Image, kind: str, name: str) -> ContentFile[bytes]:
    out = BytesIO()
    image.save(out, kind)
    return ContentFile(out.getvalue(), name=name)
