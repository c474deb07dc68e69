"""What goes into the leaves of the Merkle log: canonical JSON after RFC 8785, and no personal numbers in the clear."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.ledger import personal
from grants.ledger.canonical import NotCanonical, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)


class Colour(StrEnum):
    RED = "red"


@given(VALUES)
def test_every_value_reads_back_and_has_one_form(value: Any) -> None:
    raw = encode(value)
    assert json.loads(raw) == value
    assert encode(json.loads(raw)) == raw


@given(st.dictionaries(st.text(st.characters(max_codepoint=127)), VALUES, max_size=8))
def test_ascii_names_give_what_sorted_json_gives(value: dict[str, Any]) -> None:
    flat = {name: inner for name, inner in value.items() if not isinstance(inner, (dict, list))}
    assert encode(flat) == json.dumps(flat, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def test_names_are_sorted_by_utf16_units_as_the_standard_shows() -> None:
    """RFC 8785 §3.2.3: the emoji (a surrogate pair, D83D) comes before U+FB33, although its code point is higher."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    found = list(json.loads(encode(dict.fromkeys(names, 1))))
    assert found == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_text_is_escaped_as_the_standard_shows() -> None:
    """RFC 8785 §3.2.2.2, the string of its example."""
    assert encode('\u20ac$\x0f\nA\'B"\\\\"/') == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()
    assert encode("\x7f公创") == b'"\x7f\xe5\x85\xac\xe5\x88\x9b"'


def test_text_of_an_enumeration_is_its_value() -> None:
    assert encode({"c": Colour.RED, "t": (True, None, 0)}) == b'{"c":"red","t":[true,null,0]}'


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": [0, 1.5]}, "a[1]"),
        ({"a": {"b": Decimal("1.00")}}, "a.b"),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, "at"),
        ({"id": UUID(int=0)}, "id"),
        ({"n": 2**53}, "n"),
        ({"n": -(2**53)}, "n"),
        ({"s": "\ud800"}, "s"),
        ({"\udc00": 1}, "'\\udc00'"),
        ({"raw": b"bytes"}, "raw"),
        ({"set": {1}}, "set"),
        ({"d": {1: "one"}}, "d"),
    ],
)
def test_what_has_no_canonical_form_is_refused_with_its_path(value: Any, path: str) -> None:
    with pytest.raises(NotCanonical) as refused:
        encode(value)
    assert refused.value.path == path


def test_endless_nesting_is_a_refusal_not_a_crash() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(NotCanonical, match="levels"):
        encode(value)


@pytest.mark.parametrize(
    "text",
    [
        "11010519491231002X",
        "身份证 11010519491231002x。",
        "440524188001010014",
        "手机13800138000",
        "+86 13800138000",
        "电话:19912345678",
    ],
)
def test_personal_numbers_are_found(text: str) -> None:
    assert list(personal.found_in({"note": [text]}, "public"))
    assert list(personal.found_in({text: 1}, "public"))


@pytest.mark.parametrize(
    "text",
    [
        "110105194912310021",  # wrong check digit
        "110105194913310029",  # month 13
        "91350100M000100Y43",  # a credit code
        "0f3a13800138000b",  # digits inside a hash
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "13800138-0001-4000-8000-138001380001",  # a UUID
        "2026000013800138000",  # a longer number
        "12345678901",  # eleven digits, no mobile prefix
        "立项金额 49800.00 元",
    ],
)
def test_other_numbers_pass(text: str) -> None:
    assert not list(personal.found_in({"note": text}, "public"))
