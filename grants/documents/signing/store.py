"""The folder of certificates and keys: `<data folder>/keys/signing/`, 0700, files 0600. Roots and lists of others: `…/trust/`."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings


def folder() -> Path:
    """Certificates and keys of our own."""
    return Path(settings.GONGCHUANG_HOME) / "keys" / "signing"


def trust_folder() -> Path:
    """Root certificates (*.crt, *.pem, *.cer) and revocation lists (*.crl) of CAs whose signatures count here."""
    return folder() / "trust"


def path_for(code: str, suffix: str) -> Path:
    """A file named after a body's code. Raises ValueError for a name that could lead elsewhere."""
    if not code or not all(letter.isalnum() or letter in "-_" for letter in code):
        raise ValueError(f"not a code: {code!r}")
    return folder() / "bodies" / f"{code}{suffix}"


@contextmanager
def locked() -> Iterator[None]:
    """One process at a time makes a key, a certificate or a list; released by the kernel when a process is killed."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder() / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write(path: Path, content: bytes) -> None:
    """Whole or not at all, durable, readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{secrets.token_hex(8)}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def as_pem(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
