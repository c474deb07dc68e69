"""Receipts: a signed promise, given at once, that an entry is in the log; with the proof that it is, as soon as there is one.

A receipt is canonical JSON that holds the entry's exact bytes and plain words about it, signed by the installation's receipt key. It
is made from what is stored and frozen, so that it can be made again: the same event and words give the same bytes (Ed25519 is
deterministic). The proof is added beside the signature, not under it. Format: docs/ledger-format.md §6; checked by offline/verify.py.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from grants.ledger import canonical, keys, proofs
from grants.ledger.models import AuditEvent, stored_bytes
from grants.ledger.offline import verify

FORMAT = verify.RECEIPT


def receipt(event: AuditEvent, about: Mapping[str, Any]) -> dict[str, Any]:
    """The signed receipt of an event, with its proof if a checkpoint covers it.

    about: plain words (text, integers) for people; no personal data; "event", "at" and "content" must repeat the entry's own.
    Raises KeyMissing, NotCanonical, LedgerBroken.
    """
    proved = proofs.inclusion(event)
    found = signed(event, about)
    return found if proved is None else {**found, "proof": proved.text()}


def signed(event: AuditEvent, about: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt as it can be given at once. Raises KeyMissing, NotCanonical."""
    key = keys.receipt_key()
    body = {
        "format": FORMAT, "log": keys.origin(), "key": str(keys.receipt_verifier()), "leaf": stored_bytes(event.leaf).decode(),
        "about": dict(about),
    }  # fmt: skip
    return {**body, "signature": base64.b64encode(key.sign(canonical.encode(body))).decode("ascii")}


def file(found: Mapping[str, Any]) -> bytes:
    """A receipt as a file: one line of canonical JSON."""
    return canonical.encode(found) + b"\n"


def leaf_hash_of(event: AuditEvent) -> str:
    """The leaf hash of an event in hex: what a printed receipt shows and a QR code carries."""
    return verify.leaf_hash(stored_bytes(event.leaf)).hex()


def trusted() -> list[verify.Key]:
    """This installation's public keys, as the verifier reads them. Raises KeyMissing."""
    return [verify.Key(str(verifier), "本机") for verifier in keys.published()]
