"""Somebody left a browser open: before the form, and after it, the page asks who one is, and what was typed is sent on with one button."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from grants import clock, ledger
from grants.calls import services
from grants.calls.models import Call
from tests.browser.town import Town
from tests.world import calls, people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def left_open(minutes: float = 6) -> None:
    """Everybody who is signed in last showed who they are so long ago."""
    for row in Session.objects.all():
        session = SessionStore(row.session_key)
        records = session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [{**record, "at": record["at"] - minutes * 60} for record in records]
        session.save()


def test_the_approver_is_asked_and_publishes_with_what_was_typed(town: Town, live_server: Any) -> None:
    """Once before the form; once more after too long in front of it, by keyboard, and the reason arrives."""
    desk = people.office()
    made = calls.draft(desk)
    clock.set_now(calls.BEFORE)
    call = services.propose(made, by=desk.officer)
    visitor = town.person(desk.approver)
    page = visitor.page
    left_open()
    page.goto(f"{live_server.url}/o/call/{call.pk}/do/publish/")
    expect(page.locator("h1")).to_have_text("请再确认一次是您本人")
    visitor.look()
    visitor.type(password=people.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="确认：批准发布")).to_be_visible()
    visitor.type(note="经主任办公会同意")
    left_open()
    page.get_by_role("button", name="确认：批准发布").click()
    expect(page.locator("h1")).to_have_text("请再确认一次是您本人")
    assert Call.objects.get(pk=call.pk).state == "pending"
    visitor.type(password=people.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("已确认是您本人")
    visitor.look()
    assert Call.objects.get(pk=call.pk).state == "pending"
    page.get_by_role("button", name="继续办理").click()
    visitor.done("已完成：批准发布")
    assert (ledger.history(call.subject)[-1].private or {})["note"] == "经主任办公会同意"
    assert visitor.faults == []
