"""Who is who in the graph of persons and organisations: what identifies a party, as keyed hashes, and the row that stands for it.

A person is the keyed hash of the identity number; where none is known, of name and organisation. Two persons of one name in one organisation
are then one: a hit says "same name", and people decide. A body is its credit code; else its record number; else its folded name. Experts and
registered organisations are themselves. No identity number is kept, and none can be tried without the master key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from grants.people.identity import folded, normalise
from grants.people.models import Organisation
from grants.vault.columns import mark
from review.conflicts import fold_name
from review.models import Expert, Node

BODY, BY_NUMBER, BY_NAME, NAME = "node.body", "node.id_number", "node.name_at", "node.name"
"""What each mark is about: values of different meaning never match."""


@dataclass(frozen=True)
class Body:
    """An organisation as somebody names it: at least one of the three. A code or number decides; a name alone is the last resort."""

    name: str = ""
    uscc: str = ""
    record_no: str = ""

    def keys(self) -> list[str]:
        """What identifies it, the surest first."""
        found = [("uscc", normalise(self.uscc)), ("record", folded(self.record_no)), ("name", fold_name(self.name))]
        return [f"{how}:{value}" for how, value in found if value]


@dataclass(frozen=True, repr=False)
class Person:
    """Somebody who is no expert. at: where they are known by their name; needed where there is no identity number."""

    name: str
    id_number: str = ""
    at: Body | Organisation | None = None


Party = Expert | Organisation | Body | Person


def keys_of(organisation: Organisation | Body) -> list[str]:
    """What identifies an organisation, registered or not, the surest first."""
    if isinstance(organisation, Body):
        return organisation.keys()
    return Body(organisation.name, organisation.uscc or "", organisation.record_no).keys()


def body_marks(organisation: Organisation | Body) -> list[str]:
    """Marks by which rows of it may be known, the surest first. Raises KeyMissing."""
    return [mark(key, BODY) for key in keys_of(organisation)]


def person_marks(name: str, at: Organisation | Body) -> list[str]:
    """Marks by which somebody of this name in that organisation may be known. Raises KeyMissing."""
    return [mark(f"{folded(name)}\n{key}", BY_NAME) for key in keys_of(at)] if folded(name) else []


def name_mark(name: str) -> str:
    """By which equal names of persons are found; "" for "". Raises KeyMissing."""
    return mark(folded(name), NAME)


def mark_of(party: Body | Person) -> str:
    """The surest mark of a party that is neither an expert nor registered. Raises ValueError where nothing identifies it."""
    if isinstance(party, Body):
        return _first(body_marks(party))
    if party.id_number:
        return mark(normalise(party.id_number), BY_NUMBER)
    return _first([] if party.at is None else person_marks(party.name, party.at))


def _first(marks: list[str]) -> str:
    if not marks:
        raise ValueError("nothing identifies this party")
    return marks[0]


def find(party: Party) -> Node | None:
    """The row of a party; None where the graph does not know it. Raises ValueError, KeyMissing."""
    return Node.objects.filter(**_lookup(settled(party))).first()


def node_of(party: Party) -> Node:
    """The row of a party, made where there is none. Raises ValueError, KeyMissing."""
    who = settled(party)
    made, _new = Node.objects.get_or_create(**_lookup(who), defaults=_columns(who))
    return made


def settled(party: Party) -> Party:
    """A body that is registered is the registered organisation, as itself and as where somebody works."""
    if isinstance(party, Body):
        return registered(party) or party
    if isinstance(party, Person) and isinstance(party.at, Body):
        return replace(party, at=registered(party.at) or party.at)
    return party


def registered(body: Body) -> Organisation | None:
    """The registered organisation that has this credit code, or bears exactly this name where no code was given."""
    if code := normalise(body.uscc):
        return Organisation.objects.filter(uscc=code).first()
    found = list(Organisation.objects.filter(name=body.name.strip())[:2]) if body.name.strip() and not body.record_no else []
    return found[0] if len(found) == 1 else None


def _lookup(party: Party) -> dict[str, Any]:
    if isinstance(party, Expert):
        return {"expert": party}
    return {"organisation": party} if isinstance(party, Organisation) else {"mark": mark_of(party)}


def _columns(party: Party) -> dict[str, Any]:
    if isinstance(party, Person):
        return {"kind": Node.Kind.PERSON, "name": party.name.strip(), "name_mark": name_mark(party.name)}
    if isinstance(party, Body):
        return {"kind": Node.Kind.BODY, "title": party.name.strip() or party.uscc or party.record_no}
    return {"kind": Node.Kind.PERSON if isinstance(party, Expert) else Node.Kind.BODY}


def merged(organisations: Iterable[Organisation]) -> tuple[dict[Any, str], dict[Any, str]]:
    """(row → key of the registered organisation it turns out to be, row of a person → key of the organisation they lead).

    A body recorded before it registered, and whoever is registered as legal representative, are found by their marks; two HMACs for each key.
    """
    bodies: dict[str, str] = {}
    leaders: dict[str, str] = {}
    for each in organisations:
        bodies |= dict.fromkeys(body_marks(each), str(each.pk))
        leaders |= dict.fromkeys(person_marks(each.legal_representative, each), str(each.pk))
    rows = Node.objects.filter(mark__in=[*bodies, *leaders]).only("pk", "mark")
    known = {row.pk: row.mark for row in rows}
    return {pk: bodies[m] for pk, m in known.items() if m in bodies}, {pk: leaders[m] for pk, m in known.items() if m in leaders}
