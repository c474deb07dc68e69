"""Who else is writing in the same paper at the moment: a sign of life every quarter of a minute, forgotten after half a minute."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from bidding.models import Presence
from grants import clock
from grants.people.models import User

GONE_AFTER = timedelta(seconds=35)
NOTED_EVERY = timedelta(seconds=10)


def note(subject: str, place: str, *, by: User) -> None:
    """`by` is writing at `place` of `subject` now. Written at most every ten seconds, so that typing costs the database nothing."""
    now = clock.now()
    fresh = Presence.objects.filter(subject=subject, user=by, place=place, seen_at__gt=now - NOTED_EVERY, seen_at__lte=now)
    if not fresh.exists():
        Presence.objects.update_or_create(subject=subject, user=by, defaults={"place": place[:120], "seen_at": now})


def others(subject: str, *, than: User) -> list[str]:
    """Sentences about everybody else who is writing there now, by name."""
    rows = Presence.objects.filter(subject=subject, seen_at__gt=clock.now() - GONE_AFTER).exclude(user=than)
    return [
        _("%(who)s 正在填写“%(place)s”") % {"who": row.user, "place": row.place}
        for row in rows.select_related("user").order_by("user__name", "pk")
    ]
