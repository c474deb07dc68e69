"""A selection as the file that `manage.py review select` reads: written with every proposal, so that anybody can repeat it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from grants.awards.allocation import (
    AmountBand,
    AmountBy,
    Candidate,
    Category,
    FundSource,
    Rollover,
    SelectionRules,
    Track,
    WhenFull,
)

_ENUMS: Mapping[str, type[StrEnum]] = {"rollover": Rollover, "when_full": WhenFull, "amount_by": AmountBy}
_LISTS: Mapping[str, type] = {"categories": Category, "tracks": Track, "sources": FundSource, "bands": AmountBand}
_MONEY = {
    "pool", "reserve", "ceiling", "cap", "amount", "ask", "recommended", "district_cap", "grey_band", "pass_line", "at_least", "score",
}  # fmt: skip


def to_data(candidates: Sequence[Candidate], rules: SelectionRules) -> dict[str, Any]:
    """Rule and bids as JSON without floats; what is empty is left out."""
    return {
        "rule": _plain(rules),
        "bids": [{"place": None, "score": None, **_plain(c)} for c in sorted(candidates, key=lambda c: c.bid)],
    }


def _plain(value: Any) -> dict[str, Any]:
    rows = {f.name: _value(getattr(value, f.name)) for f in fields(value)}
    return {name: each for name, each in rows.items() if each not in (None, "", [])}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def from_data(data: Mapping[str, Any]) -> tuple[list[Candidate], SelectionRules]:
    """What `to_data` wrote; raises KeyError, TypeError or ValueError for anything else."""
    return [Candidate(**_read(row, Candidate)) for row in data["bids"]], SelectionRules(**_read(data["rule"], SelectionRules))


def _read(row: Mapping[str, Any], kind: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name in _LISTS and kind is SelectionRules:
            found[name] = tuple(_LISTS[name](**_read(each, _LISTS[name])) for each in value)
        elif name == "categories":
            found[name] = frozenset(value)
        elif name in _ENUMS:
            found[name] = _ENUMS[name](value)
        else:
            found[name] = Decimal(value) if name in _MONEY and value is not None else value
    return found
