"""What committee and officers see once a panel is opened, and what only auditors see: everything that shows single experts.

All of it is marked 参考: it decides nothing. Experts stand under their code, and not at all below `FEW` ballots.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from grants.awards import checking
from grants.awards.board import Row
from grants.awards.showing.view import FEW, MOST, Exhibit, View, key_of, plain, said, suffix
from grants.money import ZERO
from grants.web.cells import Column
from grants.web.charts import Chart
from grants.web.plots import Five, boxes, signed
from review.analysis import Analysis
from review.models import Panel
from review.scoring import rounded


def calibrated(view: View) -> Exhibit:
    """校准分: the official score beside the mean and the calibrated score, with how often the bid would be funded."""
    names = {r.bid.number: view.name(r) for r in view.board.rows}
    rows = [b for panel, _rows in view.panels if (a := view.analysis(panel)) is not None for b in sorted(a.bids, key=lambda b: (b.rank is None, b.rank or 0))]
    heads = (
        Column(_("申报"), lambda b: names.get(b.bid, b.bid), "code", "bid"), Column(_("正式名次"), "rank", "number"),
        Column(_("正式得分"), "official", "number"), Column(_("平均分"), "mean", "number"), Column(_("校准分（参考）"), "calibrated", "number"),
        Column(_("校准名次（参考）"), "calibrated_rank", "number"), Column(_("区间起（参考）"), "low", "number"), Column(_("区间止（参考）"), "high", "number"),
        Column(_("获资助的可能（参考）"), "p_funded", "number"),
    )  # fmt: skip
    return Exhibit("calibrated", _("正式得分与校准分（参考）"), heads, rows, note=_("校准分扣除了各位专家松紧不同的影响，只供参考，不改变正式结果。"))


@dataclass(frozen=True)
class Words:
    """A sentence in both languages, as `said` reads it."""

    zh: str
    en: str


def best(view: View) -> Exhibit:
    """与可证明的最优解对照: how far the fund line is from the proven optimum, and which awards differ; stored when the proposal was made."""
    found = [kept for panel, _rows in view.panels if (kept := checking.kept(panel)) is not None]
    heads = (
        Column(_("说明"), lambda r: said(Words(r["sentence_zh"], r["sentence_en"])), name="words"), Column(_("状态"), lambda r: r["status"], name="status"),
        Column(_("相差（%）"), lambda r: None if r["behind"] is None else Decimal(r["behind"]), "number", "behind"),
        Column(_("只在最优解中"), lambda r: "、".join(r["came"]), name="came"),
        Column(_("只在拟立项中"), lambda r: "、".join(r["went"]), name="went"),
    )  # fmt: skip
    note = _("拟立项按规则两轮分配；最优解只作对照，不改变任何决定。没有证明的不显示。")
    return Exhibit("best", _("与可证明的最优解对照（参考）"), heads, found, note=note)


def robust(view: View) -> Exhibit:
    """结果的稳健程度: what, changed a little, would change an award."""
    found = [r for panel, _rows in view.panels if (a := view.analysis(panel)) is not None for r in a.fragile]
    heads = (
        Column(_("改动"), lambda r: said(r.words), name="words"), Column(_("会获资助"), lambda r: "、".join(r.came), name="came"),
        Column(_("会失去资助"), lambda r: "、".join(r.went), name="went"), Column(_("受影响"), "changes", "number"),
    )  # fmt: skip
    note = _("逐一去掉每位专家、把每项权重上下调整一成、换一种平均办法，会改变资助决定的列在这里；没有列出的改动不改变任何决定。")
    return Exhibit("robust", _("结果的稳健程度（参考）"), heads, found, note=note)


# --- auditors -----------------------------------------------------------------------------------------------------------------


def strictness(view: View) -> Exhibit:
    """各位专家的松紧: box plots by expert code, the strictest first."""
    rows, charts, hidden = [], [], 0
    for panel, _rows in view.panels:
        analysis = view.analysis(panel)
        experts = sorted(analysis.experts, key=lambda e: (e.strictness is None, e.strictness or 0, e.expert)) if analysis is not None else []
        enough = [e for e in experts if e.n >= FEW]
        hidden += len(experts) - len(enough)
        rows += enough
        if enough:
            charts.append(_boxes(view, panel, enough))
    fives = (_("最低"), _("下四分位"), _("中位"), _("上四分位"), _("最高"))
    heads = (
        Column(_("专家"), "expert", "code"), Column(_("份数"), "n", "number"), Column(_("松紧（参考）"), "strictness", "number"),
        *(Column(name, _fifth(at), "number", f"five{at}") for at, name in enumerate(fives)),
    )  # fmt: skip
    note = _("从严到宽排列。")
    note += _("另有 %(n)d 位专家评分不足 %(few)d 份，不单独列出。") % {"n": hidden, "few": FEW} if hidden else ""
    return Exhibit("strictness", _("各位专家的松紧"), heads, rows, charts, note)


def _fifth(at: int) -> Callable[[Any], Decimal]:
    return lambda expert: expert.five[at]  # type: ignore[no-any-return]


def _boxes(view: View, panel: Panel, experts: Sequence[Any]) -> Chart:
    heads = (_("专家"), _("份数"), _("最低"), _("下四分位"), _("中位"), _("上四分位"), _("最高"))
    fives = [_five(e) for e in experts]
    words = _("箱为中间一半的评分，粗线为中位数，两端为最低和最高；从严到宽排列。")
    return boxes(key_of("strictness", panel), _("各位专家的松紧") + suffix(panel, view), fives, heads=heads, show=plain, summary=words)


def _five(expert: Any) -> Five:
    low, q1, median, q3, high = expert.five
    return Five(expert.expert, low, q1, median, q3, high, expert.n)


@dataclass(frozen=True)
class Left:
    """What of an expert's total is left when the bid's calibrated score and the expert's strictness are taken out, in points."""

    bid: str
    expert: str
    value: Decimal


def residuals(view: View) -> Exhibit:
    """残差: expert by bid, what neither the bid nor the expert's strictness explains."""
    rows, charts = [], []
    for panel, found in view.panels:
        analysis = view.analysis(panel)
        if analysis is None or not (cells := _residuals(analysis, found)):
            continue
        experts = sorted({expert for _bid, expert in cells})
        rows += [Left(bid, expert, value) for (bid, expert), value in sorted(cells.items())]
        lines = [(r.bid.number, [cells.get((r.bid.number, e)) for e in experts]) for r in found[:MOST]]
        charts.append(signed(
            key_of("residuals", panel), _("残差") + suffix(panel, view), experts, lines, 10, head=_("申报"), show=_signed,
            summary=_("正数为比预期高，负数为比预期低；颜色越深，离预期越远。"),
        ))  # fmt: skip
    heads = (Column(_("申报"), "bid", "code"), Column(_("专家"), "expert", "code"), Column(_("残差（参考）"), "value", "number"))
    return Exhibit("residuals", _("残差：专家对申报（参考）"), heads, rows, charts, _("残差大只说明值得询问，不是违规的证据。"))


def _signed(value: Decimal) -> str:
    """One place with its sign; nought has none."""
    tenths = rounded(value, 1)
    return f"{tenths:+}" if tenths else "0.0"


def _residuals(analysis: Analysis, rows: Sequence[Row]) -> dict[tuple[str, str], Decimal]:
    strict = {e.expert: e.strictness for e in analysis.experts}
    level = {b.bid: b.calibrated for b in analysis.bids}
    found: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        base = level.get(row.bid.number)
        for expert, total in _wholes(row.result.explanation).items():
            off = strict.get(expert)
            if base is not None and off is not None:
                found[row.bid.number, expert] = rounded(total - base - off)
    return found


def _wholes(explanation: Any) -> dict[str, Decimal]:
    """Expert → weighted total over the stages, of those who scored all of them."""
    stages = explanation["stages"]
    found: dict[str, list[Decimal]] = {}
    for stage in stages:
        for ballot in stage["ballots"]:
            found.setdefault(ballot["expert"], []).append(Decimal(ballot["total"]) * Decimal(stage["weight"]) / 100)
    return {expert: sum(parts, ZERO) for expert, parts in found.items() if len(parts) == len(stages)}


@dataclass(frozen=True)
class Changed:
    """A ballot that the panel changed or left out. first: total before the discussion; total: what counts; None where there is none."""

    expert: str
    bid: str
    stage: str
    first: Decimal | None
    total: Decimal | None


def committee(view: View) -> Exhibit:
    """讨论后再评和排除的评分: the first ballot beside the one that counts, and what the committee excluded."""
    found = [changed for _panel, rows in view.panels for row in rows for stage in row.result.explanation["stages"] for changed in _changed(row, stage)]
    heads = (
        Column(_("专家"), "expert", "code"), Column(_("申报"), "bid", "code"), Column(_("环节"), "stage"),
        Column(_("讨论前"), "first", "number"), Column(_("计入"), "total", "number"),
    )  # fmt: skip
    return Exhibit("committee", _("讨论后再评和排除的评分"), heads, found, note=_("没有讨论前一栏的，是评审组排除的评分；理由在评审组的“偏离的评分”页。"))


def _changed(row: Row, stage: Any) -> list[Changed]:
    now = {b["expert"]: Decimal(b["total"]) for b in stage["ballots"]}
    twice = [Changed(code, row.bid.number, stage["name"], Decimal(first), now[code]) for code, first in stage.get("first", {}).items()]
    return twice + [Changed(code, row.bid.number, stage["name"], None, None) for code in stage.get("struck", ())]


def alarms(view: View) -> Exhibit:
    """值得询问的评分."""
    found = [a for panel, _rows in view.panels if (made := view.analysis(panel)) is not None for a in made.alarms]
    heads = (Column(_("专家"), "expert", "code"), Column(_("申报"), "bid", "code"), Column(_("说明"), lambda a: said(a.words), name="words"))
    return Exhibit("alarms", _("值得询问的评分（参考）"), heads, found, note=_("只是提示，不是结论；处理意见由评审组作出。"))
