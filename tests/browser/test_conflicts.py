"""Namesakes settled before the draw; and a conflict found after everybody has signed, by clicks: a file of ties is imported, the report is stopped, two set the finding aside, the result is published."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from grants import clock
from grants.awards.models import PublicNotice
from grants.people.models import User
from grants.workflow import effects
from review import services
from review.models import Panel, Review, Tie, Voiding
from review.tie_sheet import COLUMNS
from tests.browser.town import Town, Visitor
from tests.world import awards, review
from tests.world.review import Judged

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def signed(town: Town) -> tuple[Judged, Panel, Review]:
    """Two bids judged, locked and signed by every member; what comes is about the first expert's ballot for the first bid."""
    made = review.judged(awards.rules(), n=2, sector=8, finance=3, amounts=["90000.00", "80000.00"])
    given = review.by_bid({b.pk: s for b, s in zip(made.bids, ("0.9", "0.7"), strict=True)})
    panel = review.locked(review.started(made.call, made.desk.officer), made.desk.officer, given)
    clock.set_now(review.after(made.call, 11))
    for member in panel.members.filter(alternate=False).select_related("expert__user"):
        services.sign(panel, by=member.expert.user)
    effects.drain()
    return made, panel, review.review_of(panel, made.bids[0])


def a_file(*rows: dict[str, str]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([row.get(c, "") for c in COLUMNS] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def imported(officer: Visitor, ballot: Review) -> None:
    """A first file has a wrong cell and is refused with its line and column; the mended one is previewed, then confirmed."""
    married = {
        "关系": "夫妻",
        "甲方类型": "专家",
        "甲方": ballot.expert.code,
        "乙方类型": "个人",
        "乙方": "欧阳修远",
        "乙方证件号码": "11010519491231002X",
    }
    leads = {
        "关系": "理事",
        "甲方类型": "个人",
        "甲方": "欧阳修远",
        "甲方证件号码": "11010519491231002X",
        "乙方类型": "单位",
        "乙方": ballot.bid.organisation.name,
    }
    officer.go(reverse("review:panels"))
    officer.press("关系网")
    officer.sees("还没有登记关系")
    officer.press("批量导入")
    officer.upload({"file": ("ties.png", a_file(married, leads))})
    officer.press("上传并预览")
    officer.sees("没有“理事”这种关系")
    assert not Tie.objects.exists()
    officer.upload({"file": ("ties.png", a_file(married, {**leads, "关系": "董事"}))})
    officer.press("上传并预览")
    officer.sees("其中新登记 2 条")
    expect(officer.page.locator("main")).not_to_contain_text("欧阳修远")
    officer.press("确认导入")
    officer.done("已导入 2 条")


def test_a_finding_over_an_imported_tie_stops_the_report_until_two_set_it_aside(town: Town) -> None:
    made, panel, ballot = signed(town)
    officer, approver = town.person(made.desk.officer), town.person(made.desk.approver)
    imported(officer, ballot)
    officer.open(panel)
    officer.sees("应当回避")
    officer.go(reverse("review:panel", args=[panel.pk]))
    officer.sees("已拆封的评分应当回避")
    officer.press("重新核对利害关系")
    officer.sees("夫妻关系")
    officer.press("提出不予回避")
    officer.type(reason="同名不同人，已核对证件")
    officer.press("确认")
    approver.go(reverse("review:panel", args=[panel.pk]))
    approver.press("不予回避（须第二人）")
    approver.type(reason="核对户籍证明属实")
    approver.press("确认")
    officer.take(Panel.objects.get(pk=panel.pk), "出具评审报告")
    effects.drain()
    clock.set_now(awards.at(made.call))
    awards.proposed(made)
    awards.noticed(made)
    assert PublicNotice.objects.count() == 1
    auditor = town.person(made.desk.auditor)
    auditor.go(reverse("desk:audit_conflicts", args=[made.call.pk]))
    auditor.sees("核对户籍证明属实")
    auditor.sees("已由两人排除")


def test_or_two_void_the_ballot_and_an_alternate_scores(town: Town) -> None:
    made, panel, ballot = signed(town)
    officer, approver = town.person(made.desk.officer), town.person(made.desk.approver)
    officer.go(f"{reverse('review:new_tie')}?left_type=专家&left_name={ballot.expert.code}")
    officer.type(
        kind="consulted", right_type="单位", right_name=made.bids[0].organisation.name, since="2026-01-05", evidence="咨询合同"
    )
    officer.press("登记")
    officer.done("已登记关系")
    officer.go(reverse("review:panel", args=[panel.pk]))
    officer.press("提出作废，由候补补评")
    officer.type(reason="曾为其撰写申报书")
    officer.press("提出作废")
    officer.done("已提出作废")
    approver.take(Voiding.objects.get(), "同意作废", note="合同属实")
    effects.drain()
    clock.set_now(clock.now() + timedelta(days=1))
    heir = Review.objects.select_related(*Review.door_select).get(panel=panel, state="assigned")
    review.scored(heir)
    officer.take(Panel.objects.get(pk=panel.pk), "锁定评分")
    effects.drain()
    officer.go(reverse("review:ranking", args=[panel.pk]))
    row = officer.page.locator(f"#bid-{made.bids[0].pk}")
    expect(row).to_contain_text(heir.expert.code)
    expect(row).not_to_contain_text(ballot.expert.code)


def test_a_namesake_stops_the_draw_until_two_have_looked_into_it(town: Town) -> None:
    """The officer is led from the refusal to the page, proposes; the approver finds it on the home page and decides; then the pool is published."""
    made = review.judged(awards.rules(), n=2, sector=8, finance=3)
    clock.set_now(review.after(made.call))
    User.objects.filter(expert__code="S01").update(name=made.bids[0].team.all()[1].name)
    officer, approver = town.person(made.desk.officer), town.person(made.desk.approver)
    due = (clock.now() + timedelta(hours=1)).astimezone(clock.TZ)
    beacon = {"beacon_kind": "named", "source": "双色球", "round": "2026039", "due": f"{due:%Y-%m-%dT%H:%M}"}
    officer.go(reverse("review:convene", args=[made.call.pk]))
    officer.type(**beacon)
    officer.press("公布名单")
    officer.sees("还有 2 条同名线索没有核实")
    officer.press("核实同名线索")
    officer.sees("等待提出（2）")
    officer.page.get_by_label("办理这一条").first.check()
    officer.press("提出：不是同一人，不予回避")
    officer.sees("请写明理由")
    expect(officer.page.get_by_label("办理这一条").first).to_be_checked()
    officer.page.get_by_label("办理这一条").nth(1).check()
    officer.type(reason="电话核实，两人出生年份不同")
    officer.press("提出：不是同一人，不予回避")
    officer.done("已办理 2 条")
    approver.go(reverse("desk:home"))
    approver.sees("核实同名线索 2 条")
    approver.press(made.call.title)
    approver.sees("电话核实，两人出生年份不同")
    for box in approver.page.get_by_label("办理这一条").all():
        box.check()
    approver.page.get_by_label("决定的理由").fill("核对登记表属实")
    approver.press("同意所提意见")
    approver.done("已办理 2 条")
    officer.go(reverse("review:convene", args=[made.call.pk]))
    officer.type(**beacon)
    officer.press("公布名单")
    officer.done("名单已公布")
