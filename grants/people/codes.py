"""恢复码: kept as salted slow hashes under a key outside the database; shown once, when they are made, and readable by nobody afterwards (ASVS 6.5.2).

allauth keeps a seed from which the codes can be computed again. Here the seed is thrown away at once (`emptied`): its row stays as the place where our
hashes stand, with an empty list of codes for whatever in the library asks. A code has eight digits, so its hash alone would be no protection: hence the key.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Iterable
from hashlib import pbkdf2_hmac
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.db import transaction

from grants.vault.columns import mark

COUNT: Final = 10
DIGITS: Final = 8
ROUNDS = 210_000
"""Of PBKDF2 with HMAC-SHA-512; kept with each set, so that it can grow."""


def of(user: Any) -> Authenticator | None:
    """The row of somebody's codes, used up or not."""
    return Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.RECOVERY_CODES).first()


def left(held: Authenticator | None) -> int:
    """How many were not used."""
    return len(held.data.get("hashes", ())) if held else 0


def emptied(held: Authenticator) -> None:
    """Throw the library's seed away; no code works until `made`. Codes that were made meanwhile stay."""
    held.refresh_from_db()
    if "hashes" not in held.data:
        held.data = {"migrated_codes": []}
        held.save(update_fields=["data"])


def made(user: Any) -> list[str] | None:
    """Ten new codes, to be shown now and never again; None where they were made already, or are none to make."""
    codes = [f"{secrets.randbelow(10**DIGITS):0{DIGITS}}" for _n in range(COUNT)]
    data = hashed(user.pk, codes)
    with transaction.atomic():
        held = Authenticator.objects.select_for_update().filter(user_id=user.pk, type=Authenticator.Type.RECOVERY_CODES).first()
        if held is None or "hashes" in held.data:
            return None
        held.data = data
        held.save(update_fields=["data"])
    return codes


def hashed(person: int, codes: Iterable[str]) -> dict[str, Any]:
    """What is kept of some codes."""
    salt = secrets.token_bytes(16)
    hashes = [_hash(person, code, salt, ROUNDS) for code in codes]
    return {"migrated_codes": [], "hashes": hashes, "salt": salt.hex(), "rounds": ROUNDS, "viewed_at": time.time()}


def take(user: Any, typed: str) -> Authenticator | None:
    """Use up a code: the row it stood in, or None when it is none, or used. Of two who send the same one, one gets it."""
    code, held = re.sub(r"[\s-]", "", typed), of(user)
    if held is None or not left(held) or not re.fullmatch(rf"[0-9]{{{DIGITS}}}", code):
        return None
    given = _hash(user.pk, code, bytes.fromhex(held.data["salt"]), held.data["rounds"])
    with transaction.atomic():
        held = Authenticator.objects.select_for_update().filter(pk=held.pk).first()
        rest = [kept for kept in held.data.get("hashes", ()) if not hmac.compare_digest(kept, given)] if held else []
        if held is None or len(rest) == left(held):
            return None
        held.data["hashes"] = rest
        held.save(update_fields=["data"])
    return held


def _hash(person: int, code: str, salt: bytes, rounds: int) -> str:
    return pbkdf2_hmac("sha512", mark(f"{person}\0{code}", "recovery_code").encode(), salt, rounds).hex()
