"""故障时钟: downtime is measured or recorded, the published rule says what it is worth, the approver confirms, everybody is told.

Measured: the clock's own chore writes a pulse every minute; when the last one is older than GAP, the site stood still in between. That sees a
server that was down, not a road to it that was blocked: an officer records such a case with its evidence.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock, ledger
from grants.calls.downtime import GAP, proposal
from grants.calls.models import Call, Downtime, Pulse
from grants.calls.services import extend
from grants.people.models import User
from grants.people.rules import may
from grants.workflow.door import require
from grants.workflow.effects import real_now
from grants.workflow.refusals import Invalid, NotNow

drafter = may("draft_calls")


def pulse() -> int:
    """One beat; writes the downtime since the last one when that was too long ago. Returns how many rows it wrote.

    Real time only: a clock that was set for a rehearsal jumps, and jumps are no outages.
    """
    now = real_now()
    with transaction.atomic():
        last = Pulse.objects.select_for_update().filter(pk=1).first()
        Pulse.objects.update_or_create(pk=1, defaults={"at": now})
        if last is None or now - last.at < GAP or abs(clock.now() - now) > GAP:
            return 0
        Downtime.objects.create(started_at=last.at, ended_at=now, recorded_at=now, note="", recorded_by=None)
    return 1


def record(call: Call, started_at: datetime, ended_at: datetime, note: str, *, by: User) -> Downtime:
    """Downtime that the machine could not see, with its evidence. It holds for every call, as all downtime does; ledgered on this one.

    Raises NotYou, Invalid (the end before the start, in the future, no evidence).
    """
    answer = require(drafter, call, by=by)
    problems = _faults(started_at, ended_at, note)
    if problems:
        raise Invalid(next(iter(problems.values()))[0], rule="downtime", problems=problems)
    with transaction.atomic():
        made = Downtime.objects.create(
            started_at=started_at, ended_at=ended_at, note=note.strip(), recorded_by=by, recorded_at=clock.now()
        )
        public = {"from": started_at.isoformat(), "to": ended_at.isoformat()}
        ledger.record(
            event="call.downtime", actor=str(by.pseudonym), role=answer.role, subject=call.subject, scope=call.subject, public=public
        )
    return made


def _faults(started_at: datetime, ended_at: datetime, note: str) -> dict[str, list[str]]:
    problems = {}
    if ended_at <= started_at:
        problems["ended_at"] = [_("恢复时间须晚于故障开始时间。")]
    elif ended_at > clock.now():
        problems["ended_at"] = [_("恢复时间不能晚于现在；请在恢复之后登记。")]
    if not note.strip():
        problems["note"] = [_("请写明依据，例如监控记录、运营商通知。")]
    return problems


def confirm(call: Call, *, by: User) -> Call:
    """Extend by what the rule owes, as the ordinary step 延长截止: same door, same letter to everybody. Raises NotYou, NotNow."""
    found = proposal(call)
    if found is None:
        raise NotNow(_("按公布的规则，没有需要顺延的时间。"), rule="downtime_owed")
    note = _("系统故障 %(n)d 分钟，按公布的规则顺延。") % {"n": found.minutes}
    return extend(call, found.closes_at, by=by, note=note)
