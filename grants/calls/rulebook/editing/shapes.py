"""What each key of the rules is, for a form: one word for how it is typed, with its names, its default and its choices."""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final, Literal

from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from grants.calls.rulebook.described import metadata_of, model_in, unit_of, words_in
from grants.calls.rulebook.parts.base import Named

Kind = Literal[
    "text", "prose", "code", "yuan", "percent", "points", "count", "moment", "day", "flag", "choice", "choices", "lines", "group",
    "table", "row", "fixed",
]  # fmt: skip
_UNITS: Final[dict[str, Kind]] = {"元": "yuan", "%": "percent", "分": "points"}
NUMBERS: Final = frozenset({"yuan", "percent", "points", "count"})


@dataclass(frozen=True)
class Shape:
    """One key: as files write it, its titles, how it is typed, and what it takes when left out (plain data; None: nothing)."""

    key: str
    title: str
    note: str
    kind: Kind
    required: bool
    optional: bool
    default: Any = None
    model: type[BaseModel] | None = None
    words: type[Named] | None = None
    owner: str = ""

    @property
    def english(self) -> str:
        """The key as English words; the model's descriptions are English already."""
        return self.key.replace("_", " ").capitalize()


@cache
def shapes(model: type[BaseModel]) -> tuple[Shape, ...]:
    """The keys of a model in the order of the file."""
    return tuple(_shape(model, info.alias or name, info) for name, info in model.model_fields.items())


@cache
def shape_at(model: type[BaseModel], keys: tuple[str, ...]) -> Shape:
    """The shape at a way of keys (indexes left out); raises KeyError for a way that the model does not know."""
    found = next((each for each in shapes(model) if each.key == keys[0]), None)
    if found is None:
        raise KeyError(".".join(keys))
    if len(keys) == 1:
        return found
    if found.model is None:
        raise KeyError(".".join(keys))
    return shape_at(found.model, keys[1:])


def _shape(owner: type[BaseModel], key: str, info: FieldInfo) -> Shape:
    kind, model, words = _kind(info), model_in(info.annotation), words_in(info.annotation)
    optional = type(None) in typing.get_args(info.annotation)
    default = None if info.is_required() else plain(info.default)
    title, note = info.title or key, info.description or ""
    return Shape(key, title, note, kind, info.is_required(), optional, default, model, words, owner.__name__)


def plain(value: Any) -> Any:
    """A default as plain data, as `CallRules.plain()` would write it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    return format(value, "f") if isinstance(value, Decimal) else value


def _kind(info: FieldInfo) -> Kind:
    kind = _bare(info.annotation)
    if typing.get_origin(kind) is tuple:
        inner = _bare(typing.get_args(kind)[0])
        return "table" if _is(inner, BaseModel) else "choices" if _is(inner, Named) else "lines"
    if typing.get_origin(kind) is Literal:
        return "fixed"
    for base, word in _SIMPLE:
        if _is(kind, base):
            return word
    if _is(kind, Decimal):
        return _UNITS[unit_of(info)]
    return _text(info)


_SIMPLE: Final[tuple[tuple[type, Kind], ...]] = (
    (BaseModel, "group"), (Named, "choice"), (bool, "flag"), (int, "count"), (datetime, "moment"), (date, "day"),
)  # fmt: skip


def _bare(annotation: Any) -> Any:
    """The annotation without `| None` and `Annotated[…]`."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _bare(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return _bare(next(each for each in typing.get_args(annotation) if each is not type(None)))
    return annotation


def _is(annotation: Any, base: type) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, base)


def _text(info: FieldInfo) -> Kind:
    limits = [each for each in metadata_of(info) if isinstance(each, StringConstraints)]
    if any(each.pattern for each in limits):
        return "code"
    return "text" if any(each.min_length for each in limits) else "prose"
