"""ML-DSA-44 (FIPS 204) beside Ed25519 on checkpoints, where the installed `cryptography` knows it. Pure; no Django.

A signature that quantum computers do not break, over the structure of c2sp.org/tlog-cosignature ("subtree/v1"). It is an addition: a
checkpoint is the log's by its Ed25519 signature, and a verifier without ML-DSA skips the line.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grants.ledger.note import TreeHead

mldsa: ModuleType | Any = None
try:
    from cryptography.hazmat.primitives.asymmetric import mldsa as _mldsa
except ImportError:  # an older library, or one built on an OpenSSL without it
    pass
else:
    mldsa = _mldsa

LABEL = b"subtree/v1\n\x00"


def available() -> bool:
    """Whether this installation can sign and check ML-DSA-44."""
    if mldsa is None:
        return False
    try:
        mldsa.MLDSA44PrivateKey.generate()
    except Exception:  # noqa: BLE001 - UnsupportedAlgorithm or whatever the backend answers: then it cannot
        return False
    return True


def message(name: str, moment: bytes, head: TreeHead) -> bytes:
    """What is signed: cosigner, time (8 bytes), origin, leaves 0 ≤ … < size, root."""
    cosigner, origin = name.encode(), head.origin.encode()
    span = bytes(8) + head.size.to_bytes(8, "big")
    return LABEL + bytes([len(cosigner)]) + cosigner + moment + bytes([len(origin)]) + origin + span + head.root


def accepts(key: bytes, signed: bytes, signature: bytes) -> bool:
    """Whether the signature holds; False too where this installation cannot tell."""
    if mldsa is None:
        return False
    try:
        mldsa.MLDSA44PublicKey.from_public_bytes(key).verify(signature, signed)
    except Exception:  # noqa: BLE001 - InvalidSignature, ValueError, UnsupportedAlgorithm: it does not hold here
        return False
    return True


def sign(seed: bytes, signed: bytes) -> bytes:
    """2,420 bytes by the key of this 32-byte seed."""
    return bytes(mldsa.MLDSA44PrivateKey.from_seed_bytes(seed).sign(signed))


def public(seed: bytes) -> bytes:
    """The 1,312-byte public key of a seed."""
    return bytes(mldsa.MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw())
