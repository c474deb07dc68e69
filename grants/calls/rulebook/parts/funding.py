"""拨付: tranches and their conditions, changes, surplus."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from grants.calls.rulebook.parts.base import Count, Flag, Named, Part, Percent, Positive, Text
from grants.calls.rulebook.parts.timetable import Period, Unit


class Predicate(Named):
    """What must be true before a tranche is paid; each is computed by the machine from the record."""

    CONTRACT_EFFECTIVE = "contract_effective", "协议已生效"
    ACCOUNT_VERIFIED = "account_verified", "收款账户已核验"
    ELIGIBILITY_RECHECKED = "eligibility_rechecked", "资格与信用已复核"
    RECEIPT_UPLOADED = "receipt_uploaded", "已上传票据"
    MATCH_ARRIVED = "match_arrived", "配套资金已到位"
    LOGO_SHOWN = "logo_shown", "已提交标识佐证"
    MIDTERM_PASSED = "midterm_passed", "中期评估合格"
    SPEND_RATIO = "spend_ratio", "已拨资金支出比例达标"
    EXPENSES_DOCUMENTED = "expenses_documented", "支出凭证已齐"
    RECTIFIED = "rectified", "整改已完成"
    FINAL_PASSED = "final_passed", "末期评估合格"
    AUDIT_ISSUED = "audit_issued", "审计报告已出具"
    SURPLUS_SETTLED = "surplus_settled", "结余已结清"
    ARCHIVE_COMPLETE = "archive_complete", "档案已齐全"


AFTER_MONEY = frozenset(
    {
        Predicate.MIDTERM_PASSED, Predicate.SPEND_RATIO, Predicate.EXPENSES_DOCUMENTED, Predicate.RECTIFIED,
        Predicate.FINAL_PASSED, Predicate.AUDIT_ISSUED, Predicate.SURPLUS_SETTLED, Predicate.ARCHIVE_COMPLETE,
    }
)  # fmt: skip
"""Predicates that can only become true once money has been spent."""

WITH_PERCENT = frozenset({Predicate.SPEND_RATIO, Predicate.MATCH_ARRIVED})


class Condition(Part):
    """One predicate with its parameter."""

    code: Predicate = Field(title="条件", description="Which predicate.")
    percent: Percent | None = Field(default=None, title="比例", description="For spend_ratio and match_arrived.")


class TrancheRule(Part):
    """一期拨款."""

    no: Positive = Field(title="期次", description="1, 2, 3 …")
    percent: Percent = Field(title="比例", description="Share of the award; the last one takes the remainder to the fen.")
    conditions: tuple[Condition, ...] = Field(title="拨付条件", description="All must be true.", min_length=1)
    pay_within: Period = Field(
        default=Period(amount=15, unit=Unit.WORKING), title="付款时限", description="From the last condition met to the payment."
    )


class ChangeRules(Part):
    """变更: how far lines may move, and who decides (total never rises)."""

    record_up_to: Percent = Field(
        default=Decimal("10.00"), title="备案即可", description="Movement between lines that is only recorded."
    )
    operator_up_to: Percent = Field(
        default=Decimal("20.00"), title="承办方批准", description="Movement the operator may approve; above it the agency."
    )
    extensions_max: Count = Field(default=1, title="延期次数", description="Extensions at most.")
    extension_months: Count = Field(default=3, title="单次延期（月）", description="Months per extension at most.")


class Surplus(Part):
    """结余."""

    return_within: Period = Field(
        default=Period(amount=30, unit=Unit.CALENDAR), title="退回时限", description="From closing to the refund."
    )
    to_source: Flag = Field(default=True, title="按来源退回", description="Refund goes back to each source in proportion.")


class ReceiptKind(Named):
    """票据种类."""

    VAT = "vat", "增值税发票"
    DONATION = "donation", "公益事业捐赠票据"
    SETTLEMENT = "settlement", "资金往来结算票据"
    SPONSOR = "sponsor", "挂靠单位票据"


class FundingRules(Part):
    """Everything about paying."""

    tranches: tuple[TrancheRule, ...] = Field(title="分期", description="Percentages add up to 100.", min_length=1)
    receipts: tuple[ReceiptKind, ...] = Field(
        default=(ReceiptKind.SETTLEMENT,), title="认可票据", description="Receipts accepted."
    )
    changes: ChangeRules = Field(default=ChangeRules(), title="变更", description="Thresholds for changes.")
    surplus: Surplus = Field(default=Surplus(), title="结余", description="What happens to unspent money.")
    inspections: tuple[Text, ...] = Field(default=(), title="监督方式", description="How spending is watched between tranches.")
