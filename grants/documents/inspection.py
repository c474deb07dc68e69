"""Whether a file is what its name says, before it is kept: extension × content × what was asked for.

Nothing here executes, renders or unpacks a file. Limits follow ASVS 5.0.0 chapter V5 (file handling).
"""

from __future__ import annotations

import re
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from grants.archives import UNREADABLE

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

LONGEST_NAME = 150  # characters
MOST_PIXELS = 60_000_000  # a 600-dpi A4 scan has 35 million
MOST_ENTRIES = 2_000  # parts of one docx or xlsx
MOST_UNPACKED = 200 * 1024 * 1024  # bytes
MOST_RATIO = 200  # unpacked : packed, over a whole office file; XML packs 10–50 times
PDF_TAIL = 2_048  # bytes in which %%EOF must stand: scanners pad the end
MARKUP = re.compile(rb"<\s*(!doctype|html|svg|script|\?xml|\?php|body|iframe)", re.IGNORECASE)
ZIP_END = b"PK\x05\x06"
OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old Office, and every Office file with a password
OFFICE = "application/vnd.openxmlformats-officedocument."


class FileRefused(ValidationError):
    """A file was not kept. A form may raise it as it is.

    code: name | empty | too_large | type | disguised | macro | password | bomb | pixels | broken | virus | unscanned.
    sentence: which file, which rule, and the way out, in the active language.
    """

    code: str

    def __init__(self, code: str, sentence: str | _StrPromise, **params: object) -> None:
        super().__init__(sentence, code=code, params=params)

    @property
    def sentence(self) -> str:
        return str(self.messages[0])


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of file that can be asked for. `inspect(path, name)` raises FileRefused when the content is something else."""

    key: str
    label: str
    extensions: tuple[str, ...]
    media_type: str
    inspect: Callable[[Path, str], None]


def clean_name(name: str) -> str:
    """The name without folders, normalised (NFC), fit for a download header. Raises FileRefused("name").

    Control characters and direction marks are refused: U+202E makes `fdp.exe` read as `exe.pdf`.
    """
    base = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1]).strip()
    if not base or base.startswith(".") or any(unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp", "Cs"} for letter in base):
        raise FileRefused("name", _("文件名为空或含有不可见字符。请改用普通文字命名后重新上传。"))
    if len(base) > LONGEST_NAME:
        raise FileRefused("name", _("文件名超过 %(most)s 个字。请缩短后重新上传。"), most=LONGEST_NAME)
    return base


def kind_of(name: str, allowed: Collection[str]) -> Kind:
    """The kind that the extension names, if it is among `allowed` (keys of KINDS). Raises FileRefused("type")."""
    extension = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    for key in sorted(allowed):
        if extension in KINDS[key].extensions:
            return KINDS[key]
    accepted = "、".join(KINDS[key].label for key in sorted(allowed))
    raise FileRefused("type", _("“%(name)s”的格式不能接收。可以上传：%(accepted)s。"), name=name, accepted=accepted)


def disguised(name: str, kind: str) -> FileRefused:
    return FileRefused(
        "disguised",
        _("“%(name)s”的内容不是 %(kind)s，或混有别的格式。请用原来的软件打开，另存或导出为 %(kind)s 后重新上传。"),
        name=name,
        kind=kind,
    )


def broken(name: str, kind: str) -> FileRefused:
    return FileRefused("broken", _("“%(name)s”不完整或已损坏，无法作为 %(kind)s 打开。请重新导出后上传。"), name=name, kind=kind)


def _head_and_tail(path: Path, tail: int) -> tuple[bytes, bytes]:
    with path.open("rb") as stream:
        head = stream.read(1_024)
        stream.seek(max(0, path.stat().st_size - tail))
        return head, stream.read()


def _inspect_pdf(path: Path, name: str) -> None:
    """%PDF- at the very start (not within the first kilobyte, as readers tolerate), %%EOF at the end, no zip behind it."""
    head, tail = _head_and_tail(path, PDF_TAIL)
    if not re.match(rb"%PDF-[12]\.\d", head) or ZIP_END in tail or MARKUP.search(head):
        raise disguised(name, "PDF")
    if b"%%EOF" not in tail or b"startxref" not in tail:
        raise broken(name, "PDF")


def _image(expected: str) -> Callable[[Path, str], None]:
    def inspect(path: Path, name: str) -> None:
        head, tail = _head_and_tail(path, PDF_TAIL)
        if MARKUP.search(head) or ZIP_END in tail:
            raise disguised(name, expected)
        _inspect_pixels(path, name, expected)

    return inspect


def _inspect_pixels(path: Path, name: str, expected: str) -> None:
    """Read the header, count the pixels, and only then let Pillow check the structure."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(path, formats=[expected])
        with picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise _too_many_pixels(name, picture)
            picture.verify()
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise disguised(name, expected) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise broken(name, expected) from error


def _too_many_pixels(name: str, picture: Image.Image) -> FileRefused:
    return FileRefused(
        "pixels",
        _("图片“%(name)s”有 %(wide)s×%(high)s 像素，超过 %(most)s 万像素。请缩小或以 300 dpi 重新扫描。"),
        name=name,
        wide=picture.width,
        high=picture.height,
        most=MOST_PIXELS // 10_000,
    )


def _office(label: str, main_part: str, main_type: str) -> Callable[[Path, str], None]:
    def inspect(path: Path, name: str) -> None:
        head, tail = _head_and_tail(path, 22)
        if head.startswith(OLE_START):
            raise FileRefused(
                "password", _("“%(name)s”设有打开密码或是旧版格式。请去掉密码，另存为新格式后重新上传。"), name=name
            )
        if not head.startswith(b"PK\x03\x04"):
            raise disguised(name, label)
        if not tail.startswith(ZIP_END):  # a comment or anything else behind the directory: something rides along
            raise disguised(name, label)
        _inspect_archive(path, name, label, main_part, main_type)

    return inspect


def _inspect_archive(path: Path, name: str, label: str, main_part: str, main_type: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _refuse_bomb(entries, path.stat().st_size, name)
            names = {entry.filename for entry in entries}
            if "[Content_Types].xml" not in names or main_part not in names:
                raise disguised(name, label)
            types = archive.read("[Content_Types].xml")
            _refuse_macros(names, types, name)
            if f"{OFFICE}{main_type}".encode() not in types:
                raise disguised(name, label)
    except UNREADABLE as error:
        raise broken(name, label) from error


def _refuse_bomb(entries: list[zipfile.ZipInfo], size: int, name: str) -> None:
    """Judge by the directory; overlapping parts (one packed block counted many times) show as a sum over the file's size."""
    unpacked = sum(entry.file_size for entry in entries)
    overlapping = sum(entry.compress_size for entry in entries) > size
    unsafe = any(
        entry.filename.startswith("/") or ".." in entry.filename.split("/") or entry.flag_bits & 0x1 for entry in entries
    )
    if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * size or overlapping or unsafe:
        raise FileRefused("bomb", _("“%(name)s”解压后过大或结构异常。请删去多余内容，另存后重新上传。"), name=name)


def _refuse_macros(names: set[str], types: bytes, name: str) -> None:
    if any(part.lower().endswith(("vbaproject.bin", "vbadata.xml")) for part in names) or b"macroenabled" in types.lower():
        raise FileRefused("macro", _("“%(name)s”带有宏。请另存为不带宏的文档后重新上传。"), name=name)


def _text(label: str) -> Callable[[Path, str], None]:
    def inspect(path: Path, name: str) -> None:
        content = path.read_bytes()  # already within max_bytes
        if MARKUP.match(content.lstrip(b"\xef\xbb\xbf \t\r\n")) or content.startswith((b"MZ", b"\x7fELF", b"#!", b"%PDF")):
            raise disguised(name, label)
        if not (_decodes(content, "utf-8") or _decodes(content, "gb18030")):
            raise disguised(name, label)

    return inspect


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return not any(letter < " " and letter not in "\t\r\n\f" for letter in text)


KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("pdf", "PDF", ("pdf",), "application/pdf", _inspect_pdf),
        Kind("jpg", "JPG", ("jpg", "jpeg"), "image/jpeg", _image("JPEG")),
        Kind("png", "PNG", ("png",), "image/png", _image("PNG")),
        Kind(
            "docx",
            "Word(docx)",
            ("docx",),
            f"{OFFICE}wordprocessingml.document",
            _office("Word(docx)", "word/document.xml", "wordprocessingml.document.main+xml"),
        ),
        Kind(
            "xlsx",
            "Excel(xlsx)",
            ("xlsx",),
            f"{OFFICE}spreadsheetml.sheet",
            _office("Excel(xlsx)", "xl/workbook.xml", "spreadsheetml.sheet.main+xml"),
        ),
        Kind("csv", "CSV", ("csv",), "text/csv", _text("CSV")),
        Kind("txt", "TXT", ("txt",), "text/plain", _text("TXT")),
        Kind("ics", "iCalendar", ("ics",), "text/calendar", _text("iCalendar")),
    )
}
