"""A call's tables as an auditor takes them home: whatever the agency decided, promised, paid and found, one row each, gross."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bidding.models import Bid, Finding
from bidding.rules import handed_in
from grants.awards.models import Award, Contract, Decision, Objection
from grants.calls.models import Call
from grants.evaluation.models import Evaluation
from grants.funding.models import Expense, PaymentOrder, Receipt, Tranche
from grants.web.cells import Column
from grants.workflow.refusals import Sentence
from review.models import Draw
from review.transcript import COMMITTED


@dataclass(frozen=True)
class Records:
    """One table of a call: its name, its rows, its columns, and which of them are added up."""

    name: Sentence
    rows: Callable[[Call], QuerySet[Any]]
    columns: Callable[[], Sequence[Column]]
    order: tuple[str, ...]
    total_of: tuple[str, ...] = ()


def _page(kind: str, path: str = "pk") -> Callable[[Any], str]:
    def url(row: Any) -> str:
        for step in path.split("."):
            row = getattr(row, step)
        return reverse("desk:object", args=[kind, row])

    return url


def _bids() -> Sequence[Column]:
    return (
        Column(_("申报编号"), "number", "code", sort="number", url=_page("bid")),
        Column(_("项目名称"), "title", sort="title"),
        Column(_("申报单位"), "organisation.name", sort="organisation__name"),
        Column(_("信用代码/备案号"), "organisation.uscc", "code"),
        Column(_("托管组织"), "sponsor.name"),
        Column(_("服务领域"), "category", sort="category"),
        Column(_("提交时间"), "submitted_at", "datetime", sort="submitted_at"),
        Column(_("补正次数"), "corrections", "number", sort="corrections"),
        Column(_("状态"), "get_state_display", name="state", sort="state", tag="state"),
    )


def _findings() -> Sequence[Column]:
    return (
        Column(_("申报编号"), "bid.number", "code", sort="bid__number", url=_page("bid", "bid_id")),
        Column(_("时点"), "get_moment_display", name="moment", sort="moment"),
        Column(_("规则"), "rule", "code", sort="rule"),
        Column(_("结果"), "get_outcome_display", name="outcome", sort="outcome"),
        Column(_("说明"), "sentence"),
        Column(_("凭证说明"), "evidence_note"),
        Column(_("凭证哈希"), "evidence_file_id", "code", shown=False),
        Column(_("核查时间"), "looked_up_at", "datetime", sort="looked_up_at"),
        Column(_("核查人"), "by.name"),
    )


def _decisions() -> Sequence[Column]:
    return (
        Column(_("名次"), "rank", "number", sort="rank"),
        Column(_("得分"), "score", "number", sort="score"),
        Column(_("申报编号"), "bid.number", "code", sort="bid__number", url=_page("bid", "bid_id")),
        Column(_("项目名称"), "bid.title"),
        Column(_("申报单位"), "bid.organisation.name"),
        Column(_("是否立项"), lambda row: _("是") if row.awarded else _("否"), name="awarded", sort="awarded"),
        Column(_("拟立项金额"), "amount", "money", sort="amount"),
        Column(_("依据规则"), "rule", "code"),
        Column(_("理由"), "reason"),
    )


def _contracts() -> Sequence[Column]:
    return (
        Column(_("协议编号"), "number", "code", sort="number", url=_page("contract")),
        Column(_("项目编号"), "award.number", "code", sort="award__number"),
        Column(_("项目名称"), "award.bid.title"),
        Column(_("单位"), "award.bid.organisation.name"),
        Column(_("协议金额"), "award.amount", "money", name="amount", sort="award__amount"),
        Column(_("乙方签署"), "grantee_signed_at", "datetime"),
        Column(_("生效"), "effective_at", "datetime", sort="effective_at"),
        Column(_("文本哈希"), "text_hash", "code", shown=False),
        Column(_("状态"), "get_state_display", name="state", sort="state", tag="state"),
    )


def _tranches() -> Sequence[Column]:
    return (
        Column(_("项目编号"), "award.number", "code", sort="award__number"),
        Column(_("项目名称"), "award.bid.title"),
        Column(_("期次"), "number", "number", sort="number", url=_page("tranche")),
        Column(_("金额"), "amount", "money", sort="amount"),
        Column(_("应付日"), "due_at", "datetime", sort="due_at"),
        Column(_("申请人"), "requested_by.name"),
        Column(_("核对人"), "checked_by.name"),
        Column(_("批准人"), "approved_by.name"),
        Column(_("付款人"), "ordered_by.name"),
        Column(_("付清时间"), "paid_at", "datetime", sort="paid_at"),
        Column(_("状态"), "get_state_display", name="state", sort="state", tag="state"),
    )


def _orders() -> Sequence[Column]:
    return (
        Column(_("付款单"), "key", "code", sort="key"),
        Column(_("项目编号"), "tranche.award.number", "code", sort="tranche__award__number"),
        Column(_("期次"), "tranche.number", "number"),
        Column(_("收款人"), "payee_name"),
        Column(_("收款账号"), lambda row: f"****{row.payee_account[-4:]}", "code", name="account"),
        Column(_("金额"), "amount", "money", sort="amount"),
        Column(_("批次"), "batch.number", "code"),
        Column(_("银行流水"), "bank_reference", "code"),
        Column(_("对账时间"), "reconciled_at", "datetime", sort="reconciled_at"),
        Column(_("状态"), "get_status_display", name="status", sort="status"),
    )


def _expenses() -> Sequence[Column]:
    return (
        Column(_("项目编号"), "award.number", "code", sort="award__number", url=_page("award", "award_id")),
        Column(_("日期"), "spent_on", "date", sort="spent_on"),
        Column(_("类别"), "category", sort="category"),
        Column(_("用途"), "purpose"),
        Column(_("收款方"), "payee"),
        Column(_("金额"), "amount", "money", sort="amount"),
        Column(_("资金"), "get_money_display", name="money", sort="money"),
        Column(_("凭证号"), "voucher_no", "code"),
        Column(_("凭证哈希"), "voucher_id", "code", shown=False),
        Column(_("不予认可原因"), "disallowed_reason"),
    )


def _receipts() -> Sequence[Column]:
    return (
        Column(_("项目编号"), "tranche.award.number", "code", sort="tranche__award__number"),
        Column(_("期次"), "tranche.number", "number"),
        Column(_("票据种类"), "get_kind_display", name="kind", sort="kind"),
        Column(_("票据号码"), "number", "code", sort="number"),
        Column(_("开票日期"), "issued_on", "date", sort="issued_on"),
        Column(_("金额"), "amount", "money", sort="amount"),
        Column(_("核验人"), "verified_by.name"),
        Column(_("文件哈希"), "file_id", "code", shown=False),
    )


def _evaluations() -> Sequence[Column]:
    return (
        Column(_("项目编号"), "award.number", "code", sort="award__number"),
        Column(_("项目名称"), "award.bid.title"),
        Column(_("阶段"), "get_moment_display", name="moment", sort="moment", url=_page("evaluation")),
        Column(_("报告期限"), "due_at", "datetime", sort="due_at"),
        Column(_("提交时间"), "submitted_at", "datetime", sort="submitted_at"),
        Column(_("评估人"), "evaluator.name"),
        Column(_("得分"), "total", "number", sort="total"),
        Column(_("等级"), "grade_name", sort="grade_name"),
        Column(_("状态"), "get_state_display", name="state", sort="state", tag="state"),
    )


def _objections() -> Sequence[Column]:
    """Who objected stays out of the table: the file of each objection is on its own page."""
    return (
        Column(_("异议编号"), "number", "code", sort="number", url=_page("objection")),
        Column(_("项目编号"), "award.number", "code"),
        Column(_("异议人类别"), "get_objector_kind_display", name="objector_kind", sort="objector_kind"),
        Column(_("答复期限"), "due_at", "datetime", sort="due_at"),
        Column(_("答复时间"), "replied_at", "datetime", sort="replied_at"),
        Column(_("状态"), "get_state_display", name="state", sort="state", tag="state"),
    )


def _vouchers(call: Call) -> list[str]:
    """Project, voucher and row, since two vouchers may bear one number."""
    rows = Expense.objects.filter(award__call=call).values_list("award__number", "voucher_no", "pk")
    return [f"{project}/{voucher}/{row}" for project, voucher, row in rows]


def _under_award(model: Any, *select: str) -> Callable[[Call], QuerySet[Any]]:
    return lambda call: model._base_manager.filter(award__call=call).select_related("award__bid__organisation", *select)


def _draws() -> Sequence[Column]:
    return (
        Column(_("抽取"), "get_about_display", name="about", sort="about", url=_page("draw")),
        Column(_("第几次"), "number", "number", sort="number"),
        Column(_("再次抽取的理由"), "reason"),
        Column(_("抽取方式"), lambda row: _("多方承诺") if row.mode == COMMITTED else _("简易"), name="mode"),
        Column(_("公布时间"), "created_at", "datetime", sort="created_at"),
        Column(_("公布内容 SHA-256"), "announced_sha256", "code", shown=False),
        Column(_("公共随机源"), lambda row: _beacon_of(row.announced), name="beacon"),
        Column(_("产生时间"), "beacon_due", "datetime"),
        Column(_("抽定时间"), "drawn_at", "datetime", sort="drawn_at"),
        Column(_("终止的理由"), "failure"),
        Column(_("状态"), "get_state_display", name="state", sort="state", tag="state"),
    )


def _beacon_of(announced: Any) -> str:
    return f"{announced['beacon']['source']} {announced['beacon']['round']}".strip()


RECORDS: dict[str, Records] = {
    "bids": Records(
        gettext_lazy("申报"), lambda c: Bid.objects.filter(handed_in(), call=c).select_related("organisation", "sponsor"), _bids, ("number",), ("corrections",)
    ),
    "findings": Records(
        gettext_lazy("资格审查"), lambda c: Finding.objects.filter(bid__call=c).select_related("bid", "by"), _findings, ("bid__number", "pk")
    ),
    "draws": Records(gettext_lazy("抽取"), lambda c: Draw.objects.filter(call=c), _draws, ("created_at", "pk")),
    "decisions": Records(
        gettext_lazy("立项决定"),
        lambda c: Decision.objects.filter(call=c).select_related("bid__organisation"), _decisions, ("rank", "pk"), ("amount",),
    ),
    "contracts": Records(gettext_lazy("协议"), _under_award(Contract), _contracts, ("number",)),
    "tranches": Records(
        gettext_lazy("拨款"),
        _under_award(Tranche, "requested_by", "checked_by", "approved_by", "ordered_by"), _tranches, ("award__number", "number"), ("amount",),
    ),
    "orders": Records(
        gettext_lazy("付款单"),
        lambda c: PaymentOrder.objects.filter(tranche__award__call=c).select_related("tranche__award", "batch"), _orders, ("key",), ("amount",),
    ),
    "receipts": Records(
        gettext_lazy("票据"),
        lambda c: Receipt.objects.filter(tranche__award__call=c).select_related("tranche__award", "verified_by"), _receipts,
        ("tranche__award__number", "pk"), ("amount",),
    ),
    "expenses": Records(gettext_lazy("支出"), _under_award(Expense), _expenses, ("award__number", "spent_on", "pk"), ("amount",)),
    "evaluations": Records(gettext_lazy("评估"), _under_award(Evaluation, "evaluator"), _evaluations, ("award__number", "due_at")),
    "objections": Records(
        gettext_lazy("异议"), lambda c: Objection.objects.filter(call=c).select_related("award"), _objections, ("number",)
    ),
}  # fmt: skip
"""Code in the address → table. A call's `contracts` have no total of their own: their amounts are the awards'."""

SAMPLED: dict[str, tuple[Sentence, Callable[[Call], list[str]]]] = {
    "awards": (gettext_lazy("立项项目"), lambda c: list(Award.objects.filter(call=c).values_list("number", flat=True))),
    "bids": (gettext_lazy("申报书"), lambda c: list(Bid.objects.filter(handed_in(), call=c).values_list("number", flat=True))),
    "orders": (gettext_lazy("付款单"), lambda c: list(PaymentOrder.objects.filter(tranche__award__call=c).values_list("key", flat=True))),
    "expenses": (gettext_lazy("支出凭证"), _vouchers),
}
"""What a sample may be drawn from: code → (name, the identifiers an auditor finds the papers by)."""
