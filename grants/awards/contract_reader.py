"""A contract's stored data back as `ContractData`, so that printing uses what was written and nothing else. Pure."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from grants.documents.contract_data import ContractData


def restore(plain: Mapping[str, Any]) -> ContractData:
    """The value whose `canonical()` gives `plain` as JSON. Raises KeyError for a missing part, ContractInconsistent for sums."""
    value = _build(ContractData, plain)
    assert isinstance(value, ContractData)
    return value


def _build(kind: Any, value: Any) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{f.name: _build(hints[f.name], value[f.name]) for f in fields(kind)})
    origin, inside = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _tuple(inside, value)
    if origin in (types.UnionType, Union):
        return None if value is None else _build(next(k for k in inside if k is not type(None)), value)
    if kind is Decimal:
        return Decimal(value)
    if kind is dt.date:
        return dt.date.fromisoformat(value)
    assert origin is Literal or kind in (str, int, bool), kind
    return value


def _tuple(inside: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if len(inside) == 2 and inside[1] is Ellipsis:
        return tuple(_build(inside[0], item) for item in value)
    return tuple(_build(kind, item) for kind, item in zip(inside, value, strict=True))
