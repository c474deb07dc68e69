"""Effects: what follows a step, done once each, after commit, whatever is killed in between.

`then=["bidding.acknowledge"]` names an effect; the name is also the Celery task's name. `schedule()` writes outbox rows in the
step's transaction. `deliver()` takes one row: *prepare* runs outside any transaction (rendering, calling out), *apply* runs in
the same transaction as the mark "done". A kill before the mark repeats the effect from the start; after it, never.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from grants.workflow.models import Outbox

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
MAX_ATTEMPTS = 12
Apply = Callable[[], Any]


@dataclass(frozen=True)
class Job:
    """What an effect is given: the object's id, the ledger event that promised it, a key for the outside world."""

    object_id: UUID
    event_id: int
    key: str


Work = Callable[[Job], "Apply | None"]


@dataclass(frozen=True)
class Effect:
    """A registered effect. slow: `work` runs outside the transaction and returns the closure that writes its result.

    lease: how long one attempt is left alone before another worker may start it over, where the usual five minutes are too short.
    """

    name: str
    work: Work
    slow: bool
    says: str
    lease: timedelta | None = None


_effects: dict[str, Effect] = {}
_reactions: dict[tuple[str, str], list[str]] = {}


def effect(name: str, *, slow: bool = False, lease: timedelta | None = None) -> Callable[[Work], Work]:
    """Register an effect under a dotted name, e.g. "bidding.acknowledge".

    Without `slow` the function runs inside the transaction that marks it done (database work: exactly once). With `slow` it runs
    before, and returns a function that is run inside that transaction (PDF rendering, mail: at least once, with `job.key`).
    """

    def register(work: Work) -> Work:
        _effects[name] = Effect(name, work, slow, (work.__doc__ or name).strip().splitlines()[0], lease)
        shared_task(name=name, acks_late=True, reject_on_worker_lost=True, ignore_result=True)(deliver)
        return work

    return register


def react(kind: str, verb: str, name: str) -> None:
    """A downstream stage reacts to an upstream step: its effect is promised in the very transaction of that step."""
    held = _reactions.setdefault((kind, verb), [])
    if name not in held:
        held.append(name)


def reactions(kind: str, verb: str) -> tuple[str, ...]:
    return tuple(_reactions.get((kind, verb), ()))


def registered() -> dict[str, Effect]:
    return dict(_effects)


def schedule(names: Iterable[str], obj: Any, event_id: int) -> None:
    """Promise effects inside the business transaction; wake a worker after commit. One INSERT whatever their number."""
    due = real_now()
    rows = [
        Outbox(task=name, subject=obj.subject, object_id=obj.pk, event_id=event_id, key=f"{name}/{event_id}", due_at=due)
        for name in names
    ]
    if not rows:
        return
    Outbox.objects.bulk_create(rows)
    transaction.on_commit(lambda: wake(rows))


def schedule_each(name: str, objects: Iterable[Any], event_id: int) -> None:
    """Promise one effect for each of many objects of one event, each under a key of its own. Two statements whatever their number."""
    due = real_now()
    rows = [
        Outbox(task=name, subject=o.subject, object_id=o.pk, event_id=event_id, key=f"{name}/{event_id}/{o.pk}", due_at=due)
        for o in objects
    ]
    Outbox.objects.bulk_create(rows)
    transaction.on_commit(lambda: wake(rows))


def wake(rows: Iterable[Outbox]) -> None:
    """Tell the broker, if there is one. A broker that is away costs delay, never an effect: the sweeper sends again."""
    if not settings.CELERY_BROKER_URL:
        return
    from celery import current_app  # noqa: PLC0415 - the app is configured after this module is imported

    for row in rows:
        try:
            current_app.tasks[row.task].apply_async(args=[row.pk], retry=False)
        except Exception as away:  # noqa: BLE001 - whatever the broker's fault, the outbox row stays
            log.warning("broker away, effect %s waits for the sweeper: %s", row, away)
            return


def open_rows() -> Any:
    """Rows due now that nobody holds."""
    now = real_now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return Outbox.objects.filter(free, done_at=None, failed_at=None, due_at__lte=now).order_by("pk")


def again(outbox_id: int) -> bool:
    """Give up no longer on an effect that failed for good: due now, with all its attempts before it. False when it had not failed."""
    given_up = Outbox.objects.filter(pk=outbox_id, done_at=None, failed_at__isnull=False)
    return bool(given_up.update(failed_at=None, lease_until=None, attempts=0, due_at=real_now()))


def sweep() -> int:
    """Re-send overdue effects to the broker; returns how many."""
    rows = list(open_rows()[:500])
    wake(rows)
    return len(rows)


def drain(limit: int = 1000) -> int:
    """Do every effect that is due, in this process, including those that effects promise; returns how many were done."""
    done = 0
    while done < limit:
        row = open_rows().first()
        if row is None:
            break
        done += deliver(row.pk)
    return done


def deliver(outbox_id: int) -> int:
    """Do one effect if it is still to be done; 1 if this call did it, 0 otherwise. Safe to call any number of times."""
    row = _claim(outbox_id)
    if row is None:
        return 0
    try:
        _carry_out(row)
    except Exception as wrong:  # noqa: BLE001 - an effect may fail in any way; the row remembers and is tried again
        _failed(row, wrong)
        return 0
    return 1


def _claim(outbox_id: int) -> Outbox | None:
    taken = open_rows().filter(pk=outbox_id).update(lease_until=real_now() + LEASE, attempts=F("attempts") + 1)
    if not taken:
        return None
    row = Outbox.objects.get(pk=outbox_id)
    longer = _effects[row.task].lease if row.task in _effects else None
    if longer is not None:
        Outbox.objects.filter(pk=row.pk, attempts=row.attempts).update(lease_until=real_now() + longer)
    return row


def _carry_out(row: Outbox) -> None:
    found = _effects[row.task]
    job = Job(row.object_id, row.event_id, row.key)
    apply = found.work(job) if found.slow else None
    with transaction.atomic():
        held = Outbox.objects.select_for_update().filter(pk=row.pk, attempts=row.attempts, done_at=None).first()
        if held is None:  # the lease ran out and another worker finished it: our result is dropped
            return
        if not found.slow:
            apply = found.work(job)
        if apply is not None:
            apply()
        Outbox.objects.filter(pk=row.pk).update(done_at=real_now(), lease_until=None, error="")


def _failed(row: Outbox, wrong: Exception) -> None:
    log.error("effect %s failed (attempt %s)", row, row.attempts, exc_info=wrong)
    now = real_now()
    Outbox.objects.filter(pk=row.pk, done_at=None).update(
        lease_until=None,
        error=f"{type(wrong).__name__}: {wrong}"[:2000],
        due_at=now + timedelta(seconds=min(2**row.attempts, 3600)),
        failed_at=now if row.attempts >= MAX_ATTEMPTS else None,
    )


def real_now() -> datetime:
    """Wall-clock UTC: leases and retries must not follow a clock that was set for a rehearsal."""
    return datetime.now(UTC)
