"""BagIt 1.0 (RFC 8493): the tag files over files that are kept by their hash, so that nothing is read again to make them. Pure but for names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

MANIFEST, TAGS, TAGS_512 = "manifest-sha256.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


@dataclass(frozen=True)
class Item:
    """A file of the bag as the manifests name it."""

    path: str
    sha256: str
    size: int


def safe(text: str) -> str:
    """A number or name as one part of a path: no slashes, nothing that leads upwards or that a file system or a manifest would read otherwise."""
    return re.sub(r'[\x00-\x1f/\\:*?"<>|%]', "-", text).strip(" .") or "-"


def lines(items: Iterable[tuple[str, str]]) -> bytes:
    """(path, digest) as a manifest: sorted by path, two blanks between."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(items)).encode()


def info(facts: Mapping[str, str], payload: Iterable[Item], on: date) -> bytes:
    """bag-info.txt: what the sender says, and the sum by which a receiver sees that something is missing."""
    listed = list(payload)
    oxum = f"{sum(item.size for item in listed)}.{len(listed)}"
    rows = {**facts, "Bagging-Date": on.isoformat(), "Payload-Oxum": oxum}
    return "".join(f"{name}: {' '.join(value.split())}\n" for name, value in rows.items()).encode()


def tag_files(payload: Iterable[Item], others: Mapping[str, bytes], facts: Mapping[str, str], on: date) -> dict[str, bytes]:
    """Every tag file of the bag but `others` (further files beside data/), by name: tag manifests cover all of them in two digests.

    Two, because of a tag manifest and a tag file that disagree one cannot say which was changed; the second digest decides.
    """
    listed = list(payload)
    made = {"bagit.txt": DECLARATION, "bag-info.txt": info(facts, listed, on), MANIFEST: lines((i.path, i.sha256) for i in listed)}
    covered = {**made, **others}
    made[TAGS] = lines((name, hashlib.sha256(content).hexdigest()) for name, content in covered.items())
    made[TAGS_512] = lines((name, hashlib.sha512(content).hexdigest()) for name, content in covered.items())
    return made


def number_of(tags: bytes) -> str:
    """The package's number: SHA-256 of tagmanifest-sha256.txt, which covers everything else."""
    return hashlib.sha256(tags).hexdigest()
