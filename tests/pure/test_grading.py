"""评估定级: totals with bonus and penalty, bands to the hundredth, consequences with their days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.evaluation.grading import Action, Band, Consequence, Criterion, GradingRefused, Sheet, band_of, grade, months_after

D = Decimal


BANDS = (
    Band("优秀", D(90), True, (Consequence(Action.PAY), Consequence(Action.COMMEND))),
    Band("良好", D(75), True, (Consequence(Action.PAY),)),
    Band("合格", D(60), True, (Consequence(Action.PAY), Consequence(Action.RECTIFY, 1))),
    Band("不合格", D(0), False, (Consequence(Action.WITHHOLD), Consequence(Action.TERMINATE), Consequence(Action.BAR, 36))),
)

SHEET = Sheet((Criterion("output", "产出", D(60)), Criterion("money", "财务", D(40))), BANDS, bonus_max=D(10), penalty_max=D(20))
DAY = date(2026, 8, 31)


def result(output: str, money: str, **more: object) -> object:
    return grade(SHEET, {"output": D(output), "money": D(money)}, on=DAY, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("output", "money", "bonus", "penalty", "total", "name"),
    [
        ("50", "40", "0", "0", "90.00", "优秀"), ("50", "39.99", "0", "0", "89.99", "良好"), ("60", "40", "10", "0", "110.00", "优秀"),
        ("35", "25", "0", "0", "60.00", "合格"), ("35", "24.99", "0", "0", "59.99", "不合格"), ("35", "24.99", "0.01", "0", "60.00", "合格"),
        ("5", "5", "0", "20", "0.00", "不合格"), ("50", "40", "0", "0.01", "89.99", "良好"),
    ],
)  # fmt: skip
def test_totals_and_bands_to_the_hundredth(output: str, money: str, bonus: str, penalty: str, total: str, name: str) -> None:
    found = grade(SHEET, {"output": D(output), "money": D(money)}, on=DAY, bonus=D(bonus), penalty=D(penalty))
    assert (str(found.total), found.band.name) == (total, name)
    assert f"“{name}”" in found.sentence


def test_a_fail_withholds_terminates_and_bars_until_a_day() -> None:
    found = grade(SHEET, {"output": D(10), "money": D(10)}, on=DAY)
    assert (found.pays, found.withholds, found.terminates) == (False, True, True)
    assert found.barred_until == date(2029, 8, 31)
    assert found.consequences == ("暂缓拨付后续资金", "终止项目", "2029-08-31 前不得申报")


def test_a_pass_pays_and_may_ask_for_rectification_until_a_day() -> None:
    found = grade(SHEET, {"output": D(35), "money": D(25)}, on=DAY)
    assert (found.pays, found.withholds, found.rectify_by) == (True, False, date(2026, 9, 30))


def test_late_is_a_fail_whatever_it_would_have_scored() -> None:
    found = grade(SHEET, {}, on=DAY, is_late=True)
    assert (found.total, found.band.name, found.pays) == (None, "不合格", False)
    assert "未按期提交" in found.sentence


@pytest.mark.parametrize(
    ("marks", "bonus", "penalty", "rule"),
    [
        ({"output": "1"}, "0", "0", "missing"), ({"output": "1", "money": "1", "x": "1"}, "0", "0", "unknown"),
        ({"output": "60.01", "money": "1"}, "0", "0", "range"), ({"output": "-1", "money": "1"}, "0", "0", "range"),
        ({"output": "NaN", "money": "1"}, "0", "0", "range"),
        ({"output": "1", "money": "1"}, "10.01", "0", "bonus"), ({"output": "1", "money": "1"}, "0", "20.01", "penalty"),
        ({"output": "1", "money": "1"}, "-1", "0", "bonus"),
    ],
)  # fmt: skip
def test_marks_that_give_no_grade_are_refused(marks: dict[str, str], bonus: str, penalty: str, rule: str) -> None:
    with pytest.raises(GradingRefused) as refusal:
        grade(SHEET, {k: D(v) for k, v in marks.items()}, on=DAY, bonus=D(bonus), penalty=D(penalty))
    assert refusal.value.rule == rule


@pytest.mark.parametrize(
    "bands",
    [
        (), BANDS[:3], (*BANDS, Band("再来", D(60), True)), (replace(BANDS[0], passed=False), *BANDS[1:]),
    ],
)  # fmt: skip
def test_bands_with_holes_or_contradictions_are_refused(bands: tuple[Band, ...]) -> None:
    with pytest.raises(GradingRefused) as refusal:
        grade(replace(SHEET, bands=bands), {"output": D(1), "money": D(1)}, on=DAY)
    assert refusal.value.rule == "bands"


def test_weights_must_make_100() -> None:
    with pytest.raises(GradingRefused, match="应为 100"):
        grade(replace(SHEET, criteria=SHEET.criteria[:1]), {"output": D(1)}, on=DAY)


@given(st.integers(0, 12000), st.randoms())
def test_the_order_of_the_bands_does_not_matter_and_more_points_never_lower_the_grade(hundredths: int, chance: object) -> None:
    mixed = list(BANDS)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    points = D(hundredths).scaleb(-2)
    band = band_of(points, mixed)
    assert band == band_of(points, BANDS)
    assert band_of(points + D("0.01"), BANDS).at_least >= band.at_least


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)), (date(2024, 2, 29), 12, date(2025, 2, 28)), (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)), (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)  # fmt: skip
def test_months_end_on_the_same_day_or_the_last(day: date, months: int, expected: date) -> None:
    assert months_after(day, months) == expected
