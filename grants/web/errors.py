"""Pages for requests that are not answered as asked. Each says what happened, why if it may be told, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token


def refused(
    request: HttpRequest, sentence: str, *, status: int, problems: Mapping[str, Sequence[str]] | None = None, back: str = ""
) -> HttpResponse:
    """The page for a typed refusal: 403 not you, 409 not now, 422 not so. sentence: for the person, in the active language.

    problems: field → sentences. back: where the person came from; must be an address of this site.
    """
    context = {"sentence": sentence, "status": status, "problems": problems or {}, "back": back}
    return render(request, "web/errors/refused.html", context, status=status)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403. A PermissionDenied with a sentence shows it."""
    return refused(request, str(exception) or _("您的账号没有办理这件事的权限。"), status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: nearly always a page left open over night."""
    return refused(
        request, _("页面打开太久，或浏览器没有保存登录信息，内容没有提交。请返回上一页，刷新后再提交一次。"), status=403
    )


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    return render(request, "web/errors/404.html", status=404)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: uses no database, no session and no context processor, since any of them may be what failed."""
    return HttpResponse(render_to_string("web/errors/500.html"), status=500)
