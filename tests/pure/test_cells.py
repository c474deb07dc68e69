"""A table taken home: nothing in it runs, no code becomes a number, no fen is lost, and text comes back as it was."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.web.cells import DANGEROUS, Column, Totals, csv_cell, dangerous, guarded, look_up, plain, unguarded

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
FORMULAS = st.builds(
    lambda pad, head, rest: pad + head + rest, st.sampled_from(["", " ", "\u3000", "\ufeff"]), st.sampled_from(DANGEROUS), TEXT
)
MONEY = st.decimals(min_value=-(10**12), max_value=10**12, places=2, allow_nan=False, allow_infinity=False)


@given(TEXT | FORMULAS)
def test_no_text_can_begin_like_a_formula(text: str) -> None:
    cell = csv_cell(text, "text")
    assert not dangerous(cell)
    assert cell[:1] not in tuple(DANGEROUS)


@given(TEXT | FORMULAS, st.sampled_from(["text", "code"]))
def test_guarded_text_comes_back_as_it_was(text: str, kind: str) -> None:
    assert unguarded(guarded(text, kind)) == text


@given(st.from_regex(r"[0-9]{12,20}", fullmatch=True))
def test_a_long_code_is_never_a_number_whatever_its_column_says(code: str) -> None:
    for kind in ("text", "code"):
        with pytest.raises(ValueError, match="convert"):
            float(csv_cell(code, kind))


@pytest.mark.parametrize("code", ["91320100MA1XXXXX0X", "1E5", "007", "2026-03", "1/2", "310101199001011234", "12%"])
def test_a_code_that_a_spreadsheet_would_recalculate_is_marked_as_text(code: str) -> None:
    expected = code if code.startswith("9132") else "'" + code
    assert csv_cell(code, "code") == expected


@pytest.mark.parametrize("text", ["13812345678", "2026 年第 1 批", "三成", "a=b", "5-1", ""])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert csv_cell(text, "text") == text


@given(MONEY)
def test_money_has_two_places_and_its_exact_value(amount: Decimal) -> None:
    cell = csv_cell(amount, "money")
    assert Decimal(cell) == amount
    assert cell[-3] == "."
    assert "E" not in cell


@pytest.mark.parametrize("bad", [0.1, True, "100", float("nan")])
def test_what_is_no_exact_number_is_refused_loudly(bad: object) -> None:
    with pytest.raises(TypeError):
        csv_cell(bad, "money")


@pytest.mark.parametrize("bad", [Decimal("0.001"), Decimal("NaN"), Decimal("Infinity")])
def test_an_amount_is_never_rounded(bad: Decimal) -> None:
    with pytest.raises(ValueError, match=r"fen|finite"):
        csv_cell(bad, "money")


def test_times_are_beijing_times_and_naive_ones_are_refused() -> None:
    assert csv_cell(dt.datetime(2026, 9, 30, 9, 0, 5, 7, tzinfo=dt.UTC), "datetime") == "2026-09-30 17:00:05"
    assert csv_cell(dt.datetime(2026, 9, 30, 20, tzinfo=dt.UTC), "date") == "2026-10-01"
    assert csv_cell(dt.date(2026, 9, 30), "date") == "2026-09-30"
    with pytest.raises(ValueError, match="without zone"):
        csv_cell(dt.datetime(2026, 9, 30), "datetime")


@given(TEXT)
def test_no_control_character_survives_and_line_ends_are_one(text: str) -> None:
    left = plain(text)
    assert not ({chr(code) for code in range(32)} - {"\t", "\n", "\r"}) & set(left)
    assert "\r\n" not in left


class Row:
    def __init__(self, name: str, amount: Decimal | None) -> None:
        self.name, self.amount, self.facts = name, amount, {"rank": 3}

    def shown(self) -> str:
        return f"《{self.name}》"


COLUMNS = [Column("名称", "name"), Column("金额", "amount", "money"), Column("名次", "facts.rank", "number")]


def test_a_path_follows_attributes_mappings_and_methods_and_a_wrong_one_is_loud() -> None:
    row = Row("甲", Decimal(1))
    assert look_up(row, "facts.rank") == 3
    assert look_up(row, "shown") == "《甲》"
    assert look_up(Row("乙", None), "amount.real") is None
    for wrong in ("nmae", "facts.rnak"):
        with pytest.raises((AttributeError, KeyError)):
            look_up(row, wrong)


@given(st.lists(MONEY | st.none(), max_size=30))
def test_the_closing_line_counts_the_rows_and_adds_the_amounts_up(amounts: list[Decimal | None]) -> None:
    totals = Totals(COLUMNS, ["amount"])
    rows = list(totals.passing(Row("行", amount) for amount in amounts))
    assert len(rows) == totals.count == len(amounts)
    assert totals.closing("合计") == ["合计", sum(filter(None, amounts), Decimal(0)), None]
    assert totals.closing_kinds() == ["text", "money", "text"]


def test_the_closing_sentence_finds_room_beside_totals() -> None:
    only = Totals([Column("金额", "amount", "money")], ["amount"])
    assert only.closing("共 0 行") == [Decimal(0), "共 0 行"]
    assert only.closing_kinds() == ["money", "text"]


@pytest.mark.parametrize("name", ["name", "nothing"])
def test_only_columns_of_numbers_have_totals(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Totals(COLUMNS, [name])


def test_a_column_made_by_a_function_needs_a_name() -> None:
    with pytest.raises(TypeError):
        Column("名称", lambda row: row)
