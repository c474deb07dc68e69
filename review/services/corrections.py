"""更正统一录入的分数: the proposal. The decision is a step of its machine, taken through the door by a second person."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from grants.people.models import User
from grants.workflow.door import begin, require
from grants.workflow.refusals import NotNow
from review import correcting
from review.models import OtherScore, Panel, ScoreCorrection
from review.rules import organiser


def propose_correction(score: OtherScore, value: Decimal, *, basis: str, reason: str, by: User) -> ScoreCorrection:
    """Propose that an entered score be another; the old one counts until a second officer confirms.

    Raises NotYou, NotNow (opened once, proposed already), Invalid (range, basis, reason, nothing changes).
    """
    with transaction.atomic():  # the panel's row is held: not while it is being locked, and not two proposals over one score
        panel = Panel.objects.select_for_update(of=("self",)).select_related("call__agency", "call__rules_version").get(pk=score.panel_id)
        require(organiser, panel, by=by)
        held = OtherScore.objects.select_related("bid__call__rules_version").get(pk=score.pk)
        if held.corrections.filter(state="proposed").exists():
            raise NotNow(_("这项分数已有一项更正等待第二人决定，请先办理。"), rule="correction_waits")
        made = correcting.drafted(panel, held, value, basis, reason, by=by)
        return begin(made, by=by, facts=correcting.told(made))

