"""What every government site has at its foot: a map of the site, and 找错, which reaches the administrators."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from grants.desk import menu
from grants.notifications.services import compose, send_all
from grants.people.models import Site
from grants.people.services import holders
from grants.web.limits import by_address, limited


@require_GET
def site_map(request: HttpRequest) -> HttpResponse:
    """Every place this visitor can start from."""
    return render(request, "desk/site_map.html", {"places": menu.places(request)})


class CorrectionForm(forms.Form):
    """找错: what is wrong, where, and – only if one wants an answer – how to be reached."""

    page = forms.CharField(label=_("哪个页面"), max_length=300, help_text=_("网址或页面名称。"))
    what = forms.CharField(
        label=_("哪里不对"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("请写明现在是什么、应当是什么。"),
    )
    contact = forms.CharField(
        label=_("您的联系方式"), max_length=100, required=False, help_text=_("需要回复的才填，只有系统管理员能看到。")
    )


@require_http_methods(["GET", "POST"])
@limited("desk.corrections", "10/h", by_address)
def corrections(request: HttpRequest) -> HttpResponse:
    """网站找错: a report becomes a letter to the administrators, and a mail to `SITE_CORRECTIONS_MAIL` if there is one."""
    form = CorrectionForm(request.POST or None, initial={"page": request.GET.get("page", "")[:300]})
    if request.method == "POST" and form.is_valid():
        _report(form.cleaned_data)
        messages.success(request, gettext("谢谢，已经转给系统管理员核对。"))
        return redirect("desk:corrections")
    return render(request, "desk/corrections.html", {"form": form}, status=422 if form.errors else 200)


def _report(found: dict[str, Any]) -> None:
    """One letter to each administrator, all with one key; the mail leaves when they are written."""
    with transaction.atomic():
        send_all(
            to=holders("keep_accounts", Site()),
            template="correction", context=found, key=f"correction/{uuid.uuid4()}",
        )  # fmt: skip
        if settings.SITE_CORRECTIONS_MAIL:
            subject, text = compose("correction", found)
            transaction.on_commit(lambda: send_mail(subject, text, None, [settings.SITE_CORRECTIONS_MAIL], fail_silently=True))
