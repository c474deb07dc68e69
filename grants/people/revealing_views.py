"""A masked number in full: a form that asks what for, then the value on a page that no cache keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from grants.people.forms import show_refusal
from grants.people.models import Organisation
from grants.people.revealing import may_reveal, reveal
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
    look = lambda reason: reveal(found, by=request.user, reason=reason)  # type: ignore[arg-type] # noqa: E731 - the page calls it once
    return after_a_reason(request, "people/revealed.html", {"organisation": found}, look)


def after_a_reason(request: HttpRequest, template: str, context: Mapping[str, Any], look: Callable[[str], Any], *, hint: Any = "") -> HttpResponse:
    """The form that asks what for; once it is answered, the same page with `shown`, what `look(reason)` gave. No cache keeps it.

    look records the reading, or raises a Refusal: then nothing is shown, and the page says why with what was typed. hint: an example of a reason, where the
    usual one does not fit.
    """
    form, shown = ReasonForm(request.POST if request.method == "POST" else None), None
    form.fields["reason"].help_text = hint or form.fields["reason"].help_text
    if form.is_valid():
        try:
            shown = look(form.cleaned_data["reason"])
        except Refusal as refusal:
            show_refusal(form, refusal)
    answer = render(request, template, {**context, "form": form, "shown": shown}, status=422 if form.errors else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer
