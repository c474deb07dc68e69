"""Which fields of which kind of record may leave the house. Everything on the public square goes through `public`.

A field that is not named here is not shown; one that is offered without being named is a mistake and raises. Free text in a field is read
once more by the gate against personal numbers, and what it finds is masked: a project called 热线13800138000 still has a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from grants.people.privacy import masked, publishable

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "call": (
        "code", "title", "agency", "state", "state_label", "opens_at", "closes_at", "days_left", "cap", "pool", "kinds", "fields", "streets",
        "awards", "awarded", "has_results",
    ),
    "notice": (
        "pk", "number", "title", "call_code", "call_title", "agency", "last_day", "objections_end", "working_days", "running", "count",
        "total", "objections",
    ),
    "draw": (
        "pk", "title", "what", "number", "reason", "call_code", "call_title", "agency", "state", "state_label", "mode", "announced_on", "drawn_at", "closed_at",
        "beacon_due", "pool_size", "size", "barred",
    ),
    "objection": ("number", "filed_on", "about", "state", "state_label", "closed_on"),
    "result": (
        "bid_number", "project", "organisation", "organisation_id", "rank", "score", "awarded", "amount", "reason", "award_number", "state",
        "state_label",
    ),
    "project": (
        "number", "title", "call_code", "call_title", "agency", "organisation", "organisation_id", "sponsor", "field", "street", "amount",
        "state", "state_label", "started_on", "closed_on",
    ),
    "source": ("name", "amount"),
    "tranche": ("number", "percent", "amount", "state", "state_label", "paid_on"),
    "milestone": ("title", "description"),
    "selection": ("method", "criteria", "eligibility", "submission"),
    "target": ("name", "target", "unit", "reached", "percent"),
    "evaluation": ("moment", "state_label", "grade", "on_time", "confirmed_on"),
    "surplus": ("amount", "returned_on"),
    "organisation": ("pk", "name", "kind", "field", "district", "registered_on", "assessment", "awards", "amount", "closed", "terminated"),
    "record": ("award_number", "project", "call_code", "year", "amount", "outcome", "outcome_label", "grade", "reports", "on_time", "barred_until"),
}  # fmt: skip
"""Kind → fields. No name, number or address of a person is among them, and no text that only the parties wrote to each other."""


def public(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` as they may be shown. Raises FieldNotPublic for a field that is not on the list of this kind."""
    return {name: _safe(value) for name, value in publishable(values, FIELDS[kind]).items()}


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list | tuple):
        return [_safe(each) for each in value]
    return value
