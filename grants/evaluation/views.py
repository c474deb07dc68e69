"""Pages of evaluation: the report section by section, the project's file and closing list, an organisation's record."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bidding.section_forms import SectionForm
from bidding.services import presence
from bidding.views.papers import section_paper
from bidding.views.saving import Paper, answer_to
from bidding.views.whole import Keeps, Whole
from grants import clock
from grants.awards.models import Award
from grants.calls.rulebook.parts.form import Section
from grants.documents.download import download
from grants.documents.inspection import FileRefused
from grants.evaluation import services
from grants.evaluation.forms import EvidenceForm
from grants.evaluation.models import Evaluation, TrackRecord
from grants.evaluation.reports import contributor, may_report
from grants.evaluation.rules import award_file_visible
from grants.people.models import Organisation
from grants.workflow.refusals import Refusal


def _evaluation(request: HttpRequest, pk: Any) -> Evaluation:
    rows = Evaluation.visible.filter(Evaluation.objects.select_related(*Evaluation.door_select), request.user)
    return get_object_or_404(rows, pk=pk)


@login_required
@require_GET
def report(request: HttpRequest, pk: Any) -> HttpResponse:
    """The report's task list: each section, whether something is still missing there."""
    found = _evaluation(request, pk)
    open_points = services.problems(found)
    rows = [
        (s, not any(p.startswith(f"{s.title}:") for p in open_points), s.code in found.answers) for s in services.sections(found)
    ]
    return render(request, "evaluation/report.html", {"evaluation": found, "rows": rows, "problems": open_points})


@login_required
@require_http_methods(["GET", "POST"])
def section(request: HttpRequest, pk: Any, code: str) -> HttpResponse:
    """One section of the report."""
    found = _evaluation(request, pk)
    asked = _asked(found, code)
    form = SectionForm(asked, data=request.POST or None, answers=found.answers.get(code))
    sheet = Whole(request, form, services.standing(found, asked), _keeps(request, found, code))
    adding = "more" in request.POST
    if request.method == "POST" and not adding and form.is_valid() and _saved(sheet, form):
        messages.success(request, _("已保存。"))
        return redirect("evaluation:report", pk=found.pk)
    form.marks, form.choices = sheet.marks, sheet.choices
    context = {"evaluation": found, "section": asked, "form": form, "questions": form.questions(), "writes": may_report(found, request.user),
               "writers": presence.others(found.subject, than=request.user)}  # type: ignore[arg-type]  # fmt: skip
    return render(request, "evaluation/section.html", context, status=200 if adding else sheet.status)


def _asked(found: Evaluation, code: str) -> Section:
    asked = next((s for s in services.sections(found) if s.code == code), None)
    if asked is None:
        raise Http404(_("这份报告没有这一部分。"))
    return asked


def _keeps(request: HttpRequest, found: Evaluation, code: str) -> Keeps:
    return lambda given, marks: services.keep_report(found, code, given, by=request.user, based_on=marks, strict=True)


def _saved(sheet: Whole, form: SectionForm) -> bool:
    try:
        return sheet.saved(form.answers())
    except Refusal as refused:  # what was typed stays on the page
        form.add_error(None, str(refused))
        return False


@require_POST
def save(request: HttpRequest, pk: Any, code: str) -> HttpResponse:
    """Save some answers of one section; for scripts, as `bidding.views.saving` says."""

    def paper() -> Paper:
        found = _evaluation(request, pk)
        kept = partial(services.keep_report, found, code, by=request.user)
        return section_paper(_asked(found, code), subject=found.subject, save=lambda given, marks: kept(given, based_on=marks))

    return answer_to(request, paper)


@login_required
@require_http_methods(["GET", "POST"])
def closing(request: HttpRequest, pk: Any) -> HttpResponse:
    """The project's file and what closing still waits for; papers are added here."""
    award = _award(request, pk)
    form = EvidenceForm(request.POST or None, request.FILES or None, award=award)
    if request.method == "POST" and form.is_valid() and _added(request, award, form):
        return redirect("evaluation:closing", pk=award.pk)
    context = {
        "award": award, "form": form, "missing": services.missing_for(award),
        "evidence": [(form.choices.get(e.code, e.code), e) for e in award.evidence.select_related("file").order_by("code", "pk")],
        "may_add": _may_add(request, award),
    }  # fmt: skip
    return render(request, "evaluation/closing.html", context, status=422 if form.errors else 200)


def _award(request: HttpRequest, pk: Any) -> Award:
    rows = award_file_visible.filter(
        Award.objects.select_related("call__agency", "bid__organisation", "bid__rules_version"), request.user
    )
    return get_object_or_404(rows, pk=pk)


def _may_add(request: HttpRequest, award: Award) -> bool:
    return award.state in ("active", "terminated") and contributor.allows(award, request.user, clock.now())


def _added(request: HttpRequest, award: Award, form: EvidenceForm) -> bool:
    code, file = form.cleaned_data["code"], form.cleaned_data["file"]
    try:
        services.add_evidence(award, code, name=file.name, file=file, by=request.user)
    except (Refusal, FileRefused) as refused:
        form.add_error("file", str(getattr(refused, "sentence", refused)))
        return False
    messages.success(request, _("已存入项目档案。"))
    return True


@login_required
@require_GET
def evidence(request: HttpRequest, pk: Any, number: int) -> HttpResponse:
    """A paper of the file, as a download."""
    row = get_object_or_404(_award(request, pk).evidence.select_related("file"), pk=number)
    return download(row.file, name=row.name)  # type: ignore[return-value]


@require_GET
def record(request: HttpRequest, pk: Any) -> HttpResponse:
    """An organisation's track record: public, by award, without personal data."""
    organisation = get_object_or_404(Organisation.objects.filter(state__in=("verified", "suspended")), pk=pk)
    rows = (
        TrackRecord.objects.filter(organisation=organisation).select_related("award__bid", "award__call").order_by("-recorded_at")
    )
    return render(request, "evaluation/record.html", {"organisation": organisation, "rows": rows})
