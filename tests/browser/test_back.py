"""Pages of signed-in people are in no store of the browser; what was typed is there again after Back all the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser.town import Town
from tests.world import people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FORM = "main form[method=post]"
FORGETFUL = f"for (const field of document.querySelectorAll('{FORM} :is(input, select, textarea)')) field.autocomplete = 'off'"
"""Chromium restores no control that says so: as browsers do that forget pages with `no-store`."""


def filled(page: Page) -> dict[str, Any]:
    """Name → value of every control a person can fill."""
    found: dict[str, Any] = page.eval_on_selector_all(
        f"{FORM} :is(input:not([type=hidden], [type=password], [type=file]), select, textarea)",
        "all => Object.fromEntries(all.map((field, n) => [`${n} ${field.name}`, ['radio', 'checkbox'].includes(field.type) ? field.checked : field.value]))",
    )
    return found


def fill(page: Page) -> None:
    """Something of one's own into each: text, the last choice of a list, every box."""
    for field in page.locator(f"{FORM} :is(input, select, textarea)").all():
        kind = field.evaluate("field => field.tagName === 'SELECT' ? 'select' : field.type")
        if kind == "select":
            field.select_option(index=field.locator("option").count() - 1)
        elif kind in ("radio", "checkbox"):
            field.check()
        elif kind in ("text", "textarea", "email", "tel") and field.is_visible():
            field.fill(f"写到一半 {kind}")


def back(page: Page) -> None:
    page.go_back()
    page.wait_for_function("() => document.readyState === 'complete'")


@pytest.mark.parametrize("forgetful", [False, True])
def test_back_finds_what_was_typed_although_no_page_is_stored(town: Town, forgetful: bool) -> None:
    """In a browser that remembers and in one that does not."""
    page = town.person(people.person("打字的人")).page
    answer = page.goto(reverse("people:register"))
    assert answer is not None and answer.headers["cache-control"] == "private, no-store"
    before = filled(page)
    if forgetful:
        page.evaluate(FORGETFUL)
    fill(page)
    typed = filled(page)
    assert len(typed) > 5 and typed != before
    page.locator(".gc-header__name a").click()
    page.wait_for_load_state()
    back(page)
    assert filled(page) == typed
    page.reload()
    assert filled(page) == before, "asking for the page anew gives it as the server has it"


def test_what_was_typed_is_for_nobody_else_and_a_password_is_not_kept(town: Town) -> None:
    """The next person in the same tab finds nothing; no store of the browser holds anything."""
    page = town.person(people.person("打字的人")).page
    page.goto(reverse("people:register"))
    before = filled(page)
    page.evaluate(FORGETFUL)
    fill(page)
    page.goto(reverse("people:password"))
    secret = page.locator("main input[type=password]").first
    secret.fill("not-to-be-kept")
    page.wait_for_timeout(600)
    assert page.evaluate("() => history.state.typed.typed") == []
    stores = page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "写到一半" not in stores and "not-to-be-kept" not in stores, stores
    client = Client()
    client.force_login(people.person("下一个人"))
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value, "url": town.address}])
    back(page)
    assert "下一个人" in page.locator(".gc-header__who").inner_text() and page.evaluate("() => history.state.typed.typed.length") > 3
    assert filled(page) == before
