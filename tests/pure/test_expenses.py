"""支出与变更: what may not be paid is refused by name, what looks odd is only marked, and thresholds hold exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.funding.expenses import AgreedBudget, Change, ChangeLimits, Decider, Expense, Nature, check, route

D = Decimal


BUDGET = AgreedBudget(
    {"activity": D("1000.00"), "management": D("80.00"), "building": D("0.00")}, date(2026, 6, 1), date(2027, 3, 31),
    titles=("阳光社工服务中心",), banned_lines=frozenset({"building"}),
)  # fmt: skip

GOOD = Expense("activity", "活动物资", D("100.00"), date(2026, 6, 1), "NO-1", "阳光社工服务中心")


def refused(expense: Expense, **more: object) -> list[str]:
    return [r.rule for r in check(expense, BUDGET, **more).refusals]  # type: ignore[arg-type]


def test_a_proper_voucher_is_eligible_on_the_first_and_the_last_day() -> None:
    assert check(GOOD, BUDGET).is_eligible
    assert check(replace(GOOD, day=date(2027, 3, 31)), BUDGET).is_eligible


@pytest.mark.parametrize(
    ("expense", "rule"),
    [
        (replace(GOOD, day=date(2026, 5, 31)), "before"), (replace(GOOD, day=date(2027, 4, 1)), "after"), (replace(GOOD, line="holiday"), "line"),
        (replace(GOOD, line="building"), "banned_category"), (replace(GOOD, title="他人"), "title"), (replace(GOOD, voucher=" "), "no_voucher"),
        (replace(GOOD, amount=D("0.00")), "amount"), (replace(GOOD, amount=D("1.005")), "amount"), (replace(GOOD, voucher="NO-7"), "duplicate"),
    ],
)  # fmt: skip
def test_each_ineligible_voucher_is_refused_with_a_way_out(expense: Expense, rule: str) -> None:
    verdict = check(expense, BUDGET, vouchers=["NO-7 "])
    assert [r.rule for r in verdict.refusals] == [rule]
    assert not verdict.is_eligible
    assert verdict.refusals[0].way_out


@pytest.mark.parametrize("nature", list(Nature))
def test_every_barred_nature_is_refused_by_its_name(nature: Nature) -> None:
    verdict = check(replace(GOOD, nature=nature), BUDGET)
    assert [r.rule for r in verdict.refusals] == ["nature"]
    assert nature.zh in verdict.refusals[0].sentence


def test_a_call_may_allow_a_nature() -> None:
    assert check(replace(GOOD, nature=Nature.VEHICLES), replace(BUDGET, banned_natures=frozenset())).is_eligible


def test_a_suspicious_word_is_marked_and_not_refused() -> None:
    verdict = check(replace(GOOD, what="志愿者聚餐白酒"), BUDGET)
    assert verdict.is_eligible
    assert [w.rule for w in verdict.warnings] == ["suspicious"]
    assert "烟酒" in verdict.warnings[0].sentence


def test_a_line_may_be_filled_exactly_and_one_fen_over_is_marked() -> None:
    assert check(GOOD, BUDGET, spent=D("900.00")).warnings == ()
    warning = check(GOOD, BUDGET, spent=D("900.01")).warnings[0]
    assert (warning.rule, "超出 ¥0.01" in warning.sentence) == ("over_line", True)


BEFORE = {"活动": D("1000.00"), "人员": D("500.00"), "管理": D("100.00")}


def decide(after: dict[str, str], **more: object) -> tuple[Decider, str]:
    found = route(Change(BEFORE, BEFORE | {k: D(v) for k, v in after.items()}, **more), ChangeLimits())  # type: ignore[arg-type]
    return found.decider, found.sentence


@pytest.mark.parametrize(
    ("after", "decider"),
    [
        ({}, Decider.RECORD),
        ({"活动": "900.00"}, Decider.RECORD),
        ({"活动": "899.99"}, Decider.OPERATOR),
        ({"活动": "800.00"}, Decider.OPERATOR),
        ({"活动": "799.99"}, Decider.AGENCY),
        ({"活动": "980.00", "管理": "120.00"}, Decider.OPERATOR),
        ({"活动": "979.99", "管理": "120.01"}, Decider.AGENCY),
        ({"活动": "999.00", "宣传": "1.00"}, Decider.AGENCY),
    ],
)
def test_thresholds_hold_exactly(after: dict[str, str], decider: Decider) -> None:
    assert decide(after)[0] is decider


def test_the_sentence_names_the_line_and_the_figure() -> None:
    assert decide({"活动": "850.00"})[1] == "预算行最大变动 15%（“活动”），超过 10%、不超过 20%，由承办方批准。"


def test_the_total_never_rises_by_a_fen() -> None:
    decider, sentence = decide({"管理": "100.01"})
    assert decider is Decider.NOBODY
    assert "不得增加资助总额" in sentence
    assert decide({"活动": "1600.01", "人员": "0.00", "管理": "-0.01"})[0] is Decider.NOBODY


def test_substance_and_extensions_go_to_the_agency_within_their_limits() -> None:
    assert decide({}, substance=("项目负责人",))[0] is Decider.AGENCY
    assert decide({}, extension_months=3) == (Decider.AGENCY, "变更涉及延期，须经主办方批准后执行。")
    assert decide({}, extension_months=4)[0] is Decider.NOBODY
    assert decide({}, extension_months=1, extensions_made=1)[0] is Decider.NOBODY


@given(st.lists(st.integers(0, 2000), min_size=3, max_size=3))
def test_a_larger_movement_never_goes_to_a_lower_decider(cuts: list[int]) -> None:
    """Cutting one line further never lowers who decides."""
    rank = [Decider.RECORD, Decider.OPERATOR, Decider.AGENCY]
    places = [rank.index(decide({"活动": str(D("1000.00") - D(c) / 2)})[0]) for c in sorted(cuts)]
    assert places == sorted(places)
