"""The installation's signing keys: Ed25519, made at first use, kept in GONGCHUANG_HOME/keys, readable by their owner only.

`ledger.pem` signs checkpoints. `receipts.pem` signs receipts and nothing else: it is used in every web process, and whoever steals it can
promise entries, not sign the log. `ledger-mldsa44.seed` exists where LEDGER_MLDSA44 asks for a second signature of checkpoints.

Beside each lies its public key in the C2SP text form. Give those lines to whoever is to check: print them in the call, hand them to
the auditor. A verifier that takes a key from this machine can only find accidents, not an insider.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from django.conf import settings
from django.utils.translation import gettext as _

from grants.ledger import postquantum
from grants.ledger.errors import KeyMissing
from grants.ledger.models import Checkpoint
from grants.ledger.note import MLDSA44, Verifier

LOG, RECEIPTS, SECOND = "ledger.pem", "receipts.pem", "ledger-mldsa44.seed"


def origin() -> str:
    """The name of this log: first line of its checkpoints, and the name of its key."""
    return str(getattr(settings, "LEDGER_ORIGIN", "gongchuang"))


def receipts_name() -> str:
    """The name of the key that signs receipts of this log."""
    return f"{origin()}/receipts"


def private_path(file: str = LOG) -> Path:
    return Path(settings.GONGCHUANG_HOME) / "keys" / file


def public_path(file: str = LOG) -> Path:
    return private_path(file).with_suffix(".pub")


def signing_key() -> Ed25519PrivateKey:
    """The log's private key; made now if this log has never signed. Raises KeyMissing when it has signed and the key is gone."""
    path = private_path()
    if not path.exists() and Checkpoint.objects.exists():
        sentence = _("台账签名私钥不见了:%(path)s。已有检查点由它签署,不能悄悄换新钥匙;请从备份恢复该文件。")
        raise KeyMissing(sentence % {"path": path})
    return _ed25519(LOG, origin())


def receipt_key() -> Ed25519PrivateKey:
    """The key of receipts; made at first use. Raises KeyMissing when only its public half is left."""
    path = private_path(RECEIPTS)
    if not path.exists() and public_path(RECEIPTS).exists():
        sentence = _("回执签名私钥不见了:%(path)s。已发出的回执由它签署,不能悄悄换新钥匙;请从备份恢复该文件。")
        raise KeyMissing(sentence % {"path": path})
    return _ed25519(RECEIPTS, receipts_name())


def second_seed() -> bytes | None:
    """The 32-byte seed of the ML-DSA-44 key where LEDGER_MLDSA44 is on and this installation can use it; None elsewhere."""
    if not getattr(settings, "LEDGER_MLDSA44", False) or not postquantum.available():
        return None
    path = private_path(SECOND)
    if not path.exists():
        _make(path, secrets.token_bytes(32))
        public_path(SECOND).write_text(f"{_second(path.read_bytes())}\n", encoding="utf-8")
    return path.read_bytes()


def verifier() -> Verifier:
    """This machine's own public key under the log's name; the key is made now if this log has never signed. Raises KeyMissing."""
    return Verifier.of(origin(), signing_key())


def receipt_verifier() -> Verifier:
    """The public key of receipts. Raises KeyMissing."""
    return Verifier.of(receipts_name(), receipt_key())


def verifiers() -> list[Verifier]:
    """Keys of checkpoints, for whoever only looks: nothing is made (a check run by another account must not own a key). Raises KeyMissing."""
    own = [verifier()] if private_path().exists() or Checkpoint.objects.exists() else []
    second = [_second(private_path(SECOND).read_bytes())] if private_path(SECOND).exists() and postquantum.available() else []
    return own + second + witnesses()


def witnesses() -> list[Verifier]:
    """Keys of witnesses whose cosignatures are kept and checked: LEDGER_WITNESSES, one C2SP line each. Raises BadNote."""
    return [Verifier.parse(line) for line in getattr(settings, "LEDGER_WITNESSES", ())]


def published() -> list[Verifier]:
    """Every public key that goes with exports and onto the page of keys; the two of Ed25519 are made if they do not exist. Raises KeyMissing."""
    return [verifier(), receipt_verifier(), *(v for v in verifiers() if v != verifier())]


def _second(seed: bytes) -> Verifier:
    return Verifier(origin(), postquantum.public(seed), MLDSA44)


def _ed25519(file: str, name: str) -> Ed25519PrivateKey:
    path = private_path(file)
    if not path.exists():
        _make(path, Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public_path(file).write_text(f"{Verifier.of(name, _loaded(path))}\n", encoding="utf-8")
    return _loaded(path)


def _loaded(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as wrong:
        raise KeyMissing(_("读不出签名私钥 %(path)s:%(why)s") % {"path": path, "why": wrong}) from wrong
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMissing(_("%(path)s 不是 Ed25519 私钥。") % {"path": path})
    return key


def _make(path: Path, content: bytes) -> None:
    """Whole or not at all: written aside, then linked to its name, so that of two processes one key wins and both read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{secrets.token_hex(8)}")
    try:
        _write(aside, content)
        os.link(aside, path)
    except FileExistsError:
        return
    finally:
        aside.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
