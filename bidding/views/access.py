"""Which bid a request may see, and whether its person may write it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from bidding.models import Bid
from bidding.rules import belongs_to, working_copy_open, writer
from grants import clock
from grants.calls.models import Call
from grants.people.models import Organisation
from grants.people.permissions import scopes_with
from grants.workflow.door import require
from grants.workflow.refusals import NotNow
from grants.workflow.rules import Ask


def seen(request: HttpRequest, pk: Any) -> Bid:
    """The bid, if this person may see it; Http404 otherwise, whether or not it exists."""
    rows = Bid.objects.select_related(*Bid.door_select, "call__rules_version").filter(pk=pk)
    bid = Bid.visible.filter(rows, request.user).first()
    if bid is None:
        raise Http404(_("没有这份申报书，或您无权查看。"))
    return bid


def own(request: HttpRequest, pk: Any) -> Bid:
    """The bid, for people of the applicant (or its sponsor): only they see a working copy."""
    bid = seen(request, pk)
    if not belongs_to(bid, request.user):
        raise Http404(_("工作稿只有申报单位自己可见；请查看已提交的版本。"))
    return bid


def own_sealed(request: HttpRequest, pk: Any) -> Bid:
    """The bid of one's own organisation in a sealed call; Http404 otherwise."""
    bid = own(request, pk)
    if not bid.sealed:
        raise Http404(_("这次征集不密封投标。"))
    return bid


def to_write(request: HttpRequest, pk: Any) -> Bid:
    """The bid, for a page that edits it. Raises NotYou, NotNow (deadline, decided)."""
    bid = own(request, pk)
    require(writer, bid, by=request.user)
    when = working_copy_open.answer(Ask(request.user, bid, clock.now()))
    if not when.ok:
        raise NotNow(when.sentence, rule=when.rule, verb="write")
    return bid


def after_saving(request: HttpRequest, bid: Bid) -> str:
    """Where a page of the bid goes when it has been saved: back to the check page if the person came from there, else to the list."""
    return reverse("bidding:check" if request.GET.get("from") == "check" else "bidding:tasks", args=[bid.pk])


def may_write(bid: Bid, person: Any) -> bool:
    """Whether the pages that edit the bid are open to a person now."""
    now = clock.now()
    return writer.allows(bid, person, now) and working_copy_open.allows(bid, person, now)


def own_organisations(person: Any) -> Any:
    """Organisations a person writes or signs for, by name."""
    held = scopes_with(person, "write_bids", Organisation, "pk") | scopes_with(person, "sign_for", Organisation, "pk")
    return Organisation.objects.filter(held).order_by("name")


def open_call(pk: Any) -> Call:
    """A call that accepts bids, or Http404."""
    rows = Call.objects.select_related("agency", "rules_version")
    call = rows.filter(pk=pk, state__in=("published", "open")).first()
    if call is None:
        raise Http404(_("没有这次征集，或它不在受理中。"))
    return call
