"""A package as it lies on disk or in memory, a folder or a ZIP: its files by their path, and whether they are the listed ones. Pure.

Files are read piece by piece: a package may have gigabytes.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from grants.archives import UNREADABLE
from grants.audit import bag

PIECE = 1024 * 1024
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


class NoPackage(ValueError):
    """Neither a folder nor a ZIP with a package in it."""


class Held(ABC):
    """A package's files. names: their paths below the bag's folder."""

    names: frozenset[str]

    @abstractmethod
    def opened(self, name: str) -> BinaryIO:
        """A file of the package, to be read and closed."""

    def read(self, name: str) -> bytes:
        with self.opened(name) as source:
            return source.read()

    def digest(self, name: str) -> str:
        found = hashlib.sha256()
        with self.opened(name) as source:
            for piece in iter(lambda: source.read(PIECE), b""):
                found.update(piece)
        return found.hexdigest()


class InZip(Held):
    """A ZIP whose files stand in one folder, as RFC 8493 asks."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self._entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist() if not entry.is_dir()}
        self.names = frozenset(self._entries)

    def opened(self, name: str) -> BinaryIO:
        return cast("BinaryIO", self.archive.open(self._entries[name]))


class InFolder(Held):
    """A package that somebody unpacked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names = frozenset(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

    def opened(self, name: str) -> BinaryIO:
        return (self.folder / name).open("rb")


@contextmanager
def held(path: Path) -> Iterator[Held]:
    """The package in a ZIP, in a folder, or in a folder right below it. Raises NoPackage."""
    if path.is_dir():
        yield _whole(InFolder(_bag_in(path)))
        return
    try:
        archive = zipfile.ZipFile(path)
    except UNREADABLE as bad:
        raise NoPackage(str(path)) from bad
    with archive:
        yield _whole(InZip(archive))


def _bag_in(folder: Path) -> Path:
    below = sorted(each for each in folder.iterdir() if each.is_dir())
    return next((each for each in (folder, *below) if (each / bag.TAGS).is_file()), folder)


def _whole(found: Held) -> Held:
    if not {bag.TAGS, bag.MANIFEST} <= found.names:
        raise NoPackage
    return found


def listed(manifest: bytes) -> dict[str, str]:
    """Path → SHA-256."""
    return {found[2]: found[1] for line in manifest.decode().splitlines() if (found := _LINE.fullmatch(line))}


def everything_listed(package: Held) -> dict[str, str]:
    """Path → SHA-256 of every file that the two manifests name. Raises KeyError where one is missing."""
    return {**listed(package.read(bag.TAGS)), **listed(package.read(bag.MANIFEST))}


def missing(package: Held, named: Iterable[str]) -> str | None:
    """The first file that is listed and not there."""
    return next((path for path in sorted(named) if path not in package.names), None)


def changed(package: Held, named: dict[str, str]) -> str | None:
    """The first file that is not what the manifests say."""
    return next((path for path, digest in sorted(named.items()) if _digest(package, path) != digest), None)


def _digest(package: Held, path: str) -> str:
    """Nothing where the archive itself finds the file damaged."""
    try:
        return package.digest(path)
    except UNREADABLE:
        return ""


def more(package: Held, named: Iterable[str]) -> str | None:
    """The first file that no manifest names."""
    return next(iter(sorted(package.names - set(named) - {bag.TAGS, bag.TAGS_512})), None)
