"""每日汇总: one mail a day with everything that somebody wished to hear of once a day."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from grants import clock
from grants.notifications.channels import mail_text
from grants.notifications.models import Delivery

HOUR = 8  # o'clock in Beijing
MOST = 200  # letters in one digest; what is more waits for the next day


def due(now: datetime | None = None) -> bool:
    """Whether today's digest may leave: from eight in the morning on."""
    return (now or clock.now()).astimezone(clock.TZ).hour >= HOUR


def send() -> int:
    """Send everybody's digest of what was written before this morning; returns how many mails left. Safe to repeat and to kill.

    At least once: the rows are marked in the transaction in which the mail is handed over, so a failing server leaves them for the next turn.
    """
    if not due():
        return 0
    today = datetime.combine(clock.today(), time(HOUR), tzinfo=clock.TZ)
    waiting = Delivery.objects.filter(status=Delivery.State.DAILY, message__created_at__lt=today)
    people = sorted(set(waiting.values_list("message__to_id", flat=True)))
    return sum(_send_one(person, today) for person in people)


def _send_one(person: Any, before: datetime) -> int:
    with transaction.atomic():
        rows = list(
            Delivery.objects.select_for_update(of=("self",)).select_related("message__to").filter(
                status=Delivery.State.DAILY, message__to_id=person, message__created_at__lt=before
            ).order_by("message__created_at", "pk")[:MOST]
        )  # fmt: skip
        if not rows:
            return 0
        letters = [row.message for row in rows]
        with override("zh-hans"):
            text = render_to_string("mail/digest.txt", {"to": letters[0].to, "days": _by_day(letters), "site": settings.SITE_URL})
            subject = _("今天有 %(n)d 件事与您有关") % {"n": len(letters)}
        mail_text(letters[0].to, subject, text, key=f"digest-{person}-{clock.today():%Y%m%d}")
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(status=Delivery.State.SENT, sent_at=clock.now())
    return 1


def _by_day(letters: list[Any]) -> list[tuple[Any, list[Any]]]:
    return [(day, list(rows)) for day, rows in groupby(letters, key=lambda letter: letter.created_at.astimezone(clock.TZ).date())]


def tomorrow() -> datetime:
    """When the next digest leaves, for the page that offers the choice."""
    now = clock.now().astimezone(clock.TZ)
    today = now.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return today if now < today else today + timedelta(days=1)
