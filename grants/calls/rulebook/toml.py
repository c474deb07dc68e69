"""`call.toml` in and out. Reading reports every fault at once; writing and reading again gives an equal value."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import tomli_w
from pydantic import ValidationError

from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.parts.base import FloatLiteral
from grants.calls.rulebook.problems import Problem, RulesInvalid, Severity, from_validation

MAX_BYTES = 1_000_000
"""Far above any real call; a larger file is not a call and is not parsed."""


def loads(text: str, *, file: str = "call.toml") -> CallRules:
    """Read rules from TOML text; raises `RulesInvalid` with every problem, naming `file`."""
    return from_data(parse(text, file=file), file=file)


def parse(text: str, *, file: str = "call.toml") -> dict[str, Any]:
    """TOML text as plain data, decimal-point numbers kept as text; raises `RulesInvalid` when it is not TOML."""
    if len(text.encode()) > MAX_BYTES:
        raise RulesInvalid([_fault(file, f"文件超过 {MAX_BYTES} 字节", "征集规则不会这么大，请检查是否选错文件")])
    try:
        return tomllib.loads(text, parse_float=FloatLiteral)
    except tomllib.TOMLDecodeError as error:
        raise RulesInvalid([_fault(file, f"不是有效的 TOML:{error}", "按提示的行列改正引号、括号或等号")]) from None


def from_data(data: Mapping[str, Any], *, file: str = "call.toml") -> CallRules:
    """Rules from parsed TOML, from `CallRules.plain()` or from a form; raises `RulesInvalid` with every problem."""
    try:
        return CallRules.model_validate(data)
    except ValidationError as error:
        raise RulesInvalid(from_validation(error, data, CallRules, file)) from None


def _fault(file: str, message: str, way_out: str) -> Problem:
    return Problem(file, "（文件）", "F000", Severity.ERROR, message, way_out)


def dumps(rules: CallRules) -> str:
    """The rules as TOML text: whole yuan as integers, fen as quoted text, moments with their offset."""
    return tomli_w.dumps(_writable(rules.model_dump(mode="python", by_alias=True, exclude_none=True)))


def _writable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _writable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(each) for each in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else format(value, "f")
    return value.value if isinstance(value, Enum) else value


def as_json(value: Any) -> Any:
    """Parsed TOML as JSON types, for checking a file against the JSON Schema: moments and days become text."""
    if isinstance(value, Mapping):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    return value.isoformat() if isinstance(value, date | datetime) else value
