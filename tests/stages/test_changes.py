"""变更: who decides by the call's thresholds, what the decision itself applies, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from grants import clock, ledger
from grants.awards.models import AgreedLine
from grants.calls.rulebook.parts.timetable import months_after
from grants.desk.plan import steps
from grants.documents.files import read_file
from grants.evaluation.services import against_plan
from grants.funding import pages, services
from grants.funding.books import check_call
from grants.funding.models import ChangeRequest
from grants.people.models import User
from grants.workflow.door import perform
from grants.workflow.effects import drain
from grants.workflow.refusals import Invalid, NotNow, NotYou, Refusal
from tests.world import evaluation as grading
from tests.world import funding as world
from tests.world import people, shared
from tests.world.funding import Project

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(scope="module")
def begun(django_db_setup: None, django_db_blocker: Any) -> Iterator[Project]:
    """A running project of ¥100,000.00 on two lines, ¥60,000.00 and ¥40,000.00; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        [project] = world.begun()
        first = project.award.lines.get()
        AgreedLine.objects.filter(pk=first.pk).update(asked=D(60_000), agreed=D(60_000))
        AgreedLine.objects.create(award=project.award, position=first.position + 1, category=first.category, name="培训", asked=D(40_000), agreed=D(40_000))
        yield project


@pytest.fixture
def project(begun: Project) -> Iterator[Project]:
    for user in (begun.desk.officer, begun.desk.approver, begun.desk.finance, begun.desk.auditor, begun.claimant):
        user.__dict__.pop("_held", None)
    with clock.at(begun.day(60)):
        yield begun


def lines(project: Project) -> list[Decimal]:
    return list(project.award.lines.order_by("position").values_list("agreed", flat=True))


def asked(project: Project, moved: str = "0", **more: Any) -> ChangeRequest:
    """Move `moved` 元 from the first line to the second."""
    first, second = project.award.lines.order_by("position")
    wanted = {first.pk: first.agreed - D(moved), second.pk: second.agreed + D(moved)}
    given = {"lines": wanted, "reason": "参加培训的人比预计多。", **more}
    return services.propose_change(project.fresh(), by=more.pop("by", project.claimant), **{k: v for k, v in given.items() if k != "by"})


def refused(kind: type[Refusal], rule: str, act: Any) -> str:
    """`act` is refused under `rule`, and nothing is written."""
    before = ChangeRequest.objects.count(), list(AgreedLine.objects.order_by("pk").values_list("agreed", flat=True))
    with pytest.raises(kind) as told, transaction.atomic():
        act()
    assert told.value.rule == rule, told.value
    assert (ChangeRequest.objects.count(), list(AgreedLine.objects.order_by("pk").values_list("agreed", flat=True))) == before
    return str(told.value)


@pytest.mark.parametrize(("moved", "decider", "state"), [
    ("4000.00", "record", "applied"), ("4000.01", "operator", "requested"), ("8000.00", "operator", "requested"), ("8000.01", "agency", "requested"),
])  # fmt: skip
def test_the_calls_thresholds_name_who_decides_to_the_fen(project: Project, moved: str, decider: str, state: str) -> None:
    """10 % of a line is recorded and stands at once; up to 20 % the operator; a fen more the agency."""
    made = asked(project, moved)
    assert (made.decider, made.state) == (decider, state)
    assert lines(project) == ([D("56000.00"), D("44000.00")] if state == "applied" else [D("60000.00"), D("40000.00")])


def test_a_large_change_is_checked_approved_applied_annexed_and_told(project: Project) -> None:
    """Officer, then approver; lines and totals follow; the annex says before and after; the grantee gets a letter."""
    made = asked(project, "15000")
    assert [w.label for w in pages.waiting(project.desk.officer) if "变更" in str(w.label)] == ["核对变更"]
    made = perform(made, "check_", by=project.desk.officer)
    made = perform(made, "approve", by=project.desk.approver)
    assert lines(project) == [D("45000.00"), D("55000.00")]
    assert project.award.lines.get(name="培训").raised == D("15000.00")
    assert check_call(project.call) == []
    [event] = [e for e in ledger.history(made.subject) if e.verb == "approve"]
    assert event.public["budget_before"] != event.public["budget_after"]
    assert "参加培训" not in str(event.public)
    drain()
    made = ChangeRequest.objects.get(pk=made.pk)
    said = "".join(page.extract_text() for page in PdfReader(BytesIO(read_file(made.annex_id))).pages)
    assert "¥40,000.00" in said and "¥55,000.00" in said
    client = Client()
    client.force_login(project.claimant)
    assert client.get(reverse("desk:file", args=["change", made.pk, made.annex_id])).status_code == 200


def test_the_same_person_never_checks_and_approves(project: Project) -> None:
    both = people.appointed("officer", project.desk.agency)
    people.services.appoint(both, "approver", project.desk.agency, by=people.SYSTEM)
    made = perform(asked(project, "15000"), "check_", by=both)
    refused(NotYou, "not_checked_by", lambda: perform(made, "approve", by=both))


def test_the_operator_approves_within_its_mandate_and_not_beyond(project: Project) -> None:
    operator = people.appointed("operator", project.call)
    made = asked(project, "8000")
    assert perform(made, "endorse", by=operator).state == "applied"
    beyond = asked(project, "20000")
    refused(NotNow, "operator_decides", lambda: perform(beyond, "endorse", by=operator))


def test_targets_time_and_people_go_to_the_agency_and_are_applied(project: Project) -> None:
    """Figures in the report's plan, the last day of the project and the final report's day follow by themselves."""
    key, (name, figure, _unit) = next(iter(services.targets_of(project.award).items()))
    ends, due = services.project_end(project.fresh()), grading.of(project, "final").due_at
    made = asked(project, targets={key: figure - 1}, extension_months=2, people="项目负责人由甲换为乙，社会工作师。")
    assert made.decider == "agency"
    perform(perform(made, "check_", by=project.desk.officer), "approve", by=project.desk.approver)
    drain()
    assert services.targets_of(project.fresh())[key][1] == figure - 1
    assert next(row["target"] for row in against_plan(grading.of(project, "final"))) == figure - 1, name
    assert services.project_end(project.fresh()) == months_after(ends + timedelta(days=1), 2) - timedelta(days=1)
    later = grading.of(project, "final").due_at
    assert due is not None and later is not None and later.date() > due.date()
    assert "甲" not in str([e.public for e in ledger.history(made.subject)])


def test_what_may_not_be_changed_is_refused_with_the_reason(project: Project) -> None:
    first, second = project.award.lines.order_by("position")
    more = {first.pk: first.agreed + 1, second.pk: second.agreed}
    less = {first.pk: first.agreed - 1, second.pk: second.agreed}
    award = project.fresh()
    propose = lambda **given: services.propose_change(award, by=project.claimant, **{"reason": "原因", **given})  # noqa: E731
    assert "不得增加资助总额" in refused(Invalid, "lines", lambda: propose(lines=more))
    assert "只能在各行之间调整" in refused(Invalid, "lines", lambda: propose(lines=less))
    refused(Invalid, "lines", propose)
    refused(Invalid, "reason", lambda: asked(project, "100", reason="  "))
    assert "上限" in refused(Invalid, "lines", lambda: propose(extension_months=4))
    refused(Invalid, "targets", lambda: propose(targets={"nonsense": 3}))


def test_a_line_never_falls_below_what_was_spent_on_it(project: Project) -> None:
    with clock.at(project.day(2)):
        world.paid(project, 1)
    world.expense(project, "50000")
    assert "已支出" in refused(Invalid, "lines", lambda: asked(project, "15000"))


def test_one_change_at_a_time_and_a_withdrawn_one_makes_room(project: Project) -> None:
    made = asked(project, "15000")
    refused(NotNow, "no_other_change", lambda: asked(project, "9000"))
    perform(made, "withdraw", by=project.claimant)
    assert asked(project, "9000").number == 2


def test_a_budget_that_moved_meanwhile_is_not_overwritten(project: Project) -> None:
    made = perform(asked(project, "15000"), "check_", by=project.desk.officer)
    first, second = project.award.lines.order_by("position")
    AgreedLine.objects.filter(pk=first.pk).update(agreed=D(59_000))
    AgreedLine.objects.filter(pk=second.pk).update(agreed=D(41_000), raised=D(1_000))
    refused(NotNow, "still_possible", lambda: perform(made, "approve", by=project.desk.approver))


def test_the_plan_ends_later_when_an_extension_was_applied(project: Project) -> None:
    """The last planned day moves by the months of the applied change and says so; a change only asked for moves nothing."""
    def end() -> Any:
        return next(s for s in steps(project.fresh().bid, project.desk.officer) if s.key == "end")

    before = end()
    made = asked(project, extension_months=2)
    assert end().planned == before.planned
    perform(made, "check_", by=project.desk.officer)
    perform(made, "approve", by=project.desk.approver)
    assert end().planned == months_after(before.planned, 2) and "延长 2 个月" in end().how


def test_strangers_neither_ask_nor_see(project: Project) -> None:
    """Another organisation, and the grantee's own agency as asker: refused; the page is 404."""
    stranger = people.body(project.desk).signatory
    for person in (stranger, project.desk.officer):
        refused(NotYou, "may_sign_for", lambda person=person: services.propose_change(project.fresh(), by=person, reason="x", extension_months=1))
    made = asked(project, "15000")
    assert page(stranger, reverse("desk:object", args=["change", made.pk])).status_code == 404
    assert page(stranger, reverse("funding:change", args=[project.award.pk])).status_code == 404


def test_the_grantee_sees_who_read_its_report_and_when(project: Project) -> None:
    """The officer's first look and the evaluator's are on the report's timeline, once each; the grantee's own look is not."""
    found = grading.submitted(project)
    who = grading.nominated(project)
    address = reverse("desk:object", args=["evaluation", found.pk])
    for reader in (project.desk.officer, project.desk.officer, who, project.claimant):
        assert page(reader, address).status_code == 200
    readings = [(e.actor, e.role) for e in ledger.history(found.subject) if e.verb == "read"]
    assert readings == [(str(project.desk.officer.pseudonym), "officer"), (str(who.pseudonym), "evaluator")]
    shown = page(project.claimant, address).content.decode()
    assert "查阅" in shown and "评估人戊" in shown


def page(person: User, address: str) -> Any:
    client = Client()
    client.force_login(person)
    return client.get(address)


def test_the_page_asks_and_keeps_what_was_typed_when_it_is_refused(project: Project) -> None:
    client, address = Client(), reverse("funding:change", args=[project.award.pk])
    client.force_login(project.claimant)
    form = client.get(address).context["form"]
    given = {field.html_name: field.value() for field in [*form.line_fields, *form.target_fields]}
    first, second = (field.html_name for field in form.line_fields)
    wrong = client.post(address, {**given, first: "61000", "reason": "写了很久的原因"})
    assert wrong.status_code == 422 and "写了很久的原因" in wrong.content.decode() and "不得增加资助总额" in wrong.content.decode()
    done = client.post(address, {**given, first: "58000", second: "42000", "reason": "小额调整"}, follow=True)
    assert "变更已经生效" in done.content.decode()
    assert lines(project) == [D("58000.00"), D("42000.00")]
