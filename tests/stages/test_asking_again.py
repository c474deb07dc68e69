"""Which acts ask again who one is: each door of the web, one table, and nothing typed is lost on the way to the password and back."""

from __future__ import annotations

import html
import re
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.internal.flows import login as flows
from allauth.account.internal.userkit import user_id_to_str
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver, reverse

from grants import clock, ledger
from grants.calls import services as calling
from grants.calls.models import Call
from grants.desk import asking, asking_table, objects, registry
from grants.ledger.models import AuditEvent
from grants.people import again
from grants.people.models import Appointment, Organisation, User
from tests.world import calls, people, review
from tests.world.fresh import left_open

pytestmark = pytest.mark.django_db
STEPS_LISTED = [*asking_table.STEPS, *(step for steps in asking_table.NOT_STEPS.values() for step in steps)]
PAGES_LISTED = [*asking_table.PAGES, *(name for table in (asking_table.OWN_PAGES, asking_table.NOT_PAGES) for names in table.values() for name in names)]
SENT: dict[str, dict[str, str]] = {
    "calls:downtime": {"act": "confirm"}, "awards:preview": {"publish": "1"}, "funding:surplus": {"bank_reference": "1"},
    "review:score": {"do": "submit"}, "people:profile": {"email": "other@example.org", "phone": ""},
}  # fmt: skip
"""What makes a form of a page with several acts the one that asks."""


def signed_in(user: User, *, minutes: float = 0) -> Client:
    """A browser whose person showed who they are so many minutes ago."""
    client = Client()
    client.force_login(user)
    return left_open(client, minutes=minutes) if minutes else client


def is_asked(answer: Any) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith(reverse("account_reauthenticate"))


def answered(client: Client, asked: Any) -> str:
    """Give the password where one was led; the page that comes next."""
    page = client.post(asked["Location"], {"password": people.PASSWORD})["Location"]
    return str(client.get(page).content.decode())


def sent_on(client: Client, page: str) -> Any:
    """Press the one button of the page that waits: the form it holds, as a browser sends it."""
    form = page[page.index("已确认是您本人</h1>") :]
    action = html.unescape(re.findall(r'<form method="post" action="([^"]*)"', form)[0])
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form):
        fields.setdefault(html.unescape(name), []).append(html.unescape(value))
    return client.post(action, fields)


# --- the table -----------------------------------------------------------------------------------------------------------------


def test_every_step_page_stands_in_the_table_once_asked_or_left_alone_for_a_reason() -> None:
    """A new step that nobody placed fails here; so does a place for a step that is gone. Reasons are sentences, not labels."""
    steps = {
        (machine.kind(), verb)
        for machine in registry.pages()
        for verb, step in machine.steps().items()
        if objects.pressable(machine, step)
    }
    assert sorted(STEPS_LISTED) == sorted(steps)
    assert all(
        len(why) > 20 for table in (asking_table.NOT_STEPS, asking_table.NOT_PAGES, asking_table.OWN_PAGES) for why in table
    )


def test_every_address_that_takes_a_form_stands_in_the_table_once() -> None:
    """Whatever does not answer 405 to a form takes one."""
    takes = {name for name, entry in _addresses(get_resolver()) if _takes_forms(entry)}
    assert sorted(PAGES_LISTED) == sorted(takes - {asking.STEP_PAGE})


def _addresses(resolver: Any, space: str = "") -> Any:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{space}:{entry.name}".lstrip(":"), entry
        else:
            yield from _addresses(entry, f"{space}:{entry.namespace}".strip(":") if entry.namespace else space)


def _takes_forms(entry: URLPattern) -> bool:
    """A view that wants more than this bare request was reached, whatever it then misses: only 405 means that it takes none."""
    request: Any = RequestFactory().post("/", SERVER_NAME="testserver")
    request.user, request.session = User(username="x"), {}
    try:
        with transaction.atomic():
            answer = entry.callback(request, **{key: uuid.uuid4() for key in entry.pattern.converters})
            transaction.set_rollback(True)
    except Exception:  # noqa: BLE001 - whatever it missed, it was reached
        return True
    return bool(answer.status_code != 405)


def test_what_is_in_no_table_is_asked() -> None:
    """A page that somebody adds tomorrow is safe before anybody thought about it."""
    assert asking.of_step("call", "a_new_step") == again.FRESH
    assert asking.of_form("awards:a_new_page", {}, RequestFactory().post("/")) == again.FRESH


# --- every door ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", sorted(asking_table.STEPS), ids=".".join)
def test_no_step_of_the_table_reaches_its_page_when_it_is_posted_with_an_old_proof(step: tuple[str, str]) -> None:
    """Posted straight to the address, as a script would; with a fresh proof the page is reached (and answers that there is no such object)."""
    _meets_the_door(reverse("desk:step", args=[step[0], uuid.uuid4(), step[1]]), {"seen_state": ""}, asking_table.STEPS[step])


@pytest.mark.parametrize("name", sorted(asking_table.PAGES))
def test_no_page_of_the_table_is_reached_by_a_form_with_an_old_proof(name: str) -> None:
    entry = dict(_addresses(get_resolver()))[name]
    keys = {
        key: 1 if "Int" in type(made).__name__ else "agency" if key == "kind" else uuid.uuid4()
        for key, made in entry.pattern.converters.items()
    }
    _meets_the_door(reverse(name, kwargs=keys), SENT.get(name, {"typed": "x"}), asking_table.PAGES[name][0])


def _meets_the_door(address: str, fields: dict[str, str], window: timedelta) -> None:
    person, before = people.person(), AuditEvent.objects.count()
    late, early = window / timedelta(minutes=1) + 0.1, window / timedelta(minutes=1) - 0.1
    asked = signed_in(person, minutes=late).post(address, fields)
    assert is_asked(asked), address
    assert AuditEvent.objects.count() == before
    assert not is_asked(signed_in(person, minutes=early).post(address, fields))


def test_a_visitor_is_sent_to_sign_in_and_not_asked_who_they_are_again() -> None:
    answer = Client().post(reverse("funding:order_many"))
    assert answer["Location"].startswith(reverse("desk:sign_in"))


def test_a_script_is_told_instead_of_led_and_nothing_is_kept() -> None:
    client = signed_in(people.person(), minutes=6)
    answer = client.post(reverse("funding:order_many"), {"tranche": "x"}, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (401, "show_again")
    assert again.KEPT not in client.session


def test_other_forms_of_the_same_page_do_not_ask() -> None:
    """A name in one's profile, a bank's statement that is only compared, a saved ballot: nothing that cannot be taken back."""
    person = people.person()
    client = signed_in(person, minutes=600)
    assert not is_asked(client.post(reverse("people:profile"), {"name": "新名字", "email": person.email, "phone": person.phone}))
    assert User.objects.get(pk=person.pk).name == "新名字"
    assert not is_asked(client.post(reverse("review:score", args=[uuid.uuid4()]), {"do": "save"}))


# --- there and back ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting() -> Iterator[tuple[people.Office, Call]]:
    """A call that waits for its approver, a week before it opens."""
    desk = people.office()
    made = calls.draft(desk)
    with clock.at(calls.BEFORE):
        yield desk, calling.propose(made, by=desk.officer)


def test_publishing_a_call_asks_before_the_form_is_shown_and_says_no_before_it_asks(waiting: tuple[people.Office, Call]) -> None:
    """Whoever may not publish is told so at once; the approver shows who they are and then sees the form."""
    desk, call = waiting
    step = reverse("desk:step", args=["call", call.pk, "publish"])
    assert signed_in(desk.officer, minutes=6).get(step).status_code == 403
    late = signed_in(desk.approver, minutes=6)
    asked = late.get(step)
    assert is_asked(asked)
    assert "确认：批准发布" in answered(late, asked)


def test_a_form_that_comes_too_late_waits_and_is_sent_on_with_one_button(waiting: tuple[people.Office, Call]) -> None:
    """The reason that was typed arrives as it was typed; before the password and the button nothing was published."""
    desk, call = waiting
    step, why = reverse("desk:step", args=["call", call.pk, "publish"]), '经主任办公会同意：“第 3 号” <&"'
    late = signed_in(desk.approver, minutes=6)
    asked = late.post(step, {"seen_state": call.state, "note": why})
    assert is_asked(asked)
    page = answered(late, asked)
    assert "没有丢失" in page and Call.objects.get(pk=call.pk).state == "pending"
    assert sent_on(late, page).status_code == 302
    assert Call.objects.get(pk=call.pk).state == "published"
    assert (ledger.history(call.subject)[-1].private or {})["note"] == why
    assert again.KEPT not in late.session, "what was sent on is kept no longer"


def test_an_account_number_that_waits_is_not_readable_in_a_copy_of_the_database() -> None:
    """Neither in the session's row nor for another person in the same browser."""
    desk = people.office()
    member = people.body(desk)
    late = signed_in(member.signatory, minutes=6)
    number = "6222021001116245702"
    step = reverse("desk:step", args=["organisation", member.organisation.pk, "set_account"])
    asked = late.post(step, {"seen_state": member.organisation.state, "bank": "云溪农商行", "number": number})
    assert is_asked(asked)
    stored = str(Session.objects.get(pk=late.session.session_key).get_decoded())
    assert number not in stored and "GY1:" in stored
    kept = late.session[again.KEPT]
    other = signed_in(desk.finance)
    session = other.session
    session[again.KEPT] = kept
    session.save()
    assert other.get(reverse("desk:resume"))["Location"] == reverse("desk:home")
    assert sent_on(late, answered(late, asked)).status_code == 302
    assert Organisation.objects.get(pk=member.organisation.pk).account_number == number


def test_the_waiting_page_asks_again_itself_and_holds_nothing_for_nobody() -> None:
    client = signed_in(people.person(), minutes=6)
    client.post(reverse("funding:order_many"), {"tranche": "x"})
    assert is_asked(client.get(reverse("desk:resume")))
    assert Client().get(reverse("desk:resume"))["Location"] == reverse("desk:home")
    assert signed_in(people.person()).get(reverse("desk:resume"))["Location"] == reverse("desk:home")


def test_passwords_and_files_are_never_kept() -> None:
    """Of a file the page says that it must be chosen again."""
    client = signed_in(people.person(), minutes=6)
    asked = client.post(
        reverse("awards:release", args=[uuid.uuid4()]),
        {"note": "x", "password": "hunter2hunter2", "scan": SimpleUploadedFile("a.pdf", b"bytes")},
    )
    page = answered(client, asked)
    assert "hunter2" not in page and "请重新选择" in page and 'name="note" value="x"' in page


def test_somebody_who_finds_a_browser_signed_in_appoints_dismisses_and_unmasks_nobody() -> None:
    """Three acts on real rows: stale, nothing is written; fresh, it is done."""
    desk = people.office()
    member = people.body(desk)
    new, org = people.person(), member.organisation
    staff, full = reverse("people:staff", args=["organisation", org.pk]), reverse("people:full", args=[org.pk])
    given = {"username": new.username, "role": "editor"}
    assert is_asked(signed_in(member.signatory, minutes=6).post(staff, given))
    assert not Appointment.objects.filter(user=new).exists()
    signed_in(member.signatory).post(staff, given)
    held = Appointment.objects.get(user=new)
    assert is_asked(signed_in(member.signatory, minutes=6).post(reverse("people:dismiss", args=[held.pk])))
    assert Appointment.objects.get(pk=held.pk).until is None
    signed_in(member.signatory).post(reverse("people:dismiss", args=[held.pk]))
    assert Appointment.objects.get(pk=held.pk).until is not None
    assert is_asked(signed_in(desk.finance, minutes=6).post(full, {"reason": "核对开户许可证"}))
    assert not AuditEvent.objects.filter(event="organisation.revealed").exists()
    assert "6217000010001234567" in signed_in(desk.finance).post(full, {"reason": "核对开户许可证"}).content.decode()


def test_a_reviewer_is_asked_once_in_half_an_hour_and_no_mark_is_lost() -> None:
    """Twenty-nine minutes after signing in a ballot is handed in; after thirty-one the person is asked, and what they typed is handed in then."""
    made = review.judged(review.rules(), n=2)
    panel = review.started(made.call, made.desk.officer)
    first, second = list(panel.reviews.filter(expert=review.review_of(panel).expert).order_by("pk"))[:2]
    with clock.at(review.after(made.call, 9)):
        for filled, minutes in ((first, 29), (second, 31)):
            ballot = review.scored(filled, submit=False)
            client = signed_in(ballot.expert.user, minutes=minutes)
            page = reverse("review:score", args=[ballot.pk])
            answer = client.post(page, {**_typed(client.get(page)), "do": "submit"})
            assert is_asked(answer) is (minutes > 30)
            ballot.refresh_from_db()
            assert ballot.state == ("accepted" if minutes > 30 else "submitted")
        assert sent_on(client, answered(client, answer)).status_code == 302
    ballot.refresh_from_db()
    assert ballot.state == "submitted"


def _typed(page: Any) -> dict[str, str]:
    form = page.context["form"]
    return {bound.html_name: "" if bound.value() is None else str(bound.value()) for bound in form}


# --- what counts as showing -----------------------------------------------------------------------------------------------------


def _with_records(user: User, *records: dict[str, Any]) -> Any:
    request: Any = RequestFactory().get("/")
    request.user = user
    request.session = {
        flows.AUTHENTICATION_METHODS_SESSION_KEY: list(records),
        flows._AUTHENTICATION_METHODS_USER_SESSION_KEY: user_id_to_str(user),
    }
    return request


def test_signing_in_counts_for_five_minutes_with_password_or_passkey() -> None:
    """Also with a demonstration account, which signs in with its password; signing in elsewhere counts only for whoever has nothing else to show."""
    now, user = time.time(), people.person()
    assert again.has_just(_with_records(user, {"method": "password", "at": now, "reauthenticated": True}))
    assert again.has_just(_with_records(user, {"method": "mfa", "at": now, "type": "webauthn"}))
    assert not again.has_just(_with_records(user, {"method": "socialaccount", "at": now}))
    user.set_unusable_password()
    assert again.has_just(_with_records(user, {"method": "socialaccount", "at": now}))
    assert not again.has_just(_with_records(user, {"method": "socialaccount", "at": now - 301}))
    assert not again.has_just(_with_records(user, {"method": "password", "at": now + 60, "reauthenticated": True})), (
        "a time to come proves nothing"
    )


def test_whoever_has_nothing_to_show_here_is_told_how_and_meets_no_dead_end() -> None:
    """An account that only signs in elsewhere, without a second factor: a sentence with a way out, not a refusal without one."""
    user = people.person()
    user.set_unusable_password()
    answer = again.ask(_with_records(user))
    assert answer.status_code == 403 and "请退出后重新登录" in answer.content.decode()
