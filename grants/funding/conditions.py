"""What must be true before a tranche is paid: one small predicate each, by code. An unknown code fails closed.

Each returns None when satisfied, or a sentence that says what is missing and what to do. Predicates that look at evaluations are
handed up by grants.evaluation at start-up (`provide`), because this stage knows nobody downstream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from bidding.models import BudgetLine
from grants.calls.rulebook.parts.funding import Predicate
from grants.money import ZERO, ceiling, yuan

Predicated = Callable[[Any, "Decimal | None"], "str | None"]
_predicates: dict[str, Predicated] = {}


@dataclass(frozen=True)
class Condition:
    """One condition as the page shows it: code, name, and the sentence when it is not met."""

    code: str
    name: str
    missing: str | None

    def __str__(self) -> str:
        return self.missing or self.name


def provide(code: str) -> Callable[[Predicated], Predicated]:
    """Decorator: register the predicate of a code. Later registrations replace earlier ones."""

    def register(predicate: Predicated) -> Predicated:
        _predicates[code] = predicate
        return predicate

    return register


def conditions(tranche: Any) -> list[Condition]:
    """Every condition of a tranche, in the order of its rules."""
    return [_asked(tranche, c["code"], c.get("percent")) for c in tranche.conditions]


def unmet(tranche: Any) -> list[Condition]:
    return [c for c in conditions(tranche) if c.missing is not None]


def _name(code: str) -> str:
    return next((p.zh for p in Predicate if p.value == code), code)


def _asked(tranche: Any, code: str, percent: str | None) -> Condition:
    predicate = _predicates.get(code)
    if predicate is None:
        return Condition(code, code, _("条件「%(code)s」无法由系统判断，请联系系统管理员；在此之前不能拨付。") % {"code": code})
    return Condition(code, _name(code), predicate(tranche, None if percent is None else Decimal(percent)))


@provide("contract_effective")
def contract_effective(tranche: Any, _percent: Decimal | None) -> str | None:
    contract = getattr(tranche.award, "contract", None)
    return None if contract is not None and contract.state == "effective" else _("协议还没有生效：请先完成双方签署。")


@provide("account_verified")
def account_verified(tranche: Any, _percent: Decimal | None) -> str | None:
    payee = tranche.award.payee
    return None if payee.account_verified_at else _("收款账户还没有核验：请%(payee)s填写账户，由财务核验。") % {"payee": payee}


@provide("eligibility_rechecked")
def eligibility_rechecked(tranche: Any, _percent: Decimal | None) -> str | None:
    from grants.awards.rechecks import failures  # noqa: PLC0415 - asks services of the stage above this module's models

    failed = failures(tranche.award)
    return None if not failed else _("资格复核不合格：%(what)s。") % {"what": "、".join(str(f) for f in failed[:3])}


@provide("receipt_uploaded")
def receipt_uploaded(tranche: Any, _percent: Decimal | None) -> str | None:
    got = tranche.receipts.aggregate(s=Sum("amount"))["s"] or ZERO
    if got == tranche.amount:
        return None
    figures = {"need": yuan(tranche.amount), "got": yuan(got)}
    return _("本期票据应为 %(need)s，已上传 %(got)s：请上传与本期金额相等的票据。") % figures


@provide("spend_ratio")
def spend_ratio(tranche: Any, percent: Decimal | None) -> str | None:
    paid, spent = paid_so_far(tranche.award), spent_so_far(tranche.award, "grant")
    wanted = ceiling(paid * (percent or Decimal(100)) / 100)
    if spent >= wanted:
        return None
    return _("已拨资金应支出 %(wanted)s 以上，现登记支出 %(spent)s：请登记支出并上传凭证。") % {
        "wanted": yuan(wanted),
        "spent": yuan(spent),
    }


@provide("match_arrived")
def match_arrived(tranche: Any, percent: Decimal | None) -> str | None:
    promised = (
        BudgetLine.objects.filter(bid_id=tranche.award.bid_id).exclude(source="grant").aggregate(s=Sum("amount"))["s"] or ZERO
    )
    wanted, got = ceiling(promised * (percent or Decimal(100)) / 100), spent_so_far(tranche.award, "match")
    if got >= wanted:
        return None
    return _("配套应到位 %(wanted)s，现登记 %(got)s：请登记配套支出和凭证。") % {"wanted": yuan(wanted), "got": yuan(got)}


@provide("expenses_documented")
def expenses_documented(tranche: Any, _percent: Decimal | None) -> str | None:
    bare = tranche.award.expenses.filter(voucher=None, disallowed_reason="").count()
    none = not tranche.award.expenses.exists()
    if none:
        return _("还没有登记支出：请逐笔登记并上传凭证。")
    return None if not bare else _("还有 %(n)d 笔支出没有凭证：请上传凭证扫描件。") % {"n": bare}


@provide("surplus_settled")
def surplus_settled(tranche: Any, _percent: Decimal | None) -> str | None:
    from grants.funding.settling import standing_surplus  # noqa: PLC0415 - which sums with this module's functions

    surplus = standing_surplus(tranche.award)
    if surplus is None:
        return _("结余还没有核算，或核算后又有变动：请经办核算结余。")
    if surplus.amount and not surplus.returned_at:
        return _("结余 %(amount)s 还没有退回。") % {"amount": yuan(surplus.amount)}
    return None


def paid_so_far(award: Any) -> Decimal:
    """Σ tranches confirmed as paid, 元."""
    return award.tranches.filter(state="paid").aggregate(s=Sum("amount"))["s"] or ZERO


def spent_so_far(award: Any, money: str) -> Decimal:
    """Σ expenses of one kind of money that stand, 元."""
    return award.expenses.filter(money=money, disallowed_reason="").aggregate(s=Sum("amount"))["s"] or ZERO
