"""What the rules of a call mean for the clauses of its contracts. Pure; amounts in 元, days as the field's name says."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from grants.documents.contract_data import ContractTerms, TrancheTerm

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules
    from grants.calls.rulebook.parts.timetable import Period

LOTTERY_BASIS: Final = "《彩票管理条例》"
PURCHASE_BASIS: Final = ("《中华人民共和国政府采购法》", "《政府购买服务管理办法》")
EXTRA: Final[dict[str, tuple[str, str]]] = {
    "sensitive_data": (
        "敏感个人信息",
        "处理健康、残疾、困境儿童等敏感个人信息的，乙方应当事先完成个人信息保护影响评估，单独取得本人或其监护人的书面同意，限定接触人员，加密保存，用毕删除。",
    ),
    "naming": ("冠名与认购", "经甲方确认的认购单位，其认购金额达到项目总预算约定比例的，可以在项目名称和宣传中署名；署名不得影响公益性质，不得用于商业推销。"),
    "joint": ("联合体分工", "联合申报的各成员按申报书确定的分工实施项目，由签约方统一收款、统一报告，并就全部义务向甲方承担责任。"),
}
"""Clauses a call may add for which the fixed text has none: code of the rule → heading and text."""

DEFAULTS: Final = ContractTerms(legal_basis=())


def terms(rules: CallRules) -> ContractTerms:
    """The call's clauses; where its rules are silent the usual figures of practice stand (`ContractTerms`)."""
    changes, retention = rules.funding.changes, rules.retention
    return ContractTerms(
        legal_basis=legal_basis(rules),
        receipt_kind="或".join(kind.zh for kind in rules.funding.receipts) or DEFAULTS.receipt_kind,
        change_record_percent=int(changes.record_up_to),
        change_approve_percent=int(changes.operator_up_to),
        extension_months=changes.extension_months,
        quotes_from=rules.budget.quotation_over or DEFAULTS.quotes_from,
        ineligible=rules.budget.banned or DEFAULTS.ineligible,
        management_cap_percent=management_cap(rules),
        in_kind=in_kind(rules),
        archive_years=retention.file_years,
        refund_calendar_days=calendar_days(rules.funding.surplus.return_within),
        barred_years=rules.eligibility.past.look_back_years if rules.eligibility.past else DEFAULTS.barred_years,
        tribunal=f"{rules.agency.name}所在地有管辖权的人民法院",
        originals_each=max(1, rules.contract.copies // 2),
        extra=tuple(EXTRA[str(c.value)] for c in rules.contract.clauses if str(c.value) in EXTRA),
    )


def legal_basis(rules: CallRules) -> tuple[str, ...]:
    """Statutes the recital names besides the Civil Code and the Charity Law."""
    lottery = any(str(s.kind.value) == "lottery" for s in rules.sources)
    bought = PURCHASE_BASIS if str(rules.legal_basis.value) == "procurement" else ()
    return (*bought, *((LOTTERY_BASIS,) if lottery else ()))


def management_cap(rules: CallRules) -> int:
    """Per cent of the grant that may go to 管理费: 0 when the call has no such category or bans it."""
    found = next((c for c in rules.budget.categories if c.code == "management"), None)
    if found is None or found.banned:
        return 0
    return DEFAULTS.management_cap_percent if found.cap_share is None else int(found.cap_share)


def in_kind(rules: CallRules) -> tuple[str, ...]:
    """Venues, mentors and equipment the agency offers, when the contract has the clause."""
    if "venue" not in {str(c.value) for c in rules.contract.clauses}:
        return ()
    return tuple(f"{i.name}" + (f"，每项目 {i.hours_per_project} 小时" if i.hours_per_project else "") for i in rules.in_kind)


def calendar_days(period: Period) -> int:
    """A period in calendar days; five working days are a week."""
    return period.amount if str(period.unit.value) == "calendar" else -(-period.amount * 7 // 5)


def working_days(period: Period) -> int:
    """A period in working days, never longer than what was promised in calendar days."""
    return period.amount if str(period.unit.value) == "working" else max(1, period.amount * 5 // 7)


def tranche_terms(rules: CallRules, amounts: tuple[Decimal, ...]) -> tuple[TrancheTerm, ...]:
    """The payment table: each tranche with share, amount, conditions in words and payment period."""
    return tuple(
        TrancheTerm(t.no, t.percent, amount, tuple(_condition(c) for c in t.conditions), working_days(t.pay_within))
        for t, amount in zip(rules.funding.tranches, amounts, strict=True)
    )


def _condition(condition: object) -> str:
    code, percent = condition.code, condition.percent  # type: ignore[attr-defined]
    return str(code.zh) if percent is None else f"{code.zh}（不低于 {percent.normalize():f}%）"
