"""What was carried over into a bid: confirming it item by item, and using files of the organisation's vault."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bidding import frozen, services
from bidding.models import Bid
from bidding.prefilled import current, of_bid, team_of, unsettled
from bidding.views.access import to_write
from grants.workflow.refusals import Invalid


@login_required
@require_http_methods(["GET", "POST"])
def carried(request: HttpRequest, pk: Any) -> HttpResponse:
    """Every carried answer with its source; those ticked are confirmed, the others can be changed on their own page."""
    bid = to_write(request, pk)
    if request.method == "POST":
        ticked = [int(each) for each in request.POST.getlist("mark") if each.isdigit()]
        done = services.confirm(bid, ticked, by=request.user)  # type: ignore[arg-type]
        if not done:
            messages.warning(request, _("没有勾选任何一项。请逐项核对，无误的打勾。"))
            return redirect("bidding:carried", bid.pk)
        messages.success(request, _("已确认 %(n)d 项。") % {"n": done})
        return redirect("bidding:tasks" if not unsettled(bid) else "bidding:carried", bid.pk)
    return render(request, "bidding/carried.html", {"bid": bid, "rows": _rows(bid), "share": of_bid(bid)})


def _rows(bid: Bid) -> list[dict[str, Any]]:
    """Each mark with its question as a frozen bid writes it, and whether it still waits."""
    waits = {mark.pk for mark in unsettled(bid)}
    people = team_of(bid)
    shown = {(s["code"], f["code"]): f for s in frozen.sections(bid.rules.forms.application, bid.answers) for f in s["fields"]}
    return [
        {"mark": mark, "field": shown.get((mark.section, mark.field)), "people": current(bid, mark, people) if not mark.field else [],
         "waits": mark.pk in waits, "page": f"sections/{mark.section}" if mark.field else mark.section}
        for mark in bid.prefills.select_related("confirmed_by")
    ]  # fmt: skip


@login_required
@require_POST
def reuse(request: HttpRequest, pk: Any) -> HttpResponse:
    """One click: a file of the vault becomes the attachment."""
    bid = to_write(request, pk)
    kept = get_object_or_404(bid.organisation.vault.select_related("file"), pk=request.POST.get("kept") or 0)
    try:
        services.attach_kept(bid, request.POST.get("code", ""), kept, by=request.user)  # type: ignore[arg-type]
        messages.success(request, _("已选用资料库中的“%(name)s”。") % {"name": kept.name})
    except Invalid as refusal:
        messages.error(request, str(refusal))
    return redirect(reverse("bidding:attachments", args=[bid.pk]) + ("?from=check" if request.GET.get("from") == "check" else ""))
