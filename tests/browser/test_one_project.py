"""One project from call to closing, by hand: every state change is a click of the person whose duty it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bidding.models import Bid
from grants import clock
from grants.awards.models import Award, Contract, PublicNotice
from grants.calls import services as call_services
from grants.calls.models import Call
from grants.evaluation.models import Evaluation
from grants.funding.models import Tranche
from grants.ledger.models import AuditEvent
from grants.workflow import effects
from review.models import Panel, Review, ScoreCorrection
from tests.browser.town import Town, Visitor
from tests.world import awards as award_world
from tests.world import bidding, people, review

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
START = datetime(2026, 3, 3, 9, 0, tzinfo=clock.TZ)
FINAL_SHEET = """
[evaluation.final]
[[evaluation.final.criteria]]
code = "done"
name = "完成情况"
weight = 60
[[evaluation.final.criteria]]
code = "money"
name = "票据与财务"
weight = 40
[[evaluation.final.bands]]
name = "合格"
at_least = 60
passed = true
consequences = [{ action = "pay" }]
[[evaluation.final.bands]]
name = "不合格"
at_least = 0
below = 60
passed = false
consequences = [{ action = "withhold" }, { action = "rectify", months = 1 }]
"""


class Journey:
    """The people and what they have made so far. Each method is one chapter."""

    def __init__(self, town: Town) -> None:
        self.town = town
        clock.set_now(START)
        self.desk = people.office("澄江市云溪区青禾街道办事处")
        self.hub = people.body(self.desk, name="青禾街道社区社会组织联合会", kind_of_body="association")
        self.group = people.group(self.desk, self.hub, name="青禾社区邻里互助队")
        self.experts = review.pool(self.desk, sector=4, finance=1)
        effects.drain()

    @property
    def officer(self) -> Visitor:
        return self.town.person(self.desk.officer)

    @property
    def approver(self) -> Visitor:
        return self.town.person(self.desk.approver)

    @property
    def finance(self) -> Visitor:
        return self.town.person(self.desk.finance)

    @property
    def applicant(self) -> Visitor:
        return self.town.person(self.group.signatory)

    @property
    def sponsor(self) -> Visitor:
        return self.town.person(self.hub.signatory)

    @property
    def call(self) -> Call:
        return Call.objects.get()

    @property
    def bid(self) -> Bid:
        return Bid.objects.select_related("call").get()

    @property
    def award(self) -> Award:
        return Award.objects.select_related("notice", "bid").get()

    @property
    def contract(self) -> Contract:
        return Contract.objects.get()

    def later(self, moment: datetime | None) -> None:
        """Let time pass; the clock does what is due and the worker what was promised."""
        assert moment is not None
        clock.set_now(moment)
        call_services.tick()
        effects.drain()

    # --- chapters -----------------------------------------------------------------------------------------------------

    def publish_the_call(self) -> None:
        self.officer.go("/calls/")
        self.officer.press("起草征集")
        self.officer.press("已有规则文件")
        self.officer.type(preset="micro", opens_at="2026-03-10T09:00")
        self.officer.press("载入样例")
        self.officer.type(text=self.officer.value("text") + FINAL_SHEET)
        self.officer.press("只检查，不保存")
        self.officer.press("保存")
        self.officer.take(self.call, "提交审批", note="请审")
        self.approver.go("/")
        self.approver.sees("审批征集公告")
        self.approver.take(self.call, "批准发布")
        self.later(self.call.opens_at)
        assert self.call.state == "open"

    def bid_for_it(self) -> None:
        self.later(bidding.opens(self.call))
        self.town.visitor().go("/")
        self.town.visitor().sees(self.call.title)
        self.applicant.open(self.call)
        self.applicant.press("填写申报书")
        self.applicant.type(title="银龄守望")
        self.applicant.press("开始")
        self._fill_in()
        self.applicant.go(f"/bids/{self.bid.pk}/check/")
        self.applicant.type(declarations=bidding.pledges(self.call))
        self.applicant.press("确认并提交申报书")
        self.applicant.sees(self.bid.number)
        effects.drain()
        self.later(self.call.closes_at)
        assert self.call.state == "closed"

    def _fill_in(self) -> None:
        at = f"/bids/{self.bid.pk}"
        self.applicant.go(f"{at}/about/")
        self.applicant.type(category="neighbours", sponsor=self.hub.organisation.pk)
        self.applicant.press("保存")
        self.applicant.go(f"{at}/sections/page/")
        self.applicant.type(
            problem="独居老人多，白天没有人说话。",
            work="每周一次上门探访，四个月十六次。",
            helpers="楼组长和退休教师，受益六十人。",
        )
        self.applicant.press("保存")
        self.applicant.go(f"{at}/budget/")
        row = {"category": "activity", "name": "探访活动", "unit_price": "3,000", "quantity": "1", "source": "grant"}
        self.applicant.type(**{f"form-0-{k}": v for k, v in row.items()})
        self.applicant.press("保存并重新计算")
        self.applicant.go(f"{at}/kpis/")
        self._kpis()
        self.applicant.go(f"{at}/team/")
        for i, name in enumerate(("王阿姨", "李老师", "赵师傅")):
            self.applicant.type(**{f"form-{i}-name": name, f"form-{i}-role": "组员"})
        self.applicant.press("保存")

    def _kpis(self) -> None:
        rows = [
            {"code": "persons", "target": "60"},
            {"code": "person_times", "target": "480"},
            {"kind": "persons", "name": "直接受益", "target": "60", "group": "老年人", "direct": "yes"},
        ]
        for i, row in enumerate(rows):
            self.applicant.type(**{f"form-{i}-{k}": v for k, v in row.items()})
        self.applicant.press("保存")

    def screen_it(self) -> None:
        self.later(review.after(self.call, 1))
        self.officer.open(self.call)
        self.officer.press("申报与资格审查")
        self.officer.press("运行系统核查")
        left = {f"outcome_{finding.rule}": "pass" for finding in bidding.open_rules(self.bid)}
        self.officer.press("逐份审查")
        self.officer.type(**left, note_all="居委会意见原件，三名成年居民签名 2026-06-12 核对")
        self.officer.press("只保存")
        self.officer.take(self.bid, "通过资格审查")
        effects.drain()

    def review_it(self) -> None:
        self.later(review.after(self.call, 3))
        panel = self.officer.draw_panel(self.call)
        self.officer.go(f"/review/panels/{panel.pk}/")
        self.officer.press("分配专家")
        self.officer.take(panel, "开始评分")
        effects.drain()
        self._other_scores(panel)
        for ballot in Review.objects.select_related("expert__user").order_by("pk"):
            self._score(ballot)
        self.officer.take(panel, "锁定评分")
        for member in panel.members.filter(alternate=False, excused=False).select_related("expert__user"):
            self.town.person(member.expert.user).take(panel, "签署评审报告")
        self.officer.take(panel, "出具评审报告")
        effects.drain()
        self.officer.open(panel)
        self.officer.sees("评审报告")

    def _other_scores(self, panel: Panel) -> None:
        from review.other_scores import components

        for part in components(panel.rules, self.bid):
            value = (part.top * Decimal("0.8")).quantize(Decimal("0.01"))
            typed = Decimal("1.00") if part.code == "residents" else value
            self.officer.take(panel, "录入其他分项", bid=self.bid.pk, component=part.code, value=typed, basis="居民代表计票表 2026-06-20")
        self._corrected(panel)

    def _corrected(self, panel: Panel) -> None:
        """A slip of the keyboard is put right by two: proposed on the page of entered scores, confirmed out of the other officer's list."""
        score, colleague = panel.other_scores.get(component="residents"), self.town.person(people.appointed("officer", self.desk.agency, "经办戊"))
        self.officer.go(f"/review/panels/{panel.pk}/entered/")
        self.officer.sees("提出更正")
        self.officer.go(f"/review/panels/{panel.pk}/entered/{score.pk}/correct/")
        self.officer.type(value="80", basis="居民代表计票表 2026-06-20 复核", reason="录入时看错一行")
        self.officer.press("提出更正")
        self.officer.done("已提出更正")
        colleague.go("/")
        colleague.sees("核对分数更正")
        colleague.take(ScoreCorrection.objects.get(), "确认更正")

    def _score(self, ballot: Review) -> None:
        from review.ballots import own_criteria

        expert = self.town.person(ballot.expert.user)
        expert.go("/")
        expert.sees("评审 1 份申报")
        expert.go(f"/review/reviews/{ballot.pk}/")
        expert.type(pledge=True)
        expert.press("承诺并打开材料")
        expert.go(f"/review/reviews/{ballot.pk}/score/")
        fresh = Review.objects.select_related(*Review.door_select).get(pk=ballot.pk)
        expert.type(**{f"mark_{c.code}": (c.top * Decimal("0.8")).quantize(Decimal("0.01")) for c in own_criteria(fresh)})
        expert.press("提交，评下一份")
        expert.done(f"已提交 {self.bid.number}")

    def award_it(self) -> None:
        self.later(review.after(self.call, 12))
        page = f"/awards/call/{self.call.pk}/"
        self.officer.go(page)
        self.officer.press("按排名拟定立项")
        self.approver.go(page)
        self.approver.press("批准全部")
        self.approver.press("批准并发布全部决定")
        self.officer.go(page)
        self.officer.press("预览并发布公示")
        self.officer.press("发布公示")
        effects.drain()
        notice = PublicNotice.objects.get()
        self.town.visitor().go(f"/awards/notices/{notice.pk}/")
        self.town.visitor().sees("银龄守望")
        self.later(award_world.over(notice))
        self.approver.go(page)
        self.approver.press("公示期满，确认立项")
        assert self.award.state == "confirmed"

    def sign_the_contract(self) -> None:
        self.later(award_world.contract_day(self.award))
        self.officer.open(self.award)
        self.officer.press("起草协议")
        self.officer.press("起草协议")
        effects.drain()
        for _finding in _to_look_up(self.award):
            self.officer.go(f"/awards/{self.award.pk}/recheck/")
            self.officer.type(evidence_note="全国社会组织信用信息公示平台，无异常")
            self.officer.press("记录：合格")
        self.officer.take(self.contract, "定稿发出")
        effects.drain()
        self.sponsor.take(self.contract, "乙方签署", **self._sealed("乙方"))
        self.approver.take(self.contract, "甲方签署生效", **self._sealed("双方"))
        effects.drain()
        assert self.contract.state == "effective"
        assert self.award.state == "active"

    def _sealed(self, by: str) -> dict[str, Any]:
        held = self.contract
        files = {"scan": (f"{by}签章扫描.png", award_world.picture(f"{len(by)} {self.contract.state}"))}
        return {"number": held.number, "text_hash": held.text_hash[:8], "files": files}

    def pay(self, number: int) -> None:
        tranche = Tranche.objects.get(number=number)
        self.sponsor.take(tranche, "申请拨款")
        self.officer.take(tranche, "核对通过")
        self.approver.take(tranche, "批准拨款")
        self.finance.take(tranche, "开付款单")
        self.finance.go("/funding/queue/")
        self.finance.type(order=True)
        self.finance.press("用勾选的付款单生成银行批次")
        self.finance.press("确认金额，生成批次")
        self.finance.take(tranche, "确认已付", bank_reference=f"HD2026{number:06}")
        effects.drain()
        assert Tranche.objects.get(number=number).state == "paid"

    def report(self) -> None:
        """Expenses with vouchers, papers for the file, the one-page report."""
        self.applicant.open(self.award)
        self.applicant.press("项目资金与支出")
        self.applicant.press("登记支出")
        line = self.award.lines.get()
        self.applicant.type(
            money="grant", line=line.pk, spent_on=clock.today().isoformat(), category="activity", purpose="十六次探访的慰问材料印制",
            payee="青禾便民文具店", amount="3000.00", method="transfer", voucher_no="FP20260001",
        )  # fmt: skip
        self.applicant.upload({"voucher_file": ("发票.pdf", bidding.pdf("发票"))})
        self.applicant.press("保存")
        for code in ("photos", "sign_in", "receipts"):
            self.applicant.go(f"/evaluation/awards/{self.award.pk}/closing/")
            self.applicant.type(code=code)
            self.applicant.upload({"file": (f"{code}.pdf", bidding.pdf(code))})
            self.applicant.press("存入档案")
        self.applicant.go(f"/evaluation/{self.final.pk}/report/page/")
        self.applicant.type(done="按计划完成十六次探访。", persons="63", person_times="492", spent="3000")
        self.applicant.press("保存")
        self.applicant.take(self.final, "提交报告")

    @property
    def final(self) -> Evaluation:
        return Evaluation.objects.get(moment="final")

    def evaluate(self) -> None:
        judge = people.person("评估师")
        self.officer.take(self.final, "指定评估人", username=judge.username)
        evaluator = self.town.person(judge)
        evaluator.sees("评估打分")
        evaluator.take(self.final, "评分", c_done="52", c_money="36", comment="记录完整，居民评价好。")
        self.approver.take(self.final, "确认评估")
        effects.drain()
        assert self.final.grade_name == "合格"

    def hand_in_receipt(self, number: int) -> None:
        tranche = Tranche.objects.get(number=number)
        self.sponsor.open(tranche)
        self.sponsor.press("上传本期票据")
        kind = self.sponsor.first_choice("kind")
        self.sponsor.type(kind=kind, number=f"SJ{number:06}", issued_on=clock.today().isoformat(), payer_title=str(self.desk.agency),
                          amount=tranche.amount)  # fmt: skip
        self.sponsor.upload({"file": ("收据.pdf", bidding.pdf(f"收据 {number}"))})
        self.sponsor.press("保存")
        self.officer.open(tranche)
        self.officer.press("核验")

    def close(self) -> None:
        self.officer.go(f"/funding/awards/{self.award.pk}/")
        self.officer.press("核算结余")
        self.approver.go("/")
        self.approver.sees("办理结项")
        self.approver.take(self.award, "结项")
        effects.drain()
        self.approver.take(self.call, "完成立项")
        self.approver.take(self.call, "归档")
        effects.drain()

    def look_back(self) -> None:
        """The project's whole path on a page, for the applicant and for the auditor, whose reading is recorded."""
        for who in (self.applicant, self.town.person(self.desk.auditor)):
            who.go(f"/project/{self.bid.pk}/")
            who.sees("已结项")
            who.sees(self.contract.number)
        assert AuditEvent.objects.filter(event="bid.read").count() == 1


def _to_look_up(award: Award) -> list[Any]:
    from grants.awards.rechecks import failures

    return list(failures(award))


def test_one_project_by_clicks_alone(town: Town) -> None:
    """Call, bid, screening, review, award, contract, payments, report, closing: nothing is written beside the pages."""
    journey = Journey(town)
    journey.publish_the_call()
    journey.bid_for_it()
    journey.screen_it()
    journey.review_it()
    journey.award_it()
    journey.sign_the_contract()
    journey.later(clock.now() + timedelta(days=2))
    journey.pay(1)
    journey.hand_in_receipt(1)
    journey.later(clock.now() + timedelta(days=100))
    journey.report()
    journey.evaluate()
    journey.pay(2)
    journey.hand_in_receipt(2)
    journey.close()
    assert (journey.award.state, journey.contract.state, journey.call.state) == ("closed", "completed", "archived")
    journey.look_back()
