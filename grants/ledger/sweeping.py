"""夜间巡检: the whole log is recomputed once a night, and events that have waited too long for their place are counted.

At night, because it reads everything; the result stands on the operations page until the next. It takes the key of this machine: it
finds accidents and clumsy hands. Insiders are for the auditor's own check, with keys and roots kept elsewhere.
What waited without a place is counted before it gets one: that a transaction stayed open so long is worth a look in the morning.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.utils.translation import gettext as _

from grants import clock
from grants.ledger import sequencer
from grants.ledger.models import AuditEvent, Sweep
from grants.ledger.verification import verify

NIGHT = range(1, 5)  # hours of the day, Asia/Shanghai
APART = timedelta(hours=20)
OLD = timedelta(hours=1)


def nightly() -> Sweep | None:
    """Sweep if it is night and none was made this night, then place what the quicker looks had missed. For a chore that runs often."""
    now = clock.now()
    last = Sweep.objects.first()
    if now.astimezone(clock.TZ).hour not in NIGHT or (last is not None and now - last.at < APART):
        return None
    found = sweep()
    while sequencer.sequence(sweep=True):
        pass
    return found


def sweep() -> Sweep:
    """Verify everything now, and keep what was found."""
    began = time.monotonic()
    report = verify()
    stuck = AuditEvent.objects.filter(place=None, at__lt=clock.now() - OLD).count()
    told = [str(report.fault)] if report.fault else list(report.warnings)
    if stuck:
        told.append(_("%(count)s 条事件一小时以上没有排定位置") % {"count": stuck})
    return Sweep.objects.create(
        at=clock.now(), ok=report.ok and not stuck, leaves=report.leaves, unsequenced=stuck, seconds=time.monotonic() - began,
        detail="\n".join(told),
    )  # fmt: skip
