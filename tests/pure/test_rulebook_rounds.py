"""From one round to the next: cloning with working days, texts of the old year, comparison in cells, version numbers, the burden counted."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from grants.calls.rulebook import RulesInvalid, presets
from grants.calls.rulebook.burden import PER_MINUTE, burden
from grants.calls.rulebook.diff import diff, fitting_version, version_fault
from grants.calls.rulebook.parts.base import SHANGHAI
from grants.calls.rulebook.schedule import clone, mentions
from grants.calls.rulebook.toml import from_data
from grants.calls.rulebook.words import count_words

SATURDAY = datetime(2027, 3, 13, 9, 0, tzinfo=SHANGHAI)


def weekday(day: date) -> bool:
    return day.weekday() < 5


@pytest.mark.parametrize("name", presets.NAMES)
def test_a_clone_keeps_the_rules_and_moves_the_times(name: str) -> None:
    """Own code, version 1.0.0, the year in its name; the rest only differs in times; no deadline is nearer than before."""
    old = presets.load(name)
    new = clone(old, code="YX-2027-09", opens_at=SATURDAY, is_workday=weekday)
    assert (new.code, new.version, new.timetable.opens_at) == ("YX-2027-09", "1.0.0", SATURDAY)
    changed = {change.path.split("[")[0].split(".")[0] for change in diff(old, new)}
    assert changed <= {"code", "version", "title", "timetable", "sources"}
    a, b = old.timetable, new.timetable
    assert b.closes_at - b.opens_at >= a.closes_at - a.opens_at
    assert b.review_by - b.closes_at.date() >= a.review_by - a.closes_at.date()
    for moment in (b.closes_at, b.questions_until, *(batch.closes_at for batch in b.batches)):
        assert weekday(moment.date())
    assert weekday(b.review_by)
    assert not b.batches or b.batches[-1].closes_at == b.closes_at


def test_a_year_without_working_days_still_ends() -> None:
    """A calendar that knows no working day moves nothing, instead of searching for ever."""
    old = presets.load("micro")
    new = clone(old, code="A-1", opens_at=old.timetable.opens_at + timedelta(days=7), is_workday=lambda _day: False)
    assert new.timetable.closes_at - new.timetable.opens_at == old.timetable.closes_at - old.timetable.opens_at


def test_a_clone_needs_a_code_that_can_be_one() -> None:
    """The fault is the code's."""
    with pytest.raises(RulesInvalid) as caught:
        clone(presets.load("micro"), code="第六届", opens_at=SATURDAY)
    assert [problem.key for problem in caught.value.problems] == ["code"]


def test_texts_of_the_old_year_are_found_wherever_they_stand() -> None:
    """With the key where each is repaired."""
    rules = from_data({**presets.load("micro").plain(), "summary": "2026年第三次", "legal_notes": ["无", "2026年12月31日前用完"]})
    found = dict(mentions(rules, "2026年"))
    assert set(found) >= {"summary", "legal_notes[2]"} and "legal_notes[1]" not in found


def test_a_change_can_be_put_into_a_table() -> None:
    """Where, before and after, each in words; a new element with all its keys."""
    old = presets.load("district")
    plain = old.plain()
    plain["amounts"]["cap"] = "180000.00"
    plain["categories"] += [{"code": "hospice", "name": "安宁疗护", "count": 2}]
    changes = {change.path: change for change in diff(old, from_data(plain))}
    cap = changes["amounts.cap"]
    assert (cap.names, cap.before, cap.after) == (("资助额度", "单个项目上限"), "200000 元", "180000 元")
    new = changes["categories[hospice]"]
    assert new.before == "" and "名称 安宁疗护" in new.after and "名额 2" in new.after


@pytest.mark.parametrize(
    ("change", "version"),
    [({"summary": "改一个字"}, "1.0.1"), ({"budget": None}, "1.1.0"), ({"legal_basis": "reward"}, "2.0.0")],
)
def test_the_version_number_follows_the_gravest_change(change: dict[str, Any], version: str) -> None:
    """And is then one that `version_fault` finds no fault with."""
    old = presets.load("street")
    plain = old.plain() | {key: value for key, value in change.items() if value is not None}
    if "budget" in change:
        plain["budget"]["categories"][0]["note"], plain["budget"]["quotation_over"] = "", "9000.00"
    new = from_data(plain)
    assert fitting_version(old, new) == version
    assert not version_fault(old, from_data({**new.plain(), "version": version}))


def test_the_burden_is_counted_and_grows_with_what_is_asked() -> None:
    """One more required question, one long sentence, one more file: each count moves by exactly that."""
    rules = presets.load("micro")
    before, plain = burden(rules), rules.plain()
    plain["summary"] += "。" + "长" * 90 + "。"
    plain["forms"]["application"][0]["fields"] += [{"code": "more", "label": "还有吗", "kind": "text", "max_chars": 50}]
    plain["attachments"] = [
        *plain.get("attachments", []),
        {"code": "extra", "name": "附加材料"},
        {"code": "late", "name": "合同", "phase": "contract"},
    ]
    after = burden(from_data(plain))
    assert after.questions == before.questions + 1 and after.required == before.required + 1
    assert after.most_words == before.most_words + 50
    assert after.attachments == before.attachments + 1 and after.attachments_required == before.attachments_required + 1
    assert len(after.long) == len(before.long) + 1 and after.long[0] == "长" * 90
    added = count_words("。" + "长" * 90 + "。") + count_words("还有吗") + count_words("附加材料") + count_words("合同")
    assert after.words == before.words + added
    assert after.minutes == -(-after.words // PER_MINUTE)
