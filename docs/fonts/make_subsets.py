"""Make the fonts of grants/documents/fonts/ from the originals. Run by hand, never by the product.

    npm pack @expo-google-fonts/noto-serif-sc@0.4.3 @expo-google-fonts/noto-sans-sc@0.4.3   # unpack both
    apt-get download fonts-lxgw-wenkai                                                      # dpkg -x, 1.250+repack-1
    python docs/fonts/make_subsets.py SERIF_PACKAGE SANS_PACKAGE WENKAI_DIRECTORY OUTPUT_DIRECTORY

Body (宋体) is shipped whole: it is also the fallback for rare characters in names (䶮 㛃 𬭎), which lie beyond GBK.
Title, 黑体 and 楷体 are cut to GB 2312 plus Latin and punctuation; a character they lack is set in the body face.
LXGW WenKai reserves its names (霞鹜, LXGW), so our cut carries another one, as OFL 1.1 condition 3 asks.
Needs fonttools, which WeasyPrint brings.
"""

# ruff: noqa: INP001 - a script beside its explanation, not a package
from __future__ import annotations

import shutil
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

CELLS = range(0xA1, 0xFF)
LATIN = {*range(0x20, 0x7F), *range(0xA0, 0x180)}
PUNCTUATION = {*range(0x2010, 0x2040), *range(0x2460, 0x2474), *range(0x3000, 0x3020), *range(0xFF00, 0xFFEF)}
KEEP_NAMES = [0, 1, 2, 3, 4, 5, 6, 7, 13, 14]


def gb2312() -> set[int]:
    """Every code point of GB 2312-1980 (EUC form)."""
    found = set()
    for row in CELLS:
        for cell in CELLS:
            text = bytes([row, cell]).decode("gb2312", errors="ignore")
            found.update(map(ord, text))
    return found


def cut(source: Path, target: Path, rename: str = "") -> None:
    """Write `source` with only GB 2312 and punctuation to `target`, under another family name if given."""
    options = subset.Options(hinting=False, name_IDs=KEEP_NAMES, layout_features=["kern", "locl", "palt"], notdef_outline=True)
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=gb2312() | LATIN | PUNCTUATION)
    cutter.subset(font)
    if rename:
        give_name(font, rename)
    subset.save_font(font, str(target), options)


def give_name(font: TTFont, family: str) -> None:
    """Replace every name that a reader sees; copyright and licence records (0, 13, 14) stay."""
    compact = family.replace(" ", "")
    new = {1: family, 3: f"{compact};subset", 4: f"{family} Regular", 6: f"{compact}-Regular"}
    for record in list(font["name"].names):
        if record.nameID in (7, 16, 17, 18, 21, 22):
            font["name"].removeNames(nameID=record.nameID)
        elif record.nameID in new:
            record.string = new[record.nameID]


def main(serif: Path, sans: Path, wenkai: Path, out: Path) -> None:
    """Write the four fonts and their licences."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(serif / "400Regular/NotoSerifSC_400Regular.ttf", out / "body.ttf")
    cut(serif / "700Bold/NotoSerifSC_700Bold.ttf", out / "title.ttf")
    cut(sans / "500Medium/NotoSansSC_500Medium.ttf", out / "hei.ttf")
    cut(wenkai / "LXGWWenKai-Regular.ttf", out / "kai.ttf", rename="Gongchuang Kai")
    shutil.copyfile(serif / "LICENSE_FONT", out / "OFL-noto-serif-sc.txt")
    shutil.copyfile(sans / "LICENSE_FONT", out / "OFL-noto-sans-sc.txt")
    # OFL-lxgw-wenkai.txt is written by hand: the Debian package carries the licence only inside debian/copyright.


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
