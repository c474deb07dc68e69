"""Our rules of 360Giving 1.4: a package that uses every field of the standard passes, and one mutation for each rule is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.world import giving360

MOMENT, DAY, LINK = "2026-03-01T09:30:00+08:00", "2026-03-01", "https://example.org/a"
LOCATION = {
    "id": "l1", "name": "某街道", "countryCode": "CN", "latitude": 31.2, "longitude": 121.4, "description": "全部社区", "geoCode": "310104",
    "geoCodeType": "WD", "dateModified": MOMENT,
}  # fmt: skip
BODY = {
    "id": "CN-USCC-1", "name": "某中心", "department": "项目部", "contactName": "前台", "charityNumber": "1", "companyNumber": "2", "streetAddress": "某路",
    "addressLocality": "某市", "addressRegion": "某省", "addressCountry": "中国", "postalCode": "200000", "telephone": "021-1", "alternateName": "中心",
    "email": "a@example.org", "description": "服务老人", "organisationType": "社会服务机构", "url": LINK, "location": [LOCATION], "dateModified": MOMENT,
}  # fmt: skip
TITLED = {"title": "一", "description": "二", "url": LINK, "dateModified": MOMENT}
EVENT = {"title": "起止", "startDate": DAY, "endDate": "2026-12", "duration": 9, "description": "九个月", "dateModified": MOMENT}
PAID = {
    "id": "t1", "transactionDate": DAY, "currency": "CNY", "value": 1.5, "valueDate": DAY, "description": "首期", "provider": "a", "recipient": "b",
    "dateModified": MOMENT,
}  # fmt: skip
GRANT: dict[str, Any] = {
    "id": "360G-a-1", "title": "一", "description": "二", "currency": "CNY", "amountAppliedFor": 3.5, "amountAwarded": 2.5, "amountDisbursed": 1.5,
    "awardDate": DAY, "url": LINK, "plannedDates": [EVENT], "actualDates": [EVENT], "recipientOrganization": [BODY], "beneficiaryLocation": [LOCATION],
    "fundingOrganization": [BODY], "grantProgramme": [{"code": "p", **TITLED}], "fromOpenCall": "Yes", "fundingType": [{"vocabulary": "v", "code": "c", **TITLED}],
    "classifications": [{"vocabulary": "v", "code": "c", **TITLED}], "relatedDocument": [{"id": "d", "documentType": "报告", **TITLED}],
    "applicationTransaction": [PAID], "commitmentTransaction": [PAID], "disbursementTransaction": [PAID], "relatedActivity": ["360G-a-0"],
    "dateModified": MOMENT, "dataSource": LINK, "regrantType": "FRG010", "locationScope": "GLS060",
    "toIndividualsDetails": {"primaryGrantReason": "GTIR010", "secondaryGrantReason": "GTIR120", "grantPurpose": ["GTIP170"]},
}  # fmt: skip
PERSONAL = {k: v for k, v in GRANT.items() if k != "recipientOrganization"} | {
    "id": "360G-a-2",
    "recipientIndividual": {"id": "360G-a-p", "name": "个人"},
}
WHOLE: dict[str, Any] = {
    "version": "1.4", "extensions": ["x"], "title": "一", "description": "二", "issued": DAY, "modified": MOMENT, "identifier": "360G-a",
    "publisher": {"identifier": "CN-USCC-1", "name": "某局", "website": LINK, "logo": LINK}, "downloadURL": LINK, "accessURL": LINK, "license": LINK,
    "grants": [GRANT, PERSONAL],
}  # fmt: skip
"""Every field of the standard once at least."""
NULLABLE = frozenset({
    "valueDate", "provider", "recipient", "documentType", "countryCode", "latitude", "longitude", "geoCode", "geoCodeType", "organisationType", "dataSource",
})  # fmt: skip
NULLABLE_IN = {
    "title": ("grantProgramme", "fundingType", "classifications", "relatedDocument"),
    "url": ("grantProgramme", "fundingType", "classifications", "relatedDocument"),
    "description": ("grantProgramme", "fundingType", "classifications", "relatedDocument", "location", "beneficiaryLocation", "Transaction"),
    "name": ("location", "beneficiaryLocation"),
}  # fmt: skip
CODED = {
    "currency",
    "countryCode",
    "fromOpenCall",
    "regrantType",
    "locationScope",
    "primaryGrantReason",
    "secondaryGrantReason",
    "grantPurpose",
}
DATED = {"awardDate", "transactionDate", "valueDate", "startDate", "endDate", "issued", "modified", "dateModified"}
LINKED = {"url", "dataSource", "website", "logo", "downloadURL", "accessURL", "license"}
REQUIRED = [
    ["grants"], ["publisher", "name"], *[["grants", 0, name] for name in (
        "id", "title", "description", "currency", "amountAwarded", "awardDate", "recipientOrganization", "fundingOrganization")],
    *[["grants", 0, kind, 0, name] for kind in ("recipientOrganization", "fundingOrganization") for name in ("id", "name")],
    ["grants", 1, "recipientIndividual"], ["grants", 1, "recipientIndividual", "id"], ["grants", 1, "recipientIndividual", "name"],
]  # fmt: skip

Path_ = list[Any]


def places(value: Any, path: Path_) -> Iterator[tuple[Path_, Any]]:
    """Every place of a value with what stands there, the root too."""
    yield path, value
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from places(inner, [*path, key])


def field(path: Path_) -> str:
    """The nearest name above a place."""
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "")


def may_be_null(path: Path_) -> bool:
    if not isinstance(path[-1], str):
        return False
    holder = field(path[:-1])
    kind = "Transaction" if holder.endswith("Transaction") else holder
    return path[-1] in NULLABLE or kind in NULLABLE_IN.get(path[-1], ())


def changed(path: Path_, new: Any) -> Any:
    value = copy.deepcopy(WHOLE)
    if not path:
        return new
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = new
    return value


def without(path: Path_) -> Any:
    value = copy.deepcopy(WHOLE)
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return value


EVERY = list(places(WHOLE, []))


def test_a_package_with_every_field_of_the_standard_passes() -> None:
    assert giving360.standard(WHOLE) == []


def test_the_example_leaves_no_field_of_our_rules_out() -> None:
    """So no rule is without its mutation below."""

    def named(rules: Any) -> set[str]:
        inner = [named(v) for v in (rules.values() if isinstance(rules, dict) else rules if isinstance(rules, list) else [])]
        own = set(rules.get("properties", {})) if isinstance(rules, dict) else set()
        return own.union(*inner)

    assert named(giving360.PACKAGE) - {"properties"} == {step for path, _ in EVERY for step in path if isinstance(step, str)}


def test_another_type_is_found_at_every_place() -> None:
    other = {dict: [], list: {}, str: 7, float: "7", int: "7"}
    missed = [path for path, value in EVERY if giving360.standard(changed(path, other[type(value)])) == []]
    assert missed == []


def test_null_is_taken_where_the_standard_takes_it_and_nowhere_else() -> None:
    for path, _value in EVERY[1:]:
        assert (giving360.standard(changed(path, None)) == []) is may_be_null(path), path


def test_a_name_that_the_standard_does_not_know_is_found_in_every_object() -> None:
    for path, value in EVERY:
        if isinstance(value, dict):
            assert giving360.standard(changed(path, {**value, "colour": "red"})), path


def test_an_empty_text_and_an_empty_list_are_found_everywhere() -> None:
    for path, value in EVERY:
        if isinstance(value, str | list):
            assert giving360.standard(changed(path, type(value)())), path


@pytest.mark.parametrize("path", REQUIRED, ids=str)
def test_each_required_field_is_missed(path: Path_) -> None:
    assert giving360.standard(without(path))


def test_nothing_else_is_required() -> None:
    for path, _value in EVERY[1:]:
        if (
            isinstance(path[-1], str)
            and path not in REQUIRED
            and not (
                path[-1]
                in ("id", "title", "description", "currency", "amountAwarded", "awardDate", "fundingOrganization", "name")
                and path[:2] == ["grants", 1]
            )
        ):
            assert giving360.standard(without(path)) == [], path


def test_a_code_outside_its_list_is_found() -> None:
    found = [path for path, value in EVERY if isinstance(value, str) and field(path) in CODED]
    assert {field(path) for path in found} == CODED
    for path in found:
        assert giving360.standard(changed(path, "ZZ")), path
        assert giving360.standard(changed(path, str(_at(path)).lower())), path


def test_a_date_that_is_none_is_found_and_an_uncertain_one_only_where_it_may_be() -> None:
    found = [path for path, value in EVERY if isinstance(value, str) and field(path) in DATED]
    assert {field(path) for path in found} == DATED
    for path in found:
        for wrong in ("soon", "2026-13-01", "2026-03-32", "01/03/2026", "2026-03-01 09:30", "2026年3月1日"):
            assert giving360.standard(changed(path, wrong)), (path, wrong)
        assert giving360.standard(changed(path, MOMENT)) == [], path
        assert (giving360.standard(changed(path, DAY)) == []) is (path[-1] != "dateModified"), path
        for roughly in ("2026", "2026-03"):
            assert (giving360.standard(changed(path, roughly)) == []) is (path[-1] in ("startDate", "endDate")), path


def test_an_address_without_its_scheme_is_found() -> None:
    found = [path for path, value in EVERY if isinstance(value, str) and field(path) in LINKED]
    assert {field(path) for path in found} == LINKED
    for path in found:
        for wrong in ("example.org/a", "www.example.org", "free", "https://a b"):
            assert giving360.standard(changed(path, wrong)), (path, wrong)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["version"], "1"),
        (["version"], "v1.4"),
        (["extensions"], ["x", "x"]),
        (["grants"], [GRANT, GRANT]),
        (["grants", 0, "plannedDates", 0, "duration"], -1),
        (["grants", 0, "recipientIndividual"], {"id": "360G-a-p", "name": "个人"}),
    ],
    ids=str,
)
def test_what_else_the_standard_refuses(path: Path_, value: Any) -> None:
    """Version, repetitions, a negative duration, an organisation and a person as recipients of one grant."""
    assert giving360.standard(changed(path, value))


def _at(path: Path_) -> Any:
    value: Any = WHOLE
    for step in path:
        value = value[step]
    return value


# --- an official file, where somebody has one -------------------------------------------------------------------------------------------


def kept(folder: Path, grant: Any, package: Any = None) -> Path:
    path = folder / "360-giving-schema.json"
    path.write_text(json.dumps(grant), "utf-8")
    if package is not None:
        (folder / "360-giving-package-schema.json").write_text(json.dumps(package), "utf-8")
    return path


@pytest.mark.parametrize(
    "dialect", ["http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft/2020-12/schema", None]
)
def test_a_schema_file_of_any_dialect_is_read_and_finds_a_fault(tmp_path: Path, dialect: str | None) -> None:
    """Also the spelling that JSON Schema itself does not use; local references are followed, other ones never fetched."""
    grant = {
        "$schema": dialect,
        "definitions": {"text": {"type": "string"}},
        "required": ["fundingOrganization"],
        "properties": {"fundingOrganization": {}, "title": {"$ref": "#/definitions/text"}},
    }
    path = kept(tmp_path, grant if dialect else {k: v for k, v in grant.items() if k != "$schema"})
    assert giving360.official(WHOLE, path) == []
    assert giving360.official(changed(["grants", 0, "title"], 7), path) == ["grants/0/title: 7 is not of type 'string'"]
    assert giving360.official(without(["grants", 0, "fundingOrganization"]), path)


def test_the_package_schema_beside_it_is_used_and_the_address_it_names_not_fetched(tmp_path: Path) -> None:
    package = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "properties": {"grants": {"items": {"$ref": "https://example.org/grant.json"}, "maxItems": 1}},
    }
    path = kept(tmp_path, {"properties": {"fundingOrganization": {}}}, package)
    assert len(giving360.official(WHOLE, path)) == 1
    assert "grants" in giving360.official(WHOLE, path)[0]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"properties": {"grants": {}}}'])
def test_a_file_that_is_no_grant_schema_is_refused_with_what_is_wanted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=r"360-giving-schema\.json"):
        giving360.official(WHOLE, path)
    with pytest.raises(ValueError, match=r"360-giving-schema\.json"):
        giving360.official(WHOLE, tmp_path / "absent.json")


def test_the_make_target_says_what_is_wanted_before_it_loads_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert giving360.main([""]) == 2
    assert "SCHEMA=FILE" in capsys.readouterr().err
    assert giving360.main([str(tmp_path / "absent.json")]) == 2
    assert "360-giving-schema.json" in capsys.readouterr().err
    assert giving360.main([str(kept(tmp_path, {"properties": {"fundingOrganization": {}}}))]) == 0
