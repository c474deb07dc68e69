"""公开抽取: every draw of a call with its transcript, and the page on which anybody repeats one in the browser."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from grants.desk.square.views import paged
from grants.desk.square.whitelist import public
from grants.web.caching import cacheable
from review.drawing_parties import shell
from review.models import Draw
from review.transcript_reading import write

NEWEST = ("-created_at", "pk")


def _rows() -> Any:
    return Draw.objects.select_related("call__agency").order_by(*NEWEST)


def record(draw: Draw) -> dict[str, Any]:
    """A draw as the square shows it: codes and numbers, no person."""
    announced = draw.announced
    return public("draw", {
        "pk": draw.pk, "title": announced["title"], "what": draw.get_about_display(), "number": draw.number, "reason": draw.reason, "call_code": draw.call.code,
        "call_title": draw.call.title, "agency": str(draw.call.agency), "state": draw.state, "state_label": draw.get_state_display(),
        "mode": draw.mode, "announced_on": draw.created_at, "drawn_at": draw.drawn_at, "closed_at": draw.closed_at, "beacon_due": draw.beacon_due,
        "pool_size": len(announced["pool"]), "size": announced["rule"]["size"], "barred": len(announced["barred"]),
    })  # fmt: skip


@cacheable()
def draws(request: HttpRequest) -> HttpResponse:
    """Every draw, failed ones too, newest first."""
    page = paged(request, _rows())
    return render(request, "square/draws.html", {"page": page, "draws": [record(d) for d in page]})


@cacheable()
def draw(request: HttpRequest, pk: Any) -> HttpResponse:
    """One draw: what was announced, who committed and revealed what, the outcome; repeated in the browser."""
    found = get_object_or_404(_rows(), pk=pk)
    document = found.transcript or shell(found)
    context = {"draw": record(found), "document": document, "hash": found.announced_sha256, "parties": _parties(document)}
    return render(request, "square/draw.html", context)


def _parties(document: dict[str, Any]) -> list[dict[str, str]]:
    made = {c["party"]: c["sha256"] for c in document["commitments"]}
    shown = {r["party"]: r for r in document["reveals"]}
    return [
        {"name": name, "sha256": made.get(name, ""), "value": shown.get(name, {}).get("value", ""), "by": shown.get(name, {}).get("by", "")}
        for name in document["announced"]["parties"]
    ]


@cacheable()
def transcript(request: HttpRequest, pk: Any) -> HttpResponse:
    """The transcript as a file: before the draw what is announced so far, afterwards all of it."""
    found = get_object_or_404(_rows(), pk=pk)
    body = write(found.transcript) if found.transcript else json.dumps(shell(found), ensure_ascii=False, sort_keys=True, indent=1).encode()
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="draw-{found.call.code}-{found.about}-{found.number}.json"'
    return response


@cacheable()
def check(request: HttpRequest) -> HttpResponse:
    """Paste or choose any transcript and repeat it in the browser; nothing is sent anywhere."""
    return render(request, "square/draw_check.html")
