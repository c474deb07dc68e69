"""The master key: 32 random bytes outside the database, in `GONGCHUANG_VAULT_KEY` or in GONGCHUANG_HOME/keys/vault.key (mode 0600).

Several keys may stand there, one a line (comma-separated in the variable): the first one seals, every one opens, so a key is replaced by
putting a new one above it. In production the key is made on purpose (`manage.py vault make`), so that its copy is put away before
anything depends on it; a demonstration and a developer's machine make one at first use.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

BYTES = 32
VARIABLE = "GONGCHUANG_VAULT_KEY"


class KeyMissing(Exception):
    """There is no usable master key; the sentence says where it is looked for."""


def path() -> Path:
    return Path(settings.GONGCHUANG_HOME) / "keys" / "vault.key"


def key_id(key: bytes) -> bytes:
    """Four bytes that tell one master key from another and give nothing of it away."""
    return sha256(b"GY-VAULT-ID\0" + key).digest()[:4]


def master_keys() -> list[bytes]:
    """Every master key at hand, the sealing one first. Raises KeyMissing: none (in production), or one that is no key."""
    text = settings.VAULT_KEY
    if not text and not path().exists():
        if settings.GUARDED:
            raise KeyMissing(
                _("没有保密箱主密钥：既没有设置 %(name)s，也没有文件 %(path)s。") % {"name": VARIABLE, "path": path()}
            )
        make()
    return list(_parsed(text or _written(str(path()), path().stat().st_mtime_ns)))


@lru_cache(maxsize=4)
def _written(file: str, _changed: int) -> str:
    """The key file, read anew when it was written anew: a list of a thousand encrypted values asks a thousand times."""
    return Path(file).read_text(encoding="ascii")


@lru_cache(maxsize=4)
def _parsed(text: str) -> list[bytes]:
    try:
        keys = [base64.b64decode(line, altchars=b"-_", validate=True) for line in text.replace(",", "\n").split()]
    except (binascii.Error, ValueError) as wrong:
        raise KeyMissing(_("保密箱主密钥不是 base64 文本，请从备份恢复。")) from wrong
    if not keys or any(len(key) != BYTES for key in keys):
        raise KeyMissing(_("保密箱主密钥应为 %(n)d 字节，请从备份恢复。") % {"n": BYTES})
    return keys


def make() -> Path:
    """Write a new key file; an existing one is left as it is. Whole or not at all: of two processes one wins and both read it."""
    place = path()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = place.with_name(f".{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, place)
    except FileExistsError:
        pass
    finally:
        aside.unlink(missing_ok=True)
    return place
