"""Envelopes: AES-256-GCM with a fresh 96-bit nonce, bound by associated data to the row they belong to.

A data key is random, used for one thing that is opened together (a panel), and kept beside that thing wrapped by the master key:
`01 | master key's id (4) | nonce (12) | ciphertext and tag (48)`. A sealed value is `02 | nonce (12) | ciphertext and tag`; its text is
padded to a multiple of 256 bytes, because the length of a ballot would tell whether words were written on it.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.utils.translation import gettext as _

from grants.vault.keys import BYTES, key_id, master_keys

WRAPPED, SEALED = b"\x01", b"\x02"
ID, NONCE, BUCKET = 4, 12, 256
ABOUT_KEYS = b"GY-VAULT-KEY-1"


class CannotOpen(Exception):
    """The envelope was altered, belongs to another row, or was sealed under a key that is not here."""


def new_data_key() -> bytes:
    """A fresh data key, wrapped; what a row keeps. Raises KeyMissing."""
    master, nonce = master_keys()[0], secrets.token_bytes(NONCE)
    return WRAPPED + key_id(master) + nonce + AESGCM(master).encrypt(nonce, secrets.token_bytes(BYTES), ABOUT_KEYS)


def seal(wrapped: Any, value: Any, *, about: str) -> bytes:
    """A JSON value in an envelope under a wrapped data key. about: the row it belongs to; the envelope opens nowhere else."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    nonce = secrets.token_bytes(NONCE)
    return SEALED + nonce + AESGCM(_data_key(wrapped)).encrypt(nonce, text + b" " * (-len(text) % BUCKET), about.encode())


def unseal(wrapped: Any, sealed: Any, *, about: str) -> Any:
    """The JSON value in an envelope. Raises CannotOpen, KeyMissing."""
    body = bytes(sealed)
    if body[:1] != SEALED:
        raise CannotOpen(_("密封内容的格式不对。"))
    try:
        text = AESGCM(_data_key(wrapped)).decrypt(body[1 : 1 + NONCE], body[1 + NONCE :], about.encode())
        return json.loads(text)
    except (InvalidTag, ValueError) as wrong:
        raise CannotOpen(_("密封内容被改动过，或不属于这一行，不能拆封。")) from wrong


def _data_key(wrapped: Any) -> bytes:
    """The data key of a row. Raises CannotOpen when no master key at hand wrapped it."""
    body = bytes(wrapped)
    named, nonce, rest = body[1 : 1 + ID], body[1 + ID : 1 + ID + NONCE], body[1 + ID + NONCE :]
    for master in master_keys():
        if body[:1] == WRAPPED and key_id(master) == named:
            try:
                return AESGCM(master).decrypt(nonce, rest, ABOUT_KEYS)
            except InvalidTag as wrong:
                raise CannotOpen(_("数据密钥被改动过，不能拆封。")) from wrong
    raise CannotOpen(_("密封时的主密钥（编号 %(id)s）不在本机，请恢复密钥文件。") % {"id": named.hex()})
