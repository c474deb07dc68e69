"""账要平: what must hold of every award's money at any moment, checked on plain figures and reported in words. Pure.

award = Σ tranches = Σ sources; every tranche = Σ its source lines; every source's lines = its allocation; paid ≤ ordered ≤ approved ≤
amount per tranche; Σ paid ≤ award; one order per tranche; refunds ≤ surplus ≤ paid; Σ awards ≤ pool, Σ allocations ≤ each source.
The demo and the tests run this over everything; an auditor may too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from grants.money import ZERO, NotMoney, exact, total, yuan
from grants.sentences import marked as _

SENTENCES: Final[Mapping[str, str]] = {
    "not_money": _("%(what)s的金额 %(amount)s 不是到分的非负金额。"),
    "tranches": _("各期拨款合计 %(sum)s，与立项金额 %(award)s 不等。"),
    "sources": _("各来源安排合计 %(sum)s，与立项金额 %(award)s 不等。"),
    "row": _("第 %(no)d 期的来源明细合计 %(sum)s，与本期金额 %(amount)s 不等。"),
    "column": _("来源“%(source)s”各期明细合计 %(sum)s，与安排金额 %(amount)s 不等。"),
    "approved": _("第 %(no)d 期批准 %(more)s，超过本期金额 %(less)s。"),
    "ordered": _("第 %(no)d 期付款单 %(more)s，超过批准 %(less)s。"),
    "paid": _("第 %(no)d 期已付 %(more)s，超过付款单 %(less)s。"),
    "overpaid": _("累计已付 %(sum)s，超过立项金额 %(award)s。"),
    "orders": _("第 %(no)d 期有 %(count)d 张付款单，只能有一张。"),
    "order_twice": _("付款单“%(order)s”出现 %(count)d 次。"),
    "numbers": _("拨款期次 %(numbers)s 不是从 1 起的连续编号。"),
    "contract": _("协议金额 %(contract)s 与立项金额 %(award)s 不等。"),
    "lines": _("核定预算合计 %(sum)s，与立项金额 %(award)s 不等。"),
    "refunded": _("已退回 %(refunded)s，超过应退结余 %(surplus)s。"),
    "surplus": _("结余 %(surplus)s 不等于已付 %(paid)s 减核定支出 %(eligible)s（不足为零）。"),
    "not_settled": _("已结项，但应退结余 %(surplus)s 只退回 %(refunded)s。"),
    "pool": _("立项合计 %(sum)s，超过资助总额 %(pool)s。"),
    "source_over": _("来源“%(source)s”安排合计 %(sum)s，超过其金额 %(amount)s。"),
    "source_unknown": _("来源“%(source)s”不在本次征集的资金来源中。"),
    "twice": _("立项“%(award)s”出现 %(count)d 次。"),
}


@dataclass(frozen=True)
class TrancheBook:
    """One tranche in 元: its amount, what was approved, ordered and paid of it, its order keys, and the part of each source."""

    no: int
    amount: Decimal
    approved: Decimal = ZERO
    ordered: Decimal = ZERO
    paid: Decimal = ZERO
    orders: tuple[str, ...] = ()
    by_source: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class AwardBook:
    """One award in 元. contract, agreed_lines, surplus and eligible are None until they exist; is_closed asks for a settled surplus."""

    code: str
    amount: Decimal
    tranches: tuple[TrancheBook, ...] = ()
    sources: Mapping[str, Decimal] = field(default_factory=dict)
    contract: Decimal | None = None
    agreed_lines: tuple[Decimal, ...] | None = None
    eligible: Decimal | None = None
    surplus: Decimal | None = None
    refunded: Decimal = ZERO
    is_closed: bool = False

    @property
    def paid(self) -> Decimal:
        """Σ paid."""
        return total([t.paid for t in self.tranches])


@dataclass(frozen=True)
class CallBook:
    """One call in 元: the money for projects, what each source brings to it, the awards that count."""

    code: str
    pool: Decimal
    sources: Mapping[str, Decimal]
    awards: tuple[AwardBook, ...]


@dataclass(frozen=True)
class Violation:
    """Something that does not tie out: the award or call, a stable rule, a Chinese sentence with the figures."""

    subject: str
    rule: str
    sentence: str


def check_award(book: AwardBook) -> list[Violation]:
    """Everything wrong with one award's money; empty when it ties out. An award without tranches yet owes only its sources."""
    if unreadable := list(_unreadable(book)):
        return unreadable
    parts = (_plan(book), _numbers(book), _source_lines(book), _order_of_steps(book), _orders(book), _end(book))
    return [violation for part in parts for violation in part]


def check_call(book: CallBook) -> list[Violation]:
    """Everything wrong with one call's money, its awards included."""
    found = [v for award in book.awards for v in check_award(award)]
    if (awarded := total([a.amount for a in book.awards])) > book.pool:
        found.append(_violation(book.code, "pool", sum=yuan(awarded), pool=yuan(book.pool)))
    for award, count in Counter(a.code for a in book.awards).items():
        if count > 1:
            found.append(_violation(book.code, "twice", award=award, count=count))
    return [*found, *_drawn(book), *_order_keys(book)]


def _violation(subject: str, rule: str, **figures: object) -> Violation:
    return Violation(subject, rule, SENTENCES[rule] % figures)


def _amounts(book: AwardBook) -> Iterator[tuple[str, Decimal | None]]:
    yield from (("立项", book.amount), ("协议", book.contract), ("核定支出", book.eligible), ("结余", book.surplus))
    yield "退回", book.refunded
    yield from ((f"来源“{code}”", amount) for code, amount in book.sources.items())
    for t in book.tranches:
        yield from ((f"第 {t.no} 期", a) for a in (t.amount, t.approved, t.ordered, t.paid, *t.by_source.values()))


def _unreadable(book: AwardBook) -> Iterator[Violation]:
    for what, amount in _amounts(book):
        try:
            sound = amount is None or exact(amount) >= 0
        except NotMoney:
            sound = False
        if not sound:
            yield _violation(book.code, "not_money", what=what, amount=amount)


def _plan(book: AwardBook) -> Iterator[Violation]:
    award = yuan(book.amount)
    if book.tranches and (planned := total([t.amount for t in book.tranches])) != book.amount:
        yield _violation(book.code, "tranches", sum=yuan(planned), award=award)
    if book.sources and (drawn := total(list(book.sources.values()))) != book.amount:
        yield _violation(book.code, "sources", sum=yuan(drawn), award=award)
    if book.contract is not None and book.contract != book.amount:
        yield _violation(book.code, "contract", contract=yuan(book.contract), award=award)
    if book.agreed_lines is not None and (agreed := total(book.agreed_lines)) != book.amount:
        yield _violation(book.code, "lines", sum=yuan(agreed), award=award)


def _numbers(book: AwardBook) -> Iterator[Violation]:
    numbers = [t.no for t in book.tranches]
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        yield _violation(book.code, "numbers", numbers="、".join(map(str, numbers)))


def _source_lines(book: AwardBook) -> Iterator[Violation]:
    """Rows and columns of tranches × sources, wherever any line exists."""
    columns: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for tranche in book.tranches:
        for source, amount in tranche.by_source.items():
            columns[source] += amount
        if tranche.by_source and (row := total(list(tranche.by_source.values()))) != tranche.amount:
            yield _violation(book.code, "row", no=tranche.no, sum=yuan(row), amount=yuan(tranche.amount))
    for source in sorted({*columns, *book.sources} if columns else ()):
        if columns[source] != (planned := book.sources.get(source, ZERO)):
            yield _violation(book.code, "column", source=source, sum=yuan(columns[source]), amount=yuan(planned))


def _order_of_steps(book: AwardBook) -> Iterator[Violation]:
    for t in book.tranches:
        for rule, more, less in (
            ("approved", t.approved, t.amount),
            ("ordered", t.ordered, t.approved),
            ("paid", t.paid, t.ordered),
        ):
            if more > less:
                yield _violation(book.code, rule, no=t.no, more=yuan(more), less=yuan(less))
    if book.paid > book.amount:
        yield _violation(book.code, "overpaid", sum=yuan(book.paid), award=yuan(book.amount))


def _orders(book: AwardBook) -> Iterator[Violation]:
    for t in book.tranches:
        if len(t.orders) > 1:
            yield _violation(book.code, "orders", no=t.no, count=len(t.orders))


def _end(book: AwardBook) -> Iterator[Violation]:
    due = book.surplus if book.surplus is not None else ZERO
    if book.refunded > due:
        yield _violation(book.code, "refunded", refunded=yuan(book.refunded), surplus=yuan(due))
    if book.surplus is not None and book.eligible is not None and book.surplus != max(book.paid - book.eligible, ZERO):
        figures = {"surplus": yuan(book.surplus), "paid": yuan(book.paid), "eligible": yuan(book.eligible)}
        yield _violation(book.code, "surplus", **figures)
    if book.is_closed and book.refunded < due:
        yield _violation(book.code, "not_settled", surplus=yuan(due), refunded=yuan(book.refunded))


def _drawn(book: CallBook) -> Iterator[Violation]:
    drawn: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for award in book.awards:
        for source, amount in award.sources.items():
            drawn[source] += amount
    for source, amount in sorted(drawn.items()):
        if source not in book.sources:
            yield _violation(book.code, "source_unknown", source=source)
        elif amount > book.sources[source]:
            yield _violation(book.code, "source_over", source=source, sum=yuan(amount), amount=yuan(book.sources[source]))


def _order_keys(book: CallBook) -> Iterator[Violation]:
    keys: Sequence[str] = [key for award in book.awards for t in award.tranches for key in t.orders]
    for key, count in Counter(keys).items():
        if count > 1:
            yield _violation(book.code, "order_twice", order=key, count=count)
