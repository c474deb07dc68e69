"""A resident, an officer and a small charity on the public square, in real Chromium, on a desktop and on a telephone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from grants import clock
from grants.calls.models import Need
from tests.browser.town import Town, Visitor
from tests.world import awards, calls, funding, needs, people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_need_is_proposed_screened_backed_and_seen_as_a_gap(town: Town) -> None:
    """Typed by a visitor, refused for a telephone number, mended, checked and published by the officer, backed, and a hole on the map."""
    clock.set_now(calls.OPENS)
    desk = people.office("澄江市云溪区望湖街道办事处")
    resident = town.visitor()
    resident.go("/")
    resident.press("提出需求")
    told = {
        "title": "失能老人上门护理", "who": "卧床的独居老人", "field": "medical", "street": "望湖街道", "community": "望湖里社区", "people": "120",
        "agency": str(desk.agency.pk), "name": "张女士", "contact": "13800138000",
    }  # fmt: skip
    resident.type(detail="没有人会换药，请打 13800138000", **told)
    resident.press("提交需求")
    resident.sees("手机号码")
    assert resident.value("title") == told["title"]
    resident.type(detail="出院以后没有人会换药，家属请不到护士。")
    resident.press("提交需求")
    resident.sees("需求已收到")
    need = Need.objects.get()
    _screen(town.person(desk.officer), need)
    resident.go("/needs/")
    resident.press("失能老人上门换药和护理")
    resident.press("我也需要")
    resident.press("我也需要")
    resident.done("已记下")
    resident.sees("1 人也需要")
    resident.go("/square/gaps/")
    resident.sees("没有一个资助项目的领域")
    expect(resident.page.locator("svg .gc-sq-map__strong").first).to_contain_text("空白")
    resident.go(f"/needs/receipt/{need.receipt}/")
    resident.press("删除我的称呼和联系方式")
    resident.done("已经删除")
    assert Need.objects.get().contact == ""


def _screen(officer: Visitor, need: Need) -> None:
    officer.go("/")
    officer.press(f"{need.agency.short_name}：1 条")
    officer.press("失能老人上门护理")
    officer.take(need, "核实", title="失能老人上门换药和护理")
    officer.take(need, "公开")


def test_every_public_page_is_readable_in_both_languages_and_breaks_no_accessibility_rule(town: Town) -> None:
    """With two funded projects, one paid; pictures in two widths; axe finds nothing on any page; English by one link."""
    made = awards.ranked(amounts=["200000.00", "150000.00", "120000.00"], shares=["0.9", "0.85", "0.3"])
    awards.proposed(made)
    projects = [funding.start(made, award) for award in awards.confirmed(made)]
    with clock.at(projects[0].day(2)):
        funding.paid(projects[0])
    clock.set_now(calls.OPENS + timedelta(days=1))
    desk = people.office("澄江市云溪区青禾街道办事处")
    for field, street in (("medical", "望湖街道"), ("legal", "青禾街道"), ("elderly", "青禾街道"), ("hospice", "全区")):
        needs.published(desk, field=field, street=street)
    calls.opened(desk, calls.rules("YX-2026-02"))
    visitor, number = town.visitor(), projects[0].award.number
    organisation, notice = projects[0].award.bid.organisation_id, made.call.notices.get().pk
    paths = (
        "/", "/square/calls/", f"/square/calls/{made.call.code}/results/", "/square/notices/", f"/square/notices/{notice}/objections/", "/square/projects/",
        f"/square/projects/{number}/", "/square/organisations/", f"/square/organisations/{organisation}/", "/square/gaps/", "/square/money/",
        "/square/passport/", "/needs/", f"/needs/{Need.objects.all()[0].number}/", "/needs/new/",
    )  # fmt: skip
    found = {path: _violations(visitor, path) for path in paths}
    assert not any(found.values()), {path: rules for path, rules in found.items() if rules}
    visitor.page.context.clear_cookies()
    visitor.go("/square/gaps/")
    visitor.press("English", inside=".gc-header")
    expect(visitor.page.locator("h1")).to_have_text("Needs and supply map")
    english = {path: _violations(visitor, path) for path in ("/square/money/", f"/square/projects/{number}/", "/needs/")}
    assert not any(english.values()), english
    assert not re.search(r"[\u4e00-\u9fff]", visitor.page.locator("h1").inner_text())


def _violations(visitor: Visitor, path: str) -> list[str]:
    visitor.go(path)
    answer = Axe().run(visitor.page)
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in answer.response["violations"]]
