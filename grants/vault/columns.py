"""Encrypted columns: what a copy of the database must not tell – telephone and account numbers – and how equal values are found all the same.

A value is stored as text `GY1:` + base64(master key's id (4) ‖ nonce (12) ‖ AES-256-GCM ciphertext and tag), padded to a multiple of 32 bytes so that
lengths say nothing, bound to its model and column by associated data. Empty stays empty: that nothing was given is no secret, and constraints and
lists may ask for it. Anything else cannot be searched, sorted or compared in SQL, and trying raises FieldError instead of finding nothing.

Equal values are found by `mark`: HMAC-SHA256 under a key derived from the *oldest* master key at hand, so that putting a new master key above the old
ones changes no mark. Without the key nobody can try the few million telephone numbers.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django import forms
from django.core.exceptions import FieldError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.lookups import Exact, IsNull
from django.utils.translation import gettext as _

from grants.vault.envelopes import ID, NONCE, CannotOpen
from grants.vault.keys import BYTES, key_id, master_keys

PREFIX: Final = "GY1:"
BUCKET: Final = 32


def encrypt(text: str, about: str) -> str:
    """The stored form of a text; "" for "". about: where it belongs; it is read nowhere else. Raises KeyMissing."""
    if not text:
        return ""
    master, nonce, plain = master_keys()[0], secrets.token_bytes(NONCE), text.encode()
    body = _cipher(master).encrypt(nonce, plain + b"\0" * (-len(plain) % BUCKET), about.encode())
    return PREFIX + base64.b64encode(key_id(master) + nonce + body).decode()


def decrypt(stored: str, about: str) -> str:
    """The text of a stored form. What was written before the column was encrypted is returned as it is. Raises CannotOpen, KeyMissing."""
    if not stored.startswith(PREFIX):
        return stored
    try:
        body = base64.b64decode(stored[len(PREFIX) :], validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise CannotOpen(_("密封内容的格式不对。")) from wrong
    named, nonce, rest = body[:ID], body[ID : ID + NONCE], body[ID + NONCE :]
    for master in master_keys():
        if key_id(master) == named:
            return _opened(master, nonce, rest, about)
    raise CannotOpen(_("密封时的主密钥（编号 %(id)s）不在本机，请恢复密钥文件。") % {"id": named.hex()})


def _opened(master: bytes, nonce: bytes, body: bytes, about: str) -> str:
    try:
        return _cipher(master).decrypt(nonce, body, about.encode()).rstrip(b"\0").decode()
    except (InvalidTag, ValueError) as wrong:
        raise CannotOpen(_("密封内容被改动过，或不属于这一行，不能拆封。")) from wrong


def mark(text: str, about: str) -> str:
    """The keyed hash by which equal values are found, in hex; "" for "". about: values of different meaning never match. Raises KeyMissing."""
    if not text:
        return ""
    return hmac.new(_derived(master_keys()[-1], b"GY-MARK-1"), f"{about}\0{text}".encode(), sha256).hexdigest()


@lru_cache(maxsize=8)
def _cipher(master: bytes) -> AESGCM:
    """Made once a key: a list of a thousand values would otherwise spend its time on a thousand key schedules."""
    return AESGCM(_derived(master, b"GY-COLUMN-1"))


@lru_cache(maxsize=32)
def _derived(master: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), BYTES, salt=None, info=use).derive(master)


class Secret(models.TextField):  # type: ignore[type-arg]
    """A text that is encrypted in the database and plain on the instance. max_length: of the plain text, in characters.

    Reading raises CannotOpen for a value that was altered or moved from another column, and KeyMissing without a master key.
    """

    empty_strings_allowed = True
    description = _("加密保存的文字")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    @property
    def about(self) -> str:
        """Names the column whichever model class is at hand: historical ones in migrations have no module of their own."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: Any) -> Any:
        plain = self.plain(value)
        return plain if plain is None else encrypt(plain, self.about)

    def plain(self, value: Any) -> str | None:
        """The text that is encrypted for a value of an instance; migrations backwards store it."""
        text: str | None = super().get_prep_value(value)
        return text

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> Any:
        return value if value is None else decrypt(value, self.about)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": forms.CharField, "widget": forms.TextInput, "max_length": self.max_length, **kwargs})

    ASKED: ClassVar[dict[str, Any]] = {}

    def get_lookup(self, lookup_name: str) -> Any:
        """Only whether there is something: `field=""`, `field__isnull`. Raises FieldError for what encrypted text cannot answer."""
        found = self.ASKED.get(lookup_name)
        if found is None:
            raise FieldError(_REFUSED % {"column": self.name, "lookup": lookup_name})
        return found

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(_REFUSED % {"column": self.name, "lookup": lookup_name})


class SecretJSON(Secret):
    """JSON types that are encrypted in the database as one text, and plain on the instance. An empty object is encrypted too: whether a form was begun is told
    by its row. Nothing in it can be asked for in SQL.
    """

    description = _("加密保存的结构")

    def plain(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> Any:
        return None if value is None else json.loads(decrypt(value, self.about))

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: Any) -> Any:
        return self.value_from_object(obj)


_REFUSED = "%(column)s is encrypted: %(lookup)s would find nothing. Compare marks (grants.vault.columns.mark), or compare in Python."


class _Empty(Exact):  # type: ignore[type-arg]
    """`column = ''`: the one value that is the same each time it is stored."""

    def get_prep_lookup(self) -> Any:
        if self.rhs != "":
            raise FieldError(_REFUSED % {"column": getattr(self.lhs, "target", self.lhs), "lookup": "exact"})
        return ""


Secret.ASKED.update({"exact": _Empty, "isnull": IsNull})
