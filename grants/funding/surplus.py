"""结余: what was paid and not properly spent goes back, to each source in proportion. Pure; 元 to the fen.

surplus = paid − eligible grant spending, each budget line counting at most its agreed amount (with approved changes). Where more
was properly spent than paid, nothing goes back and the difference (up to the award) may still be due.
慈善法 §58 and the contract's surplus clause say what happens to it; here only the arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from grants.money import ZERO, apportion, exact, total, yuan
from grants.sentences import marked as _

SENTENCES: Final[Mapping[str, str]] = {
    "negative": _("“%(name)s”的金额 %(amount)s 不能为负。"),
    "over_paid": _("累计拨付 %(paid)s 超过立项金额 %(award)s。"),
    "sources": _("各来源拨付合计 %(sources)s 与累计拨付 %(paid)s 不一致。"),
    "too_much": _("退回 %(amount)s 超过累计拨付 %(paid)s。"),
    "surplus": _("累计拨付 %(paid)s，核定支出 %(eligible)s，结余 %(surplus)s，应予退回。"),
    "none": _("累计拨付 %(paid)s，核定支出 %(eligible)s，没有结余。"),
}


class SurplusRefused(ValueError):
    """Figures from which no surplus follows. `rule` is stable, the message a Chinese sentence."""

    def __init__(self, rule: str, **figures: object) -> None:
        self.rule = rule
        self.sentence = SENTENCES[rule] % figures
        super().__init__(self.sentence)


@dataclass(frozen=True)
class SpendLine:
    """One grant line in 元: agreed (after approved changes), and spent with eligible vouchers."""

    name: str
    agreed: Decimal
    spent: Decimal

    @property
    def eligible(self) -> Decimal:
        """What counts: at most what was agreed."""
        return min(self.agreed, self.spent)

    @property
    def excess(self) -> Decimal:
        """What the grantee bears itself."""
        return self.spent - self.eligible


@dataclass(frozen=True)
class Surplus:
    """paid, eligible, amount (to go back), still_due (earned and not yet paid), all 元; the sentence says it."""

    paid: Decimal
    eligible: Decimal
    amount: Decimal
    still_due: Decimal
    sentence: str


def surplus(lines: Sequence[SpendLine], *, paid: Decimal, award: Decimal) -> Surplus:
    """The surplus of an award. Raises SurplusRefused for negative figures or more paid than awarded, NotMoney for no money."""
    for name, amount in [("累计拨付", paid), ("立项金额", award), *((x.name, a) for x in lines for a in (x.agreed, x.spent))]:
        if exact(amount) < 0:
            raise SurplusRefused("negative", name=name, amount=yuan(amount))
    if paid > award:
        raise SurplusRefused("over_paid", paid=yuan(paid), award=yuan(award))
    eligible = min(total([line.eligible for line in lines]), award)
    back, due = max(paid - eligible, ZERO), max(eligible - paid, ZERO)
    figures = {"paid": yuan(paid), "eligible": yuan(eligible), "surplus": yuan(back)}
    return Surplus(exact(paid), eligible, back, due, SENTENCES["surplus" if back else "none"] % figures)


def return_by_source(amount: Decimal, paid_by_source: Mapping[str, Decimal], *, paid: Decimal) -> dict[str, Decimal]:
    """`amount` 元 to go back, by source in proportion to what each paid; adds up exactly, no source gets more than it paid.

    Odd fen go to the largest remainders, then in order of code. Raises SurplusRefused when sources do not add up to `paid` or the
    refund exceeds it.
    """
    codes = sorted(paid_by_source)
    parts = [paid_by_source[code] for code in codes]
    if total(parts) != paid:
        raise SurplusRefused("sources", sources=yuan(total(parts)), paid=yuan(paid))
    if amount > paid:
        raise SurplusRefused("too_much", amount=yuan(amount), paid=yuan(paid))
    if not amount:
        return dict.fromkeys(codes, ZERO)
    return dict(zip(codes, apportion(amount, parts), strict=True))
