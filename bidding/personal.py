"""What applications hold about a person with an account, and how long they must (`grants.people.erasing`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from bidding.models import Bid
from bidding.terms import closed_on
from grants.people.erasing import Hold, Keeper, keep, later
from grants.people.models import User


def _signed(user: User) -> Any:
    """Bids that this person handed in."""
    rows = Bid.objects.filter(Q(versions__submitted_by=user) | Q(sealed_versions__submitted_by=user)).distinct()
    return rows.select_related("call", "rules_version").order_by("number")


def _tells(user: User) -> dict[str, Any]:
    return {"handed_in": [{"number": bid.number, "title": bid.title} for bid in _signed(user)]}


def _holds(user: User) -> Iterator[Hold]:
    for bid in _signed(user):
        day, ground = closed_on(bid), _("征集规则的档案保管年限")
        until = None if day is None else later(day, 12 * bid.rules.retention.file_years)
        yield Hold(_("提交过申报书 %(bid)s，签署人须能查明。") % {"bid": bid.number}, ground, until)


def register() -> None:
    """Hand this stage's part up."""
    keep(Keeper("bids", _tells, _holds))
