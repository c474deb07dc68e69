"""Open to everybody without an account: notices, one notice with its sheet, objecting, results."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from grants import clock
from grants.awards import services
from grants.awards.forms import ObjectionForm, show_refusal
from grants.awards.models import Award, PublicNotice
from grants.awards.notice_body import shown
from grants.awards.showing.audience import audience
from grants.awards.views import who
from grants.calls.models import Call
from grants.documents.download import download
from grants.web.limits import by_address, limited
from grants.workflow.refusals import Refusal

PER_PAGE = 50
STANDING = ("confirmed", "active", "closed", "terminated")


@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """Every notice, newest first; open ones say until when."""
    rows = PublicNotice.objects.select_related("call__agency").order_by("-published_at", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "awards/notices.html", {"page": page, "now": clock.now()})


def _notice(pk: int) -> PublicNotice:
    return get_object_or_404(PublicNotice.objects.select_related("call__agency", "call__rules_version", "file"), pk=pk)


@require_GET
def notice(request: HttpRequest, pk: int) -> HttpResponse:
    """The notice as published, how many days are left, and how to object."""
    found = _notice(pk)
    now = clock.now()
    days = (found.objections_end.astimezone(clock.TZ).date() - clock.today()).days
    states = dict(Award.objects.filter(notice=found).values_list("number", "state"))
    body = shown(found.body)
    rows = [{**row, "cancelled": states.get(row["number"]) == "cancelled"} for row in body["rows"]]
    context = {"notice": found, "body": body, "rows": rows, "open": now < found.objections_end, "days": max(days, 1)}
    context["reviewed"] = audience(found.call, who(request)) is not None
    return render(request, "awards/notice.html", context)


@require_GET
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """The printed notice, for everybody."""
    found = _notice(pk)
    if found.file is None:
        raise Http404(_("公示文件还在生成，请稍候再试。"))
    return download(found.file, name=f"{found.number}.pdf")  # type: ignore[return-value]


@limited("awards.object", "10/h", by_address)
@require_http_methods(["GET", "POST"])
def object_to(request: HttpRequest, pk: int) -> HttpResponse:
    """提出异议; what was typed comes back with the reason when it cannot be filed."""
    found = _notice(pk)
    form = ObjectionForm(request.POST or None, request.FILES or None, notice=found)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            made = _file(form, found, request)
            if made is not None:
                request.session["objection_filed"] = made.number
                return redirect("awards:objected", pk=found.pk)
        status = 422
    context = {"notice": found, "form": form, "open": clock.now() < found.objections_end}
    return render(request, "awards/object.html", context, status=status)


def _file(form: ObjectionForm, notice: PublicNotice, request: HttpRequest) -> Any:
    try:
        return services.file_objection(notice, by=who(request), **form.cleaned_data)
    except Refusal as refusal:
        show_refusal(form, refusal)
        return None


@require_GET
def objected(request: HttpRequest, pk: int) -> HttpResponse:
    """The number of the objection just filed, and what happens next."""
    number = request.session.get("objection_filed")
    if not number:
        return redirect("awards:notice", pk=pk)
    return render(request, "awards/objected.html", {"notice": _notice(pk), "number": number})


@require_GET
def results(request: HttpRequest, code: str) -> HttpResponse:
    """Confirmed projects of a call: number, name, organisation, amount, state."""
    call = get_object_or_404(Call.visible.filter(Call.objects.select_related("agency"), who(request)), code=code)
    rows = Award.objects.filter(call=call, state__in=STANDING).select_related("bid__organisation", "bid__sponsor").order_by("number")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {"call": call, "page": page, "notices": call.notices.order_by("pk"), "reviewed": audience(call, who(request)) is not None}
    return render(request, "awards/results.html", context)
