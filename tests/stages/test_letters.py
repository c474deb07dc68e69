"""How people hear of things: wishes, the daily digest, the calendar feed, words that can be changed safely, and the way of every letter."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from grants import clock
from grants.ledger.models import AuditEvent
from grants.notifications import channels, digest, services, wishes, wordings
from grants.notifications.models import CalendarKey, Delivery, Wish, Wording
from grants.people.models import Site, User
from grants.people.permissions import grant
from grants.people.roles import BY_CODE
from tests.world import people

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 3, 4, 9, 0, tzinfo=clock.TZ)
CONTEXT = {"organisation": type("O", (), {"name": "望湖中心", "registrar": type("R", (), {"name": "区民政局"})(), "account_number": ""})()}
TEMPLATE = "organisation_verified"


def write(to: Any, key: str = "k") -> Any:
    return services.send(to=to, template=TEMPLATE, context=CONTEXT, key=key, link="/o/")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def administrator(role: str = "system_admin") -> User:
    user = people.person(role)
    grant(BY_CODE[role], user, Site())
    return user


# --- wishes and the digest -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("way", "states"), [("at_once", ["waiting"]), ("daily", ["daily"]), ("inbox", [])])
def test_a_wish_decides_what_leaves_the_house_and_the_inbox_keeps_every_letter(way: str, states: list[str]) -> None:
    user = people.person()
    wishes.wish(user, {"people": way})
    letter = write(user)
    assert list(letter.deliveries.values_list("status", flat=True)) == states
    assert services.inbox(user).count() == 1


def test_a_wish_about_one_matter_leaves_the_others_alone() -> None:
    user = people.person()
    wishes.wish(user, {"funding": "inbox"})
    assert write(user).deliveries.get().status == "waiting"


def test_every_letter_belongs_to_a_matter_one_can_choose() -> None:
    assert {wishes.matter_of(name) for name in wordings.names()} <= set(wishes.MATTERS)
    assert wishes.matter_of("bidding/receipt") == "bidding"
    assert wishes.matter_of("call_extended") == "calls"


def test_the_page_keeps_what_was_chosen_and_refuses_what_is_no_way() -> None:
    user = people.person()
    client, url = signed_in(user), reverse("notifications:wishes")
    chosen = dict.fromkeys(wishes.MATTERS, "daily")
    assert client.post(url, chosen).status_code == 302
    assert set(wishes.of(user).values()) == {"daily"}
    assert client.post(url, {**chosen, "review": "pigeon"}).status_code == 422
    assert wishes.of(user)["review"] == "daily"


def test_the_digest_is_one_mail_a_day_with_yesterdays_letters_and_goes_once() -> None:
    """Before eight nothing leaves; from eight one mail for each person, with letters of the day before; today's wait for tomorrow."""
    one, other = people.person("张三"), people.person("李四")
    for user in (one, other):
        wishes.wish(user, {"people": "daily"})
    with clock.at(MORNING - timedelta(days=1)):
        write(one, "a")
        write(one, "b")
        write(other, "c")
    with clock.at(MORNING - timedelta(hours=2)):
        assert digest.send() == 0
    with clock.at(MORNING):
        write(one, "later")
        assert digest.send() == 2
        assert digest.send() == 0
    mine = next(m for m in mail.outbox if m.to == [one.email])
    assert mine.subject == "今天有 2 件事与您有关"
    assert mine.body.count("已通过核验") == 2
    assert "2026年3月3日" in mine.body
    assert Delivery.objects.filter(status="daily").count() == 1


def test_a_server_that_is_away_leaves_the_digest_for_the_next_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    user = people.person()
    wishes.wish(user, {"people": "daily"})
    with clock.at(MORNING - timedelta(days=1)):
        write(user)

    def away(*_: Any, **__: Any) -> None:
        raise OSError("no route")

    with clock.at(MORNING), monkeypatch.context() as patch:
        patch.setattr(digest, "mail_text", away)
        with pytest.raises(OSError, match="no route"):
            digest.send()
    assert Delivery.objects.get().status == "daily"
    with clock.at(MORNING):
        assert digest.send() == 1


def test_other_channels_write_files_with_the_subject_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LETTER_CHANNELS=sms: whoever gave a telephone gets a text without the letter's body; whoever did not gets none."""
    monkeypatch.setattr(channels, "_channels", dict(channels._channels))
    channels.set_up(["sms"], tmp_path)
    reached, other = people.person("张三", phone="13800138000"), people.person("李四")
    letter, _none = write(reached, "a"), write(other, "b")
    assert {d.channel for d in letter.deliveries.all()} == {"mail", "sms"}
    assert services.deliver() == 3
    text = (tmp_path / "sms" / f"{letter.pk}.txt").read_text()
    assert text.startswith("13800138000\n「望湖中心」已通过核验\n")
    assert "您好" not in text


# --- the calendar --------------------------------------------------------------------------------------------------------


def test_the_feed_tells_what_waits_and_by_when_and_a_new_address_ends_the_old(monkeypatch: pytest.MonkeyPatch) -> None:
    from grants.desk import calendars
    from grants.workflow.pages import Waiting

    user, due = people.person(), MORNING + timedelta(days=3)
    monkeypatch.setattr(calendars, "waiting_for", lambda _user: [Waiting("提交报告", "银龄守望", "/o/evaluation/1/", due), Waiting("无期限", "x", "/", None)])
    client, page = signed_in(user), reverse("desk:calendar")
    assert client.post(page).status_code == 302
    key = CalendarKey.objects.get(to=user).key
    answer = Client().get(reverse("desk:calendar_feed", args=[key]))
    assert answer["Content-Type"].startswith("text/calendar")
    [event] = Calendar.from_ical(answer.content).walk("VEVENT")
    assert event["summary"] == "提交报告：银龄守望"
    assert event["dtend"].dt == due
    client.post(page)
    assert Client().get(reverse("desk:calendar_feed", args=[key])).status_code == 404


def test_a_person_who_may_not_act_any_more_has_no_feed() -> None:
    user = people.person()
    signed_in(user).post(reverse("desk:calendar"))
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert Client().get(reverse("desk:calendar_feed", args=[CalendarKey.objects.get(to=user).key])).status_code == 404


# --- words ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", wordings.names())
def test_every_original_may_stand_in_for_itself(template: str) -> None:
    assert wordings.wrong_with(template, wordings.original(template)) == []
    assert wordings.subject_line(wordings.original(template))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.replace("{{ organisation.name }}", "{{ organisation.account_number }}", 1), "不是这封信可以使用的内容"),
        (lambda t: t.replace("{{ organisation.name }}", "{{ to.password }}", 1), "不是这封信可以使用的内容"),
        (lambda t: t.replace("{% autoescape off %}", "{% load static %}{% autoescape off %}"), "百分号标记"),
        (lambda t: t + "{% include 'web/base.html' %}", "百分号标记"),
        (lambda t: t + "{% debug %}", "百分号标记"),
        (lambda t: t.replace("{% endautoescape %}", ""), "百分号标记"),
        (lambda t: "{% autoescape off %}只有标题{% endautoescape %}", "两者都不能为空"),
        (lambda t: t + "长" * 6_000, "最多"),
    ],
)
def test_words_that_could_say_more_or_fail_are_refused_and_kept_on_the_page(change: Any, said: str) -> None:
    client, url = signed_in(administrator()), reverse("people:text", args=[TEMPLATE])
    text = change(wordings.original(TEMPLATE))
    answer = client.post(url, {"text": text})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Wording.objects.exists()


def test_new_words_are_used_from_now_on_recorded_and_can_be_taken_back() -> None:
    admin, user = administrator(), people.person("张三")
    client, url = signed_in(admin), reverse("people:text", args=[TEMPLATE])
    before = write(user, "before")
    text = wordings.original(TEMPLATE).replace("已通过核验", "核验通过啦", 1)
    assert client.post(url, {"text": text}).status_code == 302
    assert write(user, "after").subject == "「望湖中心」核验通过啦"
    before.refresh_from_db()
    assert before.subject == "「望湖中心」已通过核验"
    entry = AuditEvent.objects.get(event="wording.change")
    assert "核验通过啦" not in bytes(entry.leaf).decode()
    assert client.post(url, {"restore": "1"}).status_code == 302
    assert write(user, "again").subject == "「望湖中心」已通过核验"


# --- the way of letters --------------------------------------------------------------------------------------------------


def test_the_delivery_log_shows_the_way_and_never_the_letter_and_sends_again_what_was_given_up() -> None:
    user = people.person("张三")
    letter = write(user)
    Delivery.objects.update(status="failed", attempts=8, error="SMTPServerDisconnected")
    client = signed_in(administrator())
    page = client.get(reverse("people:deliveries")).content.decode()
    assert "SMTPServerDisconnected" in page
    assert "已通过核验" not in page
    assert client.post(reverse("people:deliver_again", args=[letter.deliveries.get().pk])).status_code == 302
    assert services.deliver() == 1
    assert letter.deliveries.get().status == "sent"


@pytest.mark.parametrize("name", ["deliveries", "texts", "text", "deliver_again"])
def test_only_the_system_administrator_has_these_pages(name: str) -> None:
    """Neither the other two administrators nor an officer, a superuser or a stranger."""
    write(people.person())
    args = {"text": [TEMPLATE], "deliver_again": [Delivery.objects.get().pk]}.get(name, [])
    superuser = people.person()
    User.objects.filter(pk=superuser.pk).update(is_superuser=True)
    for who in (administrator("security_admin"), administrator("audit_admin"), people.office().officer, superuser, people.person()):
        client = signed_in(who)
        answer = client.post(reverse(f"people:{name}", args=args)) if name == "deliver_again" else client.get(reverse(f"people:{name}", args=args))
        assert answer.status_code == 403, (name, who)
    assert Wish.objects.count() == 0
