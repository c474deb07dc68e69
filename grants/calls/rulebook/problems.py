"""What can be wrong with a call's rules, said so that an officer can repair it: file, key, sentence, way out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from grants.calls.rulebook.described import field_of, model_in


class Severity(StrEnum):
    """An error stops publishing; a warning must be read."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong: `code` (F… for the file's form, L… for the linter), where, Chinese sentence, way out."""

    file: str
    key: str
    code: str
    severity: Severity
    message: str
    way_out: str

    def __str__(self) -> str:
        mark = "错误" if self.severity is Severity.ERROR else "提醒"
        return f"{self.file}: {self.key}: {mark} {self.code} {self.message}\n    改法：{self.way_out}"


class RulesInvalid(ValueError):
    """A file that is not a `CallRules`; `problems` holds every fault that was found, in the order of the file's keys."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


NAMES: Final = ("code", "id", "no", "kind", "action", "by", "name", "at")
"""Keys that name an element of a list, best first: paths say `criteria[need]` and not `criteria[3]`."""


def key_path(loc: Sequence[str | int], data: Any) -> str:
    """The dotted path of `loc` inside `data`, list elements by their own name where they have one (1-based `#n` otherwise)."""
    path = ""
    for step in loc:
        if isinstance(step, int):
            data = data[step] if isinstance(data, list | tuple) and step < len(data) else None
            path += f"[{_label(data, step)}]"
        else:
            data = data.get(step) if isinstance(data, Mapping) else None
            path += f".{step}" if path else step
    return path or "（文件）"


def _label(element: Any, index: int) -> str:
    if isinstance(element, Mapping):
        for name in NAMES:
            if isinstance(element.get(name), str | int):
                return str(element[name])
    return f"#{index + 1}"


def from_validation(error: ValidationError, data: Any, model: type[BaseModel], file: str) -> tuple[Problem, ...]:
    """Every fault of a validation as problems in Chinese."""
    details = [detail for detail in error.errors(include_url=False) if not _follows(detail)]
    return tuple(_problem(detail, data, model, file) for detail in details)


def _follows(detail: ErrorDetails) -> bool:
    """Whether a list is only “too short” because pydantic dropped its faulty elements, which are reported themselves."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]


def _problem(detail: ErrorDetails, data: Any, model: type[BaseModel], file: str) -> Problem:
    code, message, way_out = _explain(detail, model)
    return Problem(file, key_path(detail["loc"], data), code, Severity.ERROR, message, way_out)


def _explain(detail: ErrorDetails, model: type[BaseModel]) -> tuple[str, str, str]:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail.get("input")
    if kind.startswith("house_"):
        return "F001", context["message"], context["way_out"]
    if kind == "extra_forbidden":
        return "F002", *_unknown(str(detail["loc"][-1]), known_keys(model, detail["loc"][:-1]))
    if kind == "missing":
        return "F003", "缺少必填的键", f"补上 {detail['loc'][-1]}"
    if kind in ("enum", "literal_error"):
        return "F004", f"{value!r} 不在允许的取值之内", f"改为 {_spoken(context['expected'])} 之一"
    if kind == "string_pattern_mismatch":
        return "F005", f"{value!r} 的写法不符", f"须符合 {context['pattern']}"
    return "F006", *_by_type(kind, context, value)


def _spoken(expected: str) -> str:
    return expected.replace(" or ", ", ").replace("'", "").replace(", ", "、")


def _unknown(key: str, known: Sequence[str]) -> tuple[str, str]:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"不认识的键 {key}", f"是不是想写 {near[0]}?" if near else f"删去它；此处可用的键：{'、'.join(known)}"


def _by_type(kind: str, context: Mapping[str, Any], value: Any) -> tuple[str, str]:
    sentences: dict[str, tuple[str, str]] = {
        "int_type": (f"{value!s} 不是整数", "写成不带引号和小数点的整数"),
        "bool_type": (f"{value!s} 不是真假值", "写成 true 或 false"),
        "string_type": (f"{value!s} 不是文字", "加上引号"),
        "string_too_short": ("不能为空", "填写内容"),
        "string_too_long": (f"超过 {context.get('max_length')} 个字符", "缩短文字"),
        "too_short": (f"至少要有 {context.get('min_length')} 项", "补充内容"),
        "greater_than_equal": (f"{value!s} 小于 {context.get('ge')}", f"不小于 {context.get('ge')}"),
        "less_than_equal": (f"{value!s} 大于 {context.get('le')}", f"不大于 {context.get('le')}"),
        "tuple_type": ("应当是列表", "写成 [ … ] 或 [[表]]"),
        "model_type": ("应当是一张表", "写成 [表] 或 { 键 = 值 }"),
    }
    return sentences.get(kind, (f"{value!s} 不合规则（{kind}）", "对照 docs/call-rules.md 修改"))


def known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that the table at `loc` may have, as they are written in files."""
    for step in loc:
        if isinstance(step, str):
            field = field_of(model, step)
            inner = model_in(field.annotation) if field else None
            if inner is None:
                return []
            model = inner
    return [field.alias or name for name, field in model.model_fields.items()]
