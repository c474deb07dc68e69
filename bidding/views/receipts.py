"""Receipts to take away: the signed file and the proof that its entry is in the log."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from bidding.services import receipts
from bidding.views.access import own
from grants.workflow.refusals import NotNow


@login_required
@require_GET
def file(request: HttpRequest, pk: Any, event: Any) -> HttpResponse:
    """The signed receipt of a submission or withdrawal (JSON), with its proof once there is one. For the applicant."""
    held = _held(request, pk, event)
    return _saved(receipts.whole(held), f"{held.number}.receipt.json", "application/json")


@login_required
@require_GET
def proof(request: HttpRequest, pk: Any, event: Any) -> HttpResponse:
    """The C2SP tlog-proof of the entry. Raises NotNow while no checkpoint covers it."""
    held = _held(request, pk, event)
    text = receipts.proof(held)
    if text is None:
        raise NotNow(_("该条目还没有检查点覆盖，一般一分钟内就有；签名回执现在就可以下载。"), rule="checkpoint_covers")
    return _saved(text.encode(), f"{held.number}.tlog-proof", "text/plain")


def _held(request: HttpRequest, pk: Any, event: Any) -> receipts.Held:
    found = receipts.of_event(own(request, pk), event)
    if found is None:
        raise Http404(_("没有这张回执。"))
    return found


def _saved(content: bytes, name: str, media: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=f"{media}; charset=utf-8")
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer
