"""更正, written down and carried out: both scores stand behind salted commitments in the log, values, bases and reasons in its private part (ADR 34)."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from grants.workflow.machine import Facts
from review.machine import written
from review.models import OtherScore, ScoreCorrection
from review.other_scores import checked, commitment_of, different
from review.sealing import SALT_BYTES

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from review.models import Panel


def pending(panel: Panel) -> QuerySet[ScoreCorrection]:
    """Corrections of this panel that wait for the second person, oldest first."""
    rows = ScoreCorrection.objects.filter(panel=panel, state="proposed").order_by("created_at")
    return rows.select_related("panel__call__rules_version", "score__bid", "score__entered_by", "proposed_by")


def drafted(panel: Panel, score: OtherScore, value: Decimal, basis: str, reason: str, *, by: Any) -> ScoreCorrection:
    """An unsaved proposal. Raises Invalid: range, places, no basis, no reason, or nothing that would change."""
    amount, ground = checked(panel, score.bid, score.component, value, basis)
    different(score, amount, ground)
    return ScoreCorrection(
        panel=panel, score=score, value_before=score.value, basis_before=score.basis, salt_before=score.salt, value=amount, basis=ground,
        salt=secrets.token_hex(SALT_BYTES), reason=written(reason), proposed_by=by,
    )  # fmt: skip


def named(made: ScoreCorrection) -> dict[str, str]:
    """Panel, bid, component, and the commitments to the score that stands and to the proposed one (`from` is empty where the old one had none)."""
    panel, bid, component = str(made.panel_id), str(made.score.bid_id), made.score.component
    return {"panel": panel, "bid": bid, "component": component, "from": before(made), "score": commitment_of(made.salt, component, made.value)}


def before(made: ScoreCorrection) -> str:
    """The commitment of the score that is corrected; "" when it was entered before scores were committed to."""
    return commitment_of(made.salt_before, made.score.component, made.value_before) if made.salt_before else ""


def told(made: ScoreCorrection) -> Facts:
    """What the log keeps of a proposal and, once more, of its confirmation."""
    return Facts(
        public=named(made),
        private={
            "value_before": str(made.value_before), "basis_before": made.basis_before, "value": str(made.value), "basis": made.basis,
            "note": made.reason,
        },
    )  # fmt: skip


def carry_out(made: ScoreCorrection) -> Facts:
    """The proposed score, basis and salt take the place of the old ones; who first entered it stays."""
    OtherScore.objects.filter(pk=made.score_id).update(value=made.value, basis=made.basis, salt=made.salt)
    return told(made)


def turned_down(made: ScoreCorrection, reason: str) -> Facts:
    """Keep the reason; nothing else changes."""
    made.decision = written(reason)
    return Facts(public=named(made), private={"note": made.decision})
