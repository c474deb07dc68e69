"""核对: the pool, or every member of a panel, compared with every bid; each finding is kept once, whoever computes it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from django.db import transaction

from bidding.models import Bid
from grants import clock, ledger
from grants.calls.models import Call
from grants.people.models import User
from grants.workflow.door import require
from grants.workflow.refusals import NotNow
from grants.workflow.rules import Answer, Ask
from review.ballot_rules import no_conflict
from review.conflict_checks import Ground, fingerprint, handed_in, reviews_in_conflict
from review.conflicts import Hit
from review.drawing import pool_of
from review.models import STANDS, ConflictHit, Expert, Panel, Review
from review.namesake_checks import Suggestion, concerned, unsettled, unsettled_of_judges
from review.panels import bids_of
from review.rules import organiser

Moment = ConflictHit.Moment
Found = tuple[Expert, Bid, Hit]
REFUSING: Final = frozenset({"no_conflict", "conflicts_are_settled", "no_late_conflict", "no_late_conflict_here"})
"""Rules that refuse a step because of a conflict."""
IN_ONE_ENTRY: Final = 500
"""Digests that one ledger entry names: a leaf holds 65,535 bytes."""
BY_ITSELF: Final = frozenset({"own", "account"})
"""Kinds of hits that follow no edge. Another one without evidence is a stored finding that still stands: it is not stored again."""


def check_conflicts(panel: Panel, *, by: User, moment: str = Moment.ASKED) -> list[ConflictHit]:
    """Compare every member, alternates too, with every bid; keep each finding once. Returns the findings that stand.

    Run after the draw and whenever something new is known. One ledger entry with counts. Raises NotYou.
    """
    with transaction.atomic():
        answer = require(organiser, panel, by=by)
        experts = [m.expert for m in panel.members.select_related("expert__user")]
        bids = list(_every_bid(panel))
        fresh = keep(all_found(experts, bids), moment, by=by, panel=panel) + keep_suggestions(experts, bids, moment, by=by, panel=panel)
        ConflictHit.objects.filter(panel=None, expert__in=experts, bid__in=bids).update(panel=panel)
        remember("panel.check_conflicts", panel, by, answer, {"pairs": len(experts) * len(bids), "hits": len(fresh), "kept": True})
    return list(panel.hits.filter(STANDS).select_related("expert__user", "bid"))


def look_over(call: Call, *, by: User) -> None:
    """Before experts are drawn: compare the whole pool with every bid handed in, and keep what is found whatever comes of the draw.

    One ledger entry if any of it is new; that the pool was compared at all is told by the announcement. Does nothing before the call has
    closed. Raises NotYou.
    """
    with transaction.atomic():
        answer = require(organiser, Panel(call=call), by=by)
        if call.state != "closed":
            return
        experts, bids = pool_of(call), list(handed_in(call))
        fresh = keep(all_found(experts, bids), Moment.POOL, by=by) + keep_suggestions(experts, bids, Moment.POOL, by=by)
        if fresh:
            counts = {"pairs": len(experts) * len(bids), "hits": len(fresh), "kept": True}
            _write("call.check_conflicts", call, call.subject, by, answer, counts)


def all_found(experts: Sequence[Expert], bids: Sequence[Bid]) -> list[Found]:
    """Every hit of these pairs, dismissed ones included."""
    ground = Ground.of(experts, bids)
    return [(e, b, hit) for e in experts for b in bids for hit in ground.all_hits(e, b)]


def keep(found: Iterable[Found], moment: str, *, by: User | None = None, panel: Panel | None = None) -> list[ConflictHit]:
    """Store what was not stored yet; returns it. Whoever stores the same at the same time stores it once."""
    return keep_rows([_row(panel, e, b, hit, by, moment) for e, b, hit in found])


def keep_suggestions(
    experts: Sequence[Expert], bids: Sequence[Bid], moment: str, *, by: User | None = None, panel: Panel | None = None
) -> list[ConflictHit]:
    """Store what names suggest about these pairs and what no finding bars already, for two persons to settle; returns what is new."""
    fresh = [each for each in unsettled(experts, bids) if isinstance(each, Suggestion)]
    return keep_rows(_suggested(each, moment, by, panel) for each in fresh)


def look_for_namesakes(call: Call) -> None:
    """Store what came up since the last check, for the page on which it is settled. One entry of the system's if anything is new."""
    with transaction.atomic():
        fresh = keep_suggestions(concerned(call), list(handed_in(call)), Moment.ASKED) if call.state == "closed" else []
        if fresh:
            public = {"moment": str(Moment.ASKED), "findings": sorted(row.fingerprint for row in fresh), "kept": True}
            ledger.record(event="call.found_namesakes", actor="system", role="system", subject=call.subject, scope=call.subject, public=public)


def keep_rows(wanted: Iterable[ConflictHit]) -> list[ConflictHit]:
    """Store what was not stored yet, and its digests in the log; returns it."""
    rows = list(wanted)
    known = ConflictHit.objects.filter(expert__in={r.expert_id for r in rows}, bid__in={r.bid_id for r in rows})
    before = set(known.values_list("expert_id", "bid_id", "fingerprint"))
    fresh = [row for row in rows if (row.expert_id, row.bid_id, row.fingerprint) not in before]
    made = ConflictHit.objects.bulk_create(fresh, ignore_conflicts=True)
    _tell(fresh)
    return made


def _tell(fresh: Sequence[ConflictHit]) -> None:
    """The digests of these rows, so that whoever holds the table later can compare it with the log. What somebody else stored first is theirs to tell."""
    about = ConflictHit.objects.filter(expert__in={r.expert_id for r in fresh}, bid__in={r.bid_id for r in fresh})
    stored = set(about.values_list("expert_id", "bid_id", "fingerprint", "found_at")) if fresh else set()
    by_call: dict[Any, list[str]] = {}
    for row in fresh:
        if (row.expert_id, row.bid_id, row.fingerprint, row.found_at) in stored:
            by_call.setdefault(row.bid.call_id, []).append(digest(row))
    for call, digests in by_call.items():
        for first in range(0, len(digests), IN_ONE_ENTRY):
            public = {"rows": sorted(digests[first : first + IN_ONE_ENTRY])}
            ledger.record(
                event="call.keep_findings", actor="system", role="system", subject=f"call:{call}", scope=f"call:{call}", verb="keep_findings", public=public
            )


def digest(row: ConflictHit) -> str:
    """SHA-256 of what was found when, about whom, by codes: `verify.py` makes it again from the row of the package's table."""
    said = [
        row.bid.number, row.expert.code, row.test, row.source, str(row.moment), "1" if row.candidate else "0",
        row.found_at.astimezone(clock.TZ).strftime("%Y-%m-%d %H:%M:%S"), row.fingerprint,
    ]  # fmt: skip
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def keep_late(panel: Panel, found: Sequence[tuple[Review, list[Hit]]], moment: str) -> None:
    """Store what a refused step, or an expert who opened the file, ran into; one entry of the system's if any of it is new."""
    pairs = [(review.expert, review.bid, hit) for review, hits in found for hit in hits if hit.evidence or hit.rule in BY_ITSELF]
    with transaction.atomic():
        fresh = keep(pairs, moment, panel=panel)
        if fresh:
            public = {"moment": str(moment), "findings": sorted({row.fingerprint for row in fresh}), "kept": True}
            ledger.record(
                event="panel.found_conflict", actor="system", role="system", subject=panel.subject, scope=f"call:{panel.call_id}", public=public
            )


def keep_names(panel: Panel, moment: str) -> None:
    """Store the names that refused a step, for the page on which two persons settle them; one entry of the system's if any of it is new."""
    with transaction.atomic():
        waiting = [each for each in unsettled_of_judges(panel) if isinstance(each, Suggestion)]
        fresh = keep_rows(_suggested(each, moment, None, panel) for each in waiting)
        if fresh:
            public = {"moment": str(moment), "findings": sorted(row.fingerprint for row in fresh), "kept": True}
            ledger.record(event="call.found_namesakes", actor="system", role="system", subject=panel.call.subject, scope=panel.call.subject, public=public)


@contextmanager
def kept_when_refused(panel: Panel, moment: str, *reviews: Review) -> Iterator[None]:
    """The refusal of a step takes back all that it wrote; what it found is kept all the same. reviews: those it is about; all live ones if none."""
    try:
        yield
    except NotNow as refused:
        if refused.rule in REFUSING:
            keep_late(panel, reviews_in_conflict(panel, *reviews), moment)
        if refused.rule == "judges_names_are_settled":
            keep_names(panel, moment)
        raise


def closed_to(review: Review) -> NotNow | None:
    """Why this expert may no longer read the file of an open review: a conflict that has come to light since the pledge, kept by asking.

    None while nothing is known, and once the ballots are locked: from there two persons void a ballot, and its expert has read the file.
    """
    if review.state not in ("accepted", "submitted") or review.panel.state != "scoring" or review.opened_at is not None:
        return None
    fresh = Review.objects.select_related(*Review.door_select, "bid__call__rules_version").get(pk=review.pk)  # not blinded
    answer = no_conflict.answer(Ask(fresh.expert.user, fresh, clock.now()))
    if answer.ok:
        return None
    keep_late(fresh.panel, reviews_in_conflict(fresh.panel, fresh), Moment.OPENING)
    return NotNow(answer.sentence, rule="no_conflict")


def _every_bid(panel: Panel) -> Any:
    return handed_in(panel.call) if panel.state == "forming" else bids_of(panel)


def _suggested(found: Suggestion, moment: str, by: User | None, panel: Panel | None) -> ConflictHit:
    return ConflictHit(
        panel=panel, expert=found.expert, bid=found.bid, fingerprint=found.fingerprint, test=f"5:{found.namesake.rule}", sentence=found.sentence[:500],
        source="computed", candidate=True, moment=moment, found_at=clock.now(), found_by=by,
    )  # fmt: skip


def _row(panel: Panel | None, expert: Expert, bid: Bid, hit: Hit, by: User | None, moment: str) -> ConflictHit:
    source = next((e.source for e in hit.evidence if e.source != "computed"), "computed")
    return ConflictHit(
        panel=panel, expert=expert, bid=bid, fingerprint=fingerprint(hit), test=f"{hit.test}:{hit.rule}", sentence=hit.sentence[:500],
        source=source, ties=[int(e.ref.removeprefix("tie:")) for e in hit.evidence if e.ref], moment=moment, found_at=clock.now(), found_by=by,
    )  # fmt: skip


def remember(event: str, panel: Panel, by: Any, answer: Answer, public: dict[str, Any]) -> None:
    """One ledger entry about a panel that is no step of it."""
    _write(event, panel.call, panel.subject, by, answer, public)


def _write(event: str, call: Call, subject: str, by: Any, answer: Answer, public: dict[str, Any]) -> None:
    ledger.record(event=event, actor=str(by.pseudonym), role=answer.role, subject=subject, scope=f"call:{call.pk}", public=public)
