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
