"""结余: computed from what was paid and properly spent, returned once, and stale as soon as either figure moves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from grants import clock
from grants.awards.models import Award
from grants.clock.calendar import end_of_period
from grants.funding import surplus as arithmetic
from grants.funding.conditions import paid_so_far
from grants.funding.models import Surplus, TrancheLine
from grants.funding.records import invalid, locked_award, nothing_came_back, remember
from grants.money import ZERO
from grants.people.rules import may
from grants.workflow.door import require
from grants.workflow.refusals import NotNow

OPEN_TO = ("active", "terminated")


def compute_surplus(award: Award, *, by: object) -> Surplus:
    """Work out what goes back: paid − eligible spending, each line at most its agreed amount. Repeat it until it is returned.

    Locks the award. A surplus of nothing is settled at once. Raises NotYou, NotNow (returned already, project not running).
    """
    role = require(may("check_tranches"), award, by=by).role
    with transaction.atomic():
        held = locked_award(award)
        if held.state not in OPEN_TO:
            raise NotNow(_("项目不在执行中，也没有终止，不能核算结余。"), rule="award_running")
        nothing_came_back(held)
        outcome = owed(held)
        shares = arithmetic.return_by_source(outcome.amount, paid_by_source(held), paid=outcome.paid)
        row, _new = Surplus.objects.update_or_create(award=held, defaults=_columns(held, outcome.amount, shares))
        public = {"paid": f"{outcome.paid:.2f}", "eligible": f"{outcome.eligible:.2f}", "surplus": f"{outcome.amount:.2f}"}
        remember(held, "surplus.computed", by, role, public, {})
    return row


def _columns(award: Award, amount: Decimal, shares: dict[str, Decimal]) -> dict[str, object]:
    within = award.bid.rules.funding.surplus.return_within
    due = end_of_period(clock.now(), within.amount, within.unit.value).last_day
    return {
        "amount": amount, "by_source": [[code, f"{share:.2f}"] for code, share in shares.items()], "computed_at": clock.now(),
        "due_on": due if amount else None, "returned_at": None if amount else clock.now(),
    }  # fmt: skip


def return_surplus(award: Award, *, bank_reference: str, by: Any) -> Surplus:
    """The finance officer confirms that the surplus arrived. Locks the award.

    Raises Invalid without the bank's reference, NotYou, NotNow (nothing to return, or the figures moved since it was computed).
    """
    role = require(may("pay_tranches"), award, by=by).role
    if not bank_reference.strip():
        raise invalid("bank_reference", _("请填写退款的银行流水号。"))
    with transaction.atomic():
        held = locked_award(award)
        row = Surplus.objects.filter(award=held).first()
        if row is None or row.returned_at:
            raise NotNow(_("没有待退回的结余。"), rule="surplus_due")
        if standing_surplus(held) is None:
            raise NotNow(_("核算结余后，拨款或支出又有变动；请经办重新核算后再确认退回。"), rule="surplus_stale")
        row.returned_at, row.bank_reference, row.confirmed_by = clock.now(), bank_reference.strip(), by
        row.save(update_fields=["returned_at", "bank_reference", "confirmed_by"])
        remember(held, "surplus.returned", by, role, {"amount": f"{row.amount:.2f}", "reference": row.bank_reference}, {})
    return row


def standing_surplus(award: Award) -> Surplus | None:
    """The surplus as computed, while it still equals what was paid less what was properly spent; None asks for a new computation."""
    row = Surplus.objects.filter(award=award).first()
    return row if row is not None and row.amount == owed(award).amount else None


def owed(award: Award) -> arithmetic.Surplus:
    """The arithmetic of today's rows."""
    return arithmetic.surplus(spend_lines(award), paid=paid_so_far(award), award=award.amount)


def spend_lines(award: Award) -> list[arithmetic.SpendLine]:
    """Each agreed line with what was spent on it from the grant and stands."""
    stands = award.expenses.filter(money="grant", disallowed_reason="")
    spent = dict(stands.values("line_id").annotate(s=Sum("amount")).values_list("line_id", "s"))
    return [arithmetic.SpendLine(line.name, line.agreed, spent.get(line.pk, ZERO)) for line in award.lines.all()]


def paid_by_source(award: Award) -> dict[str, Decimal]:
    """Source code → 元 paid of it."""
    rows = TrancheLine.objects.filter(tranche__award=award, tranche__state="paid")
    return dict(rows.values_list("source__code").annotate(s=Sum("amount")))
