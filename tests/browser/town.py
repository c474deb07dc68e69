"""A town of people with browsers: each signs in by hand, clicks, types and uploads; every page is looked at in two widths.

Photographed it is only where somebody wants the pictures ($SCREENSHOTS): two whole pages as PNG cost more than the page itself.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from grants import clock
from grants.people.models import User
from review.models import Draw, Panel
from tests.world.people import PASSWORD

WIDE, NARROW = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
CHROMIUM = "/usr/bin/chromium"
PATIENCE = 30_000
"""Milliseconds that anybody waits for a page or a sentence: two browsers and two servers may share two cores. Nobody waits when it is there."""
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


class Town:
    """The site, its visitors, and the folder where pictures of every page go, if anybody wants them."""

    def __init__(self, browser: Browser, address: str, pictures: Path | None = None) -> None:
        self.browser, self.address, self.pictures = browser, address, pictures
        self.visitors: dict[Any, Visitor] = {}
        self.shots = 0

    def visitor(self) -> Visitor:
        """Somebody without an account."""
        return self.visitors.setdefault(None, Visitor(self, self._context(), "visitor"))

    def person(self, user: User) -> Visitor:
        """The browser of `user`, signed in through the form on first use."""
        if user.pk not in self.visitors:
            self.visitors[user.pk] = Visitor(self, self._context(), user.username)
            self.visitors[user.pk].sign_in(user)
        return self.visitors[user.pk]

    def _context(self) -> BrowserContext:
        return self.context(viewport=WIDE)

    def context(self, **more: Any) -> BrowserContext:
        """A browser of its own."""
        made = self.browser.new_context(locale="zh-CN", base_url=self.address, **more)
        made.set_default_timeout(PATIENCE)
        return made

    def picture(self, page: Page, who: str, width: str = "") -> None:
        """One whole page, numbered in the order in which the test saw them."""
        if self.pictures is None:
            return
        self.pictures.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w-]+", "_", page.url.removeprefix(self.address)).strip("_")[:60] or "home"
        name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "x", name)
        page.screenshot(path=self.pictures / f"{self.shots:03}-{who}-{name}{width}.png", full_page=True)

    def last_pictures(self, folder: Path) -> None:
        """Of a test that failed: what every open page shows now."""
        self.pictures = folder
        for context in self.browser.contexts:
            for page in context.pages:
                self.shots += 1
                self.picture(page, "failed")


class Visitor:
    """One person's browser. Every method fails when the page does not answer as a person would expect."""

    def __init__(self, town: Town, context: BrowserContext, name: str) -> None:
        self.town, self.name = town, name
        self.page: Page = context.new_page()
        self.asked = 0  # how often the site wanted to know again who this is
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        if message.type == "error" and "status of 4" not in message.text:  # a refusal's 403, 409 or 422 is no fault of the page
            self.faults.append(message.text)

    def sign_in(self, user: User) -> None:
        self.go("/sign-in/")
        self.type(username=user.username, password=PASSWORD)
        self.press("登录")
        expect(self.page.locator(".gc-header__who")).to_contain_text(str(user))

    def go(self, path: str) -> None:
        answer = self.page.goto(path) or self.page.goto(path)  # none: a page that follows a job has just loaded itself anew
        assert answer is not None
        assert answer.status < 500, f"{path}: {answer.status}"
        self.show_again()
        self.look()

    def open(self, obj: Any) -> None:
        """The object's page on the desk."""
        self.go(f"/o/{obj.kind()}/{obj.pk}/")

    def press(self, label: str, *, inside: str = "main") -> None:
        """Click a button or a link by its words."""
        self._named(label, inside).click()
        self.page.wait_for_load_state()
        self.show_again()
        self.look()

    def take(self, obj: Any, label: str, *, note: str = "", files: dict[str, Any] | None = None, **typed: Any) -> None:
        """A whole step: open the object, click the step, fill its form, confirm; the site must say that it is done."""
        self.open(obj)
        self._named(label, "main").click()
        self.page.wait_for_load_state()
        self.show_again()
        self.look()
        self.type(**({"note": note} if note else {}), **typed)
        self.upload(files or {})
        self.press(f"确认：{label}")
        self.done(f"已完成：{label}")

    def show_again(self) -> None:
        """Asked again who one is, as on a slow day between two acts that ask: the password, and on with what was typed."""
        if not self.page.url.removeprefix(self.town.address).startswith(reverse("account_reauthenticate")):
            return
        self.asked += 1
        self.look()
        self.type(password=PASSWORD)
        self._named("确认", "main").click()
        self.page.wait_for_load_state()
        if self.page.url.removeprefix(self.town.address).startswith(reverse("desk:resume")):
            self.look()
            self._named("继续办理", "main").click()
            self.page.wait_for_load_state()

    def draw_panel(self, call: Any) -> Panel:
        """Announce the list of experts with a beacon that falls an hour later, let it fall, enter it, draw."""
        due = clock.now().replace(second=0, microsecond=0) + timedelta(hours=1)
        self.go(reverse("review:convene", args=[call.pk]))
        self.type(source="双色球", round="2026039", due=f"{due.astimezone(clock.TZ):%Y-%m-%dT%H:%M}")
        self.press("公布名单")
        draw = Draw.objects.get(call=call)
        clock.set_now(due)
        self.take(draw, "填写公共随机源", value="03 07 12", evidence="中国福彩网公告")
        self.take(draw, "抽取", name="评审组")
        draw.refresh_from_db()
        assert draw.panel is not None
        return draw.panel

    def type(self, **values: Any) -> None:
        """Fill fields by name; True ticks a box, a list ticks several, a choice is selected by its value."""
        for name, value in values.items():
            self._enter(self.page.locator(f'main [name="{name}"]:not([type=hidden])'), value)

    def _enter(self, field: Locator, value: Any) -> None:
        kind = field.first.get_attribute("type") or field.first.evaluate("e => e.tagName.toLowerCase()")
        if kind in ("checkbox", "radio"):
            wanted = value if isinstance(value, list) else [value]
            for one in wanted:
                box = field.first if one is True else field.and_(self.page.locator(f'[value="{one}"]'))
                box.check()
        elif kind == "select":
            field.first.select_option(str(value))
        else:
            field.first.fill(str(value))

    def value(self, name: str) -> str:
        """What a field holds now."""
        return self.page.locator(f'main [name="{name}"]').input_value()

    def first_choice(self, name: str) -> str:
        """The first choice of a list that is not blank."""
        return str(self.page.locator(f'main [name="{name}"] option:not([value=""])').first.get_attribute("value"))

    def upload(self, files: dict[str, Any]) -> None:
        """Field name → (file name, bytes)."""
        for name, (called, content) in files.items():
            media = "application/pdf" if called.endswith("pdf") else "image/png"
            self.page.locator(f'main [name="{name}"]').set_input_files({"name": called, "mimeType": media, "buffer": content})

    def done(self, sentence: str) -> None:
        """The green banner says so."""
        expect(self.page.locator(".govuk-notification-banner--success")).to_contain_text(sentence)

    def sees(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words)

    def _named(self, label: str, inside: str) -> Locator:
        """A button or a link that begins with these words; what looks like a button may be either."""
        words, place = re.compile(rf"^\s*{re.escape(label)}"), self.page.locator(inside)
        return place.get_by_role("button", name=words).or_(place.get_by_role("link", name=words)).first

    def look(self) -> None:
        """Nothing may stick out of a telephone, and no script may fail."""
        assert not self.faults, f"{self.page.url}: {self.faults}"
        self.town.shots += 1
        self.town.picture(self.page, self.name, "-wide")
        self.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
        width = self.page.evaluate("document.documentElement.scrollWidth")
        self.town.picture(self.page, self.name, "-narrow")
        self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        assert width <= NARROW["width"], f"{self.page.url} is {width} px wide on a telephone"
