"""Pasting from a spreadsheet: headings in any order, Chinese figures, sums left out, and everything unread named by line and column."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.pasting import Column, number, read

COLUMNS = (
    Column("category", ("费用类别", "类别", "科目"), {"活动费": "activity", "人员费": "staff"}),
    Column("name", ("用途", "项目", "内容")),
    Column("source", ("资金来源", "来源"), {"申请资助": "grant", "配套资金": "match_cash"}),
    Column("unit_price", ("单价（元）", "单价"), number=True),
    Column("quantity", ("数量",), number=True),
    Column("note", ("测算说明", "备注")),
)


def test_headings_in_any_order_fill_the_right_columns() -> None:
    pasted = read("数量\t单价(元)\t用途\t类别\t来源\n１２\t1,200.50\t入户探访\t活动费\t申请资助\n", COLUMNS, priced=True)
    assert pasted.rows == (
        {"quantity": "１２", "unit_price": "1,200.50", "name": "入户探访", "category": "activity", "source": "grant"},
    )
    assert pasted.unread == ()


def test_without_headings_the_columns_are_taken_in_the_page_s_order() -> None:
    pasted = read("人员费\t督导补贴\t申请资助\t￥３００\t4\t每月一次", COLUMNS, priced=True)
    assert pasted.rows[0] == {
        "category": "staff", "name": "督导补贴", "source": "grant", "unit_price": "￥３００", "quantity": "4", "note": "每月一次",
    }  # fmt: skip


def test_what_cannot_be_read_is_named_by_line_and_column_and_kept_where_possible() -> None:
    pasted = read("序号\t科目\t内容\t单价\t经办人\n1\t杂费\t茶歇\t约一百\t张某\n", COLUMNS, priced=True)
    assert pasted.rows == ({"category": "", "name": "茶歇", "unit_price": "约一百"},)
    assert pasted.unread == (
        "没有用到这些列：经办人。",
        "第 2 行：费用类别“杂费”不在选项中，请在表里选择。",
        "第 2 行：单价（元）“约一百”不是数字，请更正。",
    )


def test_a_sum_is_not_a_row() -> None:
    pasted = read("类别\t用途\t单价\n活动费\t探访\t100\n\t合计\t100\n", COLUMNS, priced=True)
    assert len(pasted.rows) == 1
    assert pasted.unread == ("第 3 行是合计，没有填入；合计由系统计算。",)


def test_an_amount_stands_in_for_a_missing_price_and_is_compared_with_one_that_is_there() -> None:
    alone = read("用途\t金额（元）\n探访\t2,400\n", COLUMNS, priced=True)
    assert alone.rows == ({"name": "探访", "unit_price": "2,400", "quantity": "1"},)
    both = read("用途\t单价\t数量\t金额\n探访\t100\t3\t310\n", COLUMNS, priced=True)
    assert both.rows == ({"name": "探访", "unit_price": "100", "quantity": "3"},)
    assert both.unread == ("第 2 行：表中金额 310.00，按单价×数量是 300.00，请核对。",)


def test_a_cell_with_a_line_break_stays_one_cell() -> None:
    assert read('用途\t备注\n"入户\n探访"\t好\n', COLUMNS).rows == ({"name": "入户 探访", "note": "好"},)


@pytest.mark.parametrize("text", ["", "\n\n", "\t\t\n", "类别\t用途\n"])
def test_nothing_readable_says_what_to_do(text: str) -> None:
    pasted = read(text, COLUMNS)
    assert pasted.rows == ()
    assert "请在 Excel 里选中整块单元格" in pasted.unread[-1]


def test_more_rows_than_a_table_holds_are_left_out_and_told() -> None:
    pasted = read("\n".join(f"活动费\t第{i}项" for i in range(201)), COLUMNS)
    assert len(pasted.rows) == 200
    assert "200" in pasted.unread[-1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,200.50", "1200.50"),
        ("￥１，２００．５０元", "1200.50"),
        ("¥ 3", "3"),
        ("12 000", "12000"),
        ("约3", None),
        ("1e3", None),
        ("", None),
    ],
)
def test_figures_as_people_write_them(text: str, value: str | None) -> None:
    assert number(text) == (None if value is None else Decimal(value))


@given(st.text())
def test_whatever_is_pasted_is_read_or_told(text: str) -> None:
    pasted = read(text, COLUMNS, priced=True)
    assert pasted.rows or pasted.unread
    assert all(isinstance(value, str) for row in pasted.rows for value in row.values())
