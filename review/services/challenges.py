"""回避申请: a bidder asks, the agency decides."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from bidding.models import Bid
from grants.people.models import User
from grants.workflow.door import begin, perform
from grants.workflow.refusals import Invalid
from review.machine import written
from review.models import Challenge, Expert


def challenge(bid: Bid, *, name: str, reason: str, by: User, employer: str = "") -> Challenge:
    """Ask that somebody step aside from a bid; at most max(3, a tenth of the pool) for each bid.

    Raises NotYou (not the bidder), NotNow (bid not in, scores locked, bound used up), Invalid (no name, no reason).
    """
    if not name.strip():
        raise Invalid(sentence := _("请写明专家姓名。"), rule="challenge_name", problems={"name": [sentence]})
    with transaction.atomic():  # the bid's row is held: two challenges at once do not slip past the bound together
        held = Bid.objects.select_for_update(of=("self",)).select_related(*Bid.door_select).get(pk=bid.pk)
        made = Challenge(bid=held, name=name.strip(), employer=employer.strip(), reason=written(reason), filed_by=by)
        return begin(made, by=by)


def uphold_challenge(made: Challenge, expert: Expert, reason: str, *, by: User) -> Challenge:
    """Decide that the expert steps aside; ballots already given are voided and alternates called by the effect."""
    return perform(made, "uphold", by=by, expert=expert, reason=reason)


def reject_challenge(made: Challenge, reason: str, *, by: User) -> Challenge:
    """Decide that nothing stands against the expert."""
    return perform(made, "reject", by=by, reason=reason)
