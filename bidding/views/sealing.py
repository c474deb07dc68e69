"""Handing in sealed bids: ciphertext from the bidder's browser, or text that this process seals in memory; and restoring from the kept copy."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from bidding.models import Bid
from bidding.seal_forms import CopyForm
from bidding.seal_rules import lost_key
from bidding.sealed_form import SealedForm
from bidding.sealing.kept import pack, unpack
from bidding.sealing.refusals import SealRefused
from bidding.services import sealing
from bidding.views.access import own_sealed
from bidding.views.sealed import shown
from grants.documents.uploads import in_memory
from grants.workflow.refusals import Invalid, Refusal


@login_required
@require_POST
def seal(request: HttpRequest, pk: Any) -> HttpResponse:
    """Ciphertext and header from the bidder's browser. Answers JSON: number, version, receipt and where to go; or why not.

    What has arrived already is answered as the first time: the browser sends again when the line broke before it heard.
    """
    bid = own_sealed(request, pk)
    try:
        files = {name: file for name, file in request.FILES.items() if not isinstance(file, list)}
        header = sealing.header_json(request.POST.get("header", ""))
        if sealing.has_arrived(bid, header):
            return JsonResponse(_told(bid))
        done = sealing.hand_in(bid, header, files, by=request.user, declarations=request.POST.getlist("declarations"))  # type: ignore[arg-type]
    except Refusal as refusal:
        return JsonResponse({"sentence": str(refusal), "rule": refusal.rule}, status=refusal.status)
    return JsonResponse(_told(done))


def _told(bid: Bid) -> dict[str, Any]:
    version = bid.sealed_latest
    assert version is not None
    page = reverse("bidding:submitted", args=[bid.pk])
    return {"number": bid.number, "version": version.number, "header": version.hash, "receipt": page, "next": page}


@in_memory(lambda: sealing.MOST_BYTES)
@sensitive_post_parameters()
@login_required
@require_POST
def seal_here(request: HttpRequest, pk: Any) -> HttpResponse:
    """系统代为封标 for a browser without script: the form's text is sealed in memory, the kept copy is the answer."""
    bid = own_sealed(request, pk)
    form = SealedForm(bid, request.POST, request.FILES)
    if form.problems():
        return shown(request, bid, form, status=422)
    try:
        done, copy = sealing.seal_here(
            bid, form.fields(), form.attachments(), by=request.user, declarations=request.POST.getlist("declarations")  # type: ignore[arg-type]
        )
    except Refusal as refusal:
        return shown(request, bid, form, refusal=refusal, status=refusal.status)
    answer = HttpResponse(pack(copy), content_type="application/zip")
    name = _("投标留存包 %(no)s 第%(n)d版.zip") % {"no": done.number, "n": _told(done)["version"]}
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@login_required
@require_http_methods(["GET", "POST"])
def restore(request: HttpRequest, pk: Any) -> HttpResponse:
    """用留存包恢复: for a bid that did not open. The copy is compared with the commitment, byte for byte."""
    bid = own_sealed(request, pk)
    form = CopyForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            sealing.restore(bid, _copy(form), by=request.user)  # type: ignore[arg-type]
            messages.success(request, _("已恢复：留存包与投标时的承诺值一致，按原提交时间参加评审。"))
            return redirect("bidding:submitted", bid.pk)
        except Refusal as refusal:
            form.add_error(None if not isinstance(refusal, Invalid) else "kept", str(refusal))
    if request.method == "POST":
        status = 422
    return render(request, "bidding/restore.html", {"bid": bid, "form": form, "version": bid.sealed_latest, "key": lost_key(bid)}, status=status)


def _copy(form: CopyForm) -> Any:
    try:
        return unpack(form.cleaned_data["kept"].read())
    except SealRefused as refusal:
        raise sealing.invalid(refusal) from refusal
