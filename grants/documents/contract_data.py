"""Everything a contract says, as plain values. The awards stage fills it; `templates/documents/contract.html` prints it. Pure.

Amounts are Decimal 元 with two places, dates are days in Asia/Shanghai. The digest in the footer is that of `canonical()`, which
is also embedded in the PDF as `contract.json`: whoever holds the paper can check that the data was not exchanged.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Literal

ZERO = Decimal("0.00")


class ContractInconsistent(ValueError):
    """The numbers of a contract contradict each other. `rule` is stable: sources | tranches | budget | …"""

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(sentence)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Party:
    """Who signs. `code` is the 统一社会信用代码， empty for a 备案 group; `recorded_as` is then its record number."""

    name: str
    code: str = ""
    address: str = ""
    representative: str = ""
    contact: str = ""
    phone: str = ""
    recorded_as: str = ""


@dataclass(frozen=True, slots=True)
class FundingShare:
    """One source's part of the amount. `logo_text` is what deliverables must show, e.g. 彩票公益金资助—中国福利彩票."""

    name: str
    amount: Decimal
    is_lottery: bool = False
    logo_text: str = ""
    purposes: str = ""


@dataclass(frozen=True, slots=True)
class TrancheTerm:
    """One payment: share in percent, amount, what must hold first, and within how many working days it is then paid."""

    number: int
    share: Decimal
    amount: Decimal
    conditions: tuple[str, ...]
    pay_within: int


@dataclass(frozen=True, slots=True)
class PayeeAccount:
    """The verified account. `masked_number` shows the last four digits only (full number: in the system, for the bank batch)."""

    holder: str
    bank: str
    masked_number: str
    verified_on: dt.date


@dataclass(frozen=True, slots=True)
class BudgetItem:
    """One agreed line. `match` is what the grantee adds to it from its own or raised means."""

    category: str
    item: str
    basis: str
    asked: Decimal
    agreed: Decimal
    match: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class KpiTerm:
    """One promised figure and how it is proven."""

    name: str
    target: str
    evidence: str
    baseline: str = ""


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One activity of the plan, from the frozen bid."""

    period: str
    activity: str
    output: str
    people: str = ""


@dataclass(frozen=True, slots=True)
class BidSection:
    """A section of the frozen bid that is part of the contract: label and answer, in order."""

    title: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """What differs from call to call in the clauses. Days are working days unless the name says calendar; percents are whole."""

    legal_basis: tuple[str, ...]
    definitions: tuple[tuple[str, str], ...] = ()
    receipt_kind: str = "符合财政、税务规定的合法票据"
    receipt_days: int = 5
    change_record_percent: int = 10
    change_approve_percent: int = 20
    extension_months: int = 3
    quotes_from: Decimal = Decimal("10000.00")
    ineligible: tuple[str, ...] = (
        "购置固定资产、基础设施建设",
        "向服务对象直接发放现金、慰问品",
        "招待费、出国（境）费用、购车、奖金福利",
        "罚款、滞纳金、偿还债务、投资及营利活动",
        "协议生效前或期限届满后发生的支出",
    )
    management_cap_percent: int = 10
    in_kind: tuple[str, ...] = ()
    incident_hours: int = 24
    publicity_days: int = 5
    report_calendar_days: int = 30
    archive_years: int = 15
    correction_days: int = 10
    refund_calendar_days: int = 30
    barred_years: int = 3
    evaluator: str = "资助方依法委托的第三方机构"
    dispute: Literal["court", "arbitration"] = "court"
    tribunal: str = "资助方所在地有管辖权的人民法院"
    originals_each: int = 2
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ContractData:
    """One contract, two-party, or three-party when `executor` is given: then `grantee` signs and holds the account for it.

    number: 协议编号， e.g. 区民创投〔2026〕12号. version: 1 for the first, higher for each supplement.
    bid_sha256 and rules_sha256 name the frozen bid and the published rules that bind (64 hex digits).
    Raises ContractInconsistent on construction when sums do not tie out.
    """

    number: str
    version: int
    project: str
    programme: str
    call_number: str
    funder: Party
    grantee: Party
    executor: Party | None
    operator: Party | None
    starts_on: dt.date
    ends_on: dt.date
    place: str
    goal: str
    beneficiaries: str
    head: str
    asked: Decimal
    amount: Decimal
    match: Decimal
    sources: tuple[FundingShare, ...]
    tranches: tuple[TrancheTerm, ...]
    account: PayeeAccount
    budget: tuple[BudgetItem, ...]
    kpis: tuple[KpiTerm, ...]
    plan: tuple[PlanStep, ...]
    sections: tuple[BidSection, ...]
    terms: ContractTerms
    bid_sha256: str
    rules_sha256: str
    drawn_on: dt.date

    def __post_init__(self) -> None:
        self._must_tie("sources", "资金来源", sum((share.amount for share in self.sources), ZERO))
        self._must_tie("tranches", "分期拨付", sum((tranche.amount for tranche in self.tranches), ZERO))
        self._must_tie("budget", "预算表核定金额", sum((line.agreed for line in self.budget), ZERO))
        if self.amount <= 0 or self.amount > self.asked:
            raise ContractInconsistent("amount", f"资助金额 {self.amount} 元须大于 0 且不超过申请金额 {self.asked} 元。")
        if sum((tranche.share for tranche in self.tranches), Decimal(0)) != 100:
            raise ContractInconsistent("shares", "各期拨付比例之和须为 100%。")
        if sum((line.match for line in self.budget), ZERO) != self.match:
            raise ContractInconsistent("match", f"预算表配套金额之和与约定的配套金额 {self.match} 元不符。")
        if self.ends_on < self.starts_on:
            raise ContractInconsistent("period", "项目结束日期早于开始日期。")
        if self.account.holder != self.grantee.name:
            raise ContractInconsistent(
                "account", f"收款账户户名“{self.account.holder}”须与签约的受助方“{self.grantee.name}”一致。"
            )

    def _must_tie(self, rule: str, what: str, total: Decimal) -> None:
        if total != self.amount:
            raise ContractInconsistent(rule, f"{what}合计 {total} 元，与资助金额 {self.amount} 元不一致，请核对后重新生成。")

    @property
    def is_three_party(self) -> bool:
        return self.executor is not None

    @property
    def has_lottery(self) -> bool:
        return any(share.is_lottery for share in self.sources)

    @property
    def budget_asked(self) -> Decimal:
        return sum((line.asked for line in self.budget), ZERO)

    @property
    def total(self) -> Decimal:
        """Grant and match together."""
        return self.amount + self.match

    @property
    def originals(self) -> int:
        """How many signed originals there are."""
        return self.terms.originals_each * (3 if self.is_three_party else 2)

    def canonical(self) -> bytes:
        """All of it as JSON: sorted keys, no blanks, amounts as strings with two places, dates as ISO 8601."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of `canonical()`, 64 hex digits; printed in the footer."""
        return hashlib.sha256(self.canonical()).hexdigest()


def _plain(value: object) -> str:
    """Decimal("150000") and Decimal("150000.00") are one amount and must give one digest."""
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a contract")
