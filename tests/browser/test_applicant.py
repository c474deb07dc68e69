"""A small group on a telephone: read the questions, register, write on one page, submit, look at the dates; a larger one with a workbook."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from bidding.models import Bid
from grants import clock
from grants.people import services as people_services
from grants.people.models import Organisation
from grants.workflow import effects
from grants.workflow.door import perform
from tests.browser.town import NARROW, Town, Visitor
from tests.world import bidding, calls, people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def telephone(visitor: Visitor) -> Visitor:
    """The same person, who has no other screen."""
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    return visitor


def test_a_group_without_an_account_submits_a_micro_bid_from_a_telephone(town: Town) -> None:
    """Questions → sign up → register → draft at once → one page → refused until verified → verified → submitted → planned dates."""
    clock.set_now(calls.OPENS)
    desk = people.office("澄江市云溪区青禾街道办事处")
    call = calls.opened(desk, calls.rules("YX-2026-03"))
    hub = people.body(desk, name=call.rules.eligibility.sponsor.name)  # type: ignore[union-attr]
    clock.set_now(bidding.opens(call))
    visitor = telephone(town.visitor())
    visitor.go(f"/calls/{call.code}/")
    visitor.press("看全部问题、预算上限和评分标准")
    for words in ("我们看到的问题", "不超过 100 字", "评审看什么", "预计约"):
        visitor.sees(words)
    with visitor.page.expect_download() as got:
        visitor.page.get_by_role("button", name="下载 Word").click()
    assert got.value.suggested_filename.endswith(".docx")

    visitor.go(f"/people/register/?next=/bids/start/{call.pk}/")
    visitor.type(username="lidui", name="李队长", password=people.PASSWORD, again=people.PASSWORD)
    visitor.press("建立账号")
    visitor.type(kind_of_body="recorded", name="青禾三社区楼道互助队", record_no="云备0888", registrar=str(desk.agency.pk))
    visitor.type(registered_on="2024-05-18", legal_representative="李某", phone="0755-1234567", address="青禾三社区", district="云溪区")
    visitor.press("保存并提交核验")
    visitor.sees("开始填写申报书")
    group = Organisation.objects.get(name="青禾三社区楼道互助队")
    founder = group_founder(group)
    people.sponsored(people.Body(group, founder), hub)

    visitor.type(title="楼道灯亮起来")
    visitor.press("开始")
    visitor.sees("一页纸申报")
    visitor.sees("正在由澄江市云溪区青禾街道办事处核验")
    bid = Bid.objects.get()
    fill(visitor, bid)
    visitor.press("保存并提交")
    visitor.sees("内容已保存，但还没有提交")
    visitor.sees("核验")
    assert visitor.value("problem") == "楼道灯坏了，老人摔过。"

    perform(Organisation.objects.get(pk=group.pk), "verify", by=desk.officer, evidence="备案证明原件，2026-03-10 核对")
    visitor.page.reload()
    visitor.type(declarations=bidding.pledges(call))
    visitor.press("保存并提交")
    visitor.sees("申报书已提交")
    effects.drain()
    visitor.go(f"/project/{bid.pk}/plan/")
    for words in ("申报截止", "评审完成", "第 1 期拨款", "加入日历"):
        visitor.sees(words)


def group_founder(group: Organisation) -> Any:
    from grants.people.models import User

    assert group.name
    return User.objects.get(username="lidui")


def fill(visitor: Visitor, bid: Bid) -> None:
    """Type the page as a person does."""
    visitor.type(category=bid.rules.categories[0].code, problem="楼道灯坏了，老人摔过。", work="换灯六盏，居民轮流巡查。")
    if bid.sponsor_id is None:
        visitor.page.reload()
        visitor.type(category=bid.rules.categories[0].code, problem="楼道灯坏了，老人摔过。", work="换灯六盏，居民轮流巡查。")
        visitor.page.locator('[name="sponsor"]').select_option(index=1)
    visitor.type(helpers="本楼党员和物业，四十户受益。")
    visitor.type(**{"budget-0-category": "materials", "budget-0-name": "声控灯", "budget-0-unit_price": "45", "budget-0-quantity": "6"})
    visitor.type(**{"figures-persons": "120", "figures-person_times": "300"})
    visitor.page.locator('[name="figures-group"]').select_option(index=1)
    for i, name in enumerate(("李队长", "王阿姨", "赵师傅")):
        visitor.type(**{f"team-{i}-name": name, f"team-{i}-role": "组员"})


def test_a_profile_a_vault_and_a_workbook_on_a_telephone(town: Town, tmp_path: Any) -> None:
    """Write the profile, keep a certificate, begin a bid with it, confirm, use the certificate, fill a workbook and take it in."""
    from openpyxl import load_workbook

    clock.set_now(calls.OPENS)
    desk = people.office("澄江市云溪区民政局")
    call = calls.opened(desk, calls.rules("YX-2026-01"))
    who = people.body(desk)
    clock.set_now(bidding.opens(call))
    visitor = telephone(town.person(who.signatory))
    visitor.go(f"/people/organisations/{who.organisation.pk}/story/")
    visitor.type(introduction="成立于 2020 年，专注居家养老。", staff="志愿者八十人。")
    visitor.type(**{"form-0-name": "银龄守望", "form-0-year": "2025", "form-0-funder": "云溪区民政局", "form-0-amount": "80000", "form-0-result": "服务 120 人"})
    visitor.press("保存单位资料")
    visitor.press("资料库（证照与文件）")
    visitor.type(kind="registration", expires_on="2026-03-30")
    visitor.upload({"file": ("登记证书.pdf", bidding.pdf("证书"))})
    visitor.press("存入资料库")
    visitor.sees("快到期")
    assert people_services.remind() == 1
    visitor.go("/")
    visitor.sees("更新快到期或已过期的文件")

    visitor.go(f"/bids/start/{call.pk}/")
    visitor.type(title="银龄守望二期")
    visitor.press("开始")
    visitor.sees("来自单位资料，请确认")
    visitor.press("逐项核对并确认")
    for box in visitor.page.locator('[name="mark"]').all():
        box.check()
    visitor.press("确认勾选的内容")
    bid = Bid.objects.get()
    visitor.go(f"/bids/{bid.pk}/attachments/")
    visitor.page.locator('form[action$="/reuse/"] button').first.click()
    visitor.sees("已选用资料库中的")
    visitor.look()

    visitor.go(f"/bids/{bid.pk}/workbook/")
    with visitor.page.expect_download() as got:
        visitor.page.get_by_role("button", name="下载工作簿").click()
    path = tmp_path / "workbook.xlsx"
    got.value.save_as(path)
    book = load_workbook(path)
    plan = next(s for s in book.worksheets if s["A1"].value == "section:plan")
    row = next(c.row for c in plan["A"] if c.value == "field:goal")
    plan.cell(row, 4, "让独居老人每周有人敲门。")
    book.save(path)
    visitor.page.locator('[name="file"]').set_input_files(path)
    visitor.press("上传并预览")
    visitor.sees("让独居老人每周有人敲门。")
    visitor.press("写入这些改动")
    visitor.done("已写入工作簿的 1 处改动")
    bid.refresh_from_db()
    assert bid.answers["plan"]["goal"] == "让独居老人每周有人敲门。"
    expect(visitor.page.locator("main")).to_contain_text("银龄守望二期")
