"""Two versions side by side: each change once, in words, as grave as it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.calls.rulebook import CallRules, presets, toml
from grants.calls.rulebook.diff import Gravity, diff, gravest, version_fault

OLD = presets.load("district")


def changed(*pairs: tuple[str, str]) -> CallRules:
    text = presets.text("district")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return toml.loads(text)


@pytest.mark.parametrize(
    ("old", "new", "path", "gravity", "words"),
    [
        ("pass_line = 70", "pass_line = 65", "review.pass_line", Gravity.ADDENDUM, "及格线 由 70 分 改为 65 分"),
        ("cap = 200_000", 'cap = "200000.01"', "amounts.cap", Gravity.ADDENDUM, "由 200000 元 改为 200000.01 元"),
        ("in_kind_share = 50\n", "", "amounts.in_kind_share", Gravity.ADDENDUM, "（原为 50 %）被删除"),
        ('method = "reduce"', 'method = "rank"', "allocation.method", Gravity.ADDENDUM, "由 按评审建议核减 改为 按名次足额资助"),
        ('parties = "three"', 'parties = "two"', "contract.parties", Gravity.ADDENDUM, "由 三方 改为 两方"),
        ('code = "YX-2026-01"', 'code = "YX-2026-09"', "code", Gravity.NEW_CALL, "征集编号"),
        ('legal_basis = "grant"', 'legal_basis = "reward"', "legal_basis", Gravity.NEW_CALL, "由 资助 改为 以奖代补"),
        (
            "closes_at = 2026-03-30T17:00:00",
            "closes_at = 2026-03-31T17:00:00",
            "timetable.closes_at",
            Gravity.ADDENDUM,
            "2026-03-31 17:00",
        ),
        (
            "closes_at = 2026-03-30T17:00:00",
            "closes_at = 2026-03-30T16:59:59",
            "timetable.closes_at",
            Gravity.FORBIDDEN,
            "16:59:59",
        ),
        (
            'help = "不超过 30 字',
            'help = "至多 30 字',
            "forms.application[basics].fields[name].help",
            Gravity.WORDING,
            "填写说明",
        ),
        (
            "conflict_years = 3\nblind = true",
            "conflict_years = 3\nblind = false",
            "review.panel.blind",
            Gravity.ADDENDUM,
            "由 是 改为 否",
        ),
    ],
)
def test_one_change_is_one_sentence(old: str, new: str, path: str, gravity: Gravity, words: str) -> None:
    changes = diff(OLD, changed((old, new)))
    assert [(change.path, change.gravity) for change in changes] == [(path, gravity)]
    assert words in changes[0].sentence


def test_an_inserted_criterion_is_one_change_and_not_a_page_of_them() -> None:
    data = OLD.plain()
    criteria = data["review"]["sheets"][0]["criteria"]
    criteria.insert(0, {**criteria[0], "code": "extra", "name": "附加"})
    changes = diff(OLD, toml.from_data(data))
    assert [change.path for change in changes] == ["review.sheets[a].criteria[extra]"]
    assert changes[0].sentence == "评审 · 评分表“区级公益创投评分表” · 指标“附加” 新增"


def test_a_removed_part_and_a_new_order_are_told() -> None:
    data = OLD.plain()
    data["categories"] = [data["categories"][1], data["categories"][0], *data["categories"][3:]]
    assert [change.path for change in diff(OLD, toml.from_data(data))] == ["categories[children]", "categories"]


def test_a_whole_table_that_appears_or_goes_is_one_change() -> None:
    data = OLD.plain()
    del data["evaluation"]["midterm"]
    gone = diff(OLD, toml.from_data(data))
    assert [change.sentence for change in gone] == ["评估与结项 · 中期评估表 被删除"]
    back = diff(toml.from_data(data), OLD)
    assert [change.sentence for change in back] == ["评估与结项 · 中期评估表 新增"]


@pytest.mark.parametrize(
    ("pairs", "version", "fits"),
    [
        ((), "1.0.0", True),
        ((("help = ", "help = "),), "1.0.1", True),
        ((('summary = "面向', 'summary = "本次面向'),), "1.0.1", True),
        ((('summary = "面向', 'summary = "本次面向'),), "1.0.0", False),
        ((("pass_line = 70", "pass_line = 65"),), "1.0.9", False),
        ((("pass_line = 70", "pass_line = 65"),), "1.1.0", True),
        ((("pass_line = 70", "pass_line = 65"),), "2.0.0", True),
        ((('legal_basis = "grant"', 'legal_basis = "reward"'),), "1.1.0", False),
        ((('legal_basis = "grant"', 'legal_basis = "reward"'),), "2.0.0", True),
        ((("closes_at = 2026-03-30T17:00:00", "closes_at = 2026-03-29T17:00:00"),), "9.0.0", False),
    ],
)
def test_the_version_number_must_be_as_large_as_the_change(pairs: tuple[tuple[str, str], ...], version: str, fits: bool) -> None:
    new = changed(*pairs, ('version = "1.0.0"', f'version = "{version}"'))
    assert (version_fault(OLD, new) == "") is fits


def test_a_change_travels_as_json() -> None:
    change = diff(OLD, changed(("pass_line = 70", "pass_line = 65")))[0]
    assert change.plain() == {
        "path": "review.pass_line",
        "old": "70.00",
        "new": "65.00",
        "gravity": "addendum",
        "sentence": "评审 · 及格线 由 70 分 改为 65 分",
    }


@pytest.mark.parametrize("first", presets.NAMES)
@pytest.mark.parametrize("second", presets.NAMES)
def test_no_difference_is_found_exactly_between_equals(first: str, second: str) -> None:
    found = diff(presets.load(first), presets.load(second))
    assert (not found) == (first == second)
    assert all(change.sentence and change.old != change.new for change in found)


@given(st.data())
def test_every_number_that_is_changed_is_found_at_its_place(data: Any) -> None:
    plain = OLD.plain()
    sheet = data.draw(st.sampled_from(plain["review"]["sheets"][0]["criteria"]))
    weight = data.draw(st.integers(0, 99).filter(lambda number: f"{number}.00" != sheet["weight"]))
    sheet["weight"] = weight
    new = toml.from_data(plain)
    changes = diff(OLD, new)
    assert [change.path for change in changes] == [f"review.sheets[a].criteria[{sheet['code']}].weight"]
    assert [(c.path, c.old, c.new) for c in diff(new, OLD)] == [(c.path, c.new, c.old) for c in changes]
    assert gravest(changes) is Gravity.ADDENDUM
