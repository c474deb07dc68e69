"""A masked number in full: a form that asks what for, then the value on a page that no cache keeps."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from grants.people.forms import show_refusal
from grants.people.models import Organisation
from grants.people.revealing import Revealed, may_reveal, reveal
from grants.workflow.refusals import Refusal


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("用途"), max_length=200, help_text=_("例如：核对开户许可证；通知补正。用途和您的身份记入台账，单位和审计可以看到。")
    )


@login_required
@require_http_methods(["GET", "POST"])
def organisation(request: HttpRequest, pk: UUID) -> HttpResponse:
    """An organisation's contact and account for its registrar's officers."""
    found = get_object_or_404(Organisation.visible.filter(Organisation.objects.select_related("registrar"), request.user), pk=pk)
    if not may_reveal(found, request.user):
        raise Http404
    form, shown = ReasonForm(request.POST or None), None
    if form.is_valid():
        shown = _attempt(form, found, request)
    context = {"form": form, "organisation": found, "shown": shown}
    answer = render(request, "people/revealed.html", context, status=422 if form.errors else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _attempt(form: ReasonForm, found: Organisation, request: HttpRequest) -> Revealed | None:
    try:
        return reveal(found, by=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
    except Refusal as refusal:
        show_refusal(form, refusal)
        return None
