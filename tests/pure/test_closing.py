"""结项: nothing is missing only when nothing is, and everything missing is listed at once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grants.evaluation.closing import ENGLISH, SENTENCES, ClosingFacts, ClosingItem, ClosingRules, missing

D = Decimal


RULES = ClosingRules(
    (ClosingItem("summary", "总结报告"), ClosingItem("photos", "活动照片"), ClosingItem("extra", "媒体报道", required=False)),
    needs_midterm=True, needs_audit=True, satisfaction_min=D(85),
)  # fmt: skip
DONE = ClosingFacts(
    midterm_done=True, final_grade="良好", final_passed=True, surplus=D("3260.40"), refunded=D("3260.40"), audit_issued=True,
    satisfaction=D(85), match_promised=D("100.00"), match_arrived=D("100.00"), papers=frozenset({"summary", "photos"}),
)  # fmt: skip


def test_a_finished_project_may_be_closed() -> None:
    assert missing(DONE, RULES) == []


CASES = [
    (replace(DONE, midterm_done=False), "midterm_missing"), (replace(DONE, final_grade=None, final_passed=False), "final_missing"),
    (replace(DONE, final_grade="不合格", final_passed=False), "final_failed"), (replace(DONE, audit_issued=False), "audit"),
    (replace(DONE, tranches_open=(3, 2)), "tranches_open"), (replace(DONE, tranches_without_receipt=(1,)), "receipts"),
    (replace(DONE, expenses_unverified=4), "expenses"), (replace(DONE, surplus=None), "surplus_unknown"),
    (replace(DONE, refunded=D("3260.39")), "surplus_due"), (replace(DONE, match_arrived=D("99.99")), "match"),
    (replace(DONE, objections_open=1), "objections"), (replace(DONE, changes_open=1), "changes"),
    (replace(DONE, rectifications_open=1), "rectifications"), (replace(DONE, satisfaction=None), "satisfaction_unknown"),
    (replace(DONE, satisfaction=D("84.99")), "satisfaction"), (replace(DONE, papers=frozenset({"summary"})), "paper"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "rule"), CASES, ids=[rule for _, rule in CASES])
def test_each_missing_thing_alone_keeps_it_open_and_shows_the_way(facts: ClosingFacts, rule: str) -> None:
    found = missing(facts, RULES)
    assert [m.rule for m in found] == [rule]
    assert found[0].way_out
    assert "%(" not in found[0].sentence + found[0].way_out


def test_every_sentence_has_a_case() -> None:
    assert {rule for _, rule in CASES} == set(SENTENCES)


def test_the_figures_stand_in_the_sentence() -> None:
    assert missing(replace(DONE, refunded=D("3260.39")), RULES)[0].sentence == "应退结余 ¥3,260.40，已退 ¥3,260.39，还差 ¥0.01。"
    assert "第 2、3 期" in missing(replace(DONE, tranches_open=(3, 2)), RULES)[0].sentence
    assert missing(replace(DONE, papers=frozenset({"summary"})), RULES)[0].about == "photos"


def test_everything_missing_is_listed_at_once() -> None:
    found = [m.rule for m in missing(ClosingFacts(), RULES)]
    assert found == ["midterm_missing", "final_missing", "audit", "surplus_unknown", "satisfaction_unknown", "paper", "paper"]


def test_a_light_call_asks_for_less() -> None:
    light = ClosingRules((ClosingItem("photo", "照片"),), needs_final=False)
    assert missing(ClosingFacts(surplus=D(0), papers=frozenset({"photo"})), light) == []


@pytest.mark.parametrize(("facts", "rule"), CASES)
def test_every_sentence_has_its_english_with_the_same_figures(facts: ClosingFacts, rule: str) -> None:
    """No Chinese word is left but the names that the call gave, and no figure is missing."""
    assert SENTENCES.keys() == ENGLISH.keys()
    found = next(m for m in missing(facts, RULES) if m.rule == rule)
    own = "".join(str(figure) for figure in found.figures.values())
    assert not [sign for sign in found.english() if "\u4e00" <= sign <= "\u9fff" and sign not in own]
    assert all(str(figure) in found.english() for figure in found.figures.values())
