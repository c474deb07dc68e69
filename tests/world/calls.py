"""Calls in every state, made through services from the presets, under a clock that is set."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from grants import clock
from grants.calls import services
from grants.calls.models import Call
from grants.calls.rulebook import presets, toml
from grants.calls.rulebook.model import CallRules
from grants.calls.rulebook.schedule import shift
from grants.calls.rulebook.toml import from_data
from tests.world.people import Office

OPENS = datetime(2026, 3, 10, 9, 0, tzinfo=clock.TZ)
"""When the calls of these tests open: a Tuesday morning in Shanghai."""
BEFORE = OPENS - timedelta(days=7)
DAY = timedelta(days=1)


PRESETS = {f"YX-2026-0{number}": name for number, name in enumerate(presets.NAMES, start=1)}


@cache
def preset(code: str = "YX-2026-03") -> CallRules:
    """One of the five sample calls, as shipped."""
    return presets.load(PRESETS[code])


def rules(preset_code: str = "YX-2026-03", /, *, opens_at: datetime = OPENS, **changes: Any) -> CallRules:
    """A preset moved to open at `opens_at`, with top-level keys replaced by `changes` (plain data)."""
    moved = shift(preset(preset_code), opens_at)
    return from_data({**moved.plain(), **changes}) if changes else moved


def draft(desk: Office, value: CallRules | None = None, **more: Any) -> Call:
    """A draft by the office's officer, a week before it opens."""
    with clock.at(BEFORE):
        return services.draft_call(desk.agency, value or rules(), by=desk.officer, **more)


def published(desk: Office, value: CallRules | None = None, **more: Any) -> Call:
    """Proposed by the officer and published by the approver, a week before it opens."""
    made = draft(desk, value, **more)
    with clock.at(BEFORE):
        services.propose(made, by=desk.officer)
        return services.publish(made, by=desk.approver)


def opened(desk: Office, value: CallRules | None = None, **more: Any) -> Call:
    """Open for bids since `opens_at`; set the clock into its period to bid."""
    made = published(desk, value, **more)
    assert made.opens_at is not None
    with clock.at(made.opens_at):
        services.tick()
    return Call.objects.select_related("agency", "rules_version").get(pk=made.pk)


def closed(call: Call) -> Call:
    """Let the deadline come: the clock closes the call."""
    assert call.closes_at is not None
    with clock.at(call.closes_at):
        services.tick()
    return Call.objects.select_related("agency", "rules_version").get(pk=call.pk)


def fresh(call: Call) -> Call:
    """The call as it stands in the database now."""
    return Call.objects.select_related("agency", "rules_version").get(pk=call.pk)


def later(rules: CallRules, by: timedelta = DAY, version: str = "1.1.0") -> CallRules:
    """The same rules with the deadline, the questions' end and the review later by `by`."""
    plain = rules.plain()
    table = plain["timetable"]
    for name in ("closes_at", "questions_until"):
        table[name] = (datetime.fromisoformat(table[name]) + by).isoformat()
    table["review_by"] = (date.fromisoformat(table["review_by"]) + by).isoformat()
    for batch in table.get("batches", []):
        batch["closes_at"] = (datetime.fromisoformat(batch["closes_at"]) + by).isoformat()
    return toml.from_data({**plain, "version": version})


def unsound(rules: CallRules) -> CallRules:
    """Well-formed, but its tranches do not add up to 100 %."""
    plain = rules.plain()
    plain["funding"]["tranches"][0]["percent"] = "10.00"
    return toml.from_data(plain)
