"""专家库: list, register, one expert with their relations."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from grants.people.models import Agency, Organisation
from grants.workflow.refusals import Refusal
from review import services
from review.blinding import scores_blindly
from review.conflicts import RelationKind, name_candidates
from review.forms import ExpertForm, FieldsForm, RelationForm, split_fields
from review.models import Expert, Tie
from review.services.pool import agency_of
from review.views import me

PER_PAGE = 50


def keeper(request: HttpRequest) -> Agency:
    """The agency on which this person keeps the pool; 404 for everybody else: the pool's existence is no public matter."""
    agency = agency_of(me(request))
    if agency is None:
        raise Http404(_("没有这一页，或您无权查看。"))
    return agency


@login_required
@require_GET
def experts(request: HttpRequest) -> HttpResponse:
    """The pool, by code."""
    keeper(request)
    rows = Expert.objects.select_related("user", "employer_organisation").order_by("code")
    return render(request, "review/experts.html", {"page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))})


@login_required
@require_http_methods(["GET", "POST"])
def new_expert(request: HttpRequest) -> HttpResponse:
    """Put a person into the pool."""
    agency = keeper(request)
    form = ExpertForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.register_expert(agency=agency, by=me(request), **form.values())
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已登记专家 %(code)s。") % {"code": made.code})
            return redirect("review:expert", pk=made.pk)
    return render(request, "review/expert_form.html", {"form": form, "refusal": refusal}, status=_status(request, refusal))


@login_required
@require_http_methods(["GET", "POST"])
def expert(request: HttpRequest, pk: Any) -> HttpResponse:
    """One expert: particulars and relations. The expert declares their own; an officer records what was found or claimed."""
    found = get_object_or_404(Expert.objects.select_related("user", "employer_organisation"), pk=pk)
    own = found.user_id == me(request).pk
    agency = None if own else keeper(request)
    if request.method == "POST" and request.POST.get("do") == "fields" and agency is not None:
        return _change_fields(request, found, agency)
    form = RelationForm(request.POST or None, own=own, typed=own and scores_blindly(me(request)))
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            data = form.cleaned_data
            services.add_relation(found, data.pop("organisation"), data.pop("kind"), by=me(request), agency=agency, **data)
        except Refusal as refused:
            refusal = refused
        else:
            messages.success(request, _("已登记。今后的分配、打开材料和提交评分都会据此核对。"))
            return redirect("review:expert", pk=pk)
    relations = [(r, RelationKind(r.kind).zh) for r in found.relations.select_related("organisation").order_by("-recorded_at")]
    context = {
        "expert": found,
        "own": own,
        "fields_form": None if own else FieldsForm(initial={"fields_": "、".join(found.fields)}),
        "form": form,
        "refusal": refusal,
        "relations": relations,
        "alike": _alike(found, own=own),
        "ties": () if own else _ties(found),
    }
    return render(request, "review/expert.html", context, status=_status(request, refusal))


def _ties(found: Expert) -> Any:
    """What the graph holds about the expert, for officers: who is whose relative is not for the expert's own page either."""
    rows = Tie.objects.filter(Q(left__expert=found) | Q(right__expert=found))
    return rows.select_related("left__expert__user", "left__organisation", "right__expert__user", "right__organisation")


def _change_fields(request: HttpRequest, found: Expert, agency: Agency) -> HttpResponse:
    form = FieldsForm(request.POST)
    if form.is_valid():
        services.change_expert(found, agency=agency, by=me(request), fields=split_fields(form.cleaned_data["fields_"]))
        messages.success(request, _("已更新服务领域，以后的分派按此计算契合度。"))
    else:
        messages.warning(request, "；".join(str(error) for error in form.errors["fields_"]))
    return redirect("review:expert", pk=found.pk)


def _alike(found: Expert, *, own: bool) -> list[Organisation]:
    """Registered organisations that the typed employer might mean: suggestions for the officer, never a decision (review.md §2.1)."""
    if own or not found.employer or found.employer_organisation_id is not None:
        return []
    known = {str(pk): name for pk, name in Organisation.objects.values_list("pk", "name")}
    return list(Organisation.objects.filter(pk__in=name_candidates(found.employer, known)).order_by("name"))


def _status(request: HttpRequest, refusal: Refusal | None) -> int:
    if refusal is not None:
        return refusal.status
    return 422 if request.method == "POST" else 200
