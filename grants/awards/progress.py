"""How far the awards of a call are: what keeps the call from being decided, and the line of figures of its pool."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from bidding.models import Bid
from grants.awards.limits import ENDED
from grants.awards.models import Award, Objection
from grants.awards.objecting import OPEN
from grants.calls.models import Call
from grants.money import ZERO

WAITING = ("proposed", "approved", "noticed", "held")


def undecided(call: Call) -> list[str]:
    """What is still open in a call, in words; empty when every admitted bid is decided and every award confirmed or cancelled."""
    bids = Bid.objects.filter(call_id=call.pk, state__in=("submitted", "returned", "admitted"))
    loose = bids.filter(decision=None).count()
    waiting = Award.objects.filter(call_id=call.pk, state__in=WAITING).count()
    objections = Objection.objects.filter(call_id=call.pk, state__in=OPEN).exclude(objector_kind=Objection.Objector.ANONYMOUS)
    found = [
        (loose, _("%(n)d 份申报还没有结论")),
        (waiting, _("%(n)d 个拟立项项目还没有确认或取消")),
        (objections.count(), _("%(n)d 件异议没有办结")),
    ]
    return [words % {"n": n} for n, words in found if n]


def pool_line(call: Call) -> dict[str, Any]:
    """The pool in figures, 元: pool, used by live awards, left, and the number of awards."""
    rows = Award.objects.filter(call_id=call.pk).exclude(state__in=ENDED)
    used: Decimal = rows.aggregate(s=Sum("amount"))["s"] or ZERO
    pool = call.rules.pool.grants
    return {"pool": pool, "used": used, "left": pool - used, "awards": rows.count()}


def category_lines(call: Call) -> list[dict[str, Any]]:
    """Per field of service: name, sub-quota (元 or None), used, number of awards."""
    rows = Award.objects.filter(call_id=call.pk).exclude(state__in=ENDED).values_list("bid__category", "amount")
    used: defaultdict[str, Decimal] = defaultdict(Decimal)
    count: Counter[str] = Counter()
    for category, amount in rows:
        used[category] += amount
        count[category] += 1
    return [
        {"name": c.name, "quota": c.amount, "used": Decimal(used[c.code]), "awards": count[c.code]} for c in call.rules.categories
    ]
