"""How amounts, dates and numbers are written in Chinese documents and pages. Pure."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
FEN = Decimal("0.01")
ONES = "零一二三四五六七八九"


def yuan(amount: Decimal | int, *, symbol: bool = True) -> str:
    """¥150,000.00; a negative amount as -¥3,260.40. Rounded half-up to the fen. Floats are refused (TypeError)."""
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int):
        raise TypeError(f"an amount is a Decimal in 元, not {type(amount).__name__}")
    exact = Decimal(amount).quantize(FEN, ROUND_HALF_UP)
    sign = "-" if exact < 0 else ""
    return f"{sign}{'¥' if symbol else ''}{abs(exact):,.2f}"


def percent(value: Decimal | int) -> str:
    """50 → 50%, 12.50 → 12.5%. The value is in percent, not a share of one."""
    written = f"{Decimal(value):f}"
    return (written.rstrip("0").rstrip(".") if "." in written else written) + "%"


def zh_date(day: dt.date) -> str:
    """2026年9月30日; a datetime is first brought to Beijing time."""
    if isinstance(day, dt.datetime):
        day = _beijing(day).date()
    return f"{day.year}年{day.month}月{day.day}日"


def zh_datetime(moment: dt.datetime) -> str:
    """2026年9月30日 17:00, in Beijing time; seconds only when they are not zero. Raises ValueError for a naive time."""
    local = _beijing(moment)
    seconds = f":{local.second:02d}" if local.second else ""
    return f"{zh_date(local.date())} {local.hour:02d}:{local.minute:02d}{seconds}"


def zh_number(number: int) -> str:
    """1–99 as an ordinal is read: 十二, 二十."""
    if not 1 <= number <= 99:
        raise ValueError(f"{number} is not between 1 and 99")
    tens, ones = divmod(number, 10)
    head = "" if not tens else "十" if tens == 1 else ONES[tens] + "十"
    return head + (ONES[ones] if ones else "")


def _beijing(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without zone cannot be shown as Beijing time")
    return moment.astimezone(BEIJING)
