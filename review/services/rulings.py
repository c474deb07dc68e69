"""偏离评分的处理: the proposal. The decision is a step of its machine, taken through the door by another member."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from grants.people.models import User
from grants.workflow.door import begin
from grants.workflow.machine import Facts
from grants.workflow.refusals import Invalid, NotNow
from review.models import Panel, Review, Ruling
from review.ruling import about


def propose_ruling(review: Review, outcome: str, reason: str, *, by: User) -> Ruling:
    """Propose to uphold or to exclude a flagged ballot. Raises Invalid (no reason, no such outcome), NotYou (no member), NotNow (not locked,
    somebody signed, not flagged, own ballot, too few would be left, ruled on already)."""
    if not reason.strip():
        raise Invalid(_("请写明处理的理由，理由将记入评审记录。"), rule="reason_given", problems={"reason": [str(_("请写明理由"))]})
    if outcome not in Ruling.Outcome.values:
        raise Invalid(_("处理只能是维持或排除。"), rule="ruling_outcome", problems={"outcome": [str(_("请选择维持或排除"))]})
    with transaction.atomic():
        panel = Panel.objects.select_for_update(of=("self",)).select_related("call__agency", "call__rules_version").get(pk=review.panel_id)
        if panel.rulings.filter(review=review, state__in=("proposed", "adopted")).exists():
            raise NotNow(_("这份评分已有处理意见，不能再提一次。"), rule="ruling_once")
        ruling = Ruling(panel=panel, review=review, outcome=outcome, reason=reason.strip(), proposed_by=by)
        begin(ruling, by=by, facts=Facts(public=about(ruling), private={"note": ruling.reason}))
    return ruling
