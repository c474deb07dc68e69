"""A new call by form: from last round's rules or from a sample, with a new code and shifted dates."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from grants.calls import services
from grants.calls.forms import StartForm
from grants.calls.models import Call
from grants.people.forms import show_refusal
from grants.people.models import Agency
from grants.people.permissions import scopes_with
from grants.workflow.refusals import NotYou, Refusal


@login_required
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """起草征集: the draft is made at once and opens in the editor, what was carried over is one click away."""
    if not Agency.objects.filter(scopes_with(request.user, "draft_calls", Agency, "pk")).exists():
        raise NotYou(_("起草征集由主办方经办办理；您没有这个角色。"), rule="may_draft_calls")
    form = StartForm(request.POST or None, actor=request.user, initial={"source": request.GET.get("from", "")})
    status = 200
    if request.method == "POST":
        made, status = _draft(request, form) if form.is_valid() else (None, 422)
        if made is not None:
            return _begun(request, made, form)
    return render(request, "calls/start.html", {"form": form}, status=status)


def _draft(request: HttpRequest, form: StartForm) -> tuple[Call | None, int]:
    values = form.cleaned_data
    assert form.rules is not None  # the form is valid
    try:
        made = services.draft_call(values["agency"], form.rules, by=request.user, operator=values["operator"])  # type: ignore[arg-type]
    except Refusal as refusal:
        show_refusal(form, refusal)
        return None, refusal.status
    return made, 200


def _begun(request: HttpRequest, made: Call, form: StartForm) -> HttpResponse:
    """Into the editor, saying which texts still speak of the old year."""
    messages.success(request, _("草稿 %(code)s 已建立。逐项核对各部分，改好后提交审批。") % {"code": made.code})
    stale = _stale(form)
    if stale:
        keys = "、".join(key for key, _text in stale[:5])
        messages.warning(
            request, _("有 %(n)d 处文字还写着 %(year)s 年，请核对：%(keys)s。") % {"n": len(stale), "year": _old_year(form), "keys": keys}
        )
    return redirect(f"{reverse('calls:editor', args=[made.pk])}?{urlencode({'from': form.cleaned_data['source']})}")


def _old_year(form: StartForm) -> int:
    return int(form.original(form.cleaned_data["source"]).timetable.opens_at.year)


def _stale(form: StartForm) -> list[Any]:
    from grants.calls.rulebook.schedule import mentions  # noqa: PLC0415 - pydantic is slow to import

    assert form.rules is not None
    year = _old_year(form)
    if form.rules.timetable.opens_at.year == year:
        return []
    return mentions(form.rules, f"{year}年") + mentions(form.rules, f"{year} 年")
