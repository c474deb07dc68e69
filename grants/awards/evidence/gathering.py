"""What goes into a bid's evidence pack, from the stored rows, as JSON values.

Of other bids there is what the ranking and the money need and no more: place, score, amount, category, under a code made for this pack; no
number, title, organisation or ballot. Where equal scores were settled, the bids of that tie also have what the tie rule compared, and their
numbers only if a lot decided, because the lot is drawn over numbers and its transcript is public.
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
from review import second
from review.conflict_checks import Ground, code_of
from review.correcting import before
from review.models import AssignmentRun, Draw, OtherScore, Result, Review, Ruling, ScoreCorrection
from review.other_scores import committed, place
from review.sealing import commitment

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
        return list(rows.select_related("expert", "second").prefetch_related("marks").order_by("stage", "expert__code"))

    @cached_property
    def rulings(self) -> Mapping[Any, Ruling]:
        """Review → what the committee decided about its ballot."""
        rows = Ruling.objects.filter(panel=self.decision.panel_id, review__bid=self.decision.bid_id, state="adopted", review__state="submitted")
        return {r.review_id: r for r in rows}

    @cached_property
    def corrections(self) -> list[ScoreCorrection]:
        """Corrections of this bid's entered scores that a second officer confirmed, in the order in which they took force, which is the log's."""
        rows = ScoreCorrection.objects.filter(panel=self.decision.panel_id, score__bid=self.decision.bid_id, state="confirmed").select_related("score")
        found = {made.subject: made for made in rows}
        order = AuditEvent.objects.filter(event="score_correction.confirm", subject__in=list(found)).order_by("id").values_list("subject", flat=True)
        return [found[subject] for subject in order]

    @cached_property
    def lot(self) -> Draw | None:
        """The public draw over equals of the panel, where a lot decided this bid's place."""
        if self.own.explanation["decided_by"] != "lot":
            return None
        return self.decision.panel.draws.filter(about="tie", state="drawn").order_by("-drawn_at").first()

    @cached_property
    def drawing(self) -> Draw | None:
        """The public draw that the panel's experts come from."""
        return self.decision.panel.draws.filter(about="panel", state="drawn").first()

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
        "ballots.json": ballots(case), "others.json": others(case), "entered.json": place(case.decision.panel, case.decision.bid_id),
        "result.json": result(case), "ranking.json": ranking(case),
        "draw.json": drawn(case), "assignment.json": assignment(case),
        "money.json": money(case), "ledger.json": [entry for event in events(case) for entry in [proven(event)]],
    }  # fmt: skip


def drawn(case: Case) -> Json:
    """How the panel's experts were drawn: as its report tells it, and the published record from which the seed follows."""
    panel = case.decision.panel
    return {"seed": panel.seed, "transcript": panel.draw, "record": case.drawing.transcript if case.drawing is not None else None}


def ballots(case: Case) -> Json:
    """Own ballots by expert code, with the salt that opens each commitment: the one that counts, and the first where a second replaced it."""
    return [_ballot(case, r) for r in case.reviews]


def _ballot(case: Case, review: Review) -> Json:
    given = {"salt": review.salt, "commitment": review.ballot_hash(), "marks": _marks(review.held())}
    again = second.content(review)
    if again is not None:
        sealed = commitment(again["salt"], again["points"])
        given = {"first": given, "salt": again["salt"], "commitment": sealed, "marks": _marks(review.counting())}
    ruling = case.rulings.get(review.pk)
    ruled = {"ruling": str(ruling.outcome)} if ruling is not None else {}
    return {"expert": review.expert.code, "stage": review.stage, "seat": str(case.seats[review.expert_id].seat), **given, **ruled}


def _marks(marks: Mapping[str, Any]) -> dict[str, str]:
    return {code: str(mark.value.quantize(Decimal("0.01"))) for code, mark in sorted(marks.items())}


def others(case: Case) -> Json:
    """What was entered once for this bid: parts of the mix, the site check, criteria that no expert marks; with the salt of each commitment.

    A score that two officers corrected has every score before it as well, in order, each with the bases and the reason of its correction.
    """
    rows = OtherScore.objects.filter(panel=case.decision.panel_id, bid=case.decision.bid_id).order_by("component")
    return [{"component": o.component, "value": str(o.value), **_committed(o), **_before_corrections(case, o)} for o in rows]


def _before_corrections(case: Case, found: OtherScore) -> dict[str, Json]:
    """Under “corrected”: what each confirmed correction took out of force. Proposals that came to nothing are no part of the result."""
    rows = [made for made in case.corrections if made.score_id == found.pk]
    told = [
        {
            "value": str(made.value_before), "basis": made.basis_before, "basis_after": made.basis, "reason": made.reason,
            **({"salt": made.salt_before, "commitment": before(made)} if made.salt_before else {}),
        }
        for made in rows
    ]  # fmt: skip
    return {"corrected": told} if told else {}


def _committed(found: OtherScore) -> dict[str, str]:
    """What was entered before scores were committed to has no salt; its entry in the log names no commitment either."""
    return {"salt": found.salt, "commitment": committed(found)} if found.salt else {}


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
        "rows": rows, "lot": case.lot.transcript if case.lot is not None else None, "lot_seed": case.own.explanation["lot_seed"],
        "chair_sat": all(_vote(r, chair) is not None for r in case.results),
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
        "left_out": sorted(barred - {r.expert.code for r in case.reviews}), "run": run_of(case),
    }


def run_of(case: Case) -> Json:
    """Of the assignment that was carried out: the SHA-256 of the whole files IN and OUT, and of them this bid's own rows; None without one.

    The whole files name every bid, its conflicts and its experts: auditors have them from the panel's page and check the proof there.
    """
    row = AssignmentRun.objects.filter(panel=case.decision.panel_id, carried_out=True).order_by("-pk").first()
    if row is None:
        return None
    asked, said, own = json.loads(row.question), json.loads(row.answer), code_of(case.decision.bid)
    mine = sorted(expert for bid, expert in said["pairs"] if bid == own)
    return {
        "sha256": row.hashes(), "seed": said["options"]["seed"], "need": next(b["need"] for b in asked["bids"] if b["id"] == own),
        "affinity": {e: a for bid, e, a in asked["affinity"] if bid == own}, "pairs": mine, "status": said["status"],
        "barred": sorted(e for bid, e in asked.get("conflicts", ()) if bid == own),
        **{name: said[name] for name in ("total", "worst_bid", "weakest_pair", "tau")},
    }  # fmt: skip


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
    """The log's entries the pack leans on: publication of the rules, draws, own ballots and entered scores as last handed in, lock, release."""
    call, panel = case.decision.call, case.decision.panel
    rules = AuditEvent.objects.filter(subject=call.subject, event__in=("call.publish", "call.amend", "call.publish_addendum")).order_by("id")
    found = [e for e in rules if json.loads(bytes(e.leaf))["public"].get("rules_hash") == call.rules_version.hash]  # type: ignore[union-attr]
    for review in case.reviews:
        found += AuditEvent.objects.filter(subject=review.subject, event="review.submit").order_by("-id")[:1]
        if second.of(review) is not None:
            found += AuditEvent.objects.filter(subject=review.subject, event="review.revise").order_by("-id")[:1]
    found += _entered(case)
    for ruling in case.rulings.values():
        found += AuditEvent.objects.filter(subject=ruling.subject, event="ruling.adopt").order_by("-id")[:1]
    for voiding in case.decision.panel.voidings.filter(review__bid=case.decision.bid_id, state="carried_out").order_by("created_at"):
        found += AuditEvent.objects.filter(subject=voiding.subject, event="voiding.approve").order_by("-id")[:1]
    for draw in (case.drawing, case.lot):
        if draw is not None:
            found += AuditEvent.objects.filter(subject=draw.subject, event__in=("draw.open", "draw.draw")).order_by("id")
    found += _assigned(case)
    found += AuditEvent.objects.filter(subject=panel.subject, event="panel.lock").order_by("-id")[:1]
    released = AuditEvent.objects.filter(subject=call.subject, event="call.release_decisions", at__lte=case.decision.released_at or case.decision.made_at)
    return [*found, *released.order_by("-id")[:1]]


def _entered(case: Case) -> list[AuditEvent]:
    """The entry of each score of this bid (the last, where it could still be entered again), and who proposed and confirmed each correction of it."""
    last: dict[str, AuditEvent] = {}
    for event in AuditEvent.objects.filter(subject=case.decision.panel.subject, event="panel.enter_score").order_by("id"):
        public = json.loads(bytes(event.leaf))["public"]  # type: ignore[arg-type]
        if public["bid"] == str(case.decision.bid_id):
            last[public["component"]] = event
    subjects = [made.subject for made in case.corrections]
    made = AuditEvent.objects.filter(subject__in=subjects, event__in=("score_correction.open", "score_correction.confirm"))
    return sorted([*last.values(), *made], key=lambda event: event.pk)


def _assigned(case: Case) -> list[AuditEvent]:
    """The entry that names the hashes of the assignment in force; nothing where none does."""
    run = run_of(case)
    panel = case.decision.panel
    rows = AuditEvent.objects.filter(subject=panel.subject, event__in=("panel.assign", "panel.fill_gaps"))
    swaps = AuditEvent.objects.filter(subject__in=[s.subject for s in panel.swaps.filter(state="approved")], event="swap.approve")
    named = [e for e in [*rows.order_by("-id"), *swaps] if run is not None and run["sha256"]["answer"] in bytes(e.leaf).decode()]
    return named[:1]


def proven(event: AuditEvent) -> Json:
    """One entry byte by byte, with its proof under the first signed checkpoint that covers it; None while it waits for one."""
    from grants.awards.evidence.proving import proof_of  # noqa: PLC0415 - reads the whole tree, only packs need it

    return {"event": event.event, "leaf": bytes(event.leaf).decode(), "proof": proof_of(event)}
