"""When a request counts as received: the moment its last byte was in at our door, not the moment its transaction ran.

Behind a front door that keeps a request until it is whole (nginx, `proxy_request_buffering on`), that moment is the header which the door
sets (`ARRIVAL_HEADER`, seconds since 1970) and which nobody else can set, because the application is reachable through the door only.
Without one, a form is read whole here, before anything else, and the moment is taken then; time spent waiting for a free worker is not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from grants import clock
from grants.workflow.effects import real_now

FORM: Final = "application/x-www-form-urlencoded"
GetResponse = Callable[[HttpRequest], HttpResponse]


class Arrival:
    """Sets `clock.arrived()` for every request that may change something."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return self.get_response(request)
        try:
            moment = clock.now() - waited(request)
        except UnreadablePostError:
            return HttpResponse(status=400)
        with clock.received(moment):
            return self.get_response(request)


def waited(request: HttpRequest) -> timedelta:
    """How long ago the request was whole: told by the front door, never below zero and never above the time that closing waits."""
    told = request.headers.get(settings.ARRIVAL_HEADER, "") if settings.ARRIVAL_HEADER else ""
    if not told:
        _read(request)
        return timedelta()
    try:
        since = real_now() - datetime.fromtimestamp(float(told), UTC)
    except (ValueError, OverflowError, OSError):
        return timedelta()
    return min(max(since, timedelta()), timedelta(seconds=settings.SUBMISSION_DRAIN))


def _read(request: HttpRequest) -> None:
    """The whole of a plain form, bounded; uploads are read where their parts are kept."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if request.content_type == FORM and announced.isdigit() and int(announced) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        request.body  # noqa: B018 - reading it is the point
