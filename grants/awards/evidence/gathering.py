"""What goes into a bid's evidence pack, from the stored rows, as JSON values.

Of other bids there is what the ranking and the money need and no more: place, score, amount, category, under a code made for this pack; no
number, title, organisation or ballot. Where equal scores were settled, the bids of that tie also have what the tie rule compared, and their
numbers only if a lot decided, because the lot is drawn over numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from grants.awards.limits import booked
from grants.awards.models import Award, Decision, SelectionCheck
from grants.ledger.models import AuditEvent
from review.conflict_checks import Ground
from review.models import OtherScore, Result, Review

Json = Any


@dataclass(frozen=True)
class Case:
    """One decided bid with the results of its panel in official order. codes: result's key → the code other bids have in this pack."""

    decision: Decision

    @cached_property
    def results(self) -> list[Result]:
        rows = Result.objects.filter(panel=self.decision.panel_id, bid__decision__isnull=False).select_related("bid__decision", "bid__organisation")
        return sorted(rows, key=lambda r: (r.rank is None, r.rank or 0, r.bid.number))

    @cached_property
    def codes(self) -> Mapping[Any, str]:
        return {r.bid_id: f"B{at:04d}" for at, r in enumerate(self.results, start=1)}

    @cached_property
    def own(self) -> Result:
        return next(r for r in self.results if r.bid_id == self.decision.bid_id)

    @cached_property
    def reviews(self) -> list[Review]:
        rows = Review.objects.filter(panel=self.decision.panel_id, bid=self.decision.bid_id, state="submitted")
        return list(rows.select_related("expert").prefetch_related("marks").order_by("stage", "expert__code"))

    @cached_property
    def seats(self) -> Mapping[Any, Any]:
        return {m.expert_id: m for m in self.decision.panel.members.select_related("expert")}

    def score_of(self, result: Result) -> str:
        """As published: rounded to the decimals of the rules."""
        return str(result.total.quantize(Decimal(1).scaleb(-self.decision.call.rules.review.decimals)))


def files(decision: Decision) -> dict[str, Json]:
    """File name → JSON value. rules.json is not among them: it goes in byte by byte as it was published."""
    case = Case(decision)
    return {
        "ballots.json": ballots(case), "others.json": others(case), "result.json": result(case), "ranking.json": ranking(case),
        "draw.json": {"seed": decision.panel.seed, "transcript": decision.panel.draw}, "assignment.json": assignment(case),
        "money.json": money(case), "ledger.json": [entry for event in events(case) for entry in [proven(event)]],
    }  # fmt: skip


def ballots(case: Case) -> Json:
    """Own ballots by expert code, with the salt that opens each commitment."""
    return [
        {
            "expert": r.expert.code, "stage": r.stage, "seat": str(case.seats[r.expert_id].seat), "salt": r.salt, "commitment": r.ballot_hash(),
            "marks": {m.criterion: str(m.value) for m in sorted(r.marks.all(), key=lambda m: m.criterion)},
        }
        for r in case.reviews
    ]  # fmt: skip


def others(case: Case) -> Json:
    """What was entered once for this bid: parts of the mix, the site check, criteria that no expert marks."""
    rows = OtherScore.objects.filter(panel=case.decision.panel_id, bid=case.decision.bid_id).order_by("component")
    return [{"component": o.component, "value": str(o.value)} for o in rows]


def result(case: Case) -> Json:
    """The result as stored, and the decision: what the program has to come to by itself."""
    told, decision = case.own.explanation, case.decision
    return {
        "stages": told["stages"], "criteria": told["criteria"], "score": case.score_of(case.own), "place": case.own.rank,
        "passed": case.own.passed, "decided_by": told["decided_by"], "awarded": decision.awarded, "amount": f"{decision.amount:.2f}",
        "rule": decision.rule,
    }  # fmt: skip


def ranking(case: Case) -> Json:
    """Place and score of every bid; of own equals what the tie rule compares."""
    same = [r for r in case.results if case.score_of(r) == case.score_of(case.own) and r.rank is not None]
    by_lot = any(r.explanation["decided_by"] == "lot" for r in same)
    rows = [{"code": case.codes[r.bid_id], "own": r.bid_id == case.own.bid_id, "score": case.score_of(r), "place": r.rank} for r in case.results]
    chair, tied = _chair(case), [r for r in same if len(same) > 1]
    return {
        "rows": rows, "lot_seed": case.own.explanation["lot_seed"], "chair_sat": all(_vote(r, chair) is not None for r in case.results),
        "tied": [_equal(case, r, chair, by_lot=by_lot) for r in tied],
    }  # fmt: skip


def _equal(case: Case, found: Result, chair: str, *, by_lot: bool) -> Json:
    return {
        "code": case.codes[found.bid_id], "place": found.rank, "ask": found.explanation["ask"], "criteria": found.explanation["criteria"],
        "chair": _vote(found, chair), "number": found.bid.number if by_lot else "",
    }  # fmt: skip


def _chair(case: Case) -> str:
    return next((m.expert.code for m in case.seats.values() if m.chair), "")


def _vote(found: Result, chair: str) -> int | None:
    """The chair's own total of the last stage in hundredths, as the tie rule reads it."""
    last: Sequence[Mapping[str, Any]] = found.explanation["stages"][-1]["ballots"]
    return next((int(Decimal(b["total"]) * 100) for b in last if b["expert"] == chair), None)


def assignment(case: Case) -> Json:
    """Who reviewed the bid, and who had to stay away from it, by code and without the reason."""
    assigned = sorted({r.expert_id for r in case.reviews}, key=lambda pk: str(case.seats[pk].expert.code))
    members = [m.expert for m in case.seats.values()]
    bid = case.decision.bid
    ground = Ground.of(members, [bid])
    gone = Review.objects.filter(panel=case.decision.panel_id, bid=bid, state__in=("recused", "voided")).values_list("expert__code", flat=True)
    barred = {e.code for e in members if ground.hits(e, bid)} | set(gone)
    return {
        "assigned": [
            {"expert": case.seats[pk].expert.code, "seat": str(case.seats[pk].seat), "called_up": case.seats[pk].called_up_at is not None}
            for pk in assigned
        ],
        "left_out": sorted(barred - {r.expert.code for r in case.reviews}),
    }


def money(case: Case) -> Json:
    """Every bid in official order with what the two passes read, and what they came to. counted: decided in this round."""
    clubs: dict[str, str] = {}
    asked = _asked(case)
    rows = [_standing(award, place, clubs) for place, award in _before(case)]
    running = Decimal(0)
    for found in case.results:
        decision = found.bid.decision
        running += decision.amount
        lot = asked.get(found.bid.number, {}).get("lot")
        rows.append({**_given(case, found, decision, running, clubs), **({"lot": lot} if lot is not None else {})})
    return {"bids": rows}


def _asked(case: Case) -> dict[str, Json]:
    """What the proposal was made from, by bid: the lots of the grey band stand there."""
    row = SelectionCheck.objects.filter(panel=case.decision.panel_id).first()
    return {} if row is None else {bid["bid"]: bid for bid in json.loads(row.question)["bids"]}


def _before(case: Case) -> list[tuple[int, Award]]:
    """Awards of earlier panels of the call, booked first as when this panel's were proposed."""
    earlier = Award.objects.filter(call=case.decision.call_id, bid__decision__made_at__lt=case.decision.made_at)
    rows = list(earlier.exclude(bid__decision__panel=case.decision.panel_id).select_related("bid__decision").order_by("bid__decision__rank", "number"))
    return [(place - len(rows), award) for place, award in enumerate(rows)]


def _standing(award: Award, place: int, clubs: dict[str, str]) -> Json:
    taken, amount = booked(award, place), f"{award.bid.decision.amount:.2f}"
    return {
        "code": f"A{place + 10_000:05d}", "own": False, "counted": False, "place": place, "score": "100", "ask": amount, "recommended": amount,
        "organisation": _club(clubs, taken.organisation), "category": taken.category, "track": taken.track, "awarded": True, "amount": amount,
        "rule": award.bid.decision.rule, "cumulative": "0.00", "district": _club(clubs, f"district:{taken.district}"),
    }  # fmt: skip


def _given(case: Case, found: Result, decision: Decision, running: Decimal, clubs: dict[str, str]) -> Json:
    ask = found.explanation["ask"]
    return {
        "code": case.codes[found.bid_id], "own": found.bid_id == case.own.bid_id, "counted": True, "place": found.rank, "score": case.score_of(found),
        "ask": ask, "recommended": ask if found.recommended is None else str(found.recommended), "category": found.bid.category,
        "organisation": _club(clubs, str(found.bid.organisation_id)), "track": found.bid.track, "awarded": decision.awarded,
        "amount": f"{decision.amount:.2f}", "rule": decision.rule, "cumulative": f"{running:.2f}",
        "district": _club(clubs, f"district:{found.bid.organisation.district}"),
    }  # fmt: skip


def _club(clubs: dict[str, str], organisation: str) -> str:
    """A code that only says which bids are of one organisation."""
    return clubs.setdefault(organisation, f"O{len(clubs) + 1:04d}")


def events(case: Case) -> list[AuditEvent]:
    """The log's entries the pack leans on: publication of the rules, own ballots as last handed in, lock, release."""
    call, panel = case.decision.call, case.decision.panel
    rules = AuditEvent.objects.filter(subject=call.subject, event__in=("call.publish", "call.amend", "call.publish_addendum")).order_by("id")
    found = [e for e in rules if json.loads(bytes(e.leaf))["public"].get("rules_hash") == call.rules_version.hash]  # type: ignore[union-attr]
    for review in case.reviews:
        found += AuditEvent.objects.filter(subject=review.subject, event="review.submit").order_by("-id")[:1]
    found += AuditEvent.objects.filter(subject=panel.subject, event="panel.lock").order_by("-id")[:1]
    released = AuditEvent.objects.filter(subject=call.subject, event="call.release_decisions", at__lte=case.decision.released_at or case.decision.made_at)
    return [*found, *released.order_by("-id")[:1]]


def proven(event: AuditEvent) -> Json:
    """One entry byte by byte, with its proof under the first signed checkpoint that covers it; None while it waits for one."""
    from grants.awards.evidence.proving import proof_of  # noqa: PLC0415 - reads the whole tree, only packs need it

    return {"event": event.event, "leaf": bytes(event.leaf).decode(), "proof": proof_of(event)}
