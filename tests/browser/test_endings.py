"""A project's last year by hand: mid-term and final report by telephone with the finger alone, then the auditor takes the tables home."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from grants import clock
from grants.desk.audit.tables import RECORDS
from grants.evaluation import services
from grants.evaluation.models import Evaluation
from grants.people.models import User
from grants.workflow import effects
from tests.browser.town import NARROW, Town, Visitor
from tests.world import bidding, evaluation, funding
from tests.world.funding import Project

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Telephone(Visitor):
    """A browser of 390 px with a touch screen and no mouse: everything is tapped, and no page is wider than the screen."""

    def __init__(self, town: Town, user: User) -> None:
        super().__init__(town, town.context(viewport=NARROW, has_touch=True, is_mobile=True), f"phone-{user.username}")
        self.sign_in(user)

    def press(self, label: str, *, inside: str = "main") -> None:
        with self.page.expect_navigation():  # a tap, unlike a click, does not wait for what it leads to
            self._named(label, inside).tap()
        self.look()

    def look(self) -> None:
        assert not self.faults, f"{self.page.url}: {self.faults}"
        self.town.shots += 1
        self.town.picture(self.page, self.name)
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= NARROW["width"], f"{self.page.url} is {width} px wide on a telephone"


def test_midterm_and_final_report_by_telephone_and_the_auditor_takes_the_tables_home(town: Town) -> None:
    """Section by section with the finger; refused while something is missing; handed in; then page = CSV = XLSX, and the agency reads who read."""
    [project] = funding.begun()
    for moment in ("midterm", "final"):
        if Evaluation.objects.filter(award=project.award, moment=moment).exists():
            _reports(town, project, moment)
            evaluation.nominated(project, moment)
    effects.drain()
    _audited(town, project)


def _reports(town: Town, project: Project, moment: str) -> None:
    due = evaluation.of(project, moment).due_at
    assert due is not None
    clock.set_now(due - timedelta(days=3))
    phone, found = Telephone(town, project.claimant), evaluation.of(project, moment)
    phone.go(f"/evaluation/{found.pk}/report/")
    expect(phone.page.get_by_role("link", name="核对并提交报告")).to_have_count(0)
    for section in services.sections(found):
        phone.press(section.title)
        for field in section.fields:
            if field.kind not in ("file", "table"):
                phone.type(**{field.code: _answer(field)})
        phone.press("保存")
        phone.go(f"/evaluation/{found.pk}/report/")
    phone.press("核对并提交报告")
    phone.press("确认：提交报告")
    phone.done("已完成：提交报告")
    assert evaluation.of(project, moment).state == "submitted"


def _answer(field: Any) -> Any:
    given = bidding.answer(field)
    return str(given[0]) if isinstance(given, list) and given else given


def _audited(town: Town, project: Project) -> None:
    """Sign in → call → each table → CSV and XLSX with the same rows, a count and no formula → the officer sees every download."""
    auditor = town.person(project.desk.auditor)
    auditor.press("审计", inside=".gc-nav")
    auditor.press(project.call.code)
    for code, name in (("bids", None), ("tranches", None)):
        auditor.go(f"/audit/calls/{project.call.pk}/{code}/")
        shown = auditor.page.locator("main tbody tr").count()
        rows = list(csv.reader(io.StringIO(_taken(auditor, "CSV").decode("utf-8-sig"))))
        assert len(rows) == RECORDS[code].rows(project.call).count() + 2, name
        assert shown >= min(1, len(rows) - 2)
        with zipfile.ZipFile(io.BytesIO(_taken(auditor, "XLSX"))) as book:
            assert not any("<f>" in book.read(each).decode() for each in book.namelist() if each.startswith("xl/worksheets/"))
    officer = town.person(project.desk.officer)
    officer.open(project.call)
    officer.sees("下载")
    officer.sees(str(project.desk.auditor))


def _taken(visitor: Visitor, kind: str) -> bytes:
    with visitor.page.expect_download() as got:
        visitor.page.locator("main a[download]", has_text=kind).click()
    return Path(got.value.path()).read_bytes()
