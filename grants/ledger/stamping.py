"""RFC 3161 time stamps on the day's last checkpoint, by an authority outside this house, where LEDGER_TSA_URL names one.

A stamp shows that this root existed at that time, whoever holds our keys and clock. It is asked for by a chore and kept beside the
checkpoint; whatever fails only delays it. What is checked here: status, message imprint, nonce. The authority's signature is checked by
whoever trusts its certificate: `openssl ts -verify -digest … -in token.tsr -token_in -CAfile …` (docs/ledger-format.md).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from asn1crypto import algos, core, tsp
from django.conf import settings
from django.utils.translation import gettext as _

from grants import clock, outbound
from grants.ledger.errors import LedgerError
from grants.ledger.models import Checkpoint, Stamp

DAYS = 7  # days back for which a missing stamp is still asked for
TIMEOUT = 15  # seconds
LARGEST = 64 * 1024  # bytes of an answer
WAIT = timedelta(minutes=30)  # between two attempts for one checkpoint

Ask = Callable[[bytes], bytes]


class NotStamped(LedgerError, ValueError):
    """The authority's answer is none, or is not over what we sent."""


def stamp_due() -> int:
    """Ask for the stamps of the last checkpoint of each of the past days that has none yet; returns how many came. For a chore."""
    url = getattr(settings, "LEDGER_TSA_URL", "")
    if not url:
        return 0
    return sum(stamp(checkpoint, lambda request: _post(url, request)) for checkpoint in _due())


def stamp(checkpoint: Checkpoint, ask: Ask) -> bool:
    """One attempt. The token is kept when it holds; otherwise why not, and the next attempt waits."""
    row, _new = Stamp.objects.get_or_create(checkpoint=checkpoint)
    row.attempts, row.tried_at = row.attempts + 1, clock.now()
    try:
        row.token, row.stamped_at = _token(imprint_of(checkpoint), ask)
        row.error = ""
    except (NotStamped, OSError, ValueError) as wrong:
        row.error = f"{type(wrong).__name__}: {wrong}"[:300]
    row.save()
    return row.token is not None


def imprint_of(checkpoint: Checkpoint) -> bytes:
    """What is stamped: SHA-256 of the checkpoint's note as it was signed, without later cosignatures."""
    return sha256(str(checkpoint.note).encode()).digest()


def stamped_at(token: bytes, imprint: bytes, nonce: int | None = None) -> datetime:
    """The time in a token (DER), UTC. Raises NotStamped when it is not over `imprint` or does not repeat the nonce."""
    try:
        info = tsp.ContentInfo.load(token, strict=True)["content"]["encap_content_info"]["content"].parsed.native
        found = info["message_imprint"]
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise NotStamped(_("时间戳读不出:%(why)s") % {"why": wrong}) from wrong
    if found["hash_algorithm"]["algorithm"] != "sha256" or found["hashed_message"] != imprint:
        raise NotStamped(_("时间戳盖的不是这个检查点。"))
    if nonce is not None and info["nonce"] != nonce:
        raise NotStamped(_("时间戳的随机数与请求不符,可能是旧的答复。"))
    moment: datetime = info["gen_time"]
    return moment.astimezone(UTC)


def _due() -> list[Checkpoint]:
    """The last checkpoint of each past day (Asia/Shanghai) without a token, unless it was asked for a moment ago."""
    today = clock.today()
    found = []
    for back in range(1, DAYS + 1):
        last = last_of(today - timedelta(days=back))
        tried = None if last is None else Stamp.objects.filter(checkpoint=last).first()
        waiting = tried is not None and (tried.token is not None or (tried.tried_at is not None and clock.now() - tried.tried_at < WAIT))
        if last is not None and not waiting:
            found.append(last)
    return found


def last_of(day: Any) -> Checkpoint | None:
    """The last checkpoint made on a day (Asia/Shanghai), if one was."""
    begins = datetime(day.year, day.month, day.day, tzinfo=clock.TZ)
    return Checkpoint.objects.filter(at__gte=begins, at__lt=begins + timedelta(days=1)).order_by("-size").first()


def _token(imprint: bytes, ask: Ask) -> tuple[bytes, datetime]:
    nonce = secrets.randbits(63)
    hashed = {"hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}), "hashed_message": imprint}
    request = tsp.TimeStampReq({"version": "v1", "message_imprint": tsp.MessageImprint(hashed), "nonce": core.Integer(nonce), "cert_req": True})
    response = tsp.TimeStampResp.load(ask(request.dump()), strict=True)
    status = response["status"]["status"].native
    if status not in ("granted", "granted_with_mods"):
        raise NotStamped(_("时间戳机构没有盖章:%(status)s") % {"status": status})
    token: bytes = response["time_stamp_token"].dump()
    return token, stamped_at(token, imprint, nonce)


def _post(url: str, request: bytes) -> bytes:
    asked = {"Content-Type": "application/timestamp-query"}
    return outbound.post(url, request, headers=asked, seconds=TIMEOUT, largest=LARGEST).body
