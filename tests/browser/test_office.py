"""The officer's desk from closed call to bank file, by clicks: queue, bulk job stopped and resumed, board, release, pack, batch, slips."""

from __future__ import annotations

import zipfile
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from bidding.models import Bid
from grants import clock
from grants.awards.models import Award, PublicNotice
from grants.calls import services as call_services
from grants.calls.models import Call
from grants.funding.models import PaymentBatch, PaymentOrder, Tranche
from grants.notifications.models import Message
from grants.workflow import effects
from grants.workflow.models import BulkJob
from tests.browser.town import Town, Visitor
from tests.world import awards as award_world
from tests.world import bidding, calls, funding, people, review

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
N = 4
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Office:
    """An agency with four bids handed in by groups under one sponsor; two of the groups share a telephone."""

    def __init__(self, town: Town) -> None:
        self.town = town
        clock.set_now(calls.BEFORE)
        self.desk = people.office("澄江市云溪区青禾街道办事处")
        opened = calls.opened(self.desk)
        clock.set_now(bidding.opens(opened))
        self.hub = people.body(self.desk, kind_of_body="association", name=opened.rules.eligibility.sponsor.name)
        phones = ["0755-88001234", "0755 8800 1234", "0755-88005678", "0755-88009999"]
        self.groups = [people.group(self.desk, self.hub, phone=p, legal_representative=f"负责人{n}") for n, p in enumerate(phones)]
        for at, group in enumerate(self.groups):
            bidding.submitted(opened, group, amount=Decimal(3000 + 100 * at), title=f"邻里互助第{at + 1}项")
        effects.drain()
        self.experts = review.pool(self.desk, sector=5, finance=1)
        self.later(opened.closes_at)
        self.later(review.after(self.call, 1))

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
    def call(self) -> Call:
        return Call.objects.select_related("agency", "rules_version").get()

    @property
    def bids(self) -> list[Bid]:
        return list(Bid.objects.select_related(*Bid.door_select).order_by("number"))

    def later(self, moment: datetime | None) -> None:
        assert moment is not None
        clock.set_now(moment)
        call_services.tick()
        effects.drain()

    # --- chapters -----------------------------------------------------------------------------------------------------

    def screen(self) -> None:
        """Two by hand with save-and-next, the other two by the bulk job, which is stopped in the middle and resumed."""
        officer = self.officer
        officer.go(f"/bids/calls/{self.call.pk}/")
        officer.press("运行系统核查")
        officer.press("关联线索")
        officer.sees("联系电话相同")
        officer.page.locator("summary", has_text="排除这条线索").first.click()
        officer.type(reason="同一居委会的值班电话，已电话核实")
        officer.press("排除")
        officer.sees("已排除")
        officer.go(f"/bids/calls/{self.call.pk}/")
        officer.press("逐份审查")
        for n in range(N):
            officer.sees(f"第 {n + 1} / {N} 份")
            self._conclude(self.bids[n])
            officer.press("保存，看下一份" if n < N - 1 else "只保存")
        officer.go(f"/bids/calls/{self.call.pk}/?finding=ready")
        officer.sees(f"0/{N}")
        officer.press("批量通过全部合格的")
        officer.press(f"通过这 {N} 份")
        effects.drain(1)
        officer.press("停止")
        effects.drain()
        officer.sees("已停止")
        assert [b.state for b in self.bids].count("admitted") == 1
        officer.press("续办没有办成的")
        job = officer.page.locator("[data-job]")
        effects.drain()
        expect(job).to_contain_text("已办完")  # the page asks by itself and is loaded once more when the job has ended
        expect(job).to_contain_text(f"{N}/{N}")
        assert {b.state for b in self.bids} == {"admitted"}

    def _conclude(self, bid: Bid) -> None:
        rules = {f"outcome_{f.rule}": "pass" for f in bidding.open_rules(bid)}
        self.officer.type(**rules, note_all="中国社会组织政务服务平台查询")

    def judge(self) -> None:
        """Experts' work, through the services: it is not this desk's."""
        shares = {b.pk: s for b, s in zip(self.bids, ["0.92", "0.88", "0.84", "0.4"], strict=True)}
        review.ranking(self.call, self.desk.officer, review.by_bid(shares))
        self.later(review.after(self.call, 12))

    def decide(self) -> None:
        """The board counts, the officer proposes, the approver reads the letters and releases; a bidder learns of it only then."""
        officer, page = self.officer, f"/awards/call/{self.call.pk}/"
        officer.go(f"{page}board/")
        officer.sees("按现行规则测算")
        officer.sees("预算线")
        officer.go(page)
        officer.press("按排名拟定立项")
        officer.press("排名与决定表")
        officer.sees("待发布")
        assert Message.objects.filter(template="awards/decision").count() == 0
        approver = self.approver
        approver.go(page)
        approver.press("批准全部")
        approver.page.locator("summary").first.click()
        approver.sees("拟立项通知")
        approver.press("批准并发布全部决定")
        approver.done(f"已发布 {N} 份申报的决定")
        effects.drain()
        assert Message.objects.filter(template="awards/decision").values("subject").count() >= N
        officer.go(page)
        officer.press("预览并发布公示")
        officer.press("发布公示")
        effects.drain()
        self.later(award_world.over(PublicNotice.objects.get()))
        approver.go(page)
        approver.press("公示期满，确认立项")
        self.later(clock.now() + timedelta(days=1))

    def pack(self) -> None:
        """One click; the worker stops after one item, the job goes on when asked; one ZIP with an index."""
        officer = self.officer
        officer.go(f"/calls/{self.call.pk}/pack/")
        officer.press("生成立项资料包")
        job = BulkJob.objects.get(kind="desk.award_pack")
        effects.drain(1)
        officer.go(f"/jobs/{job.pk}/")
        officer.press("停止")
        effects.drain()
        officer.press("续办没有办成的")
        effects.drain()
        officer.go(f"/jobs/{job.pk}/")
        officer.sees("已办完")
        with officer.page.expect_download() as taken:
            officer._named("下载全部", "main").click()
        with zipfile.ZipFile(taken.value.path()) as package:
            assert package.testzip() is None
            assert "index.csv" in package.namelist()
            assert sum(name.endswith(".pdf") for name in package.namelist()) >= 4
            assert b"BEGIN:VCALENDAR" in package.read("全部/报告日历.ics")

    def sign(self) -> None:
        """Contracts signed on paper, through the services."""
        for award in Award.objects.filter(state="confirmed").select_related(*Award.door_select):
            contract = award.contract
            award_world.looked_up(award.bid, self.desk.officer)
            award_world.services.issue(award_world.fresh(contract), by=self.desk.officer)
            good = {"number": contract.number, "text_hash": award_world.head(award_world.fresh(contract))}
            yi, jia = award_world.scan(f"yi {contract.number!r}"), award_world.scan(f"jia {contract.number!r}")
            award_world.services.sign(award_world.fresh(contract), yi, by=self.hub.signatory, **good)
            award_world.services.countersign(award_world.fresh(contract), jia, by=self.desk.approver, **good)
        effects.drain()

    def pay(self) -> None:
        """Requested and approved by others; finance orders, ticks two of three, sees the sum, makes the file, matches one slip."""
        rows = Tranche.objects.filter(number=1).select_related(*Tranche.door_select).order_by("award__number")
        for row in rows:
            held = funding.perform(row, "request", by=self.hub.signatory)
            if not held.receipts.exists():
                funding.receipt(held, self.hub.signatory, kind=str(row.award.bid.rules.funding.receipts[0]))
            funding.perform(held, "check_", by=self.desk.officer)
        for row in rows:
            self.approver.take(row, "批准拨款")
        finance = self.finance
        finance.go("/funding/queue/?stage=approved")
        finance.type(tranche=[str(row.pk) for row in rows])
        finance.press("为勾选的拨款开付款单")
        effects.drain()
        finance.go(finance.page.url)
        finance.sees(f"{N}/{N}")
        finance.go("/funding/queue/")
        first, second = (PaymentOrder.objects.get(tranche=row) for row in list(rows)[:2])
        finance.type(order=[first.key, second.key])
        finance.press("用勾选的付款单生成银行批次")
        finance.sees("元整" if (first.amount + second.amount) % 1 == 0 else "角")
        finance.press("确认金额，生成批次")
        batch = PaymentBatch.objects.get()
        finance.sees(batch.number)
        assert batch.orders.count() == 2
        finance.go("/funding/queue/reconcile/")
        finance.type(**{f"slip_{first.pk}": "HD20260001"})
        finance.press("确认已付")
        effects.drain()
        assert {o.status for o in PaymentOrder.objects.filter(batch=batch)} == {"paid", "sent_unknown"}
        finance.go(f"/funding/calls/{self.call.pk}/tie-out/")
        finance.sees("对账表")

    def look_back(self) -> None:
        """Overdue list, file's meter and the round's figures, for the approver."""
        self.later(clock.now() + timedelta(days=40))
        approver = self.approver
        approver.go("/")
        approver.press("逾期清单")
        approver.sees("逾期天数")
        approver.go(f"/project/{self.bids[0].pk}/")
        approver.sees("档案完整度")
        approver.go(f"/calls/{self.call.pk}/retrospective/")
        approver.sees("各阶段用时")
        approver.sees("每一关之后还剩多少份")


    def accessible(self) -> None:
        """axe-core finds nothing on the pages of this desk that WCAG 2.2 AA forbids."""
        call, bid = self.call.pk, self.bids[0].pk
        addresses = [
            f"/bids/calls/{call}/", f"/bids/{bid}/screening/", f"/bids/calls/{call}/related/", f"/awards/call/{call}/board/",
            f"/awards/call/{call}/release/", f"/calls/{call}/pack/", f"/jobs/{BulkJob.objects.latest('requested_at').pk}/", "/jobs/",
            "/funding/queue/?stage=sent", f"/funding/calls/{call}/tie-out/", "/overdue/", f"/calls/{call}/retrospective/", f"/project/{bid}/",
        ]  # fmt: skip
        found = {}
        for address in addresses:
            self.approver.go(address)
            wrong = Axe().run(self.approver.page, options={"runOnly": WCAG}).response["violations"]
            if wrong:
                found[address] = [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in wrong]
        assert found == {}


def test_from_closed_call_to_bank_file_by_clicks(town: Town) -> None:
    """Every page of the office is reached by its own links; jobs are stopped and resumed; every result is checked in the record."""
    office = Office(town)
    office.screen()
    office.judge()
    office.decide()
    office.pack()
    office.sign()
    office.pay()
    office.look_back()
    office.accessible()
