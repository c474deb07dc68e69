"""立项资料包: contracts, tranche plan, report calendar, notices and letters of a call's awards, made by one job and taken as one ZIP.

One item per award, one for the whole call. An award without a contract gets its draft here, through the door; where that is refused (the
account is not verified, a cut is not agreed) the item says so and the others go on. What exists is taken as it is, never made anew.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from icalendar import Calendar, Event

from grants import clock
from grants.awards import services
from grants.awards.models import Award, Contract, Decision, PublicNotice
from grants.awards.rules import preparer
from grants.awards.services.releasing import LETTER, letter_facts
from grants.awards.shares import split
from grants.calls.models import Call
from grants.calls.rulebook.parts.timetable import months_after
from grants.documents.files import store
from grants.documents.models import StoredFile
from grants.evaluation.models import Evaluation
from grants.notifications.services import compose
from grants.people.models import User
from grants.web.cells import Column, Totals
from grants.web.exports import write_workbook
from grants.workflow import effects
from grants.workflow.jobs import Done, Finish, Target, job_kind, start
from grants.workflow.models import BulkJob, JobItem, Outbox
from grants.workflow.refusals import NotNow

PACK = "desk.award_pack"
TAKEN = ("confirmed", "active", "closed", "terminated")
MOST = 20 * 1024 * 1024


def _call(pk: UUID) -> Call:
    return Call.objects.select_related("agency", "rules_version", "operator").get(pk=pk)


def award_pack(call: Call, *, by: Any) -> BulkJob:
    """Start the job over every confirmed award of a call. Raises NotYou, Invalid (no award is confirmed), NotNow (one still runs)."""
    awards = Award.objects.filter(call=call, state__in=TAKEN).select_related("bid").order_by("number")
    targets = [Target(a.subject, a.pk, str(a)) for a in awards]
    whole = [Target(call.subject, call.pk, _("全部项目：拨款计划、报告日历、公示、结果通知"))] if targets else []
    return start(PACK, call, [*targets, *whole], by=by, title=_("立项资料包 %(call)s") % {"call": call.code})


@job_kind(PACK, gettext_lazy("立项资料包"), by=preparer, scope_of=_call, slow=True)
def pack(item: JobItem) -> Finish:
    """生成立项资料包的一项"""
    with translation.override("zh-hans"):  # papers are Chinese whatever the asker's page is
        if item.subject.startswith("call:"):
            return _whole_call(_call(item.object_id))
        related = (*Award.door_select, "call__rules_version", "contract__file")
        return _one_award(Award.objects.select_related(*related).get(pk=item.object_id), item)


# --- one award ----------------------------------------------------------------------------------------------------------------


def _one_award(award: Award, item: JobItem) -> Finish:
    contract, drafted = _contract(award, item)
    made: list[tuple[str, bytes]] = [
        (f"{_('报告日历')}.ics", calendar(dates([award]), award.call.title)), (f"{_('立项通知')}.txt", _letter(award).encode()),
    ]  # fmt: skip

    def finish() -> Done:
        folder = f"{award.number}"
        files = [(f"{folder}/{_named(name)}", _kept(name, content)) for name, content in made]
        assert contract.file is not None
        files.append((f"{folder}/{_named(contract.number)}.pdf", contract.file))
        words = _("已起草协议 %(no)s；资料已生成。") if drafted else _("协议 %(no)s；资料已生成。")
        return Done(words % {"no": contract.number}, files)

    return finish


def _contract(award: Award, item: JobItem) -> tuple[Contract, bool]:
    """The award's contract with its printed text, and whether it was drafted here. Raises NotYou, NotNow, Invalid."""
    found = getattr(award, "contract", None)
    drafted = found is None
    if found is None:
        by = User.objects.get(pseudonym=item.job.requested_by)
        found = services.draft_contract(award, by=by)
    if found.file_id is None:
        for row in Outbox.objects.filter(task="awards.print_contract", object_id=found.pk, done_at=None):
            effects.deliver(row.pk)  # the printing that was promised when it was drafted, now instead of later
        found = Contract.objects.select_related("file").get(pk=found.pk)
    if found.file_id is None:
        raise NotNow(_("协议 %(no)s 的文本还在生成，请稍后续办。") % {"no": found.number}, rule="text_is_ready")
    return found, drafted


def _letter(award: Award) -> str:
    link = reverse("desk:object", args=["award", award.pk])
    to = {"name": str(award.organisation)}
    subject, body = compose("awards/confirmed", {"award": award, "call": award.call, "to": to, "link": link})
    return f"{subject}\n\n{body}"


# --- the whole call -----------------------------------------------------------------------------------------------------------


def _whole_call(call: Call) -> Finish:
    awards = list(
        Award.objects.filter(call=call, state__in=TAKEN)
        .select_related("bid__organisation", "bid__sponsor", "bid__rules_version", "call", "contract")
        .prefetch_related("evaluations", "tranches")
        .order_by("number")
    )
    made = [
        (f"{_('拨款计划')}.xlsx", schedule([row for a in awards for row in planned(a)])),
        (f"{_('报告日历')}.ics", calendar(dates(awards), call.title)),
        (f"{_('结果通知')}.txt", _letters(call).encode()),
    ]
    notices = list(PublicNotice.objects.filter(call=call).exclude(file=None).select_related("file").order_by("pk"))

    def finish() -> Done:
        folder = _("全部")
        files = [(f"{folder}/{_named(name)}", _kept(name, content)) for name, content in made]
        files += [(f"{folder}/{_named(n.number)}.pdf", n.file) for n in notices if n.file is not None]
        return Done(_("%(n)d 个项目的拨款计划、报告日历和结果通知，公示 %(m)d 份。") % {"n": len(awards), "m": len(notices)}, files)

    return finish


def _letters(call: Call) -> str:
    """The decision letters of every bidder, chosen and not, one after the other."""
    related = ("bid__organisation", "bid__award", "call__agency")
    rows = Decision.objects.filter(call=call, released_at__isnull=False).select_related(*related).order_by("panel", "rank", "pk")
    parts = []
    for decision in rows:
        link = reverse("desk:object", args=["bid", decision.bid_id])
        subject, body = compose(LETTER, {**letter_facts(decision), "to": {"name": str(decision.bid.organisation)}, "link": link})
        parts.append(f"{subject}\n\n{body}")
    return f"\n{'—' * 20}\n\n".join(parts) or _("决定还没有发布。") + "\n"


@dataclass(frozen=True)
class Planned:
    """One tranche of one award as planned: what the contract prints, or the tranches once the project runs."""

    number: str
    project: str
    payee: str
    no: int
    percent: Decimal
    amount: Decimal
    conditions: str


PLAN = (
    Column(gettext_lazy("项目编号"), "number", "code"),
    Column(gettext_lazy("项目"), "project"),
    Column(gettext_lazy("收款单位"), "payee"),
    Column(gettext_lazy("期次"), "no", "number"),
    Column(gettext_lazy("比例（%）"), "percent", "number"),
    Column(gettext_lazy("金额"), "amount", "money"),
    Column(gettext_lazy("拨付条件"), "conditions"),
)


def planned(award: Award) -> list[Planned]:
    """Every tranche of an award: the rows of a running project, else the contract's, else the rules split over the amount."""
    rules = award.bid.rules.funding.tranches
    told = {t.no: "；".join(c.code.zh + (f" {c.percent}%" if c.percent else "") for c in t.conditions) for t in rules}
    rows = [(t.number, t.percent, t.amount) for t in sorted(award.tranches.all(), key=lambda t: t.number)]
    if not rows:
        parts = split(award.amount, [t.percent for t in rules])
        rows = [(t.no, t.percent, amount) for t, amount in zip(rules, parts, strict=True)]
    return [Planned(award.number, award.bid.title, str(award.payee), no, share, amount, told.get(no, "")) for no, share, amount in rows]


def schedule(rows: Iterable[Planned]) -> bytes:
    """The plan as a workbook; its last line has the number of rows and the sum."""
    out = io.BytesIO()
    write_workbook(out, Totals(PLAN, ["amount"]), rows, done=_("合计：共 {count} 行"))
    return out.getvalue()


@dataclass(frozen=True)
class Day:
    """One date of one award: what is due, and a stable name so that a calendar that reads it twice shows it once."""

    award: Award
    code: str
    words: str
    on: date


def dates(awards: Iterable[Award]) -> list[Day]:
    """Reports due and the project's end: from the evaluations once they are arranged, before that as the rules will arrange them."""
    return [day for award in awards for day in _dates(award)]


def _dates(award: Award) -> Iterable[Day]:
    arranged = {e.moment: e for e in award.evaluations.all()}
    rules, starts, ends = award.bid.rules, *_term(award)
    wanted = {
        Evaluation.Moment.MIDTERM: (rules.evaluation.midterm, months_after(starts, rules.timetable.midterm_month or max(rules.timetable.term_months // 2, 1))),
        Evaluation.Moment.FINAL: (rules.evaluation.final, months_after(starts, rules.timetable.term_months + 1)),
    }  # fmt: skip
    for moment, (asked, exclusive) in wanted.items():
        due = arranged[moment].due_at if moment in arranged else None
        last = exclusive - timedelta(days=1) if due is None else (due - timedelta(seconds=1)).astimezone(clock.TZ).date()
        if asked is not None:
            yield Day(award, str(moment), _("提交%(what)s报告的最后一天") % {"what": moment.label}, last)
    yield Day(award, "end", _("项目实施期最后一天"), ends)


def _term(award: Award) -> tuple[date, date]:
    """First and last day, as the contract prints them; before there is one, from today."""
    contract = getattr(award, "contract", None)
    if contract is not None and contract.data.get("starts_on"):
        return award.started_on or date.fromisoformat(contract.data["starts_on"]), date.fromisoformat(contract.data["ends_on"])
    starts = award.started_on or clock.today()
    return starts, months_after(starts, award.bid.rules.timetable.term_months) - timedelta(days=1)


def calendar(days: Iterable[Day], name: str) -> bytes:
    """All-day entries (RFC 5545); the same dates give the same entries."""
    book = Calendar()
    book.add("prodid", "-//Gongchuang//award pack//ZH")
    book.add("version", "2.0")
    book.add("x-wr-calname", name)
    for day in days:
        event = Event()
        event.add("uid", f"{day.award.pk}-{day.code}@gongchuang")
        event.add("dtstamp", clock.now())
        event.add("dtstart", day.on)
        event.add("summary", f"{day.award.number} {day.words}")
        event.add("description", str(day.award.bid.title))
        book.add_component(event)
    return book.to_ical()  # type: ignore[no-any-return]


def _kept(name: str, content: bytes) -> StoredFile:
    return store(content, name=name, allowed={"xlsx", "ics", "txt"}, max_bytes=MOST)


def _named(text: str) -> str:
    """A number or name as part of a path: no slashes, nothing that leads upwards."""
    return text.replace("/", "-").replace("\\", "-").lstrip(".")
