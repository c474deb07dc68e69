"""答辩会: the order drawn in public, who stands in front, and the release of the result."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from bidding.models import Bid
from grants.people.models import User
from grants.workflow.door import perform
from review.conflict_checks import code_of
from review.findings import Moment, kept_when_refused
from review.models import Meeting, Panel
from review.panels import bids_of
from review.services.draws import publish_simple


def draw_order(panel: Panel, *, by: User, witness: str = "") -> Meeting:
    """Draw the order of defence from the panel's bids, once, in the simple way. witness: what bystanders threw, mixed into the seed.

    From now on results are held back until `release`. Raises NotYou, NotNow (locked, no oral stage, drawn already), Invalid.
    """
    with transaction.atomic():
        held = (
            Panel.objects.select_for_update(of=("self",)).select_related("call__agency", "call__rules_version").get(pk=panel.pk)
        )
        perform(publish_simple(held.call, by=by, said=witness, panel=held), "draw", by=by)
        return Meeting.objects.select_related(*Meeting.door_select).get(panel=held)


def present(meeting: Meeting, bid: Bid, *, by: User) -> Meeting:
    """Call a bid to the front; its pitch begins."""
    return perform(meeting, "present", by=by, bid=bid)


def question(meeting: Meeting, *, by: User) -> Meeting:
    """The pitch is over, questions begin."""
    return perform(meeting, "question", by=by)


def release(meeting: Meeting, *, by: User) -> Meeting:
    """Let the result be seen. By the chair, or by somebody who did not lock the scores."""
    with kept_when_refused(meeting.panel, Moment.PUBLISHING):
        return perform(meeting, "release", by=by)


def in_order(meeting: Meeting) -> list[Bid]:
    """The bids in the drawn order."""
    bids: dict[str, Any] = {code_of(bid): bid for bid in bids_of(meeting.panel)}
    return [bids[code] for code in meeting.draw["order"] if code in bids]
