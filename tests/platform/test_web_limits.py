"""Limits: how often a visitor may try, what is counted, and that nothing typed is lost when it is too often."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from grants import clock
from grants.web import limits
from grants.web.models import Tally
from tests.world import people

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=clock.TZ)
RATE = limits.rate_of("3/15m")


@limits.limited("test", "2/h", limits.by_address)
def view(request: Any) -> HttpResponse:
    return HttpResponse("done")


def ask(method: str = "post", address: str = "203.0.113.7", **headers: str) -> Any:
    request = getattr(RequestFactory(), method)("/x/", {"title": "<b>", "password": "s3cret"}, REMOTE_ADDR=address, **headers)
    return view(request)


@pytest.mark.parametrize(("text", "rate"), [("10/h", (10, 3600)), ("5/15m", (5, 900)), ("1/d", (1, 86400)), ("2/30s", (2, 30))])
def test_rates_are_read(text: str, rate: tuple[int, int]) -> None:
    assert limits.rate_of(text) == rate


@pytest.mark.parametrize("text", ["", "0/h", "10", "h/10", "10/w", "-1/h"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    """At import, not when the first visitor comes."""
    with pytest.raises(ValueError, match="no rate"):
        limits.limited("x", text)


def test_the_third_of_two_is_refused_with_the_time_to_wait_and_what_was_typed() -> None:
    """429, Retry-After, the text in a form to send again (escaped), and never the password."""
    with clock.at(NOON):
        assert [ask().status_code for _ in range(2)] == [200, 200]
        refused = ask()
    body = refused.content.decode()
    assert refused.status_code == 429
    assert refused["Retry-After"] == "3600"
    assert 'name="title" value="&lt;b&gt;"' in body
    assert "s3cret" not in body
    assert "60 分钟" in body


def test_reading_is_never_counted_and_others_are_not_held_up() -> None:
    with clock.at(NOON):
        assert {ask("get").status_code for _ in range(9)} == {200}
        assert [ask().status_code for _ in range(3)] == [200, 200, 429]
        assert ask(address="203.0.113.8").status_code == 200
    with clock.at(NOON + timedelta(hours=1)):
        assert ask().status_code == 200


def test_a_lock_runs_from_the_last_attempt_and_can_be_lifted() -> None:
    """from_last: attempts at 0, 10 and 20 minutes lock until 35; `forget` unlocks; `wait_for` counts nothing."""
    for minutes in (0, 10, 20):
        with clock.at(NOON + timedelta(minutes=minutes)):
            assert limits.spend("lock", RATE, "x", from_last=True) == 0
    with clock.at(NOON + timedelta(minutes=20)):
        assert [limits.wait_for("lock", RATE, "x") for _ in range(5)] == [900] * 5
        assert limits.spend("lock", RATE, "x", from_last=True) == 900
        assert limits.wait_for("lock", RATE, "y") == 0
        limits.forget("lock", "x")
        assert limits.wait_for("lock", RATE, "x") == 0


def test_the_tally_keeps_no_address_and_forgets_what_has_run_out() -> None:
    with clock.at(NOON):
        ask()
        mark = Tally.objects.get().mark
        assert len(mark) == 64 and "203" not in mark[:3]
    with clock.at(NOON + timedelta(days=3)):
        ask(address="198.51.100.1")
    assert not Tally.objects.filter(mark=mark).exists()


def test_the_address_is_what_our_proxy_says_and_never_what_the_visitor_says(settings: Any) -> None:
    forged = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="1.2.3.4, 203.0.113.9")
    settings.TRUSTED_PROXIES = 0
    assert limits.address_of(forged) == "127.0.0.1"
    settings.TRUSTED_PROXIES = 1
    assert limits.address_of(forged) == "203.0.113.9"
    six = RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:2:3:4:5:6")
    assert limits.address_of(six) == "2001:db8:1:2::"
    assert limits.address_of(RequestFactory().get("/", REMOTE_ADDR="unix:")) == ""


def test_a_signed_in_person_is_counted_wherever_they_are() -> None:
    request = RequestFactory().get("/")
    request.user = people.person()
    assert limits.by_person(request) == f"person {request.user.pk}"


def test_signing_up_is_limited_per_address() -> None:
    """Thirty wrong forms an hour, then 429 for that address alone."""
    page, wrong = reverse("people:sign_up"), {"username": ""}
    with clock.at(NOON):
        statuses = [Client(REMOTE_ADDR="203.0.113.7").post(page, wrong).status_code for _ in range(31)]
        assert statuses == [422] * 30 + [429]
        assert Client(REMOTE_ADDR="203.0.113.8").post(page, wrong).status_code == 422


def test_anonymous_objections_are_limited_per_address() -> None:
    """The form is open to the world without an account, so the eleventh of an hour has to wait; reading the notice does not."""
    from grants.awards.models import PublicNotice
    from tests.world import calls

    desk = people.office()
    call = calls.draft(desk)
    notice = PublicNotice.objects.create(
        call=call,
        number="N-1",
        title="公示",
        body={"rows": []},
        published_at=NOON,
        ends_at=NOON + timedelta(days=7),
        last_day=NOON.date() + timedelta(days=6),
        published_by=desk.approver,
    )
    page, visitor = reverse("awards:object", args=[notice.pk]), Client(REMOTE_ADDR="203.0.113.7")
    with clock.at(NOON):
        statuses = [visitor.post(page, {"facts": "未见公示依据"}).status_code for _ in range(11)]
        assert statuses == [422] * 10 + [429]
        assert "未见公示依据" in visitor.post(page, {"facts": "未见公示依据"}).content.decode()
        assert visitor.get(page).status_code == 200
