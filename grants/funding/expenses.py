"""支出与变更: what the grant may not pay, what only draws a warning, and who decides a change of the budget. Pure; 元 to the fen.

The list of ineligible items is the union of published rules (domain notes §3.2, §6: 彩票公益金 allocation rules, Shangyu 2020,
慈善法 §55 for investment); a call may add categories. A voucher that cannot be paid is refused; one that a person should look at
(over its line, a suspicious word) is only marked: a machine that refuses on a word refuses honest people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from grants.money import ZERO, NotMoney, exact, percent_text, total, yuan
from grants.sentences import marked as _


class Nature(StrEnum):
    """不得列支事项: what an expense is, where that bars it."""

    FIXED_ASSETS = "fixed_assets"
    INFRASTRUCTURE = "infrastructure"
    CASH_OR_GIFTS = "cash_or_gifts"
    HOSPITALITY = "hospitality"
    TRAVEL_ABROAD = "travel_abroad"
    VEHICLES = "vehicles"
    BONUSES = "bonuses"
    FINES = "fines"
    DEBTS = "debts"
    ALCOHOL_TOBACCO = "alcohol_tobacco"
    INVESTMENT = "investment"
    FOR_PROFIT = "for_profit"
    UNRELATED_WAGES = "unrelated_wages"

    @property
    def zh(self) -> str:
        """The Chinese term."""
        return _NATURES[self][0]


_NATURES: Final[Mapping[Nature, tuple[str, tuple[str, ...]]]] = {
    Nature.FIXED_ASSETS: ("购置固定资产", ("空调", "汽车", "房产")),
    Nature.INFRASTRUCTURE: ("基础设施建设、装修", ("装修", "修缮", "土建")),
    Nature.CASH_OR_GIFTS: ("直接发放现金、慰问品", ("慰问金", "慰问品", "红包", "购物卡", "礼品卡")),
    Nature.HOSPITALITY: ("公务接待、宴请", ("招待", "宴请", "接待费")),
    Nature.TRAVEL_ABROAD: ("出国（境）费用", ("出国", "出境", "签证")),
    Nature.VEHICLES: ("车辆购置、运行", ("购车", "车辆保险", "违章")),
    Nature.BONUSES: ("奖金、福利", ("奖金", "福利费", "年终奖")),
    Nature.FINES: ("罚款、滞纳金、违约金", ("罚款", "滞纳金", "违约金")),
    Nature.DEBTS: ("偿还债务、利息", ("还款", "利息", "借款")),
    Nature.ALCOHOL_TOBACCO: ("烟酒", ("香烟", "白酒", "红酒", "啤酒", "烟酒")),
    Nature.INVESTMENT: ("投资、理财、借出", ("理财", "股票", "投资款")),
    Nature.FOR_PROFIT: ("营利性活动", ("分红", "股权")),
    Nature.UNRELATED_WAGES: ("与项目无关的人员工资", ()),
}
"""Term, and words in a description that call for a second look."""

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "amount": (_("金额有误：%(detail)s。"), _("按“元”填写大于 0、最多两位小数的金额。")),
    "line": (_("“%(line)s”不是核定预算中的费用行。"), _("从核定预算中选择费用行，或先申请预算变更。")),
    "banned_category": (_("“%(line)s”所属类别不得由资助资金列支。"), _("改由自筹配套资金列支。")),
    "nature": (_("“%(what)s”属于“%(nature)s”，资助资金不得列支。"), _("改由自筹配套资金或本单位其他资金列支。")),
    "before": (_("票据日期 %(day)s 早于项目开始日 %(start)s。"), _("协议生效前的支出不得列支，请改由自筹资金列支。")),
    "after": (_("票据日期 %(day)s 晚于项目截止日 %(end)s。"), _("项目期外的支出不得列支；确需延期的，请先申请变更。")),
    "title": (_("票据抬头“%(title)s”不是项目执行单位或其托管组织。"), _("请向收款方换开抬头为“%(expected)s”的票据。")),
    "duplicate": (_("票据号码“%(voucher)s”已经列支过。"), _("同一票据不得重复列支，请核对。")),
    "no_voucher": (_("没有票据号码。"), _("填写发票或收据号码；志愿者补贴填写签领表编号。")),
    "over_line": (
        _("“%(line)s”累计支出 %(spent)s，超过核定 %(agreed)s，超出 %(over)s。"),
        _("超出部分不计入核定支出；如需调整，请申请预算变更。"),
    ),
    "suspicious": (_("“%(what)s”中的“%(word)s”疑似“%(nature)s”，请复核。"), _("确属项目用途的，请补充说明。")),
}


@dataclass(frozen=True)
class AgreedBudget:
    """What may be spent: line code → agreed 元; codes that may not be paid; the project's first and last day; invoice titles."""

    lines: Mapping[str, Decimal]
    starts_on: date
    ends_on: date
    titles: tuple[str, ...] = ()
    banned_lines: frozenset[str] = frozenset()
    banned_natures: frozenset[Nature] = field(default_factory=lambda: frozenset(Nature))


@dataclass(frozen=True)
class Expense:
    """One voucher: line code, what for, 元, day on the voucher, its number and title, and its nature where it has a barred one."""

    line: str
    what: str
    amount: Decimal
    day: date
    voucher: str
    title: str = ""
    nature: Nature | None = None


@dataclass(frozen=True)
class Remark:
    """A refusal or a warning: stable rule, sentence, way out."""

    rule: str
    sentence: str
    way_out: str


@dataclass(frozen=True)
class Verdict:
    """What stands against an expense. It may be booked when nothing refuses it."""

    refusals: tuple[Remark, ...]
    warnings: tuple[Remark, ...]

    @property
    def is_eligible(self) -> bool:
        """Whether nothing refuses it."""
        return not self.refusals


def check(expense: Expense, budget: AgreedBudget, *, spent: Decimal = ZERO, vouchers: Iterable[str] = ()) -> Verdict:
    """Check one grant expense. spent: 元 already booked on its line; vouchers: numbers already booked for this project or another."""
    refusals = [*_amount(expense), *_kind(expense, budget), *_when(expense, budget), *_voucher(expense, budget, vouchers)]
    return Verdict(tuple(refusals), (*_over(expense, budget, spent), *_words(expense)))


def _remark(rule: str, **figures: object) -> Remark:
    sentence, way_out = SENTENCES[rule]
    return Remark(rule, sentence % figures, way_out % figures)


def _amount(expense: Expense) -> list[Remark]:
    try:
        positive = exact(expense.amount) > 0
    except NotMoney as error:
        return [_remark("amount", detail=error.sentence)]
    return [] if positive else [_remark("amount", detail=f"{yuan(expense.amount)} 不大于 0")]


def _kind(expense: Expense, budget: AgreedBudget) -> list[Remark]:
    remarks: list[Remark] = []
    if expense.line not in budget.lines:
        remarks.append(_remark("line", line=expense.line))
    if expense.line in budget.banned_lines:
        remarks.append(_remark("banned_category", line=expense.line))
    if expense.nature is not None and expense.nature in budget.banned_natures:
        remarks.append(_remark("nature", what=expense.what, nature=expense.nature.zh))
    return remarks


def _when(expense: Expense, budget: AgreedBudget) -> list[Remark]:
    if expense.day < budget.starts_on:
        return [_remark("before", day=expense.day.isoformat(), start=budget.starts_on.isoformat())]
    if expense.day > budget.ends_on:
        return [_remark("after", day=expense.day.isoformat(), end=budget.ends_on.isoformat())]
    return []


def _voucher(expense: Expense, budget: AgreedBudget, vouchers: Iterable[str]) -> list[Remark]:
    remarks: list[Remark] = []
    if not expense.voucher.strip():
        remarks.append(_remark("no_voucher"))
    elif expense.voucher.strip() in {v.strip() for v in vouchers}:
        remarks.append(_remark("duplicate", voucher=expense.voucher))
    if budget.titles and expense.title and expense.title not in budget.titles:
        remarks.append(_remark("title", title=expense.title, expected=budget.titles[0]))
    return remarks


def _over(expense: Expense, budget: AgreedBudget, spent: Decimal) -> list[Remark]:
    agreed = budget.lines.get(expense.line)
    if agreed is None or spent + expense.amount <= agreed:
        return []
    after = spent + expense.amount
    return [_remark("over_line", line=expense.line, spent=yuan(after), agreed=yuan(agreed), over=yuan(after - agreed))]


def _words(expense: Expense) -> list[Remark]:
    if expense.nature is not None:
        return []
    return [
        _remark("suspicious", what=expense.what, word=word, nature=nature.zh)
        for nature, (_, words) in _NATURES.items()
        for word in words
        if word in expense.what
    ]


# --- changes of the agreed budget ----------------------------------------------------------------------------------------


class Decider(StrEnum):
    """Who decides a change: nobody (it is recorded), the operator, or the agency; or it may not be made at all."""

    RECORD = "record"
    OPERATOR = "operator"
    AGENCY = "agency"
    NOBODY = "nobody"


CHANGE_SENTENCES: Final[Mapping[str, str]] = {
    "record": _("预算行最大变动 %(percent)s（“%(line)s”），不超过 %(limit)s，备案即可。"),
    "operator": _("预算行最大变动 %(percent)s（“%(line)s”），超过 %(lower)s、不超过 %(limit)s，由承办方批准。"),
    "agency": _("预算行最大变动 %(percent)s（“%(line)s”），超过 %(limit)s，须经主办方批准后执行。"),
    "substance": _("变更涉及%(what)s，须经主办方批准后执行。"),
    "none": _("预算没有变动。"),
    "raised": _("变更后总额 %(after)s 高于核定总额 %(before)s；变更不得增加资助总额。"),
    "negative": _("变更后“%(line)s”为 %(after)s，不能为负。"),
    "extensions": _("已延期 %(made)d 次，达到 %(limit)d 次的上限，不能再延期。"),
    "months": _("申请延期 %(months)d 个月，超过单次 %(limit)d 个月的上限。"),
}


@dataclass(frozen=True)
class ChangeLimits:
    """Thresholds in per cent of a line, as the rules of a call give them, and the limits of extensions."""

    record_up_to: Decimal = Decimal(10)
    operator_up_to: Decimal = Decimal(20)
    extensions_max: int = 1
    extension_months: int = 3


@dataclass(frozen=True)
class Change:
    """A proposed change: lines (name → 元) before and after, what else changes (人群、目标、期限、负责人…), months of extension."""

    before: Mapping[str, Decimal]
    after: Mapping[str, Decimal]
    substance: Sequence[str] = ()
    extension_months: int = 0
    extensions_made: int = 0


@dataclass(frozen=True)
class Route:
    """Who decides; the largest movement of a line in per cent (None: a line is new or the budget is untouched); the sentence."""

    decider: Decider
    percent: Decimal | None
    sentence: str


def route(change: Change, limits: ChangeLimits) -> Route:
    """Who decides a change. A line's movement is measured against its own agreed amount; a new line goes to the agency.

    Exactly at a threshold still belongs to the lower decider. The total never rises (it may fall).
    """
    if refusal := _not_allowed(change, limits):
        return Route(Decider.NOBODY, None, refusal)
    line, percent = _largest(change)
    if change.substance or change.extension_months:
        what = [*change.substance, *(["延期"] if change.extension_months else [])]
        return Route(Decider.AGENCY, percent, CHANGE_SENTENCES["substance"] % {"what": "、".join(what)})
    if not line:
        return Route(Decider.RECORD, None, CHANGE_SENTENCES["none"])
    decider, limit = _threshold(percent, limits)
    shown = percent_text(percent) if percent is not None else "（新增费用行）"
    words = {"percent": shown, "line": line, "limit": percent_text(limit), "lower": percent_text(limits.record_up_to)}
    return Route(decider, percent, CHANGE_SENTENCES[decider.value] % words)


def _threshold(percent: Decimal | None, limits: ChangeLimits) -> tuple[Decider, Decimal]:
    if percent is None or percent > limits.operator_up_to:
        return Decider.AGENCY, limits.operator_up_to
    if percent > limits.record_up_to:
        return Decider.OPERATOR, limits.operator_up_to
    return Decider.RECORD, limits.record_up_to


def _not_allowed(change: Change, limits: ChangeLimits) -> str:
    for line, amount in sorted(change.after.items()):
        if exact(amount) < 0:
            return CHANGE_SENTENCES["negative"] % {"line": line, "after": yuan(amount)}
    before, after = total(list(change.before.values())), total(list(change.after.values()))
    if after > before:
        return CHANGE_SENTENCES["raised"] % {"before": yuan(before), "after": yuan(after)}
    if change.extension_months and change.extensions_made >= limits.extensions_max:
        return CHANGE_SENTENCES["extensions"] % {"made": change.extensions_made, "limit": limits.extensions_max}
    if change.extension_months > limits.extension_months:
        return CHANGE_SENTENCES["months"] % {"months": change.extension_months, "limit": limits.extension_months}
    return ""


def _largest(change: Change) -> tuple[str, Decimal | None]:
    """The line that moves most and by how many per cent; a new line (percent None) before all; ("", None) when nothing moves."""
    moved: list[tuple[Decimal, str]] = []
    for line in sorted({*change.before, *change.after}):
        old, new = change.before.get(line, ZERO), change.after.get(line, ZERO)
        if old == new:
            continue
        if old <= 0:
            return line, None
        moved.append((abs(new - old) * 100 / old, line))
    if not moved:
        return "", None
    percent, line = max(moved, key=lambda m: (m[0], m[1]))
    return line, percent
