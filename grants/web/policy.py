"""What a browser may load on our pages: our own files, no inline script and no inline style."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

HEADER = "Content-Security-Policy"


class ContentSecurityPolicy:
    """Send `settings.CONTENT_SECURITY_POLICY` with every answer that does not bring a stricter one of its own (downloads do)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault(HEADER, settings.CONTENT_SECURITY_POLICY)
        return response
