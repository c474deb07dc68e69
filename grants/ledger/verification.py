"""Recomputing the whole log from its stored bytes, in constant memory, up to the first thing that is wrong.

*That* something is wrong, and in which interval between two signed roots, is proved by the hashes. *What* was done (altered,
removed, inserted, reordered, truncated) is the simplest explanation that fits, worked out by diagnosis.py.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, NoReturn, TypeVar

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from grants.ledger import diagnosis, keys, merkle, triggers
from grants.ledger.errors import KeyMissing
from grants.ledger.log import commitment, rfc3339
from grants.ledger.models import AuditEvent, AuditLeaf, AuditPayload, Checkpoint, stored_bytes
from grants.ledger.note import BadNote, TreeHead, Verifier, open_note

T = TypeVar("T")
CHUNK = 2_000  # rows per fetch: the memory this needs
_COLUMNS = ("leaf", "uid", "subject", "scope", "event", "at", "payload__salt", "payload__body")


@dataclass(frozen=True)
class Fault:
    """The first thing found wrong. It lies among the leaves first ≤ index < last; last None: after the newest signed root."""

    kind: str  # altered | removed | inserted | reordered | truncated | checkpoint
    first: int
    last: int | None
    detail: str

    def __str__(self) -> str:
        end = _("尾部(尚无检查点)") if self.last is None else str(self.last)
        kind = diagnosis.names().get(self.kind, self.kind)
        return _("区间 [%(first)s, %(last)s) %(kind)s:%(detail)s") % {
            "first": self.first,
            "last": end,
            "kind": f"{kind} ({self.kind})",
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Report:
    """What a check found. Counts are of what was read before the first fault; `unanchored`: leaves after the last checkpoint.

    gone: event id → on which ground its payload was erased, "" where the log has no entry of the erasure.
    """

    fault: Fault | None = None
    leaves: int = 0
    checkpoints: int = 0
    pins: int = 0
    payloads: int = 0
    erased: int = 0
    unanchored: int = 0
    unsequenced: int = 0
    root: str = ""  # hex, of the leaves read
    keys: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    gone: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.fault is None


@dataclass(frozen=True)
class Mark:
    """A root that the tree must have at `size`: a signed checkpoint, or a pin kept outside."""

    size: int
    root: bytes
    checkpoint: Checkpoint | None = None


class _Event(NamedTuple):
    """One event's stored bytes and copies; `body` None when there is no payload (any more)."""

    leaf: bytes
    uid: str
    subject: str
    scope: str
    event: str
    at: str
    salt: bytes
    body: bytes | None


class _Unreadable(Exception):
    """A stored value that is not of its column's type."""


class _Found(Exception):
    """Carries the first fault out of the loops."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def verify(*, pins: Mapping[int, bytes] | None = None, verifiers: Sequence[Verifier] | None = None) -> Report:
    """Recompute everything: copies, leaf hashes, indexes, every checkpoint's root and signature, commitments of kept payloads.

    pins: size → 32-byte root, kept outside this machine (a printed root, a receipt). verifiers: public keys from outside; without
    them this machine's own key is used and the report warns, because whoever holds the machine holds that key.
    May run while the log grows: what comes after its start is left to the next check.
    """
    trusted, warnings = _trusted(verifiers)
    walk = _Walk(trusted)
    fault = None
    try:
        walk.all(pins or {})
    except _Found as found:
        fault = found.fault
    keys_used = tuple(str(verifier) for verifier in trusted)
    return Report(fault=fault, root=walk.frontier.root().hex(), keys=keys_used, warnings=warnings, gone=walk.gone(), **walk.seen)


class _Walk:
    """One pass over the leaves beside the marks, both in order."""

    def __init__(self, trusted: Sequence[Verifier]) -> None:
        self.trusted = trusted
        self.seen: Counter[str] = Counter()  # by the names of Report's counts
        self.empty: list[str] = []  # events that had a payload and have none
        self.grounds: dict[str, str] = {}  # event → on which ground, as the entries of erasures say
        self.frontier = merkle.Frontier()
        self.proved = self.frontier.copy()  # at the last mark that held
        self.mark: Mark | None = None  # the next one ahead
        self.size = 0  # leaves there were when this walk began

    def all(self, pins: Mapping[int, bytes]) -> None:
        try:
            self._leaves(_marks(pins, self._bound()))
            self._tail()
        except _Unreadable as unreadable:
            self._fail("altered", _("有一处存储内容已读不出:%(why)s") % {"why": unreadable})

    def _bound(self) -> int:
        """Read the newest checkpoint before counting leaves: in this order a growing log can never look truncated."""
        newest = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
        if not isinstance(newest, int):  # SQLite again: text sorts above every number
            raise _Unreadable(str(newest))
        self.size = AuditLeaf.objects.count()
        return newest

    def _leaves(self, marks: Iterator[Mark]) -> None:
        self.mark = next(marks, None)
        self._reach(marks)
        for position, stored, *event in _leaves(self.size):
            self._leaf(position, stored_bytes(stored), _event(event))
            self._reach(marks)
        self._end()

    def _leaf(self, position: int, stored: bytes, event: _Event) -> None:
        expected = self.frontier.size
        if position != expected:
            self._fail("removed", _("第 %(index)s 条不见了") % {"index": expected})
        found = merkle.leaf_hash(event.leaf)
        if found != stored:
            kind = diagnosis.of_wrong_hash(found, expected)
            self._fail(kind, _("第 %(index)s 条的内容与其叶哈希不符") % {"index": expected})
        self._copies(event)
        self.frontier.append(found)
        self.seen["leaves"] += 1

    def _copies(self, event: _Event) -> None:
        """The columns repeat the leaf; a kept payload fits its commitment."""
        leaf = _parsed(event.leaf)
        wrong = _wrong_copies(leaf, event)
        if wrong:
            sentence = _("事件 %(uid)s 的列与原文不符:%(columns)s")
            self._fail("altered", sentence % {"uid": event.uid, "columns": "、".join(wrong)})
        if event.body is None:
            self._erased(leaf)
            return
        if commitment(event.salt, event.body) != leaf["commit"]:
            self._fail("altered", _("事件 %(uid)s 的附文与其承诺值不符") % {"uid": event.uid})
        self.seen["payloads"] += 1

    def _erased(self, leaf: Any) -> None:
        """An entry without a payload: there never was one, it was erased, or this is the entry that says so."""
        if leaf["commit"] is not None:
            self.seen["erased"] += 1
            self.empty.append(leaf["id"])
        elif leaf["event"] == "ledger.erase":
            self.grounds[leaf["public"]["event"]] = leaf["public"]["ground"]

    def gone(self) -> dict[str, str]:
        return {uid: self.grounds.get(uid, "") for uid in self.empty}

    def _reach(self, marks: Iterator[Mark]) -> None:
        """Check every mark at the present size."""
        while self.mark is not None and self.mark.size == self.frontier.size:
            self._check(self.mark)
            self.mark = next(marks, None)

    def _check(self, mark: Mark) -> None:
        if mark.checkpoint is not None:
            why = _wrong_checkpoint(mark.checkpoint, self.trusted)
            if why:
                self._fail("checkpoint", why)
        if self.frontier.root() != mark.root:
            kind = diagnosis.of_wrong_root(self.proved, mark.size, mark.root)
            source = _("签名检查点") if mark.checkpoint else _("外部留存的根")
            self._fail(kind, _("重算的根与%(source)s不符(大小 %(size)s)") % {"source": source, "size": mark.size})
        self.proved = self.frontier.copy()
        self.seen["pins" if mark.checkpoint is None else "checkpoints"] += 1

    def _end(self) -> None:
        """All leaves were read; a mark still ahead means that some are missing, a count still ahead that their events are."""
        if self.frontier.size < self.size:
            self._fail("removed", _("第 %(index)s 条的事件不见了") % {"index": self.frontier.size})
        if self.mark is not None:
            sentence = _("已签署或留存的根有 %(size)s 条,现在只剩 %(left)s 条")
            self._fail("truncated", sentence % {"size": self.mark.size, "left": self.frontier.size})
        self.seen["unanchored"] = self.frontier.size - self.proved.size

    def _tail(self) -> None:
        """Events without a place yet: nothing proves them, but their copies and payloads are checked."""
        rows = AuditEvent.objects.filter(place=None).order_by("id").values_list(*_COLUMNS)
        for event in _readable(rows.iterator(chunk_size=CHUNK)):
            self._copies(_event(event))
            self.seen["unsequenced"] += 1
        orphan = AuditPayload.objects.filter(~Exists(AuditEvent.objects.filter(pk=OuterRef("pk")))).count()
        if orphan:
            self._fail("removed", _("有 %(count)s 份附文的事件不见了") % {"count": orphan})

    def _fail(self, kind: str, detail: str) -> NoReturn:
        raise _Found(Fault(kind, self.proved.size, None if self.mark is None else self.mark.size, detail))


def _trusted(verifiers: Sequence[Verifier] | None) -> tuple[list[Verifier], tuple[str, ...]]:
    warnings = [
        _("数据库触发器缺失:%(name)s;请运行 manage.py ledger guard 重新安装。") % {"name": name}
        for name in triggers.missing(connection)
    ]
    if verifiers is not None:
        return list(verifiers), tuple(warnings)
    warnings.append(_("使用的是本机公钥:不能发现掌握本机私钥者的改写。请用 --key 指定事先保存的公钥,或用 --pin 指定留存的根。"))
    try:
        return keys.verifiers(), tuple(warnings)
    except KeyMissing as missing:
        return [], (*warnings, str(missing))


def _leaves(size: int) -> Iterator[Sequence[Any]]:
    """(index, leaf_hash, *_COLUMNS) in order; a leaf whose event is gone does not appear."""
    columns = [f"event__{column}" for column in _COLUMNS]
    rows = AuditLeaf.objects.order_by("index").values_list("index", "leaf_hash", *columns)[:size]
    return _readable(rows.iterator(chunk_size=CHUNK))


def _readable(rows: Iterator[T]) -> Iterator[T]:
    """The rows; one that Django cannot convert (SQLite stores any type in any column) raises _Unreadable."""
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except (ValueError, TypeError, OverflowError) as wrong:
            raise _Unreadable(str(wrong)) from wrong
        yield row


def _event(row: Sequence[Any]) -> _Event:
    leaf, uid, subject, scope, event, at, salt, body = row
    shown = rfc3339(at) if isinstance(at, datetime) else str(at)
    kept = None if body is None else stored_bytes(body)
    return _Event(stored_bytes(leaf), str(uid), subject, scope, event, shown, stored_bytes(salt), kept)


def _marks(pins: Mapping[int, bytes], newest: int) -> Iterator[Mark]:
    """Checkpoints and pins by size, merged without holding the checkpoints in memory."""
    waiting = sorted(pins.items(), reverse=True)
    for row in _readable(Checkpoint.objects.filter(size__lte=newest).order_by("size").iterator(chunk_size=CHUNK)):
        while waiting and waiting[-1][0] <= row.size:
            yield Mark(*waiting.pop())
        yield Mark(row.size, stored_bytes(row.root), row)
    while waiting:
        yield Mark(*waiting.pop())


def _wrong_checkpoint(row: Checkpoint, trusted: Sequence[Verifier]) -> str:
    """Why a checkpoint does not hold in itself; empty when it does."""
    try:
        head = TreeHead.parse(open_note(str(row.note), trusted))
        frontier = merkle.Frontier.from_bytes(row.size, stored_bytes(row.frontier))
    except (BadNote, merkle.BadProof) as wrong:
        return _("检查点 %(size)s 不可信:%(why)s") % {"size": row.size, "why": wrong}
    if (head.size, head.root, frontier.root()) != (row.size, stored_bytes(row.root), head.root) or head.origin != keys.origin():
        return _("检查点 %(size)s 的列与其签名原文不符") % {"size": row.size}
    return ""


def _parsed(raw: bytes) -> Mapping[str, object]:
    """The leaf as JSON; bytes that are no JSON object give an empty copy, which then contradicts every column."""
    try:
        leaf = json.loads(raw)
    except (ValueError, RecursionError):
        leaf = None
    return {"commit": None, **leaf} if isinstance(leaf, dict) else {"commit": None}


def _wrong_copies(leaf: Mapping[str, object], event: _Event) -> list[str]:
    shown = {"id": event.uid, "subject": event.subject, "scope": event.scope, "event": event.event, "at": event.at}
    return [column for column, value in shown.items() if leaf.get(column) != value]
