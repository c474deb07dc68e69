"""评分: an expert's ballot from pledge to signature, and what officers enter beside it. Steps go through the door."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from bidding.models import Bid
from grants import ledger
from grants.people.models import User
from grants.workflow.door import perform, require
from grants.workflow.refusals import Invalid, NotNow, Refusal
from grants.workflow.rules import Ask
from review import ballots, opening, sealing
from review.ballot_rules import no_conflict, the_expert
from review.findings import Moment, kept_when_refused
from review.models import Panel, Review
from review.rules import organiser, panel_is_scoring
from review.services.drafts import follow, sheet_of


def accept(review: Review, *, by: User, pledge: bool) -> Review:
    """Pledge independence and open the material."""
    with kept_when_refused(review.panel, Moment.OPENING, review):
        return perform(review, "accept", by=by, pledge=pledge)


def recuse(review: Review, reason: str, *, by: User) -> Review:
    """Step aside; an alternate is called. The reason is kept privately. Raises Invalid without one."""
    if not reason.strip():
        raise Invalid(_("请写明回避的原因。"), rule="reason_given", problems={"note": [str(_("请写明原因"))]})
    return perform(review, "recuse", by=by, note=reason.strip())


def save_marks(
    review: Review,
    marks: Mapping[str, Any],
    *,
    by: User,
    comments: Mapping[str, tuple[str, str]] | None = None,
    emptied: Collection[str] = (),
) -> Review:
    """Save marks (criterion → points; None leaves it as it is) on one's own open ballot; all or nothing, as often as wanted.

    comments: criterion → (to the bidder, to the panel). emptied: criteria whose mark the expert took away. The ledger gets a salted
    commitment, never a mark, and the database only the sealed ballot. Raises NotYou (not the expert), NotNow (not accepted, panel
    not scoring, conflict found), Invalid
    naming each criterion.
    """
    with transaction.atomic():
        held = Review.objects.select_for_update(of=("self",)).select_related(*Review.door_select).get(pk=review.pk)
        answer = require(the_expert, held, by=by)
        _still_open(held, by)
        values = ballots.checked(held, marks)
        commitments = sealing.seal(held, ballots.rewritten(held, values, comments or {}, emptied))
        follow(held, _as_fields(values, comments or {}, emptied))
        ledger.record(
            event="review.marks", actor=str(by.pseudonym), role=answer.role, subject=held.subject, scope=f"call:{held.call.pk}",
            source=held.state, target=held.state, files=commitments,
        )  # fmt: skip
    return held


def _as_fields(
    values: Mapping[str, Decimal], comments: Mapping[str, tuple[str, str]], emptied: Collection[str]
) -> dict[str, str]:
    fields = {f"mark_{code}": "" for code in emptied} | {f"mark_{c}": ballots.shown(v) for c, v in values.items()}
    for code in values.keys() & comments.keys():
        fields |= {f"comment_{code}": ballots.lines(comments[code][0]), f"panel_{code}": ballots.lines(comments[code][1])}
    return fields


def settle(review: Review, *, by: User) -> Review:
    """Save as marks what autosave has kept. Raises what `save_marks` raises."""
    if not ballots.unsettled(review):
        return review
    typed = sheet_of(review)
    codes = [c.code for c in ballots.own_criteria(review)]
    marks = {code: typed.get(f"mark_{code}") for code in codes}
    words = {code: (typed.get(f"comment_{code}", ""), typed.get(f"panel_{code}", "")) for code in codes}
    return save_marks(review, marks, by=by, comments=words, emptied=[code for code in codes if not marks[code]])


@dataclass(frozen=True)
class HandedIn:
    """done: handed in now. refused: (review, why not), each left as it was."""

    done: list[Review]
    refused: list[tuple[Review, Refusal]]


def hand_in(review: Review, *, by: User) -> Review:
    """Save what is on the sheet and hand it in, both or neither."""
    with kept_when_refused(review.panel, Moment.HANDING_IN, review), transaction.atomic():
        settle(review, by=by)
        return submit(review, by=by)


def hand_in_all(reviews: Iterable[Review], *, by: User) -> HandedIn:
    """Hand in each of these own ballots; one that is refused keeps none of the others back."""
    done, refused = [], []
    for review in reviews:
        try:
            done.append(hand_in(review, by=by))
        except Refusal as why:
            refused.append((review, why))
    return HandedIn(done, refused)


def take_back(review: Review, *, by: User) -> Review:
    """Take a handed-in ballot back to change it, until the panel locks."""
    return perform(review, "reopen", by=by)


def _still_open(review: Review, by: User) -> None:
    if review.state != "accepted":
        raise NotNow(_("只有“已承诺”的评审可以填写评分；已提交的请先取回修改。"), rule="review_accepted")
    for rule in (panel_is_scoring, no_conflict):
        answer = rule.answer(Ask(by, review, review.created_at))
        if not answer.ok:
            raise NotNow(answer.sentence, rule=answer.rule or rule.name)


def submit(review: Review, *, by: User) -> Review:
    """Hand the ballot in; until the panel is locked it can be taken back (`reopen`)."""
    with kept_when_refused(review.panel, Moment.HANDING_IN, review):
        return perform(review, "submit", by=by)


def open_discussion(panel: Panel, *, by: User) -> Panel:
    """Every ballot is in: discuss; from now on second ballots may be given and first ones no longer taken back."""
    return perform(panel, "discuss", by=by)


def revise(review: Review, marks: Mapping[str, Any], reason: str, *, by: User, comments: Mapping[str, tuple[str, str]] | None = None) -> Review:
    """Give a second ballot after the discussion, whole, with the reason; it counts, the first stays (`review.second`). Again until the lock.

    Raises NotYou, NotNow (not handed in, no discussion, conflict), Invalid naming each criterion.
    """
    return perform(review, "revise", by=by, marks=marks, comments=comments or {}, reason=reason)


def explain_deviation(review: Review, reason: str, *, by: User) -> Review:
    """Write why a ballot is far from the panel's mean."""
    return perform(review, "explain", by=by, reason=reason)


def enter_other_score(panel: Panel, bid: Bid, component: str, value: Decimal, *, basis: str, by: User) -> Panel:
    """Enter one score that is on no expert's ballot (components of `review.other_scores`), with its basis."""
    return perform(panel, "enter_score", by=by, bid=bid, component=component, value=value, basis=basis)


def lock(panel: Panel, *, by: User, note: str = "") -> Panel:
    """Open all ballots, check them, lock and compute the results in the same transaction.

    Raises NotNow; ballots whose seal is broken are recorded before that refusal, each time it is met.
    """
    try:
        with kept_when_refused(panel, Moment.LOCKING), transaction.atomic():
            _ballots_before_panel(panel)
            return perform(panel, "lock", by=by, note=note)
    except NotNow as refused:
        if refused.rule == "seals_are_whole":
            _record_broken(panel, by)
        raise


def _ballots_before_panel(panel: Panel) -> None:
    """Take the ballots' rows first: an expert who takes one back holds it while asking for the panel, and the opening writes to both."""
    list(Review.objects.select_for_update(of=("self",)).filter(panel=panel).order_by("pk").values_list("pk", flat=True))


def _record_broken(panel: Panel, by: User) -> None:
    role = require(organiser, panel, by=by).role
    with transaction.atomic():
        ledger.record(
            event="panel.seal_broken", actor=str(by.pseudonym), role=role, subject=panel.subject, scope=f"call:{panel.call_id}",
            public={"reviews": [review.subject for review in opening.broken(panel)]},
        )  # fmt: skip


def recommend_amount(panel: Panel, bid: Bid, amount: Decimal, reason: str, *, by: User) -> Panel:
    """Write the amount (元) the panel recommends, before anybody signs."""
    return perform(panel, "recommend", by=by, bid=bid, amount=amount, reason=reason)


def sign(panel: Panel, *, by: User, dissent: str = "") -> Panel:
    """Sign the report; silence counts as agreement (政府采购法实施条例 §41)."""
    return perform(panel, "sign", by=by, dissent=dissent)


def conclude(panel: Panel, *, by: User) -> Panel:
    """Issue the report once everybody signed; the ranking takes effect."""
    with kept_when_refused(panel, Moment.PUBLISHING):
        return perform(panel, "conclude", by=by)
