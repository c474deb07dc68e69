"""Officers' identities: an X25519 key pair each, the secret half kept only under a generated passphrase (age's scrypt stanza).

A passphrase is never chosen by a person: five groups of four from 32 letters and digits that are not mistaken for one another
(no i, l, o, u), 100 bits. It is typed in any case, with or without hyphens.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from typing import Final

import pyrage
from pyrage import passphrase as by_passphrase
from pyrage.x25519 import Identity, Recipient

from bidding.sealing.refusals import SealRefused

ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
GROUPS, LETTERS = 5, 4
_READ_AS = str.maketrans("ilo", "110")  # what a hand or an eye makes of 1 and 0


@dataclass(frozen=True)
class Officer:
    """开标人: a public name (an office, not a person's name: it is printed in the call) and the recipient `age1…`."""

    name: str
    recipient: str

    def __post_init__(self) -> None:
        _recipient(self.recipient)


@dataclass(frozen=True)
class NewIdentity:
    """A key pair as it is handed to its officer once: the protected file, the passphrase on paper, and the public half."""

    recipient: str
    protected: bytes
    passphrase: str


def generate_passphrase() -> str:
    """100 bits from the operating system, e.g. "7k3v-q0zt-…"."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(LETTERS)) for _ in range(GROUPS))


def read_passphrase(typed: str) -> str:
    """What was typed, in the form it was generated: lower case, grouped, l and i read as 1, o as 0. Other text is left alone."""
    plain = "".join(typed.split()).replace("-", "").lower().translate(_READ_AS)
    if len(plain) != GROUPS * LETTERS or set(plain) - set(ALPHABET):
        return typed.strip()
    return "-".join(plain[i : i + LETTERS] for i in range(0, len(plain), LETTERS))


def generate_pair() -> tuple[str, str]:
    """(recipient, secret), unprotected: for who keeps the secret in memory only."""
    identity = Identity.generate()
    return str(identity.to_public()), str(identity)


def generate_identity() -> NewIdentity:
    """A fresh officer's key. Takes about a second: scrypt makes guessing the passphrase expensive."""
    (recipient, secret), words = generate_pair(), generate_passphrase()
    return NewIdentity(recipient, by_passphrase.encrypt(secret.encode(), words), words)


def unlock(protected: bytes, words: str, *, name: str = "") -> str:
    """The secret `AGE-SECRET-KEY-1…` in a protected identity file, or in the line of base64 that its printed code holds.

    Raises SealRefused("passphrase" | "identity").
    """
    try:
        secret = bytes(by_passphrase.decrypt(_from_paper(protected), read_passphrase(words)))
    except pyrage.DecryptError as wrong:
        raise SealRefused("passphrase", name) from wrong
    lines = [line for line in secret.decode("ascii", "replace").splitlines() if line and not line.startswith("#")]
    if len(lines) != 1:
        raise SealRefused("identity", name)
    public_half(lines[0], name=name)
    return lines[0]


def _from_paper(protected: bytes) -> bytes:
    if protected.startswith(b"age-encryption.org/"):
        return protected
    try:
        return base64.b64decode(b"".join(protected.split()), validate=True)
    except binascii.Error:
        return protected


def public_half(secret: str, *, name: str = "") -> str:
    """The recipient `age1…` that belongs to a secret key. Raises SealRefused("identity")."""
    return str(identity_of(secret, name=name).to_public())


def identity_of(secret: str, *, name: str = "") -> Identity:
    """The library's form of a secret key. Raises SealRefused("identity")."""
    try:
        return Identity.from_str(secret.strip())
    except pyrage.IdentityError as wrong:
        raise SealRefused("identity", name) from wrong


def seal_to(content: bytes, recipient: str) -> bytes:
    """An age file for one recipient. Raises SealRefused("recipient")."""
    return bytes(pyrage.encrypt(content, [_recipient(recipient)]))


def open_with(content: bytes, secret: str, *, name: str = "") -> bytes:
    """The plaintext of an age file. Raises SealRefused: "identity", "wrong_key" (made for somebody else) or "damaged"."""
    identity = identity_of(secret, name=name)
    try:
        return bytes(pyrage.decrypt(content, [identity]))
    except pyrage.DecryptError as wrong:
        raise SealRefused("wrong_key" if "no matching keys" in str(wrong).lower() else "damaged", name) from wrong


def _recipient(text: str) -> Recipient:
    try:
        return Recipient.from_str(text)
    except pyrage.RecipientError as wrong:
        raise SealRefused("recipient", text) from wrong
