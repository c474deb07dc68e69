"""公开抽取 in a browser: a bystander repeats a draw without an account; a tampered transcript fails at its place; without scripts the command is told."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from grants import clock
from review import services
from review.models import Draw
from tests.browser.town import Town
from tests.world import review as world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
VECTORS = Path(__file__).parents[1] / "vectors" / "draw.json"


@pytest.fixture
def draw(town: Town) -> Draw:
    made = world.judged(world.rules())
    return Draw.objects.get(panel=world.convened(made.call, made.desk.officer, value="骰子 3-5-2"))


def repeated(page: Page, *, good: bool) -> None:
    page.get_by_role("button", name="在我的浏览器里复算").click()
    expect(page.locator("[data-verdict]")).to_have_attribute("data-good", "true" if good else "false")


def test_a_bystander_repeats_a_draw_and_finds_the_tampered_place(town: Town, draw: Draw) -> None:
    """No account, on a desktop and a telephone; every script under the site's content security policy."""
    bystander = town.visitor()
    page = bystander.page
    bystander.go(reverse("square:draws"))
    page.get_by_role("link", name=draw.announced["title"]).click()
    expect(page.locator("[data-draw-check][data-ready]")).to_have_count(1)
    expect(page.locator("[data-self]")).to_have_attribute("data-failed", "0")
    repeated(page, good=True)
    expect(page.locator("[data-steps] tr[data-result=ok]")).to_have_count(11)
    bystander.look()
    late = {**draw.transcript, "closed_at": draw.announced["beacon"]["due"]}
    page.locator("summary", has_text="改动").click()
    page.locator("#draw-text").fill(json.dumps(late, ensure_ascii=False))
    repeated(page, good=False)
    expect(page.locator("[data-steps] tr[data-result=fail]")).to_contain_text("closed_at")
    bent = json.loads(json.dumps(draw.transcript))
    bent["chosen"][1], bent["alternates"][0] = bent["alternates"][0], bent["chosen"][1]
    page.locator("#draw-text").fill(json.dumps(bent, ensure_ascii=False))
    repeated(page, good=False)
    expect(page.locator("[data-steps] tr[data-result=fail]")).to_contain_text("chosen[1]")
    bystander.look()
    assert bystander.faults == []


def test_a_pasted_or_chosen_file_is_repeated_or_refused_with_its_place(town: Town, tmp_path: Path) -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    bystander = town.visitor()
    page = bystander.page
    bystander.go(reverse("square:draw_check"))
    expect(page.locator("[data-draw-check][data-ready]")).to_have_count(1)
    good = tmp_path / "draw.json"
    good.write_text(json.dumps(vectors["transcripts"][0]["document"], ensure_ascii=False), encoding="utf-8")
    page.locator("#draw-file").set_input_files(str(good))
    expect(page.locator("[data-verdict]")).to_have_attribute("data-good", "true")
    wrong = next(row for row in vectors["malformed"] if row["path"] == "announced.rule.size")
    page.locator("#draw-text").fill(json.dumps(wrong["document"], ensure_ascii=False))
    repeated(page, good=False)
    expect(page.locator("[data-verdict]")).to_contain_text("announced.rule.size")


def test_without_scripts_the_page_tells_the_command(town: Town, draw: Draw) -> None:
    context = town.browser.new_context(java_script_enabled=False, base_url=town.address, locale="zh-CN")
    page = context.new_page()
    page.goto(reverse("square:draw", args=[draw.pk]))
    expect(page.get_by_text("python manage.py draw verify")).to_be_visible()
    expect(page.get_by_role("button", name="在我的浏览器里复算")).to_be_hidden()
    context.close()


def test_a_party_generates_and_commits_a_number_in_the_browser(town: Town) -> None:
    """The secret is made by the party's own browser; the page tells them to keep it."""
    made = world.judged(world.rules(draw="commit-reveal"))
    held = world.published(made)
    clock.set_now(held.due - timedelta(hours=3))
    services.start_draw(held.draw, by=made.desk.officer)
    bidder = town.person(held.of("申报方代表"))
    bidder.go(reverse("desk:step", args=["draw", held.draw.pk, "commit"]))
    bidder.page.get_by_role("button", name="生成").click()
    secret = bidder.value("secret")
    assert len(secret) == 64
    bidder.page.locator("main form button[type=submit]").click()
    bidder.sees(hashlib.sha256(bytes.fromhex(secret)).hexdigest())
    assert secret not in bidder.page.content()


def test_a_small_office_announces_waits_and_draws_alone_on_a_telephone_too(town: Town) -> None:
    """One officer, one named beacon: announced on the page, nothing to draw before its hour, then entered and drawn."""
    made = world.judged(world.rules(name="YX-2026-B1"))
    clock.set_now(world.after(made.call).replace(second=0, microsecond=0))
    due = clock.now() + timedelta(hours=1)
    officer = town.person(made.desk.officer)
    officer.go(reverse("review:convene", args=[made.call.pk]))
    officer.look()
    officer.type(source="双色球", round="2026039", due=f"{due.astimezone(clock.TZ):%Y-%m-%dT%H:%M}")
    officer.press("公布名单")
    officer.look()
    draw = Draw.objects.get(call=made.call)
    assert draw.state == "published"
    officer.go(reverse("desk:step", args=["draw", draw.pk, "draw"]))
    expect(officer.page.locator("main")).to_contain_text("才产生")
    clock.set_now(due)
    for step, typed in (("enter_beacon", {"value": "03 07 12", "evidence": "中国福彩网公告"}), ("draw", {"name": "评审组"})):
        officer.go(reverse("desk:step", args=["draw", draw.pk, step]))
        officer.type(**typed)
        officer.look()
        officer.page.locator("main form button[type=submit]").click()
        officer.page.wait_for_url(f"**{reverse('desk:object', args=['draw', draw.pk])}")
    officer.look()
    draw.refresh_from_db()
    assert (draw.state, draw.transcript["beacon"]["value"]) == ("drawn", "03 07 12")
