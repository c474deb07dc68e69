"""评审报告: what `documents/panel_report.html` asks for, from the locked results alone. Chinese whatever the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import translation

from grants import clock
from review.panels import sitting
from review.ranking import TieBy

if TYPE_CHECKING:
    from decimal import Decimal

    from grants.calls.rulebook.model import CallRules
    from review.models import Panel, PanelMember, Result

TIES = {
    TieBy.CRITERION: "“%s”得分高者优先", TieBy.LOWER_ASK: "申请金额低者优先", TieBy.CHAIR: "组长评分高者优先", TieBy.LOT: "公开抽签",
}  # fmt: skip


def report_context(panel: Panel) -> dict[str, Any]:
    """Context of the report: overview, method, ranking, recusals, dissents, signatures. Names experts: never public."""
    with translation.override("zh-hans"):
        return _context(panel)


WIDE = str.maketrans({",": "\uff0c", ";": "\uff1b", ":": "\uff1a", "(": "\uff08", ")": "\uff09"})


def wide(sentence: str) -> str:
    """Full-width punctuation, as official papers have it (GB/T 15834); the screen's sentences are typed half-width."""
    return sentence.translate(WIDE)


def _context(panel: Panel) -> dict[str, Any]:
    call, members = panel.call, sitting(panel)
    concluded = panel.concluded_at or clock.now()
    return {
        "number": report_number(panel),
        "call": call.title,
        "call_number": call.code,
        "panel": panel.name,
        "method": [wide(sentence) for sentence in method(panel.rules)],
        "held_on": _period(panel),
        "place": wide("线上评审系统（各自独立评分）"),
        "ranking": [
            _row(r, panel.rules.review.decimals)
            for r in panel.results.select_related("bid__organisation").order_by("rank", "bid__number")
        ],
        "members": [_member(m) for m in members],
        "recusals": [wide(sentence) for sentence in _recusals(panel)],
        "dissents": [(str(m.expert), m.dissent) for m in members if m.dissent],
        "observer": "",
        "issuer": call.agency.name,
        "issued_on": concluded.astimezone(clock.TZ).date(),
        "digest": panel.result_hash(),
    }


def report_number(panel: Panel) -> str:
    """报告编号: the call's code and which of its panels this is."""
    earlier = panel.call.panels.filter(created_at__lt=panel.created_at).count()
    return f"{panel.call.code}-PS{earlier + 1:02d}"


def method(rules: CallRules) -> list[str]:
    """The rules of arithmetic in sentences, as they stood in the call."""
    review = rules.review
    names = {c.code: c.name for sheet in review.sheets for c in sheet.criteria}
    stages = "、".join(f"{s.kind.zh}占 {_percent(s.weight)}" for s in review.stages)
    return [
        f"每份申报由 {review.panel.size} 名专家独立评分，有效评分不少于 {review.panel.min_ballots} 份；{stages}。",
        _trimming(rules),
        f"总分由{_mix(rules)} 构成，保留 {review.decimals} 位小数，四舍五入。及格线 {review.pass_line} 分，低于及格线的不予立项。",
        "同分时依次按："
        + "、".join(TIES[TieBy(str(t.by))].replace("%s", names.get(t.criterion or "", "")) for t in review.ties)
        + "。",
        (f"评分与本组平均分相差超过 {_percent(review.deviation_alarm)}，或扣除专家宽严后的偏差超过 2.5 个稳健标准差（且不少于 5 分）的，"
        "由评分专家书面说明理由。"),
    ]


def _trimming(rules: CallRules) -> str:
    trim = rules.review.trim
    tiers = trim.tiers or ()
    if not trim.high and not trim.low and not tiers:
        return "得分为全部有效评分的平均分。"
    more = "".join(f"达到 {t.from_ballots} 份的，去掉 {t.high} 个最高分、{t.low} 个最低分；" for t in tiers)
    first = f"有效评分达到 {trim.from_ballots} 份的，去掉 {trim.high} 个最高分、{trim.low} 个最低分（整份评分）"
    return f"{first}；{more}其余取平均；不足 {trim.from_ballots} 份的取全部平均。" if more else f"{first}，其余取平均；不足的取全部平均。"


def _mix(rules: CallRules) -> str:
    mix = rules.review.mix
    parts = [("专家评审", mix.experts), ("居民代表", mix.residents), ("定向认捐", mix.pledges), ("公众投票", mix.public_vote)]
    return "、".join(f"{name} {_percent(weight)}" for name, weight in parts if weight)


def _percent(value: Decimal) -> str:
    return f"{value.normalize():f}%"


def _period(panel: Panel) -> str:
    days = [m for m in panel.reviews.values_list("submitted_at", flat=True) if m is not None] or [panel.created_at]
    first, last = (moment.astimezone(clock.TZ).date() for moment in (min(days), max(days)))
    shown = f"{first.year}年{first.month}月{first.day}日"
    return shown if first == last else f"{shown}至{last.year}年{last.month}月{last.day}日"


def _row(result: Result, decimals: int) -> tuple[Any, ...]:
    decision = "建议立项" if result.passed else "低于及格线"
    return (
        result.rank if result.rank is not None else "—", result.bid.title, result.bid.organisation.name,
        f"{result.total:.{decimals}f}", result.recommended, decision,
    )  # fmt: skip


def _member(member: PanelMember) -> tuple[str, str, str]:
    duty = ("组长·" if member.chair else "") + str(member.get_seat_display())
    signed = "" if member.signed_at is None else f"已于{member.signed_at.astimezone(clock.TZ):%Y-%m-%d %H:%M}在系统确认"
    words = wide("有不同意见，见第五部分；") if member.dissent else wide("无不同意见；")
    return str(member.expert), duty, words + signed if signed else ""


def _recusals(panel: Panel) -> list[str]:
    """Who stepped aside from which bid, and findings dismissed by a second person, by expert code."""
    left = panel.reviews.filter(state__in=("recused", "voided")).select_related("expert", "bid")
    pairs = sorted({(r.bid.number, r.bid.title, r.expert.code, r.get_state_display()) for r in left})
    gone = [f"专家 {code} 对 {number}“{title}”{state}，由候补或其他成员评审。" for number, title, code, state in pairs]
    dismissed = panel.hits.filter(dismissed_by__isnull=False).exclude(candidate=True, confirmed_by=None).select_related("expert", "bid")
    kept = [f"专家 {h.expert.code} 与 {h.bid.number} 的情形经第二人核实不构成回避：{h.dismissal_reason}" for h in dismissed]
    skipped = [f"抽取时专家 {code} 因{why}未入选。" for code, why in sorted((panel.draw.get("conflicted") or {}).items())]
    return skipped + gone + kept
