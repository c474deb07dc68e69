"""The ceremony as files, so that it can be done on a machine without a network and without this site.

    <folder>/call-key.json            the public record (canonical JSON)
    <folder>/shares/A+B.age           one share for each group, in the order of the officers
    <folder>/test.age                 the rehearsal's envelope
    <folder>/hand-over.json           all of this as one file, for the page of the call (`sealing.handover`)
    <folder>/rehearsed.json           groups that have opened it
    <bid>/header.json, <bid>/*.age    one folder for each sealed bid
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bidding.sealing import SUITE, handover
from bidding.sealing.ceremony import FORMAT, CallKey, Group
from bidding.sealing.envelope import MANIFEST, KeptCopy, Opened, Sealed
from bidding.sealing.keys import Officer
from bidding.sealing.refusals import SealRefused
from grants.ledger.canonical import encode

RECORD: Final = "call-key.json"
TEST: Final = "test.age"
DONE: Final = "rehearsed.json"
HEADER: Final = "header.json"


def write_key(folder: Path, key: CallKey) -> None:
    """Write a ceremony. Raises FileExistsError: a call's key is never overwritten, or its bids could not be read again."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / RECORD).open("xb") as file:
        file.write(encode(key.record()))
    (folder / "shares").mkdir()
    for group, blob in key.shares.items():
        _share(folder, group).write_bytes(blob)
    (folder / TEST).write_bytes(key.test)
    (folder / handover.NAME).write_bytes(handover.handed(key))


def read_key(folder: Path) -> CallKey:
    """Read a ceremony and check it against its own record. Raises SealRefused: format, missing, damaged."""
    record = _json(folder / RECORD)
    try:
        officers = tuple(Officer(o["name"], o["recipient"]) for o in record["officers"])
        shares = {tuple(s["officers"]): _checked(_share(folder, s["officers"]), s["sha256"]) for s in record["shares"]}
        if record["format"] != FORMAT or record["suite"] != SUITE:
            raise SealRefused("format", RECORD)
        test, content = _checked(folder / TEST, record["test"]["sha256"]), str(record["test"]["content"])
        return CallKey(str(record["call"]), int(record["threshold"]), officers, str(record["recipient"]), shares, test, content)
    except (KeyError, TypeError, ValueError) as wrong:
        raise wrong if isinstance(wrong, SealRefused) else SealRefused("format", RECORD) from wrong


def rehearsed(folder: Path) -> list[Group]:
    """Groups that have opened the test envelope, in the order they did."""
    path = folder / DONE
    return [tuple(row["officers"]) for row in _json(path)["groups"]] if path.exists() else []


def note_rehearsal(folder: Path, group: Group, at: str) -> None:
    """Add a group to the rehearsals. at: UTC, RFC 3339."""
    path = folder / DONE
    rows = _json(path)["groups"] if path.exists() else []
    path.write_bytes(encode({"groups": [*rows, {"officers": list(group), "at": at}]}))


def bids(folder: Path) -> Iterator[tuple[str, Sealed]]:
    """(folder name, sealed bid) of every bid below `folder`, by name. A header that cannot be read gives an empty one: opening says so."""
    for path in sorted(p for p in folder.iterdir() if p.is_dir()):
        try:
            yield path.name, read_bid(path)
        except SealRefused:
            yield path.name, Sealed({}, {})


def read_bid(folder: Path) -> Sealed:
    """One sealed bid. Raises SealRefused: missing, format (of its header)."""
    return Sealed(_json(folder / HEADER), {f.stem: f.read_bytes() for f in sorted(folder.glob("*.age"))})


def write_bid(folder: Path, bid: Sealed) -> None:
    """One sealed bid as a folder. Raises FileExistsError."""
    folder.mkdir(parents=True)
    (folder / HEADER).write_bytes(encode(bid.header))
    for name, content in bid.files.items():
        (folder / f"{name}.age").write_bytes(content)


def write_opened(folder: Path, content: Opened) -> None:
    """What was in a bid: bid.json and the attachments, numbered, because a bidder's file name is not trusted as a path."""
    folder.mkdir(parents=True)
    (folder / "bid.json").write_bytes(encode(content.bid))
    for i, (name, data) in enumerate(content.attachments.items(), 1):
        (folder / f"{i:02d}-{_plain(name)}").write_bytes(data)


def read_copy(folder: Path) -> KeptCopy:
    """投标留存包, unpacked: manifest.json and the attachments under their own names. Raises SealRefused("missing")."""
    path = folder / f"{MANIFEST}.json"
    if not path.is_file():
        raise SealRefused("missing", path.name)
    return KeptCopy(path.read_bytes(), {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file() and p != path})


def _share(folder: Path, group: Iterable[str]) -> Path:
    return folder / "shares" / f"{'+'.join(_plain(name) for name in group)}.age"


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name).lstrip(".") or "_"


def _checked(path: Path, digest: str) -> bytes:
    if not path.is_file():
        raise SealRefused("missing", path.name)
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise SealRefused("damaged", path.name)
    return content


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as wrong:
        raise SealRefused("missing", path.name) from wrong
    except ValueError as wrong:
        raise SealRefused("format", path.name) from wrong
    if not isinstance(value, dict):
        raise SealRefused("format", path.name)
    return value
