"""What stands where in the workbook. Column A is hidden and says what a row is, so that people may insert rows and rename sheets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from bidding.models import Bid

FORMAT: Final = "gongchuang-bid-workbook/1"
IDS, LISTS = "_gc", "_lists"
MOST_ROWS, MOST_COLUMNS = 400, 24
"""A sheet may be this large; nothing beyond is read, and somebody is told."""
MOST_BYTES = 2 * 1024 * 1024
JOINT = "、"
ANSWER = 4
"""The column (D) in which a question is answered."""


@dataclass(frozen=True)
class Column:
    """One column of a table. kind: text | money | number | date | choice | several | yesno. choices: code → what people read.

    sums: whether a figure is written as a number that formulas can use; otherwise as text, spelt exactly as it was answered.
    """

    code: str
    label: str
    kind: str = "text"
    choices: Mapping[str, str] | None = None
    width: int = 18
    sums: bool = False


def budget(bid: Bid) -> list[Column]:
    """The budget table; the amount is a formula and is not read."""
    from bidding.models import BudgetLine  # noqa: PLC0415 - layout is imported where models may not be ready

    names = {c.code: f"{c.name}（不得列支）" if c.banned else c.name for c in bid.rules.budget.categories}
    sources = {code: str(label) for code, label in BudgetLine.Source.choices}
    return [
        Column("category", _("费用类别"), "choice", names),
        Column("name", _("用途"), width=30),
        Column("source", _("资金来源"), "choice", sources),
        Column("unit_price", _("单价（元）"), "money", sums=True),
        Column("quantity", _("数量"), "number", width=10, sums=True),
        Column("note", _("测算说明"), width=30),
    ]


def kpis(bid: Bid) -> list[Column]:
    """Indicators; those that a question of the form promises are answered there."""
    from bidding.models import Kpi  # noqa: PLC0415 - as above
    from bidding.services.tables import promised_elsewhere  # noqa: PLC0415

    elsewhere = promised_elsewhere(bid)
    asked = {k.code: k.name for k in bid.rules.outcomes.kpis if k.code not in elsewhere}
    groups = {group: group for group in bid.rules.outcomes.beneficiaries}
    return [
        Column("code", _("指标"), "choice", {"": _("自定指标"), **asked}, 26),
        Column("kind", _("计量（自定指标）"), "choice", {code: str(label) for code, label in Kpi.Kind.choices}),
        Column("name", _("名称（自定指标）"), width=24),
        Column("target", _("目标值"), "number", width=12, sums=True),
        Column("group", _("受益人群"), "choice", groups),
        Column("direct", _("直接受益"), "yesno", width=10),
    ]


def team(bid: Bid) -> list[Column]:
    """The people. Licence numbers are text: a leading zero counts."""
    wanted = bid.rules.eligibility.professionals
    titles = {title: title for title in wanted.titles} if wanted else None
    return [
        Column("name", _("姓名")),
        Column("role", _("项目职务")),
        Column("qualification", _("职业资格"), "choice" if titles else "text", titles),
        Column("licence_no", _("证书编号"), width=24),
        Column("is_supervisor", _("督导"), "yesno", width=10),
    ]


def about(bid: Bid) -> list[Column]:
    """The bid's own particulars, one per row."""
    rules = bid.rules
    found = [Column("title", _("项目名称")), Column("category", _("服务领域"), "choice", {c.code: c.name for c in rules.categories})]
    if rules.tracks:
        found.append(Column("track", _("组别"), "choice", {t.code: t.name for t in rules.tracks}))
    if rules.needs.items:
        found.append(Column("need", _("对应需求"), "choice", {n.code: f"{n.code} {n.title}" for n in rules.needs.items}))
    return found


def of_field(field: Any) -> Column:
    """A question of the form, or a column of one of its tables."""
    kind = {"longtext": "text", "multichoice": "several"}.get(str(field.kind), str(field.kind))
    return Column(field.code, field.label, kind, {o: o for o in field.options} if field.options else None)


TABLES: Final = {"budget": budget, "kpis": kpis, "team": team}
