"""开标: the last officer of a group brings the call's secret; every bid is opened in memory, one after the other, and the record is written.

The secret is an argument and a local variable: it is never stored, logged or put into an exception.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import closing

from django.db import transaction
from django.utils.translation import gettext as _

from bidding.models import Bid, OpeningRecord, SealedVersion, SealKey, SealShare
from bidding.sealing import envelope, opening
from bidding.sealing.envelope import Sealed
from bidding.sealing.keys import public_half
from bidding.sealing.opening import Outcome
from bidding.sealing.refusals import SealRefused
from bidding.services.ceremonies import at_turn
from bidding.services.sealing import invalid, refuse_another_bid, scanned
from grants import clock
from grants.ledger.log import rfc3339
from grants.people.models import User
from grants.workflow.door import SYSTEM, explain, perform
from grants.workflow.refusals import Invalid, Refusal

log = logging.getLogger(__name__)


@transaction.atomic
def open_bids(share: SealShare, secret: str, *, by: User) -> SealKey:
    """开标 of a whole call, all of it or nothing: a run that was cut off has opened nothing and is done again. One group at a time.

    secret: the call's key, `AGE-SECRET-KEY-1…`. Raises NotYou, NotNow (too early, not at turn, already open), Invalid (another key, a
    virus scanner that does not answer: without it every attachment would be lost, so nothing is opened).
    """
    key = SealKey.objects.select_for_update(of=("self",)).select_related(*SealKey.door_select).get(pk=share.key_id)
    held = at_turn(share, by)
    _refuse_early(key, by)
    _refuse_other(key, secret)
    with scanned(), closing(waiting(key)) as versions:  # closed here: a cursor that outlives the rolled-back transaction breaks the next one
        outcomes = [_taken_out(version, secret) for version in versions]
    record = recorded(key, held.group, outcomes)
    held.layer, held.waiting = 0, ""
    held.save(update_fields=["layer", "waiting"])
    return perform(key, "open", by=by, record=record)


def _refuse_early(key: SealKey, by: User) -> None:
    refusal = explain(key, "open", by)
    if refusal is not None:
        raise refusal


def _refuse_other(key: SealKey, secret: str) -> None:
    try:
        found = public_half(secret, name=key.call.code)
    except SealRefused as refusal:
        raise invalid(refusal) from refusal
    if found != key.recipient:
        raise Invalid(_("解出的不是本次征集的密钥，没有开标；请确认各位用的是本次征集登记的钥匙。"), rule="identity")


def waiting(key: SealKey) -> Generator[SealedVersion]:
    """The version that counts of every bid handed in, by number."""
    bids = Bid.objects.filter(call=key.call, sealed=True, state__in=("submitted", "returned", "admitted", "rejected"))
    for bid in bids.select_related(*Bid.door_select, "call__rules_version").order_by("number").iterator(chunk_size=100):
        version = bid.sealed_latest
        if version is not None:
            version.bid = bid
            yield version


def _taken_out(version: SealedVersion, secret: str) -> Outcome:
    """Open one bid and write it down. Whatever is wrong with it is its own outcome."""
    header = Sealed(version.told, {})
    try:
        refuse_another_bid(version)
        content = envelope.opened(version.told, version.sealed().files, secret)
        perform(version.bid, "unseal", by=SYSTEM, version=version, content=content)
    except SealRefused as refusal:
        return stays_closed(version, header, refusal)
    except (Refusal, ValueError, TypeError, KeyError, LookupError) as wrong:
        log.warning("a sealed bid decrypted but could not be read: %s", type(wrong).__name__)
        return stays_closed(version, header, SealRefused("format", envelope.MANIFEST))
    return Outcome(header, None, None)


def stays_closed(version: SealedVersion, header: Sealed, refusal: SealRefused) -> Outcome:
    """Note on the version and its bid why it did not open; from now on the kept copy restores it."""
    version.refusal, version.refused_file = refusal.rule, refusal.name[:150]
    version.save(update_fields=["refusal", "refused_file"])
    Bid.objects.filter(pk=version.bid_id).update(seal_refusal=refusal.rule)
    return Outcome(header, None, refusal)


def recorded(key: SealKey, group: list[str], outcomes: list[Outcome], *, why: str = "") -> OpeningRecord:
    """The opening record of these outcomes, written down. group, why: as `sealing.opening.record`."""
    now = clock.now()
    text = opening.record(key.call.code, group, rfc3339(now), outcomes, why=why)
    failed = sum(outcome.refusal is not None for outcome in outcomes)
    return OpeningRecord.objects.create(
        key=key, document=text.decode(), hash=opening.hash_of_record(text), at=now, officers=list(group),
        opened=len(outcomes) - failed, failed=failed,
    )  # fmt: skip


def sign(key: SealKey, *, by: User) -> SealKey:
    """Sign the opening record. Raises NotYou, NotNow (not open, no part in it, already signed)."""
    return perform(key, "sign", by=by)
