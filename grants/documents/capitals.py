"""人民币大写： an amount in the characters that cannot be altered with a pen stroke. Pure.

Source: 支付结算办法附一《正确填写票据和结算凭证的基本规定》 (People's Bank of China, 1997).
"""

from __future__ import annotations

from decimal import Decimal

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
MYRIADS = ("", "万", "亿")
LIMIT = Decimal("1000000000000.00")  # 9999亿9999万9999元玖角玖分 is the largest amount that is written


class AmountNotWritable(ValueError):
    """The amount cannot stand on a contract or voucher: not a Decimal, negative, parts of a fen, or 1万亿元 and more."""


def capitals(amount: Decimal) -> str:
    """The amount （元， two places at most) as 「人民币…元整」.

    A negative amount is refused, not prefixed with 负： no contract, receipt or payment order carries one; a refund is an
    amount of its own. Where the rule leaves a choice this follows the first form of its examples: 整 is written after 元
    only; 零 stands for zeros inside a number, also before 角 when the 元 digit is 0 and 元 digits exist
    (107000.53 → 壹拾万柒仟元零伍角叁分， 1680.32 → 壹仟陆佰捌拾元零叁角贰分）.
    Raises AmountNotWritable.
    """
    fen = _whole_fen(amount)
    yuan, rest = divmod(fen, 100)
    return "人民币" + (_yuan(yuan) + _below_yuan(yuan, *divmod(rest, 10)) or "零元整")


def _whole_fen(amount: Decimal) -> int:
    if not isinstance(amount, Decimal) or not amount.is_finite():
        raise AmountNotWritable(f"金额须为 Decimal 元，收到 {amount!r}")
    if not 0 <= amount < LIMIT:
        raise AmountNotWritable(f"金额 {amount} 不能写成大写：须在 0 元与 1 万亿元之间，退款请另立正数金额")
    fen = amount * 100
    if fen != fen.to_integral_value():
        raise AmountNotWritable(f"金额 {amount} 精确到分以下，请先按四舍五入取两位小数")
    return int(fen)


def _yuan(yuan: int) -> str:
    """The part up to 元， or nothing for amounts below one 元."""
    if not yuan:
        return ""
    groups = [yuan // 10_000**place % 10_000 for place in range(len(MYRIADS))]
    written = ""
    for place in reversed(range(len(MYRIADS))):
        group = groups[place]
        if written and group and (group < 1_000 or _ends_open(groups, place)):
            written += DIGITS[0]
        written += _group(group) + MYRIADS[place] if group else ""
    return written + "元"


def _ends_open(groups: list[int], place: int) -> bool:
    """Whether a whole group of four above this one is empty, so that 零 must stand for it (1,0000,5000 → 壹亿零伍仟）."""
    return place + 1 < len(groups) and groups[place + 1] == 0


def _group(number: int) -> str:
    """1–9999 with its inner zeros: 1409 → 壹仟肆佰零玖."""
    written = ""
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            written += DIGITS[digit] + PLACES[place]
        elif written and not written.endswith(DIGITS[0]) and number % 10**place:
            written += DIGITS[0]
    return written


def _below_yuan(yuan: int, jiao: int, fen: int) -> str:
    """角 and 分， or 整. 零 bridges a zero before them (325.04 → 零肆分； 1680.32 → 零叁角贰分）."""
    if not jiao and not fen:
        return "整" if yuan else ""
    bridge = DIGITS[0] if yuan and (not jiao or yuan % 10 == 0) else ""
    return bridge + (f"{DIGITS[jiao]}角" if jiao else "") + (f"{DIGITS[fen]}分" if fen else "")
