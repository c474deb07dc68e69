"""拆分: an award into shares by per cent, and awards over sources — to the fen, nothing lost, nothing made. Pure.

The contract prints these figures and funding pays by them, so both use this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from grants.money import FEN, exact, fen, total, yuan
from grants.sentences import marked as _
from review.flow import Network

HUNDRED: Final = Decimal(100)

SENTENCES: Final[Mapping[str, str]] = {
    "no_tranches": _("至少要有一期拨款。"),
    "percents": _("各期拨款比例合计 %(total)s%%，应为 100%%。"),
    "percent": _("第 %(no)d 期拨款比例 %(percent)s%% 必须大于 0。"),
    "amount": _("拆分的金额 %(amount)s 必须大于 0。"),
    "sums": _("各期拨款合计 %(rows)s 与各来源合计 %(columns)s 不一致，相差 %(gap)s。"),
    "negative": _("第 %(no)d 项金额 %(amount)s 不能为负。"),
    "sources": _("资金来源不足或用途不符：各立项需要 %(needed)s，来源在其允许用途内只能承担 %(possible)s，缺 %(gap)s。"),
}


class SplitRefused(ValueError):
    """Figures that cannot be split. `rule` is stable, the message a Chinese sentence with the figures."""

    def __init__(self, rule: str, **figures: object) -> None:
        self.rule = rule
        self.sentence = SENTENCES[rule] % figures
        super().__init__(self.sentence)


def split(amount: Decimal, percents: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """`amount` 元 in tranches by per cent, adding up exactly: each is rounded half up, the last takes what is left.

    Where an amount of a few fen would round to more than there is, earlier tranches come first and none is negative.
    Raises SplitRefused (no_tranches, percent, percents, amount), NotMoney for an amount finer than the fen.
    """
    if not percents:
        raise SplitRefused("no_tranches")
    for no, percent in enumerate(percents, start=1):
        if percent <= 0:
            raise SplitRefused("percent", no=no, percent=percent)
    if (whole := sum(percents, Decimal(0))) != HUNDRED:
        raise SplitRefused("percents", total=whole)
    if exact(amount) <= 0:
        raise SplitRefused("amount", amount=yuan(amount))
    parts: list[Decimal] = []
    for percent in percents[:-1]:
        parts.append(min(fen(amount * percent / HUNDRED), amount - total(parts)))
    return (*parts, exact(amount) - total(parts))


def units(amounts: Sequence[Decimal]) -> list[int]:
    """Amounts in 元 as whole fen. Raises SplitRefused (negative), NotMoney."""
    for no, amount in enumerate(amounts, start=1):
        if exact(amount) < 0:
            raise SplitRefused("negative", no=no, amount=yuan(amount))
    return [int(exact(amount) / FEN) for amount in amounts]


@dataclass(frozen=True)
class SourceMoney:
    """资金来源: 元 for projects, and the categories it may serve (empty: all)."""

    code: str
    amount: Decimal
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True)
class AwardMoney:
    """An award to be financed: code, category, 元."""

    code: str
    category: str
    amount: Decimal


def finance(awards: Sequence[AwardMoney], sources: Sequence[SourceMoney]) -> dict[str, dict[str, Decimal]]:
    """Award → source → 元 (only cells above zero): every award financed whole, no source overdrawn, purposes kept.

    Sources are tried in the order given (put lottery money with its narrow purposes first), awards in order of code. Raises
    SplitRefused (sources) when no such split exists.
    """
    network = Network()
    ordered = sorted(awards, key=lambda a: a.code)
    needed = sum(units([a.amount for a in ordered]))
    arcs: dict[tuple[str, str], int] = {}
    for award in ordered:
        network.arc("source", ("award", award.code), int(exact(award.amount) / FEN))
        for source in sources:
            if not source.categories or award.category in source.categories:
                arcs[award.code, source.code] = network.arc(("award", award.code), ("money", source.code), needed)
    for source in sources:
        network.arc(("money", source.code), "sink", int(exact(source.amount) / FEN))
    if (possible := network.push("source", "sink")) < needed:
        figures = {"needed": yuan(needed * FEN), "possible": yuan(possible * FEN)}
        raise SplitRefused("sources", **figures, gap=yuan((needed - possible) * FEN))
    found = {cell: network.flow_on(arc) * FEN for cell, arc in arcs.items()}
    return {a.code: {s: units for (code, s), units in found.items() if code == a.code and units} for a in ordered}
