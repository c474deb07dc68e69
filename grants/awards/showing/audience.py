"""Who looks at a call's ranking, and from when: the public after publication, a bidder its own, committee and officers once it is opened."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from django.db.models import Q

from grants.awards.models import Decision, PublicNotice
from grants.calls.models import Call
from grants.people.permissions import permissions_of
from review.models import Panel
from review.rules import NOT_HELD

OPENED = Q(state__in=("scored", "concluded")) & NOT_HELD
"""Of panels: locked, and not held back by its meeting."""


class Audience(IntEnum):
    """Each sees what the ones before it see, and more."""

    PUBLIC = 1
    BIDDER = 2
    STAFF = 3
    AUDITOR = 4


def audience(call: Call, actor: Any) -> Audience | None:
    """As whom this person may look now; None: not at all, or there is nothing yet."""
    if not Panel.objects.filter(OPENED, call=call).exists():
        return None
    if "audit" in permissions_of(actor, call.agency):
        return Audience.AUDITOR
    if "read_calls" in permissions_of(actor, call.agency) or "supervise" in permissions_of(actor, call) or _sat(call, actor):
        return Audience.STAFF
    if not published(call):
        return None
    return Audience.BIDDER if own_bids(call, actor) else Audience.PUBLIC


def _sat(call: Call, actor: Any) -> bool:
    """A member of a panel of the call that is opened: the committee reads what it made."""
    pk: Any = getattr(actor, "pk", None)
    seats = Panel.objects.filter(OPENED, call=call, members__expert__user_id=pk, members__alternate=False, members__excused=False)
    return pk is not None and seats.exists()


def published(call: Call) -> bool:
    """Every opened panel of the call is decided and released, and what was awarded stands in a public notice."""
    decisions = Decision.objects.filter(call=call)
    if not decisions.exists() or decisions.filter(released_at=None).exists():
        return False
    waiting = decisions.filter(awarded=True, bid__award__notice=None).exclude(bid__award__state="cancelled")
    return not waiting.exists() and (PublicNotice.objects.filter(call=call).exists() or not decisions.filter(awarded=True).exists())


def own_bids(call: Call, actor: Any) -> frozenset[Any]:
    """Keys of the bids of this call whose feedback letter this person may read, the agency's people aside."""
    if getattr(actor, "pk", None) is None:
        return frozenset()
    rows = Decision.visible.filter(Decision.objects.filter(call=call), actor)
    return frozenset(rows.values_list("bid_id", flat=True))
