"""附件后补: declare a file by its hash before the deadline, and send it, also within the hours after."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bidding import frozen, services
from bidding.declared import due_at
from bidding.forms import DeclareForm, show
from bidding.models import Bid
from bidding.rules import writer
from bidding.views.access import may_write, own
from grants import clock
from grants.documents.inspection import FileRefused
from grants.workflow.door import require
from grants.workflow.refusals import Invalid, Refusal


@login_required
@require_http_methods(["GET", "POST"])
def following(request: HttpRequest, pk: Any) -> HttpResponse:
    """What was declared, what has come, and the hours that are left. Only where the call's rules know files that follow."""
    bid = own(request, pk)
    require(writer, bid, by=request.user)
    due = due_at(bid)
    if due is None:
        raise Http404(_("本次征集的规则没有规定附件可以后补。"))
    act, status = request.POST.get("act"), 200
    form = DeclareForm(bid, data=request.POST if act == "declare" else None)
    if request.method == "POST":
        done, status = _act(request, bid, form, act)
        if done:
            messages.success(request, done)
            return redirect("bidding:following", bid.pk)
    titles = {a.code: a.name for a in bid.rules.attachments}
    context = {
        "bid": bid, "due": due, "form": form if may_write(bid, request.user) else None, "over": clock.now() >= due,
        "rows": [(titles.get(row.code, row.code), row) for row in frozen.declared(bid)],
    }  # fmt: skip
    return render(request, "bidding/following.html", context, status=status)


def _act(request: HttpRequest, bid: Bid, form: DeclareForm, act: str | None) -> tuple[str, int]:
    """(what was done, status); what was refused is said on the page, and what was typed stays."""
    by: Any = request.user
    try:
        if act == "declare":
            return (_declared(bid, form, by), 200) if form.is_valid() else ("", 422)
        row = get_object_or_404(bid.declared, pk=request.POST.get("row") or 0)
        if act == "undeclare":
            services.undeclare(row, by=by)
            return _("已撤销对“%(name)s”的声明。") % {"name": row.name}, 200
        upload = request.FILES.get("file")
        if not isinstance(upload, UploadedFile):
            raise Invalid(_("请选择文件。"), rule="file_missing")
        services.deliver(row, upload, by=by)
        return _("已收到“%(name)s”，与声明一致。") % {"name": row.name}, 200
    except FileRefused as refused:
        return _told(request, form, act, "name", refused.sentence, 422)
    except Refusal as refusal:
        if act == "declare":
            show(form, getattr(refusal, "problems", {}), str(refusal))
            return "", refusal.status
        return _told(request, form, act, "", refusal, refusal.status)


def _declared(bid: Bid, form: DeclareForm, by: Any) -> str:
    given = form.cleaned_data
    row = services.declare(bid, given["code"], given["name"], given["size"], given["sha256"], by=by, expires_on=given.get("expires_on"))
    return _("已声明“%(name)s”。提交申报书之后，请在期限内补交这个文件。") % {"name": row.name}


def _told(request: HttpRequest, form: DeclareForm, act: str | None, field: str, sentence: Any, status: int) -> tuple[str, int]:
    if act == "declare":
        form.add_error(field or None, str(sentence))
    else:
        messages.error(request, str(sentence))
    return "", status
