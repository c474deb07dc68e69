"""台账与证明 the part of the log that belongs to one call, provable without showing anybody else's entries.

entries.jsonl: the call's entries with their index, byte for byte. leaf-hashes.bin: the leaf hash of *every* entry of the log, 32 bytes each in
order: from them the tree, and so every signed checkpoint, is recomputed, while entries of other calls stay hidden behind their hashes (each
holds a random id, so none can be guessed). checkpoints.jsonl, stamps.jsonl, keys.txt: as `manage.py ledger export` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from django.db.models import Q

from grants import ledger
from grants.calls.models import Call
from grants.ledger import keys
from grants.ledger.export import checkpoint_lines, stamp_lines
from grants.ledger.models import AuditLeaf, Checkpoint, stored_bytes

CHUNK = 2_000


def sign_up_to_now() -> Checkpoint:
    """Give everything recorded its place and sign the tree, so that the package's entries are covered. Raises LedgerBroken, KeyMissing."""
    made = ledger.checkpoint()
    assert made is not None  # a call that can be packed has entries
    return made


def entries(call: Call, size: int) -> Iterator[bytes]:
    """One line for each of the call's entries before `size`: {"index": n, "leaf": "…"}; the leaf's text is what is hashed."""
    mine = Q(event__scope=f"call:{call.pk}") | Q(event__subject=call.subject)
    rows = AuditLeaf.objects.filter(mine, index__lt=size).order_by("index").values_list("index", "event__leaf")
    for index, leaf in rows.iterator(chunk_size=CHUNK):
        yield json.dumps({"index": index, "leaf": stored_bytes(leaf).decode()}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def hashes(size: int) -> Iterator[bytes]:
    """Every leaf hash before `size`, in order."""
    rows = AuditLeaf.objects.filter(index__lt=size).order_by("index").values_list("leaf_hash", flat=True)
    for leaf in rows.iterator(chunk_size=CHUNK):
        yield stored_bytes(leaf)


def files(call: Call, head: Checkpoint) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Path below data/log/ → content in pieces; nothing for a file that would be empty."""
    yield "entries.jsonl", entries(call, head.size)
    yield "leaf-hashes.bin", hashes(head.size)
    yield "checkpoints.jsonl", (line + b"\n" for line in checkpoint_lines(head.size))
    yield "stamps.jsonl", (line + b"\n" for line in stamp_lines())
    yield "keys.txt", (f"{key}\n".encode() for key in keys.published())
