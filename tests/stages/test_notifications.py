"""Letters: written once by key with the business that causes them, handed over at least once, read by their owner only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection, transaction
from django.template import TemplateDoesNotExist
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock
from grants.notifications import channels, services
from grants.notifications.models import Delivery, Message
from tests.world import people

pytestmark = pytest.mark.django_db

CONTEXT = {"organisation": type("O", (), {"name": "望湖中心", "registrar": type("R", (), {"name": "区民政局"})(), "account_number": ""})()}


def write(to: Any, key: str = "k") -> Message:
    return services.send(to=to, template="organisation_verified", context=CONTEXT, key=key, link="/o/")


def test_a_letter_is_written_once_by_its_key() -> None:
    """The second sending returns the first letter; the first line is the subject."""
    user = people.person("张三")
    first, second = write(user), write(user)
    assert first == second and Message.objects.count() == Delivery.objects.count() == 1
    assert first.subject == "「望湖中心」已通过核验"
    assert first.body.startswith("张三，您好")


def test_a_letter_about_something_rolled_back_never_existed() -> None:
    """Letter and delivery share the caller's transaction."""
    user = people.person()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        write(user)
        raise ZeroDivisionError
    assert not Message.objects.exists() and not Delivery.objects.exists()


def test_an_unknown_template_writes_nothing() -> None:
    """And fails loudly: the effect stays in the outbox."""
    with pytest.raises(TemplateDoesNotExist):
        services.send(to=people.person(), template="no_such", context={}, key="k")
    assert not Message.objects.exists()


def test_names_are_not_escaped_in_plain_text() -> None:
    """A letter is text, not markup."""
    assert write(people.person("O'Brien & 李")).body.startswith("O'Brien & 李")


def test_many_readers_cost_the_same_number_of_queries_and_get_one_letter_each() -> None:
    """Named twice: one letter. Sent again: none. Five queries for one and for five."""
    crowd = [people.person() for _each in range(5)]
    args: dict[str, Any] = {"template": "organisation_verified", "context": CONTEXT}
    with CaptureQueriesContext(connection) as few:
        assert services.send_all(to=crowd[:1], key="a", **args) == 1
    with CaptureQueriesContext(connection) as many:
        assert services.send_all(to=[*crowd, crowd[0]], key="b", **args) == 5
    assert len(few) == len(many)
    assert services.send_all(to=crowd, key="b", **args) == 0


def test_a_kill_in_the_middle_of_many_is_made_good() -> None:
    """The repeated effect writes only what is missing."""
    crowd = [people.person() for _each in range(3)]
    args: dict[str, Any] = {"template": "organisation_verified", "context": CONTEXT, "key": "c"}
    services.send_all(to=crowd[:2], **args)
    assert services.send_all(to=crowd, **args) == 1


def test_mail_leaves_once_and_carries_the_letters_own_id() -> None:
    """Text, address and Message-ID; a second delivery run sends nothing."""
    user = people.person()
    letter = write(user)
    assert services.deliver() == 1 and services.deliver() == 0
    (sent,) = mail.outbox
    assert sent.to == [user.email] and sent.subject == letter.subject
    assert str(letter.pk) in sent.extra_headers["Message-ID"]
    assert Delivery.objects.get().status == "sent"


def test_who_has_no_address_still_has_the_letter() -> None:
    """In the inbox, with no delivery waiting for ever."""
    user = people.person()
    user.email = ""
    user.save()
    write(user)
    assert services.unread(user) == 1 and not Delivery.objects.exists()


class Broken:
    """A channel whose server is away."""

    name = "mail"

    def reaches(self, user: Any) -> bool:
        return True

    def send(self, letter: Message) -> None:
        raise ConnectionRefusedError("no server")


def test_a_server_that_is_away_costs_delay_then_gives_up_visibly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put off 1, 2, 4 … minutes; after eight attempts the delivery says 发送失败, and the letter is still in the inbox."""
    monkeypatch.setitem(channels._channels, "mail", Broken())
    start = datetime(2026, 3, 2, 1, tzinfo=UTC)
    with clock.at(start):
        write(people.person())
        assert services.deliver() == 0
        held = Delivery.objects.get()
        assert (held.status, held.next_at) == ("waiting", start + timedelta(minutes=1))
        assert services.deliver() == 0 and Delivery.objects.get().attempts == 1
    for n in range(1, services.MAX_ATTEMPTS):
        with clock.at(start + timedelta(days=n)):
            services.deliver()
    held = Delivery.objects.get()
    assert (held.status, held.attempts) == ("failed", services.MAX_ATTEMPTS) and "no server" in held.error
    assert Message.objects.count() == 1


def test_a_broken_channel_does_not_hold_up_the_letters_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next letter of the same run leaves."""
    first, second = people.person(), people.person()
    write(first, "1")
    write(second, "2")
    real = channels.Mail()

    class Choosy(Broken):
        def send(self, letter: Message) -> None:
            if letter.to_id == first.pk:
                raise ConnectionRefusedError
            real.send(letter)

    monkeypatch.setitem(channels._channels, "mail", Choosy())
    assert services.deliver() == 1
    assert [m.to for m in mail.outbox] == [[second.email]]


def test_a_delivery_taken_by_another_process_is_left_alone() -> None:
    """A claim holds for ten minutes; a process killed after it loses nothing."""
    write(people.person())
    waiting = Delivery.objects.get()
    assert services._claim(waiting.pk) is not None
    assert services._claim(waiting.pk) is None and services.deliver() == 0
    with clock.at(clock.now() + timedelta(minutes=11)):
        assert services.deliver() == 1


def test_the_inbox_is_ones_own(client: Client) -> None:
    """Listed, read by opening, counted; another's letter is not found."""
    mine, other = people.person(), people.person()
    letter, foreign = write(mine, "1"), write(other, "2")
    client.force_login(mine)
    assert "望湖中心" in client.get(reverse("notifications:inbox")).content.decode()
    assert services.unread(mine) == 1
    assert client.get(reverse("notifications:letter", args=[letter.pk])).status_code == 200
    assert services.unread(mine) == 0
    assert client.get(reverse("notifications:letter", args=[foreign.pk])).status_code == 404
    assert services.unread(other) == 1


def test_everything_is_marked_read_at_once_and_only_ones_own(client: Client) -> None:
    """By POST only."""
    mine, other = people.person(), people.person()
    for n in range(3):
        write(mine, str(n))
    write(other, "x")
    client.force_login(mine)
    assert client.get(reverse("notifications:read_all")).status_code == 405
    client.post(reverse("notifications:read_all"))
    assert (services.unread(mine), services.unread(other)) == (0, 1)


@pytest.mark.parametrize("n", [1, 3])
def test_the_inbox_asks_five_questions_whatever_it_holds(n: int, client: Client) -> None:
    """Session, user, count, page, unread."""
    user = people.person()
    for each in range(n):
        write(user, str(each))
    client.force_login(user)
    with CaptureQueriesContext(connection) as asked:
        client.get(reverse("notifications:inbox"))
    assert len(asked) == 5, [q["sql"][:100] for q in asked]


def test_every_letter_of_the_house_has_a_subject_and_a_text() -> None:
    """Each template in templates/mail: a first line, a blank line, a body — also with nothing to fill in."""
    folder = Path(settings.BASE_DIR) / "templates" / "mail"
    names = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.txt"))
    assert len(names) >= 8
    for name in names:
        lines = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        assert "autoescape off" in lines[0], name
        assert len(lines) >= 3 and not lines[1].strip() and lines[2].strip(), name
