"""One sealed bid: a manifest and its attachments, each an age file of its own, and the public header that commits to them.

The manifest (canonical JSON) says everything the bid says, with name, size and SHA-256 of every attachment and 32 random bytes of salt.
`commit = SHA-256(salt ‖ SHA-256(manifest))` stands in the header: it fixes one plaintext and, thanks to the salt, gives nothing away. The header
also fixes every sealed file by its hash, so that a swapped or altered file is found before any key is used; what is inside must name the header's
call, organisation and version, so that one bidder's envelope does not open under another's name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bidding.sealing import SUITE
from bidding.sealing.keys import open_with, seal_to
from bidding.sealing.refusals import SealRefused
from grants.ledger.canonical import encode

MANIFEST: Final = "manifest"
MANIFEST_FORMAT: Final = "gongchuang-bid-manifest/1"
HEADER_FORMAT: Final = "gongchuang-bid-header/1"
SALT_BYTES: Final = 32
IDENTITY: Final = ("call", "organisation", "version")


@dataclass(frozen=True)
class Place:
    """Which bid: the call's code, the organisation's random pseudonym, the version (1, 2 …)."""

    call: str
    organisation: str
    version: int

    def says(self) -> dict[str, Any]:
        return {"call": self.call, "organisation": self.organisation, "version": self.version}


@dataclass(frozen=True)
class Sealed:
    """header: JSON types, public. files: name in the header → age file ("manifest", "attachment-1" …)."""

    header: Mapping[str, Any]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class KeptCopy:
    """投标留存包: the plaintext in the bidder's hands. With it a bid is restored when keys or files are lost."""

    manifest: bytes
    attachments: Mapping[str, bytes]


@dataclass(frozen=True)
class Opened:
    """bid: what the bidder wrote (JSON types). attachments: the bidder's file name → bytes."""

    bid: Mapping[str, Any]
    attachments: Mapping[str, bytes]


def sealed(place: Place, bid: Mapping[str, Any], attachments: Mapping[str, bytes], recipient: str) -> tuple[Sealed, KeptCopy]:
    """Seal a bid to a call's recipient. bid: JSON types without floats. Raises NotCanonical, SealRefused("recipient")."""
    salt = secrets.token_bytes(SALT_BYTES)
    manifest = _manifest(place, bid, attachments, salt)
    plain = {MANIFEST: manifest} | {f"attachment-{i}": content for i, content in enumerate(attachments.values(), 1)}
    files = {name: seal_to(content, recipient) for name, content in plain.items()}
    return Sealed(_header(place, files, _commitment(manifest, salt)), files), KeptCopy(manifest, dict(attachments))


def _manifest(place: Place, bid: Mapping[str, Any], attachments: Mapping[str, bytes], salt: bytes) -> bytes:
    listed = [{"name": name, "size": len(content), "sha256": _sha256(content)} for name, content in attachments.items()]
    return encode(
        {
            "format": MANIFEST_FORMAT,
            **place.says(),
            "bid": bid,
            "attachments": listed,
            "salt": base64.b64encode(salt).decode(),
        }
    )


def _header(place: Place, files: Mapping[str, bytes], commit: str) -> dict[str, Any]:
    listed = [{"name": name, "size": len(content), "sha256": _sha256(content)} for name, content in files.items()]
    return {"format": HEADER_FORMAT, "suite": SUITE, **place.says(), "files": listed, "commit": commit}


def check_files(header: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Whether the sealed files are those of the header; needs no key. Raises SealRefused: format, missing, damaged, unlisted."""
    check_hashes(header, {name: _sha256(content) for name, content in files.items()})


def check_hashes(header: Mapping[str, Any], hashes: Mapping[str, str]) -> None:
    """The same of files that are kept elsewhere: name → SHA-256 (hex). Raises as `check_files`."""
    if header.get("format") != HEADER_FORMAT or header.get("suite") != SUITE:
        raise SealRefused("format", "header")
    listed = {name: digest for name, _size, digest in _listing(header.get("files"), "header")}
    for name in dict.fromkeys((MANIFEST, *listed)):
        if name not in hashes or name not in listed:
            raise SealRefused("missing", name)
        if not hmac.compare_digest(hashes[name], listed[name]):
            raise SealRefused("damaged", name)
    if extra := sorted(set(hashes) - set(listed)):
        raise SealRefused("unlisted", extra[0])


def hash_of(header: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a header in canonical JSON: what receipts and the opening record name. Raises NotCanonical."""
    return _sha256(encode(header))


def opened(header: Mapping[str, Any], files: Mapping[str, bytes], secret: str) -> Opened:
    """Open a bid with the call's secret. Nothing is returned unless all of it fits the header and the commitment.

    Raises SealRefused: format, missing, damaged, unlisted, wrong_key, other_bid, commitment.
    """
    check_files(header, files)
    manifest = open_with(files[MANIFEST], secret, name=MANIFEST)
    value = check_manifest(header, manifest)
    attachments: dict[str, bytes] = {}
    for i, listed in enumerate(_listing(value.get("attachments"), MANIFEST), 1):
        sealed_name = f"attachment-{i}"
        if sealed_name not in files:
            raise SealRefused("missing", sealed_name)
        attachments[listed[0]] = _as_listed(listed, open_with(files[sealed_name], secret, name=sealed_name))
    return Opened(value["bid"], attachments)


def restored(header: Mapping[str, Any], copy: KeptCopy) -> Opened:
    """The same bid out of its kept copy, proved to be what was handed in: for lost keys or lost files.

    Raises SealRefused: format, other_bid, commitment, missing, damaged.
    """
    value = check_manifest(header, copy.manifest)
    attachments: dict[str, bytes] = {}
    for listed in _listing(value.get("attachments"), MANIFEST):
        if listed[0] not in copy.attachments:
            raise SealRefused("missing", listed[0])
        attachments[listed[0]] = _as_listed(listed, copy.attachments[listed[0]])
    return Opened(value["bid"], attachments)


def check_manifest(header: Mapping[str, Any], manifest: bytes) -> Mapping[str, Any]:
    """The manifest as JSON types, if it is the one the header commits to. Raises SealRefused: format, other_bid, commitment."""
    try:
        value = json.loads(manifest)
        value["bid"], salt = dict(value["bid"]), base64.b64decode(value["salt"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error) as wrong:
        raise SealRefused("format", MANIFEST) from wrong
    if value.get("format") != MANIFEST_FORMAT or len(salt) != SALT_BYTES:
        raise SealRefused("format", MANIFEST)
    for field in IDENTITY:
        if value.get(field) != header.get(field):
            raise SealRefused("other_bid", MANIFEST, field=field)
    if not hmac.compare_digest(_commitment(manifest, salt), str(header.get("commit"))):
        raise SealRefused("commitment", MANIFEST)
    return dict(value)


def _listing(rows: Any, where: str) -> list[tuple[str, int, str]]:
    """(name, size, SHA-256) of listed files, or SealRefused("format"): a header or a manifest may come from anybody."""
    try:
        return [(str(row["name"]), int(row["size"]), str(row["sha256"])) for row in rows]
    except (KeyError, TypeError, ValueError) as wrong:
        raise SealRefused("format", where) from wrong


def _as_listed(listed: tuple[str, int, str], content: bytes) -> bytes:
    name, size, digest = listed
    if len(content) != size or _sha256(content) != digest:
        raise SealRefused("commitment", name)
    return content


def _commitment(manifest: bytes, salt: bytes) -> str:
    return hashlib.sha256(salt + hashlib.sha256(manifest).digest()).hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
