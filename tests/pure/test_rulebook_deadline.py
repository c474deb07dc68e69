"""截止政策: printed sentences follow the rules, and the outage rule counts what was lost and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.calls.rulebook import presets
from grants.calls.rulebook.deadline import moved, owed, policy
from grants.calls.rulebook.parts.base import SHANGHAI
from grants.calls.rulebook.parts.timetable import Outage
from grants.calls.rulebook.toml import from_data

CLOSES = datetime(2026, 3, 30, 17, 0, tzinfo=SHANGHAI)
RULE = Outage(from_minutes=30, within_hours=24, at_most_hours=48)


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


def rules(**timetable: Any) -> Any:
    plain = presets.load("street").plain()
    return from_data({**plain, "timetable": {**plain["timetable"], **timetable}})


@pytest.mark.parametrize(
    ("outages", "more"),
    [
        ([], 0), ([(-3, -1)], 2), ([(-3, 5)], 3), ([(-0.4, 0)], 0), ([(-0.5, 0)], 0.5), ([(-3, -2), (-2.5, -1)], 2),
        ([(-30, -20)], 4), ([(-30, -25)], 0), ([(1, 4)], 0), ([(-0.3, -0.1), (-0.9, -0.6)], 0.5),
    ],
)  # fmt: skip
def test_what_was_lost_before_the_deadline_is_given_back(outages: list[tuple[float, float]], more: float) -> None:
    """Within the window, at or above the threshold, overlaps once, nothing after the deadline."""
    given_back = owed(RULE, CLOSES, [(CLOSES + hours(a), CLOSES + hours(b)) for a, b in outages])
    assert abs(given_back - hours(more)) < timedelta(seconds=1)


def test_the_ceiling_holds() -> None:
    """Down for the whole window of three days, at most one hour is added."""
    rule = Outage(from_minutes=1, within_hours=72, at_most_hours=1)
    assert owed(rule, CLOSES, [(CLOSES - hours(100), CLOSES)]) == hours(1)


@given(st.lists(st.tuples(st.integers(-3000, 200), st.integers(0, 600)), max_size=6))
def test_it_never_gives_more_than_the_window_and_never_less_than_nothing(outages: list[tuple[int, int]]) -> None:
    """Whatever was recorded, in whatever order, and another outage never takes time away."""
    rows = [(CLOSES + timedelta(minutes=a), CLOSES + timedelta(minutes=a + n)) for a, n in outages]
    got = owed(RULE, CLOSES, rows)
    assert timedelta() <= got <= hours(24)
    assert owed(RULE, CLOSES, rows[::-1]) == got
    assert owed(RULE, CLOSES, [*rows, (CLOSES - hours(2), CLOSES - hours(1))]) >= got


@pytest.mark.parametrize(
    ("outages", "by_hand", "later"),
    [
        ([(-1, 1)], 0, 2), ([(-0.1, 0.1)], 0, 0.2), ([(-3, -1)], 0, 2), ([(-3, -1)], 1, 2), ([(-3, -1)], 5, 5), ([(-0.1, -0.05)], 0, 0),
        ([(-1, 1), (1.5, 2.5)], 0, 3), ([(-1, 1), (3, 4)], 0, 2), ([(-2, -1), (99, 101)], 100, 102), ([(-60, 30)], 0, 54), ([(0, 4)], 0, 0),
    ],
)  # fmt: skip
def test_a_deadline_never_falls_into_an_outage(outages: list[tuple[float, float]], by_hand: float, later: float) -> None:
    """Down at the deadline, however shortly: until it is back, and what was lost before; again at the new deadline, also one set by hand."""
    rows = [(CLOSES + hours(a), CLOSES + hours(b)) for a, b in outages]
    at, _counted = moved(RULE, [CLOSES, CLOSES + hours(by_hand)], rows)
    assert abs(at - CLOSES - hours(later)) < timedelta(seconds=1)


@given(st.lists(st.tuples(st.integers(-3000, 3000), st.integers(1, 600)), max_size=6), st.integers(0, 2000))
def test_whatever_happened_service_stands_at_the_deadline(outages: list[tuple[int, int]], by_hand: int) -> None:
    """Never earlier than it was, never inside an outage, the same in any order, and settled: asked again it moves no further."""
    rows = [(CLOSES + timedelta(minutes=a), CLOSES + timedelta(minutes=a + n)) for a, n in outages]
    held = [CLOSES, CLOSES + timedelta(minutes=by_hand)]
    at, _counted = moved(RULE, held, rows)
    assert at >= held[1] and not any(start < at < end for start, end in rows)
    assert moved(RULE, held, rows[::-1])[0] == at == moved(RULE, [*held, at], rows)[0]


@pytest.mark.parametrize("name", presets.NAMES)
def test_the_policy_is_whole_in_english(name: str) -> None:
    """Every sentence of every sample call, also with an outage rule and files that follow, without a Chinese word but the agency's own."""
    said = presets.load(name).plain()
    full = from_data({**said, "timetable": {**said["timetable"], "outage": {}, "files_follow_hours": 6}, "agency": {**said["agency"], "contact": ""}})
    for each in (from_data({**said, "agency": {**said["agency"], "contact": ""}}), full):
        english, chinese = policy(each, language="en").lines(), policy(each).lines()
        assert len(english) == len(chinese) == 6
        assert not any("\u4e00" <= sign <= "\u9fff" or "{" in sentence for what, sentence in english for sign in what + sentence)


def test_the_policy_says_what_the_rules_say() -> None:
    """Without an outage rule, with one, extended, and with the appeal route of the law of procurement."""
    plain = policy(rules())
    assert plain.closes_at == plain.first and "没有规定自动顺延" in plain.outage and "异议" in plain.appeal
    ruled = policy(rules(outage={"from_minutes": 45}), CLOSES + hours(5))
    assert "满 45 分钟" in ruled.outage and ruled.closes_at == CLOSES + hours(5)
    bought = policy(from_data({**presets.load("professional").plain(), "legal_basis": "procurement"}))
    assert "投诉" in bought.appeal and "质疑" in bought.appeal
    assert [what for what, _ in plain.lines()] == ["时间", "迟到", "宽限", "延长", "系统故障", "不服"]


@pytest.mark.parametrize("name", presets.NAMES)
def test_rules_without_an_outage_rule_keep_their_hash(name: str) -> None:
    """The new option is absent where it is not written: published versions read back with the hash that stands in the ledger."""
    assert b'"outage"' not in presets.load(name).canonical()
