"""What was probably done to the log, once the hashes have shown that and where something was.

Each guess is tested by computing: a guess is named only if undoing it gives the signed root back, or the rows show it. What fits
nothing is called "altered". The guesses look at one interval only and only after a fault, so they may cost.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from grants.ledger.merkle import Frontier
from grants.ledger.models import AuditLeaf, Checkpoint, stored_bytes

LONGEST_READ = 100_000  # leaves of an interval that are read into memory at all
LONGEST_TRIED = 1_500  # leaves of an interval for which every single insertion is tried (quadratic)


def names() -> dict[str, str]:
    """Kinds of fault in the reader's language."""
    return {
        "altered": _("内容被改动"),
        "removed": _("条目被删除"),
        "inserted": _("条目被插入"),
        "reordered": _("次序被调换"),
        "truncated": _("尾部被截去"),
        "checkpoint": _("检查点不可信"),
    }


def of_wrong_hash(found: bytes, index: int) -> str:
    """An event's bytes do not fit its place: do they fit another place?"""
    return "reordered" if AuditLeaf.objects.filter(leaf_hash=found).exclude(index=index).exists() else "altered"


def of_wrong_root(proved: Frontier, size: int, root: bytes) -> str:
    """Every entry fits its own hash, yet the root at `size` is not `root`; `proved` is the frontier at the last that held."""
    if size - proved.size > LONGEST_READ:
        return "altered"
    rows = list(
        AuditLeaf.objects.filter(index__gte=proved.size, index__lte=size).order_by("index").values_list("event_id", "leaf_hash")
    )
    hashes = [stored_bytes(stored) for _event, stored in rows]
    inside = rows[: size - proved.size]
    by_id = [stored_bytes(stored) for _event, stored in sorted(inside)]
    if proved.copy().extend(by_id).root() == root:
        return "reordered"
    if len(hashes) <= LONGEST_TRIED and _one_too_many(proved, hashes, size - proved.size, root):
        return "inserted"
    newest = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
    return "removed" if AuditLeaf.objects.count() < max(newest, size) else "altered"


def _one_too_many(proved: Frontier, hashes: Sequence[bytes], wanted: int, root: bytes) -> bool:
    """Whether leaving out one of the leaves gives the signed root."""
    before = proved.copy()
    for dropped in range(min(wanted, len(hashes))):
        rest = hashes[dropped + 1 : wanted + 1]
        if before.size + len(rest) == proved.size + wanted and before.copy().extend(rest).root() == root:
            return True
        before.append(hashes[dropped])
    return False
