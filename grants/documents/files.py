"""Files kept by their hash: `<data folder>/files/ab/cdef…`. The same content is stored once, and is never changed.

Bytes arrive in a draft beside their final place, are counted and hashed as they come, inspected, made durable (fsync) and
only then appear under their hash in one atomic rename. Whatever fails, no draft stays behind. When the transaction around
`store` is rolled back the bytes may remain without a row: harmless, since nothing refers to them, and the next store of
the same content finds them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files import File
from django.utils.translation import gettext_lazy as _

from grants.documents.inspection import FileRefused, clean_name, kind_of
from grants.documents.models import StoredFile
from grants.documents.scanning import scan

CHUNK = 64 * 1024
MEBIBYTE = 1024 * 1024


class FileLost(RuntimeError):
    """The row exists but its bytes are gone or altered: restore the data folder's `files/` from the backup."""

    def __init__(self, sha256: str, what: str) -> None:
        super().__init__(f"文件 {sha256} {what}，请从备份恢复数据目录中的 files/。")
        self.sha256 = sha256


def store(content: bytes | BinaryIO | File, *, name: str, allowed: Collection[str], max_bytes: int) -> StoredFile:
    """Keep a file that passes every check and return its row (an older one if this content is already kept).

    content: bytes or anything with read(); read once, in pieces, and never further than one piece beyond `max_bytes`.
    name: what the person called it; only its extension matters here. allowed: keys of inspection.KINDS, e.g. {"pdf", "jpg"}.
    max_bytes: largest size in bytes. Raises FileRefused (see its codes); then nothing is kept.
    """
    name = clean_name(name)
    kind = kind_of(name, allowed)
    draft = _draft()
    try:
        sha256, size = _receive(content, draft, name, max_bytes)
        kind.inspect(draft, name)
        scan(draft, name)
        _settle(draft, path_of(sha256), size)
    finally:
        draft.unlink(missing_ok=True)
    row, _new = StoredFile.objects.get_or_create(sha256=sha256, defaults={"size": size, "media_type": kind.media_type})
    return row


def keep(pieces: Iterable[bytes], *, media_type: str) -> StoredFile:
    """Keep what this program made itself, piece by piece in constant memory, and return its row. Nobody handed it in: it is not inspected.

    Raises ValueError for nothing at all.
    """
    draft = _draft()
    try:
        digest, size = hashlib.sha256(), 0
        with draft.open("wb") as out:
            for piece in pieces:
                digest.update(piece)
                size += out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        if not size:
            raise ValueError("an empty file is not kept")
        _settle(draft, path_of(digest.hexdigest()), size)
    finally:
        draft.unlink(missing_ok=True)
    row, _new = StoredFile.objects.get_or_create(sha256=digest.hexdigest(), defaults={"size": size, "media_type": media_type})
    return row


def path_of(sha256: str) -> Path:
    """Where the bytes lie. Raises ValueError for anything but 64 lower-case hex digits, so no path can be smuggled in."""
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ValueError(f"not a SHA-256: {sha256!r}")
    return _root() / sha256[:2] / sha256[2:]


def open_file(sha256: str) -> BufferedReader:
    """The bytes, as a stream that the caller closes. Raises FileLost."""
    try:
        return path_of(sha256).open("rb")
    except FileNotFoundError as error:
        raise FileLost(sha256, "的内容不在数据目录中") from error


def read_file(sha256: str) -> bytes:
    """The bytes, checked against the hash. Raises FileLost when they are gone or altered."""
    with open_file(sha256) as stream:
        content = stream.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FileLost(sha256, "的内容已被改动")
    return content


def is_intact(sha256: str) -> bool:
    """Whether the bytes are there and still have this hash; reads the whole file in pieces."""
    try:
        with open_file(sha256) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except FileLost:
        return False


def _root() -> Path:
    return Path(settings.GONGCHUANG_HOME) / "files"


def _draft() -> Path:
    """A new empty file, readable by its owner only, on the same file system as the final place."""
    arriving = _root() / "arriving"
    arriving.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(dir=arriving)
    os.close(handle)
    return Path(path)


def _receive(content: bytes | BinaryIO | File, draft: Path, name: str, max_bytes: int) -> tuple[str, int]:
    """Write the draft durably; return its hash and size. Stops at the first piece over the limit."""
    announced = len(content) if isinstance(content, bytes) else getattr(content, "size", None)
    if announced is not None and announced > max_bytes:
        raise _too_large(name, max_bytes)
    digest, size = hashlib.sha256(), 0
    with draft.open("wb") as out:
        for piece in _pieces(content):
            size += len(piece)
            if size > max_bytes:
                raise _too_large(name, max_bytes)
            digest.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    if not size:
        raise FileRefused("empty", _("“%(name)s”是空文件。请检查后重新上传。"), name=name)
    return digest.hexdigest(), size


def _pieces(content: bytes | BinaryIO | File) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    if isinstance(content, File) and content.seekable():
        content.seek(0)  # a form may have looked at it
    while piece := content.read(CHUNK):
        yield piece


def _too_large(name: str, max_bytes: int) -> FileRefused:
    most = f"{max_bytes / MEBIBYTE:.1f}".removesuffix(".0")
    return FileRefused(
        "too_large", _("“%(name)s”超过 %(most)s MB。请压缩图片、降低扫描分辨率或拆成几个文件。"), name=name, most=most
    )


def _settle(draft: Path, final: Path, size: int) -> None:
    """Make the draft appear under its hash, durably. A copy that is already there is kept unless it has lost bytes."""
    final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if final.exists() and final.stat().st_size == size:
        return
    draft.chmod(0o400)
    draft.replace(final)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
