"""Saving a one-page bid: everything on the page in one transaction, or nothing; every problem of every part at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.files import File
from django.db import transaction

from bidding.models import Bid
from bidding.services.attaching import attach
from bidding.services.tables import save_budget, save_kpis, save_team
from bidding.services.writing import save_answers, save_basics
from grants.documents.inspection import FileRefused
from grants.people.models import User
from grants.workflow.refusals import Invalid

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Paper:
    """An upload for one item of the attachment list."""

    code: str
    upload: File
    expires_on: date | None = None


@dataclass(frozen=True)
class Page:
    """What stands on the page: basics as `save_basics` takes them, answers by section, the three tables, at most one upload."""

    basics: Mapping[str, Any]
    answers: Mapping[str, Mapping[str, Any]]
    budget: Rows
    kpis: Rows
    team: Rows
    paper: Paper | None = None


@dataclass
class NotSaved(Exception):
    """Nothing was saved: what is wrong, by part ("basics", a section's code, "budget", "kpis", "team", "paper") and field."""

    problems: dict[str, dict[str, list[str]]] = field(default_factory=dict)


@transaction.atomic
def save_page(bid: Bid, page: Page, *, by: User) -> Bid:
    """Save every part. Raises NotYou, NotNow, NotSaved (with the problems of all parts); then nothing was written."""
    parts: list[tuple[str, Callable[[], Any]]] = [("basics", lambda: save_basics(bid, by=by, **page.basics))]
    parts += [(code, lambda code=code, given=given: save_answers(bid, code, given, by=by)) for code, given in page.answers.items()]  # type: ignore[misc]
    parts += [
        ("budget", lambda: save_budget(bid, page.budget, by=by)),
        ("kpis", lambda: save_kpis(bid, page.kpis, by=by)),
        ("team", lambda: save_team(bid, page.team, by=by)),
    ]
    if page.paper is not None:
        paper = page.paper
        parts.append(("paper", lambda: attach(bid, paper.code, paper.upload, by=by, expires_on=paper.expires_on)))
    problems = {name: told for name, act in parts if (told := _wrong(act))}
    if problems:
        raise NotSaved(problems)
    return Bid.objects.select_related(*Bid.door_select, "call__rules_version").get(pk=bid.pk)


def _wrong(act: Callable[[], Any]) -> dict[str, list[str]]:
    try:
        act()
    except Invalid as refusal:
        return {name: list(told) for name, told in refusal.problems.items()} or {"": [str(refusal)]}
    except FileRefused as refused:
        return {"file": [refused.sentence]}
    return {}


__all__ = ["NotSaved", "Page", "Paper", "save_page"]
