"""Bank statements: read as banks write them, matched only where number, account and amount agree."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.funding.statement import Expected, Line, NotAStatement, match, read

ORDERS = [Expected("YX-001-01", "6222001", Decimal("40000.00")), Expected("YX-001-011", "6222002", Decimal("10.00"))]
HEAD = "交易流水号,收款账号,金额（元）,用途\r\n"


def one(note: str, amount: str = "40000.00", account: str = "6222001", reference: str = "HD1") -> Line:
    return Line(2, reference, account, Decimal(amount), note)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_statements_are_read_in_the_usual_encodings_and_spellings(encoding: str) -> None:
    raw = (HEAD + "HD1,'6222 001,\"¥40,000.00\",YX-001-01 第1期\r\n\r\n").encode(encoding)
    assert read(raw) == [Line(2, "HD1", "6222001", Decimal("40000.00"), "YX-001-01 第1期")]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "流水号"), ("流水号,金额\r\n".encode(), "收款账号"), ((HEAD + "HD1,6,很多,x").encode(), "第 2 行的金额"),
        ((HEAD + "HD1,6,NaN,x").encode(), "第 2 行的金额"), ((HEAD + ",6,1.00,x").encode(), "没有流水号"), (b"\xff\xfe\x81", "编码|缺少列"),
    ],
)  # fmt: skip
def test_what_is_no_statement_is_refused_with_its_line(raw: bytes, why: str) -> None:
    with pytest.raises(NotAStatement, match=why):
        read(raw)


def test_a_line_pays_the_order_it_names_and_no_longer_number() -> None:
    found = match([one("付 YX-001-01 第1期"), one("YX-001-011", "10.00", "6222002", "HD2"), one("房租", reference="HD3")], ORDERS)
    assert found.references == {"YX-001-01": "HD1", "YX-001-011": "HD2"}
    assert [line.reference for line in found.others] == ["HD3"]
    assert not found.contradicted


@pytest.mark.parametrize(("amount", "account", "why"), [("39999.99", "6222001", "金额"), ("40000.00", "6222002", "账号")])
def test_a_line_that_disagrees_pays_nothing(amount: str, account: str, why: str) -> None:
    found = match([one("YX-001-01", amount, account)], ORDERS)
    assert not found.references
    assert why in found.contradicted[0][2]


def test_two_payments_of_one_order_are_an_alarm() -> None:
    found = match([one("YX-001-01"), one("YX-001-01", reference="HD9")], ORDERS)
    assert found.references == {"YX-001-01": "HD1"}
    assert "重复付款" in found.contradicted[0][2]


@given(st.lists(st.tuples(st.sampled_from(["YX-001-01", "YX-001-011", "x", ""]), st.sampled_from(["40000.00", "10.00"])), max_size=8))
def test_every_line_ends_in_exactly_one_heap(rows: list[tuple[str, str]]) -> None:
    lines = [Line(i, f"HD{i}", "6222001", Decimal(amount), note) for i, (note, amount) in enumerate(rows, start=2)]
    found = match(lines, ORDERS)
    heaps = [*found.references.values(), *(line.reference for line, _k, _w in found.contradicted), *(line.reference for line in found.others)]
    assert sorted(heaps) == sorted(line.reference for line in lines)
