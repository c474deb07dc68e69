"""评审组: check, assign, repair. Everything that happens to a panel before and beside the marks."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.people.models import User
from grants.workflow.door import SYSTEM, begin, perform, require
from review.assigning import Plan, half_seated, plan
from review.conflict_checks import reviews_in_conflict
from review.findings import check_conflicts, remember
from review.models import LIVE, AssignmentRun, Panel, PanelMember, Review
from review.panels import sitting, stages_of
from review.rules import organiser
from review.swapping import keep_run

__all__ = [
    "assign",
    "check_conflicts",
    "fill_gaps",
    "try_assignment",
    "void_conflicted",
    "withdraw_siblings",
]




def assign(panel: Panel, *, by: Any, max_load: int | None = None) -> list[Review]:
    """Assign experts to bids, in every stage of the rules; what is assigned already stays. Returns the new reviews.

    Each review enters through the door, which asks about conflicts once more. All or nothing. Raises NotYou, NotNow, Invalid in words.
    """
    with transaction.atomic():
        held = locked(panel)
        require(organiser, held, by=by)
        return assigned(held, plan(held, max_load=max_load), by)


def assigned(held: Panel, wanted: Plan, by: Any) -> list[Review]:
    """Carry out a solved plan on a locked panel: reviews, the run kept, one entry. Inside a transaction."""
    made = _carry_out(held, wanted, by)
    _remember_assignment(held, by, made, keep_run(held, wanted, by=by, carried_out=True))
    return made


def try_assignment(panel: Panel, *, by: Any, max_load: int | None = None) -> AssignmentRun:
    """Solve and record, assign nothing: every what-if run is kept and stands in the ledger (review.md §4.6). Raises as `assign`."""
    with transaction.atomic():
        held = locked(panel)
        require(organiser, held, by=by)
        return tried(held, plan(held, max_load=max_load), by)


def tried(held: Panel, wanted: Plan, by: Any) -> AssignmentRun:
    """Keep a solved plan as a trial. Inside a transaction."""
    run = keep_run(held, wanted, by=by, carried_out=False)
    remember("panel.try_assignment", held, by, require(organiser, held, by=by), {"seed": held.seed, **_run_facts(run)})
    return run


def _run_facts(run: AssignmentRun) -> dict[str, Any]:
    said = run.figures
    return {"files": run.hashes(), **{name: said[name] for name in ("total", "worst_bid", "weakest_pair", "tau")}}


def fill_gaps(panel: Panel, *, by: Any = SYSTEM) -> list[Review]:
    """Fill what a recusal or a voided ballot left, by members or the next alternate; nothing else moves. Members left without any
    review are excused. Raises Invalid when nobody may step in."""
    with transaction.atomic():
        held = locked(panel)
        if held.state not in ("forming", "scoring"):
            return []
        wanted = plan(held)
        made = _carry_out(held, wanted, by)
        if made:
            run = keep_run(held, wanted, by=by, carried_out=True)
            ledger.record(
                event="panel.fill_gaps", actor="system", role="system", subject=held.subject, scope=f"call:{held.call_id}",
                public={"reviews": len(made), **_run_facts(run)},
            )  # fmt: skip
        _excuse_the_idle(held)
    return made


def locked(panel: Panel) -> Panel:
    """The panel under its row's lock."""
    return Panel.objects.select_for_update(of=("self",)).select_related("call__agency", "call__rules_version").get(pk=panel.pk)


def _carry_out(panel: Panel, wanted: Plan, by: Any) -> list[Review]:
    for member in wanted.called_up:
        PanelMember.objects.filter(pk=member.pk).update(alternate=False, called_up_at=clock.now())
    stages = stages_of(panel.rules)
    rows = [(bid, member.expert, stage) for bid, member in wanted.pairs for stage in stages]
    rows += half_seated(panel)
    return [begin(Review(panel=panel, bid=bid, expert=expert, stage=stage), by=by) for bid, expert, stage in rows]


def _excuse_the_idle(panel: Panel) -> None:
    """A member who left every review signs nothing."""
    busy = panel.reviews.filter(state__in=LIVE).values("expert_id")
    left = panel.reviews.filter(state__in=("recused", "voided")).values("expert_id")
    panel.members.filter(alternate=False, excused=False, expert__in=left).exclude(expert__in=busy).update(excused=True)


def void_conflicted(panel: Panel, *, by: User) -> list[Review]:
    """Void every live review whose expert turns out to be in conflict; alternates are called by the effect. Returns the voided.

    A conflict found late voids the ballot, it is never averaged over fewer (review.md §2.1). Opened ballots need a second person
    (`propose_voiding`). Raises NotYou.
    """
    with transaction.atomic():
        require(organiser, panel, by=by)
        check_conflicts(panel, by=by)
        found = reviews_in_conflict(panel)
        return [perform(review, "void", by=by, reason=hits[0].sentence) for review, hits in found if review.opened_at is None]


def withdraw_siblings(review: Review) -> None:
    """An expert who left a bid in one stage leaves it in all: live reviews of the same pair are voided by the clock."""
    others = Review.objects.filter(panel=review.panel_id, bid=review.bid_id, expert=review.expert_id, state__in=LIVE, opened_at=None)
    for other in others:
        perform(other, "void", by=SYSTEM, reason=_("专家已退出这份申报的评审，各环节一并作废。"))


def _remember_assignment(panel: Panel, by: Any, made: list[Review], run: AssignmentRun) -> None:
    held = Counter(panel.reviews.filter(state__in=LIVE).values_list("expert_id", flat=True))
    loads = {m.expert.code: held[m.expert_id] for m in sitting(panel)}
    answer = require(organiser, panel, by=by)
    remember("panel.assign", panel, by, answer, {"reviews": len(made), "loads": loads, "seed": panel.seed, **_run_facts(run)})
