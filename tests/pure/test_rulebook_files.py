"""`call.toml` and its JSON Schema: written and read again gives an equal value, whatever the value is."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grants.calls.rulebook import RulesInvalid, handbook, presets, schema, toml
from grants.calls.rulebook.schedule import shift

SCHEMA = schema.json_schema()
CHECKER = jsonschema.Draft202012Validator(SCHEMA)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
SIGHT = TEXT.map(lambda text: "甲" + text)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.timezones()).map(
    lambda moment: moment.replace(microsecond=0).isoformat()
)


def built(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A strategy for the instances of one node of our own schema."""
    if "$ref" in node:
        return st.deferred(lambda: _cached(node["$ref"].rsplit("/", 1)[1]))
    if "const" in node:
        return st.just(node["const"])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if "anyOf" in node:
        return st.one_of([built(each) for each in node["anyOf"]])
    return {"object": _object, "array": _array, "integer": _integer, "boolean": lambda _: st.booleans(), "string": _string}[
        node["type"]
    ](node)


_KNOWN: dict[str, st.SearchStrategy[Any]] = {}


def _cached(name: str) -> st.SearchStrategy[Any]:
    if name not in _KNOWN:
        _KNOWN[name] = built(SCHEMA["$defs"][name])
    return _KNOWN[name]


def _object(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    fields = {key: built(each) for key, each in node["properties"].items()}
    required = set(node.get("required", ()))
    return st.fixed_dictionaries(
        {key: each for key, each in fields.items() if key in required},
        optional={key: each for key, each in fields.items() if key not in required},
    )


def _array(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    least = node.get("minItems", 0)
    return st.lists(built(node["items"]), min_size=least, max_size=least + 1)


def _integer(node: dict[str, Any]) -> st.SearchStrategy[int]:
    return st.integers(node.get("minimum", 0), node.get("maximum", 1000))


def _string(node: dict[str, Any]) -> st.SearchStrategy[str]:
    if node.get("format") == "date-time":
        return MOMENTS
    if node.get("format") == "date":
        return st.dates(date(2020, 1, 1), date(2040, 1, 1)).map(date.isoformat)
    if "pattern" in node:
        return st.from_regex(node["pattern"].replace("$", r"\Z"), fullmatch=True)
    return SIGHT if node.get("minLength") else TEXT


CALLS = built(SCHEMA)


@given(CALLS)
@settings(
    max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
)
def test_whatever_the_schema_allows_is_read_written_and_read_again_unchanged(data: dict[str, Any]) -> None:
    rules = toml.from_data(data)
    written = toml.dumps(rules)
    again = toml.loads(written)
    assert again == rules
    assert again.rules_hash == rules.rules_hash
    assert toml.from_data(rules.plain()) == rules
    CHECKER.validate(toml.as_json(toml.parse(written)))


def test_the_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", presets.NAMES)
def test_every_preset_is_valid_against_the_schema(name: str) -> None:
    CHECKER.validate(toml.as_json(toml.parse(presets.text(name))))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cap = 200_000", "cap = -5"),
        ("cap = 200_000", "capp = 5"),
        ('kind = "lottery"', 'kind = "x"'),
        ("weight = 40", "weight = 140"),
    ],
)
def test_the_schema_refuses_what_the_model_refuses(old: str, new: str) -> None:
    text = presets.text("district").replace(old, new, 1)
    assert not CHECKER.is_valid(toml.as_json(toml.parse(text)))
    with pytest.raises(RulesInvalid):
        toml.loads(text)


@pytest.mark.parametrize("name", presets.NAMES)
def test_a_preset_written_by_us_is_the_preset(name: str) -> None:
    rules = presets.load(name)
    assert toml.loads(toml.dumps(rules)) == rules


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(KeyError, match="district"):
        presets.load("nowhere")


def test_the_handbook_in_docs_is_what_the_model_says() -> None:
    """Stale? Run `manage.py call schema --handbook > docs/call-rules.md`."""
    written = Path(__file__).parents[2] / "docs" / "call-rules.md"
    assert written.read_text(encoding="utf-8") == handbook.handbook()


@given(st.integers(-400, 4000), st.integers(0, 86_399))
def test_a_shifted_timetable_keeps_every_distance(days: int, seconds: int) -> None:
    rules = presets.load("micro")
    start = rules.timetable.opens_at + timedelta(days=days, seconds=seconds)
    moved = shift(rules, start)
    old, new = rules.timetable, moved.timetable
    assert new.opens_at == start
    assert new.closes_at - new.opens_at == old.closes_at - old.opens_at
    assert [b.closes_at - new.opens_at for b in new.batches] == [b.closes_at - old.opens_at for b in old.batches]
    assert new.review_by - new.opens_at.date() == old.review_by - old.opens_at.date()
    assert moved.sources[0].spend_by is not None
    assert rules.sources[0].spend_by is not None
    assert moved.sources[0].spend_by - new.opens_at.date() == rules.sources[0].spend_by - old.opens_at.date()
    assert shift(moved, old.opens_at) == rules


def test_shifting_to_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="时区"):
        shift(presets.load("micro"), datetime(2027, 1, 1))
