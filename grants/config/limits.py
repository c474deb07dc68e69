"""How large a request may be, decided before a byte of it is read."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

GetResponse = Callable[[HttpRequest], HttpResponse]


class BodyLimit:
    """Answer 413 to a request that announces more than `settings.MAX_REQUEST_BYTES`.

    Django bounds form fields and memory, never the sum of files; without this a visitor could fill the disk. A request that
    announces no length has, under WSGI, no body either.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if announced.isdigit() and int(announced) <= settings.MAX_REQUEST_BYTES:
            return self.get_response(request)
        most = settings.MAX_REQUEST_BYTES // 1024 // 1024
        sentence = _("一次提交的内容不能超过 %(most)s MB。请减少附件，或分几次上传。") % {"most": most}
        return HttpResponse(sentence, status=413, content_type="text/plain; charset=utf-8")
