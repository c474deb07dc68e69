"""同名 against the database: which suggestions two persons have still to settle.

Remembered by fingerprint: rule and keyed hash (`grants.vault.columns.mark`) of the folded name, so that neither the table nor the log names anybody and a
new version of the bid, or another way to write the name, raises nothing anew. A stored suggestion waits until it is settled, whatever becomes of the name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Exists, OuterRef, QuerySet

from bidding.models import Bid
from grants.calls.models import Call
from grants.people.models import Organisation
from grants.vault.columns import mark
from review.conflict_checks import Ground, handed_in, organisations_of
from review.drawing import pool_of
from review.models import LIVE, STANDS, UNSETTLED, ConflictHit, Expert, Panel, Review
from review.namesakes import SENTENCES, Index, Known, Namesake, Paper, joint_texts
from review.parties import Behind, behind

KEY = "conflict.namesake"
"""What the marks are about: no other mark of the same name is equal."""


@dataclass(frozen=True)
class Suggestion:
    """One namesake of one expert in one bid."""

    expert: Expert
    bid: Bid
    namesake: Namesake

    @property
    def fingerprint(self) -> str:
        """Raises KeyMissing."""
        return hashlib.sha256(f"{self.namesake.rule}\n{mark(self.namesake.key, KEY)}".encode()).hexdigest()

    @property
    def sentence(self) -> str:
        return SENTENCES[self.namesake.rule] % {"bid": self.bid}


Waiting = ConflictHit | Suggestion
Either = TypeVar("Either", bound=Waiting)


def suggestions(experts: Sequence[Expert], bids: Sequence[Bid]) -> list[Suggestion]:
    """Everything that names suggest about these pairs, settled or not. At most six queries, whatever the number."""
    others = behind(bids)
    known = _organisations(bids, others)
    indices = [(b, Index(_paper(b, others[b.pk], known))) for b in bids]
    people = [(e, Known(e.user.name, "" if e.employer_organisation_id else e.employer)) for e in experts]
    return [Suggestion(e, b, n) for e, what in people for b, index in indices for n in index.namesakes(what)]


def unsettled(experts: Sequence[Expert], bids: Sequence[Bid]) -> list[Waiting]:
    """What has to be settled before these experts are drawn or begin: stored or new, without those of pairs that are barred anyway."""
    stored = list(ConflictHit.objects.filter(expert__in=experts, bid__in=bids, candidate=True).select_related("expert__user", "bid"))
    met = {(h.expert_id, h.bid_id, h.fingerprint) for h in stored}
    fresh = [s for s in suggestions(experts, bids) if (s.expert.pk, s.bid.pk, s.fingerprint) not in met]
    return not_barred([*(h for h in stored if h.is_unsettled), *fresh], bids)


def unsettled_of_judges(panel: Panel) -> list[Waiting]:
    """`unsettled` of the pairs of a panel whose ballot counts or is still to come. Nothing about who else was in the pool."""
    rows = list(Review.objects.filter(panel=panel, state__in=LIVE).select_related("expert__user", "bid__call__rules_version"))
    pairs = {(r.expert_id, r.bid_id) for r in rows}
    experts, bids = {r.expert_id: r.expert for r in rows}, {r.bid_id: r.bid for r in rows}
    return [each for each in unsettled(list(experts.values()), list(bids.values())) if (each.expert.pk, each.bid.pk) in pairs]


def not_barred(found: Sequence[Either], bids: Iterable[Bid]) -> list[Either]:
    """Without what concerns pairs that a finding bars already: nobody need look into a name that changes nothing."""
    if not found:
        return []
    papers = {b.pk: b for b in bids}
    experts, asked = {f.expert for f in found}, [papers[pk] for pk in dict.fromkeys(f.bid.pk for f in found)]
    ground = Ground.of(experts, asked)
    return [f for f in found if not ground.hits(f.expert, papers[f.bid.pk])]


def waiting_in(call: Call) -> list[Waiting]:
    """`unsettled` of everybody who may be drawn for a call or sits in one of its panels. Nothing before it has closed."""
    return unsettled(concerned(call), list(handed_in(call))) if call.state == "closed" else []


def concerned(call: Call) -> list[Expert]:
    """The pool of a call, and whoever sits or waits in a panel of it that has not reported."""
    seated = Expert.objects.filter(seats__panel__call=call).exclude(seats__panel__state="concluded").select_related("user")
    found = {e.pk: e for e in [*pool_of(call), *seated]}
    return sorted(found.values(), key=lambda e: str(e.code))


def stored_unsettled() -> QuerySet[ConflictHit]:
    """Stored suggestions that wait, for lists and counts; without those of pairs that a stored finding bars."""
    barred = ConflictHit.objects.filter(STANDS, expert=OuterRef("expert"), bid=OuterRef("bid"))
    return ConflictHit.objects.filter(UNSETTLED).exclude(Exists(barred))


def _organisations(bids: Iterable[Bid], others: dict[Any, Behind]) -> dict[str, Organisation]:
    wanted = {pk for b in bids for pk in (*organisations_of(b), *others[b.pk].partners) if ":" not in pk}
    rows = Organisation.objects.filter(pk__in=wanted).only("name", "legal_representative")
    return {str(row.pk): row for row in rows}


def _paper(bid: Bid, other: Behind, known: dict[str, Organisation]) -> Paper:
    bodies = [known[pk] for pk in (*organisations_of(bid), *other.partners) if pk in known]
    team = tuple((str(m.get("name", "")), str(m.get("role", ""))) for m in other.content.get("team", ()))
    leaders, names = tuple(o.legal_representative for o in bodies), tuple(o.name for o in bodies)
    return Paper(team, leaders, names, tuple(joint_texts(other.content.get("sections", ()))))
