"""What the awards stage reads from a frozen bid: what must not change, and what a contract prints. Pure.

`content` is `BidVersion.content` (format bid/1, see `bidding.frozen`). Calls name their questions as they like; the shipped codes are
looked for first, then whatever the bid says about the same thing, so that no contract lacks a goal because a form is short.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from grants.awards.reduction import Core

GOAL: Final = ("goal", "goals", "summary", "problem")
PEOPLE: Final = ("target", "people", "helpers")
SERVICES: Final = ("activities", "work", "services")
PLACE: Final = ("place", "places")
SCHEDULE: Final = ("schedule", "plan")
LEADERS: Final = ("负责人", "主任", "领队", "队长", "组长")

Content = Mapping[str, Any]


def fields(content: Content) -> Iterator[Mapping[str, Any]]:
    """Every question with its answer, in order."""
    for section in content["sections"]:
        yield from section["fields"]


def text(content: Content, codes: Sequence[str]) -> str:
    """The first answered text among the codes, in the codes' order; empty when there is none."""
    found = {f["code"]: f["value"] for f in fields(content) if isinstance(f["value"], str) and f["value"].strip()}
    return next((found[code].strip() for code in codes if code in found), "")


def rows(content: Content, codes: Sequence[str]) -> list[Mapping[str, Any]]:
    """The rows of the first answered table among the codes."""
    found = {f["code"]: f["value"] for f in fields(content) if f["kind"] == "table" and f["value"]}
    return next((list(found[code]) for code in codes if code in found), [])


def services(content: Content) -> tuple[str, ...]:
    """Core services: the names of the activities, or what the bid says it will do."""
    named = tuple(str(row.get("name", "")).strip() for row in rows(content, SERVICES))
    return tuple(n for n in named if n) or tuple(filter(None, [text(content, SERVICES)]))


def groups(content: Content) -> tuple[str, ...]:
    """The groups served: groups of the counted beneficiaries, else the answer about whom the project serves."""
    counted = dict.fromkeys(kpi["group"] for kpi in content["kpis"] if kpi["group"])
    return tuple(counted) or tuple(filter(None, [text(content, PEOPLE)]))


def core(content: Content) -> Core:
    """三不变: groups served, goals, core services."""
    return Core(groups(content), tuple(filter(None, [text(content, GOAL)])), services(content))


def targets(content: Content) -> dict[str, tuple[str, int, str]]:
    """Key → (name, whole target, unit) of every indicator; the key is its code, or its place where it has none."""
    return {key: (_named(k), int(Decimal(k["target"])), k["unit"]) for key, k in keyed(content)}


def keyed(content: Content) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Indicators with a key that is unique within the bid: `code`, or `code.2` when a code comes twice, or `own.3`."""
    seen: dict[str, int] = {}
    for kpi in content["kpis"]:
        code = kpi["code"] or "own"
        seen[code] = seen.get(code, 0) + 1
        yield (code if seen[code] == 1 and kpi["code"] else f"{code}.{seen[code]}"), kpi


def _named(kpi: Mapping[str, Any]) -> str:
    return f"{kpi['name']}({kpi['group']})" if kpi["group"] else str(kpi["name"])


def head(content: Content, fallback: str) -> str:
    """The person who leads the project: whoever's role in the team says so, else the first named, else `fallback`."""
    team = content["team"]
    leads = [m["name"] for m in team if any(word in m["role"] for word in LEADERS)]
    return str((leads or [m["name"] for m in team] or [fallback])[0])


def planned_start(content: Content) -> date | None:
    """The day on which the applicant planned to begin, if the form asks."""
    answer = text(content, ("starts_on",))
    return date.fromisoformat(answer) if answer else None


def shown(field: Mapping[str, Any]) -> str:
    """An answer as text for print: tables row by row, choices joined, yes and no in words; empty for nothing and for files."""
    value, kind = field["value"], field["kind"]
    if value is None or kind == "file":
        return ""
    if kind == "table":
        return "\n".join(_row(field["columns"], row) for row in value)
    if kind == "yesno":
        return "是" if value else "否"
    return "、".join(map(str, value)) if isinstance(value, list) else str(value).strip()


def _row(columns: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> str:
    cells = [f"{c['label']} {row[c['code']]}" for c in columns if str(row.get(c["code"], "") or "").strip()]
    return "；".join(cells)
