"""分派 of a large panel by a job: the same answer as at once, progress told, and nothing assigned when the panel is not any more what was solved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.ledger.models import AuditEvent
from grants.people.appointments import dismiss
from grants.people.models import User
from grants.workflow import effects, jobs
from grants.workflow.door import SYSTEM, perform
from grants.workflow.models import BulkJob, JobItem
from grants.workflow.refusals import NotNow, NotYou
from review import services
from review.assigning import solved
from review.models import Panel
from review.services import assignments
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Judged, Panel]]:
    """Three bids and a drawn panel without reviews, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        judged = world.judged(sector=8, finance=3)
        yield judged, world.convened(judged.call, judged.desk.officer)


@pytest.fixture
def judged(made: tuple[Judged, Panel]) -> Judged:
    return made[0]


@pytest.fixture
def panel(made: tuple[Judged, Panel]) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(pk=made[1].pk)


@pytest.fixture(autouse=True)
def days_after(judged: Judged) -> Iterator[None]:
    with clock.at(world.after(judged.call)):
        yield


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignments, "AT_ONCE", 0)


def of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def told(job: BulkJob) -> str:
    """What the only item came to."""
    return JobItem.objects.get(job=job).outcome


def while_solving(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """`act` happens between the reading and the writing."""

    def slow(problem: Any) -> Any:
        answer = solved(problem)
        act()
        return answer

    monkeypatch.setattr(assignments, "solved", slow)


def test_a_small_panel_is_assigned_at_once_and_a_large_one_by_a_job(judged: Judged, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    where = reverse("review:assign", args=[panel.pk])
    desk = of(judged.desk.officer)
    assert desk.post(where, {"max_load": "", "do": "try"})["Location"] == reverse("review:panel", args=[panel.pk])
    assert not BulkJob.objects.exists()
    monkeypatch.setattr(assignments, "AT_ONCE", 3)
    answer = desk.post(where, {"max_load": "3"})
    job = BulkJob.objects.get()
    assert answer["Location"] == reverse("desk:job", args=[job.pk])
    assert (job.asked, job.scope) == ({"max_load": 3, "trial": False}, f"call:{panel.call_id}")
    assert not panel.reviews.exists(), "nothing is assigned inside the request"
    effects.drain()
    assert panel.reviews.exists() and told(job).startswith("新分配")
    assert AuditEvent.objects.filter(event="panel.assign").count() == 1


def test_the_job_solves_and_writes_the_same_bytes_as_at_once(judged: Judged, panel: Panel) -> None:
    at_once = services.try_assignment(panel, by=judged.desk.officer, max_load=3)
    services.assign_soon(panel, by=judged.desk.officer, max_load=3, trial=True)
    effects.drain()
    later = panel.runs.exclude(pk=at_once.pk).get()
    assert (later.question, later.answer) == (at_once.question, at_once.answer)
    assert (later.carried_out, later.made_by) == (False, judged.desk.officer)
    assert not panel.reviews.exists()
    services.assign_soon(panel, by=judged.desk.officer, max_load=3)
    effects.drain()
    carried = panel.runs.get(carried_out=True)
    assert (carried.question, carried.answer) == (at_once.question, at_once.answer)


def test_progress_is_told_while_it_is_computed(judged: Judged, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    job = services.assign_soon(panel, by=judged.desk.officer)
    seen: list[str] = []

    def look() -> None:
        seen.append(of(judged.desk.officer).get(reverse("desk:job", args=[job.pk]), {"part": "progress"}).content.decode())
        seen.append(of(judged.desk.officer).get(reverse("review:panel", args=[panel.pk])).content.decode())

    while_solving(monkeypatch, look)
    effects.drain()
    assert "3 份申报" in seen[0] and "正在求解并核对证明" in seen[0]
    assert "正在后台计算分派" in seen[1] and "分配专家</button>" not in seen[1]
    page = of(judged.desk.officer).get(reverse("desk:job", args=[job.pk])).content.decode()
    assert told(job) in page and reverse("review:panel", args=[panel.pk]) in page


def test_too_few_experts_are_told_in_words_and_nothing_is_assigned(judged: Judged, panel: Panel) -> None:
    job = services.assign_soon(panel, by=judged.desk.officer, max_load=1)
    effects.drain()
    assert jobs.progress(job) == jobs.Progress(1, 0, 1)
    assert "评审力量不足" in told(job) and "增抽专家" in told(job)
    assert not panel.reviews.exists() and not panel.runs.exists()
    assert told(job) in of(judged.desk.officer).get(reverse("review:panel", args=[panel.pk])).content.decode()


def test_an_answer_to_a_panel_that_changed_is_refused_and_going_on_solves_anew(judged: Judged, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    job = services.assign_soon(panel, by=judged.desk.officer)
    with monkeypatch.context() as patch:
        while_solving(patch, lambda: panel.members.filter(alternate=True).update(alternate=False))
        effects.drain()
    assert jobs.progress(job) == jobs.Progress(1, 0, 1)
    assert "评审组有了变动" in told(job) and "续办" in told(job)
    assert not panel.reviews.exists() and not panel.runs.exists()
    jobs.resume(job, by=judged.desk.officer)
    effects.drain()
    assert jobs.progress(job) == jobs.Progress(1, 1, 0) and panel.reviews.exists()


def test_a_panel_locked_meanwhile_is_left_alone(judged: Judged, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locked while it was computed: refused by that name, before anything is compared; and no job is started on a locked one."""
    services.assign(panel, by=judged.desk.officer)
    perform(panel, "start", by=judged.desk.officer)
    effects.drain()
    job = services.assign_soon(Panel.objects.get(pk=panel.pk), by=judged.desk.officer)
    before = panel.reviews.count()

    def lock() -> None:
        world.all_scored(Panel.objects.get(pk=panel.pk))
        world.others_entered(Panel.objects.get(pk=panel.pk), judged.desk.officer)
        perform(Panel.objects.get(pk=panel.pk), "lock", by=judged.desk.officer)

    while_solving(monkeypatch, lock)
    effects.drain()
    assert Panel.objects.get(pk=panel.pk).state != "scoring"
    assert "评分已经锁定" in told(job)
    assert (panel.reviews.count(), panel.runs.count()) == (before, 1)
    with pytest.raises(NotNow) as refused:
        services.assign_soon(Panel.objects.get(pk=panel.pk), by=judged.desk.officer)
    assert refused.value.rule == "panel_is_not_locked"


def test_stopped_while_it_computes_nothing_is_written(judged: Judged, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    job = services.assign_soon(panel, by=judged.desk.officer)
    while_solving(monkeypatch, lambda: jobs.cancel(job, by=judged.desk.officer))
    effects.drain()
    assert not panel.reviews.exists() and not panel.runs.exists()


def test_who_was_dismissed_meanwhile_assigns_nothing(judged: Judged, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    officer = people.appointed("officer", judged.desk.agency)
    job = services.assign_soon(panel, by=officer)
    while_solving(monkeypatch, lambda: dismiss(officer.appointments.get(until=None), by=SYSTEM))
    effects.drain()
    assert jobs.progress(job) == jobs.Progress(1, 0, 1)
    assert not panel.reviews.exists()


def test_strangers_start_nothing_and_a_second_computation_waits(judged: Judged, panel: Panel, everything_is_large: None) -> None:
    with pytest.raises(NotYou):
        services.assign_soon(panel, by=judged.bodies[0].signatory)
    services.assign_soon(panel, by=judged.desk.officer)
    answer = of(judged.desk.officer).post(reverse("review:assign", args=[panel.pk]), {"max_load": ""})
    assert answer.status_code == 409 and "还在办理" in answer.content.decode()
    assert BulkJob.objects.count() == 1
