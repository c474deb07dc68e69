"""Funding's and evaluation's pages through the browser's eyes: who sees what, what is refused and kept, and how many queries it costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.evaluation import pages as evaluation_pages
from grants.evaluation import services as evaluation_services
from grants.evaluation.models import Evidence
from grants.funding import pages as funding_pages
from grants.funding import services
from grants.funding.models import Expense, PaymentBatch, Receipt, Surplus, Tranche
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform
from tests.world import bidding, people, shared
from tests.world import evaluation as grading
from tests.world import funding as world
from tests.world.funding import Project

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def three(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Project]]:
    """Three awards of one call that have begun; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        yield world.begun(amounts=("90000.00", "80000.00", "70000.00"))


@pytest.fixture
def projects(three: list[Project]) -> Iterator[list[Project]]:
    desk = three[0].desk
    for user in (desk.officer, desk.approver, desk.finance, desk.auditor, *(p.claimant for p in three)):
        user.__dict__.pop("_held", None)
    with clock.at(three[-1].day(2)):
        yield three


@pytest.fixture
def project(projects: list[Project]) -> Project:
    return projects[0]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def fresh(user: User) -> User:
    """As a new request reads the person: nothing remembered."""
    return User.objects.get(pk=user.pk)


def paper(name: str = "scan.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, bidding.pdf(name), content_type="application/pdf")


# --- who sees the money --------------------------------------------------------------------------------------------------


def test_a_projects_money_is_shown_to_its_parties_and_to_nobody_else(projects: list[Project]) -> None:
    """Grantee, desk and auditor see it; another grantee and a stranger get 404; without an account, the sign-in page."""
    one, other = projects[0], projects[1]
    url = reverse("funding:award", args=[one.award.pk])
    for who in (one.claimant, one.desk.officer, one.desk.finance, one.desk.auditor):
        page = signed_in(who).get(url)
        assert page.status_code == 200
        assert "45,000.00" in page.content.decode()
    for who in (other.claimant, people.person("路人")):
        assert signed_in(who).get(url).status_code == 404
    assert Client().get(url).status_code == 302


def test_the_account_number_is_masked_on_the_tranches_page_and_only_finance_finds_the_way_to_all_of_it(project: Project) -> None:
    world.ordered(project)
    number = world.order_of(project).payee_account
    url = reverse("desk:object", args=["tranche", project.tranche().pk])
    for who, finance in ((project.desk.finance, True), (project.claimant, False), (project.desk.officer, False), (project.desk.auditor, False)):
        page = signed_in(who).get(url)
        assert page.status_code == 200
        assert number not in page.content.decode()
        assert (reverse("funding:account", args=[project.tranche().pk]) in page.content.decode()) is finance


def test_buttons_are_offered_to_those_who_may_press_them(project: Project) -> None:
    url = reverse("funding:award", args=[project.award.pk])
    assert "登记支出" in signed_in(project.claimant).get(url).content.decode()
    assert "核算结余" not in signed_in(project.claimant).get(url).content.decode()
    assert "核算结余" in signed_in(project.desk.officer).get(url).content.decode()


# --- typing ---------------------------------------------------------------------------------------------------------------


def test_a_receipt_is_handed_in_and_a_refused_one_keeps_what_was_typed(project: Project) -> None:
    """Over the tranche by a fen: 422, the sentence at its field, the number still in the form, nothing saved."""
    client, url = signed_in(project.claimant), reverse("funding:receipt", args=[project.tranche().pk])
    typed = {"kind": "settlement", "number": "P-77", "issued_on": "2026-05-01", "payer_title": "云溪区民政局", "amount": "45000.01"}
    page = client.post(url, {**typed, "file": paper()})
    assert page.status_code == 422
    assert "45,000.01" in page.content.decode()
    assert 'value="P-77"' in page.content.decode()
    assert not Receipt.objects.exists()
    page = client.post(url, {**typed, "amount": "45000.00", "file": paper()})
    assert page.status_code == 302
    assert Receipt.objects.get().amount == Decimal("45000.00")


def test_a_disguised_receipt_is_refused(project: Project) -> None:
    """A program called receipt.pdf is no receipt."""
    client, url = signed_in(project.claimant), reverse("funding:receipt", args=[project.tranche().pk])
    typed = {"kind": "settlement", "number": "P-1", "issued_on": "2026-05-01", "payer_title": "x", "amount": "45000.00"}
    page = client.post(url, {**typed, "file": SimpleUploadedFile("receipt.pdf", b"MZ\x90\x00" + b"\0" * 200)})
    assert page.status_code == 422
    assert not Receipt.objects.exists()


def test_an_expense_is_booked_refused_documented_and_disallowed(project: Project) -> None:
    """The whole life of a voucher by clicks; what a grant may not pay is refused with the way out, and nothing is lost."""
    client, url = signed_in(project.claimant), reverse("funding:expense", args=[project.award.pk])
    line = project.award.lines.first()
    assert line is not None
    typed = {
        "money": "grant", "line": line.pk, "spent_on": clock.today().isoformat(), "category": line.category, "purpose": "社区活动物料",
        "payee": "便民店", "amount": "120.50", "method": "转账", "voucher_no": "FP-9", "nature": "alcohol_tobacco",
    }  # fmt: skip
    page = client.post(url, typed)
    assert page.status_code == 422
    assert "不得列支" in page.content.decode()
    assert "社区活动物料" in page.content.decode()
    assert client.post(url, {**typed, "nature": ""}).status_code == 302
    row = Expense.objects.get()
    assert "补交扫描件" in client.get(reverse("funding:award", args=[project.award.pk])).content.decode()
    assert client.post(reverse("funding:voucher", args=[row.pk]), {"file": paper("fp.pdf")}).status_code == 302
    row.refresh_from_db()
    assert row.voucher_id
    desk = signed_in(project.desk.officer)
    assert desk.post(reverse("funding:disallow", args=[row.pk]), {"reason": ""}).status_code == 422
    assert desk.post(reverse("funding:disallow", args=[row.pk]), {"reason": "与项目无关"}).status_code == 302
    row.refresh_from_db()
    assert row.disallowed_reason == "与项目无关"


def test_others_can_neither_book_nor_verify(projects: list[Project]) -> None:
    one, other = projects[0], projects[1]
    assert signed_in(other.claimant).get(reverse("funding:expense", args=[one.award.pk])).status_code == 404
    row = world.receipt(one.tranche(), one.claimant)
    assert signed_in(one.claimant).post(reverse("funding:verify_receipt", args=[row.pk])).status_code == 403
    assert signed_in(one.desk.officer).post(reverse("funding:verify_receipt", args=[row.pk])).status_code == 302
    row.refresh_from_db()
    assert row.verified_by_id == one.desk.officer.pk


def test_the_queue_makes_one_batch_and_its_file_is_for_finance(project: Project) -> None:
    """A second press is refused in words; the file is downloaded by finance and by nobody else."""
    world.ordered(project)
    client = signed_in(project.desk.finance)
    assert world.order_of(project).key in client.get(reverse("funding:queue")).content.decode()
    order, new = world.order_of(project), reverse("funding:batch_new")
    given = {"order": order.key, "seen_total": f"{order.amount:.2f}"}
    assert client.post(new, given).status_code == 302
    again = client.post(new, given)
    assert again.status_code == 409
    assert "没有待入批" in again.content.decode()
    batch = PaymentBatch.objects.get()
    url = reverse("funding:batch", args=[batch.pk])
    page = client.get(url)
    data = b"".join(page.streaming_content) if page.streaming else page.content  # type: ignore[attr-defined]
    assert data.startswith(b"\xef\xbb\xbf")
    assert "attachment" in page["Content-Disposition"]
    assert signed_in(project.desk.officer).get(url).status_code == 404
    assert signed_in(project.desk.officer).post(new, given).status_code == 404


def test_paying_is_confirmed_with_the_slip_in_the_generic_step_page(project: Project) -> None:
    world.ordered(project)
    client = signed_in(project.desk.finance)
    url = reverse("desk:step", args=["tranche", project.tranche().pk, "confirm_paid"])
    assert client.get(url).status_code == 200
    assert client.post(url, {"bank_reference": ""}).status_code == 422
    assert project.tranche().state == "ordered"
    assert client.post(url, {"bank_reference": "HD-2026"}).status_code == 302
    assert project.tranche().state == "paid"


def test_the_surplus_is_computed_and_returned_by_clicks(project: Project) -> None:
    world.paid(project, 1)
    url = reverse("funding:surplus", args=[project.award.pk])
    assert signed_in(project.desk.officer).post(url).status_code == 302
    assert Surplus.objects.get().amount == Decimal("45000.00")
    assert signed_in(project.claimant).post(url, {"bank_reference": "x"}).status_code == 403
    assert signed_in(project.desk.finance).post(url, {"bank_reference": "TK-5"}).status_code == 302
    assert Surplus.objects.get().returned_at is not None


# --- evaluation by clicks -------------------------------------------------------------------------------------------------


def test_a_report_is_written_section_by_section_and_graded_on_the_sheet(project: Project) -> None:
    """Task list, a section saved, a wrong value kept with its sentence, the evaluator's sheet, the approver's confirmation."""
    found = grading.of(project, "final")
    client = signed_in(project.claimant)
    page = client.get(reverse("evaluation:report", args=[found.pk]))
    assert "尚未开始" in page.content.decode()
    code = evaluation_services.sections(found)[0].code
    url = reverse("evaluation:section", args=[found.pk, code])
    page = client.get(url)
    assert page.status_code == 200
    names = [str(q.bound.name) for q in page.context["form"].questions() if q.kind == "field"]
    wrong = client.post(url, dict.fromkeys(names, "101"))
    assert wrong.status_code == 422
    assert "101" in wrong.content.decode()
    grading.submitted(project, "final", satisfaction="93")
    who = grading.nominated(project, "final")
    sheet_url = reverse("desk:step", args=["evaluation", found.pk, "grade"])
    marks = {f"c_{k}": str(v) for k, v in grading.scores(grading.of(project, "final")).items()}
    assert signed_in(who).get(sheet_url).status_code == 200
    assert signed_in(who).post(sheet_url, {**marks, "bonus": "0", "penalty": "0", "comment": "扎实"}).status_code == 302
    assert grading.of(project, "final").grade_name == "良好"
    assert signed_in(people.person("路人")).get(reverse("evaluation:report", args=[found.pk])).status_code == 404


def test_the_desk_offers_nominating_by_user_name(project: Project) -> None:
    found = grading.of(project)
    who = people.person("评估师")
    url = reverse("desk:step", args=["evaluation", found.pk, "nominate"])
    client = signed_in(project.desk.officer)
    assert "没有这个账号" in client.post(url, {"username": "nobody-here"}).content.decode()
    assert client.post(url, {"username": who.username}).status_code == 302
    assert grading.of(project).evaluator_id == who.pk
    refused = client.post(url, {"username": project.claimant.username})
    assert refused.status_code == 409
    assert "回避" in refused.content.decode()


def test_papers_go_into_the_file_and_the_closing_page_lists_the_gaps(project: Project) -> None:
    client, url = signed_in(project.claimant), reverse("evaluation:closing", args=[project.award.pk])
    assert "末期评估尚未完成" in client.get(url).content.decode()
    assert client.post(url, {"code": "photos", "file": paper("photos.pdf")}).status_code == 302
    row = Evidence.objects.get()
    page = client.get(reverse("evaluation:evidence", args=[project.award.pk, row.pk]))
    assert page.status_code == 200
    assert client.post(url, {"code": "xyz", "file": paper()}).status_code == 422
    stranger = signed_in(people.person("路人"))
    assert stranger.get(url).status_code == 404
    assert stranger.get(reverse("evaluation:evidence", args=[project.award.pk, row.pk])).status_code == 404


def test_the_track_record_is_public_and_holds_no_reason(project: Project) -> None:
    """Without an account: project, call, amount, outcome; never why or who. A body that was not verified has no page."""
    perform(project.fresh(), "terminate", by=project.desk.approver, note="负责人失联")
    effects.drain()
    page = Client().get(reverse("evaluation:record", args=[project.body.organisation.pk]))
    assert page.status_code == 200
    text = page.content.decode()
    assert "终止" in text
    assert "失联" not in text
    assert project.body.organisation.legal_representative not in text


# --- what it costs --------------------------------------------------------------------------------------------------------


def test_what_waits_costs_the_same_for_one_and_for_three(projects: list[Project], django_assert_num_queries: Any) -> None:
    """Funding asks once per duty (seven), evaluation once per duty (five), whatever the number of rows."""
    desk = projects[0].desk
    for number, project in enumerate(projects, start=1):
        world.requested(project)
        if number in (1, 3):
            officer = fresh(desk.officer)
            with django_assert_num_queries(7):
                assert len(funding_pages.waiting(officer)) == number
    for number, project in enumerate(projects, start=1):
        grading.submitted(project)
        if number in (1, 3):
            officer = fresh(desk.officer)
            with django_assert_num_queries(5):
                rows = evaluation_pages.waiting(officer)
            assert [str(r.label) for r in rows] == ["指定评估人"] * number


def test_a_claimant_is_asked_for_one_tranche_at_a_time(project: Project) -> None:
    """The second is on the list only when the first is paid."""
    def titles() -> list[str]:
        return [r.title for r in funding_pages.waiting(fresh(project.claimant)) if str(r.label) == "申请拨款"]

    assert len(titles()) == 1
    world.requested(project)
    assert titles() == []
    Tranche.objects.filter(pk=project.tranche().pk).update(state="planned")
    world.paid(project, 1)
    assert titles() == [f"{project.award.bid.title} · {project.tranche(2)}"]


def test_the_overview_costs_the_same_for_one_and_for_three(projects: list[Project], django_assert_num_queries: Any) -> None:
    """Sources, promised, paid, what does not tie out and what is late — in a fixed number of queries."""
    client = signed_in(projects[0].desk.finance)
    url = reverse("funding:overview", args=[projects[0].call.pk])
    client.get(url)
    with django_assert_num_queries(14):
        page = client.get(url)
    text = page.content.decode()
    assert "240,000.00" in text
    assert "账目相符" in text
    with django_assert_num_queries(9):
        services.check_call(projects[0].call)


def test_a_late_tranche_is_named_on_the_overview(projects: list[Project]) -> None:
    held = world.requested(projects[0])
    assert held.due_at is not None
    client, url = signed_in(projects[0].desk.officer), reverse("funding:overview", args=[projects[0].call.pk])
    with clock.at(held.due_at - (held.due_at - clock.now()) / 2):
        assert "没有逾期的拨款" in client.get(url).content.decode()
    with clock.at(held.due_at):
        assert "逾期 1 天" in client.get(url).content.decode()


def test_the_queue_costs_the_same_for_one_and_for_three(projects: list[Project], django_assert_num_queries: Any) -> None:
    client, url = signed_in(projects[0].desk.finance), reverse("funding:queue")
    client.get(url)
    for number, project in enumerate(projects, start=1):
        world.ordered(project)
        if number in (1, 3):
            with django_assert_num_queries(9):
                assert client.get(url).content.decode().count('name="order"') == number


# --- evaluators ----------------------------------------------------------------------------------------------------------


def test_every_link_on_an_evaluators_pages_opens_for_them(projects: list[Project]) -> None:
    """An evaluator reads a report and the project's file but not the award's page: that link is not offered, and no other is dead."""
    project = projects[0]
    grading.submitted(project)
    client = signed_in(fresh(grading.nominated(project)))
    found = grading.of(project)
    for start in (reverse("desk:object", args=["evaluation", found.pk]), reverse("evaluation:closing", args=[project.award.pk])):
        body = client.get(start).content.decode()
        assert str(project.award.bid.title) in body
        for url in set(re.findall(r'href="(/[^"#?]*)', body)) - {reverse("desk:home")}:
            if not url.startswith("/static/"):
                assert client.get(url).status_code in (200, 302), (start, url)
