"""Letters to people: what was said, to whom, and whether it reached them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from grants.vault.columns import Secret


class Message(models.Model):
    """One letter to one person. `key` makes a second writing of the same letter impossible, whatever is retried.

    The text is kept as it was sent: a template that is corrected later does not rewrite what somebody has read.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="letters")
    template = models.CharField(max_length=60)
    subject = Secret(_("标题"), max_length=150)
    body = Secret(_("正文"))
    link = models.CharField(max_length=300, blank=True)
    key = models.CharField(max_length=250, unique=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("通知")
        ordering: ClassVar[list[str]] = ["-created_at", "-pk"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["to", "-created_at"], name="letter_inbox"),
            models.Index(fields=["to"], name="letter_unread", condition=models.Q(read_at=None)),
        ]

    def __str__(self) -> str:
        return self.subject


class Wish(models.Model):
    """How one person wants to hear of one kind of matter outside the site. No row: mail at once. The inbox always has every letter."""

    class Way(models.TextChoices):
        AT_ONCE = "at_once", _("随时发送")
        DAILY = "daily", _("每天汇总一封")
        INBOX = "inbox", _("只在站内看")

    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="letter_wishes")
    matter = models.CharField(max_length=30)
    way = models.CharField(max_length=10, choices=Way.choices)

    class Meta:
        verbose_name = _("通知方式")
        constraints: ClassVar[list[models.BaseConstraint]] = [models.UniqueConstraint(fields=["to", "matter"], name="wish_once")]

    def __str__(self) -> str:
        return f"{self.matter} {self.way}"


class Wording(models.Model):
    """A letter's text as this installation words it; without a row the text that came with the software is used."""

    template = models.CharField(max_length=60, unique=True)
    text = models.TextField(_("文字"))
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("信件文字")

    def __str__(self) -> str:
        return self.template


class CalendarKey(models.Model):
    """The secret in a person's calendar address. A new one makes the old address worthless."""

    to = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_key")
    key = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("日历地址")

    def __str__(self) -> str:
        return str(self.to)


class Delivery(models.Model):
    """One channel's part in one letter: waiting, sent or given up, and how often it was tried."""

    class State(models.TextChoices):
        WAITING = "waiting", _("待发送")
        DAILY = "daily", _("等待每日汇总")
        SENT = "sent", _("已发送")
        FAILED = "failed", _("发送失败")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField()
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("投递记录")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["message", "channel"], name="delivery_once_per_channel")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_at"], name="delivery_waiting", condition=models.Q(status="waiting")),
            models.Index(fields=["message"], name="delivery_daily", condition=models.Q(status="daily")),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.status}"
