"""换人, carried out: everything else kept, all rules asked again, the old reviews voided, the new ones opened, the proof recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from grants.workflow.door import begin, perform
from grants.workflow.machine import Facts
from review.assign.files import answer_of, question_of, written
from review.assigning import exchanged
from review.conflict_checks import code_of
from review.models import LIVE, AssignmentRun, Review

if TYPE_CHECKING:
    from review.models import Swap


def carry_out(swap: Swap, *, by: Any) -> Facts:
    """Void the old expert's open reviews of the bid in all stages and open the same for the new one.

    Raises Invalid when seats, loads or organisations do not allow it, NotNow when a step or the solver refuses.
    """
    panel, bid, gone = swap.panel, swap.review.bid, swap.review.expert
    code = code_of(bid)
    wanted = exchanged(panel, (code, gone.code), (code, swap.expert.code))
    run = keep_run(panel, wanted, by=by, carried_out=True)
    old = list(panel.reviews.filter(bid=bid, expert=gone, state__in=LIVE).order_by("pk"))
    for review in old:
        begin(Review(panel=panel, bid=bid, expert=swap.expert, stage=review.stage), by=by)
    for review in old:
        perform(review, "void", by=by, reason=_("换人：由另一位专家评审。"))
    public = {"bid": bid.number, "from": gone.code, "to": swap.expert.code, "run": run.hashes()}
    return Facts(public=public, private={"note": swap.reason})


def keep_run(panel: Any, wanted: Any, *, by: Any, carried_out: bool) -> AssignmentRun:
    """Keep question and answer as the files anybody can run again."""
    return AssignmentRun.objects.create(
        panel=panel, carried_out=carried_out, question=written(question_of(wanted.problem)).decode(),
        answer=written(answer_of(wanted.problem, wanted.answer)).decode(), unknown=wanted.unknown, made_by=by if getattr(by, "pk", None) else None,
    )  # fmt: skip
