"""The round trip in English: from a Chinese public page into English, signed in, through an applicant's tasks, and back. Nothing of the interface is Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from grants import clock
from tests.browser.town import Town, Visitor
from tests.world import bidding, calls, people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TEXTS = """() => { const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const at = node.parentElement;
    if (at.closest('script, style, textarea, select, [lang^=zh]') || !/[\\u4e00-\\u9fff]/.test(node.textContent)) continue;
    found.push(node.textContent.trim());
  }
  for (const e of document.querySelectorAll('[aria-label], [title], [placeholder], input[type=submit]'))
    for (const name of ['aria-label', 'title', 'placeholder', 'value']) if (/[\\u4e00-\\u9fff]/.test(e.getAttribute(name) ?? '')) found.push(e.getAttribute(name));
  return found; }"""


def words(value: Any) -> Iterator[str]:
    """Every text in plain data, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from (*words(key), *words(inner))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from words(inner)


def test_a_bid_is_written_in_english_and_the_interface_says_nothing_in_chinese(town: Town) -> None:
    """What stays Chinese is what people wrote: the call's rules, the organisation, the bid."""
    clock.set_now(calls.OPENS)
    desk = people.office("澄江市云溪区青禾街道办事处")
    call = calls.opened(desk, calls.rules("YX-2026-04"))
    clock.set_now(bidding.opens(call))
    who = people.body(desk)
    bid = bidding.started(call, who)
    content = {*words(call.rules.plain()), *words(bid.answers), bid.title, call.title, str(desk.agency), desk.agency.short_name, str(who.organisation)}
    for person in (who.signatory, *people.User.objects.all()):
        content |= {str(person), person.username}
    content |= {str(getattr(who.organisation, name)) for name in ("legal_representative", "address", "district", "field", "phone")}

    visitor, faults = town.visitor(), list[str]()
    visitor.go(f"/calls/{call.code}/")
    visitor.press("English", inside=".gc-header")
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    english(visitor, content, faults)
    visitor.press("Sign in", inside=".gc-header")
    english(visitor, content, faults)
    visitor.type(username=who.signatory.username, password=people.PASSWORD)
    visitor.press("Sign in")
    expect(visitor.page.locator(".gc-header__who")).to_contain_text(str(who.signatory))
    english(visitor, content, faults)

    visitor.go(f"/bids/{bid.pk}/")
    english(visitor, content, faults)
    visitor.press("Budget")
    english(visitor, content, faults)
    visitor.press("Save and work out again")
    english(visitor, content, faults)
    visitor.go(f"/bids/{bid.pk}/about/")
    visitor.type(title="术后回家第一个月")
    visitor.page.get_by_role("button", name=re.compile("^Save")).first.click()
    visitor.page.wait_for_load_state()
    english(visitor, {*content, "术后回家第一个月"}, faults)
    for page in ("check", "kpis", "team", "attachments", "carried"):
        visitor.go(f"/bids/{bid.pk}/{page}/")
        english(visitor, {*content, "术后回家第一个月"}, faults)
    assert not Axe().run(visitor.page).response["violations"]

    assert not faults, "\n".join(sorted(set(faults)))
    visitor.press("中文", inside=".gc-header")
    expect(visitor.page.locator("html")).to_have_attribute("lang", "zh-Hans")
    visitor.press("退出", inside=".gc-header")
    visitor.go(f"/calls/{call.code}/")
    visitor.sees("看全部问题、预算上限和评分标准")


def english(visitor: Visitor, content: set[str], faults: list[str]) -> None:
    """The page is in English but for `content`, what the browser is told is Chinese, and the name of the site; faults are gathered."""
    assert visitor.page.locator("html").get_attribute("lang") == "en"
    known = sorted({*(text for text in content if re.search("[\u4e00-\u9fff]", text)), "公创", "中文"}, key=len, reverse=True)
    for text in visitor.page.evaluate(TEXTS):
        rest = text
        for name in known:
            rest = rest.replace(name.strip(), "")
        if re.search("[\u4e00-\u9fff]", rest):
            faults.append(f"{visitor.page.url.removeprefix(visitor.town.address)}: {text[:120]}")
