"""Whether an award still fits: pool, sub-quotas, tracks, caps, sources, awards per organisation — to the fen.

One arithmetic for proposing and for checking: the live awards of a call are run through `selection.propose` once more, in order of
rank, asking for exactly what they have; whatever that refuses or cuts is over a limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from grants.awards.allocation import (
    AmountBand,
    AmountBy,
    Candidate,
    Category,
    FundSource,
    Rollover,
    RulesContradict,
    SelectionRules,
    Track,
    WhenFull,
)
from grants.awards.selection import propose
from grants.awards.selection import with_lots as selection_lots
from grants.money import ZERO, floor, yuan

if TYPE_CHECKING:
    from grants.calls.models import Call
    from grants.calls.rulebook.model import CallRules

BAND: Final = b"GY-BAND-1\0"
"""Goes before the seed of the grey band's lots."""
ENDED = ("cancelled",)
"""Awards that no longer take money from the pool; one that was terminated keeps what it was paid."""


def selection_rules(rules: CallRules) -> SelectionRules:
    """The call's rules as the pure arithmetic reads them."""
    method, allocation = AmountBy(rules.allocation.method.value), rules.allocation
    return SelectionRules(
        pool=rules.pool.grants,
        categories=tuple(_category(c, rules.pool.grants) for c in rules.categories),
        tracks=tuple(Track(t.code, t.name, amount=t.amount, cap=t.cap) for t in rules.tracks),
        sources=tuple(FundSource(s.id, s.name, s.amount, serves(rules, s)) for s in rules.sources),
        pass_line=rules.review.pass_line,
        cap=rules.amounts.cap,
        awards_per_organisation=rules.eligibility.awards_per_organisation,
        awards_max=allocation.awards_max,
        when_full=WhenFull(allocation.when_full.value),
        amount_by=method,
        bands=tuple(AmountBand(b.name, b.at_least, b.amount) for b in allocation.bands),
        district_cap=allocation.district_cap,
        grey_band=allocation.grey_band,
    )


def _category(rule: Any, grants: Decimal) -> Category:
    share = None if rule.reserve_share is None else floor(grants * rule.reserve_share / 100)
    reserve = rule.amount if rule.amount is not None else share
    return Category(rule.code, rule.name, reserve, rule.count, None, rule.cap, Rollover(rule.rollover.value))


def serves(rules: CallRules, source: Any) -> frozenset[str]:
    """Categories a source may pay for: all when it names no purposes, else those whose purpose it names (彩票管理条例 §33)."""
    if not source.purposes:
        return frozenset()
    return frozenset(c.code for c in rules.categories if c.purpose in source.purposes or c.name in source.purposes)


def with_lots(candidates: Sequence[Candidate], rules: SelectionRules, results: Sequence[Any]) -> list[Candidate]:
    """The candidates with their lots in the grey band, drawn from the seed that every ballot of the panel went into."""
    seed = bytes.fromhex(results[0].explanation.get("lot_seed", "")) if results else b""
    return selection_lots(candidates, rules, BAND + seed)


def live(call: Call, *, but: Any = None) -> list[Any]:
    """Awards of a call that take money, in order of rank; `but` is left out."""
    from grants.awards.models import Award  # noqa: PLC0415 - the models' rules ask this module

    rows = Award.objects.filter(call_id=call.pk).exclude(state__in=ENDED)
    if but is not None:
        rows = rows.exclude(pk=but.pk)
    return list(rows.select_related("bid__decision").order_by("bid__decision__rank", "number"))


def booked(award: Any, place: int) -> Candidate:
    """An award that stands, as a candidate who asks for exactly what it has."""
    bid = award.bid
    return Candidate(
        award.number,
        str(bid.organisation_id),
        place,
        Decimal(100),
        award.amount,
        bid.category,
        bid.track,
        award.amount,
        bid.organisation.district,
    )


def breach(award: Any) -> str | None:
    """What limit the award breaks beside every other live award of its call, as a sentence with figures and way out; None if none.

    For an award not yet saved the call's row is locked first, so that two proposals at once are counted one after the other.
    Later amounts only ever fall, so asking again needs no lock.
    """
    if award._state.adding:
        _queue_up(award.call)
    if (over := _over_own(award)) is not None:
        return over
    others = live(award.call, but=award)
    standing = [booked(a, place) for place, a in enumerate([*others, award], start=1)]
    rules = replace(selection_rules(award.call.rules), pass_line=ZERO, when_full=WhenFull.SKIP, amount_by=AmountBy.ASK, cap=None)
    try:
        outcome = propose(standing, rules)
    except RulesContradict as contradiction:
        return contradiction.sentence
    refused = next((d for d in outcome.decisions if not d.awarded), None)
    return None if refused is None else _sentence(refused.sentence)


def _over_own(award: Any) -> str | None:
    """Over what one project may have: its own ask, and the caps of call, field and track."""
    rules, bid = award.call.rules, award.bid
    caps = [(_("申请金额"), _asked(bid)), (_("单个项目上限"), rules.amounts.cap)]
    caps += [(_("“%(name)s”单个项目上限") % {"name": c.name}, c.cap) for c in rules.categories if c.code == bid.category]
    caps += [(_("“%(name)s”单个项目上限") % {"name": t.name}, t.cap) for t in rules.tracks if t.code == bid.track]
    for name, most in caps:
        if most is not None and award.amount > most:
            return _("资助 %(amount)s 超过%(what)s %(most)s；请先核减。") % {
                "amount": yuan(award.amount), "what": name, "most": yuan(most),
            }  # fmt: skip
    return None


def _asked(bid: Any) -> Decimal | None:
    version = bid.latest
    return None if version is None else Decimal(version.content["budget"]["grant"])


def _sentence(refusal: str) -> str:
    """The refusal of the selection without its verdict, and what to do."""
    reason = refusal.removeprefix("不予立项").lstrip("：:")
    return _("%(why)s请核减金额，或取消其他拟立项项目后再办。") % {"why": reason}


def _queue_up(call: Call) -> None:
    if transaction.get_connection().in_atomic_block:
        list(type(call)._base_manager.select_for_update(no_key=True).filter(pk=call.pk).values_list("pk"))
