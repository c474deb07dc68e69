"""Public pages that a proxy may keep: the same bytes for every visitor without cookies, and a cheap answer to “has it changed?”.

A visitor without cookies gets a page without Set-Cookie, with an ETag, for a minute. Whoever carries a cookie (signed in, another
language, large type) gets the page as theirs and uncached. The ETag needs no rendering: everything that happens is an entry of the
ledger, and every period ends on the hour, so the newest entry, the hour, the language and the address decide.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import http_date, quote_etag
from django.utils.translation import get_language

from grants import clock
from grants.ledger.models import AuditEvent

SECONDS = 60
View = Callable[..., HttpResponseBase]


class NothingStays:
    """No answer to somebody who is signed in stays in the browser's store (ASVS 14.3.2), unless it is the same for everybody.

    Back asks again; what was typed stays with the tab's own history entry (web/typed.js).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        signed_in = settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
        answer = self.get_response(request)
        if signed_in and not {"public", "no-store"} & set(answer.headers.get("Cache-Control", "").replace(",", " ").split()):
            answer.headers["Cache-Control"] = "private, no-store"
        return answer


def cacheable(*, also: Callable[[], object] = lambda: "") -> Callable[[View], View]:
    """Decorator for a page that shows only what is public. also: whatever it shows besides that is not in the ledger, cheaply told.

    GET and HEAD only; anything else passes untouched.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def kept(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in ("GET", "HEAD"):
                return view(request, *args, **kwargs)
            if request.COOKIES:
                return _own(view(request, *args, **kwargs))
            etag, changed = _state(request, also())
            known: Any = get_conditional_response(request, etag=etag, last_modified=int(changed.timestamp()))
            unchanged = known is not None and known.status_code == 304
            return _shared(known if unchanged else view(request, *args, **kwargs), etag, changed)

        return kept

    return decorate


def _state(request: HttpRequest, also: object) -> tuple[str, datetime]:
    """(ETag, when it last changed). One query."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    newest = AuditEvent.objects.order_by("-pk").values_list("pk", "at").first() or (0, hour)
    parts = (newest[0], hour.isoformat(), also, request.get_full_path(), get_language())
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:32]
    return quote_etag(digest), max(hour, newest[1])


def _shared(answer: Any, etag: str, changed: datetime) -> HttpResponseBase:
    if answer.status_code in (200, 304):
        answer.headers["ETag"] = etag
        answer.headers["Last-Modified"] = http_date(changed.timestamp())
        patch_cache_control(answer, public=True, max_age=SECONDS)
        patch_vary_headers(answer, ("Cookie",))
    return answer  # type: ignore[no-any-return]


def _own(answer: Any) -> HttpResponseBase:
    patch_cache_control(answer, private=True, no_cache=True)
    patch_vary_headers(answer, ("Cookie",))
    return answer  # type: ignore[no-any-return]
