"""Pages of needs: the public list and page, proposing and backing without an account, the receipt, the officers' desk."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from grants.calls.models import Call
from grants.calls.needs import backing, services
from grants.calls.needs.fields import ServiceField
from grants.calls.needs.forms import ProposeForm
from grants.calls.needs.models import Need, NeedBacking
from grants.calls.needs.rules import PUBLIC_STATES
from grants.people.forms import show_refusal
from grants.people.models import Agency
from grants.people.permissions import permissions_of, scopes_with
from grants.people.revealing_views import after_a_reason
from grants.web.caching import cacheable
from grants.web.limits import by_address, limited
from grants.workflow.door import perform
from grants.workflow.refusals import NotYou, Refusal
from grants.workflow.rules import PUBLIC

PER_PAGE = 100
SENT = "need_sent"
OPEN = ("proposed", "checked", "published")


def who(request: HttpRequest) -> Any:
    """The actor behind a request: the signed-in person, or the public."""
    return request.user if request.user.is_authenticated else PUBLIC


def newest_backing() -> object:
    """Changes with every backing: they are counted, not ledgered."""
    return NeedBacking.objects.order_by("-pk").values_list("pk", flat=True).first()


def public_needs() -> Any:
    """Every need that anybody may see, whoever asks."""
    return Need.visible.filter(Need.objects.filter(state__in=PUBLIC_STATES), PUBLIC).select_related("agency", "organisation", "call")


def filtered(rows: Any, request: HttpRequest) -> tuple[Any, dict[str, str]]:
    """Rows narrowed by `field`, `street`, `state` and words from the query string, and what was asked (unknown values are ignored)."""
    asked = {name: request.GET.get(name, "").strip()[:40] for name in ("field", "street", "state", "q")}
    for name in ("field", "street", "state"):
        if asked[name]:
            rows = rows.filter(**{name: asked[name]})
    if asked["q"]:
        rows = rows.filter(Q(title__icontains=asked["q"]) | Q(who__icontains=asked["q"]) | Q(community__icontains=asked["q"]))
    return rows, asked


def _query(asked: dict[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})


def _choices(rows: Any) -> dict[str, Any]:
    """Streets that occur, and all fields, for the filters. One query."""
    streets = sorted(set(rows.order_by().values_list("street", flat=True)))
    return {"fields": ServiceField.choices, "streets": streets}


@require_GET
@cacheable(also=newest_backing)
def listed(request: HttpRequest) -> HttpResponse:
    """需求清单: what residents asked for, most backed first."""
    rows, asked = filtered(public_needs(), request)
    page = Paginator(rows.order_by("state", "-backed", "-people", "number"), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "asked": asked, "query": _query(asked), **_choices(public_needs()), "states": _open_or_met()}
    return render(request, "needs/list.html", context)


def _open_or_met() -> list[tuple[str, Any]]:
    return [("published", _("等待回应")), ("met", _("已回应"))]


def _found(number: str) -> Need:
    """The need of that number if the public may see it; 404 otherwise, whether or not it exists."""
    rows = Need.objects.select_related("agency", "organisation", "call", "merged_into").filter(number=number)
    found = Need.visible.filter(rows, PUBLIC).first()
    if found is None:
        raise Http404(_("没有这条需求，或还没有公开。"))
    return found


@require_GET
@cacheable(also=newest_backing)
def show(request: HttpRequest, number: str) -> HttpResponse:
    """One need; a merged one leads to where it went."""
    need = _found(number)
    if need.state == "merged":
        return _into(need.merged_into)
    call = need.call if need.call is not None and need.call.published_at else None
    return render(request, "needs/show.html", {"need": need, "call": call})


def _into(other: Need | None) -> HttpResponse:
    """To the need that this one became part of, if that one is public."""
    if other is None or other.state not in PUBLIC_STATES:
        raise Http404(_("这条需求已并入另一条，那一条还没有公开。"))
    return redirect("needs:show", number=other.number)


@limited("needs.propose", "20/h", by_address)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """提出需求; what was typed comes back with the reason when it cannot be handed in."""
    initial = {name: request.GET[name] for name in ("field", "street") if name in request.GET}
    form = ProposeForm(request.POST or None, actor=who(request), initial=initial)
    status = 200
    if request.method == "POST":
        made, status = _propose(request, form)
        if made is not None:
            request.session[SENT] = made.receipt
            return redirect("needs:sent")
        if form.is_a_program():
            return redirect("needs:list")
    streets = sorted(set(public_needs().order_by().values_list("street", flat=True)))
    return render(request, "needs/new.html", {"form": form, "streets": streets}, status=status)


def _propose(request: HttpRequest, form: ProposeForm) -> tuple[Need | None, int]:
    if form.is_a_program() or not form.is_valid():
        return None, 422
    values = form.details()
    try:
        return services.propose(form.cleaned_data["agency"], by=who(request), **values), 200
    except Refusal as refusal:
        show_refusal(form, refusal)
        return None, refusal.status


@require_GET
def sent(request: HttpRequest) -> HttpResponse:
    """Number and receipt of the need just handed in, and what happens next."""
    need = Need.objects.filter(receipt=request.session.get(SENT, "")).select_related("agency").first()
    return render(request, "needs/sent.html", {"need": need}) if need is not None else redirect("needs:list")


@require_http_methods(["GET", "POST"])
def receipt(request: HttpRequest, receipt: str) -> HttpResponse:
    """Where one's own need stands, by the secret printed after proposing; and erasing one's contact data."""
    need = get_object_or_404(Need.objects.select_related("agency", "merged_into"), receipt=receipt)
    if request.method == "POST":
        services.erase_contact(need, by=PUBLIC, receipt=receipt)
        messages.success(request, _("您的称呼和联系方式已经删除。"))
        return redirect("needs:receipt", receipt=receipt)
    answer = render(request, "needs/receipt.html", {"need": need})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@limited("needs.back", "60/h", by_address)
@require_http_methods(["GET", "POST"])
def back(request: HttpRequest, number: str) -> HttpResponse:
    """我也需要: once per browser, counted, advisory."""
    need = _found(number)
    if request.method == "GET" or need.state != "published":
        return render(request, "needs/back.html", {"need": need}, status=200 if need.state == "published" else 409)
    if not request.session.session_key:
        request.session.create()
    new_one = backing.back(need, str(request.session.session_key))
    messages.success(request, _("已记下：您也需要。") if new_one else _("您已经附议过这条需求，不重复计数。"))
    return redirect("needs:show", number=need.number)


@login_required
@require_http_methods(["GET", "POST"])
def desk(request: HttpRequest) -> HttpResponse:
    """需求工作台: what waits to be checked, and published needs to take into a draft call."""
    offices = Agency.objects.filter(scopes_with(request.user, "draft_calls", Agency, "pk"))
    if not offices.exists():
        raise NotYou(_("需求由主办方经办核实；您没有这个角色。"), rule="may_draft_calls")
    if request.method == "POST":
        return _act(request, offices)
    mine = Need.objects.filter(agency__in=offices)
    rows, asked = filtered(mine.select_related("agency", "call"), request)
    if not asked["state"]:
        rows = rows.filter(state__in=OPEN)
    page = Paginator(rows.order_by("street", "field", "created_at"), PER_PAGE).get_page(request.GET.get("page"))
    drafts = Call.objects.filter(agency__in=offices, state="draft").order_by("code")
    context = {"page": page, "asked": asked, "query": _query(asked), "drafts": drafts, "states": Need.States.choices, **_choices(mine)}
    return render(request, "needs/desk.html", context)


def _act(request: HttpRequest, offices: Any) -> HttpResponse:
    """Publish or list the ticked needs: each through the door; the first refusal stops and says why, nothing half done."""
    rows = list(Need.objects.filter(agency__in=offices, pk__in=_ticked(request)).select_related("agency").order_by("number"))
    try:
        with transaction.atomic():
            done = _do(request, rows, offices)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect(f"{request.path}?{request.GET.urlencode()}")


def _do(request: HttpRequest, rows: list[Need], offices: Any) -> str:
    if not rows:
        return _("没有勾选需求。")
    if request.POST.get("act") == "publish":
        for need in rows:
            perform(need, "publish", by=request.user)
        return _("已公开 %(n)d 条需求。") % {"n": len(rows)}
    call = get_object_or_404(Call.objects.select_related("agency", "rules_version").filter(agency__in=offices), pk=request.POST.get("call") or None)
    services.attach(rows, call, by=request.user)  # type: ignore[arg-type]
    return _("已把 %(n)d 条需求列入「%(call)s」的需求指引。") % {"n": len(rows), "call": call}


def _ticked(request: HttpRequest) -> list[str]:
    def is_id(text: str) -> bool:
        try:
            uuid.UUID(text)
        except ValueError:
            return False
        return True

    return [pk for pk in request.POST.getlist("need") if is_id(pk)]


@login_required
@require_http_methods(["GET", "POST"])
def contact(request: HttpRequest, number: str) -> HttpResponse:
    """Name and contact in full, for the officer who calls back and says what for; the reading is in the ledger."""
    need = get_object_or_404(Need.visible.filter(Need.objects.select_related("agency"), request.user), number=number)
    if "draft_calls" not in permissions_of(request.user, need.agency):
        raise NotYou(_("联系方式只供核实需求的经办查看。"), rule="may_draft_calls")
    look = lambda reason: services.read_contact(need, by=request.user, reason=reason)  # type: ignore[arg-type] # noqa: E731 - the page calls it once
    return after_a_reason(request, "needs/contact.html", {"need": need}, look, hint=_("例如：电话核实服务人数。用途和您的身份记入台账，审计可以看到。"))
