"""The form engine: what is missing, too long, of the wrong kind or unknown is named; nothing is ever shortened."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.calls.rulebook import presets
from grants.calls.rulebook.form import FieldProblem, default_answers, missing_declarations, normalise, validate
from grants.calls.rulebook.parts.form import Column, FieldKind, FormField, Section
from grants.calls.rulebook.words import count_words

K = FieldKind


def form(kind: FieldKind, **more: Any) -> tuple[Section, ...]:
    return (Section(code="s", title="一", fields=(FormField(code="f", label="问题", kind=kind, **more),)),)


def check(sections: tuple[Section, ...], value: Any, *, final: bool = True) -> list[FieldProblem]:
    return validate(sections, {"s": {"f": value}}, final=final)


TABLE = form(
    K.TABLE,
    min_rows=1,
    max_rows=2,
    columns=(Column(code="name", label="名称"), Column(code="cost", label="金额", kind=K.MONEY, required=False)),
)
PICK = {"options": ("甲", "乙")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("社区服务", 4),
        ("为老服务,共3场。", 9),
        ("Hello, world", 2),
        ("社工 Anna 3 次", 5),
        ("don’t stop", 2),
        ("“引号”……", 6),
        ("全角ＡＢＣ", 5),
        ("a" * 31, 2),
        ("𠮷野家", 3),
        ("\n \u3000", 0),
    ],
)
def test_words_are_counted_as_word_counts_them(text: str, words: int) -> None:
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("sections", "value"),
    [
        (form(K.TEXT), "名称"),
        (form(K.LONGTEXT), "不设上限" * 5000),
        (form(K.LONGTEXT, max_chars=4), "正好四字"),
        (form(K.NUMBER, minimum=1, maximum=3), "3"),
        (form(K.NUMBER), "1,234"),
        (form(K.MONEY), "200000.00"),
        (form(K.MONEY), "12,000"),
        (form(K.DATE), "2026-03-30"),
        (form(K.CHOICE, **PICK), "甲"),
        (form(K.MULTICHOICE, **PICK), ["甲", "乙"]),
        (form(K.YESNO), False),
        (form(K.FILE), "f" * 64),
        (TABLE, [{"name": "物资", "cost": "10.00"}, {"name": "", "cost": ""}]),
    ],
)
def test_a_right_answer_is_accepted(sections: tuple[Section, ...], value: Any) -> None:
    assert check(sections, value) == []


@pytest.mark.parametrize(
    ("sections", "value", "words"),
    [
        (form(K.TEXT), ["x"], "应为文字"),
        (form(K.LONGTEXT, max_chars=4), "多出来一字", "限 4 字，现为 5 字，请删减 1 字"),
        (form(K.TEXT, max_chars=200), "字" * 201, "限 200 字"),
        (form(K.LONGTEXT), "字" * 100_001, "改为附件"),
        (form(K.NUMBER), "三", "应为数字"),
        (form(K.NUMBER), 1.5, "应为数字"),
        (form(K.NUMBER), "NaN", "应为数字"),
        (form(K.NUMBER, minimum=1), "0", "不能小于 1"),
        (form(K.NUMBER, maximum=100), "100.01", "不能大于 100"),
        (form(K.MONEY), "1.005", "应为金额"),
        (form(K.MONEY), "-1", "不能为负数"),
        (form(K.MONEY), "1e999999", "超出"),
        (form(K.MONEY), 0.1, "应为金额"),
        (form(K.DATE), "2026-02-30", "应为日期"),
        (form(K.DATE), 20260330, "应为日期"),
        (form(K.CHOICE, **PICK), "丙", "甲、乙"),
        (form(K.CHOICE, **PICK), ["甲"], "甲、乙"),
        (form(K.MULTICHOICE, **PICK), "甲", "应为多选"),
        (form(K.MULTICHOICE, **PICK), ["丙"], "没有选项“丙”"),
        (form(K.MULTICHOICE, **PICK), ["甲", "甲"], "重复"),
        (form(K.YESNO), "是", "请选择是或否"),
        (form(K.FILE), {"name": "x"}, "请上传文件"),
        (TABLE, "x", "应为表格"),
        (TABLE, [["x"]], "应为表格"),
        (TABLE, [{"name": "一"}] * 3, "最多 2 行"),
        (TABLE, [{"name": "一", "cost": "x"}], "第 1 行“金额”应为金额"),
        (TABLE, [{"name": "", "cost": "1"}], "第 1 行请填写“名称”"),
        (TABLE, [{"name": "一", "colour": "x"}], "没有“colour”这一列"),
    ],
)
def test_a_wrong_answer_is_named_in_a_sentence(sections: tuple[Section, ...], value: Any, words: str) -> None:
    found = check(sections, value)
    assert [problem.section for problem in found] == ["s"]
    assert words in found[0].message


@pytest.mark.parametrize("blank", ["", "  \u3000", None, [], [{}], [{"name": " "}]])
def test_a_blank_is_refused_only_at_the_end_and_only_when_required(blank: Any) -> None:
    assert [problem.message for problem in check(TABLE, blank)] == ["请填写“问题”"]
    assert check(TABLE, blank, final=False) == []
    assert check(form(K.TABLE, required=False, columns=(Column(code="name", label="名称"),)), blank) == []


def test_a_draft_may_have_blanks_but_nothing_wrong() -> None:
    assert check(form(K.MONEY), "abc", final=False)
    assert check(TABLE, [{"name": "", "cost": "1"}], final=False) == []


def test_a_table_problem_names_row_and_column_and_blank_rows_do_not_count() -> None:
    found = check(TABLE, [{"name": ""}, {"name": "一", "cost": "x"}])
    assert [(problem.row, problem.column) for problem in found] == [(2, "cost")]


@pytest.mark.parametrize("answers", [{"z": {}}, {"s": {"z": 1}}, {"s": "x"}])
def test_what_the_form_does_not_ask_is_refused(answers: dict[str, Any]) -> None:
    assert validate(form(K.TEXT, required=False), answers, final=False)


def test_normalising_tidies_numbers_and_leaves_text_whole() -> None:
    sections = (
        Section(
            code="s",
            title="一",
            fields=(
                FormField(code="n", label="数", kind=K.NUMBER),
                FormField(code="t", label="文", kind=K.LONGTEXT, max_chars=1),
            ),
        ),
    )
    given_ = {"s": {"n": " １，２３４ ", "t": "  很长，很长的  话  "}}
    assert normalise(sections, given_) == {"s": {"n": "1234", "t": "很长，很长的  话"}}


@pytest.mark.parametrize("name", presets.NAMES)
def test_an_empty_sheet_is_a_valid_draft_and_an_incomplete_bid(name: str) -> None:
    sections = presets.load(name).forms.application
    assert validate(sections, default_answers(sections), final=False) == []
    asked = sum(field.required for section in sections for field in section.fields)
    assert len(validate(sections, default_answers(sections), final=True)) == asked


def test_declarations_not_accepted_are_listed_in_words() -> None:
    declarations = presets.load("micro").forms.declarations
    assert missing_declarations(declarations, ["true_material"]) == ["本小组成员自愿参加,不领取工资。"]
    assert missing_declarations(declarations, [each.code for each in declarations]) == []


@given(st.text(max_size=400))
def test_an_answer_is_refused_exactly_when_word_counts_more_than_the_limit(text: str) -> None:
    found = check(form(K.LONGTEXT, max_chars=50, required=False), text)
    assert bool(found) == (count_words(text.strip()) > 50)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "cost", "x"]), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(list(FieldKind)), JSON, st.booleans())
def test_no_answer_whatever_its_shape_breaks_the_engine(kind: FieldKind, value: Any, final: bool) -> None:
    sections = form(
        kind, options=("甲", "乙"), columns=(Column(code="name", label="名称"), Column(code="cost", label="金额", kind=K.MONEY))
    )
    first = check(sections, value, final=final)
    again = validate(sections, normalise(sections, {"s": {"f": value}}), final=final)
    assert first == again
