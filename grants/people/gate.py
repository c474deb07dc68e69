"""Middleware: what a signed-in person meets before any page. Too long away, or the second factor is still owed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from grants.people import factors, visits

SETTING_UP = frozenset({
    "desk:sign_out", "set_language", "account_reauthenticate", "account_logout", "mfa_index", "mfa_activate_totp", "mfa_add_webauthn",
    "mfa_view_recovery_codes", "people:factor_owed",
})  # fmt: skip
"""The only pages open to somebody who still owes a second factor."""
FACTOR = "second_factor"


class Gate:
    """Asks no query of visitors, nor of anybody while no second factor is required; else one until the factor is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._expired(request) or self.get_response(request)
        mark = getattr(request, "new_device", "")
        if mark:
            response.set_cookie(
                settings.DEVICE_COOKIE_NAME, mark, max_age=visits.DEVICE_SECONDS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
            )
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not settings.SECOND_FACTOR or not request.user.is_authenticated or request.session.get(FACTOR):
            return None
        if request.resolver_match is not None and request.resolver_match.view_name in SETTING_UP:
            return None
        if not factors.owed(request.user):
            return None
        return redirect("people:factor_owed")

    def _expired(self, request: HttpRequest) -> HttpResponse | None:
        if not request.user.is_authenticated:
            return None
        how = visits.overdue(request)
        if not how:
            return None
        visits.expire(request, how)
        logout(request)
        messages.warning(request, SAID[how]())
        return _to_sign_in(request)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Back to the same page after signing in; a script that saves by itself is told 401 and keeps what it holds."""
    page = request.get_full_path() if request.method == "GET" else request.META.get("HTTP_REFERER", "")
    address = f"{reverse('desk:sign_in')}?{urlencode({'next': page})}" if page else reverse("desk:sign_in")
    if request.headers.get("Sec-Fetch-Dest") == "empty" or "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": "signed_out", "sign_in": address}, status=401)
    return redirect(address)


def _idle() -> str:
    return _("您已有 %(n)d 分钟没有操作，为安全起见已退出。请重新登录，登录后会回到刚才的页面。") % {"n": settings.SESSION_IDLE // 60}


def _too_long() -> str:
    return _("这次登录已满 %(n)d 小时，为安全起见已退出。请重新登录，登录后会回到刚才的页面。") % {"n": settings.SESSION_LONGEST // 3600}


SAID: dict[str, Callable[[], str]] = {"idle": _idle, "too_long": _too_long}
