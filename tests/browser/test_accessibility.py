"""axe-core on every kind of page that anybody reaches: both languages, both contrasts, large type; the keyboard alone; nothing sticks out.

Pages are found by walking (tests/world/crawl.py), so a new page is tested by being linked. Each kind is looked at once, as the first role
that reaches it: as it is, with large type, and with high contrast in Chinese; then in English.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from grants import clock
from tests.browser.town import NARROW, WIDE
from tests.world import village
from tests.world.crawl import Found, walk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASK = f"""async (only) => {{
  const found = await axe.run(document, {{runOnly: only.length ? {{type: "rule", values: only}} : {{type: "tag", values: {RULES}}}, resultTypes: ["violations"]}});
  return found.violations.map(v => `${{v.id}}: ${{v.help}} – ${{v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + (n.any[0]?.message ?? "")).join(" | ")}}`);
}}"""
SETTLED = """async () => {
  await document.fonts.ready;
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));  // what observes sizes has run
}"""
COLOURS = ["color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable"]


def signed_in(browser: Browser, address: str, user: Any, **more: Any) -> BrowserContext:
    """A browser of `user` that may run what a test brings along (the policy stays on for everybody else)."""
    context = browser.new_context(base_url=address, bypass_csp=True, locale="zh-CN", viewport=WIDE, **more)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    if user is not None:
        client = Client()
        client.force_login(user)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": address}])
    return context


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds on the open page, under `rules` or under all of WCAG 2.2 AA and best practice, once fonts are in and sizes observed."""
    page.evaluate(SETTLED)
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    return list(page.evaluate(ASK, list(rules)))


def wear(page: Page, *classes: str) -> None:
    """As the header's switches dress the page: the server would send these classes on its root."""
    page.evaluate("(names) => document.documentElement.classList.add(...names)", list(classes))


@pytest.fixture
def everywhere(live_server: Any) -> Iterator[dict[str, tuple[Any, list[Found]]]]:
    """Role → (user, the kinds of page that this role is the first to reach)."""
    made = village.settled()
    clock.set_now(made.now)
    seen: set[str] = set()
    found: dict[str, tuple[Any, list[Found]]] = {}
    for role, user in made.people().items():
        pages = [page for page in walk(user) if page.kind not in seen]
        seen |= {page.kind for page in pages}
        found[role] = (user, pages)
    yield found
    clock.set_now(None)


def test_no_page_breaks_a_rule_of_accessibility_in_any_dress(chromium: Browser, live_server: Any, everywhere: Any) -> None:
    faults: dict[str, list[str]] = {}
    looked = 0
    for role, (user, pages) in everywhere.items():
        context = signed_in(chromium, live_server.url, user)
        tab = context.new_page()
        for page in pages:
            looked += 1
            for fault in looked_at(tab, page.path):
                faults.setdefault(fault, []).append(f"{role} {page.path}")
        context.close()
    assert looked > 60
    assert not faults, "\n".join(
        f"{fault}\n    {'; '.join(places[:4])} ({len(places)})" for fault, places in sorted(faults.items())
    )


def looked_at(tab: Page, path: str) -> list[str]:
    """Faults of one page in Chinese: as it is, large, on a telephone with large type, in high contrast; then in English."""
    tab.set_viewport_size(WIDE)  # type: ignore[arg-type]
    tab.goto(path)
    faults = [f"plain {fault}" for fault in violations(tab)]
    wear(tab, "gc-contrast")
    faults += [f"contrast {fault}" for fault in violations(tab, *COLOURS)]
    wear(tab, "gc-large")
    tab.set_viewport_size(NARROW)  # type: ignore[arg-type]
    faults += [f"large {fault}" for fault in violations(tab, *COLOURS)]
    wide = tab.evaluate("document.documentElement.scrollWidth")
    if wide > NARROW["width"]:
        faults.append(f"large: {wide} px wide on a telephone: {tab.evaluate(STICKS_OUT)}")
    tab.context.add_cookies([{"name": "django_language", "value": "en", "url": tab.url}])
    tab.goto(path)
    faults += [f"english {fault}" for fault in violations(tab)]
    tab.context.clear_cookies(name="django_language")
    return faults


STICKS_OUT = """() => [...document.querySelectorAll("main *, header *, footer *, nav *")]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".gc-scroll, .gc-chart__scroll, .gc-table, [tabindex='0']"))
  .slice(0, 2).map(e => e.outerHTML.slice(0, 120)).join(" | ")"""


FOCUSED = "() => ({tag: document.activeElement.tagName, id: document.activeElement.id, text: document.activeElement.innerText?.trim() ?? ''})"
# A date's parts are marked by the browser inside the control.
SHOWN = """() => { const s = getComputedStyle(document.activeElement), r = document.activeElement.getBoundingClientRect();
  return r.width > 0 && r.height > 0 && (document.activeElement.type?.startsWith('date') || s.outlineStyle !== 'none' || s.boxShadow !== 'none' || s.backgroundColor === 'rgb(255, 221, 0)'); }"""


def test_the_keyboard_alone_reaches_everything_in_reading_order(chromium: Browser, live_server: Any) -> None:
    """Skip link first, then header, menu, content, foot; every stop is visible; no trap; skipping lands in the content."""
    tab = signed_in(chromium, live_server.url, None).new_page()
    tab.goto("/style/")
    tab.keyboard.press("Tab")
    assert tab.evaluate(FOCUSED)["text"] == "跳到主要内容"
    tops, stops = [], 0
    while stops < 400:
        tab.keyboard.press("Tab")
        here = tab.evaluate(FOCUSED)
        if here["tag"] == "BODY":
            break
        stops += 1
        assert tab.evaluate(SHOWN), f"one cannot see that {here} has the focus"
        tops.append(tab.evaluate("() => document.activeElement.closest('header, .gc-nav, main, footer')?.className ?? ''"))
    assert 40 < stops < 400, "the focus left the page after its last stop"
    order = list(dict.fromkeys(tops))
    assert [next(name for name in ("header", "nav", "main", "footer") if name in part) for part in order if part] == [
        "header",
        "nav",
        "main",
        "footer",
    ]


def test_the_skip_link_moves_the_focus_into_the_content(chromium: Browser, live_server: Any) -> None:
    tab = signed_in(chromium, live_server.url, None).new_page()
    tab.goto("/style/")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert tab.evaluate(FOCUSED)["id"] == "main-content"
    tab.keyboard.press("Tab")
    assert tab.evaluate("() => !!document.activeElement.closest('main')")


def test_a_list_is_filtered_sorted_and_read_out_without_a_mouse_and_without_script(chromium: Browser, live_server: Any) -> None:
    """With htmx only the table is exchanged and the new count is said; without script the same address gives the same rows."""
    tab = signed_in(chromium, live_server.url, None).new_page()
    tab.goto("/style/")
    tab.evaluate("window.same = true")
    tab.focus("#id_state")
    tab.keyboard.press("ArrowDown")
    tab.focus(".gc-filter button")
    tab.keyboard.press("Enter")
    tab.wait_for_function("document.getElementById('live').textContent.includes('共 20 行')")
    assert tab.evaluate("window.same") is True
    assert "state=approved" in tab.url
    tab.focus("#table-list-by-amount")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("th[aria-sort=ascending]")
    assert tab.evaluate("window.same") is True
    assert tab.evaluate(FOCUSED)["id"] == "table-list-by-amount"
    plain = signed_in(chromium, live_server.url, None, java_script_enabled=False).new_page()
    plain.goto(tab.url)
    assert plain.locator("#table-list tbody tr").count() == 20
    plain.locator("#id_state").select_option("paid")
    plain.locator(".gc-filter button").click()
    assert plain.locator("#table-list tbody tr").first.locator(".govuk-tag").inner_text() == "已付"
    assert "sort=amount" in plain.url


def test_on_a_telephone_each_row_of_a_list_is_a_card_and_still_a_table(chromium: Browser, live_server: Any) -> None:
    """At 390 px nothing of the list scrolls sideways, every value stands beside the name of its column, and it can still be sorted."""
    tab = signed_in(chromium, live_server.url, None).new_page()
    tab.set_viewport_size(NARROW)
    tab.goto("/style/")
    box = tab.locator("#table-list .gc-data__scroll")
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
    cell = tab.locator("#table-list tbody tr").first.locator("td").first
    assert cell.evaluate("e => getComputedStyle(e, '::before').content") == f'"{cell.get_attribute("data-label")}"'
    assert tab.get_by_role("table", name="付款单").get_by_role("rowheader").count() > 0
    assert violations(tab) == []
    tab.locator("#table-list-by-amount").click()
    tab.wait_for_selector("th[aria-sort=ascending]")
    pictured = tab.locator("#table-list").screenshot
    if folder := os.environ.get("SCREENSHOTS"):
        pictured(path=f"{folder}/list-as-cards.png")
    tab.set_viewport_size(WIDE)
    assert cell.evaluate("e => getComputedStyle(e).display") == "table-cell"


def test_no_error_of_the_policy_or_of_a_script_on_the_style_page(chromium: Browser, live_server: Any) -> None:
    """Under the real policy: htmx adds no style, evaluates nothing."""
    context = chromium.new_context(base_url=live_server.url)
    tab, said = context.new_page(), []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto("/style/?sort=-amount")
    tab.locator("#table-list-by-number").click()
    tab.wait_for_selector("th[aria-sort=ascending]")
    assert said == []
