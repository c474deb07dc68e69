"""单位资料与资料库: written once by the organisation's own people, carried into every bid from here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from grants import clock
from grants.documents.inspection import FileRefused
from grants.people import services
from grants.people.forms import ProjectRows, StoryForm, VaultForm, show_refusal
from grants.people.machine import member
from grants.people.models import Organisation
from grants.workflow.refusals import Invalid, Refusal
from grants.workflow.rules import Ask


def own(request: HttpRequest, pk: UUID) -> Organisation:
    """The organisation, for its own people; 404 for everybody else, its registrar included."""
    found = Organisation.objects.select_related("registrar").filter(pk=pk).first()
    if found is None or not services.reads(found, request.user):
        raise Http404(_("没有这个单位，或它的资料只供本单位人员查看。"))
    return found


def _writes(organisation: Organisation, person: Any) -> bool:
    return bool(member.answer(Ask(person, organisation, clock.now())).ok)


@login_required
@require_http_methods(["GET", "POST"])
def story(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The profile: texts, and past projects row by row. "再加几行" shows more rows and saves nothing."""
    organisation = own(request, pk)
    held = services.story_of(organisation)
    data = ProjectRows.with_more_rows(request.POST) if request.method == "POST" else None
    form = StoryForm(data, initial={name: getattr(held, name) for name in held.TEXTS})
    rows = ProjectRows(data, initial=list(organisation.past_projects.values("name", "year", "funder", "amount", "result")))
    adding = data is not None and "more" in data
    if data is not None and not adding and form.is_valid() and rows.is_valid():
        try:
            services.save_story(organisation, by=request.user, projects=rows.kept(), **form.cleaned_data)  # type: ignore[arg-type]
            messages.success(request, _("单位资料已保存。开始新的申报时会自动带入，由您确认。"))
            return redirect("people:story", pk)
        except Refusal as refusal:
            show_refusal(form, refusal)
    context = {"organisation": organisation, "form": form, "rows": rows, "story": held, "writes": _writes(organisation, request.user)}
    return render(request, "people/story.html", context, status=422 if data is not None and not adding else 200)


@login_required
@require_http_methods(["GET", "POST"])
def vault(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The files with their last days; one upload at a time."""
    organisation = own(request, pk)
    form = VaultForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _kept(request, organisation, form):
        return redirect("people:vault", pk)
    rows = list(organisation.vault.select_related("file", "added_by"))
    soon = {row.pk for row in services.expiring(clock.today()).filter(organisation=organisation)}
    context = {"organisation": organisation, "form": form, "rows": [(row, row.pk in soon) for row in rows], "today": clock.today(),
               "writes": _writes(organisation, request.user)}  # fmt: skip
    return render(request, "people/vault.html", context, status=422 if request.method == "POST" else 200)


def _kept(request: HttpRequest, organisation: Organisation, form: forms.Form) -> bool:
    given = form.cleaned_data
    try:
        services.keep(organisation, given["file"], kind=given["kind"], expires_on=given["expires_on"], by=request.user)  # type: ignore[arg-type]
    except Invalid as refusal:
        show_refusal(form, refusal)
        return False
    except FileRefused as refused:
        form.add_error("file", refused.sentence)
        return False
    messages.success(request, _("已存入资料库“%(name)s”。") % {"name": given["file"].name})
    return True


@login_required
@require_POST
def drop(request: HttpRequest, pk: UUID, kept: int) -> HttpResponse:
    """Take a file out of the vault."""
    organisation = own(request, pk)
    row = get_object_or_404(organisation.vault.select_related("organisation"), pk=kept)
    services.drop(row, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("已从资料库删除“%(name)s”。已用于申报的附件不受影响。") % {"name": row.name})
    return redirect("people:vault", pk)
