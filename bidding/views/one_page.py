"""一页纸申报: a small bid on one page, for a telephone: write, save, sign and submit from there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bidding import services
from bidding.completeness import problems
from bidding.forms import SignForm, show
from bidding.models import Bid
from bidding.one_page import fits_one_page
from bidding.page_form import PageForms
from bidding.services.page import NotSaved, save_page
from bidding.views.access import to_write
from grants.workflow.refusals import Refusal


@login_required
@require_http_methods(["GET", "POST"])
def one_page(request: HttpRequest, pk: Any) -> HttpResponse:
    """The whole bid. "保存" saves it all or nothing; "保存并提交" also signs; a refusal of the submission keeps what was saved."""
    bid = to_write(request, pk)
    if not fits_one_page(bid.rules):
        return redirect("bidding:tasks", bid.pk)
    sign = SignForm(request.POST or None, obj=bid, actor=request.user)
    if request.method == "GET":
        return _show(request, bid, PageForms(bid), sign)
    forms = PageForms(bid, request.POST, request.FILES)
    if not forms.is_valid():
        return _show(request, bid, forms, sign, status=422)
    try:
        bid = save_page(bid, forms.page(), by=request.user)  # type: ignore[arg-type]
    except NotSaved as wrong:
        forms.show(wrong)
        return _show(request, bid, forms, sign, status=422)
    if "submit" in request.POST:
        return _submit(request, bid, sign)
    messages.success(request, _("已保存。"))
    return redirect("bidding:one_page", bid.pk)


def _submit(request: HttpRequest, bid: Bid, sign: SignForm) -> HttpResponse:
    sign.is_valid()
    try:
        done = services.submit(bid, by=request.user, **sign.details())  # type: ignore[arg-type]
    except Refusal as refusal:
        messages.warning(request, _("内容已保存，但还没有提交：%(why)s") % {"why": refusal})
        show(sign, getattr(refusal, "problems", {}))
        return _show(request, bid, PageForms(bid), sign, status=refusal.status)
    messages.success(request, _("申报书已提交，编号 %(no)s。回执生成后会发到站内信箱。") % {"no": done.number})
    return redirect("bidding:submitted", bid.pk)


def _show(request: HttpRequest, bid: Bid, forms: PageForms, sign: SignForm, *, status: int = 200) -> HttpResponse:
    if "declarations" in sign.fields:
        sign.fields["declarations"].required = True  # what was sent has been read: only the label shall not call them optional
    context = {
        "bid": bid, "forms": forms, "sign": sign, "problems": problems(bid) if status == 200 else [], "errors": forms.errors(),
        "limits": bid.rules.budget, "cap": bid.rules.amounts.cap, "held": list(bid.attachments.select_related("file")),
    }  # fmt: skip
    return render(request, "bidding/one_page.html", context, status=status)
