"""回避 against the database: everything known about experts and bids is loaded once, the pure module decides.

What is known: relations declared, computed or challenged; appointments in organisations; employers; sponsor agreements; the ties of the
graph (`review.webs`); of a bid also whose accounts wrote it and which organisations' codes it gives (`review.parties`). A finding that a
second person dismissed with a reason no longer stands; the same finding on new evidence does. A finding over ties that was kept stands
until it is dismissed, whatever becomes of the ties: nobody clears an expert by editing the graph. What names suggest counts once two
persons have confirmed it (`review.namesake_checks`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from bidding.models import Bid
from grants import clock
from grants.people.models import Appointment, Organisation, SponsorAgreement
from review import conflicts
from review.conflicts import BidFacts, ConflictRules, Hit, RelationKind, find_conflicts
from review.models import LIVE, STANDS, ConflictHit, Expert, Relation
from review.parties import NOBODY, Behind, behind
from review.webs import Web, around

if TYPE_CHECKING:
    from grants.calls.models import Call
    from review.models import Panel

HANDED_IN = ("submitted", "returned", "admitted")


@dataclass(frozen=True)
class Ground:
    """What is known about some experts and the bids of one call. `of` costs some fifteen queries whatever their number.

    facts: bid → what is compared of it. kept: (expert, bid) → stored findings over ties, and confirmed by two, that nobody dismissed.
    """

    facts: Mapping[Any, BidFacts]
    relations: conflicts.Relations
    rivals: frozenset[str]
    rules: ConflictRules
    dismissed: frozenset[tuple[Any, Any, str]]
    kept: Mapping[tuple[Any, Any], list[ConflictHit]]

    @classmethod
    def of(cls, experts: Iterable[Expert], bids: Iterable[Bid]) -> Ground:
        """Load the edges around `experts` and the organisations of `bids` (all of one call)."""
        people, papers = list(experts), list(bids)
        rules, others = rules_of(papers), behind(papers)
        facts = {b.pk: facts_of(b, others[b.pk]) for b in papers}
        edges = [*_recorded(people), *_appointed(people), *_employed(people)]
        web = _web(people, facts.values(), edges, rules)
        edges += web.edges
        parties = {side for e in edges for side in (e.left, e.right)} | {org for f in facts.values() for org in f.organisations}
        edges += _sponsored(parties)
        parties |= {side for e in edges for side in (e.left, e.right)}
        names = {str(o.pk): o.name for o in Organisation.objects.filter(pk__in=[p for p in parties if ":" not in p]).only("name")}
        labels = {**web.names, **names, **{code_of(b): str(b) for b in papers}}
        known = conflicts.Relations.of(edges, labels)
        return cls(facts, known, _rivals(papers), rules, _dismissed(people, papers), _kept(people, papers))

    def all_hits(self, expert: Expert, bid: Bid) -> list[Hit]:
        """Every hit, dismissed ones included."""
        return find_conflicts(
            party(expert), self.facts[bid.pk], self.relations, as_of=clock.today(), rivals=self.rivals, rules=self.rules
        )

    def hits(self, expert: Expert, bid: Bid) -> list[Hit]:
        """The hits that stand: found now and not dismissed, and those over ties that were found before and not dismissed since."""
        found = self.all_hits(expert, bid)
        marks = {fingerprint(h) for h in found}
        before = [_again(row, bid) for row in self.kept.get((expert.pk, bid.pk), ()) if row.fingerprint not in marks]
        return [h for h in found if (expert.pk, bid.pk, fingerprint(h)) not in self.dismissed] + before


def standing_hits(expert: Expert, bid: Bid) -> list[Hit]:
    """Why this expert may not review this bid as of today; empty when nothing stands against it."""
    return Ground.of([expert], [bid]).hits(expert, bid)


def late_hits(panel: Panel) -> list[str]:
    """Live reviews of the panel whose expert turns out to be in conflict, each as “expert code · bid: why”."""
    return [f"{r.expert.code} · {r.bid}:{hits[0].sentence}" for r, hits in reviews_in_conflict(panel)]


def reviews_in_conflict(panel: Panel, *some: Any) -> list[tuple[Any, list[Hit]]]:
    """(review, standing hits) of every live review that should not be; of `some` only, if any are given."""
    rows = panel.reviews.filter(state__in=LIVE, **({"pk__in": [r.pk for r in some]} if some else {}))
    live = list(rows.select_related("expert__user", "bid").order_by("bid__number", "expert__code"))
    ground = Ground.of({r.expert for r in live}, {r.bid for r in live})
    found = [(r, ground.hits(r.expert, r.bid)) for r in live]
    return [(r, hits) for r, hits in found if hits]


def handed_in(call: Call) -> QuerySet[Bid]:
    """The bids of a call that experts are compared with, with what the comparison reads."""
    rows = Bid.objects.filter(call=call, state__in=HANDED_IN)
    return rows.select_related("organisation", "sponsor", "call__rules_version").order_by("number", "pk")


def party(expert: Expert) -> str:
    """How edges name an expert."""
    return f"expert:{expert.pk}"


def code_of(bid: Bid) -> str:
    """How edges, draws and rankings name a bid: its number, or its id before it has one."""
    return bid.number or f"bid:{bid.pk}"


def organisations_of(bid: Bid) -> tuple[str, ...]:
    return tuple(str(pk) for pk in (bid.organisation_id, bid.sponsor_id) if pk is not None)


def facts_of(bid: Bid, others: Behind = NOBODY) -> BidFacts:
    """The look-back counts from the day (Shanghai) of submission; a bid never submitted counts from today. others: who else stands behind it."""
    bodies = dict.fromkeys((*organisations_of(bid), *others.partners))
    return BidFacts(code_of(bid), tuple(bodies), day(bid.submitted_at) or clock.today(), (), others.accounts)


def day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.astimezone(clock.TZ).date()


def fingerprint(hit: Hit) -> str:
    """SHA-256 of what was found and on which edges; the wording of the evidence and of the sentence do not enter, nor does the end of a tie."""
    edges = [e.ref or f"{e.kind}|{e.left}|{e.right}|{e.since}|{e.until}|{e.source}" for e in hit.evidence]
    return hashlib.sha256("\n".join([hit.rule, hit.target, *edges]).encode()).hexdigest()


def _recorded(experts: list[Expert]) -> list[conflicts.Relation]:
    rows = Relation.objects.filter(expert__in=experts)
    return [
        conflicts.Relation(
            RelationKind(r.kind), f"expert:{r.expert_id}", str(r.organisation_id), r.since, r.until, r.source, r.evidence
        )
        for r in rows
    ]


def _appointed(experts: list[Expert]) -> list[conflicts.Relation]:
    """Whoever writes, signs or accounts for an organisation works for it, for as long as the appointment lasted."""
    by_user = {e.user_id: e for e in experts}
    rows = Appointment.objects.filter(user_id__in=by_user, scope_kind="organisation")
    return [
        conflicts.Relation(
            RelationKind.EMPLOYED, party(by_user[a.user_id]), str(a.scope_id), day(a.since), day(a.until), "computed", a.role
        )
        for a in rows
    ]


def _employed(experts: list[Expert]) -> list[conflicts.Relation]:
    return [
        conflicts.Relation(RelationKind.EMPLOYED, party(e), str(e.employer_organisation_id))
        for e in experts
        if e.employer_organisation_id is not None
    ]


def _sponsored(parties: set[str]) -> list[conflicts.Relation]:
    ids = [p for p in parties if ":" not in p]
    rows = SponsorAgreement.objects.filter(Q(group_id__in=ids) | Q(sponsor_id__in=ids), accepted_at__isnull=False)
    return [conflicts.Relation(RelationKind.SPONSOR, str(a.sponsor_id), str(a.group_id), a.valid_from, a.valid_to) for a in rows]


def _rivals(bids: list[Bid]) -> frozenset[str]:
    """Every organisation that bids in the calls of these bids."""
    rows = Bid.objects.filter(call_id__in={b.call_id for b in bids}, state__in=HANDED_IN)
    return frozenset(str(pk) for pair in rows.values_list("organisation_id", "sponsor_id") for pk in pair if pk is not None)


def rules_of(bids: list[Bid]) -> ConflictRules:
    """How far back and how many steps the rules of these bids' call look."""
    for bid in bids[:1]:
        said = bid.call.rules.review.panel
        return ConflictRules(look_back_years=said.conflict_years, edges=said.conflict_edges or conflicts.EDGES)
    return ConflictRules()


def _web(experts: list[Expert], bids: Iterable[BidFacts], edges: list[conflicts.Relation], rules: ConflictRules) -> Web:
    """The ties within reach of these experts. Employers and bidders may be what a body of the graph turns out to be."""
    known = {pk for e in edges for pk in (e.left, e.right)} | {pk for b in bids for pk in b.organisations}
    known = {pk for pk in known if ":" not in pk}
    rows = Organisation.objects.filter(pk__in=known).only("name", "uscc", "record_no", "legal_representative")
    start = {party(e) for e in experts} | {side for e in edges for side in (e.left, e.right)}
    return around(start, rows, steps=rules.edges)


def _kept(experts: list[Expert], bids: list[Bid]) -> dict[tuple[Any, Any], list[ConflictHit]]:
    found: dict[tuple[Any, Any], list[ConflictHit]] = {}
    rows = ConflictHit.objects.filter(STANDS, expert__in=experts, bid__in=bids)
    for row in rows.filter(~Q(ties=[]) | Q(candidate=True)).order_by("pk"):
        found.setdefault((row.expert_id, row.bid_id), []).append(row)
    return found


def _again(row: ConflictHit, bid: Bid) -> Hit:
    test, rule = row.test.split(":", 1)
    return Hit(int(test), rule, code_of(bid), "", (), row.sentence)


def _dismissed(experts: list[Expert], bids: list[Bid]) -> frozenset[tuple[Any, Any, str]]:
    rows = ConflictHit.objects.filter(expert__in=experts, bid__in=bids, dismissed_by__isnull=False)
    return frozenset(rows.values_list("expert_id", "bid_id", "fingerprint"))
