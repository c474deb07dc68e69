"""Many kept files as one ZIP, sent while it is written: constant memory, nothing on disk, an index that names every file's hash."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from grants.documents.files import open_file
from grants.documents.models import StoredFile

CHUNK = 64 * 1024
INDEX = "index.csv"


@dataclass(frozen=True)
class Packed:
    """A kept file and where it stands in the package (folders with "/", never absolute, never upwards)."""

    path: str
    file: StoredFile


class _Pipe(io.RawIOBase):
    """What `zipfile` writes to: bytes wait here until they are sent. It cannot seek, so sizes follow the data (APPNOTE 4.4.4, bit 3)."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        before = len(self.waiting)
        self.waiting += data  # type: ignore[arg-type]
        return len(self.waiting) - before

    def taken(self) -> bytes:
        """Everything written since the last call."""
        found, self.waiting = bytes(self.waiting), bytearray()
        return found


def stream_zip(files: Iterable[Packed], *, at: datetime, heads: tuple[str, str, str]) -> Iterator[bytes]:
    """The ZIP, piece by piece, ending with index.csv (path, bytes, SHA-256). Raises FileLost in the middle: the download then breaks.

    at: the time every entry carries, so that the same files give the same package. heads: the index's three headings.
    """
    pipe, rows = _Pipe(), [heads]
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as package:  # type: ignore[call-overload]
        for packed in files:
            yield from _entry(package, pipe, packed, at)
            rows.append((packed.path, str(packed.file.size), packed.file.sha256))
        package.writestr(_info(INDEX, at), _index(rows))
    yield pipe.taken()


def stream_files(files: Iterable[Packed], *, at: datetime) -> Iterator[bytes]:
    """The same without an index: these files and nothing else. Raises FileLost in the middle."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as package:  # type: ignore[call-overload]
        for packed in files:
            yield from _entry(package, pipe, packed, at)
    yield pipe.taken()


def _entry(package: zipfile.ZipFile, pipe: _Pipe, packed: Packed, at: datetime) -> Iterator[bytes]:
    with open_file(packed.file.sha256) as source, package.open(_info(packed.path, at), "w", force_zip64=True) as entry:
        while piece := source.read(CHUNK):
            entry.write(piece)
            yield pipe.taken()


def _info(path: str, at: datetime) -> zipfile.ZipInfo:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path!r} would leave the package")
    info = zipfile.ZipInfo(path, at.timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _index(rows: list[tuple[str, str, str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8-sig")
