"""Per-answer versions: nothing that another person saved is ever overwritten unseen, and nobody fights over what they did not touch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.calls.rulebook import marks

NOBODY: dict[str, Any] = {}
SAVED = marks.bumped(NOBODY, ["goal"], by=7, at="2026-03-01T14:05")


def test_a_save_on_the_version_that_is_there_is_accepted() -> None:
    base = {"goal": marks.mark(SAVED, "goal", "旧")}
    assert marks.merge(SAVED, {"goal": "旧"}, {"goal": "新"}, base) == marks.Merge({"goal": "新"}, ())


def test_a_save_on_an_older_version_clashes_and_is_not_accepted() -> None:
    base = {"goal": marks.mark(NOBODY, "goal", "")}
    assert marks.merge(SAVED, {"goal": "同事写的"}, {"goal": "我写的"}, base) == marks.Merge({}, ("goal",))


def test_an_answer_i_did_not_touch_gives_way_to_what_a_colleague_wrote() -> None:
    base = {"goal": marks.mark(NOBODY, "goal", "旧")}
    assert marks.merge(SAVED, {"goal": "同事写的"}, {"goal": "旧"}, base) == marks.Merge({}, ())


def test_both_writing_the_same_is_no_clash() -> None:
    base = {"goal": marks.mark(NOBODY, "goal", "")}
    assert marks.merge(SAVED, {"goal": "一样"}, {"goal": "一样"}, base) == marks.Merge({}, ())


def test_without_a_mark_the_answer_replaces_what_is_there() -> None:
    assert marks.merge(SAVED, {"goal": "旧"}, {"goal": "新"}, {}) == marks.Merge({"goal": "新"}, ())


@pytest.mark.parametrize("base", ["", "x", "-", "1", "999-abc", "01-"])
def test_a_mark_that_nobody_gave_never_overwrites(base: str) -> None:
    told = marks.merge(SAVED, {"goal": "旧"}, {"goal": "新"}, {"goal": base})
    assert told.accepted == ({"goal": "新"} if base == "1" else {})


@pytest.mark.parametrize("blank", [None, "", "  ", [], [{"a": ""}]])
def test_every_blank_has_one_digest(blank: Any) -> None:
    assert marks.digest(blank) == marks.digest("")


def test_versions_count_up_one_by_one_and_name_who_wrote_last() -> None:
    again = marks.bumped(SAVED, ["goal"], by=8, at="later")
    assert again == {"goal": {"v": 2, "by": 8, "at": "later"}}
    assert marks.version(again, "other") == 0


@given(st.text(), st.text(), st.text())
def test_of_two_who_start_from_the_same_text_nobody_loses_a_word(start: str, mine: str, theirs: str) -> None:
    """Whatever both type: my text is written, or is what is there, or I am told of a clash, or I had changed nothing."""
    base = {"goal": marks.mark(NOBODY, "goal", start)}
    first = marks.merge(NOBODY, {"goal": start}, {"goal": theirs}, base)
    there = {"goal": start} | first.accepted
    now = marks.bumped(NOBODY, first.accepted, by=1, at="")
    second = marks.merge(now, there, {"goal": mine}, base)
    kept = {marks.digest(there["goal"]), marks.digest(second.accepted.get("goal", there["goal"]))}
    assert second.clashes or marks.digest(mine) in kept or marks.digest(mine) == marks.digest(start)
    assert not (second.accepted and first.accepted)
