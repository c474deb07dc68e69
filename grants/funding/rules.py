"""On which facts money moves, and who may move it. Four persons: request, check, approve, pay."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.awards.rules import no_open_objection, still_eligible, through_award
from grants.people.permissions import scopes_with
from grants.people.rules import may, not_same_as
from grants.workflow.rules import Ask, Rule, row_rule, rule, the_clock

claimant = may("claim", on="payee") | may("claim", on="organisation")
checker = may("check_tranches") & not_same_as("requested_by", _("不是申请人"), _("拨款由您申请，须由另一人核对。"))
tranche_approver = (
    may("approve_tranches")
    & not_same_as("requested_by", _("不是申请人"), _("拨款由您申请，须由另一人批准。"))
    & not_same_as("checked_by", _("不是核对人"), _("拨款由您核对，须由另一人批准。"))
)
payer = (
    may("pay_tranches")
    & not_same_as("requested_by", _("不是申请人"), _("拨款由您申请，须由另一人付款。"))
    & not_same_as("checked_by", _("不是核对人"), _("拨款由您核对，须由另一人付款。"))
    & not_same_as("approved_by", _("不是批准人"), _("拨款由您批准，须由另一人付款（批准与付款分离）。"))
)

stopper = may("approve_tranches") | may("check_tranches") | the_clock
canceller = may("approve_tranches") | the_clock

__all__ = [
    "award_not_overpaid",
    "award_running",
    "canceller",
    "checker",
    "claimant",
    "conditions_met",
    "earlier_tranches_paid",
    "no_open_objection",
    "not_sent_to_bank",
    "nothing_returned",
    "one_order_only",
    "order_reconciled",
    "payer",
    "still_eligible",
    "stopper",
    "tranche_approver",
    "tranche_visible",
]


@rule(_("项目在执行中"), _("项目不在执行中（协议未生效、已终止或已结项），不能拨款。"))
def award_running(ask: Ask) -> bool:
    return bool(ask.obj.award.state == "active")


@rule(_("本期拨款条件全部满足"))
def conditions_met(ask: Ask) -> object:
    """Every predicate of the tranche in the call's rules; each unmet one is named with what to do."""
    from grants.funding.conditions import unmet  # noqa: PLC0415

    found = unmet(ask.obj)
    return True if not found else _("本期拨款条件还没有满足：%(what)s") % {"what": ";".join(str(u) for u in found)}


@rule(_("前期拨款已付清"))
def earlier_tranches_paid(ask: Ask) -> object:
    t = ask.obj
    left = type(t)._base_manager.filter(award_id=t.award_id, number__lt=t.number).exclude(state__in=("paid", "cancelled")).count()
    return True if not left else _("前面还有 %(n)d 期没有付清，请按期次拨付。") % {"n": left}


@rule(_("累计拨款不超过立项金额"))
def award_not_overpaid(ask: Ask) -> object:
    """Ordered and paid tranches plus this one never exceed the award, to the fen."""
    from grants.funding.orders import committed  # noqa: PLC0415

    t = ask.obj
    total = committed(t.award, besides=t) + t.amount
    if total > t.award.amount:
        return _("拨付 %(total)s 元将超过立项金额 %(award)s 元，不能拨付。") % {"total": total, "award": t.award.amount}
    return True


@rule(_("本期还没有付款单"), _("本期已经开具过付款单，不会重复付款；请到付款单页面查看结果或对账。"))
def one_order_only(ask: Ask) -> bool:
    from grants.funding.models import PaymentOrder  # noqa: PLC0415

    return not PaymentOrder.objects.filter(tranche_id=ask.obj.pk).exists()


@rule(_("结余没有退回"), _("结余已经退回，说明所拨资金已够用，不再拨付后续各期；请取消本期。"))
def nothing_returned(ask: Ask) -> bool:
    """Paying again after a surplus came back would undo the settlement; a surplus of nothing stops nothing."""
    from grants.funding.models import Surplus  # noqa: PLC0415

    return not Surplus.objects.filter(award_id=ask.obj.award_id, amount__gt=0, returned_at__isnull=False).exists()


@rule(_("付款单没有送银行"), _("付款单已送银行，钱可能已经付出，不能取消；请核对回单，已付的按结余追回。"))
def not_sent_to_bank(ask: Ask) -> bool:
    from grants.funding.models import PaymentOrder  # noqa: PLC0415

    return not PaymentOrder.objects.filter(tranche_id=ask.obj.pk).exclude(status__in=("ready", "void")).exists()


@rule(_("银行回单已核对"), typed=True)
def order_reconciled(ask: Ask) -> object:
    return True if str(ask.details.get("bank_reference", "")).strip() else _("请填写银行回单流水号；没有回单不能确认已付。")


def _tranche_visible(actor: Any) -> Q:
    """Whoever may see the award's contract side, and whoever claims for the sponsor that is paid."""
    from grants.people.models import Organisation  # noqa: PLC0415 - models import this module through the machine

    return through_award("award__")(actor) | scopes_with(actor, "claim", Organisation, "award__bid__sponsor")


tranche_visible: Rule = row_rule(
    "tranche_visible", _("受助方、主办方和审计"), _tranche_visible, _("拨款信息只对受助方、主办方和审计开放。")
)
