"""Signing in and out: user name and password first, then whatever second factor the person has (`allauth.mfa`)."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from grants.people import lockout
from grants.web.limits import by_address, limited


class SignInForm(AuthenticationForm):
    """User name and password, with the lock-out of `lockout`."""

    error_messages = {  # noqa: RUF012 - Django's own shape
        "invalid_login": _("用户名或密码不对。连续输错 %(n)d 次后，须等 15 分钟再试。") % {"n": lockout.LOCK.amount},
        "inactive": _("这个账号已停用，请联系本单位管理员。"),
    }

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username", "")
        if lockout.password_locked(self.request, username):
            raise ValidationError(_("输错次数过多，请 15 分钟后再试，或请安全管理员解除锁定。"), code="locked")
        try:
            cleaned = super().clean()
        except ValidationError:
            lockout.password_failed(self.request, username)
            raise
        lockout.password_given(self.request, username)
        return cleaned or {}


@method_decorator(limited("people.sign_in", "300/h", by_address), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class SignIn(LoginView):
    """登录. The right password is remembered as an authentication just made, so that a first factor can be set up at once."""

    template_name = "desk/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        record_authentication(self.request, user, method="password", reauthenticated=True)
        return perform_login(self.request, Login(user=user, redirect_url=self.get_success_url(), email_verification="none"))

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """Without the host's name as `site_name`, which Django puts over the configured one."""
        found = {name: value for name, value in super().get_context_data(**more).items() if name not in ("site", "site_name")}
        return {**found, "oidc": settings.OIDC_PROVIDER if settings.OIDC_ISSUER else "", "oidc_name": settings.OIDC_NAME}


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """退出; also leaves a sign-in that stopped half-way, before its second factor."""
    logout(request)
    return redirect("desk:home")
