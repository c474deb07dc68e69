"""评审组: check, assign, repair. Everything that happens to a panel before and beside the marks."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.people.models import User
from grants.workflow.door import SYSTEM, begin, perform, require
from grants.workflow.refusals import Invalid, NotNow
from grants.workflow.rules import Answer
from review.assigning import Plan, half_seated, plan
from review.conflict_checks import reviews_in_conflict
from review.findings import check_conflicts, remember
from review.models import LIVE, AssignmentRun, ConflictHit, Panel, PanelMember, Review
from review.panels import sitting, stages_of
from review.rules import judge, organiser, proposer, second_person
from review.swapping import keep_run

__all__ = [
    "assign",
    "check_conflicts",
    "dismiss_hit",
    "fill_gaps",
    "keep_hit",
    "propose_dismissal",
    "try_assignment",
    "void_conflicted",
    "withdraw_siblings",
]


def propose_dismissal(hit: ConflictHit, reason: str, *, by: User) -> ConflictHit:
    """Ask that a finding no longer stand, in writing; it stands until a second person agrees. One ledger entry.

    Raises NotYou, NotNow (dismissed or proposed already), Invalid (no reason).
    """
    with transaction.atomic():
        held = _held_hit(hit)
        answer = require(proposer, held, by=by)
        if held.proposed_by_id is not None:
            raise NotNow(_("这一条已经有人提出不予回避，请等待另一个人决定。"), rule="hit_unproposed")
        held.proposed_by, held.proposed_at, held.proposal_reason = by, clock.now(), _reason(reason)
        held.save(update_fields=["proposed_by", "proposed_at", "proposal_reason"])
        _remember_hit("panel.propose_dismissal", held, by, answer, held.proposal_reason)
    return held


def dismiss_hit(hit: ConflictHit, reason: str, *, by: User) -> ConflictHit:
    """Let a finding no longer stand, as proposed, by a second person with a reason of their own (review.md §2.1). One ledger entry.

    The same finding on the same evidence is not raised again; on new evidence it is. Raises NotYou (no role, or the person who convened,
    found or proposed), NotNow (nobody proposed it, dismissed already), Invalid (no reason).
    """
    with transaction.atomic():
        held = _held_hit(hit)
        answer = require(judge & second_person, held, by=by)
        if held.proposed_by_id is None:
            raise NotNow(_("还没有人提出不予回避。请先由经办提出并写明理由，再由另一个人决定。"), rule="hit_proposed")
        held.dismissed_by, held.dismissed_at, held.dismissal_reason = by, clock.now(), _reason(reason)
        held.save(update_fields=["dismissed_by", "dismissed_at", "dismissal_reason"])
        _remember_hit("panel.dismiss_hit", held, by, answer, held.dismissal_reason)
    return held


def keep_hit(hit: ConflictHit, reason: str, *, by: User) -> ConflictHit:
    """Turn a proposal down: the finding stands. By a second person, with a reason. Raises NotYou, NotNow (nothing proposed), Invalid."""
    with transaction.atomic():
        held = _held_hit(hit)
        answer = require(judge & second_person, held, by=by)
        if held.proposed_by_id is None:
            raise NotNow(_("没有人提出不予回避。"), rule="hit_proposed")
        _reason(reason)
        held.proposed_by, held.proposed_at, held.proposal_reason = None, None, ""
        held.save(update_fields=["proposed_by", "proposed_at", "proposal_reason"])
        _remember_hit("panel.keep_hit", held, by, answer, reason.strip())
    return held


def _held_hit(hit: ConflictHit) -> ConflictHit:
    rows = ConflictHit.objects.select_for_update(of=("self",)).select_related("panel", "expert__user", "bid__call__agency")
    held = rows.get(pk=hit.pk)
    if held.dismissed_by_id is not None:
        raise NotNow(_("这一条已经排除，不需要再处理。"), rule="hit_open")
    return held


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid(_("请写明不予回避的理由。"), rule="reason_given", problems={"reason": [str(_("请写明理由"))]})
    return reason.strip()


def _remember_hit(event: str, held: ConflictHit, by: User, answer: Answer, reason: str) -> None:
    public = {"expert": held.expert.code, "bid": str(held.bid_id), "test": held.test, "finding": held.fingerprint}
    ledger.record(
        event=event, actor=str(by.pseudonym), role=answer.role, scope=f"call:{held.bid.call_id}",
        subject=held.panel.subject if held.panel else f"bid:{held.bid_id}", public=public, private={"note": reason},
    )  # fmt: skip


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
    loads = {m.expert.code: panel.reviews.filter(expert=m.expert, state__in=LIVE).count() for m in sitting(panel)}
    answer = require(organiser, panel, by=by)
    remember("panel.assign", panel, by, answer, {"reviews": len(made), "loads": loads, "seed": panel.seed, **_run_facts(run)})
