"""An expert's own pages around the score sheet: the list with progress, the declaration, stepping aside, setting aside."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grants.workflow.refusals import Refusal
from review import services
from review.blinding import hides
from review.deviation import PERCENT, RESIDUAL
from review.forms import ReasonForm
from review.models import LIVE, Expert, Panel, PanelMember, Review
from review.panels import alarms
from review.queue import Filter, following, own, place_of
from review.rules import NOT_HELD
from review.views import me

PER_PAGE = 50
SKIPPED = "review_skipped"


@login_required
@require_GET
def mine(request: HttpRequest) -> HttpResponse:
    """My reviews: invitations to answer, what is owed, the queue with its filters; nothing of anybody else."""
    user, chosen = me(request), Filter.of(request.GET)
    counts = _counts(user)
    listed = chosen.rows(user).select_related("panel__call")
    context = {
        "page": Paginator(listed, PER_PAGE).get_page(request.GET.get("page")), "open": counts["assigned"] + counts["accepted"],
        "done": counts["submitted"], "accepted": counts["accepted"], "owed": _owed(user), "to_sign": _to_sign(user), "chosen": chosen,
        "expert": Expert.objects.filter(user=user).first(), "invitations": invitations(user), "meetings": _meetings(user),
    }  # fmt: skip
    return render(request, "review/mine.html", context)


def _counts(user: Any) -> dict[str, int]:
    states = list(own(user).values_list("state", flat=True))
    return {state: states.count(state) for state in LIVE}


def invitations(user: Any) -> list[PanelMember]:
    """Seats of mine that wait for an answer: invited, neither accepted nor declined."""
    seats = PanelMember.objects.filter(expert__user=user, alternate=False, excused=False, joined_at=None)
    seats = seats.filter(panel__state__in=("forming", "scoring"), panel__invited_at__isnull=False)
    return list(seats.select_related("panel__call"))


def _meetings(user: Any) -> list[Panel]:
    seats = PanelMember.objects.filter(expert__user=user, alternate=False, excused=False).values("panel")
    return list(Panel.objects.filter(pk__in=seats, meeting__isnull=False).exclude(state="concluded").select_related("call"))


ASKED_BY = {
    PERCENT: gettext_lazy("与这份申报平均分的差距超过规则规定的百分比"),
    RESIDUAL: gettext_lazy("扣除您本人的宽严之后，仍明显偏离这份申报（超过 2.5 个稳健标准差）"),
}


def _owed(user: Any) -> list[tuple[Review, str]]:
    """My submitted ballots that owe a reason, with the rule that asks and no figure; empty until every ballot of their panel is in."""
    seats = PanelMember.objects.filter(expert__user=user, panel__state="scoring").select_related("panel__call__rules_version")
    found = [alarm for seat in seats for alarm in alarms(seat.panel)]
    mine = [(r, rules) for r, rules in found if r.expert.user_id == user.pk and not r.reason]
    return [(r, "；".join(str(ASKED_BY[rule]) for rule in rules)) for r, rules in mine]


def _to_sign(user: Any) -> list[PanelMember]:
    seats = PanelMember.objects.filter(expert__user=user, panel__state="scored", alternate=False, excused=False, signed_at=None)
    return list(seats.filter(panel__in=Panel.objects.filter(NOT_HELD)).select_related("panel__call"))


@login_required
@require_http_methods(["GET", "POST"])
def review(request: HttpRequest, pk: Any) -> HttpResponse:
    """The declaration: pledge and open, or step aside. The material is not on this page."""
    found, chosen = own_review(request, pk), Filter.of(request.GET)
    if found.state != "assigned":
        return redirect(address("review:score", chosen, pk))
    refusal: Refusal | None = None
    form = ReasonForm(request.POST if request.POST.get("do") == "recuse" else None)
    if request.method == "POST":
        try:
            if request.POST.get("do") == "recuse" and form.is_valid():
                return _recused(request, found, form, chosen)
            if request.POST.get("do") == "accept":
                services.accept(found, by=me(request), pledge=request.POST.get("pledge") == "yes")
                return redirect(address("review:score", chosen, pk))
        except Refusal as refused:
            refusal = refused
    context = {"review": found, "form": form, "refusal": refusal, "place": place_of(found, chosen, me(request)), "chosen": chosen,
               "hidden": hides(found.panel)}  # fmt: skip
    return render(request, "review/pledge.html", context, status=_status(request, refusal))


@login_required
@require_http_methods(["GET", "POST"])
def recuse(request: HttpRequest, pk: Any) -> HttpResponse:
    """Step aside at any time before the lock: a reason, then the next one in the queue."""
    found, chosen = own_review(request, pk), Filter.of(request.GET)
    form, refusal = ReasonForm(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            return _recused(request, found, form, chosen)
        except Refusal as refused:
            refusal = refused
    return stepping_aside(request, found, chosen, refusal, form)


def stepping_aside(
    request: HttpRequest, found: Review, chosen: Filter, refusal: Refusal | None, form: ReasonForm | None = None
) -> HttpResponse:
    """The page on which an expert steps aside; also what is shown instead of a file that a conflict has closed."""
    context = {"review": found, "form": form or ReasonForm(), "refusal": refusal, "chosen": chosen, "closed": form is None}
    return render(request, "review/recuse.html", context, status=_status(request, refusal))


def _recused(request: HttpRequest, found: Review, form: ReasonForm, chosen: Filter) -> HttpResponse:
    services.recuse(found, form.cleaned_data["reason"], by=me(request))
    messages.success(request, _("已回避 %(number)s，系统将通知组织评审的人和候补专家。") % {"number": found.bid.number})
    return to_next(request, chosen)


@login_required
@require_POST
def skip(request: HttpRequest, pk: Any) -> HttpResponse:
    """Set one aside for this session; it comes back when nothing else is left."""
    found, chosen = own_review(request, pk), Filter.of(request.GET)
    kept = [key for key in request.session.get(SKIPPED, []) if key != str(found.pk)]
    request.session[SKIPPED] = [*kept, str(found.pk)][-200:]
    messages.success(request, _("%(number)s 先放一放，其他的评完以后再排到它。") % {"number": found.bid.number})
    return to_next(request, chosen, after=found)


@login_required
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """The next one in the queue, from the list."""
    return to_next(request, Filter.of(request.GET))


@login_required
@require_POST
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Switch the single-letter keys on or off; remembered for every computer."""
    expert = get_object_or_404(Expert, user=me(request))
    Expert.objects.filter(pk=expert.pk).update(shortcuts=request.POST.get("on") == "yes")
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "review:mine")


def to_next(request: HttpRequest, chosen: Filter, *, after: Review | None = None) -> HttpResponse:
    """To the next unfinished one under the same filter; when nothing is missing, to the grid to compare and hand in."""
    found = following(chosen, me(request), after=after.pk if after else None, skipped=request.session.get(SKIPPED, ()))
    if found is None:
        waits = chosen.rows(me(request), any_state=True).filter(state="accepted", panel__state="scoring").exists()
        if waits:
            messages.info(request, _("都填完了。请在对照表上核对，再一次提交。"))
        return redirect(address("review:grid" if waits else "review:mine", chosen))
    return redirect(address("review:review" if found.state == "assigned" else "review:score", chosen, found.pk))


def address(name: str, chosen: Filter, *args: Any) -> str:
    """A page of the queue that keeps the filter."""
    return reverse(name, args=args) + chosen.query


def own_review(request: HttpRequest, pk: Any) -> Review:
    """One's own review; everybody else's does not exist here, not even for the agency after locking (they have the desk)."""
    return get_object_or_404(own(me(request)).select_related(*Review.door_select, "bid__call"), pk=pk)


def _status(request: HttpRequest, refusal: Refusal | None) -> int:
    return refusal.status if refusal else 422 if request.method == "POST" else 200
