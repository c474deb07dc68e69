"""运行状况: whether the machinery keeps up. Ages and counts only, never what a letter says or a file holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Min, Q
from django.utils.translation import gettext as _

from grants.ledger.models import AuditEvent, AuditLeaf, Checkpoint, Stamp, Sweep
from grants.notifications.models import Delivery
from grants.people import security
from grants.people.account_acts import require_site
from grants.people.journal import enter
from grants.people.models import Site
from grants.workflow import effects
from grants.workflow.models import Outbox
from grants.workflow.refusals import NotNow

LATE_EFFECT, LATE_LETTER, LATE_CHECKPOINT, LATE_SWEEP = timedelta(minutes=10), timedelta(hours=1), timedelta(minutes=15), timedelta(hours=50)
LEAST_FREE = 10  # per cent of the disk


@dataclass(frozen=True)
class Sign:
    """One thing looked at: its name, what was found, whether that is well, and what to do when it is not."""

    name: str
    found: str
    well: bool
    advice: str = ""


def signs() -> list[Sign]:
    """Everything, in five queries; two more where an authority stamps the log."""
    now = effects.real_now()
    return [*_effects(now), *_letters(now), *_ledger(now), _storage()]


def _effects(now: datetime) -> Iterator[Sign]:
    waiting = Q(done_at=None, failed_at=None)
    found = Outbox.objects.aggregate(
        waiting=Count("pk", filter=waiting), oldest=Min("due_at", filter=waiting), failed=Count("pk", filter=Q(failed_at__isnull=False))
    )
    late = found["oldest"] is not None and now - found["oldest"] > LATE_EFFECT
    said = _("%(n)d 项等待，最早的已等 %(age)s") % {"n": found["waiting"], "age": age(found["oldest"], now)}
    advice = _("请确认 manage.py worker 正在运行；它停了，截止、通知和文书都会停。")
    yield Sign(_("待办事项（后台）"), said if found["waiting"] else _("没有积压"), not late, advice)
    advice = _("请在下面查看原因，排除后重做。")
    yield Sign(_("失败的事项"), _("%(n)d 项") % {"n": found["failed"]}, not found["failed"], advice)


def _letters(now: datetime) -> Iterator[Sign]:
    waiting = Q(status=Delivery.State.WAITING)
    found = Delivery.objects.aggregate(
        waiting=Count("pk", filter=waiting), oldest=Min("message__created_at", filter=waiting),
        failed=Count("pk", filter=Q(status=Delivery.State.FAILED)),
    )  # fmt: skip
    late = found["oldest"] is not None and now - found["oldest"] > LATE_LETTER
    said = _("%(n)d 封等待，最早的已等 %(age)s") % {"n": found["waiting"], "age": age(found["oldest"], now)}
    advice = _("请检查邮件服务器（EMAIL_HOST）是否可达、账号是否有效。")
    yield Sign(_("待发信件"), said if found["waiting"] else _("没有积压"), not late, advice)
    yield Sign(_("发送失败的信件"), _("%(n)d 封") % {"n": found["failed"]}, not found["failed"], advice)


def _ledger(now: datetime) -> Iterator[Sign]:
    events, placed = AuditEvent.objects.count(), AuditLeaf.objects.count()
    last = Checkpoint.objects.order_by("-size").first()
    behind = placed - (last.size if last else 0)
    well = events == placed and (behind == 0 or (last is not None and now - last.at < LATE_CHECKPOINT))
    said = _("%(all)d 条，其中 %(open)d 条尚未排定") % {"all": events, "open": events - placed}
    signed = _("最近一次签名在 %(when)s前，其后 %(behind)d 条") % {"when": age(last.at, now), "behind": behind} if last else _("还没有签名")
    said = f"{said}；{signed}"
    yield Sign(_("台账"), said, well, _("请确认 manage.py worker 正在运行，再运行 manage.py ledger verify。"))
    yield _swept(now)
    if settings.LEDGER_TSA_URL:
        yield _stamped(now)


def _swept(now: datetime) -> Sign:
    """The last nightly check of the whole log; none yet is well, one of two nights ago is not."""
    last = Sweep.objects.first()
    if last is None:
        return Sign(_("台账夜间巡检"), _("还没有做过（每天夜里一次）"), well=True)
    said = _("%(when)s前核对 %(n)d 条，用时 %(seconds)d 秒") % {"when": age(last.at, now), "n": last.leaves, "seconds": last.seconds}
    advice = _("请立即运行 manage.py ledger verify，并通知安全管理员。")
    return Sign(_("台账夜间巡检"), f"{said}；{last.detail}" if last.detail else said, last.ok and now - last.at < LATE_SWEEP, advice)


def _stamped(now: datetime) -> Sign:
    """Time stamps of the outside authority on the last checkpoint of each day: what is missing is asked for again for seven days, and why is told."""
    found = Stamp.objects.aggregate(last=Max("stamped_at"), open=Count("pk", filter=Q(token=None)))
    said = _("最近一枚在 %(when)s前") % {"when": age(found["last"], now)} if found["last"] else _("还没有")
    if not found["open"]:
        return Sign(_("台账时间戳"), said, well=True)
    late = Stamp.objects.filter(token=None).order_by("-tried_at")[0]
    said = _("%(said)s；%(n)d 天的没有取得，已试 %(tries)d 次：%(why)s") % {"said": said, "n": found["open"], "tries": late.attempts, "why": late.error}
    advice = _("请检查 LEDGER_TSA_URL 是否可达、时间戳机构是否正常；恢复后半小时内自动再取，七天以内补齐。")
    return Sign(_("台账时间戳"), said, well=False, advice=advice)


def _storage() -> Sign:
    disk = shutil.disk_usage(settings.GONGCHUANG_HOME)
    free = disk.free * 100 // disk.total
    said = _("可用 %(free)s GB，占 %(share)d%%") % {"free": f"{disk.free / 1024**3:.1f}", "share": free}
    return Sign(_("存储空间"), said, free >= LEAST_FREE, _("请清理或扩容：空间用尽时，附件和台账都写不进去。"))


def age(since: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    minutes = max(0, int((now - since).total_seconds() // 60)) if since else 0
    if minutes < 120:
        return _("%(n)d 分钟") % {"n": minutes}
    if minutes < 2 * 1440:
        return _("%(n)d 小时") % {"n": minutes // 60}
    return _("%(n)d 天") % {"n": minutes // 1440}


def failed() -> Any:
    """Effects that were given up after all attempts, the latest first."""
    return Outbox.objects.filter(done_at=None, failed_at__isnull=False).order_by("-failed_at", "-pk")


def retry(outbox_id: int, *, by: Any) -> None:
    """重做: the effect is due again, with all its attempts. Recorded. Raises NotYou; NotNow when it has not failed (any more)."""
    role = require_site("watch_system", by)
    with transaction.atomic():
        row = Outbox.objects.select_for_update().filter(pk=outbox_id).first()
        if row is None or not effects.again(row.pk):
            raise NotNow(_("这一项没有失败，或已经有人重做。请刷新页面。"), rule="has_failed")
        enter("site.retry", Site.there(), by=by, role=role, public={"task": row.task, "subject": row.subject})
        security.note(security.Kind.RETRIED, by=by, detail=row.task)
