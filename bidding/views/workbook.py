"""用 Excel 离线填写: download the workbook, upload it, look at what it changes, and only then write it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from bidding.forms import WorkbookForm, show
from bidding.models import Bid
from bidding.services import offline
from bidding.views.access import to_write
from bidding.workbook import layout, writing
from grants.documents import files
from grants.documents.inspection import FileRefused
from grants.workflow.refusals import Invalid, NotNow

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SALT = "bidding.workbook"
DAY = 86_400


@login_required
@require_GET
def download(request: HttpRequest, pk: Any) -> HttpResponse:
    """The bid as it stands, to be filled in without a connection."""
    bid = to_write(request, pk)
    response = HttpResponse(writing.write(bid), content_type=EXCEL)
    response["Content-Disposition"] = f'attachment; filename="{bid.call.code}-workbook.xlsx"'
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_http_methods(["GET", "POST"])
def workbook(request: HttpRequest, pk: Any) -> HttpResponse:
    """Upload → preview with every change and every mistake → write. The file is kept by its hash between the two requests."""
    bid = to_write(request, pk)
    if "token" in request.POST:
        return _write(request, bid)
    form = WorkbookForm(request.POST or None, request.FILES or None)
    found, token = None, ""
    if request.method == "POST" and form.is_valid():
        found, token = _look(request, bid, form)
    status = 422 if request.method == "POST" and (found is None or found.problems) else 200
    return render(request, "bidding/workbook.html", {"bid": bid, "form": form, "preview": found, "token": token}, status=status)


def _look(request: HttpRequest, bid: Bid, form: WorkbookForm) -> tuple[offline.Preview | None, str]:
    upload = form.cleaned_data["file"]
    try:
        kept = files.store(upload, name=upload.name, allowed={"xlsx"}, max_bytes=layout.MOST_BYTES)
        found = offline.preview(bid, files.read_file(kept.sha256), by=request.user)  # type: ignore[arg-type]
    except FileRefused as refused:
        form.add_error("file", refused.sentence)
        return None, ""
    except Invalid as refusal:
        show(form, refusal.problems, str(refusal))
        return None, ""
    return found, signing.dumps([kept.sha256, found.basis], salt=f"{SALT}.{bid.pk}")


def _write(request: HttpRequest, bid: Bid) -> HttpResponse:
    """Write what was previewed: the very file, onto the very working copy."""
    try:
        sha256, seen = signing.loads(request.POST["token"], salt=f"{SALT}.{bid.pk}", max_age=DAY)
        done = offline.commit(bid, files.read_file(sha256), by=request.user, seen=seen)  # type: ignore[arg-type]
    except signing.BadSignature:
        messages.error(request, _("预览已过期，请重新上传工作簿。"))
        return redirect("bidding:workbook", bid.pk)
    except (Invalid, NotNow) as refusal:
        messages.error(request, str(refusal))
        return redirect("bidding:workbook", bid.pk)
    messages.success(request, _("已写入工作簿的 %(n)d 处改动。") % {"n": len(done.changes)})
    return redirect("bidding:tasks", bid.pk)
