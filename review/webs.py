"""From the rows of the graph to the edges that `review.conflicts` follows: as far as the rules let a path go, and no further."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Q

from grants.people.models import Organisation
from review import conflicts
from review.conflicts import PERSON, RelationKind
from review.models import Node, Tie
from review.nodes import merged

AT_ONCE: Final = 500
"""Parties asked about in one query: SQLite takes no more than some thousands of values."""


@dataclass
class Web:
    """Edges around some parties. names: party → what a sentence calls it, for bodies that are not registered."""

    edges: list[conflicts.Relation] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)


def around(parties: Iterable[str], organisations: Iterable[Organisation], *, steps: int) -> Web:
    """Every tie that a path of `steps` edges from these parties can use. organisations: those that bodies and leaders may turn out to be.

    One query per step and two for who is who, whatever the number of parties (per AT_ONCE of them).
    """
    same, leading = merged(organisations)
    web, seen, frontier = Web(), set(), set(parties)
    web.edges += [conflicts.Relation(RelationKind.LEGAL_REPRESENTATIVE, _person(pk), org) for pk, org in leading.items()]
    turned: dict[str, set[Any]] = {}
    for pk, org in same.items():
        turned.setdefault(org, set()).add(pk)
    for _step in range(steps):
        found = [tie for tie in _touching(frontier, turned) if tie.pk not in seen]
        seen |= {tie.pk for tie in found}
        new = [_edge(tie, same, web.names) for tie in found]
        web.edges += [edge for edge in new if edge.left != edge.right]
        frontier = {side for edge in new for side in (edge.left, edge.right)} - frontier
    return web


def _touching(parties: set[str], turned: dict[str, set[Any]]) -> list[Tie]:
    rows = Tie.objects.filter(withdrawn_at=None).select_related("left__expert", "right__expert")
    found: dict[int, Tie] = {}
    ordered = sorted(parties)
    for first in range(0, len(ordered), AT_ONCE):
        asked = _asked(ordered[first : first + AT_ONCE], turned)
        nodes = Node.objects.filter(asked).values("pk")
        found |= {tie.pk: tie for tie in rows.filter(Q(left__in=nodes) | Q(right__in=nodes)).order_by("pk")}
    return [found[pk] for pk in sorted(found)]


def _asked(parties: list[str], turned: dict[str, set[Any]]) -> Q:
    experts = [p.removeprefix("expert:") for p in parties if p.startswith("expert:")]
    nodes = [p.split(":", 1)[1] for p in parties if p.startswith((PERSON, "body:"))]
    registered = [p for p in parties if ":" not in p]
    nodes += [str(pk) for p in registered for pk in turned.get(p, ())]
    return Q(expert__in=experts) | Q(organisation__in=registered) | Q(pk__in=nodes)


def _edge(tie: Tie, same: dict[Any, str], names: dict[str, str]) -> conflicts.Relation:
    left, right = (_party(node, same, names) for node in (tie.left, tie.right))
    return conflicts.Relation(RelationKind(tie.kind), left, right, tie.since, tie.until, tie.source, ref=tie.subject)


def _party(node: Node, same: dict[Any, str], names: dict[str, str]) -> str:
    if node.expert_id is not None:
        return f"expert:{node.expert_id}"
    if node.organisation_id is not None:
        return str(node.organisation_id)
    if node.pk in same:
        return same[node.pk]
    if node.kind == Node.Kind.PERSON:
        return _person(node.pk)
    names[f"body:{node.pk}"] = node.title
    return f"body:{node.pk}"


def _person(pk: Any) -> str:
    return f"{PERSON}{pk}"
