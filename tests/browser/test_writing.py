"""Writing a bid in a real browser: whatever happens to the server, the session or the colleague, not one character is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from grants.calls.rulebook.words import count_words
from tests.browser.killable import Killable
from tests.browser.town import NARROW, WIDE
from tests.world.people import PASSWORD

pytestmark = pytest.mark.browser
FIRST = "本项目为云溪区望湖社区八十岁以上独居老人提供每周一次的入户探访。"
SECOND = "志愿者两人一组，䶮老师带队；遇紧急情况拨打 120，并在 15 分钟内告知家属。"
STATE = "[data-saving-state]"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killable]:
    made = Killable(tmp_path_factory.mktemp("site"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def contexts(chromium: Browser, site: Killable) -> Iterator[Any]:
    """Makes browsers that are closed again at the end."""
    made: list[BrowserContext] = []

    def context(**more: Any) -> BrowserContext:
        made.append(chromium.new_context(viewport=WIDE, locale="zh-CN", base_url=site.address, **more))  # type: ignore[arg-type]
        made[-1].set_default_timeout(20_000)
        return made[-1]

    yield context
    for each in made:
        each.close()


def signed_in(context: BrowserContext, username: str) -> Page:
    page = context.new_page()
    page.goto("/sign-in/")
    sign_in(page, username)
    return page


def sign_in(page: Page, username: str) -> None:
    page.locator("main [name=username]").fill(username)
    page.locator("main [name=password]").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def at(site: Killable, part: str) -> str:
    return f"/bids/{site.bid}/{part}/"


def saved(page: Page) -> None:
    expect(page.locator(STATE)).to_have_attribute("data-saving-state", "saved", timeout=60_000)


def test_the_server_is_killed_mid_typing_and_no_character_is_lost(site: Killable, contexts: Any) -> None:
    """SIGKILL between two key strokes; typing goes on; the server comes back; the database has every character."""
    page = signed_in(contexts(), site.editor)
    page.goto(at(site, "sections/basics"))
    box = page.locator("[name=summary]")
    box.press_sequentially(FIRST)
    saved(page)
    box.press_sequentially(SECOND[:20])
    site.kill()
    box.press_sequentially(SECOND[20:])
    expect(page.locator(STATE)).to_contain_text("尚未保存到服务器（本机已存）", timeout=20_000)
    site.start()
    saved(page)
    assert site.answers()["basics"]["summary"] == FIRST + SECOND


def test_the_page_is_closed_while_the_server_is_dead_and_the_text_comes_back(site: Killable, contexts: Any) -> None:
    """Power cut on both sides: what was typed is found again on the next visit, and saved."""
    context = contexts()
    page = signed_in(context, site.editor)
    page.goto(at(site, "sections/basics"))
    site.kill()
    page.locator("[name=summary]").fill("断电前写下的一句话。")
    expect(page.locator(STATE)).to_contain_text("本机已存", timeout=20_000)
    page.close(run_before_unload=False)
    site.start()
    again = context.new_page()
    again.goto(at(site, "sections/basics"))
    expect(again.locator("[name=summary]")).to_have_value("断电前写下的一句话。")
    saved(again)
    assert site.answers()["basics"]["summary"] == "断电前写下的一句话。"
    assert again.evaluate("Object.keys(localStorage).filter(key => key.startsWith('gongchuang')).length") == 0


def test_the_session_ends_mid_typing_and_the_text_is_saved_after_signing_in_again(site: Killable, contexts: Any) -> None:
    context = contexts()
    page = signed_in(context, site.editor)
    page.goto(at(site, "sections/basics"))
    site.end_sessions()
    page.locator("[name=summary]").fill("下班时登录已经失效。")
    expect(page.locator(STATE)).to_contain_text("登录已失效")
    assert site.answers()["basics"]["summary"] != "下班时登录已经失效。"
    with context.expect_page() as opened:
        page.get_by_role("link", name="重新登录").click()
    sign_in(opened.value, site.editor)
    opened.value.close()
    page.bring_to_front()
    saved(page)
    assert site.answers()["basics"]["summary"] == "下班时登录已经失效。"


def test_signing_out_on_a_shared_computer_asks_about_what_is_not_saved_and_erases_it(site: Killable, contexts: Any) -> None:
    """With the server dead nothing is confirmed: the button asks; staying keeps, erasing empties the browser's store before the sign-out goes."""
    context = contexts()
    page = signed_in(context, site.editor)
    page.goto(at(site, "sections/basics"))
    page.route("**/save/**", lambda route: route.abort())
    page.locator("[name=summary]").fill("公用电脑上没有存上的话。")
    kept = "Object.keys(localStorage).filter((key) => key.startsWith('gongchuang:unsaved')).length"
    page.wait_for_function(f"{kept} > 0")
    page.get_by_role("button", name="退出", exact=True).click()
    asked = page.locator("[data-leaving-ask]")
    expect(asked).to_be_visible()
    page.get_by_role("button", name="先不退出").click()
    expect(asked).to_be_hidden()
    assert page.evaluate(kept) == 1
    page.get_by_role("button", name="退出", exact=True).click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="清除并退出").click()
    expect(page.get_by_role("link", name="登录").first).to_be_visible()
    assert page.evaluate(kept) == 0


def test_two_colleagues_see_each_other_and_both_texts_and_nothing_is_overwritten(site: Killable, contexts: Any) -> None:
    """Both change one answer: the later one is shown both texts and chooses; other answers of the page are saved meanwhile."""
    mine = signed_in(contexts(), site.editor)
    theirs = signed_in(contexts(), site.signatory)
    mine.goto(at(site, "sections/basics"))
    theirs.goto(at(site, "sections/basics"))
    expect(theirs.locator("[data-writers]")).to_contain_text("王某 正在填写“")
    theirs.locator("[name=summary]").fill("同事的版本。")
    saved(theirs)
    mine.locator("[name=summary]").fill("我的版本。")
    panel = mine.locator("[data-two-texts-panel]")
    expect(panel).to_contain_text("同事的版本。")
    expect(panel).to_contain_text("我的版本。")
    expect(mine.locator("[data-writers]")).to_contain_text("签署人 正在填写“")
    assert site.answers()["basics"]["summary"] == "同事的版本。"
    panel.get_by_role("button", name="保留我的").click()
    saved(mine)
    assert site.answers()["basics"]["summary"] == "我的版本。"
    theirs.locator("[name=summary]").fill("又改了一次。")
    other = theirs.locator("[data-two-texts-panel]")
    expect(other).to_contain_text("我的版本。")
    other.get_by_role("button", name="采用对方的").click()
    expect(theirs.locator("[name=summary]")).to_have_value("我的版本。")
    assert site.answers()["basics"]["summary"] == "我的版本。"


def test_without_a_script_the_page_sent_whole_shows_both_texts_too(site: Killable, contexts: Any) -> None:
    mine = signed_in(contexts(java_script_enabled=False), site.editor)
    mine.goto(at(site, "sections/basics"))
    theirs = signed_in(contexts(java_script_enabled=False), site.signatory)
    theirs.goto(at(site, "sections/basics"))
    theirs.locator("[name=summary]").fill("同事先存的。")
    theirs.get_by_role("button", name="保存并返回清单").click()
    mine.locator("[name=summary]").fill("我后存的。")
    mine.get_by_role("button", name="保存并返回清单").click()
    expect(mine.locator("main")).to_contain_text("同事先存的。")
    expect(mine.locator("[name=summary]")).to_have_value("我后存的。")
    assert site.answers()["basics"]["summary"] == "同事先存的。"
    mine.get_by_role("button", name="保存并返回清单").click()
    expect(mine.locator("main")).to_contain_text("同事先存的。")  # no choice was made: nothing is overwritten yet
    assert site.answers()["basics"]["summary"] == "同事先存的。"
    mine.get_by_label("保留我的").check()
    mine.get_by_role("button", name="保存并返回清单").click()
    expect(mine.locator("h1")).not_to_contain_text("基本")
    assert site.answers()["basics"]["summary"] == "我后存的。"


def test_half_composed_text_is_not_saved_and_the_finished_one_is(site: Killable, contexts: Any) -> None:
    """A real input method (over the browser's own protocol): while pinyin is being composed no save goes out, however long it takes."""
    context = contexts()
    page = signed_in(context, site.editor)
    page.goto(at(site, "sections/basics"))
    page.clock.install()
    bodies: list[str] = []
    page.on("request", lambda request: bodies.append(request.post_data or "") if "/save/" in request.url else None)
    page.locator("[name=summary]").fill("")
    page.clock.run_for(1000)
    saved(page)
    page.locator("[name=summary]").focus()
    bodies.clear()
    keyboard = context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "shequ", "selectionStart": 5, "selectionEnd": 5})
    expect(page.locator("[name=summary]")).to_have_value("shequ")
    page.clock.run_for(60_000)
    assert not [body for body in bodies if "shequ" in body]
    keyboard.send("Input.insertText", {"text": "社区"})
    expect(page.locator("[name=summary]")).to_have_value("社区")
    with page.expect_request(lambda request: "/save/" in request.url and "社区" in (request.post_data or "")):
        page.clock.run_for(1000)
    saved(page)
    assert site.answers()["basics"]["summary"] == "社区"


def test_a_change_is_sent_one_second_after_the_first_key_however_fast_typing_goes_on(site: Killable, contexts: Any) -> None:
    """Saving does not wait for a pause: one second after the first unsaved change it goes out, so that it has ended within two."""
    page = signed_in(contexts(), site.editor)
    page.goto(at(site, "sections/basics"))
    page.clock.install()
    box = page.locator("[name=summary]")
    with page.expect_request(lambda request: "/save/" in request.url and "一二三" in (request.post_data or "")):
        for text in ("一", "一二", "一二三"):
            box.fill(text)
            page.clock.run_for(400)
    saved(page)
    assert site.answers()["basics"]["summary"].startswith("一二三")


def test_counters_count_as_word_does_and_paste_is_never_cut(site: Killable, contexts: Any) -> None:
    """The script's counter agrees with the server's on every shared sample; an over-long paste stays whole, and says by how much."""
    page = signed_in(contexts(), site.editor)
    page.goto(at(site, "sections/basics"))
    samples = json.loads(Path("tests/vectors/words.json").read_text())
    texts = [sample["text"] for sample in samples]
    counted = page.evaluate("async texts => { const m = await import('/static/web/words.js'); return texts.map(m.countWords) }", texts)
    assert counted == [sample["words"] for sample in samples] == [count_words(text) for text in texts]
    page.locator("[name=summary]").fill("长" * 612)
    expect(page.locator("#id_summary_count")).to_have_text("已写 612 字，超出 112 字，请删减")
    saved(page)
    assert site.answers()["basics"]["summary"] == "长" * 612
    expect(page.locator("[data-answer=summary]")).to_contain_text("请删减 112 字")
    page.locator("[name=summary]").fill("写完了，共 3 场")
    expect(page.locator("#id_summary_count")).to_have_text("已写 7 字，还可以写 493 字")
    saved(page)


@pytest.mark.parametrize("part", ["about", "sections/basics", "sections/plan", "budget", "kpis", "team", ""])
def test_every_page_fits_a_telephone(site: Killable, contexts: Any, part: str) -> None:
    page = signed_in(contexts(), site.editor)
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page.goto(at(site, part).replace("//", "/"))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


SHEET = "用途\t资金来源\t数量\t单价（元）\t费用类别\t经办人\n入户探访\t申请资助\t１２\t1,200.50\t{category}\t张某\n茶歇\t申请资助\t1\t约一百\t杂费\t\n合计\t\t\t14,506\t\t\n"


def sentences(page: Page) -> list[str]:
    return page.locator("[data-sentence]").all_inner_texts()


def test_the_budget_adds_up_while_typing_and_says_what_the_server_says(site: Killable, contexts: Any) -> None:
    """Sums and limits change with the keys, in whole fen; after a reload the server writes the very same sentences."""
    page = signed_in(contexts(), site.editor)
    page.goto(at(site, "budget"))
    page.locator("[name=form-0-category]").select_option("activity")
    page.locator("[name=form-0-name]").fill("入户探访")
    page.locator("[name=form-0-unit_price]").fill("１，２００．１５元")
    page.locator("[name=form-0-quantity]").fill("3")
    expect(page.locator("[data-row-amount]").first).to_have_text("¥3,600.45")
    expect(page.locator("[data-total=grant]")).to_have_text("¥3,600.45")
    page.locator("[name=form-1-category]").select_option("activity")
    page.locator("[name=form-1-name]").fill("大型活动")
    page.locator("[name=form-1-unit_price]").fill("900000")
    expect(page.locator(".gc-caps__line--broken").first).to_contain_text("超 ¥")
    saved(page)
    typed = sentences(page)
    assert any("上限" in sentence and "，超 ¥" in sentence for sentence in typed)
    expect(page.locator("[data-told]")).to_be_visible()
    page.reload()
    server = page.request.get(at(site, "budget")).text()
    assert all(f"<span data-sentence>{sentence}</span>" in server for sentence in typed)
    assert [row[1] for row in site.budget()] == ["入户探访", "大型活动"]


def test_rows_are_added_moved_and_taken_out_by_the_script_and_saved(site: Killable, contexts: Any) -> None:
    page = signed_in(contexts(), site.editor)
    page.goto(at(site, "budget"))
    before = page.locator("table[data-rows] tbody tr").count()
    page.get_by_role("button", name="再加几行").click()
    expect(page.locator("table[data-rows] tbody tr")).to_have_count(before + 3)
    page.locator("[data-move='1']").first.click()
    expect(page.locator("[name=form-0-name]")).to_have_value("大型活动")
    page.locator("label[for=id_form-0-DELETE]").click()
    expect(page.locator("[data-total=grant]")).to_have_text("¥3,600.45")
    saved(page)
    assert [row[1] for row in site.budget()] == ["入户探访"]


def test_a_sheet_pasted_from_excel_fills_rows_and_says_what_it_could_not_read(site: Killable, contexts: Any) -> None:
    page = signed_in(contexts(), site.editor)
    page.goto(at(site, "budget"))
    category = page.locator("[name=form-0-category] option[value=activity]").inner_text()
    paste = """(cell, text) => { const data = new DataTransfer(); data.setData("text/plain", text);
        cell.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })); }"""
    page.locator("[name=form-0-name]").evaluate(paste, SHEET.format(category=category))
    report = page.locator("[data-paste-report]")
    expect(report).to_contain_text("已填入 2 行")
    for told in ("没有用到这些列：经办人", "第 3 行：费用类别“杂费”不在选项中", "第 3 行：单价（元）“约一百”不是数字", "第 4 行是合计"):
        expect(report).to_contain_text(told)
    expect(page.locator("[name=form-1-quantity]")).to_have_value("１２")
    expect(page.locator("[data-row-amount]").nth(1)).to_have_text("¥14,406.00")
    expect(page.locator("[data-problem]").first).to_be_visible()  # kept as typed, and told beside the cell
    page.locator("[name=form-2-unit_price]").fill("100")
    page.locator("[name=form-2-category]").select_option("activity")
    saved(page)
    expect(page.locator("[data-problem]")).to_have_count(0)
    assert [row[1] for row in site.budget()] == ["入户探访", "入户探访", "茶歇"]


def test_the_script_s_arithmetic_is_the_server_s(site: Killable, contexts: Any) -> None:
    """Products and shares of thousands of amounts, rounded as grants/money.py rounds."""
    import random
    from decimal import Decimal

    from grants.money import ceiling, fen, floor, yuan

    dice = random.Random(20260301)
    cases = [(f"{dice.randrange(10**9) / 100:.2f}", f"{dice.randrange(10**5) / 100:.2f}", f"{dice.randrange(10**4) / 100:.2f}") for _ in range(2000)]
    page = signed_in(contexts(), site.editor)
    told = page.evaluate(
        """async cases => { const m = await import("/static/web/money.js"); return cases.map(([price, n, share]) => {
            const amount = m.product(m.hundredths(price), m.hundredths(n));
            return [m.yuan(amount), m.yuan(m.part(amount, share, false)), m.yuan(m.part(amount, share, true))]; }); }""",
        cases,
    )
    for (price, n, share), said in zip(cases, told, strict=True):
        amount = fen(Decimal(price) * Decimal(n))
        part = amount * Decimal(share) / 100
        assert said == [yuan(amount), yuan(floor(part)), yuan(ceiling(part))]
