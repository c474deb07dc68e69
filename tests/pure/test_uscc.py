"""统一社会信用代码: the vectors of the standard, every single-character mistake, the remainder that naive code gets wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.people import uscc

DEMO = [
    "51999901MJ9000014E", "52999901MJ90000226", "52999901MJ90000301", "53999901MJ9000049T", "52999901MJ9000057Q",
    "51999901MJ9000065N", "11999901MB90000157",
]  # fmt: skip
REAL = ["91350100M000100Y43", "9144030071526726XG", "91330100799655058B"]
"""The first is printed in GB 32100-2015; the others are public records of large companies."""

heads = st.tuples(
    st.sampled_from(["11", "12", "51", "52", "53", "91", "N1", "Y1"]),
    st.text("0123456789", min_size=6, max_size=6),
    st.text("".join(uscc.ALPHABET), min_size=8, max_size=8),
).map("".join)


def complete(head: str) -> str:
    first = head + uscc.organisation_check(head[8:16])
    return first + uscc.check_character(first)


@pytest.mark.parametrize("code", DEMO + REAL)
def test_published_codes_pass(code: str) -> None:
    assert uscc.parse(code).text == code


def test_the_parts_of_a_code_are_named() -> None:
    code = uscc.parse("52999901MJ90000226")
    assert (code.department, code.entity_class, code.division, code.organisation) == ("5", "2", "999901", "MJ9000022")
    assert (code.department_name, code.class_name, code.is_social_organisation) == ("民政", "民办非企业单位", True)
    assert not uscc.parse("11999901MB90000157").is_social_organisation


def test_a_remainder_of_zero_ends_in_zero_not_past_the_alphabet() -> None:
    """The outer mod 31: published snippets run off the alphabet here or refuse a good code."""
    found = [c for n in range(2000) if (c := complete(f"52999901{n:08d}")).endswith("0")]
    assert len(found) > 30
    assert all(uscc.is_valid(c) for c in found)


@given(heads)
def test_every_completed_code_passes_and_no_changed_character_does(head: str) -> None:
    code = complete(head)
    assert uscc.parse(code).text == code
    for at in range(18):
        other = next(c for c in uscc.ALPHABET if c != code[at])
        assert not uscc.is_valid(code[:at] + other + code[at + 1 :])


@pytest.mark.parametrize("at", range(18))
def test_each_wrong_character_of_one_position_is_caught(at: int) -> None:
    code = DEMO[0]
    assert not any(uscc.is_valid(code[:at] + c + code[at + 1 :]) for c in uscc.ALPHABET if c != code[at])


@given(heads, st.integers(0, 16))
def test_two_neighbours_exchanged_are_caught(head: str, at: int) -> None:
    code = complete(head)
    if code[at] != code[at + 1]:
        assert not uscc.is_valid(code[:at] + code[at + 1] + code[at] + code[at + 2 :])


@pytest.mark.parametrize(
    ("typed", "error", "words"),
    [
        ("51999901MJ9000014", uscc.WrongLength, "现为 17 位"),
        ("", uscc.WrongLength, "现为 0 位"),
        (
            "5199990IMJ9000014E",
            uscc.WrongCharacter,
            "第 8 位“I”不是允许的字符（只用数字和除 I、O、S、V、Z 以外的大写字母），是否应为“1”？",
        ),
        ("51999901MJ9000014é", uscc.WrongCharacter, "第 18 位"),
        ("51999901MJ9000014F", uscc.WrongCheckCharacter, "第 18 位应为“E”，现为“F”"),
    ],
)
def test_each_mistake_is_refused_by_name(typed: str, error: type[uscc.CreditCodeError], words: str) -> None:
    with pytest.raises(error) as refusal:
        uscc.parse(typed)
    assert words in refusal.value.sentence


def test_a_wrong_organisation_code_inside_a_matching_whole_is_refused() -> None:
    first = "51999901MJ9000015"
    with pytest.raises(uscc.WrongOrganisationCode) as refusal:
        uscc.parse(first + uscc.check_character(first))
    assert "第 17 位应为“4”，现为“5”" in refusal.value.sentence


@pytest.mark.parametrize(
    "typed", [" 51999901mj9000014e ", "51999901-MJ9000014-E", "\uff15\uff11999901MJ9000014\uff25", "5199 9901 MJ90 0001 4E\u200b"]
)
def test_what_was_typed_is_read_as_meant(typed: str) -> None:
    assert uscc.parse(typed).text == "51999901MJ9000014E"


def test_the_weights_are_powers_of_three_and_the_organisation_weights_those_of_gb_11714() -> None:
    assert uscc._WEIGHTS == (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    assert (uscc.organisation_check("71526726"), uscc.organisation_check("M000100Y")) == ("X", "4")


plain = st.text(st.sampled_from("合作单位（） ，：13890AZ电话-\n"), max_size=30)


@given(heads, plain, plain, st.sampled_from(["", " ", " - ", "　", "\u200b"]))
def test_a_code_is_found_between_any_other_text(head: str, before: str, after: str, gap: str) -> None:
    code = complete(head)
    assert code in set(uscc.found_in(before + gap.join(code.lower()) + after))


@given(st.text(max_size=60))
def test_whatever_is_found_in_a_text_is_a_valid_code(text: str) -> None:
    assert all(uscc.is_valid(code) for code in uscc.found_in(text))


def test_nothing_is_found_where_a_character_is_missing_or_wrong() -> None:
    assert list(uscc.found_in("代码 51999901MJ9000014，51999901MJ9000014F，11010519491231002X")) == []
