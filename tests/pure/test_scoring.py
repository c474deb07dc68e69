"""评分: exact, half up, whole ballots trimmed, and no result rather than a wrong one."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.scoring import (
    Criterion,
    Part,
    ScoreRefused,
    Trim,
    ballot_total,
    criterion_means,
    deviations,
    mixed_score,
    panel_score,
    passes,
    points,
    rounded,
    share_score,
)

D = Decimal


SHEET = [Criterion("need", "需求", D(20)), Criterion("plan", "设计", D(50)), Criterion("team", "团队", D(30), maximum=D(100))]
TRIM = Trim(high=1, low=1, from_ballots=5)
marks_of = st.integers(0, 10000).map(lambda n: D(n).scaleb(-2))


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        ("86.505", 2, "86.51"),
        ("86.504999", 2, "86.50"),
        ("0.5", 0, "1"),
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("80", 2, "80.00"),
        ("1.00005", 4, "1.0001"),
    ],
)
def test_rounding_is_half_up_where_python_rounds_to_even(value: str, decimals: int, expected: str) -> None:
    assert str(rounded(D(value), decimals)) == expected


def test_a_ballot_by_hand() -> None:
    """18.50 + 40 + 77/100 × 30 = 81.60."""
    assert ballot_total({"need": D("18.50"), "plan": D(40), "team": D(77)}, SHEET) == D("81.60")
    assert points(8650) == D("86.50")


@given(marks_of.filter(lambda m: m <= 20), marks_of.filter(lambda m: m <= 50), marks_of)
def test_a_total_lies_between_0_and_100_and_is_exact(need: D, plan: D, team: D) -> None:
    total = ballot_total({"need": need, "plan": plan, "team": team}, SHEET)
    exact = Fraction(need) + Fraction(plan) + Fraction(team) * 30 / 100
    assert 0 <= total <= 100
    assert abs(Fraction(total) - exact) <= Fraction(1, 200)


@pytest.mark.parametrize(
    ("marks", "rule", "words"),
    [
        ({"need": D(20), "plan": D(1)}, "missing", "团队"),
        ({"need": D(20), "plan": D(1), "team": D(1), "x": D(1)}, "unknown", "x"),
        ({"need": D("20.01"), "plan": D(1), "team": D(1)}, "range", "0 至 20"),
        ({"need": D("-0.01"), "plan": D(1), "team": D(1)}, "range", "需求"),
        ({"need": D("NaN"), "plan": D(1), "team": D(1)}, "range", "需求"),
        ({"need": D("1.005"), "plan": D(1), "team": D(1)}, "places", "两位小数"),
    ],
)
def test_a_ballot_that_is_not_whole_gives_no_total(marks: dict[str, D], rule: str, words: str) -> None:
    with pytest.raises(ScoreRefused, match=words) as refusal:
        ballot_total(marks, SHEET)
    assert refusal.value.rule == rule


def test_weights_must_make_100() -> None:
    with pytest.raises(ScoreRefused, match="应为 100"):
        ballot_total({"need": D(1)}, SHEET[:1])


def test_the_trimmed_mean_of_seven_by_hand() -> None:
    ballots = {
        "A": D("90.00"),
        "B": D("70.00"),
        "C": D("80.00"),
        "D": D("85.00"),
        "E": D("75.00"),
        "F": D("100.00"),
        "G": D("20.00"),
    }
    score = panel_score(ballots, TRIM, min_ballots=5)
    assert score.value == D("80.00")
    assert (score.dropped_high, score.dropped_low, len(score.kept)) == (("F",), ("G",), 5)


def test_below_the_threshold_nothing_is_trimmed() -> None:
    assert panel_score({"A": D(100), "B": D(0), "C": D(50), "D": D(50)}, TRIM).dropped_high == ()
    assert panel_score({"A": D(100), "B": D(0), "C": D(50), "D": D(50), "E": D(50)}, TRIM).value == D("50.00")


def test_a_third_is_rounded_once_and_half_up() -> None:
    assert panel_score({"A": D(80), "B": D(80), "C": D(81)}, Trim()).value == D("80.33")
    assert panel_score({"A": D("80.01"), "B": D("80.00")}, Trim()).value == D("80.01")


def test_among_equal_totals_the_code_decides_who_is_shown_as_dropped() -> None:
    score = panel_score(dict.fromkeys("EDCBA", D(70)), TRIM)
    assert (score.value, score.dropped_low, score.dropped_high) == (D("70.00"), ("A",), ("E",))


@pytest.mark.parametrize("ballots", [{}, {"A": D(1), "B": D(2), "C": D(3), "D": D(4)}])
def test_too_few_ballots_give_no_result(ballots: dict[str, D]) -> None:
    with pytest.raises(ScoreRefused, match="候补") as refusal:
        panel_score(ballots, TRIM, min_ballots=5)
    assert refusal.value.rule == "too_few"


def test_a_trim_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ScoreRefused, match="没有剩余"):
        panel_score({"A": D(1), "B": D(2)}, Trim(1, 1, 2))


@given(st.dictionaries(st.text(min_size=1, max_size=3), marks_of, min_size=5, max_size=11), st.integers(0, 2), st.integers(0, 2))
def test_the_trimmed_mean_lies_inside_and_no_single_ballot_moves_it_past_its_neighbours(
    ballots: dict[str, D], high: int, low: int
) -> None:
    score = panel_score(ballots, Trim(high, low, 5))
    ordered = sorted(ballots.values())
    kept = ordered[low : len(ordered) - high]
    mean = sum(Fraction(v) for v in kept) / len(kept)
    assert kept[0] <= score.value <= kept[-1]
    assert score.value == Context(prec=60).divide(D(mean.numerator), D(mean.denominator)).quantize(D("0.01"), ROUND_HALF_UP)
    assert sorted([*score.kept, *score.dropped_high, *score.dropped_low]) == sorted(ballots)


@given(st.lists(marks_of, min_size=6, max_size=6), marks_of)
def test_one_liar_cannot_lift_a_trimmed_score_over_the_honest_top(honest: list[D], lie: D) -> None:
    ballots = {f"E{n}": v for n, v in enumerate(honest)} | {"LIAR": lie}
    assert min(honest) <= panel_score(ballots, TRIM).value <= max(honest)


def test_criterion_means_over_the_ballots_that_count() -> None:
    assert criterion_means([{"a": D(10), "b": D(1)}, {"a": D(15), "b": D(2)}]) == {"a": D("12.50"), "b": D("1.50")}
    assert criterion_means([]) == {}
    with pytest.raises(ScoreRefused):
        criterion_means([{"a": D(1)}, {"b": D(1)}])


def test_a_mixed_score_by_hand() -> None:
    """Sample call 5: panel 70 + pledges 15 + public vote 15."""
    parts = [
        Part("panel", "专家", D(70), D("86.55")),
        Part("pledges", "认捐", D(15), D("40.00")),
        Part("vote", "投票", D(15), D("33.33")),
    ]
    assert mixed_score(parts) == D("71.58")
    assert mixed_score(parts, bonus=D(5), bonus_cap=D(5)) == D("76.58")


@pytest.mark.parametrize(
    ("parts", "bonus", "rule"),
    [
        ([Part("a", "专家", D(70), D(1))], "0", "parts"),
        ([Part("a", "专家", D(70), D(1)), Part("b", "居民", D(30), None)], "0", "part_missing"),
        ([Part("a", "专家", D(100), D("100.01"))], "0", "part_range"),
        ([Part("a", "专家", D(100), D(50))], "5.01", "bonus"),
        ([Part("a", "专家", D(100), D(50))], "-1", "bonus"),
    ],
)
def test_a_mix_that_does_not_add_up_gives_no_score(parts: list[Part], bonus: str, rule: str) -> None:
    with pytest.raises(ScoreRefused) as refusal:
        mixed_score(parts, bonus=D(bonus), bonus_cap=D(5))
    assert refusal.value.rule == rule


def test_a_part_without_weight_needs_no_value() -> None:
    assert mixed_score([Part("a", "专家", D(100), D(50)), Part("b", "居民", D(0), None)]) == D("50.00")


def test_shares_of_votes_and_pledges() -> None:
    assert (share_score(D(1), D(3)), share_score(D(7), D(3)), share_score(D(0), D(0))) == (D("33.33"), D("100.00"), D("0.00"))
    with pytest.raises(ValueError, match="negative"):
        share_score(D(-1), D(3))


def test_the_deviation_alarm_rings_past_the_limit_and_not_at_it() -> None:
    """Mean 75: 90 is exactly 20 % above it, 60 exactly below."""
    assert deviations({"A": D(90), "B": D(60), "C": D(75)}) == []
    alarm = deviations({"A": D("90.04"), "B": D(60), "C": D("74.96")})
    assert [(d.reviewer, d.percent) for d in alarm] == [("A", D("20.05"))]
    assert "20.05%" in alarm[0].sentence
    assert "超过 20%" in alarm[0].sentence
    assert deviations({}) == deviations({"A": D(0), "B": D(0)}) == []


def test_exactly_at_the_pass_line_passes() -> None:
    assert passes(D("70.00"), D(70))
    assert not passes(D("69.99"), D(70))
