"""The books of a call, from the rows, in the shape the invariants are stated in; and the overview a page shows."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from grants.awards.models import Award
from grants.calls.models import Call
from grants.funding import invariants
from grants.funding.invariants import AwardBook, CallBook, TrancheBook, Violation
from grants.funding.models import Surplus, Tranche
from grants.money import ZERO, total

COUNTED = ("confirmed", "active", "closed", "terminated")
UNFIXED = ("draft", "ended")
"""States of a contract whose amount binds nobody yet, or no more."""
AFTER = {"approved": ("approved", "ordered", "paid"), "ordered": ("ordered", "paid"), "paid": ("paid",)}


def check_call(call: Call) -> list[Violation]:
    """Everything that does not tie out in one call's money; empty when all does."""
    return invariants.check_call(call_book(call))


def call_book(call: Call) -> CallBook:
    """All of a call's awards that count, in nine queries whatever their number."""
    awards = Award.objects.filter(call=call, state__in=COUNTED).select_related("contract", "surplus").order_by("number")
    rows = awards.prefetch_related("lines", "expenses", "allocations__source", *(f"tranches__{x}" for x in ("payment_order", "lines__source")))
    sources = {s.id: s.amount for s in call.rules.sources}
    return CallBook(call.code, call.rules.pool.grants, sources, tuple(award_book(a) for a in rows))


def award_book(award: Award) -> AwardBook:
    """One award's money. Cancelled tranches of a terminated award stay in the plan: what was promised and not paid is visible."""
    contract = getattr(award, "contract", None)
    surplus = _surplus(award)
    return AwardBook(
        code=award.number,
        amount=award.amount,
        tranches=tuple(_tranche(t) for t in sorted(award.tranches.all(), key=lambda t: t.number)),
        sources={a.source.code: a.amount for a in award.allocations.all()},
        contract=None if contract is None or contract.state in UNFIXED else Decimal(str(contract.data["amount"])),
        agreed_lines=tuple(line.agreed for line in award.lines.all()) or None,
        eligible=None if surplus is None else _eligible(award),
        surplus=None if surplus is None else surplus.amount,
        refunded=surplus.amount if surplus is not None and surplus.returned_at else ZERO,
        is_closed=award.state == "closed",
    )


def _surplus(award: Award) -> Surplus | None:
    """The computed surplus. While the project runs, one that figures have overtaken is as good as none: it must be computed again."""
    row = getattr(award, "surplus", None)
    if row is None or award.state == "closed" or (row.amount and row.returned_at):
        return row
    paid = total([t.amount for t in award.tranches.all() if t.state == "paid"])
    return row if row.amount == max(paid - _eligible(award), ZERO) else None


def _eligible(award: Award) -> Decimal:
    """Σ over the agreed lines of what was spent from the grant and stands, each at most what was agreed; at most the award."""
    spent: Counter[Any] = Counter()
    for expense in award.expenses.all():
        if expense.money == "grant" and not expense.disallowed_reason:
            spent[expense.line_id] += expense.amount
    return min(total([min(line.agreed, Decimal(spent[line.pk])) for line in award.lines.all()]), award.amount)


def _tranche(tranche: Tranche) -> TrancheBook:
    order = getattr(tranche, "payment_order", None)
    order = None if order is not None and order.status == "void" else order
    return TrancheBook(
        no=tranche.number,
        amount=tranche.amount,
        approved=tranche.amount if tranche.state in AFTER["approved"] else ZERO,
        ordered=order.amount if order is not None else ZERO,
        paid=tranche.amount if tranche.state == "paid" else ZERO,
        orders=(order.key,) if order is not None else (),
        by_source={line.source.code: line.amount for line in tranche.lines.all()},
    )


def balances(call: Call, book: CallBook | None = None) -> list[dict[str, Any]]:
    """Per source: what it brings, promised, paid, left — gross, derived from rows, for the page."""
    book = book or call_book(call)
    rows: dict[str, dict[str, Any]] = {
        s.code: {"name": s.name, "amount": s.amount, "promised": ZERO, "paid": ZERO} for s in call.fund_sources.order_by("code")
    }
    for award in book.awards:
        for code, amount in award.sources.items():
            rows[code]["promised"] += amount
        for tranche in award.tranches:
            if tranche.paid:
                for code, amount in tranche.by_source.items():
                    rows[code]["paid"] += amount
    return [{**row, "left": row["amount"] - row["promised"]} for row in rows.values()]
