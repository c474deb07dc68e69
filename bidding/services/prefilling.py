"""Beginning a bid with what the organisation has already told, and confirming it answer by answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from bidding.models import Bid, Prefill
from bidding.prefilled import TEAM, Offer, digest, earlier_team, offers, team_of
from bidding.services.tables import save_team
from bidding.services.working_copy import held_for
from bidding.services.writing import save_answers, start_bid
from grants import clock
from grants.calls.models import Call
from grants.people.models import Organisation, User


@transaction.atomic
def start_prefilled(call: Call, organisation: Organisation, *, by: User, **basics: Any) -> Bid:
    """Begin a bid (see `start_bid`) and carry over what the profile and earlier bids answer; each carried answer is marked.

    Raises what `start_bid` raises; then nothing was written.
    """
    bid = start_bid(call, organisation, by=by, **basics)
    if not bid.is_sealed:
        prefill(bid, by=by)
    return Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)


@transaction.atomic
def prefill(bid: Bid, *, by: User) -> int:
    """Carry over into questions that are still blank; returns how many were filled. Raises NotYou, NotNow."""
    held, _answer = held_for(bid, by)
    blank = [o for o in offers(held.rules, held.organisation) if o.field not in held.answers.get(o.section, {})]
    for section in dict.fromkeys(offer.section for offer in blank):
        given = {offer.field: offer.value for offer in blank if offer.section == section}
        save_answers(held, section, {**held.answers.get(section, {}), **given}, by=by)
    held.refresh_from_db(fields=["answers"])
    marks = [_mark(held, offer) for offer in blank]
    marks += _carry_team(held, by) if not held.team.exists() else []
    Prefill.objects.bulk_create(marks)
    return len(marks)


def _mark(bid: Bid, offer: Offer) -> Prefill:
    value = bid.answers.get(offer.section, {}).get(offer.field)
    return Prefill(bid=bid, section=offer.section, field=offer.field, source=offer.source, told=offer.told[:200], digest=digest(value))


def _carry_team(bid: Bid, by: User) -> list[Prefill]:
    people = earlier_team(bid.organisation)
    if not people:
        return []
    save_team(bid, people, by=by)
    return [Prefill(bid=bid, section=TEAM, field="", source=Prefill.Source.BID, told="", digest=digest(team_of(bid)))]


@transaction.atomic
def confirm(bid: Bid, marks: Iterable[int], *, by: User) -> int:
    """Confirm carried answers by the ids of their marks; returns how many. Raises NotYou, NotNow."""
    held, _answer = held_for(bid, by)
    open_marks = held.prefills.filter(pk__in=list(marks), confirmed_at=None)
    return open_marks.update(confirmed_at=clock.now(), confirmed_by=by)
