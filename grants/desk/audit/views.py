"""The auditor's pages. Each asks `scope` who may read, and writes the reading into the log before it answers."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from grants.desk.audit import conflicts as checks
from grants.desk.audit import samples as drawing
from grants.desk.audit import scope
from grants.desk.audit.events import LogFilters, Words, columns
from grants.desk.audit.forms import FreezeForm, SayForm
from grants.desk.audit.tables import RECORDS
from grants.ledger.log import entry_of
from grants.ledger.models import AuditEvent, AuditLeaf, Checkpoint, stored_bytes
from grants.web.cells import Column
from grants.web.tables import Table
from grants.workflow.refusals import Refusal
from review.conflicts import EDGES


@login_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The calls of the agencies I audit; 404 for whoever audits none."""
    scope.required(request.user)
    rows = list(scope.calls(request.user))
    last = Checkpoint.objects.order_by("-size").first()
    return render(request, "desk/audit/index.html", {"calls": rows, "checkpoint": last})


@login_required
@require_GET
def log(request: HttpRequest) -> HttpResponseBase:
    """The log of every call I audit, searched; with `?call=` of one. Files hold exactly the rows that were asked for."""
    scope.required(request.user)
    found = scope.calls(request.user)
    chosen = request.GET.get("call", "")
    of_one = [c for c in found if str(c.pk) == chosen]
    rows = scope.events(found.filter(pk=of_one[0].pk) if of_one else found)
    told = Words()
    named = rows.select_related("payload").annotate(index=F("place__index")).order_by("-id")
    table = Table(request, named, columns(told), name=_("台账"), filters=LogFilters, order=("-id",))
    if table.wants_file:
        told.load_all()
    else:
        told.load(table.page.object_list)
    for call in of_one:
        scope.remember(request.user, call, "download" if table.wants_file else "read", "log")
    return table.respond("desk/audit/log.html", {"call": of_one[0] if of_one else None})


@login_required
@require_GET
def event(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry to the byte: what is hashed, its place in the tree, the signed head that covers it."""
    row = scope.events(scope.calls(request.user)).filter(pk=pk).select_related("payload").first()
    if row is None:
        raise Http404(_("没有这条记录，或您无权查看。"))
    told = Words()
    told.load([row])
    place = AuditLeaf.objects.filter(event=row).first()
    head = Checkpoint.objects.filter(size__gt=place.index).order_by("size").first() if place is not None else None
    entry = entry_of(row)
    context = {
        "row": row, "entry": entry, "words": {"what": told.what(row), "who": told.who(row), "role": told.role(row), "way": told.way(row)},
        "leaf": stored_bytes(row.leaf).decode(), "place": place, "head": head,
        "hash": stored_bytes(place.leaf_hash).hex() if place is not None else "",
        "public": json.dumps(dict(entry.public), ensure_ascii=False, indent=2) if entry.public else "",
    }  # fmt: skip
    return render(request, "desk/audit/event.html", context)


@login_required
@require_GET
def call(request: HttpRequest, pk: Any) -> HttpResponse:
    """One call's audit: its tables with their sizes, its log, samples, who read what, and every project's whole path."""
    found = scope.one(request, pk)
    scope.remember(request.user, found, "read", "audit")
    opened = scope.opened(found)
    tables = [(code, table.name, table.rows(found).count() if opened else None) for code, table in RECORDS.items()]
    return render(request, "desk/audit/call.html", {"call": found, "tables": tables, "opened": opened})


@login_required
@require_GET
def records(request: HttpRequest, pk: Any, what: str) -> HttpResponseBase:
    """One table of a call, on the page or to take home with totals and the number of rows."""
    found, kind = scope.one(request, pk), RECORDS.get(what)
    if kind is None:
        raise Http404(_("没有这张表。"))
    rows = kind.rows(found) if scope.opened(found) else kind.rows(found).none()
    name = f"{found.code}-{kind.name}"
    empty = "" if scope.opened(found) else _("开标之前，任何人（包括审计）都看不到谁申报了。")
    table = Table(request, rows, kind.columns(), name=name, caption=kind.name, order=kind.order, total_of=kind.total_of, empty=empty)
    scope.remember(request.user, found, "download" if table.wants_file else "read", what, **({"format": table.wants_file} if table.wants_file else {}))
    return table.respond("desk/audit/records.html", {"call": found, "kind": kind})


@login_required
@require_GET
def conflicts(request: HttpRequest, pk: Any) -> HttpResponseBase:
    """Every check of conflicts of a call, what it found and what became of it; nothing before the bids are opened."""
    found = scope.one(request, pk)
    rows = checks.lines(found) if scope.opened(found) else []
    empty = _("还没有核对过。公布名单、抽取、打开材料、锁定和出具报告时都会核对，记录列在这里。")
    empty = empty if scope.opened(found) else _("开标之前，任何人（包括审计）都看不到谁申报了。")
    table = Table(request, rows, checks.COLUMNS, name=f"{found.code}-{_('回避核查记录')}", caption=_("回避核查记录"), filters=checks.ByKind, empty=empty)
    scope.remember(request.user, found, "download" if table.wants_file else "read", "conflicts", **({"format": table.wants_file} if table.wants_file else {}))
    panel = found.rules.review.panel
    return table.respond("desk/audit/conflicts.html", {"call": found, "panel": panel, "edges": panel.conflict_edges or EDGES})


@login_required
@require_GET
def readings(request: HttpRequest, pk: Any) -> HttpResponseBase:
    """Who read or took what of this call, for the agency as for its auditors."""
    found = scope.one(request, pk, staff=True)
    taken = Q(event__endswith=".read") | Q(event__endswith=".download") | Q(event="call.package")
    rows = AuditEvent.objects.filter(taken, scope=f"call:{found.pk}").select_related("payload")
    told = Words()
    table = Table(request, rows, _reading_columns(told), name=_("查阅与下载记录"), order=("-id",), empty=_("还没有审计查阅过这次征集。"))
    if table.wants_file:
        told.load_all()
    else:
        told.load(table.page.object_list)
    return table.respond("desk/audit/readings.html", {"call": found})


def _reading_columns(told: Words) -> tuple[Column, ...]:
    return (
        Column(_("时间"), "at", "datetime", sort="at"),
        Column(_("谁"), told.who, name="who"),
        Column(_("做了什么"), told.what, name="what"),
        Column(_("对象"), told.about, name="about"),
        Column(_("内容"), lambda row: _what_read(told.entry(row).public), name="content"),
        Column(_("对象编号"), lambda row: row.subject.partition(":")[2], "code", name="subject", shown=False),
    )


def _what_read(public: Any) -> str:
    code = str(public.get("what", ""))
    if "package" in public:
        return f"{_('审计资料包')} {str(public['package'])[:12]}…"
    named = {"log": _("台账"), "audit": _("审计总览"), "package": _("审计资料包"), "conflicts": _("回避核查记录")}
    name = RECORDS[code].name if code in RECORDS else named.get(code, code)
    return f"{name}（{public['format']}）" if public.get("format") else str(name)


@login_required
@require_http_methods(["GET", "POST"])
def samples(request: HttpRequest, pk: Any) -> HttpResponse:
    """The samples of a call, and freezing another list."""
    found = scope.one(request, pk)
    if not scope.opened(found):
        raise Http404(_("开标之后才能抽样。"))
    form = FreezeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = drawing.freeze(found, **form.terms(), by=request.user)
            messages.success(request, _("名单已锁定并写入台账。公共随机源产生以后再填写结果。"))
            return redirect("desk:audit_sample", found.pk, made)
        except Refusal as refusal:
            _tell(form, refusal)
    made_before = drawing.of_call(found)
    return render(request, "desk/audit/samples.html", {"call": found, "form": form, "samples": made_before}, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def sample(request: HttpRequest, pk: Any, sample: Any) -> HttpResponse:
    """One sample: enter the beacon's value once it fell, see what was drawn, and that it still comes out the same."""
    found = scope.one(request, pk)
    form = SayForm(request.POST or None, thrown=_one(found, sample).due is None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            drawing.say(found, str(_one(found, sample).id), form.cleaned_data["said"], by=request.user, evidence=form.cleaned_data["evidence"])
            messages.success(request, _("已抽出。名单、随机源和结果都在台账里，任何人都能重新计算。"))
            return redirect("desk:audit_sample", found.pk, sample)
        except Refusal as refusal:
            _tell(form, refusal)
            status = refusal.status
    if form.errors and status == 200:
        status = 422
    return render(request, "desk/audit/sample.html", {"call": found, "sample": _one(found, sample), "form": form}, status=status)


@login_required
@require_GET
def sample_json(request: HttpRequest, pk: Any, sample: Any) -> HttpResponse:
    """The sample as a file from which anybody draws again."""
    found = scope.one(request, pk)
    made = _one(found, sample)
    scope.remember(request.user, found, "download", "sample", sample=made.id)
    answer = JsonResponse(made.document(), json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = f'attachment; filename="sample-{found.code}-{made.of}-{made.number}.json"'
    return answer


def _one(call: Any, sample: Any) -> drawing.Sample:
    try:
        return drawing.get(call, str(sample))
    except LookupError as unknown:
        raise Http404(_("没有这次抽样。")) from unknown


def _tell(form: Any, refusal: Refusal) -> None:
    """The refusal beside the field it is about, or above the form."""
    problems = getattr(refusal, "problems", {}) or {None: [str(refusal)]}
    for field, sentences in problems.items():
        for sentence in sentences:
            form.add_error(field if field in form.fields else None, str(sentence))
