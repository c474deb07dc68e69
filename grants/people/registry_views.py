"""Pages of the register: annual checks, credit, grades, and sponsorship agreements of one organisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grants.people import services
from grants.people.forms import (
    AnnualCheckForm,
    CreditForm,
    GradeForm,
    LastDayForm,
    LookupForm,
    ReasonForm,
    RemovalForm,
    SponsorshipForm,
)
from grants.people.models import AnnualCheck, CreditRecord, Organisation, SponsorAgreement
from grants.people.permissions import permissions_of
from grants.people.views import attempt, form_page
from grants.workflow.refusals import Refusal


def visible(request: HttpRequest, pk: UUID) -> Organisation:
    """The organisation if this person may see it; 404 otherwise."""
    rows = Organisation.objects.select_related("registrar").filter(pk=pk)
    found = Organisation.visible.filter(rows, request.user).first()
    if found is None:
        raise Http404(_("没有这个单位，或您无权查看。"))
    return found


@login_required
@require_GET
def records(request: HttpRequest, pk: UUID) -> HttpResponse:
    """年检、信用与等级 of one organisation."""
    organisation = visible(request, pk)
    context = {
        "organisation": organisation,
        "checks": organisation.annual_checks.select_related("recorded_by"),
        "credit": organisation.credit_records.all(),
        "lookups": organisation.credit_lookups.select_related("recorded_by")[:10],
        "grades": organisation.grades.all(),
        "keeps": "verify_organisations" in permissions_of(request.user, organisation.registrar),
    }
    return render(request, "people/records.html", context)


Act = Callable[..., Any]
ADDING: dict[str, tuple[Any, type[forms.Form], Act]] = {
    "annual-check": (_lazy("登记年检结论"), AnnualCheckForm, services.record_annual_check),
    "credit": (_lazy("登记名录记录"), CreditForm, services.record_credit),
    "lookup": (_lazy("登记信用查询"), LookupForm, services.record_credit_lookup),
    "grade": (_lazy("登记评估等级"), GradeForm, services.record_grade),
}


@login_required
@require_http_methods(["GET", "POST"])
def add_record(request: HttpRequest, pk: UUID, what: str) -> HttpResponse:
    """One more record of the kind `what`; the service decides whether this person may."""
    organisation = visible(request, pk)
    if what not in ADDING:
        raise Http404
    title, form_class, act = ADDING[what]
    form = form_class(request.POST or None, request.FILES or None)
    return _carry_out(
        request, form, lambda: act(organisation, by=request.user, **form.cleaned_data), title=str(title), organisation=organisation
    )


@login_required
@require_http_methods(["GET", "POST"])
def revoke_check(request: HttpRequest, pk: int) -> HttpResponse:
    """撤销年检结论."""
    check = get_object_or_404(AnnualCheck, pk=pk)
    organisation, form = visible(request, check.organisation_id), ReasonForm(request.POST or None)
    act = lambda: services.revoke_annual_check(check, by=request.user, **form.cleaned_data)  # type: ignore[misc, arg-type] # noqa: E731
    return _carry_out(request, form, act, title=_("撤销年检结论"), organisation=organisation)


@login_required
@require_http_methods(["GET", "POST"])
def remove_credit(request: HttpRequest, pk: int) -> HttpResponse:
    """登记移出名录."""
    record = get_object_or_404(CreditRecord, pk=pk)
    organisation, form = visible(request, record.organisation_id), RemovalForm(request.POST or None)
    act = lambda: services.remove_credit(record, by=request.user, **form.cleaned_data)  # type: ignore[misc, arg-type] # noqa: E731
    return _carry_out(request, form, act, title=_("登记移出名录"), organisation=organisation)


def _carry_out(
    request: HttpRequest, form: forms.Form, act: Callable[[], Any], *, title: str, organisation: Organisation, to: str = "records"
) -> HttpResponse:
    """Show the form, or take the act and go back to the organisation's list; refused, show the form with the reasons."""
    back = reverse(f"people:{to}", args=[organisation.pk])
    status = 0
    if request.method == "POST" and form.is_valid():
        made, status = attempt(form, act)
        if made is not None:
            messages.success(request, _("已登记。"))
            return redirect(back)
    return form_page(request, form, title=title, submit=title, back=back, lead=organisation.name, status=status)


@login_required
@require_GET
def sponsorships(request: HttpRequest, pk: UUID) -> HttpResponse:
    """托管协议 of one organisation, as group and as sponsor."""
    organisation = visible(request, pk)
    rows = SponsorAgreement.objects.select_related("group", "sponsor", "accepted_by")
    signs = "sign_for" in permissions_of(request.user, organisation)
    context = {
        "organisation": organisation,
        "as_group": rows.filter(group=organisation).order_by("-valid_from"),
        "as_sponsor": rows.filter(sponsor=organisation).order_by("-valid_from"),
        "signs": signs,
        "may_propose": signs and not organisation.is_legal_person,
    }
    return render(request, "people/sponsorships.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def propose_sponsorship(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The group asks a sponsor."""
    group = visible(request, pk)
    form = SponsorshipForm(request.POST or None, request.FILES or None, group=group)
    return _carry_out(
        request, form, lambda: services.propose_sponsorship(group, by=request.user, **form.cleaned_data),  # type: ignore[arg-type]
        title=_("提出托管"), organisation=group, to="sponsorships",
    )  # fmt: skip


@login_required
@require_POST
def accept_sponsorship(request: HttpRequest, pk: int) -> HttpResponse:
    """The sponsor's signatory accepts."""
    agreement = get_object_or_404(SponsorAgreement.objects.select_related("group", "sponsor"), pk=pk)
    visible(request, agreement.sponsor_id)
    try:
        services.accept_sponsorship(agreement, by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("已接受托管协议。"))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("people:sponsorships", pk=agreement.sponsor_id)


@login_required
@require_http_methods(["GET", "POST"])
def end_sponsorship(request: HttpRequest, pk: int) -> HttpResponse:
    """Either side ends the agreement early."""
    agreement = get_object_or_404(SponsorAgreement.objects.select_related("group", "sponsor"), pk=pk)
    organisation, form = visible(request, agreement.group_id), LastDayForm(request.POST or None)
    act = lambda: services.end_sponsorship(agreement, by=request.user, **form.cleaned_data)  # type: ignore[misc, arg-type] # noqa: E731
    return _carry_out(request, form, act, title=_("提前终止托管"), organisation=organisation, to="sponsorships")
