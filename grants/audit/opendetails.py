"""What OCDS asks about a call beyond its dates and sums: where the money comes from, by what bids are judged, the steps of each contract.

Everything passes the square's list of public fields and its gate against personal numbers. Chinese literals: open data is Chinese whatever the
reader's language is, and the words are those of the published rules.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from grants import clock
from grants.awards.models import PublicNotice
from grants.calls.models import Call
from grants.calls.rulebook.model import CallRules, Sealing
from grants.calls.rulebook.parts.review import Sheet
from grants.desk.square.whitelist import public
from grants.evaluation.models import Evaluation
from grants.funding.models import Tranche

Json = dict[str, Any]
MOMENTS = {"midterm": "中期评估", "final": "末期评估"}
SECOND = timedelta(seconds=1)


def stamp(moment: datetime) -> str:
    """RFC 3339 with the offset of Beijing, whole seconds."""
    return moment.astimezone(clock.TZ).replace(microsecond=0).isoformat()


def value(amount: Decimal) -> Json:
    """元; two places below 10¹³ survive the way through a JSON number unchanged."""
    return {"amount": float(f"{amount:.2f}"), "currency": "CNY"}


def number(amount: Decimal) -> str:
    """A per cent or points as people write them: 40, 12.5."""
    return f"{amount.normalize():f}"


# --- before bids ------------------------------------------------------------------------------------------------------------------


def planning(call: Call) -> Json:
    """The budget and every source of it."""
    sources = [public("source", {"name": f"{s.name}（{s.kind.zh}）", "amount": s.amount}) for s in call.rules.sources]
    told = "；".join(f"{s['name']} {s['amount']:.2f} 元" for s in sources)
    title = public("call", {"title": call.title})["title"]
    return {"budget": {"id": call.code, "project": title, "description": f"资金来源：{told}", "amount": value(call.rules.pool.total)}}


def judged(call: Call) -> Json:
    """How bids are taken in and judged: method, criteria and weights, who may bid, when questions may be asked."""
    rules, review = call.rules, call.rules.review
    assert call.published_at is not None  # asked for published calls only
    sealed = "密封投标：在申报单位的浏览器里加密，截止后由多名开标人共同打开。" if rules.sealing == Sealing.SEALED else "在线提交。"
    told = public("selection", {
        "method": _method(rules), "criteria": "；".join(_sheet(s) for s in review.sheets) + f"；及格线 {number(review.pass_line)} 分",
        "eligibility": "可以申报的主体：" + "、".join(kind.zh for kind in rules.eligibility.kinds), "submission": sealed,
    })  # fmt: skip
    return {
        "procurementMethodDetails": told["method"], "awardCriteria": "ratedCriteria", "awardCriteriaDetails": told["criteria"],
        "eligibilityCriteria": told["eligibility"], "submissionMethod": ["electronicSubmission"], "submissionMethodDetails": told["submission"],
        "enquiryPeriod": {"startDate": stamp(call.published_at), "endDate": stamp(rules.timetable.questions_until)},
    }  # fmt: skip


def _method(rules: CallRules) -> str:
    stages = "、".join(f"{s.kind.zh} {number(s.weight)}%" for s in rules.review.stages)
    trim = rules.review.trim
    trimmed = f"，达到 {trim.from_ballots} 票时去掉 {trim.high} 个最高分和 {trim.low} 个最低分" if trim.high or trim.low else ""
    panel = f"每份申报由 {rules.review.panel.size} 名专家独立评分{trimmed}"
    return f"公开征集；{stages}；{panel}；{rules.allocation.method.zh}"


def _sheet(sheet: Sheet) -> str:
    return f"{sheet.name}：" + "、".join(f"{c.name} {number(c.weight)} 分" for c in sheet.criteria)


# --- after bids -------------------------------------------------------------------------------------------------------------------


def counted(bidders: int, refused: int) -> Json:
    """How many had bid, and how many of them were admitted. Asked only once everybody may know."""
    told = public("milestone", {"title": "资格审查", "description": f"收到申报 {bidders} 份，受理 {bidders - refused} 份，不予受理 {refused} 份"})
    return {"numberOfTenderers": bidders, "milestones": [{"id": "admission", "type": "assessment", "status": "met", **told}]}


def paper(notice: PublicNotice, url: str) -> Json:
    """A public notice as a document, with the hash under which the log has its text."""
    text = json.dumps(notice.body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))  # as `noticing` hashes it
    title = public("notice", {"title": notice.title})["title"]
    return document(notice.number, "awardNotice", title, url, notice.published_at, hashlib.sha256(text.encode()).hexdigest())


def document(name: str, kind: str, title: str, url: str, at: datetime, sha256: str) -> Json:
    return {
        "id": name, "documentType": kind, "title": title, "description": f"SHA-256 {sha256}", "format": "text/html", "language": "zh",
        "url": url, "datePublished": stamp(at),
    }  # fmt: skip


# --- steps of a contract ------------------------------------------------------------------------------------------------------------


def steps(tranches: Iterable[Tranche], evaluations: Iterable[Evaluation]) -> list[Json]:
    """What a contract in force has before it: each tranche and each evaluation; when it is due, as far as that is public."""
    paying = [_step(f"tranche-{t.number}", "financing", _tranche(t), "notMet" if t.state == "cancelled" else "scheduled") for t in tranches]
    return paying + [_step(f"evaluation-{e.moment}", "assessment", MOMENTS[e.moment], "scheduled", due=e.due_at) for e in evaluations]


def paid(tranche: Tranche) -> Json:
    """The step of a tranche once it is paid: until then its payment clock is between the parties."""
    return _step(f"tranche-{tranche.number}", "financing", _tranche(tranche), "met", due=tranche.due_at, met=tranche.paid_at)


def confirmed(call: Call, evaluation: Evaluation) -> Json:
    """The step of an evaluation once its grade is confirmed."""
    sheet = getattr(call.rules.evaluation, evaluation.moment)
    passed = any(band.passed for band in (sheet.bands if sheet else ()) if band.name == evaluation.grade_name)
    met = evaluation.confirmed_at if passed else None
    title = f"{MOMENTS[evaluation.moment]}：{evaluation.grade_name}" if evaluation.grade_name else MOMENTS[evaluation.moment]
    return _step(f"evaluation-{evaluation.moment}", "assessment", title, "met" if passed else "notMet", due=evaluation.due_at, met=met)


def _tranche(tranche: Tranche) -> str:
    return f"第{tranche.number}期拨款（{number(tranche.percent)}%，{tranche.amount:.2f} 元）"


def _step(name: str, kind: str, title: str, status: str, *, due: datetime | None = None, met: datetime | None = None) -> Json:
    """due: exclusive; the last second is told."""
    told = public("milestone", {"title": title})
    dates = {"dueDate": stamp(due - SECOND) if due else "", "dateMet": stamp(met) if met else ""}
    return {"id": name, "type": kind, "status": status, **told, **{k: v for k, v in dates.items() if v}}
