"""Middleware: a refusal that no view has caught becomes a page that explains it, with its own status."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from grants.workflow.refusals import NotYou, Refusal

log = logging.getLogger("grants.refused")


class RefusalPage:
    """Shows `Refusal` as web/refused.html; whatever was being written was rolled back with its transaction."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refusal):
            return None
        if isinstance(exception, NotYou):  # a step has written its own line at the door; a page is noted here
            log.warning("page refused to %s: %s on %r", getattr(request.user, "pseudonym", "visitor"), exception.rule, request.path)
        context = {"refusal": exception, "back": came_from(request)}
        return render(request, "desk/refused.html", context, status=exception.status)


def came_from(request: HttpRequest) -> str:
    """The page that sent this request, if it is one of ours and not the refused one itself; else the home page."""
    page = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if ours and page != request.build_absolute_uri() else "/"
