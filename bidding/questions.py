"""看全部问题: a call's whole application form as plain words, for the public page, the Word document and the PDF alike.

Reads the rules alone, so it is the same before the call opens, for a visitor, and for whoever downloads it. Numbers stand where a
person fills in: 1.2 is the second question of the first section.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from grants.calls.rulebook.form import DEFAULT_CHARS, DEFAULT_ROWS
from grants.calls.rulebook.parts.form import FieldKind
from grants.documents.writing import percent, yuan

if TYPE_CHECKING:
    from grants.calls.rulebook.model import CallRules

FEW_ROWS, MOST_ROWS = 3, 8


@dataclass(frozen=True)
class Asked:
    """One question. wants: kind, limit, whether it must be answered; columns: (label, wants) of a table; rows: how many to print."""

    number: str
    code: str
    kind: str
    label: str
    wants: str
    help: str = ""
    options: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    rows: int = 0
    lines: int = 1
    required: bool = True


@dataclass(frozen=True)
class Group:
    """A section of the form."""

    number: int
    title: str
    help: str
    questions: tuple[Asked, ...]


@dataclass(frozen=True)
class Fact:
    """A line of a list: what it is, and what applies to it."""

    name: str
    wants: str
    note: str = ""


def groups(rules: CallRules) -> list[Group]:
    """Every section with its questions, in the form's order."""
    return [
        Group(n, s.title, s.help, tuple(_asked(f"{n}.{i}", f, rules) for i, f in enumerate(s.fields, 1)))
        for n, s in enumerate(rules.forms.application, 1)
    ]


def _asked(number: str, field: Any, rules: CallRules) -> Asked:
    table = field.kind is FieldKind.TABLE
    return Asked(
        number=number,
        code=field.code,
        kind=str(field.kind),
        label=field.label,
        wants="，".join(_wants(field, rules)),
        help=field.help,
        options=tuple(field.options),
        columns=tuple((c.label, _column(c)) for c in field.columns),
        rows=min(max(field.min_rows, FEW_ROWS), field.max_rows or DEFAULT_ROWS, MOST_ROWS) if table else 0,
        lines=_lines(field),
        required=field.required,
    )


def _wants(field: Any, rules: CallRules) -> list[str]:
    found = [field.kind.zh, _("必填") if field.required else _("选填")]
    if field.kind in DEFAULT_CHARS and field.max_chars:
        found.append(_("不超过 %(n)d 字") % {"n": field.max_chars})
    if field.minimum is not None:
        found.append(_("不小于 %(n)s") % {"n": plain(field.minimum)})
    if field.maximum is not None:
        found.append(_("不大于 %(n)s") % {"n": plain(field.maximum)})
    if field.kind is FieldKind.TABLE:
        found.append(_rows(field))
    if field.kpi:
        found.append(_("同时作为承诺的指标"))
    if field.attachment:
        found.append(next((a.name for a in rules.attachments if a.code == field.attachment), ""))
    return [each for each in found if each]


def _rows(field: Any) -> str:
    if field.min_rows:
        return _("%(least)d 至 %(most)d 行") % {"least": field.min_rows, "most": field.max_rows or DEFAULT_ROWS}
    return _("最多 %(most)d 行") % {"most": field.max_rows or DEFAULT_ROWS}


def _column(column: Any) -> str:
    return f"{column.kind.zh}" if column.required else _("%(kind)s，选填") % {"kind": column.kind.zh}


def _lines(field: Any) -> int:
    """Lines of 38 characters that the longest answer needs on paper, two thirds of them printed."""
    if field.kind is not FieldKind.LONGTEXT:
        return 1
    return min(24, max(3, (field.max_chars or DEFAULT_CHARS[FieldKind.LONGTEXT]) * 2 // (38 * 3) + 1))


def places(rules: CallRules) -> list[Fact]:
    """What is chosen about a bid: field of service, track, need; each with what follows from choosing it (the form's branches)."""
    found = [Fact(_("服务领域"), c.name, _capped(c.cap)) for c in rules.categories]
    for track in rules.tracks:
        kinds = "、".join(k.zh for k in track.kinds)
        found.append(Fact(_("组别"), track.name, "；".join(filter(None, [_("只接受%(kinds)s") % {"kinds": kinds}, _capped(track.cap)]))))
    found += [Fact(_("对应需求"), n.title, "；".join(filter(None, [n.place, _capped(n.cap)]))) for n in rules.needs.items]
    return found


def _capped(cap: Decimal | None) -> str:
    return _("最高 %(amount)s") % {"amount": yuan(cap)} if cap is not None else ""


def money(rules: CallRules) -> list[Fact]:
    """Budget categories with their caps."""
    return [Fact(c.name, _cap(c), c.note) for c in rules.budget.categories]


def _cap(category: Any) -> str:
    if category.banned:
        return _("不得列支")
    caps = [_("不超过申请资助的 %(share)s") % {"share": percent(category.cap_share)}] if category.cap_share is not None else []
    if category.cap_amount is not None:
        caps.append(_("不超过 %(amount)s") % {"amount": yuan(category.cap_amount)})
    return "，".join(caps) or _("不单设上限")


def limits(rules: CallRules) -> list[str]:
    """Limits over the whole budget, as sentences."""
    amounts, found = rules.amounts, []
    found.append(_("申请资助最高 %(amount)s。") % {"amount": yuan(amounts.cap)})
    if amounts.floor is not None:
        found.append(_("申请资助最低 %(amount)s。") % {"amount": yuan(amounts.floor)})
    if amounts.cap_share is not None:
        found.append(_("申请资助不超过项目总预算的 %(share)s。") % {"share": percent(amounts.cap_share)})
    if amounts.match_share is not None:
        found.append(_("配套不少于项目总预算的 %(share)s。") % {"share": percent(amounts.match_share)})
    if amounts.in_kind_share is not None:
        found.append(_("实物折价不超过配套的 %(share)s。") % {"share": percent(amounts.in_kind_share)})
    if rules.budget.max_lines:
        found.append(_("预算最多 %(n)d 行。") % {"n": rules.budget.max_lines})
    if rules.budget.banned:
        found.append(_("任何类别都不得列支：%(what)s。") % {"what": "、".join(rules.budget.banned)})
    return [*found, *(rule.message for rule in rules.budget.rules)]


def figures(rules: CallRules) -> list[Fact]:
    """Indicators that a bid must or may promise."""
    return [
        Fact(
            k.name,
            k.measure.zh + "，" + (_("必填") if k.required else _("选填")),
            "" if k.minimum is None else _("不低于 %(n)s") % {"n": plain(k.minimum)},
        )
        for k in rules.outcomes.kpis
    ]


def people(rules: CallRules) -> list[str]:
    """What is asked about the team."""
    found = [_("列出项目成员的姓名和职务（成年人）。")]
    if rules.eligibility.minimum_adults:
        found.append(_("没有法人资格的团队至少 %(n)d 名成年成员。") % {"n": rules.eligibility.minimum_adults})
    if (wanted := rules.eligibility.professionals) is not None:
        sentence = _("至少 %(n)d 名持证专业人员（%(titles)s），督导至少 %(s)d 名，写明证书编号。")
        found.append(sentence % {"n": wanted.at_least, "titles": "、".join(wanted.titles), "s": wanted.supervisors})
    return found


def papers(rules: CallRules) -> list[Fact]:
    """Attachments, also those of later phases: nobody should learn at the closing what had to be kept."""
    return [Fact(a.name, "，".join(_paper(a)), _("只对%(kinds)s") % {"kinds": "、".join(k.zh for k in a.required_for)} if a.required_for else "")
            for a in rules.attachments]  # fmt: skip


def _paper(item: Any) -> list[str]:
    types = "、".join(t.zh for t in item.media_types)
    found = [item.phase.zh, _("必交") if item.required else _("选交"), types, _("每个不超过 %(n)d MB") % {"n": item.max_mb}]
    return [*found, _("须在有效期内")] if item.expires else found


def plain(value: Decimal) -> str:
    """80.00 → 80."""
    return f"{value.normalize():f}"


def everything(rules: CallRules) -> dict[str, Any]:
    """The whole form, as the page and both documents show it."""
    return {
        "groups": groups(rules),
        "places": places(rules),
        "money": money(rules),
        "limits": limits(rules),
        "figures": figures(rules),
        "served": rules.outcomes.beneficiaries,
        "people": people(rules),
        "papers": papers(rules),
        "declarations": rules.forms.declarations,
        "sheets": rules.review.sheets,
    }
