"""A page on paper, and the parts that come alive with script, in real Chromium."""

from __future__ import annotations

import io
from typing import Any

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_printed_page_has_number_digest_and_page_numbers_and_no_navigation(chromium: Browser, live_server: Any) -> None:
    tab = chromium.new_context(base_url=live_server.url, locale="zh-CN").new_page()
    tab.goto("/style/")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(tab.pdf(prefer_css_page_size=True))).pages]
    whole = "".join("".join(pages).split())
    assert "XY-2026-018" in whole
    assert "9f2c41d07b8e65a3" * 4 in whole
    assert "¥31,250.00" in whole  # the long list is printed whole, not as much of it as its scroller shows
    assert "¥92,500.00" in whole
    for hidden in ("跳到主要内容", "网站地图", "模板代码：状态", "English", "保存并继续", "下一页"):
        assert hidden not in whole, hidden
    assert [f"{at}/{len(pages)}" in "".join(text.split()) for at, text in enumerate(pages, 1)] == [True] * len(pages)


def test_a_printed_page_is_black_on_white_whatever_the_theme(chromium: Browser, live_server: Any) -> None:
    tab = chromium.new_context(base_url=live_server.url).new_page()
    tab.goto("/style/")
    tab.click("button[name=contrast]")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(0, 0, 0)"
    tab.emulate_media(media="print")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert tab.evaluate("getComputedStyle(document.querySelector('main .govuk-body')).color") == "rgb(0, 0, 0)"


def test_another_row_has_numbers_of_its_own_the_focus_and_an_end(chromium: Browser, live_server: Any) -> None:
    tab = chromium.new_context(base_url=live_server.url, locale="zh-CN").new_page()
    tab.goto("/style/")
    add = tab.locator("[data-another] button[name=add]")
    add.click()
    assert tab.evaluate("document.activeElement.name") == "members-1-name"
    assert tab.locator("[name=members-TOTAL_FORMS]").input_value() == "2"
    assert tab.locator("[data-another] legend").nth(1).inner_text().split() == ["成员", "2"]
    assert tab.locator("label[for=id_members-1-name]").count() == 1
    for _time in range(3):
        add.click()
    assert tab.locator("[data-another] .gc-another__row").count() == 5


def test_tabs_show_one_section_and_all_of_them_without_script(chromium: Browser, live_server: Any) -> None:
    tab = chromium.new_context(base_url=live_server.url).new_page()
    tab.goto("/style/")
    assert [tab.locator(f"#t-{key}").is_visible() for key in ("score", "notes")] == [True, False]
    tab.locator("[role=tab]").nth(1).click()
    assert [tab.locator(f"#t-{key}").is_visible() for key in ("score", "notes")] == [False, True]
    plain = chromium.new_context(base_url=live_server.url, java_script_enabled=False).new_page()
    plain.goto("/style/")
    assert [plain.locator(f"#t-{key}").is_visible() for key in ("score", "notes")] == [True, True]
