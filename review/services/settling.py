"""核实: two persons let a finding no longer stand, or settle what names suggest. One proposes with a reason, another decides with one of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.people.models import User
from grants.workflow.door import require
from grants.workflow.refusals import Invalid, NotNow
from grants.workflow.rules import Answer
from review.models import ConflictHit
from review.namesakes import CONFIRMED
from review.rules import judge, proposer, second_person

Outcome = ConflictHit.Outcome
PROPOSED: dict[str, str] = {Outcome.DISMISS: "panel.propose_dismissal", Outcome.CONFIRM: "panel.propose_confirmation"}


def propose_dismissal(hit: ConflictHit, reason: str, *, by: User) -> ConflictHit:
    """Ask that a finding no longer stand, in writing; it stands until a second person agrees. One ledger entry.

    Of a suggestion by name: ask that it be set aside. Raises NotYou, NotNow (dismissed or proposed already), Invalid (no reason).
    """
    return _propose(hit, Outcome.DISMISS, reason, by)


def propose_confirmation(hit: ConflictHit, reason: str, *, by: User) -> ConflictHit:
    """Say, in writing, that what a name suggests is so; it bars nobody until a second person agrees. One ledger entry.

    Raises NotYou, NotNow (no suggestion, settled or proposed already), Invalid (no reason).
    """
    return _propose(hit, Outcome.CONFIRM, reason, by)


def _propose(hit: ConflictHit, outcome: str, reason: str, by: User) -> ConflictHit:
    with transaction.atomic():
        held = _held_hit(hit)
        answer = require(proposer, held, by=by)
        if held.proposed_by_id is not None:
            raise NotNow(_("这一条已经有人提出意见，请等待另一个人决定。"), rule="hit_unproposed")
        if outcome == Outcome.CONFIRM and not held.is_unsettled:
            raise NotNow(_("只有待核实的同名线索才需要确认；这一条已经应当回避。"), rule="hit_unsettled")
        held.proposed_by, held.proposed_at, held.proposal_reason, held.proposed_outcome = by, clock.now(), _reason(reason), outcome
        held.save(update_fields=["proposed_by", "proposed_at", "proposal_reason", "proposed_outcome"])
        _remember_hit(PROPOSED[outcome], held, by, answer, held.proposal_reason)
    return held


def dismiss_hit(hit: ConflictHit, reason: str, *, by: User) -> ConflictHit:
    """Let a finding no longer stand, as proposed, by a second person with a reason of their own (review.md §2.1). One ledger entry.

    The same finding on the same evidence is not raised again; on new evidence it is. Raises NotYou (no role, or the person who convened,
    found or proposed), NotNow (nobody proposed it, dismissed already), Invalid (no reason).
    """
    with transaction.atomic():
        held = _held_hit(hit)
        answer = require(judge & second_person, held, by=by)
        if held.proposed_by_id is None or held.proposed_outcome != Outcome.DISMISS:
            raise NotNow(_("还没有人提出不予回避。请先由经办提出并写明理由，再由另一个人决定。"), rule="hit_proposed")
        held.dismissed_by, held.dismissed_at, held.dismissal_reason = by, clock.now(), _reason(reason)
        held.settled_role = answer.role
        held.save(update_fields=["dismissed_by", "dismissed_at", "dismissal_reason", "settled_role"])
        _remember_hit("panel.dismiss_hit", held, by, answer, held.dismissal_reason)
    return held


def confirm_hit(hit: ConflictHit, reason: str, *, by: User) -> ConflictHit:
    """Let what a name suggests be a conflict from now on, as proposed, by a second person with a reason of their own. One ledger entry.

    Raises NotYou (no role, or the person who convened, found or proposed), NotNow (nobody proposed it, settled already), Invalid (no reason).
    """
    with transaction.atomic():
        held = _held_hit(hit)
        answer = require(judge & second_person, held, by=by)
        if not held.is_unsettled or held.proposed_by_id is None or held.proposed_outcome != Outcome.CONFIRM:
            raise NotNow(_("还没有人提出应当回避。请先由经办提出并写明理由，再由另一个人决定。"), rule="hit_proposed")
        _confirm(held, _reason(reason), answer.role, by)
        _remember_hit("panel.confirm_hit", held, by, answer, held.confirmation_reason)
    return held


def _confirm(held: ConflictHit, reason: str, role: str, by: User) -> None:
    """The proposal is used up: should the finding ever be set aside, two persons propose and decide that anew."""
    held.confirmation_proposed_by, held.confirmed_by, held.confirmed_at, held.confirmation_reason = held.proposed_by, by, clock.now(), reason
    held.proposed_by, held.proposed_at, held.proposal_reason, held.settled_role = None, None, "", role
    held.sentence = CONFIRMED[held.rule] % {"bid": held.bid}
    held.save()


def keep_hit(hit: ConflictHit, reason: str, *, by: User) -> ConflictHit:
    """Turn a proposal down: the finding stands, a suggestion waits on. By a second person, with a reason. Raises NotYou, NotNow (nothing
    proposed), Invalid."""
    with transaction.atomic():
        held = _held_hit(hit)
        answer = require(judge & second_person, held, by=by)
        if held.proposed_by_id is None:
            raise NotNow(_("没有人提出意见，不需要驳回。"), rule="hit_proposed")
        _reason(reason)
        held.proposed_by, held.proposed_at, held.proposal_reason = None, None, ""
        held.save(update_fields=["proposed_by", "proposed_at", "proposal_reason"])
        _remember_hit("panel.keep_hit", held, by, answer, reason.strip())
    return held


def settle_all(hits: Iterable[ConflictHit], settle: Callable[..., ConflictHit], reason: str, *, by: User) -> list[ConflictHit]:
    """One of the above for several suggestions with one reason, all or none. Raises as it does."""
    with transaction.atomic():
        return [settle(hit, reason, by=by) for hit in hits]


def _held_hit(hit: ConflictHit) -> ConflictHit:
    rows = ConflictHit.objects.select_for_update(of=("self",)).select_related("panel", "expert__user", "bid__call__agency")
    held = rows.get(pk=hit.pk)
    if held.dismissed_by_id is not None:
        raise NotNow(_("这一条已经排除，不需要再处理。"), rule="hit_open")
    return held


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Invalid(_("请写明理由。"), rule="reason_given", problems={"reason": [str(_("请写明理由"))]})
    return reason.strip()


def _remember_hit(event: str, held: ConflictHit, by: User, answer: Answer, reason: str) -> None:
    public = {"expert": held.expert.code, "bid": str(held.bid_id), "test": held.test, "finding": held.fingerprint}
    ledger.record(
        event=event, actor=str(by.pseudonym), role=answer.role, scope=f"call:{held.bid.call_id}",
        subject=held.panel.subject if held.panel else f"bid:{held.bid_id}", public=public, private={"note": reason},
    )  # fmt: skip
