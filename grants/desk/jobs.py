"""Pages of jobs: how far, what was refused and why, stop, go on, and the package of what was made. Only for whoever may ask for the kind."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from grants import clock, ledger
from grants.documents.inspection import clean_name
from grants.documents.package import Packed, stream_zip
from grants.people.rules import may
from grants.people.services import names_of
from grants.workflow import jobs
from grants.workflow.models import BulkJob, JobFile
from grants.workflow.rules import Ask

PER_PAGE = 50
READS = may("read_calls")


def _job(request: HttpRequest, pk: Any, *, reading: bool = False) -> BulkJob:
    """The job, if this person might have asked for it; reading: also whoever reads the agency's files (approver, finance, audit)."""
    job = get_object_or_404(BulkJob, pk=pk)
    kind = jobs.kind_of(job)
    ask = Ask(request.user, kind.scope_of(job.scope_id), clock.now())
    if kind.by.answer(ask).ok or (reading and READS.answer(ask).ok):
        return job
    raise Http404(_("没有这批办理，或您无权查看。"))


@login_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What I asked for, newest first."""
    rows = BulkJob.objects.filter(requested_by=request.user.pseudonym)  # type: ignore[union-attr]
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "desk/jobs.html", {"page": page})


@login_required
@require_GET
def show(request: HttpRequest, pk: Any) -> HttpResponse:
    """One job. `?part=progress` is the part that a running page asks for again and again."""
    job = _job(request, pk, reading=True)
    context = {"job": job, "progress": jobs.progress(job), "running": job.finished_at is None and job.cancelled_at is None, "under_way": _under_way(job)}
    if request.GET.get("part") == "progress":
        return render(request, "desk/_job_progress.html", context)
    only = request.GET.get("only", "")
    rows = job.items.order_by("position")
    shown = {"failed": rows.exclude(failed_at=None), "open": rows.filter(done_at=None, failed_at=None)}.get(only, rows)
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
    kind = jobs.kind_of(job)
    context |= {
        "kind": kind, "page": page, "only": only, "query": f"only={only}" if only else "", "asker": _asker(job),
        "files": JobFile.objects.filter(item__job=job).count(), "may": kind.by.allows(kind.scope_of(job.scope_id), request.user, clock.now()),
    }  # fmt: skip
    return render(request, "desk/job.html", context)


def _under_way(job: BulkJob) -> list[str]:
    """Where long works stand that have begun, a few of them."""
    if not jobs.kind_of(job).slow:
        return []
    return list(job.items.filter(done_at=None, failed_at=None).exclude(outcome="").values_list("outcome", flat=True)[:3])


def _asker(job: BulkJob) -> str:
    return names_of({str(job.requested_by)}).get(str(job.requested_by), _("（已注销账号）"))


@login_required
@require_POST
def cancel(request: HttpRequest, pk: Any) -> HttpResponse:
    """停止."""
    jobs.cancel(_job(request, pk), by=request.user)
    messages.success(request, _("已停止：已经办成的不变，没有开始的不再办理，可以随时续办。"))
    return redirect("desk:job", pk=pk)


@login_required
@require_POST
def resume(request: HttpRequest, pk: Any) -> HttpResponse:
    """续办：没有办成的再办一次。"""
    jobs.resume(_job(request, pk), by=request.user)
    messages.success(request, _("已续办没有办成的各项。"))
    return redirect("desk:job", pk=pk)


@login_required
@require_GET
def package(request: HttpRequest, pk: Any) -> StreamingHttpResponse:
    """Everything the job made, as one ZIP with an index. Every download is an entry of the ledger."""
    job = _job(request, pk, reading=True)
    if jobs.kind_of(job).taken_at:
        raise Http404(_("这批办理的结果是一个整体，请从它自己的页面下载。"))
    files = [Packed(f.path, f.file) for f in JobFile.objects.filter(item__job=job).select_related("file").order_by("path", "pk")]
    if not files:
        raise Http404(_("还没有生成文件。"))
    _remember(request, job, len(files))
    heads = (_("文件"), _("字节"), "SHA-256")
    pieces = stream_zip(files, at=clock.now().astimezone(clock.TZ), heads=heads)
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=clean_name(f"{job.title}.zip"))
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _remember(request: HttpRequest, job: BulkJob, files: int) -> None:
    kind = jobs.kind_of(job)
    ask = Ask(request.user, kind.scope_of(job.scope_id), clock.now())
    role = (kind.by | READS).answer(ask).role
    with transaction.atomic():
        ledger.record(
            event="job.download", actor=str(request.user.pseudonym), role=role, subject=job.subject, scope=job.scope, verb="download",  # type: ignore[union-attr]
            public={"kind": job.kind, "files": files},
        )  # fmt: skip
