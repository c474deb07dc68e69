"""Handing in and taking back, and what the clock does when a deadline passes. Every state changes through the one door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from bidding.machine import BidStates
from bidding.models import Bid
from grants import clock
from grants.people.models import User
from grants.workflow.door import SYSTEM, perform
from grants.workflow.refusals import NotNow


def submit(bid: Bid, *, by: User, declarations: Sequence[str] = ()) -> Bid:
    """Sign the declarations and hand the bid in; before the deadline it may be handed in again and replaces the earlier version.

    declarations: codes of `rules.forms.declarations`, all of them. Raises NotYou, NotNow (late, incomplete, over the limit…),
    Invalid (a declaration not signed); then nothing was written. The receipt follows as an effect.
    """
    return perform(bid, "submit", by=by, declarations=list(declarations))


def withdraw(bid: Bid, *, by: User, note: str = "") -> Bid:
    """Take a submitted bid back before the deadline; it may be submitted again. Raises NotYou, NotNow."""
    return perform(bid, "withdraw", by=by, note=note)


def ask_to_sign(bid: Bid, *, by: User) -> Bid:
    """Ask the organisation's signatories to read the bid and sign it; they get a letter. Raises NotYou, NotNow."""
    return perform(bid, "ask_to_sign", by=by)


def send_back(bid: Bid, *, by: User, reason: str, pages: Sequence[str] = ()) -> Bid:
    """The signatory does not sign yet: why, and on which pages (names as in `completeness.Problem`). Raises NotYou, NotNow, Invalid."""
    return perform(bid, "send_back", by=by, reason=reason, pages=list(pages))


def tick() -> int:
    """Let the clock close what nobody handed in: drafts after the deadline, corrections after theirs. Returns how many lapsed.

    Waits SUBMISSION_DRAIN seconds for what was in at the door in time.
    Safe at any time and any number of times; whoever submits in the same second either comes first or is refused.
    """
    now = clock.now() - timedelta(seconds=settings.SUBMISSION_DRAIN)
    late = Q(state=BidStates.DRAFT, call__closes_at__lte=now) | Q(state=BidStates.RETURNED, correction_due_at__lte=now)
    done = 0
    for bid in Bid.objects.filter(late).order_by("pk").iterator():
        try:
            perform(bid, "lapse", by=SYSTEM)
            done += 1
        except NotNow:  # somebody was faster
            continue
    return done
