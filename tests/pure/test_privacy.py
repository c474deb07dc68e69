"""公示脱敏: no personal number gets out in any usual writing, and nothing harmless is held back."""

from __future__ import annotations

import hashlib
import uuid
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.people import identity, uscc
from grants.people.privacy import FieldNotPublic, leaks, masked, publishable

D = Decimal


def kinds(text: object, **more: object) -> list[str]:
    return [leak.kind for leak in leaks({"说明": text}, **more)]  # type: ignore[arg-type]


FULL_WIDTH = {ord(c): ord(c) + 0xFEE0 for c in "0123456789X-"}


@pytest.mark.parametrize(
    "text",
    [
        "11010519491231002X", "11010519491231002x", "身份证号：11010519491231002X，", "ID11010519491231002X", "110105 19491231 002X",
        "110105-19491231-002X", "1101 0519 4912 3100 2X", "1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X", "110105\u200b19491231\u200b002X",
        "11010519491231002X".translate(FULL_WIDTH), "110105 1949 12 31 002X", "110105491231002", "110105 491231 002",
    ],
)  # fmt: skip
def test_identity_numbers_are_found_however_written(text: str) -> None:
    assert kinds(text) == ["id"]


@pytest.mark.parametrize(
    "text",
    [
        "13812345678", "联系人电话13812345678。", "138 1234 5678", "138-1234-5678", "138.1234.5678", "+8613812345678", "+86 138 1234 5678",
        "86-13812345678", "008613812345678", "tel13812345678", "138 123 45678", "1 3 8 1 2 3 4 5 6 7 8", "13812345678".translate(FULL_WIDTH),
        "138\u200b12345678", "138–1234–5678", 13812345678, "¥13812345678", "（微信同号）19912345678",
    ],
)  # fmt: skip
def test_mobile_numbers_are_found_however_written(text: object) -> None:
    assert kinds(text) == ["mobile"]


@pytest.mark.parametrize(
    "text",
    [
        "0592-2345678",
        "0592 2345678",
        "(010)62345678",
        "010-6234-5678",
        "02162345678",
        "(0592)2345678",
        "+86-592-2345678",
        "+86 10 62345678",
    ],
)
def test_landline_numbers_are_found(text: str) -> None:
    assert kinds(text) == ["landline"]


@pytest.mark.parametrize(
    "text",
    [
        "6222021234567890128", "6222 0212 3456 7890 128", "6222-0212-3456-7890-128", "4111111111111111", "4111 1111 1111 1111",
        "卡号6222021234567890128", "6222021234567890128".translate(FULL_WIDTH), "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "378282246310005",
    ],
)  # fmt: skip
def test_bank_cards_are_found(text: str) -> None:
    assert kinds(text) == ["bank"]


def test_a_number_that_fails_luhn_is_no_card() -> None:
    assert kinds("6222021234567890127") == []
    assert kinds("4111111111111112") == []


@pytest.mark.parametrize("text", ["zhang@example.org", "联系zhang.san+x@mail.example.com.cn谢谢", "zhang\uff20example.org"])
def test_mail_addresses_are_found(text: str) -> None:
    assert kinds(text) == ["email"]


HARMLESS: list[object] = [
    "云民创投〔2026〕12号", "GYCT-2026-JD01-0012", "YX-2026-01", "项目编号 YX-2026-02-0037", "¥150,000.00", "人民币壹拾伍万元整", "150000.00元",
    "1,380,123.45", "¥2,700,000", "2026-03-01 至 2026-12-31", "2026年3月1日 17:00", "2026-03-01T17:00:00+08:00", "20260301", "2026.03.01-2026.12.31",
    "受益人数 1380 人，13812 人次", "得分 86.50，第 3 名", "51999901MJ9000014E", "9144030071526726XG", "11999901MB90000157", "张*", "138****5678",
    "110***********002X", "**** 0128", "邮编 361000", "999901", "999901002003", "12345 热线", "第 1 期 100,000.00 元；第 2 期 60,000.00 元",
    D("13812345678.00"), D("13812345678"), date(2026, 3, 1), True, None, 150000, 2026,
    "deadbeef13812345678cafe" * 2 + "0123456789abcdefab", "0189d3f2-1381-7345-8678-013812345678",
    hashlib.sha256(b"13812345678").hexdigest(), str(uuid.UUID(int=13812345678)),
    "100,000.00 200,000.00 300,000.00 400,000.00", "2026 03 01 2026 12 31", "10:00-11:30", "每周二、四 14:00-16:00，共 40 次 1200 小时",
]  # fmt: skip


@pytest.mark.parametrize("text", HARMLESS, ids=str)
def test_harmless_figures_pass(text: object) -> None:
    assert kinds(text) == []


@given(st.integers(0, 999999), st.text(uscc.ALPHABET, min_size=8, max_size=8), st.sampled_from(["51", "52", "53", "91", "11"]))
def test_credit_codes_are_not_taken_for_personal_numbers(division: int, body: str, head: str) -> None:
    first = f"{head}{division:06d}{body}{uscc.organisation_check(body)}"
    code = first + uscc.check_character(first)
    if not identity.is_valid(code):
        assert kinds(f"统一社会信用代码：{code}") == []
    assert kinds(code, known=[code]) == []


@given(st.integers(0, 10**12))
def test_amounts_are_not_taken_for_personal_numbers(fens: int) -> None:
    amount = D(fens).scaleb(-2)
    assert kinds(f"资助金额 ¥{amount:,.2f}（大写另附）") == []


def id_number(division: int, born: date, sequence: int) -> str:
    first = f"{division}{born:%Y%m%d}{sequence:03d}"
    return first + identity.check_character(first)


ids = st.builds(id_number, st.integers(110000, 659999), st.dates(date(1900, 1, 1), date(2026, 1, 1)), st.integers(0, 999))
mobiles = st.builds("1{}{:09d}".format, st.integers(3, 9), st.integers(0, 10**9 - 1))
chinese = st.text("甲乙丙丁，。：；（）电话号码身份证 ", max_size=12)


@given(st.one_of(ids, mobiles), chinese, chinese, st.sampled_from(["", " ", "-"]), st.booleans())
def test_any_identity_or_mobile_number_inside_chinese_text_is_found(
    number: str, before: str, after: str, sep: str, wide: bool
) -> None:
    cuts = (6, 14) if len(number) == 18 else (3, 7)
    written = sep.join([number[: cuts[0]], number[cuts[0] : cuts[1]], number[cuts[1] :]])
    text = f"{before}{written.translate(FULL_WIDTH) if wide else written}{after}"
    assert kinds(text) == ["id" if len(number) == 18 else "mobile"]


def test_the_leak_names_the_field_and_shows_the_number_masked() -> None:
    found = leaks({"projects": [{"summary": "无"}, {"summary": "负责人手机13812345678"}]})
    assert [(x.field, x.kind, x.sample) for x in found] == [("projects.2.summary", "mobile", "138****5678")]
    assert "projects.2.summary" in found[0].sentence
    assert "13812345678" not in found[0].sentence


def test_names_of_fields_are_read_too_and_several_leaks_are_all_told() -> None:
    assert [x.kind for x in leaks({"a": {"13812345678": "x"}})] == ["mobile"]
    assert kinds("13812345678 13912345678 13812345678 zhang@example.org") == ["email", "mobile", "mobile"]


def test_known_public_numbers_may_stand_but_only_exactly() -> None:
    assert kinds("咨询电话 0592-2345678", known=["0592-2345678"]) == []
    assert kinds("咨询电话 0592-2345679", known=["0592-2345678"]) == ["landline"]
    assert kinds("x", known=[""]) == []


def test_only_named_fields_are_published_in_the_order_of_the_list() -> None:
    assert list(publishable({"amount": 1, "project": "x"}, ["project", "organisation", "amount"])) == ["project", "amount"]
    with pytest.raises(FieldNotPublic) as refusal:
        publishable({"project": "x", "legal_representative": "张三"}, ["project", "amount"])
    assert refusal.value.field == "legal_representative"
    assert "张三" not in refusal.value.sentence


def test_masking_takes_numbers_out_and_leaves_every_other_text_as_it_is() -> None:
    assert masked("热线13800138000助老") == "热线138****8000助老"
    assert "4111111111111111" not in masked("卡4111 1111 1111 1111")
    assert masked("全角，“引号”——与 YX-2026-01 原样") == "全角，“引号”——与 YX-2026-01 原样"
