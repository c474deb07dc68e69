"""我也需要: counted once per browser session, advisory, and without a trace of who (domain §10, pitfall 18)."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from grants import clock
from grants.calls.needs.models import Need, NeedBacking
from grants.workflow.refusals import NotNow


def key_of(session_key: str) -> str:
    """A keyed hash: it tells two backings of one session apart from two of two, and nothing about who sat there."""
    return hmac.new(settings.SECRET_KEY.encode(), f"need|{session_key}".encode(), hashlib.sha256).hexdigest()


def back(need: Need, session_key: str) -> bool:
    """Count one more who needs it; False when this session already did. Raises NotNow unless the need is public and open."""
    if need.state != "published":
        raise NotNow(_("这条需求已经办结，不再接受附议。"), rule="need_is_published")
    try:
        with transaction.atomic():
            NeedBacking.objects.create(need=need, key=key_of(session_key), at=clock.now())
            Need.objects.filter(pk=need.pk).update(backed=F("backed") + 1)
    except IntegrityError:
        return False
    return True


def hand_over(need: Need, into: Need) -> int:
    """Move the backings to another need, one per session; returns how many were new there."""
    already = NeedBacking.objects.filter(need=into).values("key")
    moved = NeedBacking.objects.filter(need=need).exclude(key__in=list(already.values_list("key", flat=True))).update(need=into)
    Need.objects.filter(pk=into.pk).update(backed=F("backed") + moved)
    need.backed = 0
    return moved
