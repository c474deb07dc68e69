"""信件 for the 系统管理员: whether letters arrived, and the words of each kind. Nobody's letter is read here, only its way."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grants import ledger
from grants.notifications import services as letters
from grants.notifications import wordings
from grants.notifications.models import Delivery, Wording
from grants.notifications.wishes import MATTERS, matter_of
from grants.people.models import Site
from grants.people.site_views import require_site
from grants.web.cells import Column
from grants.web.tables import Filters, Table


class WayFilter(Filters):
    """How far it came, and by which way."""

    status = forms.ChoiceField(label=gettext_lazy("状态"), choices=[("", gettext_lazy("全部")), *Delivery.State.choices])
    channel = forms.CharField(label=gettext_lazy("方式"), max_length=20)

    def narrow(self, rows: Any, chosen: dict[str, Any]) -> Any:
        wanted = {name: value for name, value in chosen.items() if value}
        return rows.filter(**wanted)


def _columns() -> tuple[Column, ...]:
    return (
        Column(_("写成时间"), "message.created_at", "datetime", name="created", sort="message__created_at"),
        Column(_("收信人"), "message.to.username", "code", name="to", sort="message__to__username"),
        Column(_("事项"), lambda row: MATTERS[matter_of(row.message.template)], name="matter"),
        Column(_("信件"), "message.template", "code", name="template", sort="message__template"),
        Column(_("方式"), "channel", "code", sort="channel"),
        Column(_("状态"), "get_status_display", name="status", sort="status"),
        Column(_("次数"), "attempts", "number", sort="attempts"),
        Column(_("送出时间"), "sent_at", "datetime", sort="sent_at"),
        Column(_("原因"), "error"),
        Column(_("序号"), "pk", "code", sort="pk"),
    )


@login_required
@require_GET
def deliveries(request: HttpRequest) -> HttpResponseBase:
    """投递记录: every letter's way, newest first, and a button for what was given up."""
    require_site(request, "watch_system")
    rows = Delivery.objects.select_related("message__to")
    table = Table(request, rows, _columns(), name=_("信件投递"), filters=WayFilter, order=("-pk",), empty=_("还没有信件。"))
    given_up = rows.filter(status=Delivery.State.FAILED).order_by("-pk")[:50]
    return table.respond("people/site/deliveries.html", {"given_up": given_up})


@login_required
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """重新投递 one letter that was given up."""
    require_site(request, "watch_system")
    if letters.again(get_object_or_404(Delivery, pk=pk)):
        messages.success(request, _("已重新排队，稍后请刷新查看。"))
    else:
        messages.error(request, _("这封信没有投递失败，不需要重新投递。"))
    return redirect("people:deliveries")


@login_required
@require_GET
def texts(request: HttpRequest) -> HttpResponse:
    """Every kind of letter by matter, with a mark where this installation words it differently."""
    require_site(request, "watch_system")
    worded = set(Wording.objects.values_list("template", flat=True))
    kinds: dict[str, list[tuple[str, str, bool]]] = {matter: [] for matter in MATTERS}
    for name in wordings.names():
        kinds[matter_of(name)].append((name, _subject(name), name in worded))
    return render(request, "people/site/texts.html", {"kinds": [(MATTERS[matter], rows) for matter, rows in kinds.items() if rows]})


def _subject(template: str) -> str:
    """The first line without its marks, to know a letter by."""
    return wordings.subject_line(wordings.original(template))


class TextForm(forms.Form):
    """The whole text: first line the subject, then a blank line, then the letter."""

    text = forms.CharField(label=gettext_lazy("文字"), widget=forms.Textarea(attrs={"rows": 18}), strip=False)


@login_required
@require_http_methods(["GET", "POST"])
def text(request: HttpRequest, template: str) -> HttpResponse:
    """Word one kind of letter. A text that could say more than the original, or could fail, is refused with everything typed kept."""
    require_site(request, "watch_system")
    try:
        base = wordings.original(template)
    except LookupError as unknown:
        raise Http404(_("没有这种信件。")) from unknown
    form = TextForm(request.POST if "text" in request.POST else None, initial={"text": wordings.current(template)})
    if request.method == "POST" and _changed(request, template, form):
        return redirect(reverse("people:text", args=[template]))
    context = {"form": form, "template": template, "base": base, "may_use": wordings.placeholders(base),
               "worded": Wording.objects.filter(template=template).select_related("changed_by").first()}  # fmt: skip
    return render(request, "people/site/text.html", context, status=422 if form.errors else 200)


def _changed(request: HttpRequest, template: str, form: TextForm) -> bool:
    """Save the new words, or go back to the old ones; False when the text was refused."""
    if "restore" in request.POST:
        with transaction.atomic():
            if wordings.restore(template):
                _remember(request, "restore", template, wordings.original(template))
        messages.success(request, _("已恢复原文。"))
        return True
    if not form.is_valid():
        return False
    for sentence in wordings.wrong_with(template, form.cleaned_data["text"].replace("\r\n", "\n")):
        form.add_error("text", sentence)
    if form.errors:
        return False
    with transaction.atomic():
        made = wordings.word(template, form.cleaned_data["text"].replace("\r\n", "\n"), by=request.user)
        _remember(request, "change", template, made.text)
    messages.success(request, _("已保存。从现在起写的信用新的文字，以前的信不变。"))
    return True


def _remember(request: HttpRequest, verb: str, template: str, text: str) -> None:
    digest = hashlib.sha256(text.encode()).hexdigest()
    ledger.record(
        event=f"wording.{verb}", actor=str(request.user.pseudonym), role="system_admin", subject=f"site:{Site().pk}", verb=verb,  # type: ignore[union-attr]
        public={"template": template, "text_sha256": digest},
    )  # fmt: skip
