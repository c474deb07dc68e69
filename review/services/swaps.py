"""换人: the proposal. The decision is a step of its machine, taken through the door by a second person."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from grants.people.models import User
from grants.workflow.door import begin
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid, NotNow
from review.models import Expert, Panel, Review, Swap


def propose_swap(review: Review, expert: Expert, reason: str, *, by: User) -> Swap:
    """Propose that `expert` reviews the bid instead. Raises Invalid without a reason, NotYou, NotNow (submitted, conflict, not seated)."""
    if not reason.strip():
        raise Invalid(_("请写明换人的理由。"), rule="reason_given", problems={"reason": [str(_("请写明理由"))]})
    with transaction.atomic():
        panel = Panel.objects.select_for_update(of=("self",)).select_related("call__agency", "call__rules_version").get(pk=review.panel_id)
        if panel.swaps.filter(review__bid=review.bid_id, state="proposed").exists():
            raise NotNow(_("这份申报已有一项换人等待第二人决定，请先办理。"), rule="swap_waits")
        swap = Swap(panel=panel, review=review, expert=expert, reason=reason.strip(), proposed_by=by)
        public = {"bid": review.bid.number, "from": review.expert.code, "to": expert.code}
        begin(swap, by=by, facts=Facts(public=public, private={"note": swap.reason}))
    return swap
