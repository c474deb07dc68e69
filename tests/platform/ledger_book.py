"""A small log for the ledger tests, and hands that tamper with it as an owner of the database could."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.models import F

from grants import ledger
from grants.ledger import merkle, triggers
from grants.ledger.models import AuditEvent, AuditLeaf, Checkpoint

CLERK = "3f8c2f0e-7d0b-4b8e-9a53-0d7b1f2c4e11"


def write(count: int, subject: str = "bid:1") -> list[AuditEvent]:
    """`count` events, every second one with a private payload."""
    return [
        ledger.record(
            event="bid.submit",
            actor=CLERK,
            role="applicant",
            subject=subject,
            scope="call:1",
            verb="submit",
            source="draft",
            target="submitted",
            files={"budget": "0" * 64},
            public={"fen": 4_980_000, "n": i},
            private={"note": f"说明 {i}"} if i % 2 else None,
        )
        for i in range(count)
    ]


def book() -> list[int]:
    """Checkpoints at 5, 9 and 14, two leaves behind the last one, one event without a place; returns the sizes."""
    for count in (5, 4, 5):
        write(count)
        ledger.checkpoint()
    write(2)
    ledger.sequence()
    write(1)
    return [5, 9, 14]


@contextmanager
def tampering() -> Iterator[None]:
    """The triggers are gone within the block; afterwards everything is as it was."""
    point = transaction.savepoint()
    triggers.remove(connection)
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


def set_leaf(index: int, leaf: bytes, *, mend: bool) -> None:
    """Put other bytes under the event at `index`; mend: fix its leaf hash too."""
    place = AuditLeaf.objects.get(index=index)
    AuditEvent.objects.filter(pk=place.event_id).update(leaf=leaf)
    if mend:
        AuditLeaf.objects.filter(index=index).update(leaf_hash=merkle.leaf_hash(leaf))


def leaf_at(index: int) -> bytes:
    return bytes(AuditLeaf.objects.select_related("event").get(index=index).event.leaf)


def drop(index: int, *, renumber: bool) -> None:
    """Delete the event at `index` and its place; renumber: close the gap."""
    place = AuditLeaf.objects.get(index=index)
    place.delete()
    AuditEvent.objects.filter(pk=place.event_id).delete()
    if renumber:
        shift(index + 1, -1)


def shift(start: int, by: int) -> None:
    """Move every place from `start` on; by way of far numbers, because SQLite checks uniqueness row by row."""
    far = 1_000_000
    AuditLeaf.objects.filter(index__gte=start).update(index=F("index") + far)
    AuditLeaf.objects.filter(index__gte=far).update(index=F("index") - far + by)


def squeeze_in(index: int) -> None:
    """Insert a forged event at `index`, everything behind it moved up."""
    shift(index, 1)
    forged = write(1)[0]
    AuditLeaf.objects.create(index=index, event=forged, leaf_hash=merkle.leaf_hash(bytes(forged.leaf)))


def exchange_places(a: int, b: int) -> None:
    """Two whole leaves change places, each with its own, fitting hash."""
    first, second = AuditLeaf.objects.get(index=a), AuditLeaf.objects.get(index=b)
    AuditLeaf.objects.filter(index__in=[a, b]).delete()
    AuditLeaf.objects.create(index=a, event_id=second.event_id, leaf_hash=second.leaf_hash)
    AuditLeaf.objects.create(index=b, event_id=first.event_id, leaf_hash=first.leaf_hash)


def exchange_contents(a: int, b: int) -> None:
    """Two events swap their bytes; their columns are alike except for id and time, which are swapped too."""
    one, two = (AuditLeaf.objects.select_related("event").get(index=i).event for i in (a, b))
    spare = uuid.uuid4()
    AuditEvent.objects.filter(pk=one.pk).update(uid=spare, leaf=two.leaf, at=two.at)
    AuditEvent.objects.filter(pk=two.pk).update(uid=one.uid, leaf=one.leaf, at=one.at)
    AuditEvent.objects.filter(pk=one.pk).update(uid=two.uid)


def resign_everything() -> None:
    """What an insider with the log's key does after tampering: fresh leaf hashes, fresh checkpoints of the same sizes."""
    sizes = list(Checkpoint.objects.values_list("size", flat=True))
    Checkpoint.objects.all().delete()
    frontier = merkle.Frontier()
    for place in AuditLeaf.objects.select_related("event").order_by("index"):
        AuditLeaf.objects.filter(pk=place.pk).update(leaf_hash=merkle.leaf_hash(bytes(place.event.leaf)))
        frontier.append(merkle.leaf_hash(bytes(place.event.leaf)))
        if frontier.size in sizes:
            from grants.ledger import sequencer

            sequencer._signed(frontier)
