"""Proofs from the stored log: that an event is in it, and that one signed tree continues another (C2SP tlog-proof, RFC 6962 §2.1).

Roots of complete subtrees of 256 leaves are kept in `ledger_audittile`, so that a proof reads a few thousand short rows whatever the
size of the log. They are a convenience: nothing trusts them, a wrong one only makes a proof that leads to another root, which is refused here.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from grants.ledger import merkle
from grants.ledger.errors import LedgerBroken, NotProvable
from grants.ledger.models import AuditEvent, AuditLeaf, AuditTile, Checkpoint, stored_bytes
from grants.ledger.note import NAME_OF_PROOF

TILE = 256  # leaves below one kept root
CHUNK = 2_000


@dataclass(frozen=True)
class Inclusion:
    """Where an event stands and how to get from its leaf to the root of `checkpoint`."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint

    def text(self) -> str:
        """The C2SP `tlog-proof@v1` file."""
        lines = [NAME_OF_PROOF, f"index {self.index}", *map(_b64, self.hashes)]
        return "\n".join(lines) + "\n\n" + self.checkpoint.full_note()


@dataclass(frozen=True)
class Consistency:
    """That `new` continues `old`."""

    old: Checkpoint
    new: Checkpoint
    hashes: tuple[bytes, ...]

    def text(self) -> str:
        """Lines `consistency <old> <new>`, the hashes, then both signed checkpoints after blank lines."""
        lines = [f"consistency {self.old.size} {self.new.size}", *map(_b64, self.hashes)]
        return "\n".join(lines) + "\n\n" + self.old.full_note() + "\n" + self.new.full_note()


def inclusion(event: AuditEvent) -> Inclusion | None:
    """The proof of an event under the first checkpoint that covers it; None while it waits for its place or a signature. Raises LedgerBroken."""
    place = AuditLeaf.objects.filter(event=event).first()
    if place is None:
        return None
    covering = Checkpoint.objects.filter(size__gt=place.index).order_by("size").first()
    if covering is None:
        return None
    hashes = tuple(_root(low, high) for low, high in merkle.inclusion_ranges(place.index, covering.size))
    try:
        merkle.verify_inclusion(place.index, covering.size, merkle.leaf_hash(stored_bytes(event.leaf)), hashes, stored_bytes(covering.root))
    except merkle.BadProof as wrong:
        raise LedgerBroken(_("台账第 %(index)s 条已对不上检查点的根,请运行 manage.py ledger verify。") % {"index": place.index}) from wrong
    return Inclusion(place.index, hashes, covering)


def consistency(old: int, new: int) -> Consistency:
    """The proof between two signed sizes. Raises NotProvable for a size that was never signed or in the wrong order, LedgerBroken."""
    first, second = _signed(old), _signed(new)
    if old > new:
        raise NotProvable(_("先写较小的大小,再写较大的。"))
    hashes = tuple(_root(low, high) for low, high in merkle.consistency_ranges(old, new))
    try:
        merkle.verify_consistency(old, new, stored_bytes(first.root), stored_bytes(second.root), hashes)
    except merkle.BadProof as wrong:
        sentence = _("检查点 %(old)s 与 %(new)s 之间的条目已被改动,请运行 manage.py ledger verify。")
        raise LedgerBroken(sentence % {"old": old, "new": new}) from wrong
    return Consistency(first, second, hashes)


def not_covered(events: Sequence[AuditEvent]) -> set[uuid.UUID]:
    """Ids of those events that no checkpoint covers yet. Two queries."""
    covered = Checkpoint.objects.aggregate(size=Max("size"))["size"] or 0
    placed = AuditLeaf.objects.filter(event__in=events, index__lt=covered).values_list("event_id", flat=True)
    return {event.uid for event in events} - {event.uid for event in events if event.pk in set(placed)}


def keep_tiles() -> int:
    """Keep the roots of subtrees that checkpoints cover and nobody kept yet; returns how many. Called after each checkpoint; safe at any time."""
    covered = Checkpoint.objects.aggregate(size=Max("size"))["size"] or 0
    newest = AuditTile.objects.aggregate(newest=Max("index"))["newest"]
    following = 0 if newest is None else int(newest) + 1
    fresh = [AuditTile(index=index, root=root) for index, root in enumerate(_fresh(following, covered // TILE), following)]
    try:
        with transaction.atomic():
            AuditTile.objects.bulk_create(fresh, batch_size=500)
    except IntegrityError:  # another process kept them at the same moment
        return 0
    return len(fresh)


def _fresh(start: int, end: int) -> Iterator[bytes]:
    tree = merkle.Frontier()
    for leaf in _leaves(start * TILE, end * TILE):
        tree.append(leaf)
        if tree.size == TILE:
            yield tree.root()
            tree = merkle.Frontier()


def _root(low: int, high: int) -> bytes:
    """The root of the leaves low ≤ index < high, from kept roots as far as they reach."""
    if high - low < TILE or low % TILE:
        return merkle.root(_leaves(low, high))
    whole = (high - low) // TILE * TILE
    if low + whole == high:
        return merkle.root(_tiles(low // TILE, high // TILE))
    split = 1 << ((high - low - 1).bit_length() - 1)
    return merkle.node_hash(_root(low, low + split), _root(low + split, high))


def _tiles(start: int, end: int) -> Iterable[bytes]:
    kept = AuditTile.objects.filter(index__gte=start, index__lt=end).order_by("index").values_list("root", flat=True)
    found = [stored_bytes(root) for root in kept.iterator(chunk_size=CHUNK)]
    return found if len(found) == end - start else [*found, *_fresh(start + len(found), end)]


def _leaves(low: int, high: int) -> Iterator[bytes]:
    rows = AuditLeaf.objects.filter(index__gte=low, index__lt=high).order_by("index").values_list("leaf_hash", flat=True)
    return (stored_bytes(leaf) for leaf in rows.iterator(chunk_size=CHUNK))


def _signed(size: int) -> Checkpoint:
    found = Checkpoint.objects.filter(size=size).first()
    if found is None:
        sizes = "、".join(str(s) for s in Checkpoint.objects.order_by("-size").values_list("size", flat=True)[:5])
        raise NotProvable(_("没有大小为 %(size)s 的检查点;最近的有 %(sizes)s。") % {"size": size, "sizes": sizes or "—"})
    return found


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
