"""What people see, by clicks: from admitted bids to a signed ranking and released letters; letter, pack and charts; an objection upheld."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from bidding.models import Bid
from grants import clock, ledger
from grants.awards.models import Award, Decision, Objection, PublicNotice
from grants.calls import services as call_services
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow import effects
from review import services as review_services
from review.models import Panel, Review
from tests.browser.town import Town, Visitor
from tests.world import awards as award_world
from tests.world import review
from tests.world.review import Judged

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
N = 5


def given(found: Review) -> Decimal:
    """Bids a tenth apart, the last below the pass line; experts a little lenient or strict."""
    return Decimal("1.00") - Decimal("0.07") * int(found.bid.number[-2:]) + Decimal(int(found.expert.code[1:]) % 4) / 100


class Round:
    """Five admitted bids of five organisations; from here on everything the office does is clicked."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.made: Judged = review.judged(award_world.rules(), amounts=["90000.00"] * N, n=N)
        self.call = self.made.call
        self.later(review.after(self.call, 3))

    @property
    def officer(self) -> Visitor:
        return self.town.person(self.made.desk.officer)

    @property
    def approver(self) -> Visitor:
        return self.town.person(self.made.desk.approver)

    @property
    def page(self) -> str:
        return f"/awards/call/{self.call.pk}/"

    def later(self, moment: datetime | None) -> None:
        assert moment is not None
        clock.set_now(moment)
        call_services.tick()
        effects.drain()

    def bidder(self, bid: Bid) -> User:
        return next(b.signatory for b in self.made.bodies if b.organisation.pk == bid.organisation_id)

    # --- chapters -----------------------------------------------------------------------------------------------------

    def draw_and_judge(self) -> None:
        """The officer draws, assigns, starts, locks and concludes; the experts' own work is done through their services."""
        officer = self.officer
        panel = officer.draw_panel(self.call)
        officer.go(f"/review/panels/{panel.pk}/")
        officer.press("分配专家")
        officer.take(panel, "开始评分")
        effects.drain()
        self.later(review.after(self.call, 10))
        review.all_scored(panel, given)
        officer.take(panel, "锁定评分")
        effects.drain()
        for member in panel.members.filter(alternate=False, excused=False).select_related("expert__user"):
            review_services.sign(Panel.objects.select_related(*Panel.door_select).get(pk=panel.pk), by=member.expert.user)
        officer.take(panel, "出具评审报告")
        self.later(review.after(self.call, 12))

    def release(self) -> None:
        """Board with its budget line, proposal, a letter read before it goes, one stroke, the notice."""
        officer, approver = self.officer, self.approver
        officer.go(self.page)
        officer.press("按排名拟定立项")
        officer.press("排名与决定表")
        expect(officer.page.locator("figure#budget svg")).to_be_visible()
        approver.go(self.page)
        approver.press("批准全部")
        approver.page.locator("summary").first.click()
        approver.press("预览反馈信")
        approver.sees("这是预览")
        approver.go(f"{self.page}release/")
        approver.press("批准并发布全部决定")
        effects.drain()
        assert Decision.objects.filter(released_at__isnull=False).count() == N
        officer.go(self.page)
        officer.press("预览并发布公示")
        officer.press("发布公示")
        effects.drain()
        ledger.sequence()
        ledger.checkpoint()

    def read_the_letter(self, folder: Path) -> None:
        """The bidder that was refused goes from the mailbox to the letter, takes paper and pack home, and runs the program."""
        refused = Bid.objects.get(call=self.call, decision__awarded=False)
        bidder = self.town.person(self.bidder(refused))
        bidder.go("/messages/")
        bidder.page.get_by_role("link", name="评审结果通知").first.click()
        bidder.page.wait_for_load_state()
        bidder.go(f"/awards/feedback/{refused.pk}/")
        bidder.sees("低于及格线")
        bidder.sees("获得资助项目平均")
        bidder.sees("去掉的最高分")
        self._accessible(bidder)
        with bidder.page.expect_download() as paper:
            bidder._named("下载反馈信 PDF", "main").click()
        assert Path(paper.value.path()).read_bytes().startswith(b"%PDF")
        with bidder.page.expect_download() as taken:
            bidder._named("下载证据包", "main").click()
        with zipfile.ZipFile(taken.value.path()) as package:
            package.extractall(folder)
        done = subprocess.run([sys.executable, "-S", "-E", "-B", "verify.py"], cwd=folder, env={}, capture_output=True, check=False, encoding="utf-8")
        assert done.returncode == 0, done.stdout
        assert done.stdout.count("OK") == 12
        assert AuditEvent.objects.filter(event="bid.download", subject=refused.subject).count() == 1
        bidder.press("评审情况")
        bidder.sees(refused.number)
        expect(bidder.page.locator("#strictness-section")).to_have_count(0)

    def audit(self) -> None:
        """The auditor reaches the box plots from the call's page and takes the table home."""
        auditor = self.town.person(self.made.desk.auditor)
        auditor.open(self.call)
        auditor.press("评审情况")
        expect(auditor.page.locator("#strictness-section svg").first).to_be_visible()
        self._accessible(auditor)
        with auditor.page.expect_download() as taken:
            auditor.page.locator("#strictness-section a", has_text="CSV").click()
        lines = Path(taken.value.path()).read_text(encoding="utf-8-sig").splitlines()
        assert lines[0].startswith("专家,份数")
        assert len(lines) >= 5
        assert AuditEvent.objects.filter(event="call.download", subject=self.call.subject).exists()

    def _accessible(self, who: Visitor) -> None:
        wrong = Axe().run(who.page, options={"runOnly": WCAG}).response["violations"]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in wrong] == []

    def object(self) -> None:
        """A bidder objects from its letter; the officer accepts, another person upholds, the award falls, the bidder reads the answer."""
        refused = Bid.objects.get(call=self.call, decision__awarded=False)
        award = Award.objects.filter(call=self.call).order_by("number").first()
        assert award is not None
        self.later(PublicNotice.objects.get().published_at + timedelta(days=1))
        bidder = self.town.person(self.bidder(refused))
        bidder.go(f"/awards/feedback/{refused.pk}/")
        bidder.press("提出异议")
        bidder.type(kind="person", name="王某某", contact="望湖社区居委会转", facts=award_world.FACTS, award=award.pk)
        bidder.press("提交异议")
        effects.drain()
        objection = Objection.objects.get()
        bidder.sees(objection.number)
        officer, approver = self.officer, self.approver
        officer.go("/")
        officer.sees("受理异议")
        officer.take(objection, "受理异议")
        effects.drain()
        assert Award.objects.get(pk=award.pk).state == "held"
        approver.go("/")
        approver.sees("答复异议")
        approver.take(objection, "异议成立", note="查证属实", reply="经核实，项目内容与上年资助的项目重复，取消立项。")
        effects.drain()
        assert Award.objects.get(pk=award.pk).state == "cancelled"
        bidder.open(objection)
        bidder.sees("成立")
        bidder.sees("取消立项")


def test_from_admitted_bids_to_letters_pack_and_charts_by_clicks(town: Town, tmp_path: Path) -> None:
    """Nothing the office, a bidder or the auditor does is written beside the pages."""
    found = Round(town)
    found.draw_and_judge()
    found.release()
    found.read_the_letter(tmp_path / "pack")
    found.audit()
    found.object()
