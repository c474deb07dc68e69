"""The package's tables: the auditor's (`grants.desk.audit.tables`) and six more, each with what a program needs to follow a row into the log.

Two columns are added to every table: 对象 is the subject under which the log files the row's story, 状态代码 the state as the log writes it.
Personal data is masked unless the package may hold it: numbers in any text, and the names of people in the columns that hold names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.awards.models import Award
from grants.calls.models import Call
from grants.desk.audit.conflicts import outcome_of
from grants.desk.audit.tables import RECORDS, Records
from grants.people.privacy import masked
from grants.web.cells import Column
from grants.web.masking import mask_name
from review.models import ConflictHit, Mark, OtherScore, Panel, ScoreCorrection

PEOPLE = frozenset({
    "by_name", "requested_by_name", "checked_by_name", "approved_by_name", "ordered_by_name", "verified_by_name", "evaluator_name", "entered_by_name",
    "proposed_by_name", "decided_by_name",
})  # fmt: skip
"""Columns whose text is the name of a person."""
COMPANY = ("公司", "中心", "店", "社", "会", "行", "院", "校", "厂", "所", "站", "超市", "局", "部", "馆")


@dataclass(frozen=True)
class Sheet:
    """One table of a package: its code is its file's name. total_of: names of the columns that are added up."""

    code: str
    name: str
    columns: Sequence[Column]
    rows: QuerySet[Any]
    total_of: Sequence[str]


def _calls() -> Sequence[Column]:
    return (
        Column(_("征集编号"), "code", "code"),
        Column(_("名称"), "title"),
        Column(_("主办方"), "agency.name"),
        Column(_("公布时间"), "published_at", "datetime"),
        Column(_("受理开始"), "opens_at", "datetime"),
        Column(_("受理截止"), "closes_at", "datetime"),
        Column(_("规则版本"), "rules_version.number", "number"),
        Column(_("规则哈希"), "rules_version.hash", "code"),
        Column(_("状态"), "get_state_display", name="state"),
    )


def _awards() -> Sequence[Column]:
    return (
        Column(_("项目编号"), "number", "code"),
        Column(_("申报编号"), "bid.number", "code"),
        Column(_("项目名称"), "bid.title"),
        Column(_("单位"), "bid.organisation.name"),
        Column(_("信用代码/备案号"), "bid.organisation.uscc", "code"),
        Column(_("收款单位"), "payee.name"),
        Column(_("立项金额"), "amount", "money"),
        Column(_("公示编号"), "notice.number", "code"),
        Column(_("确认时间"), "confirmed_at", "datetime"),
        Column(_("开始日期"), "started_on", "date"),
        Column(_("结项日期"), "closed_on", "date"),
        Column(_("状态"), "get_state_display", name="state"),
    )


def _ballots() -> Sequence[Column]:
    return (
        Column(_("申报编号"), "review.bid.number", "code"),
        Column(_("专家代码"), "review.expert.code", "code"),
        Column(_("环节"), "review.stage", "code"),
        Column(_("指标"), "criterion", "code"),
        Column(_("得分"), "value", "number"),
        Column(_("提交时间"), "review.submitted_at", "datetime"),
    )


def _opened(call: Call) -> QuerySet[Any]:
    """Panels whose scores may be read: locked, and not held back by a meeting."""
    from grants.awards.showing.audience import OPENED  # noqa: PLC0415 - reads the review's models

    return Panel.objects.filter(OPENED, call=call)


def opened_marks(call: Call) -> QuerySet[Any]:
    """Marks stand as rows only after the panel's opening; a meeting that holds its result back holds them back too."""
    rows = Mark.objects.filter(review__panel__in=_opened(call), review__state="submitted", review__opened_at__isnull=False)
    return rows.select_related("review__bid", "review__expert")


def _entered() -> Sequence[Column]:
    """The salt opens the commitment that the log names."""
    return (
        Column(_("申报编号"), "bid.number", "code"),
        Column(_("分项"), "component", "code"),
        Column(_("得分"), "value", "number"),
        Column(_("依据"), "basis"),
        Column(_("录入人"), "entered_by.name"),
        Column(_("录入时间"), "entered_at", "datetime"),
        Column(_("随机数"), "salt", "code"),
    )


def entered_scores(call: Call) -> QuerySet[Any]:
    """What was entered beside the ballots, as it counts."""
    return OtherScore.objects.filter(panel__in=_opened(call)).select_related("panel", "bid", "entered_by")


def _corrections() -> Sequence[Column]:
    return (
        Column(_("申报编号"), "score.bid.number", "code", name="bid_number"),
        Column(_("分项"), "score.component", "code", name="component"),
        Column(_("原分数"), "value_before", "number"),
        Column(_("原依据"), "basis_before"),
        Column(_("更正为"), "value", "number"),
        Column(_("新的依据"), "basis"),
        Column(_("更正的理由"), "reason"),
        Column(_("提出人"), "proposed_by.name"),
        Column(_("提出时间"), "created_at", "datetime"),
        Column(_("决定人"), "decided_by.name"),
        Column(_("决定时间"), "decided_at", "datetime"),
        Column(_("不同意的理由"), "decision"),
        Column(_("状态"), "get_state_display", name="state"),
        Column(_("原随机数"), "salt_before", "code"),
        Column(_("随机数"), "salt", "code"),
    )


def score_corrections(call: Call) -> QuerySet[Any]:
    """Every proposal to correct an entered score, whatever became of it."""
    return ScoreCorrection.objects.filter(panel__in=_opened(call)).select_related("score__bid", "proposed_by", "decided_by")


def _conflicts() -> Sequence[Column]:
    """By codes and roles: who was looked at, by which rule, when, what came of it. Neither sentence nor reason: both may name somebody."""
    return (
        Column(_("申报编号"), "bid.number", "code"),
        Column(_("专家代码"), "expert.code", "code"),
        Column(_("条文项次"), lambda hit: int(hit.test.split(":", 1)[0]), "number", name="test"),
        Column(_("情形代码"), "rule", "code"),
        Column(_("仅凭名称"), lambda hit: _("是") if hit.candidate else _("否"), name="name_only"),
        Column(_("来源"), "source", "code"),
        Column(_("查到的时点"), "get_moment_display", name="moment"),
        Column(_("查到时间"), "found_at", "datetime"),
        Column(_("处理"), lambda hit: outcome_of(hit) or _("应当回避"), name="outcome"),
        Column(_("处理时间"), lambda hit: hit.dismissed_at or hit.confirmed_at, "datetime", name="settled_at"),
        Column(_("处理人角色"), "settled_role", "code"),
        Column(_("情形摘要"), "fingerprint", "code"),
    )


def found_conflicts(call: Call) -> QuerySet[Any]:
    """Every finding about a bid of the call, also of experts who were not drawn."""
    return ConflictHit.objects.filter(bid__call=call).select_related("bid", "expert", "panel")


BALLOTS = "ballots"
OWN: Mapping[str, Records] = {
    "calls": Records(gettext_lazy("征集"), lambda c: Call.objects.filter(pk=c.pk).select_related("agency", "rules_version"), _calls, ("code",)),
    "awards": Records(
        gettext_lazy("立项"), lambda c: Award.objects.filter(call=c).select_related("bid__organisation", "bid__sponsor", "notice"), _awards,
        ("number",), ("amount",),
    ),
    "conflicts": Records(gettext_lazy("回避核查"), found_conflicts, _conflicts, ("bid__number", "expert__code", "pk")),
    "entered": Records(gettext_lazy("统一录入的分数"), entered_scores, _entered, ("bid__number", "component", "pk")),
    "corrections": Records(gettext_lazy("分数更正"), score_corrections, _corrections, ("score__bid__number", "score__component", "created_at", "pk")),
    BALLOTS: Records(
        gettext_lazy("评分"), opened_marks, _ballots, ("review__bid__number", "review__expert__code", "review__stage", "criterion")
    ),
}  # fmt: skip
SUBJECTS: Mapping[str, Callable[[Any], str]] = {
    "calls": lambda row: str(row.subject), "bids": lambda row: str(row.subject), "awards": lambda row: str(row.subject),
    "findings": lambda row: f"bid:{row.bid_id}", "decisions": lambda row: f"bid:{row.bid_id}", "contracts": lambda row: str(row.subject),
    "tranches": lambda row: str(row.subject), "orders": lambda row: f"tranche:{row.tranche_id}", "receipts": lambda row: f"tranche:{row.tranche_id}",
    "expenses": lambda row: f"award:{row.award_id}", "evaluations": lambda row: str(row.subject), "objections": lambda row: str(row.subject),
    "entered": lambda row: str(row.panel.subject), "corrections": lambda row: str(row.subject),
    "draws": lambda row: str(row.subject), BALLOTS: lambda row: f"review:{row.review_id}",
    "conflicts": lambda row: str(row.panel.subject) if row.panel is not None else f"bid:{row.bid_id}",
}  # fmt: skip
STATED = frozenset({"calls", "bids", "awards", "contracts", "tranches", "evaluations", "objections", "draws", "corrections"})
"""Tables whose rows have a state of their own, which the log names."""
MORE: Mapping[str, Callable[[], Sequence[Column]]] = {
    "orders": lambda: (Column(_("状态代码"), "status", "code", name="state_code"),),
    "decisions": lambda: (Column(_("评审组"), "panel_id", "code", name="panel"),),
}


def sheets(call: Call, *, ballots: bool, personal: bool) -> list[Sheet]:
    """Every table of the call's package. ballots: with each expert's marks under the expert's code; personal: nothing masked."""
    every = {**OWN, **RECORDS}
    return [_sheet(code, kind, call, personal=personal) for code, kind in every.items() if ballots or code != BALLOTS]


def _sheet(code: str, kind: Records, call: Call, *, personal: bool) -> Sheet:
    shown = [replace(column, url="", tag="", shown=True) for column in kind.columns()]
    columns = shown if personal else [_masked(column) for column in shown]
    more = [Column(_("对象"), SUBJECTS[code], "code", name="subject"), *MORE.get(code, tuple)()]
    if code in STATED:
        more.append(Column(_("状态代码"), "state", "code", name="state_code"))
    return Sheet(code, str(kind.name), [*columns, *more], kind.rows(call).order_by(*kind.order), kind.total_of)


def _masked(column: Column) -> Column:
    """The column with what it holds of persons masked. Codes, amounts and times are nobody's personal data here."""
    if column.kind != "text":
        return column

    def value(row: Any) -> Any:
        found = column.value(row)
        if found in (None, ""):
            return found
        return mask_name(str(found)) if _names_person(column.name, str(found)) else masked(str(found))

    return replace(column, key=value)


def _names_person(name: str, text: str) -> bool:
    """A payee of two to four characters that names no body is most likely a person who was paid a fee."""
    return name in PEOPLE or (name == "payee" and 2 <= len(text) <= 4 and not text.endswith(COMPANY))
