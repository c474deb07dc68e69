"""Pages of a call's packages: ask for one, see it made, check its number, take it. The agency sees every one that was made or taken."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from grants import clock
from grants.audit import packing
from grants.audit.packing import KINDS, Package
from grants.calls.models import Call
from grants.desk.audit import samples, scope
from grants.ledger.models import Checkpoint, stored_bytes
from grants.people.services import names_of
from grants.workflow import jobs
from grants.workflow.models import BulkJob
from grants.workflow.refusals import Refusal
from grants.workflow.rules import Ask


class PackageForm(forms.Form):
    """Which kind, all bids or those of one sample, and why originals are needed."""

    kind = forms.ChoiceField(label=gettext_lazy("要什么"), widget=forms.RadioSelect)
    sample = forms.ChoiceField(label=gettext_lazy("申报材料"), required=False, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("为什么需要个人信息原件"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("只有选择含个人信息原件时要写；理由写入台账。"),
    )  # fmt: skip

    def __init__(self, *args: Any, kinds: list[packing.Kind], drawn: list[samples.Sample], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind: Any = self.fields["kind"]
        kind.choices = [(each.code, each.label) for each in kinds]
        kind.initial = kinds[-1].code if len(kinds) == 1 else "auditor"
        sample: Any = self.fields["sample"]
        sample.choices = [("", _("全部申报")), *((s.id, _sampled(s)) for s in drawn)]
        if not drawn:
            del self.fields["sample"]
        if not any(each.personal for each in kinds):
            del self.fields["reason"]


def _sampled(sample: samples.Sample) -> str:
    told = {"n": sample.number, "size": len(sample.drawn), "all": len(sample.population)}
    return _("第 %(n)d 次抽样抽中的 %(size)d 份（共 %(all)d 份）") % told


def _kinds(actor: Any, call: Call) -> list[packing.Kind]:
    """The kinds this person may ask for."""
    return [kind for kind in KINDS.values() if kind.by.answer(Ask(actor, call, clock.now())).ok]


@login_required
@require_http_methods(["GET", "POST"])
def packages(request: HttpRequest, pk: Any) -> HttpResponse:
    """A call's packages: what may be asked for, and what was made before. For its auditors and the agency's people who read its files."""
    call = scope.one(request, pk, staff=True)
    kinds, opened = _kinds(request.user, call), scope.opened(call)
    drawn = [s for s in samples.of_call(call) if s.of == "bids" and s.said] if opened else []
    form = PackageForm(request.POST or None, kinds=kinds, drawn=drawn)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("desk:job", _start(request, call, form.cleaned_data, drawn).pk)
        except Refusal as refusal:
            _tell(form, refusal)
    scope.remember(request.user, call, "read", "package")
    rows = BulkJob.objects.filter(kind__in=[kind.job for kind in kinds], scope_id=call.pk).order_by("-requested_at")[:50]
    who = names_of({str(job.requested_by) for job in rows})
    context = {
        "call": call, "form": form, "opened": opened, "audits": scope.AUDITS.answer(Ask(request.user, call, clock.now())).ok,
        "rows": [(job, KINDS[job.kind].label, who.get(str(job.requested_by), "")) for job in rows],
    }  # fmt: skip
    return render(request, "audit/packages.html", context, status=422 if form.errors else 200)


def _start(request: HttpRequest, call: Call, asked: dict[str, Any], drawn: list[samples.Sample]) -> BulkJob:
    sample = next((s for s in drawn if s.id == asked.get("sample")), None)
    return packing.pack(call, KINDS[f"audit.{asked['kind']}"], by=request.user, sample=sample, reason=asked.get("reason", ""))


def _tell(form: forms.Form, refusal: Refusal) -> None:
    problems = getattr(refusal, "problems", {}) or {None: [str(refusal)]}
    for field, sentences in problems.items():
        for sentence in sentences:
            form.add_error(field if field in form.fields else None, str(sentence))


def _package(request: HttpRequest, pk: Any) -> tuple[Call, Package]:
    """The sealed package, for whoever may ask for its kind; 404 for everybody else and while it is not sealed."""
    job = get_object_or_404(BulkJob, pk=pk, kind__in=KINDS)
    call: Call = jobs.kind_of(job).scope_of(job.scope_id)
    found = packing.package_of(job) if KINDS[job.kind].by.answer(Ask(request.user, call, clock.now())).ok else None
    if found is None:
        raise Http404(_("没有这份资料包，或您无权查看。"))
    return call, found


@login_required
@require_GET
def package(request: HttpRequest, pk: Any) -> HttpResponse:
    """One package: its number, how to check it, and the button that takes it."""
    call, found = _package(request, pk)
    head = Checkpoint.objects.order_by("-size").first()
    pin = f"{head.size}:{stored_bytes(head.root).hex()}" if head is not None else ""
    context = {"call": call, "package": found, "pin": pin, "bytes": found.size, "n": len(found.files)}
    return render(request, "audit/package.html", context)


@login_required
@require_GET
def file(request: HttpRequest, pk: Any) -> StreamingHttpResponse:
    """The ZIP, written while it is sent. Every download is an entry of the ledger."""
    call, found = _package(request, pk)
    packing.remember(found, call, by=request.user)
    response = StreamingHttpResponse(packing.pieces(found), content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{packing.folder_of(found.job)}.zip")
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
