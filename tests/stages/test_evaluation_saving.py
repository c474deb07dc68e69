"""A report saves itself with the same machinery as a bid: per-answer versions, the same refusals, nothing overwritten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.evaluation import services
from grants.evaluation.models import Evaluation
from grants.people.models import User
from grants.workflow.door import perform
from tests.world import evaluation as world
from tests.world import funding, people, shared
from tests.world.funding import Project

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def begun(django_db_setup: None, django_db_blocker: Any) -> Iterator[Project]:
    """One award that has begun; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        [project] = funding.begun()
        yield project


@pytest.fixture
def project(begun: Project) -> Iterator[Project]:
    """Sixty days into the project, with a mid-term report due."""
    for user in (begun.desk.officer, begun.desk.auditor, begun.claimant):
        user.__dict__.pop("_held", None)
    with clock.at(begun.day(60)):
        yield begun


def send(found: Evaluation, code: str, person: User | None, *answers: dict[str, Any]) -> Any:
    client = Client()
    if person is not None:
        client.force_login(person)
    body = json.dumps({"answers": list(answers), "marks": {}})
    return client.post(reverse("evaluation:save", args=[found.pk, code]), body, content_type="application/json")


def a_text(found: Evaluation) -> tuple[str, str]:
    """(section, question) of a text of the report."""
    return next((s.code, f.code) for s in services.sections(found) for f in s.fields if f.kind in ("text", "longtext"))


def typed(field: str, text: str, mark: str = "0-") -> dict[str, Any]:
    return {"answer": field, "mark": mark, "controls": [[field, text]]}


def test_an_answer_of_a_report_is_kept_and_a_colleague_s_is_not_overwritten(project: Project) -> None:
    found = world.of(project)
    section, field = a_text(found)
    assert send(found, section, project.claimant, typed(field, "已开展八次")).status_code == 200
    told = send(found, section, project.claimant, typed(field, "已开展九次"))
    assert told.status_code == 409
    assert told.json()["clashes"][0]["theirs"] == "已开展八次"
    assert world.of(project).answers[section][field] == "已开展八次"


def test_a_figure_that_is_none_yet_is_kept_as_typed_and_is_no_result(project: Project) -> None:
    found = world.of(project)
    place = next(((s.code, f.code, f.kpi) for s in services.sections(found) for f in s.fields if f.kpi), None)
    assert place is not None
    section, field, kpi = place
    told = send(found, section, project.claimant, typed(field, "约三百"))
    assert told.json()["problems"][field]
    held = world.of(project)
    assert held.answers[section][field] == "约三百"
    assert kpi not in held.achieved
    assert services.problems(held)
    services.against_plan(held)


def test_strangers_the_agency_and_visitors_write_no_report(project: Project) -> None:
    found = world.of(project)
    section, field = a_text(found)
    for person, status in ((None, 401), (people.person("路人"), 404), (project.desk.officer, 403), (project.desk.auditor, 403)):
        assert send(found, section, person, typed(field, "不该存")).status_code == status
    assert not world.of(project).answers


def test_after_handing_in_nothing_more_is_kept(project: Project) -> None:
    found = perform(world.written(project), "submit", by=project.claimant)
    section, field = a_text(found)
    told = send(found, section, project.claimant, typed(field, "迟了"))
    assert told.status_code == 409
    assert "已经提交" in told.json()["sentence"]


def test_the_page_sent_whole_shows_both_texts(project: Project) -> None:
    found = world.of(project)
    section, field = a_text(found)
    client = Client()
    client.force_login(project.claimant)
    url = reverse("evaluation:section", args=[found.pk, section])
    mark = client.get(url).context["form"].marks[field]
    send(found, section, project.claimant, typed(field, "另一处先存的"))
    told = client.post(url, {field: "这一页后存的", f"mark-{field}": mark})
    assert told.status_code == 409
    assert "另一处先存的" in told.content.decode()
    assert "这一页后存的" in told.content.decode()
    assert world.of(project).answers[section][field] == "另一处先存的"


def test_only_who_may_write_the_report_gets_a_page_that_saves_itself(project: Project) -> None:
    found = world.of(project)
    section, _field = a_text(found)
    for person, saves in ((project.claimant, True), (project.desk.officer, False)):
        client = Client()
        client.force_login(person)
        shown = client.get(reverse("evaluation:section", args=[found.pk, section])).content.decode()
        assert ("data-autosave" in shown) is saves
