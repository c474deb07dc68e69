"""Money as every stage counts it: 元 as `Decimal` with two places, rounded half up, split without losing a fen.

Pure. Floats are refused wherever money enters: 0.1 + 0.2 is not 0.3, and an auditor will find the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

FEN: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")


class NotMoney(ValueError):
    """A value that cannot be an amount: a float, not finite, or finer than the fen. `sentence` says it in Chinese."""

    def __init__(self, value: object, sentence: str) -> None:
        super().__init__(sentence)
        self.value = value
        self.sentence = sentence


def number(value: object) -> Decimal:
    """`value` as an exact finite Decimal. Raises NotMoney for floats, booleans, text that is no number, NaN and infinity."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise NotMoney(value, f"金额 {value!r} 的类型不能用来记账，请用十进制数")
    try:
        result = Decimal(value)
    except ArithmeticError:
        raise NotMoney(value, f"“{value}”不是数字") from None
    if not result.is_finite():
        raise NotMoney(value, f"“{value}”不是有限的数")
    return result


def fen(value: object) -> Decimal:
    """`value` in 元 rounded half up (四舍五入) to the fen. Raises NotMoney as `number` does."""
    return number(value).quantize(FEN, ROUND_HALF_UP)


def exact(value: object) -> Decimal:
    """`value` in 元 with two places. Raises NotMoney where rounding would be needed: an entered amount is never changed."""
    amount = fen(value)
    if amount != number(value):
        raise NotMoney(value, f"金额 {value} 小于一分的部分无法入账，请填写到分")
    return amount


def floor(value: Decimal) -> Decimal:
    """The largest whole number of fen that is not over `value`: what a cap of 8 % really allows."""
    return value.quantize(FEN, ROUND_FLOOR)


def whole(value: Decimal) -> int:
    """`value` rounded half up to a whole number: what a page shows of a per cent."""
    return int(value.to_integral_value(ROUND_HALF_UP))


def ceiling(value: Decimal) -> Decimal:
    """The smallest whole number of fen that is not under `value`: what a minimum of 40 % really asks for."""
    return value.quantize(FEN, ROUND_CEILING)


def yuan(amount: Decimal) -> str:
    """`amount` for a sentence: ¥3,260.40, minus sign in front."""
    sign = "-" if amount < 0 else ""
    return f"{sign}¥{abs(fen(amount)):,.2f}"


def percent_text(share: Decimal) -> str:
    """`share` (per cent) without idle zeros: 40%, 33.33%."""
    return f"{share.quantize(FEN, ROUND_HALF_UP).normalize():f}%"


def total(amounts: Sequence[Decimal]) -> Decimal:
    """The sum in 元, ZERO for nothing."""
    return sum(amounts, ZERO)


def apportion(amount: Decimal, weights: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """`amount` (元, exact to the fen, ≥ 0) shared in proportion to `weights` (≥ 0, not all zero); the parts add up exactly.

    Largest remainder (Hamilton): every part is its exact share rounded down or up to the fen; the odd fen go to the largest
    remainders, equal remainders to the earlier position. Raises ValueError for weights that cannot share.
    """
    whole = sum(weights, Decimal(0))
    if whole <= 0 or any(w < 0 for w in weights):
        raise ValueError("weights must be non-negative and not all zero")
    units = int(exact(amount) / FEN)
    quotas = [divmod(_scaled(w) * units, _scaled(whole)) for w in weights]
    odd = units - sum(q for q, _ in quotas)
    lucky = set(sorted(range(len(quotas)), key=lambda i: (-quotas[i][1], i))[:odd])
    return tuple((q + (i in lucky)) * FEN for i, (q, _) in enumerate(quotas))


def _scaled(weight: Decimal) -> int:
    """A weight as an integer in one common unit, so that division is exact: Decimal would round at 28 digits."""
    return int(weight.scaleb(6).to_integral_exact(ROUND_HALF_UP))
