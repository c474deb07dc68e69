"""What every stage hands to the desk, gathered in one place: pages, step forms, and what waits."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import bidding.forms
import bidding.pages
import grants.awards.forms
import grants.awards.pages
import grants.calls.forms
import grants.calls.needs.forms
import grants.calls.needs.pages
import grants.calls.pages
import grants.evaluation.forms
import grants.evaluation.pages
import grants.funding.forms
import grants.funding.pages
import grants.people.forms
import grants.people.pages
import review.forms
import review.pages
from grants.desk import audit
from grants.people.permissions import looked_through
from grants.workflow.describe import machine_of
from grants.workflow.machine import Machine
from grants.workflow.pages import Page, StepForm, Waiting
from grants.workflow.refusals import Sentence

_PAGES = (
    grants.people.pages, grants.calls.needs.pages, grants.calls.pages, bidding.pages, review.pages, grants.awards.pages, grants.funding.pages,
    grants.evaluation.pages,
)  # fmt: skip
_FORMS = (
    grants.people.forms, grants.calls.needs.forms, grants.calls.forms, bidding.forms, review.forms, grants.awards.forms, grants.funding.forms,
    grants.evaluation.forms,
)  # fmt: skip


@cache
def pages() -> dict[type[Machine], Page]:
    """How each kind of object is shown."""
    return {machine: page for module in _PAGES for machine, page in module.PAGES.items()}


@cache
def step_forms() -> dict[tuple[type[Machine], str], type[StepForm]]:
    """The form of each step that asks for more than a reason."""
    return {key: form for module in _FORMS for key, form in module.STEP_FORMS.items()}


@cache
def words() -> dict[str, Sentence]:
    """What the ledger's events that are not steps are called on a timeline, e.g. "receipt.added"."""
    return {event: label for module in (*_PAGES, audit) for event, label in getattr(module, "EVENTS", {}).items()}


def form_for(machine: type[Machine], verb: str) -> type[StepForm]:
    return step_forms().get((machine, verb), StepForm)


def page_for(machine: type[Machine]) -> Page:
    """The stage's page, or LookupError: a machine without a page is a bug that a test finds."""
    return pages()[machine]


def waiting_for(actor: Any) -> list[Waiting]:
    """Everything that waits for this person, the most urgent first. Of a duty that the person has nowhere nothing is asked."""
    sources: list[Callable[[Any], list[Waiting]]] = [module.waiting for module in _PAGES]
    with looked_through(actor):
        rows = [row for source in sources for row in source(actor)]
    return sorted(rows, key=lambda row: (row.due_at is None, row.due_at or 0))


__all__ = ["form_for", "machine_of", "page_for", "pages", "step_forms", "waiting_for", "words"]
