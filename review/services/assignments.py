"""分派 of a large panel: read, solved outside any transaction by a worker, and carried out only if the panel still stands as it was read.

The answer is that of `assign` to the byte: the same question, the same solver, the same proof. A small panel is assigned at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.people.models import User
from grants.sentences import marked
from grants.workflow.door import require
from grants.workflow.jobs import Done, Finish, Target, job_kind, start, tell
from grants.workflow.models import BulkJob, JobItem
from grants.workflow.refusals import NotNow
from review.assign.limited import Limits
from review.assigning import Question, question, solved
from review.models import Panel
from review.panels import bids_of
from review.rules import organiser
from review.services.panel import assigned, locked, tried

KIND = "review.assign"
AT_ONCE = 2_000
"""Pairs of a bid and a member up to which nobody need wait elsewhere: below a second or two."""

OPEN = ("forming", "scoring")

CHANGED = marked(
    "计算期间评审组有了变动（申报、成员、回避或已有的分派），算出的结果已不适用，没有分派任何一份。"
    "请按“续办没有办成的”，按现在的情况重新计算。"
)


def takes_long(panel: Panel) -> bool:
    """Whether a person would wait for it."""
    return len(bids_of(panel)) * panel.members.filter(excused=False).count() > AT_ONCE


def assign_soon(panel: Panel, *, by: Any, max_load: int | None = None, trial: bool = False) -> BulkJob:
    """Start the job. trial: solve and keep, assign nothing. Raises NotYou, NotNow (the panel is locked, one is computed already)."""
    require(organiser, panel, by=by)
    _refuse_locked(panel)
    title = _("试算分派 %(panel)s") if trial else _("分派 %(panel)s")
    targets = [Target(panel.subject, panel.pk, panel.name)]
    return start(KIND, panel, targets, by=by, title=title % {"panel": panel}, asked={"max_load": max_load, "trial": trial})


def last_job(panel: Panel) -> BulkJob | None:
    """The newest computation of this panel, running or ended."""
    return BulkJob.objects.filter(kind=KIND, scope_id=panel.pk).first()


def _panel(pk: UUID) -> Panel:
    return Panel.objects.select_related("call__agency", "call__rules_version").get(pk=pk)


def _lease() -> timedelta:
    """As long as anybody waits for the solver, and then the reading and the writing."""
    return timedelta(seconds=Limits.usual().seconds, minutes=10)


@job_kind(KIND, gettext_lazy("分派评审专家"), by=organiser, scope_of=_panel, slow=True, page="review:panel", lease=_lease())
def compute(item: JobItem) -> Finish:
    """分派评审专家：先算好，再一次写入"""
    panel, most = _panel(item.object_id), item.job.asked["max_load"]
    require(organiser, panel, by=_asker(item))
    _refuse_locked(panel)
    tell(item, _("正在读取申报、专家和回避情况。"))
    asked = question(panel, max_load=most)
    tell(item, _("%(bids)d 份申报、%(experts)d 位专家，正在求解并核对证明。") % {"bids": len(asked.bids), "experts": len(asked.problem.experts)})
    answer = solved(asked.problem)
    tell(item, _("已经算好，正在核对评审组有没有变动并写入。"))
    return lambda: _write(item, asked, answer)


def _write(item: JobItem, asked: Question, answer: Any) -> Done:
    """In the transaction that ends the job: lock, read once more, and refuse an answer to a question that is no longer asked."""
    by, held = _asker(item), locked(_panel(item.object_id))
    require(organiser, held, by=by)
    _refuse_locked(held)
    now = question(held, max_load=item.job.asked["max_load"])
    if now.problem != asked.problem:
        raise NotNow(_(CHANGED), rule="panel_unchanged")
    wanted = now.planned(answer)
    if item.job.asked["trial"]:
        tried(held, wanted, by)
        return Done(_("试算完毕并留痕，没有分派。"))
    return Done(_("新分配 %(n)d 份评审。") % {"n": len(assigned(held, wanted, by))})


def _refuse_locked(panel: Panel) -> None:
    if panel.state not in OPEN:
        raise NotNow(_("评分已经锁定，不能再分派。需要补评的，请先按规定作废相应评分。"), rule="panel_is_not_locked")


def _asker(item: JobItem) -> User:
    """Who asked; what they may do is asked anew before and after the computation."""
    return User.objects.get(pseudonym=item.job.requested_by)
