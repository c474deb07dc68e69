"""What everybody may read: the list of calls, a notice, its versions, and the files of its rules."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Case, Value, When
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from grants import ledger
from grants.calls import questioning
from grants.calls.machine import CallStates
from grants.calls.models import Call, RulesVersion
from grants.people.models import Agency
from grants.people.permissions import permissions_of, scopes_with

S = CallStates
PER_PAGE = 50


@require_GET
def public_list(request: HttpRequest) -> HttpResponse:
    """征集公告: what is open first, then what comes, then what was. No account needed."""
    order = Case(When(state=S.OPEN, then=Value(0)), When(state=S.PUBLISHED, then=Value(1)), default=Value(2))
    shown = Call.visible.filter(Call.objects.select_related("agency", "rules_version"), request.user)
    page = Paginator(shown.order_by(order, "-opens_at", "code"), PER_PAGE).get_page(request.GET.get("page"))
    drafts = request.user.is_authenticated and Agency.objects.filter(
        scopes_with(request.user, "draft_calls", Agency, "pk")
    ).exists()
    return render(request, "calls/list.html", {"page": page, "may_draft": drafts})


@require_GET
def public(request: HttpRequest, code: str) -> HttpResponse:
    """One notice: timetable, money, who may bid, every question of the form, how it is judged, paid and evaluated."""
    call = visible(request, code)
    if call.rules_version is None:
        raise Http404(_("这次征集还没有规则。"))
    from grants.calls.rulebook.deadline import policy  # noqa: PLC0415 - pydantic is slow to import

    context = {
        "call": call,
        "rules": call.rules,
        "reason": _why_cancelled(call),
        "bids": call.state in (S.PUBLISHED, S.OPEN),
        "answers": list(questioning.published(call)),
        "policy": policy(call.rules, call.closes_at, get_language() or "zh"),
    }
    return render(request, "calls/public.html", context)


def visible(request: HttpRequest, code: str) -> Call:
    """The call of that code if this visitor may see it; 404 otherwise, whether or not it exists."""
    rows = Call.objects.select_related("agency", "operator", "rules_version").filter(code=code)
    found = Call.visible.filter(rows, request.user).first()
    if found is None:
        raise Http404(_("没有这次征集，或还没有公开。"))
    return found


def _why_cancelled(call: Call) -> str:
    """The reason the agency gave; a public notice must say it."""
    if call.state != S.CANCELLED:
        return ""
    reasons = [entry.private.get("note", "") for entry in ledger.history(call.subject) if entry.verb == "cancel" and entry.private]
    return str(reasons[-1]) if reasons else ""


@require_GET
def versions(request: HttpRequest, code: str) -> HttpResponse:
    """规则版本与差异. Drafted addenda are shown to the agency's people only."""
    call = visible(request, code)
    rows = call.versions.select_related("created_by").order_by("-number")
    staff = is_staff(request, call)
    shown = rows if staff else rows.filter(frozen_at__isnull=False)
    return render(request, "calls/versions.html", {"call": call, "versions": shown, "staff": staff})


@require_GET
def preview(request: HttpRequest, code: str) -> HttpResponse:
    """The application form as applicants will meet it, for the agency's people: nothing typed here is kept."""
    call = visible(request, code)
    if call.rules_version is None or not is_staff(request, call):
        raise Http404(_("没有这次征集，或还没有公开。"))
    version = (call.draft_addendum if call.published_at else None) or call.rules_version
    return render(request, "calls/preview.html", {"call": call, "rules": version.rules, "version": version})


def is_staff(request: HttpRequest, call: Call) -> bool:
    return bool(permissions_of(request.user, call.agency)) or bool(permissions_of(request.user, call))


def _version(request: HttpRequest, code: str, number: int) -> RulesVersion:
    call = visible(request, code)
    version = get_object_or_404(RulesVersion, call=call, number=number)
    if version.frozen_at is None and not is_staff(request, call):
        raise Http404(_("这个版本还没有公开。"))
    return version


@require_GET
def as_toml(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """A version as call.toml, to be kept, compared or imported elsewhere."""
    from grants.calls.rulebook import toml  # noqa: PLC0415 - pydantic is slow to import

    version = _version(request, code, number)
    response = HttpResponse(toml.dumps(version.rules), content_type="application/toml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{code}-v{number}.toml"'
    return response


@require_GET
def as_json(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """A version's canonical bytes: their SHA-256 is the hash in the ledger."""
    version = _version(request, code, number)
    response = HttpResponse(version.document.encode(), content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{code}-v{number}.json"'
    return response


@require_GET
def schema(request: HttpRequest) -> HttpResponse:
    """The JSON Schema of a call's rules, for editors and other programs."""
    from grants.calls.rulebook.schema import json_schema  # noqa: PLC0415 - as above

    return JsonResponse(json_schema(), json_dumps_params={"ensure_ascii": False, "indent": 1})
