"""What a call's rules accept and refuse while being read, and that equal values have equal bytes."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from grants.calls.rulebook import CallRules, RulesInvalid, presets, toml


def plain(name: str = "district") -> dict[str, Any]:
    return presets.load(name).plain()


def faults(text: str) -> dict[str, Any]:
    """Key → problem of a text that must be refused."""
    with pytest.raises(RulesInvalid) as caught:
        toml.loads(text, file="x.toml")
    assert all(problem.file == "x.toml" and problem.message and problem.way_out for problem in caught.value.problems)
    return {problem.key: problem for problem in caught.value.problems}


def changed(old: str, new: str, name: str = "district") -> str:
    text = presets.text(name)
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("cap = 200_000", "cap = 200000.5", "amounts.cap", '"200000.50"'),
        ("cap = 200_000", 'cap = "20万"', "amounts.cap", "不是至多两位小数"),
        ("cap = 200_000", 'cap = "1.005"', "amounts.cap", "不是至多两位小数"),
        ("cap = 200_000", "cap = -1", "amounts.cap", "非负数"),
        ("cap = 200_000", "cap = true", "amounts.cap", "必须是数字"),
        ("cap = 200_000", 'cap = "200,000"', "amounts.cap", "不加逗号"),
        ("cap = 200_000", "cap = nan", "amounts.cap", "小数"),
        ("cap_share = 60", "cap_share = 101", "amounts.cap_share", "超过 100"),
        ("closes_at = 2026-03-30T17:00:00+08:00", "closes_at = 2026-03-30T17:00:00", "timetable.closes_at", "没有时区"),
        ("closes_at = 2026-03-30T17:00:00+08:00", "closes_at = 2026-03-30", "timetable.closes_at", "不是时间"),
        ("closes_at = 2026-03-30T17:00:00+08:00", "closes_at = 2026-03-30T17:00:00.5+08:00", "timetable.closes_at", "秒以下"),
        ("review_by = 2026-04-24", "review_by = 2026-04-24T00:00:00+08:00", "timetable.review_by", "不是日期"),
        ("review_by = 2026-04-24", "review_by = 20260424", "timetable.review_by", "不是日期"),
        ("term_months = 10", "term_months = 10.0", "timetable.term_months", "不是整数"),
        ("term_months = 10", 'term_months = "10"', "timetable.term_months", "不是整数"),
        ("blind = true", 'blind = "yes"', "review.panel.blind", "不是真假值"),
        ('kind = "lottery"', 'kind = "lotery"', "sources[lottery].kind", "lottery、fiscal"),
        ('code = "YX-2026-01"', 'code = "yx 1"', "code", "写法不符"),
        ('version = "1.0.0"', "version = 1.0", "version", "不是文字"),
        ('zh = "云溪区第六届社会组织公益创投"', 'zh = "  "', "title.zh", "不能为空"),
        ("match_share = 40", "match_shares = 40", "amounts.match_shares", "match_share"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_the_way_out(old: str, new: str, key: str, words: str) -> None:
    problem = faults(changed(old, new))[key]
    assert words in problem.message + problem.way_out


def test_every_fault_is_reported_in_one_go() -> None:
    text = changed("cap = 200_000", "capp = 200_000.5").replace("pass_line = 70", "pass_line = 70.5")
    assert set(faults(text.replace('kind = "lottery"', 'kind = "x"'))) == {
        "amounts.cap",
        "amounts.capp",
        "review.pass_line",
        "sources[lottery].kind",
    }


def test_list_elements_are_named_by_their_own_code() -> None:
    assert "review.sheets[a].criteria[design].weight" in faults(changed("weight = 25\nscorer", "weight = 25.5\nscorer"))


def test_text_that_is_not_toml_says_where() -> None:
    assert "line 2" in faults("a = 1\nb == 2")["（文件）"].message


def test_an_enormous_file_is_not_even_parsed() -> None:
    assert "1000000" in faults("#" * 1_000_001)["（文件）"].message


@pytest.mark.parametrize("data", [[], "x", 3, None])
def test_what_is_not_a_table_is_refused(data: Any) -> None:
    with pytest.raises(RulesInvalid):
        toml.from_data(data)


@pytest.mark.parametrize(
    ("basis", "notice", "reply", "years"), [("grant", 5, 5, 10), ("procurement", 1, 7, 15), ("foundation", 5, 5, 10)]
)
def test_the_legal_basis_fills_in_what_the_file_leaves_out(basis: str, notice: int, reply: int, years: int) -> None:
    data = plain() | {"legal_basis": basis}
    for name in ("cure", "notice", "objection", "objection_reply", "contract_within"):
        del data["timetable"][name]
    del data["retention"]
    rules = toml.from_data(data)
    assert rules.timetable.notice.amount == notice
    assert rules.timetable.objection_reply.amount == reply
    assert rules.retention.file_years == years


def test_filling_in_does_not_change_the_callers_data() -> None:
    data = plain()
    del data["timetable"]["notice"]
    before = deepcopy(data)
    toml.from_data(data)
    assert data == before


def test_the_value_is_frozen() -> None:
    with pytest.raises(ValidationError):
        presets.load("district").amounts.cap = Decimal(1)  # type: ignore[misc]


def test_two_ways_of_writing_one_value_have_one_hash() -> None:
    text = changed("cap = 200_000", 'cap = "200000.00"').replace("2026-03-30T17:00:00+08:00", "2026-03-30T09:00:00Z")
    assert toml.loads(text).canonical() == presets.load("district").canonical()


def test_any_change_changes_the_hash() -> None:
    text = changed("pass_line = 70", "pass_line = 71")
    assert toml.loads(text).rules_hash != presets.load("district").rules_hash


def test_the_canonical_bytes_can_be_made_by_anybody_with_a_json_library() -> None:
    """Sorted keys, no spaces, UTF-8, no nulls: an auditor recomputes the hash from the published document alone."""
    rules = presets.load("micro")
    again = json.dumps(json.loads(rules.canonical()), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert again == rules.canonical()
    assert b"null" not in again
    assert hashlib.sha256(again).hexdigest() == rules.rules_hash


def test_moments_are_kept_in_shanghai_and_are_equal_to_the_instant() -> None:
    closes_at = presets.load("district").timetable.closes_at
    assert closes_at == datetime(2026, 3, 30, 9, tzinfo=UTC)
    assert closes_at.isoformat() == "2026-03-30T17:00:00+08:00"


def test_the_sheet_of_a_track_is_found_and_an_unknown_track_is_not() -> None:
    rules = presets.load("street")
    assert rules.sheet_for("b").code == "d"
    assert rules.sheet_for() is rules.review.sheets[0]
    with pytest.raises(KeyError):
        rules.sheet_for("z")


def test_rules_can_be_rebuilt_from_what_the_database_keeps() -> None:
    rules = presets.load("joint")
    assert CallRules.model_validate(rules.plain()) == rules
