"""保管与销毁计划: for each class of record, on what ground, since when and until which day it is kept – as rows with a date, years ahead.

Two kinds of ending. What the law lets nobody keep longer than needed (residents' contacts, drafts never handed in, teams of bids that were not funded,
profiles of experts who left, accounts that were closed) the program may erase, through the same doors as by hand; an account takes two administrators, so
it is only asked for. What archives law keeps (files, vouchers) is only listed when its time has come: destroying it takes an appraisal by people
(档案法 §31; 会计档案管理办法 §14–19). The numbers that statistics need – amounts, counts, states – stay in the log and the tables either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Max, Q
from django.utils.translation import gettext_lazy as _

from bidding import terms
from bidding.models import Bid, TeamMember
from grants.awards.models import Award
from grants.calls.needs.models import Need
from grants.calls.needs.services import erase_contact
from grants.clock import TZ
from grants.ledger.models import AuditEvent
from grants.people import erasing
from grants.people.account_acts import ask_for
from grants.people.erasing import later
from grants.people.models import AccountRequest, User
from grants.workflow.door import perform
from grants.workflow.refusals import NotYou
from review import personal
from review.models import Expert
from review.services.pool import agency_of, erase_profile

CONTACT_MONTHS: Final = 6
"""After a need was answered, merged or declined: time for whoever proposed it to come back (个人信息保护法 §19: the shortest that is needed)."""
ACCOUNT_MONTHS: Final = 12
"""After an account was closed: time for whoever closed it to find that it was a mistake."""


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
DRAFTS = Class("drafts", _("从未提交的申报草稿"), _("个人信息保护法第十九条：受理截止后一年"), by_hand=False)
TEAMS = Class("teams", _("未立项申报工作稿中的团队姓名和证书编号"), _("个人信息保护法第十九条：征集规则的个人信息月数，自受理截止起"), by_hand=False)
EXPERTS = Class("experts", _("离库专家的工作单位、职称和关系依据"), _("个人信息保护法第十九条：移出专家库后三年"), by_hand=False)
ACCOUNTS = Class(
    "accounts", _("已停用账号的联系方式、信件和姓名"), _("个人信息保护法第十九条、第四十七条：停用后一年；签过归档文件的姓名到档案期满"), by_hand=False
)
BIDS = Class("bids", _("未立项的申报书和评审材料"), _("征集规则的档案保管年限，自受理截止起"), by_hand=True)
FILES = Class("files", _("项目档案：申报、协议、报告、公示"), _("征集规则的档案保管年限，自结项或终止起"), by_hand=True)
PEOPLE = Class("people", _("项目档案中的个人信息（受益人、团队）"), _("征集规则的个人信息月数，自结项或终止起"), by_hand=True)
VOUCHERS = Class("vouchers", _("会计凭证：票据、付款单、批次文件"), _("会计档案管理办法第十四条，自结项或终止起"), by_hand=True)
CLASSES: Final = (CONTACTS, DRAFTS, TEAMS, EXPERTS, ACCOUNTS, BIDS, PEOPLE, FILES, VOUCHERS)


def plan() -> Iterator[Row]:
    """Every record whose time has begun, class by class, the earliest first."""
    for rows in (_contacts(), _drafts(), _teams(), _experts(), _accounts(), _bids(), *_awards()):
        yield from sorted(rows, key=lambda row: (row.due, row.number))


def due(kinds: list[str], on: date) -> list[Row]:
    """What `erase` would erase on a day, of these classes: a dry run."""
    return [row for row in plan() if row.kind.key in kinds and not row.kind.by_hand and row.is_due(on)]


def erase(on: date, *, by: Any, kinds: list[str] | None = None) -> list[Row]:
    """Erase what is due on a day and needs no appraisal; what was erased, or for accounts asked for. Raises NotYou, NotNow.

    by: whoever may do the same by hand. kinds: keys of CLASSES; contacts alone unless told otherwise.
    """
    found = due(kinds or [CONTACTS.key], on)
    for row in found:
        ERASERS[row.kind.key](row.number, by)
    return found


def _erase_bid(verb: str) -> Callable[[str, Any], Any]:
    return lambda number, by: perform(Bid.objects.filter(number=number).first() or Bid.objects.get(pk=number), verb, by=by)


def _erase_expert(code: str, by: Any) -> None:
    agency = agency_of(by)
    if agency is None:
        raise NotYou(str(_("专家档案由主办方负责专家库的人办理。")), rule="convener")
    erase_profile(Expert.objects.get(code=code), agency=agency, by=by)


ERASERS: Final[dict[str, Callable[[str, Any], Any]]] = {
    "contacts": lambda number, by: erase_contact(Need.objects.get(number=number), by=by),
    "drafts": lambda key, by: perform(Bid.objects.get(pk=key), "erase_draft", by=by), "teams": _erase_bid("erase_team"), "experts": _erase_expert,
    "accounts": lambda name, by: ask_for("erase", User.objects.get(pseudonym=name), by=by, note=str(ACCOUNTS.ground)),
}  # fmt: skip


def _day(moment: datetime) -> date:
    return moment.astimezone(TZ).date()


def _contacts() -> list[Row]:
    told = ~Q(contact="") | ~Q(proposer_name="")
    rows = list(Need.objects.filter(told, state__in=["met", "merged", "declined"]))
    ended = _last_steps(rows)
    return [Row(CONTACTS, n.number, ended[n.subject], later(ended[n.subject], CONTACT_MONTHS)) for n in rows if n.subject in ended]


def _drafts() -> list[Row]:
    rows = Bid.objects.filter(number="", state__in=["draft", "lapsed", "withdrawn"]).select_related("call").prefetch_related("team")
    found = [(bid, terms.closed_on(bid), terms.draft_due(bid)) for bid in rows if bid.answers or bid.typed or bid.team.all()]
    return [Row(DRAFTS, str(bid.pk), day, until) for bid, day, until in found if day is not None and until is not None]


def _teams() -> list[Row]:
    named = TeamMember.objects.exclude(name="", licence_no="").values("bid")
    rows = Bid.objects.exclude(number="").filter(pk__in=named).filter(Q(award=None) | Q(award__state="cancelled")).select_related("call", "rules_version")
    found = [(bid, terms.closed_on(bid), terms.team_due(bid)) for bid in rows if bid.state != "returned"]
    return [Row(TEAMS, bid.number, day, until) for bid, day, until in found if day is not None and until is not None]


def _experts() -> list[Row]:
    rows = [e for e in Expert.objects.filter(is_active=False).prefetch_related("relations") if personal.has_profile(e)]
    left = [(e.code, personal.left_on(e)) for e in rows]
    return [Row(EXPERTS, code, day, later(day, personal.PROFILE_MONTHS)) for code, day in left if day is not None]


def _accounts() -> list[Row]:
    """Closed ones, by pseudonym: what reaches the person a year after the closing, the name when nothing that is kept names them."""
    asked = AccountRequest.objects.filter(what="erase", state="asked").values("person")
    rows = User.objects.filter(is_active=False, erased_at=None).exclude(pk__in=asked)
    found = []
    for user in rows:
        last = AuditEvent.objects.filter(subject=f"user:{user.pk}", event__in=["user.deactivate", "user.erase"]).aggregate(at=Max("at"))["at"]
        day = _name_due(user, _day(last)) if last is not None else None
        if last is not None and day is not None:
            found.append(Row(ACCOUNTS, str(user.pseudonym), _day(last), day))
    return found


def _name_due(user: User, closed: date) -> date | None:
    """The first day on which something of a closed account may go; None while a duty or a running project holds the rest."""
    held = erasing.holds(user)
    if any(hold.duty for hold in held):
        return None
    if erasing.has_contact(user) or not held:
        return later(closed, ACCOUNT_MONTHS)
    return None if any(hold.until is None for hold in held) else max(hold.until for hold in held if hold.until is not None)


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
