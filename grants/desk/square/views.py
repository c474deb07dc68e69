"""Pages of the public square. Everything they print comes out of `records`, `supply` or a gated notice; none asks who is looking."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from grants import clock
from grants.awards.models import Award, Decision, PublicNotice
from grants.calls.models import Call
from grants.calls.needs.fields import ServiceField
from grants.calls.needs.views import newest_backing, public_needs
from grants.desk.square import records, supply
from grants.desk.square.whitelist import public
from grants.money import ZERO
from grants.people.models import Organisation
from grants.web.caching import cacheable
from grants.web.display import COLUMNS, choose
from grants.workflow.rules import PUBLIC

PER_PAGE = 100
TEASER = 5


def paged(request: HttpRequest, rows: Any) -> Any:
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))


def front(request: HttpRequest) -> HttpResponse:
    """The visitor's first page: what one may bid for, object to, ask for; what was funded; where the holes are."""
    return cacheable(also=newest_backing)(_front)(request)  # type: ignore[return-value]


def _front(request: HttpRequest) -> HttpResponse:
    now = clock.now()
    running = PublicNotice.objects.filter(ends_at__gt=now).select_related("call__agency", "call__rules_version").order_by("ends_at")
    rows = supply.funded()
    matrix = supply.gap_map(rows)
    context = {
        "calls": records.open_calls()[:TEASER],
        "notices": records.notice_records(list(running[:TEASER])),
        "needs": public_needs().filter(state="published").order_by("-backed", "-people", "number")[:TEASER],
        "short": supply.in_short(rows),
        "unserved": [(ServiceField(row.field).label, row.total) for row in matrix.unserved],
        "needed": matrix.total.needs,
    }
    return render(request, "square/front.html", context)


# --- calls -------------------------------------------------------------------------------------------------------------------


@require_GET
@cacheable()
def calls(request: HttpRequest) -> HttpResponse:
    """Open calls, filtered by field, street, who may apply, amount and deadline; closed rounds with their results below."""
    asked = {name: request.GET.get(name, "").strip()[:40] for name in ("field", "street", "kind", "amount", "within")}
    every = records.open_calls()
    past = paged(request, records.past_calls())
    context = {
        "calls": [call for call in every if _fits(call, asked)], "all": len(every), "asked": asked, "page": past,
        "past": records.past_records(list(past.object_list)), "query": _query(asked),
        "fields": ServiceField.choices, "kinds": list(records.KINDS.items()),
        "streets": [(s, s) for s in sorted({s for call in every for s in call["streets"]})],
        "within": [("7", _("7 天内截止")), ("30", _("30 天内截止"))],
        "amounts": [("10000", _("1 万元以上")), ("50000", _("5 万元以上")), ("100000", _("10 万元以上"))],
        "labels": dict(ServiceField.choices), "kind_labels": records.KINDS,
    }  # fmt: skip
    return render(request, "square/calls.html", context)


def _fits(call: dict[str, Any], asked: dict[str, str]) -> bool:
    """Whether a call answers the filter; what is not a number is not asked."""
    amount, within = (int(asked[n]) if asked[n].isascii() and asked[n].isdigit() else None for n in ("amount", "within"))
    return (
        (not asked["field"] or asked["field"] in call["fields"])
        and (not asked["street"] or asked["street"] in call["streets"])
        and (not asked["kind"] or asked["kind"] in call["kinds"])
        and (amount is None or call["cap"] >= amount)
        and (within is None or call["days_left"] <= within)
    )


def _query(asked: dict[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})


def _call(code: str) -> Call:
    rows = Call.objects.select_related("agency").filter(code=code)
    found = Call.visible.filter(rows, PUBLIC).first()
    if found is None:
        raise Http404(_("没有这次征集，或还没有公开。"))
    return found


@require_GET
@cacheable()
def results(request: HttpRequest, code: str) -> HttpResponse:
    """Every ranked bid with score, decision and reason, once the notice is out; the unfunded by number alone."""
    call = _call(code)
    notices = list(PublicNotice.objects.filter(call=call).select_related("call__agency", "call__rules_version").order_by("pk"))
    rows = Decision.objects.filter(call=call).select_related("bid__organisation").order_by("-awarded", "rank", "pk") if notices else Decision.objects.none()
    page = paged(request, rows)
    states = {
        bid: (number, state, str(Award.States(state).label))
        for bid, number, state in Award.objects.filter(call=call).values_list("bid_id", "number", "state")
    }
    context = {
        "call": public("call", {"code": call.code, "title": call.title, "agency": call.agency.name, "state": call.state}), "page": page,
        "rows": records.result_records(list(page.object_list), states), "notices": records.notice_records(notices),
    }  # fmt: skip
    return render(request, "square/results.html", context)


# --- notices -----------------------------------------------------------------------------------------------------------------


@require_GET
@cacheable()
def notices(request: HttpRequest) -> HttpResponse:
    """Running notices with the working days left, and those that are over."""
    rows = PublicNotice.objects.select_related("call__agency", "call__rules_version").order_by("-ends_at", "-pk")
    page = paged(request, rows)
    found = records.notice_records(list(page.object_list))
    context = {"page": page, "running": [n for n in found if n["running"]], "over": [n for n in found if not n["running"]]}
    return render(request, "square/notices.html", context)


@require_GET
@cacheable()
def objections(request: HttpRequest, pk: int) -> HttpResponse:
    """The objections to one notice: number, day, project, state."""
    notice = get_object_or_404(PublicNotice.objects.select_related("call__agency", "call__rules_version"), pk=pk)
    context = {"notice": records.notice_records([notice])[0], "rows": records.objection_records(notice)}
    return render(request, "square/objections.html", context)


# --- projects and organisations ----------------------------------------------------------------------------------------------


@require_GET
@cacheable()
def projects(request: HttpRequest) -> HttpResponse:
    """Funded projects, newest first; filtered by field, street and year."""
    asked = {name: request.GET.get(name, "").strip()[:40] for name in ("field", "street", "year")}
    every = supply.funded()
    chosen = [f for f in every if all(not asked[n] or str(getattr(f, n)) == asked[n] for n in asked)]
    chosen.sort(key=lambda f: (-f.year, f.number))
    page = paged(request, chosen)
    context = {
        "page": page, "rows": _projects(list(page.object_list)), "asked": asked, "query": _query(asked), "short": supply.in_short(chosen),
        "fields": ServiceField.choices, "streets": [(s, s) for s in sorted({f.street for f in every})],
        "years": [(str(y), str(y)) for y in sorted({f.year for f in every}, reverse=True)],
    }  # fmt: skip
    return render(request, "square/projects.html", context)


def _projects(found: list[supply.Funded]) -> list[dict[str, Any]]:
    rows = Award.objects.select_related("bid__organisation", "bid__sponsor", "call__agency").in_bulk([f.pk for f in found])
    return [records.project_record(rows[f.pk], f) for f in found]


@require_GET
@cacheable()
def project(request: HttpRequest, number: str) -> HttpResponse:
    """One funded project: money, targets and what was reached, grades, closing."""
    place = next((f for f in supply.funded() if f.number == number), None)
    if place is None:
        raise Http404(_("没有这个项目，或还没有确认立项。"))
    award = Award.objects.select_related("bid__organisation", "bid__sponsor", "bid__rules_version", "call__agency", "surplus").get(pk=place.pk)
    parts = records.project_parts(award)
    paid = sum((t["amount"] for t in parts["tranches"] if t["state"] == "paid"), ZERO)
    return render(request, "square/project.html", {"project": records.project_record(award, place), "paid": paid, **parts})


@require_GET
@cacheable()
def organisations(request: HttpRequest) -> HttpResponse:
    """Organisations that were funded."""
    page = paged(request, records.organisations())
    return render(request, "square/organisations.html", {"page": page, "rows": [records.organisation_record(row) for row in page.object_list]})


def organisation_of(pk: Any) -> Organisation:
    """A verified organisation; 404 for drafts, whose existence is nobody's business."""
    return get_object_or_404(Organisation.objects.filter(state__in=("verified", "suspended")), pk=pk)


@require_GET
@cacheable()
def organisation(request: HttpRequest, pk: Any) -> HttpResponse:
    """An organisation's record, award by award."""
    found = organisation_of(pk)
    counted = records.organisations().filter(pk=found.pk).first()
    grade = found.grades.filter(valid_from__lte=clock.today(), valid_to__gte=clock.today()).first()
    if counted is None:
        found.funded, found.money, found.ended, found.broken = 0, ZERO, 0, 0
    head = records.organisation_record(counted or found, grade.grade if grade else "")
    return render(request, "square/organisation.html", {"organisation": head, "rows": records.track(found)})


# --- the rest ----------------------------------------------------------------------------------------------------------------


@require_GET
def prefer(request: HttpRequest) -> HttpResponse:
    """Remember a visitor's language, large type or contrast and go back: links, so that the page before needs no form and no cookie."""
    back = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    answer = redirect(back if safe else reverse("square:front"))
    if request.GET.get("to") in dict(settings.LANGUAGES):
        year, secure = 365 * 24 * 3600, settings.SESSION_COOKIE_SECURE
        answer.set_cookie(settings.LANGUAGE_COOKIE_NAME, request.GET["to"], max_age=year, samesite="Lax", secure=secure, httponly=True)
    if request.GET.get("show") in COLUMNS and not request.user.is_authenticated:
        choose(request, answer, request.GET["show"], on=True)
    return answer
