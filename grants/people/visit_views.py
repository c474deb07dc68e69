"""A person's own safety: where they are signed in, the second factor they owe, and the first password of a new account."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import PasswordResetConfirmView, PasswordResetView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from grants.people import factors, security, visits
from grants.people.models import User, Visit
from grants.people.site_forms import ForgottenForm, WelcomeForm
from grants.web.limits import by_address, limited


@login_required
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """我的登录: open sessions, and the last that ended."""
    context = {
        "open_visits": visits.open_visits(request.user), "here": request.session.get(visits.KEY, {}).get("id"),  # type: ignore[arg-type]
        "ended": Visit.objects.filter(user_id=request.user.pk or "", ended_at__isnull=False)[:10],
    }  # fmt: skip
    return render(request, "people/visits.html", context)


@login_required
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own sessions elsewhere."""
    visit = get_object_or_404(Visit, pk=pk, user_id=request.user.pk or "", ended_at=None)
    visits.end(visit, how="elsewhere")
    messages.success(request, _("那次登录已结束。如果不是您本人登录的，请立即修改密码。"))
    return redirect("people:visits")


@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """在其他所有设备上退出."""
    ended = visits.end_all(request.user, how="elsewhere", keep=request.session.session_key)  # type: ignore[arg-type]
    security.note(security.Kind.ENDED, person=request.user, by=request.user, request=request, detail=f"sessions={ended}")
    messages.success(request, _("其他设备上的 %(n)d 次登录已结束。") % {"n": ended})
    return redirect("people:visits")


@login_required
@require_GET
def factor_owed(request: HttpRequest) -> HttpResponse:
    """Where the gate leads somebody who owes a second factor; home for everybody else."""
    if not factors.owed(request.user):
        return redirect("desk:home")
    return render(request, "people/factor_owed.html")


@method_decorator(limited("people.forgotten", "10/h", by_address), name="dispatch")
class Forgotten(PasswordResetView):
    """忘记密码: ask for a link by mail. A second factor is still asked afterwards, so a mailbox alone opens no staff account."""

    template_name = "people/forgotten.html"
    form_class = ForgottenForm
    success_url = reverse_lazy("desk:sign_in")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, _("如果这个邮箱登记在某个账号上，重设密码的链接已经发出，三天内有效。没有收到时，请联系系统管理员。"))
        return super().form_valid(form)


class Welcome(PasswordResetConfirmView):
    """首次设置密码, by the link that came with a new account. It is no way to change a password that exists."""

    template_name = "people/welcome.html"
    form_class = WelcomeForm
    success_url = reverse_lazy("desk:sign_in")
    reset_url_token = "set"  # noqa: S105 - a word in the address

    def get_user(self, uidb64: str) -> Any:
        user: User | None = super().get_user(uidb64)
        return user if user is not None and user.is_active and not user.has_usable_password() else None

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        visits.end_all(self.user, how="password")  # type: ignore[arg-type]
        security.note(security.Kind.PASSWORD, person=self.user, request=self.request)
        messages.success(self.request, _("密码已设置。请用用户名和新密码登录。"))
        return answer


class Reset(Welcome):
    """A new password by the link that was asked for; every session of the account ends."""

    def get_user(self, uidb64: str) -> Any:
        user: User | None = PasswordResetConfirmView.get_user(self, uidb64)
        return user if user is not None and user.is_active and user.has_usable_password() else None
