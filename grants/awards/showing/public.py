"""What everybody sees after publication: budget line, places with their intervals, fields, agreement, marks by criterion.

Of bids that are not in the public notice the public and other bidders see place, score and interval, never a number or a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from grants.awards.board import Row
from grants.awards.progress import category_lines
from grants.awards.showing.view import FEW, MOST, Exhibit, View, key_of, plain, said, suffix
from grants.money import ZERO
from grants.web.cells import Column
from grants.web.charts import Chart
from grants.web.plots import Block, Span, budget_line, caterpillar, columns
from review.analysing import criterion_key
from review.models import Panel

SURE = Decimal("0.900")
"""From this share of draws on a decision is called sure."""


def money_line(view: View) -> Exhibit:
    """预算线: every bid in official order, its grant, its score, the money counted down."""
    rows = view.board.rows
    heads = (
        Column(_("名次"), lambda r: r.result.rank, "number", "place"), Column(_("申报"), view.name, "code", "bid"),
        Column(_("得分"), lambda r: shown_score(view, r), "number", "score"), Column(_("资助金额"), "proposed", "money", "grant"),
        Column(_("累计"), "cumulative", "money", "sum"), Column(_("资金"), _kind, name="kind"),
    )  # fmt: skip
    return Exhibit("budget", _("预算线"), heads, rows, [budget_chart(view)] if rows else [], total_of=("grant",))


def budget_chart(view: View) -> Chart:
    rows = view.board.rows[:MOST]
    blocks = [Block(str(r.result.rank or "—"), view.name(r), shown_score(view, r), r.proposed, r.rule == "awarded_reserved") for r in rows]
    words = _("按名次排列：宽为资助金额，高为得分；斜纹为占用子额度，空心为未资助；虚线为资助总额。")
    heads = (_("名次"), _("申报"), _("得分"), _("资助金额"), _("累计"), _("资金"))
    return budget_line(
        "budget", _("预算线"), blocks, view.board.pool, line=_("资助总额"), heads=heads, kinds=(_("总额度"), _("子额度"), _("未资助")), show=plain,
        exact=lambda amount: f"{amount:,.2f}", summary=words,
    )  # fmt: skip


def _kind(row: Row) -> str:
    return _("未资助") if not row.awarded else _("子额度") if row.rule == "awarded_reserved" else _("总额度")


def shown_score(view: View, row: Row) -> Decimal:
    return row.result.total.quantize(Decimal(1).scaleb(-view.call.rules.review.decimals))


@dataclass(frozen=True)
class Ranked:
    """A bid with its place, interval and how sure its decision is."""

    name: str
    place: int
    first: int | None
    last: int | None
    group: str
    own: bool


def ranks(view: View) -> Exhibit:
    """名次与区间: the official place with the interval in which it would lie under another panel of equal quality."""
    found = [(panel, list(_ranked(view, panel, rows))) for panel, rows in view.panels]
    heads = (
        Column(_("申报"), "name", "code"), Column(_("名次"), "place", "number"), Column(_("区间起（参考）"), "first", "number", "first"),
        Column(_("区间止（参考）"), "last", "number", "last"), Column(_("把握（参考）"), lambda r: str(groups()[r.group]), name="group"),
    )  # fmt: skip
    charts = [caterpillar_of(view, panel, rows) for panel, rows in found if rows]
    waiting = any(view.analysis(panel) is None for panel, _rows in view.panels)
    note = _("参考：如果换一批同样合格的专家，名次有九成可能落在横线之内。参考分析不改变正式结果。")
    return Exhibit("ranks", _("名次与区间"), heads, [r for _p, rows in found for r in rows], charts, _("参考分析还在生成，请稍候。") if waiting else note)


def groups() -> dict[str, str]:
    return {"in": _("资助较有把握"), "between": _("难分高下"), "out": _("不资助较有把握")}


def _ranked(view: View, panel: Panel, rows: Sequence[Row]) -> Iterator[Ranked]:
    analysis = view.analysis(panel)
    views = {b.bid: b for b in analysis.bids} if analysis is not None else {}
    for row in rows:
        seen = views.get(row.bid.number)
        if row.result.rank is None or seen is None or seen.low is None or seen.high is None:
            continue
        sure = seen.p_funded
        group = "between" if sure is None or 1 - SURE < sure < SURE else "in" if sure >= SURE else "out"
        yield Ranked(view.name(row), row.result.rank, seen.low, seen.high, group, row.bid.pk in view.own)


def caterpillar_of(view: View, panel: Panel, rows: Sequence[Ranked]) -> Chart:
    cut = sum(r.awarded for r in view.board.rows if r.result.panel_id == panel.pk)
    spans = [Span(r.name, r.place, r.first or r.place, r.last or r.place, r.group, r.own) for r in rows[:MOST]]
    heads = (_("申报"), _("名次"), _("九成区间（参考）"), _("把握（参考）"))
    words = _("符号为正式名次，横线为九成区间；两条虚线为资助到第 %(n)d 名。") % {"n": cut}
    return caterpillar(
        key_of("ranks", panel), _("名次与区间") + suffix(panel, view), spans, cut, line=_("资助线"), heads=heads, kinds=groups(), summary=words
    )


@dataclass(frozen=True)
class Bin:
    """Marks of one criterion between two bounds, in points."""

    criterion: str
    bounds: str
    count: int


def criteria(view: View) -> Exhibit:
    """各项指标的得分分布: every expert's marks in ten equal steps of the criterion's points."""
    weights = {key: Decimal(c.weight) for s in view.call.rules.review.sheets for c in s.criteria for key in (c.code, criterion_key(s.code, c.code))}
    rows: list[Bin] = []
    charts: list[Chart] = []
    for panel, _rows in view.panels:
        analysis = view.analysis(panel)
        for h in analysis.criteria if analysis is not None and len(analysis.experts) >= FEW else ():
            bins = [(_step(weights.get(h.criterion, Decimal(100)), at), n) for at, n in enumerate(h.counts)]
            rows += [Bin(h.name, bounds, n) for bounds, n in bins]
            mean = _("共 %(n)d 个评分，平均 %(mean)s 分。") % {"n": h.n, "mean": h.mean if h.mean is not None else "—"}
            charts.append(columns(key_of(f"marks-{len(charts)}", panel), h.name + suffix(panel, view), bins, heads=(_("分数"), _("评分个数")), summary=mean))
    heads = (Column(_("指标"), "criterion"), Column(_("分数"), "bounds", "code"), Column(_("评分个数"), "count", "number"))
    return Exhibit("criteria", _("各项指标的得分分布"), heads, rows, charts)


def _step(top: Decimal, at: int) -> str:
    low, high = top * at / 10, top * (at + 1) / 10
    return f"{low.normalize():f}–{high.normalize():f}"


@dataclass
class Field:
    """One field of service. Amounts in 元; floor: its sub-quota."""

    name: str
    asked: Decimal = ZERO
    bids: int = 0
    eligible: int = 0
    floor: Decimal | None = None
    funded: Decimal = ZERO
    awards: int = 0


def categories(view: View) -> Exhibit:
    """各领域: asked, eligible, sub-quota, funded."""
    found = {c["name"]: Field(c["name"], floor=c["quota"]) for c in category_lines(view.call)}
    for row in view.board.rows:
        line = found.setdefault(row.category, Field(row.category))
        line.asked, line.bids, line.eligible = line.asked + row.ask, line.bids + 1, line.eligible + row.result.passed
        line.funded, line.awards = line.funded + row.proposed, line.awards + row.awarded
    heads = (
        Column(_("领域"), "name"), Column(_("申报"), "bids", "number"), Column(_("申请金额"), "asked", "money"),
        Column(_("达到及格线"), "eligible", "number"), Column(_("子额度"), "floor", "money"), Column(_("资助"), "awards", "number"),
        Column(_("资助金额"), "funded", "money"),
    )  # fmt: skip
    return Exhibit("categories", _("各领域"), heads, list(found.values()), total_of=("bids", "asked", "awards", "funded"))


@dataclass(frozen=True)
class Told:
    """One sentence about a panel."""

    panel: str
    sentence: str


def agreement(view: View) -> Exhibit:
    """评审的一致程度: one sentence a panel, and how many decisions another panel would be expected to change."""
    rows = []
    for panel, _rows in view.panels:
        analysis = view.analysis(panel)
        if analysis is None:
            rows.append(Told(panel.name, _("参考分析还在生成，请稍候。")))
            continue
        rows.append(Told(panel.name, said(analysis.reliability_words)))
        if analysis.changing is not None:
            rows.append(Told(panel.name, _("换一组同样合格的专家，预计约有 %(n)s 份申报的决定会改变。") % {"n": analysis.changing.normalize()}))
    note = _("参考：说明名次能信到什么程度，不改变正式结果。")
    return Exhibit("agreement", _("评审的一致程度"), (Column(_("评审组"), "panel"), Column(_("说明"), "sentence")), rows, note=note)
