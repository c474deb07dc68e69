"""The short ways of the log's writer give what the long ways give: the same bytes, the same refusals, no personal number let through."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grants.ledger import canonical, personal

NAMES = st.text(max_size=6) | st.sampled_from(["a", "b", "Z", "~", "é", "\ue000", "\U0001f600"])
ATOMS = st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.text(max_size=12) | st.sampled_from(["\ud800", "\x7f\x00", "</\u2028"])
VALUES = st.recursive(ATOMS | st.floats(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)
IDENTITY, MOBILE = "110101199003070038", "13800138000"


def _long(value: Any) -> bytes | str:
    """The bytes by the long way, or what it says against the value."""
    try:
        return canonical._text(value, "", 0).encode("utf-8")
    except canonical.NotCanonical as wrong:
        return str(wrong)


def _short(value: Any) -> bytes | str:
    try:
        return canonical.encode(value)
    except canonical.NotCanonical as wrong:
        return str(wrong)


@given(VALUES)
@example({"b": 1, "a": [True, None, ("x",)]})
@example({"\ue000": 1, "\U0001f600": 2})
@example({"a": 2**53})
@example({"a": 1.0})
@example(["\ud800"])
def test_the_encoder_in_c_is_taken_only_where_it_writes_the_same_bytes(value: Any) -> None:
    assert _short(value) == _long(value)


def test_what_is_nested_too_deep_or_of_another_type_is_refused_by_either_way() -> None:
    deep: Any = 1
    for _level in range(canonical.DEEPEST + 1):
        deep = [deep]
    for value in (deep, {"a": {1}}, {1: "a"}, {"a": 0.5}):
        with pytest.raises(canonical.NotCanonical):
            canonical.encode(value)


@given(st.lists(st.sampled_from(["1", "3", "8", "0", "9", "x", "X", "-", " ", "\n", '"', "\\", "中", "１", "+86", IDENTITY, MOBILE]), max_size=12))
@example([IDENTITY])
@example(["\n", MOBILE, "\n"])
@example(["+86", " ", MOBILE])
def test_no_personal_number_passes_the_quick_look_at_the_encoded_text(parts: list[str]) -> None:
    """The quick look may call for the long one too often, never too rarely: line breaks and quotes are escapes in the text it sees."""
    value = {"note": "".join(parts), "".join(parts) + "k": "v"}
    if list(personal.found_in(value, "")):
        assert personal.perhaps(canonical.encode(value).decode())


def test_most_entries_need_no_second_look() -> None:
    """Otherwise the quick look would only cost: a UUID, dates and long runs of digits that begin no identity number do not call for it."""
    entry = {"id": "3f8c2f0e-7d0b-4b8e-9a53-0d7b1f2c4e11", "at": "2026-03-01T08:59:59.000005Z", "files": {"plan.1": "0" * 64}, "number": "YX-2026-001"}
    text = json.dumps(entry)
    assert re.search(r"\d{11}", text)
    assert not personal.perhaps(text)
