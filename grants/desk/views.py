"""The desk: what waits for me, every object's page, one generic step, files, and a project's whole path."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from grants.desk import asking, crossing, menu, objects, path, registry
from grants.desk.square.views import front
from grants.documents.download import download
from grants.people import again
from grants.workflow.door import explain
from grants.workflow.machine import Machine, Step
from grants.workflow.pages import StepForm
from grants.workflow.refusals import NotNow, Refusal
from grants.workflow.rules import PUBLIC


def who(request: HttpRequest) -> Any:
    """The actor behind a request: the signed-in person, or the public."""
    return request.user if request.user.is_authenticated else PUBLIC


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What waits for me; for visitors the public square's front door."""
    if not request.user.is_authenticated:
        return front(request)
    roles = menu.remember_roles(request, request.user)
    context = {"waiting": registry.waiting_for(request.user), "roles": roles, "applies": bool(roles & menu.APPLICANT), "office": bool(roles & menu.AGENCY)}
    return render(request, "desk/home.html", {**context, **path.entrances(request.user)})


@require_GET
def show(request: HttpRequest, kind: str, pk: Any) -> HttpResponse:
    """One object: state, facts, timeline, documents, and the steps this person may take — and why not the others."""
    actor = who(request)
    obj = objects.find(kind, pk, actor)
    page = registry.page_for(type(obj))
    objects.remember_reading(obj, actor, "read")
    objects.remember_reader(obj, actor)
    open_steps, closed_steps = objects.offers(obj, actor)
    links = [*page.links(obj, actor), *crossing.links(obj, actor)]
    context = {
        "obj": obj, "kind": kind, "page": page, "facts_template": page.template, "links": links,
        "has_primary": any(link.primary for link in links),
        "documents": objects.documents(obj, actor), "timeline": objects.timeline(obj, actor),
        "offers": open_steps, "refused": closed_steps, **page.context(obj, actor),
    }  # fmt: skip
    return render(request, "desk/object.html", context)


@require_http_methods(["GET", "POST"])
def step(request: HttpRequest, kind: str, pk: Any, verb: str) -> HttpResponse:
    """Confirm one step: what it does, its form, a reason. Refused: the same page with what was typed and why."""
    actor = who(request)
    obj = objects.find(kind, pk, actor)
    declared = type(obj).steps().get(verb)
    if declared is None or not objects.pressable(type(obj), declared):
        raise Http404(_("没有这一步。"))
    form_class = registry.form_for(type(obj), verb)
    if request.method == "GET":
        form = form_class(obj=obj, actor=actor, danger=declared.danger)
        refusal = explain(obj, verb, actor)
        if refusal is None and asking.owed(request, asking.of_step(kind, verb)):
            return again.ask(request)  # before anything is typed; a form that comes too late is met by asking.AskAgain
        return _confirm(request, obj, declared, form, refusal, status=refusal.status if refusal else 200)
    form = form_class(request.POST, request.FILES, obj=obj, actor=actor, danger=declared.danger)
    if not form.is_valid():
        return _confirm(request, obj, declared, form, None, status=422)
    return _take(request, obj, declared, form)


def _take(request: HttpRequest, obj: Machine, declared: Step, form: StepForm) -> HttpResponse:
    try:
        if request.POST.get("seen_state", obj.state) != obj.state:
            raise NotNow(
                _("您打开页面之后，别人已经处理了这一项。请看下面的经过，再决定下一步。"), rule="state", verb=declared.verb
            )
        details = {**form.details(), **({"authenticated": again.proof(request)} if form.proves else {})}
        form.take(declared.verb, note=form.cleaned_data.get("note", ""), **details)
    except Refusal as refusal:
        return _confirm(request, obj, declared, form, refusal, status=refusal.status)
    messages.success(request, _("已完成：%(step)s。") % {"step": declared.label})
    return redirect("desk:object", kind=obj.kind(), pk=obj.pk)


def _confirm(
    request: HttpRequest, obj: Machine, declared: Step, form: StepForm, refusal: Refusal | None, *, status: int = 200
) -> HttpResponse:
    to = obj.States(declared.to).label if declared.to else None
    context = {
        "obj": obj, "kind": obj.kind(), "step": declared, "form": form, "refusal": refusal, "to": to,
        "back": reverse("desk:object", args=[obj.kind(), obj.pk]),
    }  # fmt: skip
    return render(request, "desk/step.html", context, status=status)


@require_GET
def file(request: HttpRequest, kind: str, pk: Any, sha256: str) -> HttpResponse:
    """A file of an object, always as a download, only if the object's page lists it for this person."""
    actor = who(request)
    obj = objects.find(kind, pk, actor)
    for label, stored in objects.documents(obj, actor):
        if stored.sha256 == sha256:
            objects.remember_reading(obj, actor, "download", file=sha256)
            return download(stored, name=objects.file_name(label, stored))  # type: ignore[return-value]
    raise Http404(_("没有这份文件，或您无权下载。"))


@login_required
@require_GET
def whole_path(request: HttpRequest, pk: Any) -> HttpResponse:
    """One project from bid to closing on a page, with the bid's own timeline and its award's."""
    actor = request.user
    bid = objects.find("bid", pk, actor)
    objects.remember_reading(bid, actor, "read")
    context = path.whole(bid, actor)
    seen = [line.obj for station in context["stations"][1:] for line in station.lines if line.obj.kind() != "panel"]
    moments = [moment for obj in seen for moment in objects.timeline(obj, actor)]
    return render(request, "desk/path.html", {**context, "timeline": sorted(moments, key=lambda moment: moment.order)})
