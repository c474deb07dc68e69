"""How a letter leaves the house. Mail is built in; SMS or an office messenger is one more class registered at start-up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from grants.notifications.models import Message


class Channel(Protocol):
    """One way to reach a person outside the site."""

    name: str

    def reaches(self, user: Any) -> bool:
        """Whether this person can be reached this way."""

    def send(self, letter: Message) -> None:
        """Hand the letter over, or raise: it is tried again later."""


class Mail:
    """Electronic mail through Django's backend: a server where EMAIL_HOST is set, otherwise files in the data folder."""

    name = "mail"

    def reaches(self, user: Any) -> bool:
        """Whoever gave an address."""
        return bool(user.email)

    def send(self, letter: Message) -> None:
        """One text mail. The Message-ID is the letter's, so that a repeated sending is recognised as the same mail."""
        mail_text(letter.to, letter.subject, _text(letter), key=str(letter.pk))


def mail_text(to: Any, subject: str, text: str, *, key: str) -> None:
    """Hand one text mail to the server. key becomes the Message-ID. Raises whatever the server's absence raises."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    headers = {"Message-ID": f"<{key}@{domain}>", "Auto-Submitted": "auto-generated"}
    EmailMessage(subject, text, to=[to.email], headers=headers).send()


class ToFile:
    """A stand-in for SMS, WeChat or WeCom while no gateway is contracted: each message is a file that can be read.

    Only the subject leaves the house: a text on somebody's locked telephone is read by whoever holds it. A real gateway is a class
    with the same three members, named in LETTER_CHANNELS.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder / name

    def reaches(self, user: Any) -> bool:
        """Whoever gave a telephone number."""
        return bool(user.phone)

    def send(self, letter: Message) -> None:
        """Write the message; the same letter writes the same file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{letter.pk}.txt").write_text(f"{letter.to.phone}\n{letter.subject}\n{settings.SITE_URL}{letter.link}\n", encoding="utf-8")


def _text(letter: Message) -> str:
    """The letter's text, and where to go on when the site's address is known."""
    if letter.link and settings.SITE_URL:
        return f"{letter.body}\n{settings.SITE_URL}{letter.link}\n"
    return letter.body


FILES = ("sms", "wechat", "wecom")
_channels: dict[str, Channel] = {"mail": Mail()}


def register(channel: Channel) -> None:
    """Add a channel, or replace the one of that name. Called from an AppConfig.ready()."""
    _channels[channel.name] = channel


def set_up(names: Iterable[str], folder: Path) -> None:
    """Register what LETTER_CHANNELS names: "sms", "wechat", "wecom" as files below `folder`; anything else is the dotted path of a class."""
    for name in names:
        register(ToFile(name, folder) if name in FILES else import_string(name)())


def named(name: str) -> Channel:
    """The channel of that name. Raises KeyError when it was taken out of the configuration; its letters wait."""
    return _channels[name]


def channels_for(user: Any) -> list[Channel]:
    """The channels that reach a person."""
    return [channel for channel in _channels.values() if channel.reaches(user)]
