"""人民币大写 against the vectors of the payment rules, an independent slow writer, and its refusals."""

from __future__ import annotations

import random
import re
from decimal import Decimal

import pytest

from grants.documents.capitals import AmountNotWritable, capitals

VECTORS = {
    "1409.50": "壹仟肆佰零玖元伍角",
    "6007.14": "陆仟零柒元壹角肆分",
    "1680.32": "壹仟陆佰捌拾元零叁角贰分",
    "107000.53": "壹拾万柒仟元零伍角叁分",
    "16409.02": "壹万陆仟肆佰零玖元零贰分",
    "325.04": "叁佰贰拾伍元零肆分",
    "150000.00": "壹拾伍万元整",
    "0.00": "零元整",
    "0.05": "伍分",
    "0.50": "伍角",
    "10.00": "壹拾元整",
    "100000000.00": "壹亿元整",
    "100050000.00": "壹亿零伍万元整",
    "100005000.00": "壹亿零伍仟元整",
    "1000000001.01": "壹拾亿零壹元零壹分",
    "120030004.00": "壹亿贰仟零叁万零肆元整",
    "999999999999.99": "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
}


@pytest.mark.parametrize(("amount", "written"), VECTORS.items())
def test_every_vector_of_the_payment_rules_is_written_as_printed_there(amount: str, written: str) -> None:
    assert capitals(Decimal(amount)) == "人民币" + written


@pytest.mark.parametrize("amount", ["150000", "150000.0", "1.5E+5", "150000.000"])
def test_the_same_amount_in_another_notation_is_written_the_same(amount: str) -> None:
    assert capitals(Decimal(amount)) == "人民币壹拾伍万元整"


@pytest.mark.parametrize(
    "amount", [Decimal("-0.01"), Decimal(1000000000000), Decimal("NaN"), Decimal("Infinity"), Decimal("0.005")]
)
def test_what_cannot_stand_on_a_voucher_is_refused(amount: Decimal) -> None:
    with pytest.raises(AmountNotWritable):
        capitals(amount)


@pytest.mark.parametrize("amount", [150000, 0.1, "150000", None])
def test_anything_but_a_decimal_is_refused(amount: object) -> None:
    with pytest.raises(AmountNotWritable, match="Decimal"):
        capitals(amount)  # type: ignore[arg-type]


def oracle(fen: int) -> str:
    """Write every digit with its unit, zeros included, then shorten by rewriting; nothing in common with the code under test."""
    names, units = "零壹贰叁肆伍陆柒捌玖", ["元", "拾", "佰", "仟", "万", "拾", "佰", "仟", "亿", "拾", "佰", "仟"]
    yuan, jiao, rest = fen // 100, fen // 10 % 10, fen % 10
    text = "".join(
        names[int(digit)] + units[place] for place, digit in zip(reversed(range(len(str(yuan)))), str(yuan), strict=True)
    )
    text = re.sub("零[拾佰仟]", "零", text)
    text = re.sub("零+", "零", text)
    text = re.sub("零([元万亿])", r"\1", text)
    text = text.replace("亿万", "亿零")
    text = re.sub("零+", "零", text).replace("零元", "元")
    if yuan == 0:
        text = ""
    if jiao == rest == 0:
        return "人民币" + (text + "整" if text else "零元整")
    bridge = "零" if text and (jiao == 0 or yuan % 10 == 0) else ""
    return "人民币" + text + bridge + (names[jiao] + "角" if jiao else "") + (names[rest] + "分" if rest else "")


def agree(fen: int) -> None:
    assert capitals(Decimal(fen) / 100) == oracle(fen), fen


def test_a_sample_of_small_amounts_agrees_with_the_slow_writer() -> None:
    for fen in (*range(20_000), *random.Random(1).sample(range(20_000, 1_000_000), 20_000)):
        agree(fen)


def test_a_sample_of_amounts_up_to_the_limit_agrees_with_the_slow_writer() -> None:
    chance = random.Random(2)
    for _ in range(20_000):
        digits = "".join(chance.choice("0005") + chance.choice("01209") for _ in range(6))
        agree(int(digits) * 100 + chance.choice([0, 5, 10, 53, 90]))


@pytest.mark.slow
def test_every_amount_below_ten_thousand_agrees_with_the_slow_writer() -> None:
    for fen in range(1_000_000):
        agree(fen)
