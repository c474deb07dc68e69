"""The expert's desk in a real browser: ten bids by keyboard alone, an input method that composes, a telephone, no JavaScript, a hall."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from grants import clock
from review import services
from review.ballots import own_criteria
from review.models import Draft, Meeting, Panel, Review
from tests.browser.town import NARROW, Town
from tests.world import review as world
from tests.world.people import PASSWORD
from tests.world.review import Judged

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def judged(town: Town) -> Judged:
    """Two bids; the clock stands four days after closing."""
    found = world.judged(world.rules(stages=2), n=2)
    clock.set_now(world.after(found.call, 4))
    return found


def member(panel: Panel) -> Any:
    found = (
        panel.members.filter(alternate=False, chair=False, seat="sector")
        .select_related("expert__user")
        .order_by("position")
        .first()
    )
    assert found is not None
    return found.expert


def accepted(panel: Panel, expert: Any) -> list[Review]:
    rows = panel.reviews.filter(expert=expert).select_related(*Review.door_select).order_by("stage", "bid__number")
    return [services.accept(review, by=expert.user, pledge=True) for review in rows]


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-labelledby') || document.activeElement.name || ''"))


def focus_reaches(page: Page, name: str, within: float = 30.0) -> None:
    """The focus stands on the field whose name begins so, at the latest after so many seconds.

    A script sets the focus a moment after the page is there, later on a busy machine; the policy of the page
    forbids the browser's own waiting with an expression, so we ask again ourselves.
    """
    until = time.monotonic() + within
    while not (found := focused(page)).startswith(name) and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert found.startswith(name), f"focus on {found!r}, not on {name!r}"


def test_ten_bids_by_keyboard_alone(town: Town) -> None:
    """From the list to the last sheet without touching the mouse: pledge, digits, Tab, a comment, Ctrl+Enter, skip, help, J and K."""
    judged = world.judged(n=10)
    clock.set_now(world.after(judged.call, 4))
    panel = world.started(judged.call, judged.desk.officer)
    expert = member(panel)
    who = town.person(expert.user)
    page, keys = who.page, who.page.keyboard
    who.go("/review/mine/next/")
    for turn in range(10):
        expect(page.locator("#pledge")).to_be_visible()
        page.locator("#pledge").focus()
        keys.press("Space")
        keys.press("Enter")
        expect(page.locator(".gc-queue__at")).to_contain_text("/ 10 份")
        review = Review.objects.select_related(*Review.door_select).get(pk=page.url.split("/reviews/")[1][:36])
        criteria = own_criteria(review)
        focus_reaches(page, f"name-{criteria[0].code}")
        for i in range(len(criteria)):
            keys.press(str((turn + i) % 5 + 1))
            if i + 1 < len(criteria):
                keys.press("Tab")
                focus_reaches(page, f"name-{criteria[i + 1].code}")
        if turn == 0:
            keys.press("c")
            focus_reaches(page, "comment_")
            keys.type("1 jkrs?")  # letters and digits in a text field are text
            keys.press("Escape")
            keys.press("p")
            focus_reaches(page, "panel_")
            keys.type("2 sjp")
            keys.press("Escape")
            keys.press("?")
            expect(page.locator("#keys")).to_have_attribute("open", "")
            keys.press("?")
            who.look()
        keys.press("Control+Enter")
        page.wait_for_load_state()
    who.sees("都填完了")
    who.look()
    rows = panel.reviews.filter(expert=expert).select_related(*Review.door_select)
    for review in rows:
        assert len(world.sheet(review)) == len(own_criteria(review)), review
    first = next(r for r in rows if any(m.comment == "1 jkrs?" for m in world.sheet(r).values()))
    values = {c.code: c.top * (i % 5 + 1) / 5 for i, c in enumerate(own_criteria(first))}
    assert {code: m.value for code, m in world.sheet(first).items()} == values
    assert [m.panel_comment for m in world.sheet(first).values() if m.panel_comment] == ["2 sjp"]
    who.press("提交全部已填完的评分")
    who.sees("已提交 10 份")


def test_j_k_s_and_r_go_where_they_say_and_nowhere_when_switched_off(town: Town, judged: Judged) -> None:
    panel = world.started(judged.call, judged.desk.officer)
    expert = member(panel)
    reviews = accepted(panel, expert)
    who = town.person(expert.user)
    page, keys = who.page, who.page.keyboard
    who.go(f"/review/reviews/{reviews[0].pk}/score/?stage=document")
    keys.press("j")
    page.wait_for_url(f"**/reviews/{reviews[1].pk}/score/?stage=document")
    keys.press("k")
    page.wait_for_url(f"**/reviews/{reviews[0].pk}/score/?stage=document")
    keys.press("s")
    page.wait_for_url(f"**/reviews/{reviews[1].pk}/score/?stage=document")
    keys.press("r")
    page.wait_for_url("**/recuse/?stage=document")
    who.type(reason="负责人是我表弟")
    who.press("确认回避")
    who.done("已回避")
    who.go(f"/review/reviews/{reviews[0].pk}/score/")
    keys.press("?")
    who.press("关闭单键快捷键")
    page.locator("body").press("j")
    page.locator("body").press("r")
    assert page.url.endswith(f"/reviews/{reviews[0].pk}/score/")
    page.locator("[data-criterion]").first.focus()
    keys.press("5")
    assert who.value(f"mark_{own_criteria(reviews[0])[0].code}") == ""
    expert.refresh_from_db()
    assert expert.shortcuts is False


def test_an_input_method_that_composes_triggers_nothing(town: Town, judged: Judged) -> None:
    """Real composition through the browser's own protocol, and the key code 229 that older browsers send."""
    panel = world.started(judged.call, judged.desk.officer)
    expert = member(panel)
    review = accepted(panel, expert)[0]
    who = town.person(expert.user)
    page = who.page
    who.go(f"/review/reviews/{review.pk}/score/")
    code = own_criteria(review)[0].code
    place = page.locator("[data-criterion]").first
    place.focus()
    for told in ({"isComposing": True}, {"keyCode": 229}):
        for key in "j5rsc?":
            page.evaluate(
                "([key, told]) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true, ...told}))",
                [key, told],
            )
    assert page.url.endswith(f"/reviews/{review.pk}/score/")
    assert who.value(f"mark_{code}") == ""
    assert page.locator("#keys").get_attribute("open") is None
    page.keyboard.press("c")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Input.imeSetComposition", {"text": "jk", "selectionStart": 2, "selectionEnd": 2})
    devtools.send("Input.insertText", {"text": "简洁"})
    assert who.value(f"comment_{code}") == "简洁"
    assert page.url.endswith(f"/reviews/{review.pk}/score/")


def test_what_is_typed_is_on_the_server_without_a_click_and_survives_a_dead_line(town: Town, judged: Judged) -> None:
    panel = world.started(judged.call, judged.desk.officer)
    expert = member(panel)
    review = accepted(panel, expert)[0]
    who = town.person(expert.user)
    page, url = who.page, f"/review/reviews/{review.pk}/score/"
    who.go(url)
    page.locator('[name="mark_need"]').fill("12.5")
    expect(page.locator("[data-said]")).to_contain_text("已保存")
    assert Draft.objects.filter(review=review).latest("number").content == {"mark_need": "12.5"}
    expect(page.locator("[data-sum]").first).to_have_text("12.5")
    page.route("**/draft/", lambda route: route.abort())
    page.locator('[name="mark_design"]').fill("20")
    expect(page.locator("[data-said]")).to_contain_text("还没有保存到服务器")
    who.faults.clear()  # the browser reports the line we cut
    page.unroute("**/draft/")
    page.close()
    again = who.page = town.person(expert.user).page.context.new_page()
    again.goto(url)
    assert again.locator('[name="mark_design"]').input_value() == "20"
    expect(again.locator("[data-said]")).to_contain_text("已保存")
    assert Draft.objects.filter(review=review).latest("number").content == {"mark_need": "12.5", "mark_design": "20"}


def test_signing_out_asks_about_a_ballot_that_only_this_browser_has_and_erases_it(town: Town, judged: Judged) -> None:
    """A mark that never reached the server, and one that an older program left under its own name: neither stays for the next person."""
    panel = world.started(judged.call, judged.desk.officer)
    expert = member(panel)
    review = accepted(panel, expert)[0]
    who = town.person(expert.user)
    page, url = who.page, f"/review/reviews/{review.pk}/score/"
    who.go(url)
    page.route("**/draft/", lambda route: route.abort())
    page.evaluate(f"localStorage.setItem('ballot/{review.pk}', JSON.stringify({{base: document.querySelector('[name=base]').value, fields: {{mark_need: '11'}}}}))")
    page.goto(url)
    assert page.locator('[name="mark_need"]').input_value() == "11", "what an older program left is still found"
    page.locator('[name="mark_design"]').fill("20")
    expect(page.locator("[data-said]")).to_contain_text("还没有保存到服务器")
    who.faults.clear()  # the browser reports the line we cut
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="退出", exact=True).click()
    expect(page.locator("[data-leaving-ask]")).to_be_visible()
    page.get_by_role("button", name="清除并退出").click()
    expect(page.get_by_role("link", name="登录").first).to_be_visible()
    assert page.evaluate("JSON.stringify({...localStorage})") == "{}"
    who.faults.clear()


def test_both_panes_scroll_alone_and_a_telephone_gets_one_column_with_the_sum_in_sight(town: Town, judged: Judged) -> None:
    panel = world.started(judged.call, judged.desk.officer)
    expert = member(panel)
    review = accepted(panel, expert)[0]
    who = town.person(expert.user)
    page = who.page
    who.go(f"/review/reviews/{review.pk}/score/")
    assert page.evaluate("[...document.querySelectorAll('.gc-bench__pane')].every(e => e.scrollHeight > e.clientHeight)")
    page.evaluate("document.getElementById('sheet').scrollTo(0, 300)")
    assert page.evaluate("[document.getElementById('bid').scrollTop, document.getElementById('sheet').scrollTop]") == [0, 300]
    bar = page.locator(".gc-score-bar")
    expect(bar).to_be_in_viewport()
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page.locator("#sheet").scroll_into_view_if_needed()
    page.locator('[name="mark_need"]').fill("15")
    expect(bar).to_be_in_viewport()
    expect(bar).to_contain_text("15 /")
    bar.get_by_role("link", name="材料").click()
    expect(page.locator("#bid h2").first).to_be_in_viewport()
    page.get_by_role("button", name="保存", exact=True).click()
    page.wait_for_load_state()
    assert [m.value for m in world.sheet(review).values()] == [15]


def test_scoring_works_without_javascript(town: Town, judged: Judged) -> None:
    panel = world.started(judged.call, judged.desk.officer)
    expert = member(panel)
    context = town.browser.new_context(java_script_enabled=False, base_url=town.address, viewport=NARROW, locale="zh-CN")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/sign-in/")
    page.fill('[name="username"]', expert.user.username)
    page.fill('[name="password"]', PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.locator(".gc-header__who")).to_contain_text(str(expert.user))
    page.goto("/review/mine/")
    page.get_by_role("button", name="开始评下一份").click()
    page.check("#pledge")
    page.get_by_role("button", name="承诺并打开材料").click()
    review = Review.objects.select_related(*Review.door_select).get(pk=page.url.split("/reviews/")[1][:36])
    for c in own_criteria(review):
        page.fill(f'[name="mark_{c.code}"]', str((c.top * Decimal("0.8")).quantize(Decimal("0.01"))))
    page.get_by_role("button", name="提交，评下一份").click()
    expect(page.locator(".govuk-notification-banner--success")).to_contain_text("已提交")
    review.refresh_from_db()
    assert review.state == "submitted"
    context.close()


def test_the_hall_follows_the_chair_and_shows_the_result_only_when_released(town: Town, judged: Judged) -> None:
    """The officer announces and, once the beacon fell, draws; the chair calls a bid on a telephone, the projector follows by itself; after the lock the chair releases."""
    panel = world.started(judged.call, judged.desk.officer)
    officer = town.person(judged.desk.officer)
    officer.go(f"/review/panels/{panel.pk}/meeting/")
    due = clock.now().replace(second=0, microsecond=0) + timedelta(hours=1)
    officer.type(source="双色球", round="2026039", due=f"{due.astimezone(clock.TZ):%Y-%m-%dT%H:%M}")
    officer.press("公布名单")
    officer.look()
    draw = panel.draws.get(about="order")
    clock.set_now(due)
    officer.go(f"/o/draw/{draw.pk}/do/enter_beacon/")
    officer.type(value="03 07 12", evidence="中国福彩网公告")
    officer.page.locator("main form button[type=submit]").click()
    officer.go(f"/o/draw/{draw.pk}/do/draw/")
    officer.page.locator("main form button[type=submit]").click()
    officer.page.wait_for_url(f"**/o/draw/{draw.pk}/")
    meeting = Meeting.objects.get(panel=panel)
    chair = town.person(panel.members.get(chair=True).expert.user)
    officer.go(f"/review/panels/{panel.pk}/meeting/screen/")
    chair.go(f"/review/panels/{panel.pk}/meeting/")
    chair.press("请上场")
    first = panel.call.bids.get(number=meeting.draw["order"][0])
    expect(officer.page.locator("h1")).to_contain_text(first.title)
    expect(officer.page.locator("[data-shown]")).to_have_text("8:00")
    chair.press("进入问答")
    expect(officer.page.locator(".gc-clock__part")).to_contain_text("问答 5 分钟")
    officer.look()
    world.locked(panel, judged.desk.officer)
    officer.go(f"/review/panels/{panel.pk}/meeting/screen/")
    expect(officer.page.locator("main")).not_to_contain_text("80.00")
    chair.go(f"/review/panels/{panel.pk}/meeting/")
    chair.press("公布结果")
    expect(officer.page.locator("h1")).to_contain_text("评审结果")
    expect(officer.page.locator("main")).to_contain_text("80.00")
    officer.look()
    officer.go(f"/review/panels/{panel.pk}/meeting/paper/")


def test_every_page_of_the_desk_fits_a_telephone_and_has_no_accessibility_fault(town: Town, judged: Judged) -> None:
    """Invitation, list, declaration, sheet, grid, recusal, upload, meeting, paper — and the organiser's panel; axe finds nothing."""
    panel = world.started(judged.call, judged.desk.officer)
    services.invite(
        panel, by=judged.desk.officer, fee_note="每人每天 500 元", meets_at=world.after(judged.call, 8), meets_where="区社创园"
    )
    meeting = world.order_drawn(panel, judged.desk.officer)
    services.present(meeting, judged.bids[0], by=judged.desk.officer)
    expert = member(panel)
    first = panel.reviews.filter(expert=expert, stage="document").select_related(*Review.door_select).order_by("pk")[0]
    services.accept(first, by=expert.user, pledge=True)
    left = panel.reviews.filter(expert=expert, state="assigned").order_by("pk")[0]
    base, who, officer = f"/review/panels/{panel.pk}", town.person(expert.user), town.person(judged.desk.officer)
    for path in (
        f"{base}/invitation/", "/review/mine/", f"/review/reviews/{left.pk}/", f"/review/reviews/{first.pk}/score/",
        "/review/mine/grid/", f"/review/reviews/{first.pk}/recuse/", "/review/mine/workbook/upload/", f"{base}/meeting/",
        f"{base}/meeting/screen/", f"{base}/",
    ):  # fmt: skip
        who.go(path)
        clean(who.page)
    for path in (f"{base}/", f"{base}/meeting/", f"{base}/meeting/paper/"):
        officer.go(path)
        clean(officer.page)


def clean(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in found]
