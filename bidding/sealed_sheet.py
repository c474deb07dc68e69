"""离线封标表: what the sealed page of a bid asks, as a file for a computer without this site. The same form, so the same names of controls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bidding.models import Bid
from bidding.sealed_form import SealedForm
from bidding.sealed_offline import site
from bidding.sealing.sheet import FORMAT, pattern
from bidding.services import sealing

TABLES = ("budget", "kpis", "team")


def sheet(bid: Bid) -> dict[str, Any]:
    """JSON types, as `sealing.sheet` reads them. Raises NotNow while the call has no key."""
    form = SealedForm(bid)
    return {
        "format": FORMAT, **sealing.place_of(bid).says(), "recipient": sealing.key_of(bid.call).recipient, "rules": bid.rules_version.hash,
        "controls": dict(_controls(form)), "counts": _counts(form), "papers": {item.code: item.name for item in form.papers.asked},
        "pledges": {d.code: d.text for d in bid.rules.forms.declarations}, "site": site(bid),
    }  # fmt: skip


def _controls(form: SealedForm) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = [getattr(form, name).empty_form for name in TABLES]
    for part in (form.about, *form.sections, *rows, form.papers):
        for name, field in part.fields.items():
            control = pattern(part.add_prefix(name).replace("__prefix__", "0"))
            if not field.widget.is_hidden and not field.widget.needs_multipart_form:
                yield control, _told(field)


def _told(field: Any) -> dict[str, Any]:
    choices = {str(value): str(label) for value, label in getattr(field, "choices", ())}
    first = "" if "" in choices else next(iter(choices), "")
    told = {"label": str(field.label), "required": bool(field.required), "choices": choices, "default": str(field.initial or first)}
    return {name: value for name, value in told.items() if value not in ({}, "")}


def _counts(form: SealedForm) -> dict[str, str]:
    """Start of the names of a table's cells → the control that says how many rows there are."""
    own = {name: f"{name}-TOTAL_FORMS" for name in TABLES}
    asked = {section.add_prefix(code): section.add_prefix(f"{code}-rows") for section in form.sections for code in section.heights}
    return own | asked
