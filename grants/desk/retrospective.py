"""一轮征集的回顾: how long each stage took, where bids ended, how far experts were apart, who got the money — from the record, typed by nobody.

For the next round's rules, and for the auditor. A fixed number of queries; nothing here is stored.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from bidding.models import Bid
from grants.awards.board_figures import dots
from grants.awards.models import Award, Contract, Decision, Objection
from grants.calls.models import Call
from grants.desk.overdue import readable
from grants.desk.round_figures import Spell, evenness, gini, median, share, spell, top_share
from grants.funding.models import Tranche
from grants.ledger.models import AuditEvent
from grants.money import ZERO, yuan
from grants.people.watching import watched
from grants.web.charts import bars
from review.models import Panel, Result

LIVE = ("confirmed", "active", "closed", "terminated")
EVENNESS = {
    "even": gettext_lazy("各单位所得相近"), "leaning": gettext_lazy("有所集中"), "concentrated": gettext_lazy("集中在少数单位"),
    "unknown": gettext_lazy("项目太少，不作判断"),
}  # fmt: skip


@dataclass(frozen=True)
class Round:
    """The rows of one call, read once."""

    call: Call
    bids: list[Bid]
    results: list[Result]
    decisions: list[Decision]
    awards: list[Award]
    tranches: list[Tranche]

    @classmethod
    def of(cls, call: Call) -> Round:
        return cls(
            call,
            list(Bid.objects.filter(call=call).select_related("organisation")),
            list(Result.objects.filter(panel__call=call, panel__state__in=("scored", "concluded")).select_related("panel")),
            list(Decision.objects.filter(call=call)),
            list(Award.objects.filter(call=call).select_related("bid__organisation", "bid__decision")),
            list(Tranche.objects.filter(award__call=call)),
        )


def looked_back(call: Call) -> dict[str, Any]:
    """Everything the page shows, in words and figures."""
    found = Round.of(call)
    return {
        "times": cycle_times(found), "funnel": funnel(found), "ends": ends(found), "spread": spread(found), "newcomers": newcomers(found),
        "money": concentration(found), "fields": by_field(found), "places": by_place(found), "paying": on_time(found.tranches),
    }  # fmt: skip


# --- how long -----------------------------------------------------------------------------------------------------------------


def cycle_times(found: Round) -> list[tuple[str, Spell]]:
    """Stage by stage: number of cases, median and longest, in days."""
    call = found.call
    screened = _screened(call)
    contracts = {c.award_id: c for c in Contract.objects.filter(award__call=call)}
    panels = Panel.objects.filter(call=call, concluded_at__isnull=False).values_list("concluded_at", flat=True)
    objections = Objection.objects.filter(call=call, replied_at__isnull=False).values_list("created_at", "replied_at")
    decided = [(a.bid.decision.made_at, a.confirmed_at) for a in found.awards if getattr(a.bid, "decision", None)]
    signed = [(a.confirmed_at, contracts[a.pk].effective_at) for a in found.awards if a.pk in contracts]
    return [
        (_("截止 → 资格审查结论"), spell([(call.closes_at, at) for at in screened.values()])),
        (_("截止 → 评审报告"), spell([(call.closes_at, at) for at in panels])),
        (_("拟定 → 确认立项"), spell(decided)),
        (_("确认立项 → 协议生效"), spell(signed)),
        (_("申请拨款 → 付款"), spell([(t.requested_at, t.paid_at) for t in found.tranches])),
        (_("提出异议 → 书面答复"), spell(list(objections))),
    ]


def _screened(call: Call) -> dict[str, datetime]:
    """Bid → when it was admitted or rejected, from the ledger."""
    rows = AuditEvent.objects.filter(scope=call.subject, event__in=("bid.admit", "bid.reject")).order_by("id")
    return dict(rows.values_list("subject", "at"))


# --- where bids ended ---------------------------------------------------------------------------------------------------------


def funnel(found: Round) -> list[tuple[str, int]]:
    """How many were left after each stage."""
    states = Counter(b.state for b in found.bids)
    awards = Counter(a.state for a in found.awards)
    return [
        (_("开始填写"), len(found.bids)),
        (_("提交"), sum(bool(b.number) and b.state != "withdrawn" for b in found.bids)),
        (_("通过资格审查"), states["admitted"]),
        (_("达到及格线"), sum(r.passed for r in found.results)),
        (_("拟立项"), sum(d.awarded for d in found.decisions)),
        (_("确认立项"), sum(awards[s] for s in LIVE)),
        (_("结项"), awards["closed"]),
    ]


def ends(found: Round) -> list[tuple[str, int]]:
    """Why the others did not go on; only reasons that occurred, the most frequent first."""
    states = Counter(b.state for b in found.bids)
    rules = Counter(d.rule for d in found.decisions if not d.awarded)
    awards = Counter(a.state for a in found.awards)
    money = sum(rules[r] for r in ("pool", "source", "ceiling", "stopped", "places", "awards_max"))
    rows = [
        (_("没有提交"), states["draft"] + states["lapsed"]), (_("自己撤回"), states["withdrawn"]), (_("不予受理"), states["rejected"]),
        (_("低于及格线"), rules["below_line"] + rules["unranked"]), (_("额度不足"), money), (_("达到每单位上限"), rules["organisation"]),
        (_("取消立项"), awards["cancelled"]), (_("中途终止"), awards["terminated"]),
    ]  # fmt: skip
    return sorted([row for row in rows if row[1]], key=lambda row: -row[1])


# --- experts ------------------------------------------------------------------------------------------------------------------


def spread(found: Round) -> dict[str, Any]:
    """How far the highest and lowest ballot of one bid were apart: median and largest, and how many bids exceed the call's alarm."""
    ranges = []
    for result in found.results:
        totals = [d.total for d in dots(result.explanation)]
        if len(totals) > 1:
            ranges.append(max(totals) - min(totals))
    alarm = Decimal(found.call.rules.review.deviation_alarm)
    return {"n": len(ranges), "median": median(ranges) if ranges else None, "largest": max(ranges, default=None),
            "over": sum(r > alarm for r in ranges), "alarm": alarm}  # fmt: skip


# --- who ----------------------------------------------------------------------------------------------------------------------


def newcomers(found: Round) -> dict[str, Any]:
    """Organisations that handed in a bid here and in no call that closed earlier; how many of them were funded."""
    here = {b.organisation_id for b in found.bids if b.number}
    earlier = Bid.objects.filter(organisation__in=here, call__closes_at__lt=found.call.closes_at).exclude(number="").exclude(call=found.call)
    known = set(earlier.values_list("organisation_id", flat=True))
    new, funded = here - known, {a.bid.organisation_id for a in found.awards if a.state in LIVE}
    return {"all": len(here), "new": len(new), "share": share(len(new), len(here)), "funded": len(new & funded)}


def concentration(found: Round) -> dict[str, Any]:
    """How the money is spread over organisations: number, sum, share of the five largest, Gini and what it says."""
    sums: defaultdict[Any, Decimal] = defaultdict(Decimal)
    for award in found.awards:
        if award.state in LIVE:
            sums[award.bid.organisation_id] += award.amount
    amounts = list(sums.values())
    value = gini(amounts)
    return {"n": len(amounts), "sum": sum(amounts, ZERO), "top": top_share(amounts), "gini": value, "words": EVENNESS[evenness(value)]}


@dataclass(frozen=True)
class Group:
    """One field or place: bids handed in, awards that stand, their 元."""

    name: str
    bids: int
    awards: int
    amount: Decimal


def by_field(found: Round) -> list[Group]:
    """Every field the call names, those nobody bid for too: an empty row is next round's call."""
    names = {c.code: c.name for c in found.call.rules.categories}
    rows = {code: _group(name, found, lambda b, code=code: b.category == code) for code, name in names.items()}
    return list(rows.values())


def by_place(found: Round) -> list[Group]:
    """By where the applicant is registered, most money first."""
    places = dict.fromkeys(b.organisation.district or _("未填写") for b in found.bids if b.number)
    rows = [_group(p, found, lambda b, p=p: (b.organisation.district or _("未填写")) == p) for p in places]
    return sorted(rows, key=lambda g: (-g.amount, -g.bids, g.name))


def _group(name: str, found: Round, belongs: Any) -> Group:
    mine = [a for a in found.awards if a.state in LIVE and belongs(a.bid)]
    return Group(name, sum(bool(b.number) and belongs(b) for b in found.bids), len(mine), sum((a.amount for a in mine), ZERO))


def on_time(tranches: Iterable[Tranche]) -> dict[str, Any]:
    """Paid tranches, and how many of them within the promised period."""
    paid = [t for t in tranches if t.paid_at and t.due_at]
    prompt = sum(t.paid_at < t.due_at for t in paid)  # type: ignore[operator]
    return {"paid": len(paid), "prompt": prompt, "share": share(prompt, len(paid))}


# --- the page -----------------------------------------------------------------------------------------------------------------


@login_required
@require_GET
def page(request: HttpRequest, pk: Any) -> HttpResponse:
    """回顾 of one call, for those who read its files."""
    call = get_object_or_404(readable(request.user).select_related("rules_version", "agency"), pk=pk)
    watched(request.user, call, "read", "retrospective")
    if call.state not in ("closed", "decided", "archived"):
        return render(request, "desk/retrospective.html", {"call": call, "early": True})
    context = looked_back(call)
    charts = {
        "funnel_chart": bars("funnel", _("每一关之后还剩多少份"), context["funnel"], heads=(_("关口"), _("份数"))),
        "ends_chart": bars("ends", _("没有走到底的，停在哪里"), context["ends"], heads=(_("原因"), _("份数"))) if context["ends"] else None,
        "field_chart": bars("fields", _("各领域的资助金额"), [(g.name, g.amount) for g in context["fields"]], heads=(_("领域"), _("金额")), show=yuan)
        if context["fields"] else None,
    }  # fmt: skip
    return render(request, "desk/retrospective.html", {"call": call, **context, **charts})
