"""居民身份证: check digit and date; masking never shows more than it says."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.people import identity

VECTOR = "11010519491231002X"


def make(division: str, born: date, sequence: int) -> str:
    first = f"{division}{born:%Y%m%d}{sequence:03d}"
    return first + identity.check_character(first)


def test_the_vector_of_the_standard_passes_and_is_read() -> None:
    person = identity.parse(VECTOR)
    assert (person.division, person.born, person.is_male) == ("110105", date(1949, 12, 31), False)
    assert (person.age_on(date(2026, 12, 30)), person.age_on(date(2026, 12, 31))) == (76, 77)


def test_the_weights_are_those_of_gb_11643() -> None:
    assert identity._WEIGHTS == (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@given(st.integers(100000, 999999), st.dates(date(1900, 1, 1), date(2026, 12, 31)), st.integers(0, 999))
def test_made_numbers_pass_and_no_changed_digit_does(division: int, born: date, sequence: int) -> None:
    number = make(str(division), born, sequence)
    assert identity.parse(number).born == born
    for at in range(17):
        changed = number[:at] + str((int(number[at]) + 1) % 10) + number[at + 1 :]
        assert not identity.is_valid(changed)


@pytest.mark.parametrize(
    ("typed", "rule"),
    [
        ("1101051949123100", "length"), ("1101051949123100211", "length"), ("11010519490231002X", "birth"),
        ("110105194912310021", "check"), ("1101A519491231002X", "alphabet"), ("11010519491231002Y", "alphabet"),
        ("110105189912310025", "birth"),
    ],
)  # fmt: skip
def test_each_mistake_is_refused_without_repeating_the_number(typed: str, rule: str) -> None:
    with pytest.raises(identity.IdentityError) as refusal:
        identity.parse(typed)
    assert refusal.value.rule == rule
    assert typed not in refusal.value.sentence


def test_nobody_is_born_after_the_day_asked_about() -> None:
    number = make("110105", date(2026, 3, 1), 1)
    assert identity.parse(number, on=date(2026, 3, 1)).born == date(2026, 3, 1)
    with pytest.raises(identity.IdentityError):
        identity.parse(number, on=date(2026, 2, 28))


def test_full_width_lower_case_and_spaces_are_read() -> None:
    assert identity.parse("\uff11\uff110105 19491231 002\uff58").text == VECTOR


def test_a_traceback_shows_no_identity() -> None:
    assert "19491231" not in repr(identity.parse(VECTOR))


@pytest.mark.parametrize(
    ("masked", "expected"),
    [
        (identity.mask_name("张三"), "张*"), (identity.mask_name("欧阳修远"), "欧*"), (identity.mask_name(" "), ""),
        (identity.mask_phone("13812345678"), "138****5678"), (identity.mask_phone("+86 138-1234-5678"), "138****5678"),
        (identity.mask_phone("0592-2345678"), "059****78"), (identity.mask_phone("12345"), "*****"),
        (identity.mask_id(VECTOR), "110***********002X"), (identity.mask_id("123"), "***"),
        (identity.mask_bank("6222 0212 3456 7890 123"), "**** 0123"), (identity.mask_bank("123"), "****"),
        (identity.mask_email("zhang@example.org"), "z***@example.org"),
    ],
)  # fmt: skip
def test_masks(masked: str, expected: str) -> None:
    assert masked == expected
