"""Pages of people: accounts, profile, organisations, who holds which role. Records and sponsors are in `registry_views`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.core.paginator import Paginator
from django.db.models import Case, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grants.people import security, services, visits
from grants.people.appointments import roles_changed
from grants.people.forms import AccountForm, AgencyForm, AppointForm, ParticularsForm, ProfileForm, show_refusal
from grants.people.models import Agency, Appointment, Organisation, Site
from grants.people.pages import roles_of
from grants.people.permissions import permissions_of, scope_model, scopes_held, scopes_with
from grants.people.roles import name_of
from grants.web.limits import by_address, limited
from grants.workflow.door import perform
from grants.workflow.refusals import NotYou, Refusal

PER_PAGE = 50
BACKEND = "django.contrib.auth.backends.ModelBackend"


def form_page(
    request: HttpRequest, form: forms.BaseForm, *, title: str, submit: str, back: str, lead: str = "", status: int = 0,
    **more: str,
) -> HttpResponse:
    """One form on one page; a form that was refused comes back as it was typed, with status 422 unless told otherwise.

    more: `other`, a second button, and `other_name`, the name it sends.
    """
    context = {"form": form, "title": title, "submit": submit, "back": back, "lead": lead, **more}
    return render(request, "people/form.html", context, status=status or (422 if form.is_bound and form.errors else 200))


def attempt(form: forms.Form, act: Callable[[], Any]) -> tuple[Any, int]:
    """(what `act` returned, 0), or (None, status) with the refusal's reasons put on the form."""
    try:
        return act(), 0
    except Refusal as refusal:
        show_refusal(form, refusal)
        return None, refusal.status


@limited("people.sign_up", "30/h", by_address)
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """注册账号; the person is signed in and goes on to register the organisation."""
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and (user := form.create()) is not None:
        login(request, user, backend=BACKEND)
        messages.success(request, _("账号已建立。下一步：登记单位；如果单位已经登记，请把您的用户名告诉单位签署人，由其任命。"))
        return redirect(_with_next("people:register", request))
    lead = _("先为您本人建立账号，再登记单位。账号属于个人，请不要多人共用。")
    return form_page(request, form, title=_("注册账号"), submit=_("建立账号"), back=reverse("desk:home"), lead=lead)


@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """登记单位, and submit it for verification in the same go. Without an account one is made first; `next` leads back to a call."""
    if not request.user.is_authenticated:
        return redirect(_with_next("people:sign_up", request))
    form = ParticularsForm(request.POST or None, request.FILES or None)
    status = 0
    if request.method == "POST" and form.is_valid():
        made, status = attempt(form, lambda: services.register_organisation(by=request.user, **form.tidied))  # type: ignore[misc, arg-type]
        if made is not None:
            _verify_at_once(request, made)
            roles_changed.send(sender=Organisation, request=request, user=request.user)
            return redirect(_next(request) or reverse("desk:object", args=["organisation", made.pk]))
    lead = _("请按登记证书或备案证明填写。您将成为本单位的签署人、填报人和财务，之后可以任命其他人。")
    back = reverse("people:organisations")
    return form_page(request, form, title=_("登记单位"), submit=_("保存为草稿"), back=back, lead=lead, status=status,
                     other=_("保存并提交核验"), other_name="verify")  # fmt: skip


def _verify_at_once(request: HttpRequest, made: Organisation) -> None:
    """Submit for verification if that was asked; when it cannot be (something is missing), say what, and keep the draft."""
    saved = _("单位已登记为草稿。核对无误后，请“提交核验”；核验期间可以开始填写申报书。")
    if "verify" not in request.POST:
        messages.success(request, saved)
        return
    try:
        perform(made, "submit", by=request.user)
        messages.success(request, _("单位已登记并提交核验。核验期间可以开始填写申报书。"))
    except Refusal as refusal:
        messages.warning(request, f"{saved} {refusal}")


def _next(request: HttpRequest) -> str:
    """Where the visitor came from on this site, or "": never an address elsewhere."""
    wanted = request.GET.get("next", "")
    return wanted if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else ""


def _with_next(name: str, request: HttpRequest) -> str:
    wanted = _next(request)
    return f"{reverse(name)}?{urlencode({'next': wanted})}" if wanted else reverse(name)


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """我的资料: name, reach, large type, and the roles held."""
    form = ProfileForm(request.POST or None, instance=request.user)  # type: ignore[arg-type]
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("资料已保存。"))
        return redirect("people:profile")
    roles = [(held, name_of(held.role)) for held in roles_of(request.user)]
    return render(request, "people/profile.html", {"form": form, "roles": roles}, status=422 if form.errors else 200)


@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """修改密码; every other session of this person ends."""
    form = PasswordChangeForm(request.user, request.POST or None)  # type: ignore[arg-type]
    if request.method == "POST" and form.is_valid():
        visits.end_all(form.save(), how="password", keep=request.session.session_key)
        security.note(security.Kind.PASSWORD, person=request.user, request=request)
        update_session_auth_hash(request, form.user)
        visits.moved(request)
        messages.success(request, _("密码已修改，其他设备上的登录都已结束。"))
        return redirect("people:profile")
    return form_page(request, form, title=_("修改密码"), submit=_("修改密码"), back=reverse("people:profile"))


@login_required
@require_GET
def organisations(request: HttpRequest) -> HttpResponse:
    """Organisations this person belongs to or keeps the register of; those that wait for verification first."""
    shown = Organisation.visible.filter(Organisation.objects.select_related("registrar"), request.user)
    state = request.GET.get("state", "")
    if state in Organisation.States.values:
        shown = shown.filter(state=state)
    urgency = Case(When(state="submitted", then=Value(0)), default=Value(1))
    page = Paginator(shown.order_by(urgency, "name"), PER_PAGE).get_page(request.GET.get("page"))
    mine = Organisation.objects.filter(scopes_held(request.user, Organisation, "pk")).exists()
    keeps = Agency.objects.filter(scopes_with(request.user, "verify_organisations", Agency, "pk")).exists()
    context = {"page": page, "state": state, "states": Organisation.States.choices, "mine": mine, "keeps": keeps}
    return render(request, "people/organisations.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def staff(request: HttpRequest, kind: str, pk: UUID) -> HttpResponse:
    """人员与角色 of one scope, past ones too; whoever may appoint there appoints here."""
    scope = _scope(request, kind, pk)
    form = AppointForm(request.POST or None, scope_kind=kind)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            user, role = form.cleaned_data["username"], form.cleaned_data["role"]
            made, status = attempt(form, lambda: services.appoint(user, role, scope, by=request.user))
            if made is not None:
                messages.success(request, _("已任命 %(who)s 为%(role)s。") % {"who": user, "role": name_of(role)})
                return redirect("people:staff", kind=kind, pk=pk)
    rows = Appointment.objects.filter(scope_kind=kind, scope_id=pk).select_related("user", "appointed_by")
    held = [(row, name_of(row.role)) for row in rows.order_by("-until", "role", "since")]
    context = {"scope": scope, "kind": kind, "form": form, "held": held, "link": _page_of(kind, scope)}
    return render(request, "people/staff.html", context, status=status)


@login_required
@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """结束任职."""
    held = get_object_or_404(Appointment, pk=pk)
    _scope(request, held.scope_kind, held.scope_id)
    try:
        services.dismiss(held, by=request.user)
        messages.success(request, _("已结束任职。"))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("people:staff", kind=held.scope_kind, pk=held.scope_id)


def _scope(request: HttpRequest, kind: str, pk: UUID) -> Any:
    """The scope, for whoever may appoint on it; 404 for an unknown one, NotYou otherwise."""
    try:
        model = scope_model(kind)
    except LookupError as unknown:
        raise Http404 from unknown
    scope = get_object_or_404(model, pk=pk)
    if not services.may_appoint(scope, request.user):
        raise NotYou(_("这一页只供有任命权的人员使用。"), rule="may_appoint")
    return scope


def _page_of(kind: str, scope: Any) -> str:
    return reverse("people:agencies") if kind == "agency" else reverse("desk:object", args=[kind, scope.pk])


@login_required
@require_http_methods(["GET", "POST"])
def agencies(request: HttpRequest) -> HttpResponse:
    """主办方名单: the 系统管理员 sets agencies up, the 安全管理员 appoints their people."""
    held = permissions_of(request.user, Site())
    if not held & {"keep_agencies", "appoint_staff"}:
        raise NotYou(_("这一页只供系统管理员和安全管理员使用。"), rule="administrator")
    form = AgencyForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            made, status = attempt(form, lambda: services.create_agency(by=request.user, **form.cleaned_data))
            if made is not None:
                messages.success(request, _("已建立主办方。下一步：由安全管理员任命经办、负责人、财务和审计。"))
                return redirect("people:agencies")
    context = {
        "form": form, "agencies": Agency.objects.order_by("name"),
        "makes": "keep_agencies" in held, "appoints": "appoint_staff" in held,
    }  # fmt: skip
    return render(request, "people/agencies.html", context, status=status)
