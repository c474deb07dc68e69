"""Pages of the three administrators. Each asks `require_site` for the one permission it needs; a superuser has none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grants import ledger
from grants.people import health, security, services, visits
from grants.people.models import AccountRequest, Appointment, SecurityEvent, Site, User
from grants.people.permissions import permissions_of
from grants.people.roles import ROLES, SITE, name_of
from grants.people.site_forms import AccountFilter, AppointmentFilter, BecauseForm, LogFilter, OpenForm, RequestForm
from grants.people.views import attempt, form_page
from grants.web.cells import Column
from grants.web.tables import Table
from grants.workflow.refusals import NotYou, Refusal


def require_site(request: HttpRequest, *permissions: str) -> frozenset[str]:
    """What this administrator may; NotYou unless they hold one of `permissions` (any of the offices when none is named)."""
    held = permissions_of(request.user, Site())
    if not (held & set(permissions) if permissions else held):
        raise NotYou(_("这一页只供%(who)s使用。") % {"who": _whose(permissions)}, rule="administrators_only")
    return held


def _whose(permissions: tuple[str, ...]) -> str:
    offices = [role for role in ROLES if role.scope == SITE]
    return "、".join(str(role.name) for role in offices if not permissions or set(permissions) & set(role.permissions))


@login_required
@require_GET
def site(request: HttpRequest) -> HttpResponse:
    """平台管理: what this administrator does here, and who the other two are."""
    held = require_site(request)
    offices = [(role, [a.user for a in services.active(role=role.code).select_related("user")]) for role in ROLES if role.scope == SITE]
    waiting = AccountRequest.objects.filter(state=AccountRequest.States.ASKED).count()
    return render(request, "people/site/site.html", {"held": held, "offices": offices, "waiting": waiting})


ACCOUNTS = (
    Column(gettext_lazy("姓名"), "name", sort="name", url=lambda user: reverse("people:account", args=[user.pk])),
    Column(gettext_lazy("用户名"), "username", "code", sort="username"),
    Column(gettext_lazy("状态"), lambda user: _state(user)[1], name="state", tag=lambda user: _state(user)[0]),
    Column(gettext_lazy("管理员"), lambda user: user.get_administers_display(), name="administers"),
    Column(gettext_lazy("在任角色数"), "offices", "number", sort="offices"),
    Column(gettext_lazy("第二重验证"), lambda user: _("已设置") if user.factors else "", name="factors"),
    Column(gettext_lazy("上次登录"), "last_login", "datetime", sort="last_login"),
    Column(gettext_lazy("注册"), "date_joined", "datetime", sort="date_joined", shown=False),
)


def _state(user: User) -> tuple[str, str]:
    if not user.is_active:
        return "closed", _("已停用")
    if user.vouched_at is None:
        return "draft", _("身份未核对")
    return "verified", _("使用中")


@login_required
@require_GET
def accounts(request: HttpRequest) -> HttpResponseBase:
    """账号: search, filter, take home."""
    held = require_site(request, "keep_accounts", "unlock_accounts")
    roles = Appointment.objects.filter(user=OuterRef("pk"), until=None).order_by().values("user").annotate(n=Count("pk")).values("n")
    real = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type="recovery_codes").order_by().values("user")
    rows = User.objects.annotate(
        offices=Coalesce(Subquery(roles), 0), factors=Coalesce(Subquery(real.annotate(n=Count("pk")).values("n")), 0)
    )
    table = Table(request, rows, ACCOUNTS, name=_("账号"), filters=AccountFilter, order=("name",), empty=_("没有符合条件的账号。"))
    if table.wants_file:
        security.note(security.Kind.DOWNLOADED, by=request.user, request=request, detail=f"accounts.{table.wants_file}")
    return table.respond("people/site/accounts.html", {"held": held})


@login_required
@require_http_methods(["GET", "POST"])
def open_account(request: HttpRequest) -> HttpResponse:
    """开立账号; what comes next is the link for its owner."""
    require_site(request, "keep_accounts")
    form = OpenForm(request.POST or None)
    status = 0
    if request.method == "POST" and form.is_valid():
        made, status = attempt(form, lambda: services.open_account(by=request.user, **form.cleaned_data))  # type: ignore[misc, arg-type]
        if made is not None:
            messages.success(request, _("账号已开立。请把下面的首次登录链接交给本人，由本人设置密码。"))
            return redirect("people:account", pk=made.pk)
    lead = _("请先核对本人的身份证件和单位介绍信。账号没有密码，由本人通过一次性链接设置；您不会知道密码。")
    back = reverse("people:accounts")
    return form_page(request, form, title=_("开立账号"), submit=_("开立"), back=back, lead=lead, status=status)


@login_required
@require_GET
def account(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One account: facts, offices, sessions, requests, and what this administrator may do with it."""
    held = require_site(request, "keep_accounts", "unlock_accounts")
    user = get_object_or_404(User.objects.select_related("vouched_by"), pk=pk)
    link = services.welcome_link(user) if "keep_accounts" in held and user.is_active and not user.has_usable_password() else ""
    context = {
        "user_shown": user, "state": _state(user), "held": held, "open_visits": visits.open_visits(user),
        "welcome": request.build_absolute_uri(link) if link else "",
        "roles": [(row, name_of(row.role)) for row in user.appointments.order_by("-until", "role", "since")],
        "factors": Authenticator.objects.filter(user=user), "requests": user.account_requests.order_by("-created_at")[:20],
        "myself": user.pk == request.user.pk,
    }  # fmt: skip
    return render(request, "people/site/account.html", context)


Act = Callable[[User, Any], Any]
ACTS: dict[str, tuple[Any, Act]] = {
    "vouch": (gettext_lazy("已记录：身份核对无误。"), lambda user, by: services.vouch(user, by=by)),
    "reactivate": (gettext_lazy("账号已恢复。"), lambda user, by: services.reactivate(user, by=by)),
    "unlock": (gettext_lazy("锁定已解除，请本人重新登录。"), lambda user, by: services.unlock(user, by=by)),
    "sign-out": (gettext_lazy("此人的所有登录都已结束。"), lambda user, by: services.end_sessions(user, by=by)),
}


@login_required
@require_POST
def act(request: HttpRequest, pk: UUID, what: str) -> HttpResponse:
    """One act on an account; the service decides whether this administrator may."""
    require_site(request, "keep_accounts", "unlock_accounts")
    user = get_object_or_404(User, pk=pk)
    said, carry_out = ACTS[what]
    try:
        carry_out(user, request.user)
        messages.success(request, str(said))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("people:account", pk=pk)


@login_required
@require_http_methods(["GET", "POST"])
def deactivate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """停用账号, with a reason."""
    require_site(request, "keep_accounts")
    user, form, status = get_object_or_404(User, pk=pk), BecauseForm(request.POST or None), 0
    back = reverse("people:account", args=[pk])
    if request.method == "POST" and form.is_valid():
        done, status = attempt(form, lambda: services.deactivate(user, by=request.user, **form.cleaned_data))  # type: ignore[misc, arg-type]
        if done is not None:
            messages.success(request, _("账号已停用，所有登录都已结束。账号不会删除，任职记录保留。"))
            return redirect(back)
    return form_page(request, form, title=_("停用账号：%(who)s") % {"who": user}, submit=_("停用"), back=back, status=status)


@login_required
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, pk: UUID) -> HttpResponse:
    """提出账号事项: what needs an administrator of the other kind."""
    require_site(request, "keep_accounts", "appoint_staff")
    user, form, status = get_object_or_404(User, pk=pk), RequestForm(request.POST or None), 0
    if request.method == "POST" and form.is_valid():
        made, status = attempt(form, lambda: services.ask_for(person=user, by=request.user, **form.cleaned_data))  # type: ignore[misc, arg-type]
        if made is not None:
            messages.success(request, _("已提出，等待另一类管理员复核。"))
            return redirect("desk:object", kind="account_request", pk=made.pk)
    lead = _("系统管理员提出的由安全管理员复核，安全管理员提出的由系统管理员复核。复核同意后立即生效。")
    title, back = _("账号事项：%(who)s") % {"who": user}, reverse("people:account", args=[pk])
    return form_page(request, form, title=title, submit=_("提出"), back=back, lead=lead, status=status)


REQUESTS = (
    Column(gettext_lazy("事项"), str, name="what", url=lambda row: reverse("desk:object", args=["account_request", row.pk])),
    Column(gettext_lazy("角色"), lambda row: name_of(row.role) if row.role else "", name="role"),
    Column(gettext_lazy("状态"), "get_state_display", name="state", tag="state", sort="state"),
    Column(gettext_lazy("提出"), "asked_by", name="asked_by"),
    Column(gettext_lazy("复核"), "decided_by", name="decided_by"),
    Column(gettext_lazy("提出时间"), "created_at", "datetime", sort="created_at"),
)


@login_required
@require_GET
def requests(request: HttpRequest) -> HttpResponseBase:
    """账号事项 of all times, those that wait first."""
    require_site(request)
    rows = AccountRequest.visible.filter(AccountRequest.objects.select_related("person", "asked_by", "decided_by"), request.user)
    empty = _("还没有账号事项。请在某个账号的页面上提出。")
    return Table(request, rows, REQUESTS, name=_("账号事项"), order=("-created_at",), empty=empty).respond("people/site/list.html")


@login_required
@require_GET
def roles(request: HttpRequest) -> HttpResponse:
    """Every role as people approve it: sentence, scope, permissions, how many hold it."""
    require_site(request)
    found = services.active().values("role").annotate(n=Count("user", distinct=True))
    numbers = {row["role"]: row["n"] for row in found}
    return render(request, "people/site/roles.html", {"roles": [(role, numbers.get(role.code, 0)) for role in ROLES]})


APPOINTMENTS = (
    Column(gettext_lazy("姓名"), "user.name", sort="user__name"),
    Column(gettext_lazy("用户名"), "user.username", "code", sort="user__username"),
    Column(gettext_lazy("角色"), lambda row: name_of(row.role), name="role", sort="role"),
    Column(gettext_lazy("单位或征集"), "scope_name", sort="scope_name"),
    Column(gettext_lazy("自"), "since", "datetime", sort="since"),
    Column(gettext_lazy("至"), "until", "datetime", sort="until"),
    Column(gettext_lazy("任命人"), lambda row: row.appointed_by or _("系统"), name="appointed_by"),
)


@login_required
@require_GET
def appointments(request: HttpRequest) -> HttpResponseBase:
    """任免记录 of everybody, past ones too."""
    require_site(request)
    rows = Appointment.objects.select_related("user", "appointed_by")
    table = Table(request, rows, APPOINTMENTS, name=_("任免记录"), filters=AppointmentFilter, order=("-since",), empty=_("没有符合条件的任免记录。"))
    if table.wants_file:
        security.note(security.Kind.DOWNLOADED, by=request.user, request=request, detail=f"appointments.{table.wants_file}")
    return table.respond("people/site/list.html")


LOG = (
    Column(gettext_lazy("时间"), "at", "datetime", sort="at"),
    Column(gettext_lazy("事件"), "get_kind_display", name="kind", sort="kind"),
    Column(gettext_lazy("账号"), "person_name", name="person"),
    Column(gettext_lazy("办理人"), "actor_name", name="actor"),
    Column(gettext_lazy("网络"), "network"),
    Column(gettext_lazy("地址标记"), "mark", "code"),
    Column(gettext_lazy("细节"), lambda event: _detail(event.detail), name="detail"),
    Column(gettext_lazy("序号"), "pk", "number", sort="pk", shown=False),
)


def _detail(code: str) -> str:
    """A role by its name; other codes as they are."""
    return next((str(role.name) for role in ROLES if role.code == code), code)


@login_required
@require_GET
def log(request: HttpRequest) -> HttpResponseBase:
    """安全日志: the 审计管理员 alone reads it; taking it home is a line of it and an entry of the ledger."""
    require_site(request, "read_security_log")
    name = lambda which: Subquery(User.objects.filter(pseudonym=OuterRef(which)).values("username")[:1])  # noqa: E731
    rows = SecurityEvent.objects.annotate(person_name=name("person"), actor_name=name("actor"))
    table = Table(request, rows, LOG, name=_("安全日志"), filters=LogFilter, order=("-pk",), empty=_("没有符合条件的记录。"))
    if table.wants_file:
        security.note(security.Kind.DOWNLOADED, by=request.user, request=request, detail=f"security-log.{table.wants_file}")
        _remember_download(request, table)
    return table.respond("people/site/log.html")


def _remember_download(request: HttpRequest, table: Table) -> None:
    with transaction.atomic():
        ledger.record(
            event="site.download", actor=str(request.user.pseudonym), role="audit_admin", subject=f"site:{Site().pk}",  # type: ignore[union-attr]
            verb="download", public={"what": "security-log", "as": table.wants_file, "rows": table.count},
        )  # fmt: skip


@login_required
@require_GET
def system(request: HttpRequest) -> HttpResponse:
    """运行状况 for the 系统管理员."""
    require_site(request, "watch_system")
    context = {"signs": health.signs(), "failed": health.failed()[:50]}
    return render(request, "people/site/system.html", context)


@login_required
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """重做一项失败的事项."""
    try:
        health.retry(pk, by=request.user)
        messages.success(request, _("已重新排队，稍后请刷新查看。"))
    except NotYou:
        raise
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("people:system")
