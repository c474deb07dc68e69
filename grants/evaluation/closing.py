"""结项: the gate that lists what is missing, all at once, each with the way to it. Pure.

The list follows what auditors ask for (domain notes §8) and the tie-out of money; papers are the call's own closing list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from grants.money import ZERO, yuan
from grants.sentences import marked as _

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "final_missing": (_("末期评估尚未完成。"), _("提交末期报告，由评估人评分并确认等级。")),
    "final_failed": (_("末期评估等级“%(grade)s”不合格。"), _("按等级后果整改复评，或终止项目。")),
    "midterm_missing": (_("中期评估尚未完成。"), _("补交中期报告并完成评估。")),
    "tranches_open": (_("还有 %(count)d 期拨款未付清或未取消（第 %(which)s 期）。"), _("付清或取消这些拨款。")),
    "receipts": (_("第 %(which)s 期拨款缺少票据。"), _("上传票据并经核验。")),
    "expenses": (_("还有 %(count)d 笔支出未核验。"), _("逐笔核验凭证，通过或退回。")),
    "surplus_unknown": (_("结余尚未核算。"), _("完成支出核验后核算结余。")),
    "surplus_due": (_("应退结余 %(surplus)s，已退 %(refunded)s，还差 %(left)s。"), _("退回 %(left)s 并登记银行回单。")),
    "objections": (_("还有 %(count)d 件异议未办结。"), _("办结异议并书面答复。")),
    "changes": (_("还有 %(count)d 件变更申请未决定。"), _("批准或退回变更申请。")),
    "rectifications": (_("还有 %(count)d 项整改未完成。"), _("完成整改并经复核。")),
    "audit": (_("审计报告尚未出具。"), _("上传审计报告。")),
    "paper": (_("缺少结项材料“%(name)s”。"), _("上传“%(name)s”。")),
    "satisfaction": (_("受益人满意度 %(value)s%%，低于要求的 %(least)s%%。"), _("补充满意度调查或说明原因，由主办方决定。")),
    "satisfaction_unknown": (_("没有受益人满意度结果。"), _("完成满意度调查并录入结果（政府采购法实施条例§45）。")),
    "match": (_("配套资金实际到位 %(arrived)s，低于约定的 %(promised)s。"), _("补足配套资金的凭证，或按约定扣减资助。")),
}
ENGLISH: Final[Mapping[str, tuple[str, str]]] = {
    "final_missing": ("The final evaluation is not complete.", "Hand in the final report; an evaluator marks it and the grade is confirmed."),
    "final_failed": ("The final grade “%(grade)s” is a fail.", "Rectify and have it evaluated again as the grade asks, or terminate the project."),
    "midterm_missing": ("The mid-term evaluation is not complete.", "Hand in the mid-term report and complete its evaluation."),
    "tranches_open": ("%(count)d tranches are neither paid nor cancelled (no. %(which)s).", "Pay or cancel them."),
    "receipts": ("Receipts are missing for tranche %(which)s.", "Upload them and have them verified."),
    "expenses": ("%(count)d expenses are not verified.", "Verify each voucher, or return it."),
    "surplus_unknown": ("The surplus has not been computed.", "Compute it once expenses are verified."),
    "surplus_due": ("Of a surplus of %(surplus)s, %(refunded)s came back; %(left)s is missing.", "Return %(left)s and record the bank slip."),
    "objections": ("%(count)d objections are not settled.", "Settle them and answer in writing."),
    "changes": ("%(count)d change requests are not decided.", "Approve or refuse them."),
    "rectifications": ("%(count)d rectifications are not complete.", "Complete them and have them checked."),
    "audit": ("The audit report has not been issued.", "Upload it."),
    "paper": ("The closing paper “%(name)s” is missing.", "Upload “%(name)s”."),
    "satisfaction": ("Beneficiaries’ satisfaction is %(value)s%%, below the %(least)s%% asked for.", "Ask again or explain why; the agency decides."),
    "satisfaction_unknown": ("There is no result of beneficiaries’ satisfaction.", "Carry out the survey and enter its result."),
    "match": ("Match money of %(arrived)s arrived, less than the %(promised)s agreed.", "Add vouchers for the match, or the grant is cut as agreed."),
}
"""The same for readers of English; the Chinese sentence is the one that counts."""


@dataclass(frozen=True)
class ClosingItem:
    """One paper of the call's closing list."""

    code: str
    name: str
    required: bool = True


@dataclass(frozen=True)
class ClosingRules:
    """What this call's closing waits for. satisfaction_min in per cent; None: not asked."""

    items: tuple[ClosingItem, ...] = ()
    needs_midterm: bool = False
    needs_final: bool = True
    needs_audit: bool = False
    satisfaction_min: Decimal | None = None


@dataclass(frozen=True)
class ClosingFacts:
    """How the project stands. Amounts in 元; None: not known yet; tranche numbers as printed; papers: codes that are in the file."""

    midterm_done: bool = False
    final_grade: str | None = None
    final_passed: bool = False
    tranches_open: tuple[int, ...] = ()
    tranches_without_receipt: tuple[int, ...] = ()
    expenses_unverified: int = 0
    surplus: Decimal | None = None
    refunded: Decimal = ZERO
    objections_open: int = 0
    changes_open: int = 0
    rectifications_open: int = 0
    audit_issued: bool = False
    satisfaction: Decimal | None = None
    match_promised: Decimal = ZERO
    match_arrived: Decimal = ZERO
    papers: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Missing:
    """One thing that closing waits for: stable rule, what it is about, sentence, way out."""

    rule: str
    about: str
    sentence: str
    way_out: str
    figures: Mapping[str, object] = field(default_factory=dict)

    def english(self) -> str:
        """Sentence and way out for readers of English."""
        sentence, way_out = ENGLISH[self.rule]
        return f"{sentence % self.figures} {way_out % self.figures}"


def missing(facts: ClosingFacts, rules: ClosingRules) -> list[Missing]:
    """Everything closing waits for, in the order a person would work through it; empty: it may be closed."""
    return [*_evaluations(facts, rules), *_money(facts), *_pending(facts), *_satisfaction(facts, rules), *_papers(facts, rules)]


def _missing(rule: str, about: str = "", /, **figures: object) -> Missing:
    sentence, way_out = SENTENCES[rule]
    return Missing(rule, about, sentence % figures, way_out % figures, figures)


def _evaluations(facts: ClosingFacts, rules: ClosingRules) -> Iterator[Missing]:
    if rules.needs_midterm and not facts.midterm_done:
        yield _missing("midterm_missing")
    if rules.needs_final and facts.final_grade is None:
        yield _missing("final_missing")
    if facts.final_grade is not None and not facts.final_passed:
        yield _missing("final_failed", grade=facts.final_grade)
    if rules.needs_audit and not facts.audit_issued:
        yield _missing("audit")


def _money(facts: ClosingFacts) -> Iterator[Missing]:
    if facts.tranches_open:
        yield _missing("tranches_open", count=len(facts.tranches_open), which=_numbers(facts.tranches_open))
    if facts.tranches_without_receipt:
        yield _missing("receipts", which=_numbers(facts.tranches_without_receipt))
    if facts.expenses_unverified:
        yield _missing("expenses", count=facts.expenses_unverified)
    if facts.surplus is None:
        yield _missing("surplus_unknown")
    elif (left := facts.surplus - facts.refunded) > 0:
        yield _missing("surplus_due", surplus=yuan(facts.surplus), refunded=yuan(facts.refunded), left=yuan(left))
    if facts.match_arrived < facts.match_promised:
        yield _missing("match", arrived=yuan(facts.match_arrived), promised=yuan(facts.match_promised))


def _pending(facts: ClosingFacts) -> Iterator[Missing]:
    waiting: Sequence[tuple[str, int]] = (
        ("objections", facts.objections_open),
        ("changes", facts.changes_open),
        ("rectifications", facts.rectifications_open),
    )
    for rule, count in waiting:
        if count:
            yield _missing(rule, count=count)


def _satisfaction(facts: ClosingFacts, rules: ClosingRules) -> Iterator[Missing]:
    if rules.satisfaction_min is None:
        return
    if facts.satisfaction is None:
        yield _missing("satisfaction_unknown")
    elif facts.satisfaction < rules.satisfaction_min:
        yield _missing("satisfaction", value=facts.satisfaction, least=rules.satisfaction_min)


def _papers(facts: ClosingFacts, rules: ClosingRules) -> Iterator[Missing]:
    for item in rules.items:
        if item.required and item.code not in facts.papers:
            yield _missing("paper", item.code, name=item.name)


def _numbers(numbers: Sequence[int]) -> str:
    return "、".join(map(str, sorted(numbers)))
