"""我的个人信息: what is held about me, a copy of it, what must stay and why, and asking for its erasure (个人信息保护法 §44–§47)."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from grants.people import erasing, services
from grants.people.models import AccountRequest
from grants.people.views import attempt

NAMES = {
    "account": gettext_lazy("账号：姓名、用户名、手机、邮箱、任职、登录记录、收到的信件"), "bids": gettext_lazy("由您提交的申报书"),
    "pool": gettext_lazy("专家库中的资料"), "projects": gettext_lazy("由您签署申报的项目"),
}  # fmt: skip
"""A stage's part in words; what a stage holds nothing of is not listed."""


class EraseForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("说明"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("可以不填。管理员复核时会看到。"),
    )  # fmt: skip
    sure = forms.BooleanField(
        label=gettext_lazy("我知道账号将停用，删除后不能恢复。"), error_messages={"required": gettext_lazy("请勾选，表示您知道删除后不能恢复。")}
    )


@login_required
@require_http_methods(["GET", "POST"])
def mine(request: HttpRequest) -> HttpResponse:
    """What is held, what must stay; with POST the request to erase, refused with its reason and day."""
    user: Any = request.user
    form, status = EraseForm(request.POST if request.method == "POST" else None), 0
    if request.method == "POST" and form.is_valid():
        made, status = attempt(form, lambda: services.ask_for("erase", user, by=user, note=form.cleaned_data["note"]))
        if made is not None:
            messages.success(request, _("已申请删除个人信息，由管理员复核。复核以前可以在下方撤回。"))
            return redirect("people:mine")
    answer = render(request, "people/mine.html", _shown(user, form), status=status or (422 if form.errors else 200))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _shown(user: Any, form: EraseForm) -> dict[str, Any]:
    held = [(NAMES[name], _number(part)) for name, part in erasing.told(user).items() if any(part.values())]
    asked = AccountRequest.objects.filter(what="erase", person=user).order_by("-created_at")[:5]
    found = erasing.holds(user)
    return {
        "form": form, "held": held, "asked": asked, "open": any(each.state == "asked" for each in asked), "refusal": erasing.obstacle(user),
        "duties": [hold.why for hold in found if hold.duty], "kept": [erasing.kept_until(hold) for hold in found if not hold.duty],
    }  # fmt: skip


def _number(part: dict[str, Any]) -> int:
    """How many entries a part has: its single facts and the rows of its lists."""
    return sum(len(value) if isinstance(value, list) else bool(value) for value in part.values())


@login_required
@require_GET
def copy(request: HttpRequest) -> HttpResponse:
    """Everything held about me as JSON, to save; no cache keeps it."""
    text = json.dumps(erasing.told(request.user), ensure_ascii=False, indent=2)  # type: ignore[arg-type]
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "no-store"}
    return HttpResponse(text, content_type="application/json; charset=utf-8", headers=headers)
