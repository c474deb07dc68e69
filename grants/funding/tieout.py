"""对账表: one row per project, from the award to the last voucher, gross; a difference is a sentence, never a netted figure (ux #28)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.awards.models import Award
from grants.calls.models import Call
from grants.funding import invariants
from grants.funding.books import call_book
from grants.funding.invariants import AwardBook
from grants.funding.models import Expense, Receipt
from grants.money import ZERO, total, yuan
from grants.web.cells import Column


@dataclass(frozen=True)
class TieOut:
    """One project's figures in 元, and what does not agree, in words."""

    award: Award
    book: AwardBook
    receipts: Decimal
    verified: Decimal
    spent: Decimal
    differences: tuple[str, ...]

    @property
    def amount(self) -> Decimal:
        return self.book.amount

    @property
    def planned(self) -> Decimal:
        return total([t.amount for t in self.book.tranches])

    @property
    def ordered(self) -> Decimal:
        return total([t.ordered for t in self.book.tranches])

    @property
    def paid(self) -> Decimal:
        return self.book.paid

    @property
    def surplus(self) -> Decimal:
        return self.book.surplus or ZERO

    @property
    def refunded(self) -> Decimal:
        return self.book.refunded

    @property
    def verdict(self) -> str:
        """⚠ and what differs, or a tick."""
        return "⚠ " + "；".join(self.differences) if self.differences else _("✓ 相符")


COLUMNS = (
    Column(gettext_lazy("项目编号"), "award.number", "code", "number", url=lambda row: f"/o/award/{row.award.pk}/"),
    Column(gettext_lazy("项目"), "award.bid.title", name="title"),
    Column(gettext_lazy("核对"), "verdict"),
    Column(gettext_lazy("立项"), "amount", "money"),
    Column(gettext_lazy("各期合计"), "planned", "money"),
    Column(gettext_lazy("已开付款单"), "ordered", "money"),
    Column(gettext_lazy("已付"), "paid", "money"),
    Column(gettext_lazy("票据"), "receipts", "money"),
    Column(gettext_lazy("其中已核验"), "verified", "money"),
    Column(gettext_lazy("认可支出"), "spent", "money"),
    Column(gettext_lazy("应退结余"), "surplus", "money"),
    Column(gettext_lazy("已退"), "refunded", "money"),
)


def tie_out(call: Call) -> list[TieOut]:
    """Every project of a call that counts, in order of number. Twelve queries, whatever their number."""
    book = call_book(call)
    awards = {a.number: a for a in Award.objects.filter(call=call, number__in=[b.code for b in book.awards]).select_related("bid")}
    receipts = _sums(Receipt.objects.filter(tranche__award__call=call), "tranche__award_id", Q(verified_at__isnull=False))
    spent = _sums(Expense.objects.filter(award__call=call, money="grant"), "award_id", Q(disallowed_reason=""))
    return [_row(awards[b.code], b, receipts.get(awards[b.code].pk, (ZERO, ZERO)), spent.get(awards[b.code].pk, (ZERO, ZERO))[1]) for b in book.awards]


def _sums(rows: object, key: str, good: Q) -> dict[object, tuple[Decimal, Decimal]]:
    """award → (all, those that count)."""
    found = rows.values(key).order_by().annotate(s=Sum("amount"), g=Sum("amount", filter=good))  # type: ignore[attr-defined]
    return {r[key]: (r["s"] or ZERO, r["g"] or ZERO) for r in found}


def _row(award: Award, book: AwardBook, receipts: tuple[Decimal, Decimal], spent: Decimal) -> TieOut:
    wrong = [v.sentence for v in invariants.check_award(book)]
    if receipts[0] > book.amount:
        wrong.append(_("票据合计 %(r)s 超过立项金额 %(a)s。") % {"r": yuan(receipts[0]), "a": yuan(book.amount)})
    if receipts[1] < book.paid:
        wrong.append(_("已付 %(p)s，已核验票据只有 %(r)s，缺 %(d)s。") % {"p": yuan(book.paid), "r": yuan(receipts[1]), "d": yuan(book.paid - receipts[1])})
    if book.is_closed and spent + book.refunded < book.paid:
        figures = {"p": yuan(book.paid), "s": yuan(spent), "r": yuan(book.refunded)}
        wrong.append(_("已结项：已付 %(p)s，认可支出 %(s)s 加已退 %(r)s 不足。") % figures)
    return TieOut(award, book, *receipts, spent, tuple(wrong))
