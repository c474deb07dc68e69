"""答辩会: who stands in front, in the order drawn in public (`review.services.draws`), and the release of the result."""

from __future__ import annotations

from typing import Any

from bidding.models import Bid
from grants.people.models import User
from grants.workflow.door import perform
from review.conflict_checks import code_of
from review.findings import Moment, kept_when_refused
from review.models import Meeting
from review.panels import bids_of


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
