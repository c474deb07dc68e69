"""Letters: written once by key, shown in the inbox, and handed to every outside channel that the person can be reached on.

`send` only writes rows, inside the caller's transaction: a letter about something that was rolled back never existed. The outside
channels are served afterwards by `deliver`, from the same worker that carries out effects; a server that is away costs delay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from grants import clock
from grants.notifications import wishes, wordings
from grants.notifications.channels import channels_for, named
from grants.notifications.models import Delivery, Message, Wish

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
FIRST_PAUSE = timedelta(minutes=1)


class LetterWithoutSubject(ValueError):
    """A template in templates/mail/ whose first line is empty."""


def send(*, to: Any, template: str, context: Mapping[str, Any], key: str, link: str = "") -> Message:
    """Write one letter to `to` (a user). Sending again with the same key returns the first letter and writes nothing.

    template: name in templates/mail/ without ".txt"; its first line is the subject, the rest after a blank line the text.
    link: path on this site where the person goes on. key: e.g. an effect's `job.key`; for several readers use `send_all`.
    """
    _write({key: to}, template, context, link)
    return Message.objects.get(key=key)


def send_all(*, to: Iterable[Any], template: str, context: Mapping[str, Any], key: str, link: str = "") -> int:
    """The same letter to several people, each once, in a fixed number of queries; returns how many were new.

    A person named twice gets one letter; repeating the call, e.g. after a kill, writes only what is missing.
    """
    return _write({f"{key}/{user.pk}": user for user in to}, template, context, link)


def _write(readers: Mapping[str, Any], template: str, context: Mapping[str, Any], link: str) -> int:
    """Letters by key to reader. A key that exists is left alone; the unique column settles a race."""
    with transaction.atomic():
        there = set(Message.objects.filter(key__in=readers).values_list("key", flat=True))
        words = wordings.worded(template)
        letters = [_letter(key, to, template, context, link, words) for key, to in readers.items() if key not in there]
        Message.objects.bulk_create(letters, ignore_conflicts=True)
        mine = set(Message.objects.filter(pk__in=[each.pk for each in letters]).values_list("pk", flat=True))
        written = [each for each in letters if each.pk in mine]
        ways = wishes.ways_for([m.to for m in written], template)
        Delivery.objects.bulk_create([row for m in written for row in _deliveries(m, ways.get(m.to_id, Wish.Way.AT_ONCE))])
    return len(written)


def _deliveries(letter: Message, way: str) -> list[Delivery]:
    """What leaves the house for one letter: by every channel at once, in tomorrow's digest, or nothing."""
    if way == Wish.Way.INBOX:
        return []
    if way == Wish.Way.DAILY and letter.to.email:
        return [Delivery(message=letter, channel="mail", status=Delivery.State.DAILY, next_at=letter.created_at)]
    return [Delivery(message=letter, channel=c.name, next_at=letter.created_at) for c in channels_for(letter.to)]


def again(delivery: Delivery) -> bool:
    """Put a delivery that was given up into the queue once more; whether there was anything to put."""
    given_up = Delivery.objects.filter(pk=delivery.pk, status=Delivery.State.FAILED)
    return bool(given_up.update(status=Delivery.State.WAITING, attempts=0, next_at=clock.now()))


def _letter(key: str, to: Any, template: str, context: Mapping[str, Any], link: str, words: str | None) -> Message:
    subject, body = compose(template, {**context, "to": to, "link": link}, words)
    return Message(to=to, template=template, subject=subject, body=body, link=link, key=key, created_at=clock.now())


def compose(template: str, context: Mapping[str, Any], words: str | None = None) -> tuple[str, str]:
    """Subject and text of a letter. words: this installation's own text. Raises TemplateDoesNotExist, LetterWithoutSubject."""
    text = wordings.rendered(template, context, words)
    subject, _blank, body = text.strip().partition("\n")
    if not subject.strip() or not body.strip():
        raise LetterWithoutSubject(template)
    return " ".join(subject.split())[:150], body.strip() + "\n"  # one line, whatever a title holds: a header ends at a line break


def inbox(user: Any) -> QuerySet[Message]:
    """A person's letters, newest first."""
    return Message.objects.filter(to=user)


def unread(user: Any) -> int:
    """How many letters wait to be read."""
    return Message.objects.filter(to=user, read_at=None).count()


def read(letter: Message) -> Message:
    """Mark as read, once; the first reading counts."""
    Message.objects.filter(pk=letter.pk, read_at=None).update(read_at=clock.now())
    letter.refresh_from_db(fields=["read_at"])
    return letter


def read_all(user: Any) -> int:
    """Mark every letter of a person as read; returns how many were not."""
    return Message.objects.filter(to=user, read_at=None).update(read_at=clock.now())


def deliver(limit: int = 100) -> int:
    """Hand waiting letters to their channels; returns how many left. Called by the scheduler; safe to run in several processes.

    At least once: a process killed between handing over and noting it sends the letter again (Message-ID stays the same).
    """
    due = Delivery.objects.filter(status=Delivery.State.WAITING, next_at__lte=clock.now()).order_by("next_at", "pk")
    return sum(_hand_over(pk) for pk in due.values_list("pk", flat=True)[:limit])


def _hand_over(pk: int) -> int:
    taken = _claim(pk)
    if taken is None:
        return 0
    try:
        named(taken.channel).send(taken.message)
    except Exception as wrong:  # noqa: BLE001 - whatever a server away from here does, the letter waits and is tried again
        log.warning("letter %s by %s: %s", taken.message_id, taken.channel, type(wrong).__name__)
        _put_off(taken, wrong)
        return 0
    Delivery.objects.filter(pk=pk).update(status=Delivery.State.SENT, sent_at=clock.now(), error="")
    return 1


def _claim(pk: int) -> Delivery | None:
    """Take one delivery for ten minutes; another process that looks meanwhile finds it is not due."""
    until = clock.now() + timedelta(minutes=10)
    mine = Delivery.objects.filter(pk=pk, status=Delivery.State.WAITING, next_at__lte=clock.now())
    if not mine.update(attempts=F("attempts") + 1, next_at=until):
        return None
    return Delivery.objects.select_related("message__to").get(pk=pk)


def _put_off(taken: Delivery, wrong: Exception) -> None:
    gave_up = taken.attempts >= MAX_ATTEMPTS
    Delivery.objects.filter(pk=taken.pk).update(
        status=Delivery.State.FAILED if gave_up else Delivery.State.WAITING,
        next_at=_next(taken.attempts),
        error=f"{type(wrong).__name__}: {wrong}"[:300],
    )


def _next(attempts: int) -> datetime:
    """1, 2, 4 … minutes, never more than a day."""
    return clock.now() + min(FIRST_PAUSE * 2 ** (attempts - 1), timedelta(days=1))
