"""C2SP signed notes and transparency-log checkpoints, with Ed25519 (type 0x01). Pure; `cryptography` does the signing.

A note is text, a blank line, and signature lines `— <key name> base64(key id || signature)`. A checkpoint's text is three lines:
origin, tree size, base64 root. Further lines may be cosignatures: of a witness (Ed25519 with a time, type 0x04) or of a key that
quantum computers do not break (ML-DSA-44, type 0x06). Sources: c2sp.org/signed-note, /tlog-checkpoint, /tlog-cosignature, RFC 8032, FIPS 204.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from grants.ledger import postquantum
from grants.ledger.merkle import HASH_BYTES

ED25519, COSIGNATURE, MLDSA44 = b"\x01", b"\x04", b"\x06"
KEY_BYTES = {ED25519: 32, COSIGNATURE: 32, MLDSA44: 1312}
TIME_BYTES = 8
NAME_OF_PROOF = "c2sp.org/tlog-proof@v1"
DASH = "\u2014 "
MOST_SIGNATURES = 100
BIGGEST = 2**63 - 1  # leaves; also keeps a hostile note from asking for a huge integer


class BadNote(ValueError):
    """A note, key or checkpoint that is malformed, unsigned by any known key, or wrongly signed."""


@dataclass(frozen=True)
class Verifier:
    """A public key under a name. Written `<name>+<key id in hex>+<base64(kind || key)>`; kind: the C2SP signature type."""

    name: str
    key: bytes
    kind: bytes = ED25519

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(c.isspace() or ord(c) < 32 for c in self.name):
            raise BadNote(f"{self.name!r} is no key name: it must be non-empty, without spaces and without +")
        if self.kind not in KEY_BYTES:
            raise BadNote("the key is neither Ed25519 (type 0x01), a witness's (0x04) nor ML-DSA-44 (0x06)")
        if len(self.key) != KEY_BYTES[self.kind]:
            raise BadNote(f"a public key of this type has {KEY_BYTES[self.kind]} bytes")

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + self.kind + self.key).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_b64(self.kind + self.key)}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read the text form. Raises BadNote, also when the key id does not belong to name and key."""
        name, _, rest = text.strip().partition("+")
        written, _, encoded = rest.partition("+")
        raw = _unb64(encoded)
        found = cls(name, raw[1:], raw[:1])
        if found.key_id.hex() != written:
            raise BadNote(f"the key id {written!r} does not belong to this name and key")
        return found

    @classmethod
    def of(cls, name: str, key: Ed25519PrivateKey) -> Verifier:
        return cls(name, key.public_key().public_bytes_raw())

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether `signature`, as it stands in a signature line after the key id, is one of `text`."""
        if self.kind == ED25519:
            return _ed25519(self.key, text.encode(), signature)
        moment, rest = signature[:TIME_BYTES], signature[TIME_BYTES:]
        if self.kind == COSIGNATURE:
            return _ed25519(self.key, cosigned(text, int.from_bytes(moment, "big")), rest)
        return postquantum.accepts(self.key, postquantum.message(self.name, moment, TreeHead.parse(text)), rest)


def cosigned(text: str, at: int) -> bytes:
    """What a witness signs: a header, the time in POSIX seconds, the checkpoint's text (c2sp.org/tlog-cosignature)."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def _ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def sign(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """The signed note of `text`, which must end with a newline. Raises BadNote."""
    _check_text(text)
    signature = key.sign(text.encode())
    return f"{text}\n{DASH}{name} {_b64(Verifier.of(name, key).key_id + signature)}\n"


def cosignature_line(verifier: Verifier, at: int, signature: bytes) -> str:
    """A cosignature made at `at` (POSIX seconds) as a line of a note, without its newline."""
    name, key_id = verifier.name, verifier.key_id
    return f"{DASH}{name} {_b64(key_id + at.to_bytes(TIME_BYTES, 'big') + signature)}"


def with_lines(note: str, lines: Iterable[str]) -> str:
    """A note with further signature lines. Raises BadNote for what is no signature line."""
    for line in lines:
        _signature(line)
        note += f"{line}\n"
    return note


def signature_lines(note: str) -> list[tuple[str, str, bytes]]:
    """(line, key name, key id and signature) of every signature of a note, known or not. Raises BadNote."""
    return [(line, *_signature(line)) for line in _split(note)[1]]


def open_note(note: str, verifiers: Iterable[Verifier]) -> str:
    """The text of a note signed by one of `verifiers`. Raises BadNote.

    Signatures of unknown keys are ignored (witnesses, older keys); one of a known key that fails rejects the whole note. A cosignature
    alone does not make a note the log's.
    """
    text, lines = _split(note)
    known = {(v.name, v.key_id): v for v in verifiers}
    verified = False
    for line in lines:
        name, signature = _signature(line)
        verifier = known.get((name, signature[:4]))
        if verifier is None:
            continue
        if not verifier.accepts(text, signature[4:]):
            raise BadNote(f"the signature of {name} does not belong to this text")
        verified = verified or verifier.kind == ED25519
    if not verified:
        raise BadNote("no signature by a known key")
    return text


@dataclass(frozen=True)
class TreeHead:
    """What a checkpoint says: whose log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines to be signed. Raises BadNote for what they cannot carry."""
        if not self.origin or any(ord(c) < 32 for c in self.origin):
            raise BadNote(f"{self.origin!r} is no origin: one non-empty line")
        if not 0 <= self.size <= BIGGEST or len(self.root) != HASH_BYTES:
            raise BadNote("a tree head has a size from 0 to 2^63-1 and a root of 32 bytes")
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> TreeHead:
        """Read a checkpoint's text; extension lines are refused, because nobody could audit them. Raises BadNote."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[1].isascii() or not lines[1].isdigit() or len(lines[1]) > 19:
            raise BadNote("a checkpoint has three lines: origin, size, root")
        found = cls(lines[0], int(lines[1]), _unb64(lines[2]))
        if found.text() != text:
            raise BadNote("the checkpoint is not written in its one canonical form")
        return found


def _split(note: str) -> tuple[str, list[str]]:
    text, gap, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() or not 1 <= len(lines) <= MOST_SIGNATURES:
        raise BadNote("a note ends with a blank line and signature lines")
    _check_text(text + "\n")
    return text + "\n", lines


def _signature(line: str) -> tuple[str, bytes]:
    if not line.startswith(DASH):
        raise BadNote("a signature line begins with an em dash and a space")
    name, _, encoded = line.removeprefix(DASH).partition(" ")
    signature = _unb64(encoded)
    if not name or len(signature) < 5:
        raise BadNote("a signature line has a key name and a signature")
    return name, signature


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(ord(c) < 32 and c != "\n" for c in text):
        raise BadNote("the text of a note ends with a newline and has no other control character")


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise BadNote(f"{text!r} is not base64") from wrong
    if _b64(raw) != text:
        raise BadNote(f"{text!r} is not written in its one canonical form")
    return raw
