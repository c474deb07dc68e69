"""A call made by forms only: an officer never sees TOML, the linter answers while they type, a second person publishes."""

from __future__ import annotations

from datetime import datetime

import pytest
from playwright.sync_api import expect

from grants import clock
from grants.calls.models import Call, Question
from tests.browser.town import Town
from tests.world import calls, people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
START = datetime(2026, 3, 3, 9, 0, tzinfo=clock.TZ)


def test_a_call_is_made_by_forms_and_published_by_another_person(town: Town) -> None:
    """Start from a sample, break a rule and see it said, mend it, add a field of service and a question, propose, publish."""
    clock.set_now(START)
    desk = people.office("澄江市云溪区青禾街道办事处")
    officer, approver = town.person(desk.officer), town.person(desk.approver)
    page = officer.page
    officer.go("/calls/")
    officer.press("起草征集")
    officer.type(source="preset:district", code="QH-2026-01", title="青禾街道 2026 年公益创投", opens_at="2026-03-10T09:00")
    officer.press("建立草稿")
    officer.done("草稿 QH-2026-01 已建立")
    officer.sees("检查")

    officer.press("资金、来源与分领域额度")
    officer.type(**{"amounts.cap": "９９，９９９，９９９ 元"})
    expect(page.locator("#id-amounts-cap-said")).to_contain_text("错误")  # the linter, while typing
    expect(page.locator("#id-amounts-cap-said")).to_contain_text("玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元整")
    assert str(Call.objects.get().rules.amounts.cap) != "99999999.00"
    officer.type(**{"amounts.cap": "200000"})
    expect(page.locator("#id-amounts-cap-said")).to_contain_text("贰拾万元整")
    rows = page.locator("#id-categories .gc-rows__element")
    before = rows.count()
    officer.press("增加一项：服务领域")
    expect(rows).to_have_count(before + 1)
    expect(page.locator(f'[name="categories.{before}.name"]')).to_be_focused()  # the new row, without a page load
    officer.type(**{f"categories.{before}.name": "安宁疗护"})
    officer.press(f"上移第 {before + 1} 项")
    expect(page.locator(f'[name="categories.{before - 1}.name"]')).to_have_value("安宁疗护")
    officer.press("保存")
    officer.sees("已保存")

    officer.press("申报书与报告", inside=".gc-editor__parts")
    officer.press("增加一项：申报书")
    new = page.locator('main [name$=".title"]').first.get_attribute("name") or ""
    way = new.removesuffix(".title")
    officer.type(**{new: "风险与应急"})
    officer.press("增加一项：问题")
    expect(page.locator(f'[name="{way}.fields.0.label"]')).to_be_visible()
    officer.type(**{f"{way}.fields.0.label": "最大的风险是什么，怎样应对？", f"{way}.fields.0.kind": "longtext"})
    officer.press("保存")
    officer.sees("风险与应急")

    call = Call.objects.get()
    officer.go(f"/calls/{call.pk}/edit/")
    officer.press("预览申报表")
    officer.sees("最大的风险是什么，怎样应对？")
    officer.go(f"/calls/compare/?old=preset:district&new={call.code}")
    officer.sees("安宁疗护")
    officer.go(f"/rounds/{call.pk}/rehearsal/")
    officer.sees("谁会被哪一条排除")
    officer.take(call, "提交审批", note="请审")
    approver.take(call, "批准发布")
    officer.go("/rounds/")
    officer.press("QH-2026-01")
    officer.sees("答疑与补充公告")
    town.visitor().go("/calls/QH-2026-01/")
    town.visitor().sees("安宁疗护")
    town.visitor().sees("最大的风险是什么，怎样应对？")


def test_a_question_is_asked_answered_by_two_and_read_by_everybody(town: Town) -> None:
    """An organisation asks on the public page, the officer drafts, the approver ticks and publishes; a visitor reads both."""
    clock.set_now(START)
    desk = people.office("澄江市云溪区青禾街道办事处")
    body, call = people.body(desk), calls.published(desk)
    applicant, officer, approver = town.person(body.signatory), town.person(desk.officer), town.person(desk.approver)
    applicant.go(f"/calls/{call.code}/")
    applicant.press("提问、订阅答复")
    applicant.type(text="可以联合申报吗？")
    applicant.press("提交问题")
    applicant.done("问题已收到")
    officer.go("/")
    officer.sees("答复提问")
    question = Question.objects.get()
    officer.take(question, "拟写答复", answer="可以，最多三家。")
    assert body.organisation.name not in officer.page.inner_text("main")
    approver.go(f"/calls/{call.code}/questions/")
    approver.type(question=True)
    approver.press("一起公开选中的答复")
    approver.done("已公开 1 个答复")
    visitor = town.visitor()
    visitor.go(f"/calls/{call.code}/")
    visitor.sees("可以，最多三家。")
    visitor.sees("截止政策")
    assert body.organisation.name not in visitor.page.inner_text("main")


def test_the_editor_works_without_scripts(town: Town) -> None:
    """Rows and savings by plain forms: every button is a submission."""
    clock.set_now(START)
    desk = people.office("澄江市云溪区青禾街道办事处")
    officer = town.person(desk.officer)
    state = officer.page.context.storage_state()
    plain = town.browser.new_context(java_script_enabled=False, locale="zh-CN", storage_state=state, base_url=town.address)
    page = plain.new_page()
    page.goto("/calls/new/")
    for name, value in {"code": "QH-2026-02", "opens_at": "2026-03-10T09:00"}.items():
        page.locator(f'main [name="{name}"]').fill(value)
    page.locator('main [name="source"]').select_option("preset:micro")
    page.get_by_role("button", name="建立草稿").click()
    page.get_by_role("link", name="拨款分期与条件").click()
    expect(page.locator("h1")).to_contain_text("拨款分期与条件")
    page.get_by_role("button", name="增加一项：分期").click()
    page.get_by_role("button", name="删除第 1 项 1").first.click()
    expect(page.locator("#id-funding-tranches > .gc-rows__table > .gc-rows__element")).to_have_count(
        len(Call.objects.get().rules.funding.tranches)
    )
    page.get_by_role("button", name="保存", exact=True).last.click()
    expect(page.locator("main")).to_contain_text("还没有保存")  # the added tranche has no percentage and no condition
    plain.close()
