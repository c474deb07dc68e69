"""The paying desk: what waits at which stage and for how long; many orders by one stroke; the tie-out. The bank is `banking`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from grants import clock
from grants.calls.models import Call
from grants.funding import bulk
from grants.funding.models import PaymentBatch, PaymentOrder, Tranche, TrancheLine
from grants.funding.spending import overdue_on
from grants.funding.tieout import COLUMNS as TIE_OUT
from grants.funding.tieout import tie_out
from grants.money import ZERO
from grants.people.models import Agency
from grants.people.permissions import scopes_with
from grants.people.watching import watched
from grants.web.cells import Column
from grants.web.exports import as_csv, as_xlsx
from grants.web.tables import Table
from grants.workflow.refusals import Refusal

PER_PAGE = 50
SECOND = timedelta(seconds=1)
"""Deadlines are exclusive: the last day is the day of the second before."""


@dataclass(frozen=True)
class Stage:
    """One stage of the queue: its code in the address, its name, who moves it on, and which tranches stand there."""

    code: str
    name: Any
    whose: Any
    where: Q


STAGES = (
    Stage("requested", gettext_lazy("待核对"), gettext_lazy("经办核对条件"), Q(state="requested")),
    Stage("checked", gettext_lazy("待批准"), gettext_lazy("负责人批准"), Q(state="checked")),
    Stage("approved", gettext_lazy("待开付款单"), gettext_lazy("财务开付款单"), Q(state="approved")),
    Stage("ready", gettext_lazy("待送银行"), gettext_lazy("财务勾选，生成银行批次"), Q(state="ordered", payment_order__status="ready")),
    Stage("sent", gettext_lazy("已送银行，待回单"), gettext_lazy("财务凭回单核对"), Q(state="ordered", payment_order__status="sent_unknown")),
    Stage("paid", gettext_lazy("已付"), gettext_lazy("已办结"), Q(state="paid")),
)
COLUMNS = (
    Column(gettext_lazy("拨款"), "tranche", "code"),
    Column(gettext_lazy("项目"), "title"),
    Column(gettext_lazy("收款单位"), "payee"),
    Column(gettext_lazy("金额"), "amount", "money"),
    Column(gettext_lazy("申请日期"), "requested_on", "date"),
    Column(gettext_lazy("付款期限"), "last_day", "date"),
    Column(gettext_lazy("逾期天数"), "late", "number"),
    Column(gettext_lazy("付款单"), "key", "code"),
    Column(gettext_lazy("批次"), "batch", "code"),
    Column(gettext_lazy("银行流水号"), "reference", "code"),
)


@dataclass(frozen=True)
class Line:
    """One tranche in the queue. late: days over its last day (paid ones: by how many days they were paid late); left: days to go."""

    row: Tranche
    order: PaymentOrder | None
    late: int
    left: int | None

    @property
    def tranche(self) -> str:
        return str(self.row)

    @property
    def title(self) -> str:
        return str(self.row.award.bid.title)

    @property
    def payee(self) -> str:
        return str(self.row.payee)

    @property
    def amount(self) -> Decimal:
        return self.row.amount

    @property
    def requested_on(self) -> date | None:
        return _day(self.row.requested_at)

    @property
    def last_day(self) -> date | None:
        return None if self.row.due_at is None else _day(self.row.due_at - SECOND)

    @property
    def key(self) -> str:
        return self.order.key if self.order else ""

    @property
    def batch(self) -> str:
        return str(self.order.batch) if self.order and self.order.batch else ""

    @property
    def reference(self) -> str:
        return self.order.bank_reference if self.order else ""


def _day(moment: Any) -> date | None:
    return None if moment is None else moment.astimezone(clock.TZ).date()


def line(row: Tranche, today: date) -> Line:
    """How late a tranche is, by the rules' own clock."""
    order = getattr(row, "payment_order", None)
    if row.due_at is None:
        return Line(row, order, 0, None)
    last = _day(row.due_at - SECOND)
    assert last is not None
    if row.state == "paid":
        paid = _day(row.paid_at) or last
        return Line(row, order, max((paid - last).days, 0), None)
    return Line(row, order, overdue_on(row, today), (last - today).days)


def on_desk(actor: Any) -> QuerySet[Tranche]:
    """Tranches of every call whose files this person reads, with all that a line shows."""
    related = ("award__call", "award__bid__organisation", "award__bid__sponsor", "payment_order__batch")
    return Tranche.objects.filter(scopes_with(actor, "read_calls", Agency, "award__call__agency")).select_related(*related)


def _asked(request: HttpRequest) -> tuple[QuerySet[Tranche], Stage, str]:
    """(the tranches of the stage and call asked for, the stage, the call's id or nothing)."""
    if not Agency.objects.filter(scopes_with(request.user, "read_calls", Agency, "pk")).exists():
        raise Http404(_("付款页面只对主办方人员和审计开放。"))
    call = request.GET.get("call", "")
    stage = next((s for s in STAGES if s.code == request.GET.get("stage")), STAGES[3])
    rows = on_desk(request.user)
    if call:
        rows = rows.filter(award__call_id=as_uuid(call))
    return rows, stage, call


def as_uuid(text: str) -> UUID:
    """An id from an address; for what is none the id that no row has."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


@login_required
@require_GET
def queue(request: HttpRequest) -> HttpResponseBase:
    """By stage, the most urgent first; counts and sums of every stage; what each source has in the stage shown; batches made."""
    rows, stage, call = _asked(request)
    counts = rows.aggregate(**{f"n_{s.code}": Count("pk", filter=s.where) for s in STAGES}, **{f"s_{s.code}": Sum("amount", filter=s.where) for s in STAGES})
    shown = rows.filter(stage.where).order_by("due_at", "award__number", "number")
    if (form := request.GET.get("as")) in ("csv", "xlsx"):
        for each in Call.objects.filter(awards__tranches__in=shown).select_related("agency").distinct():
            watched(request.user, each, "download", f"tranches_{stage.code}")
        return _file(str(form), stage, shown)
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
    today = clock.today()
    pays = scopes_with(request.user, "pay_tranches", Agency, "call__agency")
    context = {
        "stage": stage, "page": page, "lines": [line(row, today) for row in page], "call": call,
        "stages": [(s, counts[f"n_{s.code}"], counts[f"s_{s.code}"] or ZERO) for s in STAGES], "sources": by_source(shown),
        "query": f"stage={stage.code}" + (f"&call={call}" if call else ""),
        "pays": Agency.objects.filter(scopes_with(request.user, "pay_tranches", Agency, "pk")).exists(),
        "batches": PaymentBatch.objects.filter(pays).select_related("file", "call").order_by("-made_at")[:PER_PAGE],
    }  # fmt: skip
    return render(request, "funding/queue.html", context)


def _file(form: str, stage: Stage, rows: QuerySet[Tranche]) -> HttpResponseBase:
    today = clock.today()
    name = _("拨款 %(stage)s") % {"stage": stage.name}
    return (as_xlsx if form == "xlsx" else as_csv)(name, COLUMNS, [line(row, today) for row in rows], total_of=["amount"])


def by_source(rows: QuerySet[Tranche]) -> list[tuple[str, Decimal, int]]:
    """(source, 元, tranches) over these tranches, by name. One query."""
    lines = TrancheLine.objects.filter(tranche__in=rows.order_by()).values("source__name").order_by("source__name")
    return [(r["source__name"], r["s"], r["n"]) for r in lines.annotate(s=Sum("amount"), n=Count("tranche", distinct=True))]


@login_required
@require_POST
def order_many(request: HttpRequest) -> HttpResponseBase:
    """开付款单 for every approved tranche that was ticked: one job, a result for each. Refused: back to the queue with the reason."""
    if not Agency.objects.filter(scopes_with(request.user, "pay_tranches", Agency, "pk")).exists():
        raise Http404(_("付款单只由财务开具。"))
    named = [as_uuid(key) for key in request.POST.getlist("tranche")]
    desk = scopes_with(request.user, "pay_tranches", Agency, "award__call__agency")
    chosen = Tranche.objects.filter(desk, pk__in=named, state="approved").select_related("award__call", "award__bid")
    try:
        job = bulk.order_many(list(chosen.order_by("award__number", "number")), by=request.user)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(f"{reverse('funding:queue')}?stage=approved")
    return redirect("desk:job", job.pk)


# --- tie-out ------------------------------------------------------------------------------------------------------------------


@login_required
@require_GET
def tie_out_page(request: HttpRequest, pk: Any) -> HttpResponseBase:
    """Award ↔ tranches ↔ orders ↔ receipts ↔ expenses, project by project; every difference marked and said."""
    call = get_object_or_404(Call.objects.filter(scopes_with(request.user, "read_calls", Agency, "agency")).select_related("rules_version", "agency"), pk=pk)
    watched(request.user, call, "download" if request.GET.get("as") else "read", "tie_out")
    found = tie_out(call)
    name = _("对账表 %(call)s") % {"call": call.code}
    sums = ["amount", "planned", "ordered", "paid", "receipts", "verified", "spent", "surplus", "refunded"]
    table = Table(request, found, TIE_OUT, name=name, total_of=sums, empty=_("立项确认之后，每个项目一行列在这里。"))
    return table.respond("funding/tieout.html", {"call": call, "wrong": [row for row in found if row.differences], "n": len(found)})
