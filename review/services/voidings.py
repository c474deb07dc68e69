"""作废已拆封的评分: the proposal. The decision is a step of its machine, taken through the door by a second person."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from grants.people.models import User
from grants.workflow.door import begin
from grants.workflow.machine import Facts
from grants.workflow.refusals import NotNow
from review.conflict_checks import standing_hits
from review.machine import written
from review.models import Panel, Review, Voiding
from review.voiding import about


def propose_voiding(review: Review, reason: str, *, by: User) -> Voiding:
    """Propose that an opened ballot be voided, because its expert should have stepped aside.

    Raises Invalid (no reason), NotYou, NotNow (not opened, report issued, no conflict stands, proposed already).
    """
    with transaction.atomic():
        panel = (
            Panel.objects.select_for_update(of=("self",))
            .select_related("call__agency", "call__rules_version")
            .get(pk=review.panel_id)
        )
        if panel.voidings.filter(review__bid=review.bid_id, review__expert=review.expert_id, state="proposed").exists():
            raise NotNow(_("这份评分已有人提出作废，请等待另一个人决定。"), rule="voiding_once")
        hits = standing_hits(review.expert, review.bid)
        voiding = Voiding(
            panel=panel, review=review, why=hits[0].sentence[:500] if hits else "", reason=written(reason), proposed_by=by
        )
        begin(voiding, by=by, facts=Facts(public=about(voiding), private={"note": voiding.reason}))
    return voiding
