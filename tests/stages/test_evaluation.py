"""Evaluation: independent evaluators, sheets and bands of the call, what follows a grade, the gate before closing, the record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from grants import clock, ledger
from grants.awards.models import Award
from grants.evaluation import grading, services
from grants.evaluation.models import Evaluation, Evidence, TrackRecord
from grants.funding.services import compute_surplus
from grants.ledger.models import AuditEvent
from grants.notifications.models import Message
from grants.people.services import appoint
from grants.workflow import effects
from grants.workflow.door import SYSTEM, begin, explain, perform
from grants.workflow.models import Outbox
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review.services import add_relation, register_expert
from tests.world import evaluation as world
from tests.world import funding, people, shared
from tests.world.funding import Project, Upload

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def begun(django_db_setup: None, django_db_blocker: Any) -> Iterator[Project]:
    """One award that has begun, with a mid-term and a final evaluation arranged; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        [project] = funding.begun()
        yield project


@pytest.fixture
def project(begun: Project) -> Iterator[Project]:
    """Sixty days into the project."""
    desk = begun.desk
    for user in (desk.officer, desk.approver, desk.finance, desk.auditor, begun.claimant):
        user.__dict__.pop("_held", None)
    with clock.at(begun.day(60)):
        yield begun


def refused(kind: type[Exception], rule: str, act: Any) -> Any:
    """Run `act`; it must be refused under `rule` and leave nothing behind. Returns the refusal."""
    tables = (AuditEvent, Outbox, Evidence, TrackRecord)
    before = [m._base_manager.count() for m in tables], list(Evaluation.objects.order_by("pk").values())
    with pytest.raises(kind) as told, transaction.atomic():
        act()
    assert told.value.rule == rule, told.value  # type: ignore[attr-defined]
    assert ([m._base_manager.count() for m in tables], list(Evaluation.objects.order_by("pk").values())) == before
    return told.value


# --- arranging and reporting ---------------------------------------------------------------------------------------------


def test_evaluations_are_arranged_by_the_clock_with_their_days(project: Project) -> None:
    """Mid-term in the month the call says, final a month after the term; once, whatever is repeated."""
    start = project.award.started_on
    assert start is not None
    months = project.award.bid.rules.timetable
    midterm, final = world.of(project), world.of(project, "final")
    assert midterm.due_at is not None
    assert final.due_at is not None
    assert midterm.due_at.astimezone(clock.TZ).date() == grading.months_after(start, months.midterm_month or months.term_months // 2)
    assert final.due_at.astimezone(clock.TZ).date() == grading.months_after(start, months.term_months + 1)
    services.schedule(project.award)
    assert project.award.evaluations.count() == 2
    refused(NotYou, "the_clock", lambda: begin(Evaluation(award=project.award, moment="other"), by=project.desk.officer))


def test_a_report_is_kept_as_typed_and_handed_in_only_when_complete(project: Project) -> None:
    """Drafts may have gaps; handing in names what is missing; afterwards nothing changes."""
    found = world.of(project)
    code = services.sections(found)[0].code
    services.save_report(found, code, {}, by=project.claimant)
    refusal = refused(NotNow, "report_is_complete", lambda: perform(found, "submit", by=project.claimant))
    assert "还有" in str(refusal)
    done = world.submitted(project)
    assert ledger.history(done.subject)[-1].files == {"report": done.report_hash()}
    refused(NotNow, "report_editable", lambda: services.save_report(done, code, {}, by=project.claimant))


def test_a_wrong_value_is_refused_by_field_and_a_stranger_altogether(project: Project) -> None:
    found = world.of(project, "final")
    code = services.sections(found)[0].code
    refusal = refused(Invalid, "report_fields", lambda: services.save_report(found, code, {"satisfaction": "101"}, by=project.claimant))
    assert "satisfaction" in refusal.problems
    refused(NotYou, "may_write_bids", lambda: services.save_report(found, code, {}, by=people.person("路人")))


def test_reached_indicators_stand_beside_what_was_promised(project: Project) -> None:
    """From the questions that report an indicator; the promise is the frozen bid's."""
    world.written(project, "final", persons="40", satisfaction="93")
    found = world.of(project, "final")
    assert found.achieved["persons"] == "40"
    rows = {r["name"]: r for r in services.against_plan(found)}
    reached = [r for r in rows.values() if r["reached"] is not None]
    assert any(r["percent"] is not None for r in reached)


def test_evidence_goes_into_the_file_by_the_closing_lists_codes(project: Project) -> None:
    row = services.add_evidence(project.award, "photos", name="活动照片.pdf", file=Upload("photo"), by=project.claimant)
    assert ledger.history(project.award.subject)[-1].files == {"photos": row.file.sha256}
    refused(
        Invalid, "evidence_code", lambda: services.add_evidence(project.award, "xyz", name="x", file=Upload("x"), by=project.claimant)
    )
    refused(
        NotYou, "may_write_bids", lambda: services.add_evidence(project.award, "photos", name="x", file=Upload("x"), by=people.person())
    )


# --- who evaluates -------------------------------------------------------------------------------------------------------


def test_nobody_of_grantee_office_or_operator_evaluates(project: Project) -> None:
    """Grantee's people, who checks, approves or pays, and who operates the call are refused; somebody from outside is not."""
    found = world.of(project)
    by = project.desk.officer
    operator = people.appointed("operator", project.call, "承办督导")
    for who, word in ((project.claimant, "受助方"), (project.desk.finance, "支付"), (project.desk.approver, "批准"), (operator, "承办")):
        who.__dict__.pop("_held", None)
        refusal = refused(
            NotNow, "evaluator_is_independent", lambda who=who: perform(found, "nominate", by=by, evaluator=who)  # type: ignore[misc]
        )
        assert word in str(refusal)
    assert world.nominated(project).pk


def test_an_evaluator_who_becomes_tied_later_may_not_grade(project: Project) -> None:
    """Independence is asked again when the sheet is handed in."""
    world.submitted(project)
    who = world.nominated(project)
    appoint(who, "editor", project.body.organisation, by=SYSTEM)
    who.__dict__.pop("_held", None)
    found = world.of(project)
    refused(NotNow, "evaluator_is_independent", lambda: perform(found, "grade", by=who, scores=world.scores(found)))


def test_an_expert_who_mentored_the_grantee_is_refused(project: Project) -> None:
    """The statutory tests on recorded relations hold for evaluators as they do for reviewers."""
    user = people.person("导师")
    expert = register_expert(user=user, code="M01", seat="sector", agency=project.desk.agency, by=project.desk.officer)
    add_relation(
        expert, project.body.organisation, "mentor", by=project.desk.officer, agency=project.desk.agency, since=date(2025, 1, 1),
        evidence="督导协议",
    )  # fmt: skip
    found = world.of(project)
    refused(NotNow, "evaluator_is_independent", lambda: perform(found, "nominate", by=project.desk.officer, evaluator=user))


def test_only_the_nominated_person_grades_and_another_confirms(project: Project) -> None:
    world.submitted(project)
    who = world.nominated(project)
    found = world.of(project)
    refused(NotYou, "is_evaluator", lambda: perform(found, "grade", by=people.person("别人"), scores=world.scores(found)))
    done = perform(found, "grade", by=who, scores=world.scores(found))
    refused(NotYou, "may_confirm_evaluations", lambda: perform(done, "confirm", by=project.desk.officer))
    Evaluation.objects.filter(pk=done.pk).update(graded_by=project.desk.approver)
    refused(NotYou, "not_graded_by", lambda: perform(world.of(project), "confirm", by=project.desk.approver))


# --- grades and what follows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "grade"), [("1.00", "优秀"), ("0.90", "优秀"), ("0.75", "良好"), ("0.60", "合格"), ("0.59", "不合格")])
def test_the_grade_is_the_band_of_the_total(project: Project, share: str, grade: str) -> None:
    done = world.graded(project, share=share)
    assert (done.total, done.grade_name) == (Decimal(share) * 100, grade)
    assert done.grade_code == ("failed" if grade == "不合格" else "passed")


def test_a_sheet_with_gaps_or_out_of_range_is_refused(project: Project) -> None:
    """A missing score is not zero; a score above its weight, an unknown criterion and too large a bonus are refused by name."""
    world.submitted(project)
    who = world.nominated(project)
    found = world.of(project)
    full = world.scores(found)
    first = next(iter(full))
    short = {k: v for k, v in full.items() if k != first}
    refused(NotNow, "sheet_is_complete", lambda: perform(found, "grade", by=who, scores=short))
    refused(Invalid, "sheet_range", lambda: perform(found, "grade", by=who, scores={**full, first: Decimal(99)}))
    refused(Invalid, "sheet_unknown", lambda: perform(found, "grade", by=who, scores={**full, "zz": Decimal(1)}))
    refused(Invalid, "sheet_bonus", lambda: perform(found, "grade", by=who, scores=full, bonus=Decimal("10.01")))


def test_a_returned_sheet_is_filled_again(project: Project) -> None:
    done = perform(world.graded(project), "send_back", by=project.desk.approver, note="依据不足")
    assert done.state == "submitted"
    done = perform(done, "grade", by=done.evaluator, scores=world.scores(done, "0.95"))
    assert done.grade_name == "优秀"


def test_a_failed_midterm_withholds_what_is_not_yet_paid_and_asks_for_rectification(project: Project) -> None:
    """By the clock, with the reason; the second tranche then waits for the report of rectification among others."""
    with clock.at(project.day(2)):
        funding.paid(project, 1)
    world.confirmed(project, share="0.5")
    assert [t.state for t in project.award.tranches.order_by("number")] == ["paid", "withheld", "withheld"]
    entry = ledger.history(project.tranche(2).subject)[-1]
    assert entry.actor == "system"
    assert "不合格" in str(entry.private)
    held = perform(project.tranche(2), "request", by=project.claimant)
    missing = str(explain(held, "check_", project.desk.officer))
    assert "整改" in missing
    assert "不合格" in missing
    assert any("整改" in m for m in services.missing_for(project.fresh()))


def test_a_failed_final_bars_the_organisation_from_later_calls(project: Project) -> None:
    """Twenty-four months from the day of the grade; the bar reaches the eligibility facts of every later call."""
    world.confirmed(project, "final", share="0.3", satisfaction="93")
    row = TrackRecord.objects.get(award=project.award)
    assert row.outcome == "running"
    assert row.barred_until == grading.months_after(clock.today(), 24)
    facts = services.past_facts(project.body.organisation, clock.today())
    assert facts["barred_until"] == row.barred_until
    assert facts["past"][0].grade == "不合格"
    assert services.past_facts(project.body.organisation, row.barred_until + timedelta(days=1))["barred_until"] is None


def test_a_late_report_is_graded_by_a_person_and_confirmed_by_another(project: Project) -> None:
    """Not a second before its time; the lowest band without a total; the desk's reason is kept; the approver confirms."""
    found = world.of(project)
    assert found.due_at is not None
    with clock.at(found.due_at - timedelta(seconds=1)):
        refused(NotNow, "report_is_late", lambda: perform(found, "fail_late", by=project.desk.officer, note="两次催交未交"))
    with clock.at(found.due_at):
        refused(NotYou, "may_check_tranches", lambda: perform(found, "fail_late", by=project.claimant, note="x"))
        done = perform(found, "fail_late", by=project.desk.officer, note="两次催交未交")
        assert (done.total, done.grade_name, done.grade_code) == (None, "不合格", "failed")
        assert ledger.history(done.subject)[-1].private == {"note": "两次催交未交"}
        refused(NotNow, "scored_by_sheet", lambda: perform(done, "send_back", by=project.desk.approver, note="x"))
        perform(done, "confirm", by=project.desk.approver)
        effects.drain()
    assert set(project.award.tranches.values_list("state", flat=True)) == {"withheld"}


def test_a_reason_for_being_late_may_be_accepted_and_the_report_follows(project: Project) -> None:
    found = world.of(project)
    assert found.due_at is not None
    with clock.at(found.due_at + timedelta(days=1)):
        done = perform(found, "fail_late", by=project.desk.officer, note="未交")
        back = perform(done, "accept_reason", by=project.desk.approver, note="台风停工")
        assert (back.state, back.grade_name, back.due_at) == ("returned", "", None)
        assert world.submitted(project).state == "submitted"
        refused(NotNow, "report_is_late", lambda: perform(world.of(project), "fail_late", by=project.desk.officer, note="x"))


def test_a_report_handed_in_on_time_stays_on_time_when_it_is_improved(project: Project) -> None:
    """What counts is when it was first handed in."""
    world.submitted(project)
    who = world.nominated(project)
    found = perform(world.of(project), "return_", by=who, note="补签到表")
    assert found.due_at is not None
    with clock.at(found.due_at + timedelta(days=2)):
        done = perform(found, "submit", by=project.claimant)
        refused(NotNow, "report_is_late", lambda: perform(done, "fail_late", by=project.desk.officer, note="x"))


def test_late_reports_are_reminded_of_once(project: Project) -> None:
    """The schedule may look every minute; each grantee gets one letter per report."""
    found = world.of(project)
    assert found.due_at is not None
    with clock.at(found.due_at - timedelta(seconds=1)):
        assert services.tick() == 0
    with clock.at(found.due_at):
        assert [e.pk for e in services.overdue()] == [found.pk]
        services.tick()
        assert services.tick() == 0
    assert Message.objects.filter(to=project.claimant, template="evaluation/overdue").count() == 1


# --- closing -------------------------------------------------------------------------------------------------------------


def test_closing_lists_everything_that_is_missing_at_once(project: Project) -> None:
    """At the start: both evaluations, three tranches, the surplus, every paper — and the approver is told by the same sentence."""
    missing = " ".join(services.missing_for(project.fresh()))
    for word in ("中期评估", "末期评估", "3 期拨款", "结余尚未核算", "审计", "活动照片", "满意度"):
        assert word in missing
    refusal = refused(NotNow, "nothing_is_missing", lambda: perform(project.fresh(), "close", by=project.desk.approver))
    assert "末期评估" in str(refusal)


def test_dissatisfied_beneficiaries_keep_a_project_open(project: Project) -> None:
    world.confirmed(project, "final", satisfaction="84")
    assert any("84" in m and "85" in m for m in services.missing_for(project.fresh()))


def test_an_unverified_receipt_keeps_a_project_open(project: Project) -> None:
    with clock.at(project.day(2)):
        done = funding.paid(project, 1)
    done.receipts.update(verified_at=None)
    assert any("第 1 期拨款缺少票据" in m for m in services.missing_for(project.fresh()))


def test_a_project_is_closed_and_written_on_the_record(project: Project) -> None:
    """Everything spent, nothing left over: closed by the approver, contract fulfilled, grade on the record, file frozen."""
    world.spent_and_evaluated(project, "100000.00")
    with clock.at(project.day(201)):
        compute_surplus(project.award, by=project.desk.officer)
        assert services.missing_for(project.fresh()) == []
        refused(NotYou, "may_confirm_awards", lambda: perform(project.fresh(), "close", by=project.desk.officer))
        done = world.closed(project)
    assert done.state == "closed"
    assert project.fresh().contract.state == "completed"
    row = TrackRecord.objects.get(award=project.award)
    assert (row.outcome, row.grade, row.barred_until) == ("closed", "良好", None)
    refused(NotNow, "award_running", lambda: services.add_evidence(done, "photos", name="x", file=Upload("x"), by=project.claimant))


def test_a_terminated_project_is_on_the_record_and_reaches_later_calls(project: Project) -> None:
    perform(project.fresh(), "terminate", by=project.desk.approver, note="失去资格")
    effects.drain()
    assert project.fresh().contract.state == "ended"
    assert [p.terminated for p in services.past_facts(project.body.organisation, clock.today())["past"]] == [True]
    world.written(project)
    refused(NotNow, "award_running", lambda: perform(world.of(project), "submit", by=project.claimant))


def test_a_call_is_archived_only_when_every_award_has_ended(project: Project) -> None:
    """The condition is handed up to the call at start-up."""
    rules = {r.name: r for r in type(project.call).steps()["archive"].when}
    assert not rules["every_award_ended"].allows(project.call, project.desk.officer, clock.now())
    perform(project.fresh(), "terminate", by=project.desk.approver, note="失去资格")
    assert rules["every_award_ended"].allows(project.call, project.desk.officer, clock.now())
    assert Award.objects.filter(call=project.call).count() == 1
