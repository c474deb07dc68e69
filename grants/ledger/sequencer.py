"""Giving committed events their place in the tree, and signing the tree.

Events are inserted by their own transactions, which commit in another order than they took their ids. The sequencer therefore
takes *committed events that have no place yet* (an anti-join), never "id greater than the last": that would lose the late ones.
It is a single writer: an advisory lock on PostgreSQL, the one write transaction on SQLite; unique columns stand behind both.

How far back it looks is what it costs, so there are three looks: each second the newest thousands of ids, at each checkpoint ten times as
many, each night all. A log of any length is therefore signed at the same price. What only the night finds is an event whose transaction
stayed open while FAR others were written; it waits unsigned until then, and `verify` counts it.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext as _

from grants import clock
from grants.ledger import keys, merkle, postquantum, statements
from grants.ledger.errors import LedgerBroken
from grants.ledger.models import AuditEvent, AuditLeaf, Checkpoint, stored_bytes
from grants.ledger.note import MLDSA44, TreeHead, Verifier, cosignature_line, sign, with_lines

LOCK = 0x6C656467  # "ledg": the advisory lock of whoever appends to the tree
NEAR, FAR = 2_000, 20_000  # ids below the newest placed one: of the look each second, and of a checkpoint's
CHUNK = 2_000  # rows per fetch


def sequence(limit: int = 1000, *, sweep: bool = False) -> int:
    """Give up to `limit` committed events their place, in the order of their ids; return how many. For a loop of the worker.

    sweep: look at every event, not only at the newest. Raises LedgerBroken when leaves that a checkpoint covers are gone.
    """
    with transaction.atomic():
        _hold_lock()
        return _place(limit, None if sweep else NEAR)


def checkpoint() -> Checkpoint | None:
    """Place what is waiting among the newest ids, then sign the tree; the present checkpoint when nothing is new, None for an empty log.

    Every newly covered event is hashed again from its stored bytes, and the frontier is checked against the last signed root:
    what was altered since is not signed over. Raises LedgerBroken, KeyMissing.
    """
    with transaction.atomic():
        _hold_lock()
        while _place(CHUNK, FAR) == CHUNK:
            pass
        last = Checkpoint.objects.order_by("-size").first()
        frontier = _frontier_of(last)
        before = frontier.size
        frontier.extend(_new_hashes(before))
        return last if frontier.size == before else _signed(frontier)


def unplaced() -> int:
    """How many committed events have no place yet. Reads the whole log."""
    return _waiting(None).count()


def _place(limit: int, back: int | None) -> int:
    ids = list(_waiting(back).order_by("id").values_list("id", flat=True)[:limit])
    if ids:
        start = _next_index()
        rows = AuditEvent.objects.filter(id__in=ids).order_by("id").values_list("id", "leaf")
        statements.insert_leaves([(index, event, merkle.leaf_hash(stored_bytes(leaf))) for index, (event, leaf) in enumerate(rows, start)])
    return len(ids)


def _waiting(back: int | None) -> QuerySet[AuditEvent]:
    """Events without a place: of those whose id is at most `back` below the newest placed one, or of all."""
    if back is None:
        return AuditEvent.objects.filter(place=None)
    newest = AuditLeaf.objects.aggregate(newest=Max("event_id"))["newest"] or 0
    placed = AuditLeaf.objects.filter(event_id=OuterRef("pk"), event_id__gt=newest - back)  # the bound again: no index would serve without it
    return AuditEvent.objects.filter(~Exists(placed), id__gt=newest - back)


def _next_index() -> int:
    newest = AuditLeaf.objects.aggregate(newest=Max("index"))["newest"]
    following = 0 if newest is None else int(newest) + 1
    covered = Checkpoint.objects.aggregate(size=Max("size"))["size"] or 0
    if following < covered:
        sentence = _("台账只剩 %(left)s 条,少于检查点签署的 %(covered)s 条,已停止入序。请运行 ledger verify 并从备份恢复。")
        raise LedgerBroken(sentence % {"left": following, "covered": covered})
    return following


def _frontier_of(last: Checkpoint | None) -> merkle.Frontier:
    if last is None:
        return merkle.Frontier()
    frontier = merkle.Frontier.from_bytes(last.size, stored_bytes(last.frontier))
    if frontier.root() != stored_bytes(last.root):
        raise LedgerBroken(_("检查点 %(size)s 的边界值与其签名根不符,已停止签署。请运行 ledger verify。") % {"size": last.size})
    return frontier


def _new_hashes(start: int) -> Iterator[bytes]:
    rows = AuditLeaf.objects.filter(index__gte=start).order_by("index").values_list("index", "leaf_hash", "event__leaf")
    for expected, (index, stored, leaf) in enumerate(rows.iterator(chunk_size=CHUNK), start):
        found = merkle.leaf_hash(stored_bytes(leaf))
        if index != expected or found != stored_bytes(stored):
            raise LedgerBroken(_("台账第 %(index)s 条与其序号不符,已停止签署。请运行 ledger verify。") % {"index": expected})
        yield found


def _signed(frontier: merkle.Frontier) -> Checkpoint:
    head = TreeHead(keys.origin(), frontier.size, frontier.root())
    note = with_lines(sign(head.text(), head.origin, keys.signing_key()), _second_line(head))
    return Checkpoint.objects.create(size=head.size, root=head.root, note=note, frontier=frontier.to_bytes(), at=clock.now())


def _second_line(head: TreeHead) -> list[str]:
    """The ML-DSA-44 line where LEDGER_MLDSA44 asks for it and it can be made; none elsewhere."""
    seed = keys.second_seed()
    if seed is None:
        return []
    at = int(clock.now().timestamp())
    signed = postquantum.message(head.origin, at.to_bytes(8, "big"), head)
    verifier = Verifier(head.origin, postquantum.public(seed), MLDSA44)
    return [cosignature_line(verifier, at, postquantum.sign(seed, signed))]


def _hold_lock() -> None:
    connection = transaction.get_connection()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
