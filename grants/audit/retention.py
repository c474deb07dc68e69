"""保管与销毁计划: for each class of record, on what ground, since when and until which day it is kept – as rows with a date, years ahead.

Two kinds of ending. What the law lets nobody keep longer than needed (residents' contacts, drafts never handed in) the program may erase by itself,
through the same doors as by hand. What archives law keeps (files, vouchers) is only listed when its time has come: destroying it takes an appraisal
by people (档案法 §31; 会计档案管理办法 §14–19), and the numbers that statistics need – amounts, counts, states – stay in the log and the tables either way.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from bidding.models import Bid
from grants.awards.models import Award
from grants.calls.needs.models import Need
from grants.calls.needs.services import erase_contact
from grants.clock import TZ
from grants.ledger.models import AuditEvent

CONTACT_MONTHS: Final = 6
"""After a need was answered, merged or declined: time for whoever proposed it to come back (个人信息保护法 §19: the shortest that is needed)."""
DRAFT_MONTHS: Final = 12
"""After a call closed: bids that were never handed in."""


@dataclass(frozen=True)
class Class:
    """One class of records. by_hand: nothing of it is erased by the program."""

    key: str
    name: Any
    ground: Any
    by_hand: bool


@dataclass(frozen=True)
class Row:
    """One record: its class, its number, the day its time began (Asia/Shanghai) and the first day on which it may go."""

    kind: Class
    number: str
    since: date
    due: date

    def is_due(self, on: date) -> bool:
        return on >= self.due


CONTACTS = Class("contacts", _("需求提出人的姓名和联系方式"), _("个人信息保护法第十九条、第四十七条：办结后半年"), by_hand=False)
DRAFTS = Class("drafts", _("从未提交的申报草稿"), _("个人信息保护法第十九条：受理截止后一年"), by_hand=True)
BIDS = Class("bids", _("未立项的申报书和评审材料"), _("征集规则的档案保管年限，自受理截止起"), by_hand=True)
FILES = Class("files", _("项目档案：申报、协议、报告、公示"), _("征集规则的档案保管年限，自结项或终止起"), by_hand=True)
PEOPLE = Class("people", _("项目档案中的个人信息（受益人、团队）"), _("征集规则的个人信息月数，自结项或终止起"), by_hand=True)
VOUCHERS = Class("vouchers", _("会计凭证：票据、付款单、批次文件"), _("会计档案管理办法第十四条，自结项或终止起"), by_hand=True)
CLASSES: Final = (CONTACTS, DRAFTS, BIDS, PEOPLE, FILES, VOUCHERS)


def plan() -> Iterator[Row]:
    """Every record whose time has begun, class by class, the earliest first. Four queries and one for each thousand records."""
    for rows in (_contacts(), _drafts(), _bids(), *_awards()):
        yield from sorted(rows, key=lambda row: (row.due, row.number))


def erase(on: date, *, by: Any) -> list[Row]:
    """Erase what is due on a day and needs no appraisal; what was erased. by: an officer of each agency concerned. Raises NotYou."""
    due = [row for row in _contacts() if row.is_due(on)]
    for row in due:
        erase_contact(Need.objects.get(number=row.number), by=by)
    return due


def later(day: date, months: int) -> date:
    """The same day of the month some months on; its last day where there is none such."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _day(moment: datetime) -> date:
    return moment.astimezone(TZ).date()


def _contacts() -> list[Row]:
    told = ~Q(contact="") | ~Q(proposer_name="")
    rows = list(Need.objects.filter(told, state__in=["met", "merged", "declined"]))
    ended = _last_steps(rows)
    return [Row(CONTACTS, n.number, ended[n.subject], later(ended[n.subject], CONTACT_MONTHS)) for n in rows if n.subject in ended]


def _drafts() -> list[Row]:
    rows = Bid.objects.filter(number="", state__in=["draft", "lapsed", "withdrawn"]).select_related("call")
    closed = [(str(bid.pk), _day(bid.call.closes_at)) for bid in rows if bid.call.closes_at and bid.call.state not in ("draft", "open")]
    return [Row(DRAFTS, key, day, later(day, DRAFT_MONTHS)) for key, day in closed]


def _bids() -> list[Row]:
    rows = Bid.objects.exclude(number="").filter(Q(award=None) | Q(award__state="cancelled")).select_related("call", "rules_version")
    closed = [(bid, _day(bid.call.closes_at)) for bid in rows if bid.call.closes_at and bid.call.state not in ("draft", "open")]
    return [Row(BIDS, bid.number, day, later(day, 12 * bid.rules.retention.file_years)) for bid, day in closed]


def _awards() -> Iterator[list[Row]]:
    rows = list(Award.objects.filter(state__in=["closed", "terminated"]).select_related("call__rules_version"))
    ended = _last_steps(rows)
    for kind in (PEOPLE, FILES, VOUCHERS):
        yield [Row(kind, a.number, ended[a.subject], later(ended[a.subject], _months(kind, a))) for a in rows if a.subject in ended]


def _months(kind: Class, award: Award) -> int:
    kept = award.call.rules_version.rules.retention  # type: ignore[union-attr]
    return {"people": kept.personal_months, "files": 12 * kept.file_years, "vouchers": 12 * kept.voucher_years}[kind.key]


ENDINGS: Final = ("award.close", "award.terminate", "need.meet", "need.merge", "need.decline")


def _last_steps(rows: list[Any], at_once: int = 1000) -> dict[str, date]:
    """Subject → the day of the step that ended it."""
    found: dict[str, date] = {}
    subjects = [row.subject for row in rows]
    for first in range(0, len(subjects), at_once):
        some = AuditEvent.objects.filter(subject__in=subjects[first : first + at_once], event__in=ENDINGS)
        found |= {subject: _day(at) for subject, at in some.values_list("subject").annotate(Max("at"))}
    return found
