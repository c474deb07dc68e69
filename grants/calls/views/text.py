"""The rules as text: a new call from a preset or a file, and the second view of a draft or an addendum. Nothing typed is lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from grants.calls import services
from grants.calls.forms import NewCallForm, PresetForm, RulesText
from grants.calls.machine import CallStates
from grants.calls.models import Call
from grants.people.forms import show_refusal
from grants.people.models import Agency
from grants.people.permissions import permissions_of, scopes_with
from grants.workflow.refusals import NotYou, Refusal

S = CallStates


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """起草征集: take a preset into the text, check the text, or save the draft. Nothing typed is lost on the way."""
    if not Agency.objects.filter(scopes_with(request.user, "draft_calls", Agency, "pk")).exists():
        raise NotYou(_("起草征集由主办方经办办理；您没有这个角色。"), rule="may_draft_calls")
    act = request.POST.get("act", "")
    if act == "preset":
        return _from_preset(request)
    form = NewCallForm(request.POST or None, request.FILES or None, actor=request.user)
    status = 200
    if request.method == "POST" and form.is_valid() and act == "save":
        call, status = _draft(request, form)
        if call is not None:
            return _saved(request, call, _("草稿已保存。"))
    return _editor(request, form, preset=PresetForm(), status=status)


def _from_preset(request: HttpRequest) -> HttpResponse:
    preset = PresetForm(request.POST)
    kept = {name: request.POST.get(name, "") for name in ("agency", "operator", "text")}
    if preset.is_valid():
        kept["text"] = preset.text()
    return _editor(request, NewCallForm(initial=kept, actor=request.user), preset=preset)


def _draft(request: HttpRequest, form: NewCallForm) -> tuple[Call | None, int]:
    values = form.cleaned_data
    assert form.rules is not None  # the form is valid
    try:
        made = services.draft_call(values["agency"], form.rules, by=request.user, operator=values["operator"])  # type: ignore[arg-type]
    except Refusal as refusal:
        show_refusal(form, refusal)
        return None, refusal.status
    return made, 200


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Edit a draft's rules, or write the addendum of a published call, as text."""
    call = get_object_or_404(Call.objects.select_related("agency", "rules_version"), pk=pk)
    if "draft_calls" not in permissions_of(request.user, call.agency):
        raise NotYou(_("编辑规则由主办方经办办理；您没有这个角色。"), rule="may_draft_calls")
    form = RulesText(request.POST or None, request.FILES or None, initial={"text": _text_of(call)})
    status = 200
    if request.method == "POST" and form.is_valid() and request.POST.get("act") == "save":
        status = _write(request, call, form)
        if status == 200:
            return _saved(request, call, _("规则已保存。") if call.state == S.DRAFT else _("补充公告已起草，请负责人审批发布。"))
    return _editor(request, form, call=call, status=status)


def _text_of(call: Call) -> str:
    from grants.calls.rulebook import toml  # noqa: PLC0415 - pydantic is slow to import

    version = (call.draft_addendum if call.state != S.DRAFT else None) or call.rules_version
    return toml.dumps(version.rules) if version else ""


def _write(request: HttpRequest, call: Call, form: RulesText) -> int:
    """200 when written, else the refusal's status with its reasons on the form."""
    write: Any = services.revise if call.state == S.DRAFT else services.draft_addendum
    try:
        write(call, form.rules, by=request.user)
    except Refusal as refusal:
        show_refusal(form, refusal)
        return refusal.status
    return 200


def _saved(request: HttpRequest, call: Call, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect("desk:object", kind="call", pk=call.pk)


def _editor(
    request: HttpRequest, form: RulesText, *, call: Call | None = None, preset: PresetForm | None = None, status: int = 200
) -> HttpResponse:
    """The text with what is wrong with it: faults of form from parsing, contradictions from the linter."""
    from grants.calls.advice import advice  # noqa: PLC0415 - as above

    found = advice(form.rules) if form.rules is not None else form.problems
    checked = form.rules is not None
    changes = _changes(call, form) if call is not None and call.state != S.DRAFT and checked else []
    context = {"form": form, "call": call, "preset": preset, "problems": found, "checked": checked, "changes": changes}
    if form.is_bound and form.errors and status == 200:
        status = 422
    return render(request, "calls/editor.html", context, status=status)


def _changes(call: Call, form: RulesText) -> list[Any]:
    from grants.calls.rulebook.diff import diff  # noqa: PLC0415 - as above

    assert form.rules is not None  # asked for checked text only
    return list(diff(call.rules, form.rules))
