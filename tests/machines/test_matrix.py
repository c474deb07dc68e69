"""Every machine, every state, every step, every role: the door answers as the machine declares, and writes as it says.

The machine is the only source: a state, a step or a role added to it is tested without touching this file.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from grants.ledger.models import AuditEvent
from grants.workflow import door
from grants.workflow.describe import ORDER, machine_of
from grants.workflow.door import explain, perform
from grants.workflow.machine import Facts, Machine
from grants.workflow.models import Outbox
from grants.workflow.refusals import NotNow, NotYou
from tests.machines.graph import Graph, build
from tests.world import shared

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def graph(django_db_setup: None, django_db_blocker: Any) -> Any:
    """One graph per machine's tests: the module's rows live in a transaction that is rolled back at the end."""
    with shared.rows(django_db_blocker):
        yield build()


def put(obj: Machine, state: str) -> Machine:
    """Write a state beside the door; only a test of the door may."""
    model = type(obj)
    model._base_manager.filter(pk=obj.pk).update(state=state)  # beside the door, on purpose
    return model._base_manager.select_related(*model.door_select).get(pk=obj.pk)


def every_step() -> list[tuple[str, str]]:
    return [(kind, verb) for kind in ORDER for verb in machine_of(kind).steps()]


@pytest.mark.parametrize(("kind", "verb"), every_step())
def test_each_role_is_answered_as_the_machine_declares_in_each_state(kind: str, verb: str, graph: Graph) -> None:
    """Wrong role: NotYou in every state. Right role, wrong state: NotNow(state). Right role and state: yes, or a fact of `when`."""
    obj, step = graph.objects[kind], machine_of(kind).steps()[verb]
    for state in machine_of(kind).States.values:
        fresh = put(obj, state)
        for role, actor in graph.actors.items():
            actor.__dict__.pop("_held", None) if hasattr(actor, "__dict__") else None
            refusal = explain(fresh, verb, actor)
            where = f"{kind}.{verb} in {state} by {role}: {refusal!r}"
            if role not in step.by.roles:
                assert isinstance(refusal, NotYou), where
            elif state not in step.source:
                assert isinstance(refusal, NotNow), where
                assert refusal.rule == "state", where
            else:
                assert refusal is None or (isinstance(refusal, NotNow) and refusal.rule != "state"), where
                assert refusal is None or str(refusal), where


@pytest.mark.parametrize(("kind", "verb"), every_step())
def test_the_step_taken_by_a_permitted_role_lands_and_is_recorded(
    kind: str, verb: str, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the facts granted and the body silenced: state as declared, one event with the role, one outbox row per effect."""
    monkeypatch.setattr(door, "_ask_facts", lambda *a: None)
    obj, step = graph.objects[kind], machine_of(kind).steps()[verb]
    silence(monkeypatch, type(obj), verb)
    for state in step.source:
        for role in sorted(step.by.roles):
            with transaction.atomic():
                before = put(obj, state)
                moved = perform(before, verb, by=graph.actors[role], note="理由")
                assert moved.state == (step.to or state)
                event = AuditEvent.objects.latest("pk")
                assert event.subject == obj.subject
                assert event.event == f"{kind}.{verb}"
                promised = set(Outbox.objects.filter(event_id=event.pk).values_list("task", flat=True))
                assert promised >= set(step.then)
                transaction.set_rollback(True)


@pytest.mark.parametrize(("kind", "verb"), every_step())
def test_a_refused_step_writes_nothing(kind: str, verb: str, graph: Graph) -> None:
    """A stranger and a superuser are refused, and neither row, event nor outbox row appears."""
    obj, step = graph.objects[kind], machine_of(kind).steps()[verb]
    before = put(obj, step.source[0])
    counts = AuditEvent.objects.count(), Outbox.objects.count()
    for who in ("nobody", "superuser"):
        if who in step.by.roles:
            continue
        with pytest.raises(NotYou):
            perform(before, verb, by=graph.actors[who])
    assert (AuditEvent.objects.count(), Outbox.objects.count()) == counts
    assert type(obj)._base_manager.get(pk=obj.pk).state == step.source[0]


def silence(monkeypatch: pytest.MonkeyPatch, model: type[Machine], verb: str) -> None:
    """Replace the body by nothing, keeping the declaration: bodies have their own tests in tests/stages."""

    def run(obj: Machine, declared: Any, by: Any, details: dict[str, Any]) -> Facts:
        if declared.to is not None:
            obj.__dict__["state"] = declared.to
        return Facts()

    monkeypatch.setattr(door, "_run", run)


def test_a_step_costs_at_most_ten_statements(
    graph: Graph, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BEGIN, lock, permissions, update, event, payload, outbox, COMMIT — counted on a step with reason and effects."""
    monkeypatch.setattr(door, "_ask_facts", lambda *a: None)
    obj = put(graph.objects["bid"], "submitted")
    officer = graph.actors["officer"]
    officer.__dict__.pop("_held", None)
    with transaction.atomic():
        with django_assert_max_num_queries(10):
            perform(obj, "reject", by=officer, note="依据第三条")
        transaction.set_rollback(True)
