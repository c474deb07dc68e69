"""The value types every part of a call's rules is built from.

Money is 元 as `Decimal` with exactly two places, a share is per cent (0–100, two places), a moment carries its offset and is kept
in Asia/Shanghai. All are normalised while being read, so that two values that are equal also have the same canonical bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from grants.money import FEN

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
NUMBER: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")


@dataclass(frozen=True)
class FloatLiteral:
    """A number written with a decimal point in TOML, kept as text: it must be refused, never rounded through a float."""

    text: str

    def __str__(self) -> str:
        return self.text


class Part(BaseModel):
    """A frozen piece of the rules; a key that is not declared is refused, because a misspelt rule would silently not apply."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Named(StrEnum):
    """A closed list of words: the member's value is what files carry, `.zh` is the term a person reads."""

    zh: str

    def __new__(cls, value: str, zh: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.zh = zh
        return member


def refuse(kind: str, message: str, way_out: str) -> PydanticCustomError:
    """An error of ours inside pydantic: the Chinese sentence and the way out travel in its context."""
    return PydanticCustomError("house_" + kind, "{message}", {"message": message, "way_out": way_out})


def _decimal(value: object, noun: str) -> Decimal:
    if isinstance(value, float | FloatLiteral):
        raise refuse("float", f"{noun}不能写成小数 {value}", f'改成整数，或加引号的两位小数，例如 "{Decimal(str(value)):.2f}"')
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise refuse("number", f"{noun}必须是数字，现为 {value!r}", '写成整数 200000，或带引号的 "200000.00"')
    text = format(value, "f") if isinstance(value, Decimal) else str(value).strip()
    if not NUMBER.fullmatch(text):
        raise refuse(
            "number", f"{noun} {text!r} 不是至多两位小数的非负数", '写成整数 200000，或带引号的 "200000.00"，不加逗号和单位'
        )
    return Decimal(text).quantize(FEN)


def _yuan(value: object) -> Decimal:
    return _decimal(value, "金额")


def _percent(value: object) -> Decimal:
    share = _decimal(value, "百分比")
    if share > 100:
        raise refuse("percent", f"百分比 {share} 超过 100", "填写 0 到 100 之间的数，60 表示 60%")
    return share


def _points(value: object) -> Decimal:
    return _decimal(value, "分数")


def _moment(value: object) -> datetime:
    if isinstance(value, str):
        value = _parse_moment(value)
    if not isinstance(value, datetime):
        raise refuse("moment", f"{value!r} 不是时间", "写成 2026-03-30T17:00:00+08:00")
    if value.tzinfo is None:
        raise refuse("naive", f"时间 {value.isoformat()} 没有时区", f"在末尾加上时区，例如 {value.isoformat()}+08:00")
    if value.microsecond:
        raise refuse("moment", f"时间 {value.isoformat()} 精确到了秒以下", "时限以秒为准，去掉小数部分")
    return value.astimezone(SHANGHAI)


def _parse_moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise refuse("moment", f"{text!r} 不是时间", "写成 2026-03-30T17:00:00+08:00") from None


def _day(value: object) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise refuse("day", f"{value!r} 不是日期", "写成 2026-04-20") from None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise refuse("day", f"{value!s} 不是日期", "写成 2026-04-20，不带时间")
    return value


def _as_text(value: Decimal) -> str:
    return format(value, "f")


_NUMBER_SCHEMA: Final = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": 999_999_999_999},
        {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"},
    ]
}
_SHARE_SCHEMA: Final = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": 100},
        {"type": "string", "pattern": r"^(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)$"},
    ]
}
_text = PlainSerializer(_as_text, return_type=str, when_used="json")

Yuan = Annotated[Decimal, BeforeValidator(_yuan), _text, WithJsonSchema({**_NUMBER_SCHEMA, "x-unit": "元"})]
Percent = Annotated[Decimal, BeforeValidator(_percent), _text, WithJsonSchema({**_SHARE_SCHEMA, "x-unit": "%"})]
Points = Annotated[Decimal, BeforeValidator(_points), _text, WithJsonSchema({**_NUMBER_SCHEMA, "x-unit": "分"})]
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
CODE_PATTERN: Final = r"^[a-z][a-z0-9_]{0,39}$"
Code = Annotated[str, StringConstraints(pattern=CODE_PATTERN)]
Count = Annotated[int, Field(strict=True, ge=0, le=100_000)]
Positive = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Flag = Annotated[bool, Field(strict=True)]
