"""How the sources of a call carry one award, fixed when its contract is composed: the paper names what funding will pay from."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from grants.awards.limits import live, serves
from grants.awards.models import Award, Contract
from grants.awards.shares import AwardMoney, SourceMoney, SplitRefused, finance
from grants.workflow.refusals import Invalid

NARROW_FIRST = {"lottery": 0, "fiscal": 1, "foundation": 2, "enterprise": 3, "crowdfunding": 4}


def shares_of(award: Award, *, redraw: Contract | None = None) -> dict[str, Decimal]:
    """Source code → 元 for this award, adding up to it exactly; only sources that pay something.

    What other contracts fixed is taken off first; the rest is one solution for every award still to be drawn, so that none is
    starved later. Raises Invalid (sources) when the sources cannot carry the awards within their purposes.
    """
    call = award.call
    rules = call.rules
    fixed = fixed_shares(call, but=redraw)
    drawn = set(fixed)
    waiting = [a for a in live(call, but=award) if a.number not in drawn]
    wanted = [AwardMoney(a.number, a.bid.category, a.amount) for a in [award, *waiting]]
    taken: Counter[str] = Counter()
    for shares in fixed.values():
        taken.update(shares)
    ordered = sorted(rules.sources, key=lambda s: (NARROW_FIRST.get(str(s.kind.value), 9), s.id))
    money = [SourceMoney(s.id, s.amount - Decimal(taken[s.id]), serves(rules, s)) for s in ordered]
    try:
        return finance(wanted, money)[award.number]
    except SplitRefused as refused:
        raise Invalid(_("不能确定资金来源：%(why)s") % {"why": refused.sentence}, rule="sources") from refused


def fixed_shares(call: Any, *, but: Contract | None = None) -> dict[str, dict[str, Decimal]]:
    """Award number → source code → 元, of every contract that stands."""
    rows = Contract.objects.filter(award__call_id=call.pk).exclude(state="ended")
    if but is not None:
        rows = rows.exclude(pk=but.pk)
    return {
        number: {code: Decimal(amount) for code, amount in shares.items()}
        for number, shares in rows.values_list("award__number", "shares")
    }
