"""开放数据: what every call has published, for machines, at addresses that stay. Anybody, without signing in; a proxy may keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from grants.audit import opendata
from grants.calls.models import Call
from grants.desk.square.whitelist import public
from grants.web.caching import cacheable

FILES: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    "ocds.json": opendata.release_package, "record.json": opendata.record_package, "360.json": opendata.grants,
}  # fmt: skip


@require_GET
@cacheable()
def index(request: HttpRequest) -> HttpResponse:
    """Every call with something published, and its files."""
    found = list(opendata.calls())
    rows = [public("call", {"code": c.code, "title": c.title, "agency": c.agency.name, "closes_at": c.closes_at}) for c in found]
    return render(request, "audit/open.html", {"rows": rows, "granted": {c.code for c in found if c.granted}})  # type: ignore[attr-defined]


@require_GET
@cacheable()
def file(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """One file of one call; 404 for a call that is not published, and for its grants before there is one."""
    call = get_object_or_404(opendata.calls(), code=code)
    told = FILES[name](call) if name in FILES else {}
    if not told:
        raise Http404(_("没有这个文件。"))
    answer = HttpResponse(opendata.as_bytes(told), content_type="application/json; charset=utf-8")
    answer["Access-Control-Allow-Origin"] = "*"  # open data: any page may read it; no cookie is looked at
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
