"""Inclusion proofs for the entries of a pack, from the stored leaves."""

from __future__ import annotations

from typing import Any

from grants.ledger import merkle
from grants.ledger.models import AuditEvent, AuditLeaf, Checkpoint


def proof_of(event: AuditEvent) -> Any:
    """{index, size, path (hex), checkpoint (signed note)} under the first checkpoint that covers the event; None while there is none."""
    place = AuditLeaf.objects.filter(event=event).first()
    head = None if place is None else Checkpoint.objects.filter(size__gt=place.index).order_by("size").first()
    if place is None or head is None:
        return None
    leaves = [bytes(h) for h in AuditLeaf.objects.filter(index__lt=head.size).order_by("index").values_list("leaf_hash", flat=True)]
    path = merkle.inclusion_proof(leaves, place.index)
    return {"index": place.index, "size": head.size, "path": [h.hex() for h in path], "checkpoint": head.note}
