"""The rules' own description of themselves: Chinese titles, units and terms of every key, read from the model.

The diff speaks with these words and the handbook prints them, so that a key is named in one place only.
"""

from __future__ import annotations

import re
import typing
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import WithJsonSchema

from grants.calls.rulebook.parts.base import Named

_Kind = TypeVar("_Kind")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):(\d\d)\+08:00")


def field_of(model: type[BaseModel] | None, key: str) -> FieldInfo | None:
    """The field that files write as `key` in `model`."""
    if model is None:
        return None
    return next((info for name, info in model.model_fields.items() if key in (name, info.alias)), None)


def title_of(model: type[BaseModel] | None, key: str) -> str:
    """The Chinese title of a key, or the key itself where the model does not know it."""
    info = field_of(model, key)
    return (info.title if info else None) or key


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation carries, through optionals and tuples."""
    return _first(annotation, BaseModel)


def words_in(annotation: Any) -> type[Named] | None:
    """The closed list of words that an annotation carries."""
    return _first(annotation, Named)


def unit_of(info: FieldInfo | None) -> str:
    """元, % or 分 for numbers that have a unit; empty otherwise."""
    return next((unit for each in metadata_of(info) if (unit := _unit(each))), "") if info else ""


def term(info: FieldInfo | None, value: Any) -> str:
    """A plain value as a person reads it: words of a closed list in Chinese, numbers with their unit."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(term(info, each) for each in value) or "（无）"
    words = words_in(info.annotation) if info else None
    if words is not None and value in {member.value for member in words}:
        return words(value).zh  # type: ignore[call-arg]
    unit = unit_of(info)
    text = str(value).removesuffix(".00") if unit else _MOMENT.sub(_short, str(value))
    return f"{text} {unit}".strip()


def _short(moment: re.Match[str]) -> str:
    day, minute, second = moment.groups()
    return f"{day} {minute}" if second == "00" else f"{day} {minute}:{second}"


def _first(annotation: Any, kind: type[_Kind]) -> type[_Kind] | None:
    if isinstance(annotation, type) and issubclass(annotation, kind):
        return annotation
    return next((found for each in typing.get_args(annotation) if (found := _first(each, kind))), None)


def metadata_of(info: FieldInfo) -> list[Any]:
    """Everything annotated to a field, through optionals and tuples: constraints, schemas, serialisers."""
    return [*info.metadata, *_nested(info.annotation)]


def _nested(annotation: Any) -> list[Any]:
    own = list(getattr(annotation, "__metadata__", ()))
    return own + [each for arg in typing.get_args(annotation) for each in _nested(arg)]


def _unit(metadata: Any) -> str:
    if isinstance(metadata, WithJsonSchema) and metadata.json_schema:
        return str(metadata.json_schema.get("x-unit", ""))
    return ""
