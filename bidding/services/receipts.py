"""What a bidder holds in hand: a signed receipt of each submission and withdrawal, at once, and its proof as soon as there is one.

The words in a receipt come from the frozen version and the ledger's entry alone, so that the same receipt can be made again for ever.
No person's name is in them: receipts are shown to others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from bidding.models import Bid, BidVersion, SealedVersion
from grants.ledger import proofs, receipts
from grants.ledger.models import AuditEvent, stored_bytes

EVENTS = ("bid.submit", "bid.seal", "bid.withdraw")
SEALED_PROJECT = "密封投标，开标后公开"
Version = BidVersion | SealedVersion


@dataclass(frozen=True)
class Held:
    """One receipt of a bid. version: the one submitted or withdrawn, sealed or not; pdf: the printed receipt if it is there already."""

    event: AuditEvent
    version: Version
    number: str
    withdrawn: bool
    pdf: Any


def of_bid(bid: Bid) -> list[Held]:
    """Every receipt of a bid, newest first. Four queries at most."""
    versions: dict[int, Version] = {version.number: version for version in bid.versions.select_related("receipt")}
    if bid.sealed:
        versions |= {version.number: version for version in bid.sealed_versions.select_related("receipt", "bid__call", "bid__organisation")}
    printed = {row.event_uid: row.pdf for row in bid.withdrawal_receipts.select_related("pdf")}
    found: list[Held] = []
    for event in AuditEvent.objects.filter(subject=bid.subject, event__in=EVENTS).order_by("id"):
        version = (found[-1].version if found else None) if event.event == "bid.withdraw" else versions.get(_version(event))
        if version is not None:
            found.append(_held(event, version, printed))
    return found[::-1]


def of_version(version: Version) -> Held:
    """The receipt of one submitted version. Raises LookupError when the log holds no such submission."""
    for held in of_bid(version.bid):
        if not held.withdrawn and held.version.number == version.number:  # an opened version has the number under which it was sealed
            return held
    raise LookupError(f"no submission of {version} in the ledger")


def of_event(bid: Bid, uid: UUID) -> Held | None:
    """The receipt of one event of this bid, or None."""
    return next((held for held in of_bid(bid) if held.event.uid == uid), None)


def _version(event: AuditEvent) -> int:
    return int(json.loads(stored_bytes(event.leaf))["public"]["version"])


def _held(event: AuditEvent, version: Version, printed: dict[UUID, Any]) -> Held:
    withdrawn = event.event == "bid.withdraw"
    number = f"{said(version)['bid']}-{'C' if withdrawn else 'H'}{version.number}"
    return Held(event, version, number, withdrawn, printed.get(event.uid) if withdrawn else version.receipt)


def about(held: Held) -> dict[str, Any]:
    """The plain words that are signed. Amounts are text in 元, the time is the entry's (UTC)."""
    leaf = json.loads(stored_bytes(held.event.leaf))
    rest = {"version": held.version.number, "content": held.version.hash, **_program(leaf)}
    return {"number": held.number, "event": held.event.event, "at": leaf["at"], **said(held.version), **rest}


def _program(leaf: dict[str, Any]) -> dict[str, str]:
    """The fingerprint of the scripts that pages sent when a sealed bid came in; entries from before it was logged have none."""
    program = leaf["public"].get("program")
    return {"program": program} if program else {}


def said(version: Version) -> dict[str, Any]:
    """The words of a version that a receipt repeats. Of a sealed one nobody here knows the project or the amount."""
    if isinstance(version, SealedVersion):
        bid = version.bid
        whose = {"call": bid.call.code, "call_title": bid.call.title, "organisation": bid.organisation.name, "bid": bid.number}
        return {**whose, "project": SEALED_PROJECT, "grant": "", "sealed": str(version.mode)}
    content = version.content
    return {
        "call": content["call"]["code"], "call_title": content["call"]["title"], "organisation": content["organisation"]["name"],
        "project": content["title"], "grant": content["budget"]["grant"], "bid": content["number"],
    }  # fmt: skip


def signed(held: Held) -> bytes:
    """The signed receipt without its proof: always the same bytes. Goes into the printed one. Raises KeyMissing."""
    return receipts.file(receipts.signed(held.event, about(held)))


def whole(held: Held) -> bytes:
    """The receipt to download: signed, with its proof once a checkpoint covers the entry. Raises KeyMissing, LedgerBroken."""
    return receipts.file(receipts.receipt(held.event, about(held)))


def proof(held: Held) -> str | None:
    """The C2SP tlog-proof, or None while the entry waits. Raises LedgerBroken."""
    found = proofs.inclusion(held.event)
    return None if found is None else found.text()


def waiting(held: Sequence[Held]) -> set[UUID]:
    """The events among these that no checkpoint covers yet. Two queries."""
    return proofs.not_covered([each.event for each in held])


def address(held: Held) -> str:
    """Where a printed receipt can be checked: this site's page, with the event and its leaf hash; plain words when the site has no name."""
    leaf = receipts.leaf_hash_of(held.event)
    if not settings.SITE_URL:
        return f"{receipts.FORMAT} {held.event.uid} {leaf}"
    return f"{settings.SITE_URL}{reverse('desk:receipts')}?event={held.event.uid}&leaf={leaf}"
