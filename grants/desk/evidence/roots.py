"""台账每日根: the last signed root of each day, to be printed, posted and kept where nobody here can change it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Max
from django.db.models.functions import TruncDate
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from grants import clock
from grants.documents.pdf import render_pdf
from grants.documents.qr import qr_code
from grants.ledger import keys
from grants.ledger.models import Checkpoint, stored_bytes
from grants.ledger.stamping import last_of
from grants.web.limits import by_address, limited

PER_PAGE = 31


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The last checkpoint of every day that had one, the newest first."""
    days = Checkpoint.objects.annotate(day=TruncDate("at", tzinfo=clock.TZ)).values("day").annotate(size=Max("size")).order_by("-size")
    shown = Paginator(days, PER_PAGE).get_page(request.GET.get("page"))
    made = {c.size: c for c in Checkpoint.objects.filter(size__in=[row["size"] for row in shown]).select_related("stamp")}
    rows = [{"day": row["day"], "checkpoint": made[row["size"]], "root": stored_bytes(made[row["size"]].root).hex()} for row in shown]
    return render(request, "evidence/roots.html", {"rows": rows, "page": shown, "keys": [str(key) for key in keys.published()]})


@limited("desk.root", "60/h", by_address, methods=("GET",))
@require_GET
def notice(request: HttpRequest, day: str) -> HttpResponse:
    """One day's root as a sheet for the notice board (PDF). day: ISO date, Asia/Shanghai."""
    try:
        asked = date.fromisoformat(day)
    except ValueError as wrong:
        raise Http404(_("日期写成 2026-03-01。")) from wrong
    found = last_of(asked)
    if found is None:
        raise Http404(_("这一天没有检查点。"))
    pdf = render_pdf("documents/daily_root.html", notice_context(found, asked), identifier=f"root:{asked}:{found.size}", issued_on=asked)
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"台账每日根-{asked}.pdf") or ""
    return answer


def notice_context(found: Checkpoint, day: date) -> dict[str, Any]:
    """What `documents/daily_root.html` asks for."""
    root = stored_bytes(found.root).hex()
    return {
        "day": day, "size": found.size, "root": root, "pin": f"{found.size}:{root}", "note": str(found.note).splitlines(), "origin": keys.origin(),
        "keys": [str(key) for key in keys.published() if len(str(key)) < 200], "issuer": settings.SITE_AGENCY["organiser"] or settings.SITE_NAME,
        "qr": qr_code(f"{found.size}:{root}", label=_("当日根")), "made_at": found.at, "digest": "",
    }  # fmt: skip
