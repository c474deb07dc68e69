"""Open data: what is published, at addresses that stay, by the official schema, without a person in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from jsonschema import Draft4Validator, FormatChecker

from bidding.models import TeamMember
from grants import clock
from grants.audit import opendata
from grants.awards import services
from grants.calls.models import Call
from grants.people.models import Organisation, User
from tests.world import awards as world
from tests.world import calls, giving360, open_schemas, people, review, shared
from tests.world.review import Judged

pytestmark = pytest.mark.django_db
SCHEMA = open_schemas.official("release-schema.json")


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Two bids with decisions, one funded, one not; nothing released yet."""
    with shared.rows(django_db_blocker):
        judged = world.ranked(amounts=["90000.00", "80000.00"], shares=["0.9", "0.4"])
        world.proposed(judged)
        yield judged


@pytest.fixture(autouse=True)
def after(made: Judged) -> Iterator[None]:
    with clock.at(world.at(made.call, 14)):
        yield


def fetched(call: Call, name: str) -> Any:
    answer = Client().get(f"/open/{call.code}/{name}")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/json")
    return json.loads(answer.content)


def valid(release: Any) -> None:
    found = Draft4Validator(SCHEMA, format_checker=FormatChecker()).iter_errors(release)
    assert [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in found] == []


def published(made: Judged) -> Any:
    services.release(made.call, by=made.desk.approver)
    return services.publish_notice(made.call, by=made.desk.officer)


def test_before_the_notice_nothing_of_bids_is_there(made: Judged) -> None:
    """One release, the call itself: no bidder, no number of bids, no grant."""
    package = fetched(made.call, "ocds.json")
    assert [r["tag"] for r in package["releases"]] == [["tender"]]
    assert "numberOfTenderers" not in package["releases"][0]["tender"]
    assert Client().get(f"/open/{made.call.code}/360.json").status_code == 404, "the standard knows no empty package"
    assert '360.json"' not in Client().get(reverse("open:index")).content.decode()
    assert "社会工作服务中心" not in json.dumps(package, ensure_ascii=False)


def test_every_release_and_the_compiled_one_follow_the_official_schema(made: Judged) -> None:
    published(made)
    package, record = fetched(made.call, "ocds.json"), fetched(made.call, "record.json")
    for release in [*package["releases"], record["records"][0]["compiledRelease"]]:
        valid(release)
    assert {"uri", "publishedDate", "publisher", "releases", "version"} <= set(package)
    assert {"uri", "publishedDate", "publisher", "records", "version"} <= set(record)
    assert len({r["id"] for r in package["releases"]}) == len(package["releases"])
    assert [r["date"] for r in package["releases"]] == sorted(r["date"] for r in package["releases"])


def test_a_broken_release_is_refused_by_that_schema(made: Judged) -> None:
    """The schema is read: a status outside the list, an amount as text, a release without an id."""
    release = opendata.release_package(made.call)["releases"][0]
    for wrong in ({**release, "tag": ["news"]}, {**release, "tender": {**release["tender"], "value": {"amount": "1,000"}}}, {**release, "id": None}):
        with pytest.raises(AssertionError):
            valid(wrong)


def test_the_notice_makes_the_award_public_and_the_refused_stay_unnamed(made: Judged) -> None:
    published(made)
    found = fetched(made.call, "record.json")["records"][0]["compiledRelease"]
    award = found["awards"][0]
    assert (award["status"], award["value"], found["tender"]["numberOfTenderers"]) == ("pending", {"amount": 90000.0, "currency": "CNY"}, 2)
    refused = made.bodies[1].organisation
    assert refused.name not in json.dumps(found, ensure_ascii=False)
    assert (refused.uscc or "x") not in json.dumps(found)


def test_a_confirmed_award_is_a_grant(made: Judged) -> None:
    notice = published(made)
    with clock.at(notice.ends_at):
        award = world.awards(made.call)[0]
        from grants.workflow.door import perform

        perform(award, "confirm", by=made.desk.approver)
        grants = fetched(made.call, "360.json")["grants"]
        assert giving360.ours(fetched(made.call, "360.json")) == []
        assert f"/open/{made.call.code}/360.json" in Client().get(reverse("open:index")).content.decode()
        assert (grants[0]["amountAwarded"], grants[0]["amountDisbursed"], grants[0]["amountAppliedFor"]) == (90000.0, 0.0, 90000.0)
        assert fetched(made.call, "record.json")["records"][0]["compiledRelease"]["awards"][0]["status"] == "active"


def test_no_person_and_no_number_of_one_is_in_it(made: Judged) -> None:
    """Names of accounts and team members, and a telephone number that somebody wrote into the name of a body."""
    organisation = made.bodies[0].organisation
    published(made)
    Organisation.objects.filter(pk=organisation.pk).update(name="热线13800138000服务中心")
    text = "".join(json.dumps(fetched(made.call, name), ensure_ascii=False) for name in ("ocds.json", "record.json"))
    text += json.dumps(opendata.grants(made.call), ensure_ascii=False)
    assert "13800138000" not in text
    assert [n for n in {str(u) for u in User.objects.all()} | set(TeamMember.objects.values_list("name", flat=True)) if n in text] == []


def test_a_proxy_may_keep_it_and_is_told_when_it_changed(made: Judged) -> None:
    url = f"/open/{made.call.code}/ocds.json"
    first = Client().get(url)
    assert "max-age" in first["Cache-Control"]
    assert "Set-Cookie" not in first
    assert Client().get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    published(made)
    assert Client().get(url, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_drafts_are_not_there_and_unknown_files_are_404(made: Judged) -> None:
    draft = calls.draft(people.office(), review.rules(name="YX-2026-08"))
    assert Client().get(reverse("open:file", args=[draft.code, "ocds.json"])).status_code == 404
    assert Client().get(f"/open/{made.call.code}/other.json").status_code == 404
    page = Client().get(reverse("open:index")).content.decode()
    assert f"/open/{made.call.code}/ocds.json" in page
    assert draft.code not in page


def test_the_questions_to_the_database_do_not_grow_with_the_awards(made: Judged, django_assert_max_num_queries: Any) -> None:
    notice = published(made)
    with clock.at(notice.ends_at):
        from grants.workflow.door import perform

        perform(world.awards(made.call)[0], "confirm", by=made.desk.approver)
        for build in (opendata.release_package, opendata.record_package, opendata.grants):
            with django_assert_max_num_queries(12):
                build(opendata.calls().get(pk=made.call.pk))
