"""Jobs: the same thing done to many objects, with progress, one by one, each in its own transaction; nothing hidden, nothing twice.

A stage declares a kind: who may ask for it, on which scope, and the work on one item. `start` writes the job, its items and one outbox
effect per item in one transaction. Every item ends done or refused, with a sentence. A killed worker's item is done again by the next
(the mark and the work are one transaction); `resume` promises what is open or refused once more; `cancel` leaves alone what has not begun.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.documents.inspection import FileRefused
from grants.documents.models import StoredFile
from grants.workflow import effects
from grants.workflow.door import require
from grants.workflow.models import BulkJob, JobFile, JobItem
from grants.workflow.refusals import Invalid, NotNow, Refusal, Sentence
from grants.workflow.rules import Rule

log = logging.getLogger(__name__)

LONGEST = 4000
"""Characters of an outcome that are kept."""


@dataclass(frozen=True)
class Target:
    """One object of a job to be: what the ledger calls it, its id, and how people know it."""

    subject: str
    object_id: UUID
    label: str


@dataclass(frozen=True)
class Done:
    """What the work on one item came to: a sentence, and the files it made by their path in the package."""

    outcome: str
    files: Sequence[tuple[str, StoredFile]] = field(default_factory=tuple)


Finish = Callable[[], Done]
ItemWork = Callable[[JobItem], "Done | Finish"]


@dataclass(frozen=True)
class Kind:
    """A registered kind of job. by: who may ask for it, see it, stop it and take its files, asked on what `scope_of` finds.

    slow: the work runs outside the transaction and returns a function that writes its result (PDF rendering). finished: what is done,
    in the transaction of the last item, when every item is done. taken_at: name of the address where the result is taken, if it is one
    thing and not a bundle of files. page: name of the address, by id, of what the job is about.
    """

    name: str
    label: Sentence
    by: Rule
    scope_of: Callable[[UUID], Any]
    work: ItemWork
    slow: bool
    finished: Callable[[BulkJob], None] | None = None
    taken_at: str = ""
    page: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a job is, counted from its items."""

    total: int
    done: int
    failed: int

    @property
    def open(self) -> int:
        return self.total - self.done - self.failed

    @property
    def percent(self) -> int:
        """Whole per cent that have ended; 100 only when all have."""
        return (self.done + self.failed) * 100 // self.total if self.total else 100


_kinds: dict[str, Kind] = {}


def job_kind(
    name: str, label: Sentence, *, by: Rule, scope_of: Callable[[UUID], Any], slow: bool = False,
    finished: Callable[[BulkJob], None] | None = None, taken_at: str = "", page: str = "", lease: timedelta | None = None,
) -> Callable[[ItemWork], ItemWork]:  # fmt: skip
    """Decorator: register the work on one item under a dotted name, which is also its effect's. The work raises Refusal to refuse,
    and so may the function that writes a slow work's result. lease: as of `effects.Effect`."""

    def register(work: ItemWork) -> ItemWork:
        kind = Kind(name, label, by, scope_of, work, slow, finished, taken_at, page)
        _kinds[name] = kind

        def carry(effect: effects.Job) -> effects.Apply | None:
            return _prepared(kind, effect.object_id) if slow else _carried(kind, effect.object_id)

        carry.__doc__ = str(work.__doc__ or name)
        effects.effect(name, slow=slow, lease=lease)(carry)
        return work

    return register


def kind_of(job: BulkJob) -> Kind:
    """Raises KeyError for a kind that this version no longer has."""
    return _kinds[job.kind]


def start(
    kind_name: str, scope: Any, targets: Sequence[Target], *, by: Any, title: str, note: str = "", asked: dict[str, Any] | None = None
) -> BulkJob:
    """Ask for a job over `targets`, in their order. Raises NotYou, Invalid (nothing chosen), NotNow (one of this kind still runs here)."""
    kind = _kinds[kind_name]
    role = require(kind.by, scope, by=by).role
    if not targets:
        raise Invalid(_("没有选中任何一项，请先勾选再办理。"), rule="something_chosen")
    with transaction.atomic():
        list(type(scope)._base_manager.select_for_update(of=("self",)).filter(pk=scope.pk).values_list("pk"))
        _refuse_second(kind, scope)
        job = BulkJob.objects.create(
            kind=kind.name, title=title[:200], scope=_filed(scope), scope_id=scope.pk, requested_by=by.pseudonym,
            requested_at=clock.now(), note=note.strip(), asked=asked or {},
        )  # fmt: skip
        items = [JobItem(job=job, position=n, subject=t.subject, object_id=t.object_id, label=t.label[:200]) for n, t in enumerate(targets, 1)]
        JobItem.objects.bulk_create(items)
        _promise(job, items, _remember(job, "start", by, role, {"kind": kind.name, "items": len(items), **job.asked}))
    return job


def _filed(scope: Any) -> str:
    """The call an entry belongs to, as of every step; what stands above calls by itself."""
    return f"call:{scope.call_id}" if hasattr(scope, "call_id") else str(scope.subject)


def _refuse_second(kind: Kind, scope: Any) -> None:
    running = BulkJob.objects.filter(kind=kind.name, scope_id=scope.pk, finished_at=None, cancelled_at=None).first()
    if running is not None:
        raise NotNow(_("“%(job)s”还在办理，请等它办完，或先停止它。") % {"job": running}, rule="one_job_at_a_time")


def cancel(job: BulkJob, *, by: Any) -> BulkJob:
    """Stop: what is done stays done, what has not begun is left. Raises NotYou, NotNow."""
    with transaction.atomic():
        held, role = _held(job, by)
        if held.finished_at or held.cancelled_at:
            raise NotNow(_("这批办理已经结束，不需要停止。"), rule="job_running")
        held.cancelled_at = clock.now()
        held.save(update_fields=["cancelled_at"])
        _remember(held, "cancel", by, role, _counts(progress(held)))
    return held


def resume(job: BulkJob, *, by: Any) -> BulkJob:
    """Go on with what is open, and try again what was refused. What is done is never done again. Raises NotYou, NotNow."""
    with transaction.atomic():
        held, role = _held(job, by)
        items = list(held.items.filter(done_at=None))
        if not items:
            raise NotNow(_("这批办理已经全部办成，没有要续办的。"), rule="something_left")
        held.items.filter(done_at=None).update(failed_at=None, outcome="")
        held.cancelled_at = held.finished_at = None
        held.save(update_fields=["cancelled_at", "finished_at"])
        _promise(held, items, _remember(held, "resume", by, role, {"items": len(items)}))
    return held


def progress(job: BulkJob) -> Progress:
    """One query, whatever the number of items."""
    found = job.items.aggregate(total=Count("pk"), done=Count("pk", filter=~Q(done_at=None)), failed=Count("pk", filter=~Q(failed_at=None)))
    return Progress(**found)


def tell(item: JobItem, where: str) -> None:
    """Say where a long work stands, for whoever looks at its page meanwhile; outside a transaction, or nobody sees it."""
    JobItem.objects.filter(pk=item.pk, done_at=None, failed_at=None).update(outcome=where[:LONGEST])


def _held(job: BulkJob, by: Any) -> tuple[BulkJob, str]:
    kind = kind_of(job)
    held = BulkJob.objects.select_for_update().get(pk=job.pk)
    return held, require(kind.by, kind.scope_of(job.scope_id), by=by).role


def _promise(job: BulkJob, items: Sequence[JobItem], event_id: int) -> None:
    effects.schedule_each(job.kind, [_Addressed(item.pk, item.subject) for item in items], event_id)


@dataclass(frozen=True)
class _Addressed:
    """An item as the outbox sees it: found by the item's id, filed under the object it is about."""

    pk: UUID
    subject: str


def _remember(job: BulkJob, verb: str, by: Any, role: str, public: dict[str, Any]) -> int:
    event = ledger.record(
        event=f"job.{verb}", actor=str(getattr(by, "pseudonym", by)), role=role, subject=job.subject, scope=job.scope, verb=verb, public=public,
        private={"note": job.note} if job.note and verb == "start" else None,
    )  # fmt: skip
    return int(event.pk)


def _counts(found: Progress) -> dict[str, Any]:
    return {"total": found.total, "done": found.done, "failed": found.failed}


# --- one item ---------------------------------------------------------------------------------------------------------------


def _carried(kind: Kind, item_id: UUID) -> effects.Apply | None:
    """Inside the effect's transaction: lock, work, mark."""
    item = _locked(item_id)
    if item is not None:
        _mark(item, *_worked(kind, item))
    return None


def _prepared(kind: Kind, item_id: UUID) -> effects.Apply | None:
    """Outside: work; inside: mark, unless somebody was faster or the job was stopped meanwhile."""
    item = JobItem.objects.select_related("job").get(pk=item_id)
    if not _wanted(item):
        return None
    result, refusal = _worked(kind, item)

    def apply() -> None:
        held = _locked(item_id)
        if held is not None:
            _mark(held, result, refusal)

    return apply


def _locked(item_id: UUID) -> JobItem | None:
    """The item under its job's lock, so that of two workers the second finds it done; None when there is nothing left to do."""
    item = JobItem.objects.get(pk=item_id)
    item.job = BulkJob.objects.select_for_update().get(pk=item.job_id)
    item.refresh_from_db(fields=["done_at", "failed_at"])
    return item if _wanted(item) else None


def _wanted(item: JobItem) -> bool:
    return item.done_at is None and item.failed_at is None and item.job.cancelled_at is None


def _worked(kind: Kind, item: JobItem) -> tuple[Done | Finish | None, str]:
    """(result, "") or (None, why not). A fault of ours is told as one, and logged; the person may try again."""
    try:
        if kind.slow:  # not in one transaction: rendering would hold every other writer off
            return kind.work(item), ""
        with transaction.atomic():
            return kind.work(item), ""
    except (Refusal, FileRefused) as refusal:
        return None, _sentence(refusal)
    except Exception as wrong:
        log.exception("job item %s of %s failed", item.pk, kind.name)
        return None, _("系统处理时出错（%(what)s），没有办成，可以续办再试；仍不成请联系系统管理员。") % {"what": type(wrong).__name__}


def _sentence(refusal: Exception) -> str:
    return str(getattr(refusal, "sentence", refusal))


def _written(result: Done | Finish | None, refusal: str) -> tuple[Done | None, str]:
    """The result of a slow work, written; (None, why not) when it may not be written any more."""
    if result is None or isinstance(result, Done):
        return result, refusal
    try:
        with transaction.atomic():
            return result(), ""
    except (Refusal, FileRefused) as late:
        return None, _sentence(late)


def _mark(item: JobItem, result: Done | Finish | None, refusal: str) -> None:
    made, why_not = _written(result, refusal)
    if made is None:
        item.outcome, item.failed_at = why_not[:LONGEST], clock.now()
    else:
        item.outcome, item.done_at = made.outcome[:LONGEST], clock.now()
        item.files.all().delete()
        JobFile.objects.bulk_create(JobFile(item=item, path=path, file=file) for path, file in made.files)
    item.save(update_fields=["outcome", "done_at", "failed_at"])
    _finish(item.job)


def _finish(job: BulkJob) -> None:
    """The last item ends the job, under the job's lock."""
    if job.items.filter(done_at=None, failed_at=None).exists():
        return
    job.finished_at = clock.now()
    job.save(update_fields=["finished_at"])
    finished = kind_of(job).finished
    if finished is not None and not job.items.filter(done_at=None).exists():
        finished(job)
    _remember(job, "finish", "system", "system", _counts(progress(job)))
