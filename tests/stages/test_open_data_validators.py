"""Open data of a call with awards, contracts and payments, before three validators; each of them is shown a fault and finds it."""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from grants import clock
from grants.audit import opendata
from grants.evaluation.models import Evaluation
from grants.ledger.models import AuditEvent
from tests.world import giving360, open_schemas, packages, shared
from tests.world.funding import Project

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def two(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Project]]:
    """Two awards of one call, one paid its first tranche."""
    with shared.rows(django_db_blocker):
        yield packages.projects()


@pytest.fixture
def told(two: list[Project]) -> Iterator[dict[str, Any]]:
    """The three public files as anybody gets them."""
    with clock.at(two[-1].day(3)):
        code = two[0].call.code
        yield {name: json.loads(Client().get(f"/open/{code}/{name}").content) for name in ("ocds.json", "record.json", "360.json")}


@pytest.fixture
def nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A validator that wants the network fails here, not on somebody's machine without one."""

    def refused(*where: Any, **more: Any) -> None:
        raise AssertionError(f"a validator went to {where}")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def test_the_packages_follow_the_official_package_schemas(told: dict[str, Any]) -> None:
    """OCDS 1.1.5, release package and record package with awards, contracts and payments; formats of addresses and moments too."""
    assert any("implementation" in r["tag"] for r in told["ocds.json"]["releases"])
    assert open_schemas.ocds(told["ocds.json"]) == []
    assert open_schemas.ocds(told["record.json"]) == []


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("ocds.json", ["uri"], "not an address"),
        ("ocds.json", ["publishedDate"], "yesterday"),
        ("ocds.json", ["releases"], []),
        ("ocds.json", ["releases", 0, "tag"], ["news"]),
        ("ocds.json", ["releases", 0, "tender", "value", "amount"], "1,000"),
        ("record.json", ["records", 0, "compiledRelease", "awards", 0, "status"], "given"),
        ("record.json", ["records", 0, "releases", 0, "date"], "soon"),
        ("record.json", ["publisher"], {}),
    ],
)
def test_each_fault_is_found_by_the_official_schema(told: dict[str, Any], name: str, path: list[Any], value: Any) -> None:
    assert open_schemas.ocds(_with(told[name], path, value)) != []


def test_the_partnerships_own_checker_finds_nothing(told: dict[str, Any], nothing_leaves: None, tmp_path: Path) -> None:
    """lib-cove-ocds: no error, no field that the standard does not know, no deprecated one, no code outside a closed list, none of its additional checks."""
    assert open_schemas.libcove(told["ocds.json"], tmp_path) == []
    assert open_schemas.libcove(told["record.json"], tmp_path) == []


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        (["releases", 0, "date"], "soon", "validation_errors"),
        (["releases", 0, "tender", "colour"], "red", "additional_fields"),
        (["releases", 0, "tender", "description"], "", "empty_field"),
    ],
)
def test_the_checkers_findings_are_read(
    told: dict[str, Any], nothing_leaves: None, tmp_path: Path, path: list[Any], value: Any, finding: str
) -> None:
    """It answers without an error whatever it finds: only its findings tell."""
    found = open_schemas.libcove(_with(told["ocds.json"], path, value), tmp_path)
    assert finding in " ".join(found)


def test_the_call_says_where_its_money_comes_from_and_how_bids_are_judged(two: list[Project], told: dict[str, Any]) -> None:
    """Budget and sources, criteria with their weights, who may bid, by when one asks: as the published rules have them, and their hash."""
    rules, compiled = two[0].call.rules, told["record.json"]["records"][0]["compiledRelease"]
    budget, tender = compiled["planning"]["budget"], compiled["tender"]
    assert budget["amount"] == {"amount": float(rules.pool.total), "currency": "CNY"}
    assert all(f"{source.name}（{source.kind.zh}） {source.amount:.2f} 元" in budget["description"] for source in rules.sources)
    assert (tender["awardCriteria"], tender["submissionMethod"]) == ("ratedCriteria", ["electronicSubmission"])
    weights = {c.name: c.weight for sheet in rules.review.sheets for c in sheet.criteria}
    assert all(f"{name} {weight.normalize():f} 分" in tender["awardCriteriaDetails"] for name, weight in weights.items())
    assert all(stage.kind.zh in tender["procurementMethodDetails"] for stage in rules.review.stages)
    assert tender["enquiryPeriod"]["endDate"] == opendata.stamp(rules.timetable.questions_until)
    assert [d["description"] for d in tender["documents"] if d["id"] == "rules"] == [f"SHA-256 {rules.rules_hash}"]


def test_a_notice_is_a_document_with_the_hash_that_the_log_has(two: list[Project], told: dict[str, Any]) -> None:
    (kept,) = AuditEvent.objects.filter(subject=two[0].call.subject, event="call.publish_notice")
    said = json.loads(bytes(kept.leaf))["files"]["body"]
    papers = [d for d in told["record.json"]["records"][0]["compiledRelease"]["tender"]["documents"] if d["documentType"] == "awardNotice"]
    assert [d["description"] for d in papers] == [f"SHA-256 {said}"]
    assert Client().get(papers[0]["url"].partition("localhost")[2]).status_code == 200


def test_how_many_bid_and_how_many_were_admitted_is_said_once_everybody_may_know(two: list[Project], told: dict[str, Any]) -> None:
    tender = told["record.json"]["records"][0]["compiledRelease"]["tender"]
    assert (tender["numberOfTenderers"], tender["milestones"][0]["description"]) == (2, "收到申报 2 份，受理 2 份，不予受理 0 份")
    for release in told["ocds.json"]["releases"]:
        assert "milestones" not in release.get("tender", {}) or release["tag"] == ["tenderUpdate"]


def test_the_steps_of_a_contract_are_met_as_they_are_met(two: list[Project], told: dict[str, Any]) -> None:
    """A paid tranche with its due and its met day; one that waits without a due day, which is between the parties; evaluations with theirs."""
    contracts = {c["awardID"]: c for c in told["record.json"]["records"][0]["compiledRelease"]["contracts"]}
    first, second = ({m["id"]: m for m in contracts[p.award.number]["milestones"]} for p in two)
    assert (first["tranche-1"]["status"], second["tranche-1"]["status"]) == ("met", "scheduled")
    assert first["tranche-1"]["dateMet"] and first["tranche-1"]["dueDate"] >= first["tranche-1"]["dateMet"]
    assert not {"dueDate", "dateMet"} & second["tranche-1"].keys()
    assert first["evaluation-final"]["status"] == "scheduled" and first["evaluation-final"]["dueDate"].endswith("23:59:59+08:00")


def test_a_confirmed_evaluation_is_met_by_a_passing_grade_only(two: list[Project], tmp_path: Path, nothing_leaves: None) -> None:
    """The grade is public, the marks are not; the record with it stays clean."""
    row, sheet = two[0].award.evaluations.get(moment="final"), two[0].call.rules.evaluation.final
    assert sheet is not None
    for band in sheet.bands:
        with clock.at(two[-1].day(3)):
            Evaluation.objects.filter(pk=row.pk).update(state="confirmed", grade_name=band.name, confirmed_at=clock.now(), total=77, comment="评语")
            record = opendata.record_package(two[0].call)
        contract = next(c for c in record["records"][0]["compiledRelease"]["contracts"] if c["awardID"] == two[0].award.number)
        step = next(m for m in contract["milestones"] if m["id"] == "evaluation-final")
        assert (step["title"], step["status"], "dateMet" in step) == (f"末期评估：{band.name}", "met" if band.passed else "notMet", band.passed)
        assert "评语" not in json.dumps(record, ensure_ascii=False) and open_schemas.ocds(record) == []
    assert open_schemas.libcove(record, tmp_path) == []


def test_a_number_of_a_person_in_a_sources_name_is_masked(two: list[Project], monkeypatch: pytest.MonkeyPatch) -> None:
    rules = two[0].call.rules
    source = rules.sources[0].model_copy(update={"name": "热线13800138000基金"})
    monkeypatch.setattr(type(two[0].call), "rules", rules.model_copy(update={"sources": (source,)}))
    assert "13800138000" not in json.dumps(opendata.release_package(two[0].call), ensure_ascii=False)


def test_the_grants_follow_360giving(told: dict[str, Any]) -> None:
    assert giving360.ours(told["360.json"]) == []
    assert [g.get("disbursementTransaction") is not None for g in told["360.json"]["grants"]] == [True, False]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["grants"], []),
        (["grants", 0, "amountAwarded"], "90000"),
        (["grants", 0, "awardDate"], "2026-13-01"),
        (["grants", 0, "recipientOrganization"], []),
        (["grants", 0, "colour"], "red"),
        (["license"], "free"),
    ],
)
def test_each_fault_is_found_by_the_rules_of_360giving(told: dict[str, Any], path: list[Any], value: Any) -> None:
    assert giving360.ours(_with(told["360.json"], path, value)) != []


def test_a_changed_schema_is_not_the_official_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for path in open_schemas.OCDS.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    kept = tmp_path / open_schemas.FILES["release-schema.json"]
    kept.write_text(kept.read_text("utf-8").replace('"required"', '"requested"', 1), "utf-8")
    monkeypatch.setattr(open_schemas, "OCDS", tmp_path)
    with pytest.raises(AssertionError, match="official"):
        open_schemas.official("release-schema.json")


def test_the_package_holds_the_very_bytes_of_the_public_addresses(two: list[Project], told: dict[str, Any], tmp_path: Path) -> None:
    """So what is validated at the addresses is validated in every package."""
    with clock.at(two[-1].day(3)):
        folder = packages.unpacked(two[0], "agency", tmp_path)
    kept = {"ocds.json": "ocds/releases.json", "record.json": "ocds/record.json", "360.json": "360/grants.json"}
    for name, path in kept.items():
        assert (folder / "data" / path).read_bytes() == opendata.as_bytes(told[name])


def _with(value: Any, path: list[Any], new: Any) -> Any:
    """A copy with one place changed."""
    changed = copy.deepcopy(value)
    *way, last = path
    place = changed
    for step in way:
        place = place[step]
    place[last] = new
    return changed
