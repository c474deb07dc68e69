"""时间安排: every date that the call's rules plan for a bid, next to what happened, on one page and as calendar entries.

A planned date is what the rules say, counted from what has already happened; where nothing has happened yet to count from, it is an
estimate and says so. Facts are shown only where their own visibility rule lets this person see them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from icalendar import Calendar, Event

from bidding.rules import belongs_to
from grants import clock
from grants.awards.models import Award, Contract, PublicNotice
from grants.calls.rulebook.parts.timetable import months_after
from grants.clock.calendar import end_of_period
from grants.desk import objects
from grants.evaluation.models import Evaluation
from grants.funding.changing import extended_by
from grants.funding.models import Tranche


@dataclass(frozen=True)
class Step:
    """One planned thing. planned: a Shanghai day, or an instant; how: where it comes from; happened: when it did, and what to read."""

    key: str
    title: str
    planned: date | datetime | None
    how: str = ""
    happened: datetime | date | None = None
    fact: str = ""
    estimate: bool = False


def steps(bid: Any, actor: Any) -> list[Step]:
    """The whole way of one bid, in the order in which it is planned. Eight queries at most."""
    award = Award.visible.filter(Award.objects.filter(bid=bid).select_related("notice"), actor).first()  # type: ignore[attr-defined]
    notice = PublicNotice.objects.filter(call_id=bid.call_id).order_by("published_at").first()
    return [*_bidding(bid), *_deciding(bid, notice), *_contract(bid, award, notice, actor), *_running(bid, award, actor)]


def _bidding(bid: Any) -> list[Step]:
    call, rules = bid.call, bid.rules
    found = [
        Step("opens", _("开始申报"), call.opens_at, _("征集公告"), bid.created_at, _("开始填写")),
        Step("questions", _("提问截止"), call.questions_until, _("征集公告")),
        Step("closes", _("申报截止"), call.closes_at, _("征集公告；到点即止"), bid.submitted_at, _("提交申报书") if bid.submitted_at else ""),
    ]
    if bid.correction_due_at is not None:
        corrected = bid.submitted_at if bid.state != "returned" else None
        found.append(Step("correction", _("补正截止"), bid.correction_due_at, rules.timetable.cure.words(), corrected))
    return found


def _deciding(bid: Any, notice: PublicNotice | None) -> list[Step]:
    times = bid.rules.timetable
    found = [Step("review", _("评审完成"), times.review_by, _("征集公告"), notice.published_at if notice else None)]
    if notice is not None:
        found.append(Step("notice", _("公示结束"), notice.last_day, times.notice.words(), notice.published_at, notice.number))
        if notice.objections_until is not None:
            found.append(Step("objection", _("异议截止"), notice.objections_until, times.objection.words()))
        return found
    ends = _after(times.review_by, times.notice)
    return [*found, Step("notice", _("公示结束"), ends, times.notice.words(), estimate=True)]


def _after(day: date, period: Any) -> date:
    """The last day of a period that begins on `day`."""
    start = datetime(day.year, day.month, day.day, 12, tzinfo=clock.TZ)
    return end_of_period(start, period.amount, period.unit.value, count_first_day=period.count_first_day).last_day


def _contract(bid: Any, award: Award | None, notice: PublicNotice | None, actor: Any) -> list[Step]:
    period = bid.rules.timetable.contract_within
    held = _seen(Contract, award, actor)
    contract = held[0] if held else None
    confirmed = award.confirmed_at if award else None
    start = confirmed.astimezone(clock.TZ).date() if confirmed else notice.last_day if notice else _guess(bid)
    return [
        Step("award", _("立项"), notice.last_day if notice else _guess(bid), _("公示期满且无异议"), confirmed,
             award.number if award and confirmed else "", estimate=notice is None),
        Step("contract", _("签约"), _after(start, period), period.words(), contract.effective_at if contract else None,
             contract.number if contract else "", estimate=confirmed is None),
    ]  # fmt: skip


def _guess(bid: Any) -> date:
    return _after(bid.rules.timetable.review_by, bid.rules.timetable.notice)


def _running(bid: Any, award: Award | None, actor: Any) -> list[Step]:
    """Tranches, reports and the end of the term: what was set once the contract began, else estimates from the rules."""
    rules = bid.rules
    started = award.started_on if award else None
    begin = started or _after(_guess(bid), rules.timetable.contract_within)
    tranches = _seen(Tranche, award, actor)
    paid = [
        Step(f"tranche-{t.number}", _("第 %(n)d 期拨款") % {"n": t.number}, t.due_at, _("拨款时限"), t.paid_at, t.get_state_display())
        for t in sorted(tranches, key=lambda t: t.number)
    ] or [_foreseen_tranche(t) for t in rules.funding.tranches]
    reports = [
        Step(f"report-{e.moment}", str(e.get_moment_display()), e.due_at, _("按期提交报告"), e.submitted_at, e.get_state_display())
        for e in _seen(Evaluation, award, actor)
    ] or _foreseen_reports(rules, begin)
    more = extended_by(award) if award else 0
    end = months_after(begin, rules.timetable.term_months + more)
    how = _("%(n)d 个月") % {"n": rules.timetable.term_months} + (_("，经批准延长 %(n)d 个月") % {"n": more} if more else "")
    last = Step("end", _("实施期满"), end, how, award.closed_on if award else None, estimate=started is None)
    return [*paid, *reports, last]


def _foreseen_tranche(rule: Any) -> Step:
    """Its day is counted from the day on which its conditions are met, which nobody knows yet."""
    how = _("条件满足后 %(days)s内") % {"days": rule.pay_within.words()}
    return Step(f"tranche-{rule.no}", _("第 %(n)d 期拨款") % {"n": rule.no}, None, how)


def _foreseen_reports(rules: Any, begin: date) -> list[Step]:
    times, found = rules.timetable, []
    if rules.evaluation.midterm is not None:
        month = times.midterm_month or max(times.term_months // 2, 1)
        found.append(Step("report-midterm", str(Evaluation.Moment.MIDTERM.label), months_after(begin, month), _("按期提交报告"), estimate=True))
    if rules.evaluation.final is not None:
        found.append(Step("report-final", str(Evaluation.Moment.FINAL.label), months_after(begin, times.term_months + 1), _("按期提交报告"), estimate=True))
    return found


def _seen(model: Any, award: Award | None, actor: Any) -> list[Any]:
    if award is None:
        return []
    rows = model._base_manager.filter(award=award)
    return list(model.visible.filter(rows, actor))


@login_required
@require_GET
def page(request: HttpRequest, pk: Any) -> HttpResponse:
    """Planned beside happened, for whoever may see the bid."""
    bid = objects.find("bid", pk, request.user)
    objects.remember_reading(bid, request.user, "read")
    context = {"bid": bid, "steps": steps(bid, request.user), "now": clock.now(), "today": clock.today(),
               "own": belongs_to(bid, request.user)}  # fmt: skip
    return render(request, "desk/plan.html", context)


@login_required
@require_GET
def calendar(request: HttpRequest, pk: Any) -> HttpResponse:
    """The planned dates as one .ics file; estimates are marked tentative."""
    bid = objects.find("bid", pk, request.user)
    link = request.build_absolute_uri(reverse("desk:plan", args=[bid.pk]))
    response = HttpResponse(as_ics(bid, steps(bid, request.user), link), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{bid.number or bid.call.code}.ics"'
    return response


def as_ics(bid: Any, planned: list[Step], link: str) -> bytes:
    """RFC 5545: one entry per planned date; a day is an all-day entry, an instant one that lasts no time."""
    book = Calendar()
    book.add("prodid", "-//Gongchuang//plan//ZH")
    book.add("version", "2.0")
    book.add("x-wr-calname", bid.title)
    for step in planned:
        if step.planned is not None:
            book.add_component(_event(bid, step, step.planned, link))
    return bytes(book.to_ical())


def _event(bid: Any, step: Step, planned: date | datetime, link: str) -> Event:
    event = Event()
    event.add("uid", f"{step.key}.{bid.pk}@gongchuang")
    event.add("dtstamp", clock.now())
    event.add("summary", f"{step.title}：{bid.title}")
    event.add("dtstart", planned)
    if not isinstance(planned, datetime):
        event.add("dtend", planned + timedelta(days=1))
    event.add("description", " ".join(filter(None, [step.how, _("（预计）") if step.estimate else ""])))
    event.add("status", "TENTATIVE" if step.estimate else "CONFIRMED")
    event.add("url", link)
    return event
