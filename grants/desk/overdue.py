"""逾期清单: what somebody is waiting for longer than was promised, across stages, for whoever reads an agency's files.

The promise is always the rules' own period: payment (§8 保障中小企业款项支付条例), reply to an objection, contract after confirmation, report,
receipt. Five queries, whatever the length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import F, Q, Sum
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from grants import clock
from grants.awards.models import Award, Objection
from grants.calls.models import Call
from grants.clock.calendar import end_of_period
from grants.evaluation.models import Evaluation
from grants.funding.models import Tranche
from grants.money import ZERO, yuan
from grants.people.models import Agency
from grants.people.permissions import scopes_with
from grants.people.watching import watched
from grants.web.cells import Column
from grants.web.tables import Filters, Table

KINDS = {
    "tranche": gettext_lazy("拨款逾期"),
    "objection": gettext_lazy("异议没有答复"),
    "contract": gettext_lazy("协议没有签成"),
    "report": gettext_lazy("报告逾期"),
    "receipt": gettext_lazy("已付缺票据"),
}
WAITING = ("requested", "checked", "approved", "ordered")
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Overdue:
    """One thing: kind, what, whose turn it is, since when it waits, its last day, and how many days it is late."""

    kind: str
    code: str
    what: str
    who: str
    url: str
    since: date | None
    last_day: date
    days: int
    note: str = ""

    @property
    def kind_words(self) -> str:
        return str(KINDS[self.kind])


COLUMNS = (
    Column(gettext_lazy("类别"), "kind_words", name="kind", sort="kind"),
    Column(gettext_lazy("对象"), "what", url="url"),
    Column(gettext_lazy("逾期天数"), "days", "number", sort="days"),
    Column(gettext_lazy("最后一天"), "last_day", "date", sort="last_day"),
    Column(gettext_lazy("起算日"), "since", "date"),
    Column(gettext_lazy("等谁办"), "who"),
    Column(gettext_lazy("说明"), "note"),
    Column(gettext_lazy("征集"), "code", "code", sort="code"),
)


class ByKind(Filters):
    """One kind, one call."""

    kind = forms.ChoiceField(label=gettext_lazy("类别"), choices=[("", gettext_lazy("全部")), *KINDS.items()])
    call = forms.CharField(label=gettext_lazy("征集编号"))

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        code = chosen["call"].strip()
        return [r for r in rows if chosen["kind"] in ("", r.kind) and (not code or code in r.code)]


def overdue(calls: Any) -> list[Overdue]:
    """Everything late in these calls, the latest first. calls: a Q-able queryset of calls."""
    rows = [*_tranches(calls), *_objections(calls), *_contracts(calls), *_reports(calls), *_receipts(calls)]
    return sorted(rows, key=lambda r: (-r.days, r.kind, r.what))


def _late(due_at: datetime) -> tuple[date, int]:
    """(last day, days over it); deadlines are exclusive instants."""
    last = (due_at - SECOND).astimezone(clock.TZ).date()
    return last, max((clock.today() - last).days, 0)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.astimezone(clock.TZ).date()


def _tranches(calls: Any) -> Iterator[Overdue]:
    turn = {"requested": _("经办核对"), "checked": _("负责人批准"), "approved": _("财务开付款单"), "ordered": _("财务付款、核对回单")}
    rows = Tranche.objects.filter(award__call__in=calls, state__in=WAITING, due_at__lte=clock.now()).select_related("award__call", "award__bid")
    for row in rows:
        last, days = _late(row.due_at)  # type: ignore[arg-type]
        since, url = _day(row.requested_at), reverse("desk:object", args=["tranche", row.pk])
        promised = (last - since).days if since else 0
        waited = (clock.today() - since).days if since else 0
        note = _("%(amount)s；承诺 %(p)d 天内付，已等 %(w)d 天") % {"amount": yuan(row.amount), "p": promised, "w": waited}
        yield Overdue("tranche", row.call.code, f"{row} {row.award.bid.title}", turn[row.state], url, since, last, days, note)


def _objections(calls: Any) -> Iterator[Overdue]:
    rows = Objection.objects.filter(call__in=calls, state="accepted", due_at__lte=clock.now()).select_related("call")
    for row in rows:
        last, days = _late(row.due_at)  # type: ignore[arg-type]
        yield Overdue(
            "objection", row.call.code, row.number, _("负责人书面答复"), reverse("desk:object", args=["objection", row.pk]), None, last, days,
            _("答复之前，所涉项目不能签约、拨款"),
        )  # fmt: skip


def _contracts(calls: Any) -> Iterator[Overdue]:
    """Confirmed awards whose contract is not effective within the rules' period."""
    rows = Award.objects.filter(call__in=calls, state="confirmed").select_related("call", "bid__rules_version", "contract")
    turn = {"draft": _("经办定稿发出"), "issued": _("受助方签署"), "grantee_signed": _("负责人签署")}
    for row in rows:
        if row.confirmed_at is None:
            continue
        within = row.rules.timetable.contract_within
        ends = end_of_period(row.confirmed_at, within.amount, within.unit.value, count_first_day=within.count_first_day).ends_at
        if clock.now() < ends:
            continue
        contract = getattr(row, "contract", None)
        last, days = _late(ends)
        who = _("经办起草") if contract is None else turn.get(contract.state, "")
        address = ["award", row.pk] if contract is None else ["contract", contract.pk]
        note = _("应在确认后 %(p)s 内签成") % {"p": within.words()}
        yield Overdue("contract", row.call.code, str(row), who, reverse("desk:object", args=address), _day(row.confirmed_at), last, days, note)


def _reports(calls: Any) -> Iterator[Overdue]:
    waiting = Q(state__in=("due", "returned"), due_at__lte=clock.now(), award__state="active")
    for row in Evaluation.objects.filter(waiting, award__call__in=calls).select_related("award__call", "award__bid"):
        last, days = _late(row.due_at)  # type: ignore[arg-type]
        url = reverse("desk:object", args=["evaluation", row.pk])
        yield Overdue("report", row.award.call.code, f"{row} {row.award.bid.title}", _("受助方提交报告"), url, None, last, days)


def _receipts(calls: Any) -> Iterator[Overdue]:
    """Paid, and receipts checked by a second person do not add up to it. Late from the day after payment."""
    verified = Sum("receipts__amount", filter=Q(receipts__verified_at__isnull=False))
    rows = Tranche.objects.filter(award__call__in=calls, state="paid").annotate(verified=verified)
    short = rows.filter(Q(verified=None) | Q(verified__lt=F("amount"))).select_related("award__call", "award__bid")
    for row in short:
        paid = _day(row.paid_at)
        if paid is None or (days := (clock.today() - paid).days) < 1:
            continue
        missing: Decimal = row.amount - (row.verified or ZERO)
        note = _("已付 %(p)s，还缺已核验票据 %(m)s") % {"p": yuan(row.amount), "m": yuan(missing)}
        url = reverse("desk:object", args=["tranche", row.pk])
        yield Overdue("receipt", row.call.code, f"{row} {row.award.bid.title}", _("受助方交票据，经办核验"), url, paid, paid, days, note)


def readable(actor: Any) -> Any:
    """Calls whose files this person reads for an agency."""
    return Call.objects.filter(scopes_with(actor, "read_calls", Agency, "agency"))


@login_required
@require_GET
def page(request: HttpRequest) -> HttpResponseBase:
    """逾期清单 of all the agency's calls, or of one."""
    calls = readable(request.user)
    if not Agency.objects.filter(scopes_with(request.user, "read_calls", Agency, "pk")).exists():
        raise Http404(_("逾期清单只对主办方人员和审计开放。"))
    rows = overdue(calls)
    counts = [(kind, label, sum(r.kind == kind for r in rows)) for kind, label in KINDS.items()]
    table = Table(request, rows, COLUMNS, name=_("逾期清单"), filters=ByKind, empty=_("没有逾期的事项。有事项超过承诺的期限时，会列在这里，最久的在最前。"))
    if table.wants_file:
        for call in readable(request.user).filter(code__in={row.code for row in table.rows}).select_related("agency"):
            watched(request.user, call, "download", "overdue")
    return table.respond("desk/overdue.html", {"counts": counts, "n": len(rows)})
