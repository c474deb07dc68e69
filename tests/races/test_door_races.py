"""Two people press two buttons on one object at once: exactly one wins, the other is told why, sixty rounds of sixty (PostgreSQL)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import connection

from grants.ledger.models import AuditEvent
from grants.people.permissions import grant
from grants.people.roles import BY_CODE
from grants.workflow import effects
from grants.workflow.door import perform
from grants.workflow.models import Outbox
from grants.workflow.refusals import NotNow
from tests.machines.graph import Graph, build, person
from tests.races.threads import at_once, winner

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
ROUNDS = 60


@pytest.fixture(autouse=True)
def _postgresql_only() -> None:
    if connection.vendor != "postgresql":
        pytest.fail("races are proven on PostgreSQL; set TEST_DATABASE_URL (make test-races)")


@pytest.fixture
def graph() -> Graph:
    return build()


def again(g: Graph, kind: str, state: str) -> Any:
    """The object put back into `state` beside the door, as two browsers would read it before they click."""
    model = type(g.objects[kind])
    model._base_manager.filter(pk=g.objects[kind].pk).update(state=state)
    return lambda: model._base_manager.select_related(*model.door_select).get(pk=g.objects[kind].pk)


def test_two_clerks_one_award_one_winner(graph: Graph) -> None:
    """Both hold the same award: one lands, one gets NotNow(state) in words, and the ledger has one entry."""
    first, second = person("clerk1"), person("clerk2")
    for clerk in (first, second):
        grant(BY_CODE["officer"], clerk, graph.others["agency"])
    wins: Counter[str] = Counter()
    for _round in range(ROUNDS):
        read = again(graph, "award", "noticed")
        one, two = read(), read()
        before = set(AuditEvent.objects.values_list("pk", flat=True))
        told = at_once(
            lambda one=one: perform(one, "hold", by=first, note="异议"),  # type: ignore[misc]
            lambda two=two: perform(two, "hold", by=second, note="异议"),  # type: ignore[misc]
        )
        done, refusal = winner(told, NotNow)
        assert refusal.rule == "state"
        assert "可能别人刚刚处理过" in str(refusal)
        entries = AuditEvent.objects.exclude(pk__in=before)
        assert [e.event for e in entries] == ["award.hold"]
        assert read().state == done.state == "held"
        wins[next(n for n, o in zip("ab", told, strict=True) if o is not refusal)] += 1
    assert sum(wins.values()) == ROUNDS


def test_two_buttons_that_lead_elsewhere_land_in_one_place(graph: Graph) -> None:
    """Approver cancels while the clerk holds: the state, the one entry and the promised effects are all the winner's."""
    clerk, approver = graph.actors["officer"], graph.actors["approver"]
    landed: Counter[str] = Counter()
    for _round in range(ROUNDS):
        read = again(graph, "tranche", "checked")
        one, two = read(), read()
        Outbox.objects.all().delete()
        before = set(AuditEvent.objects.values_list("pk", flat=True))
        told = at_once(
            lambda one=one: perform(one, "return_", by=clerk, note="缺票据"),  # type: ignore[misc]
            lambda two=two: perform(two, "withhold", by=approver, note="存疑"),  # type: ignore[misc]
        )
        lost = any(isinstance(o, Exception) for o in told)
        done, refusal = winner(told, NotNow) if lost else (None, None)
        entries = list(AuditEvent.objects.exclude(pk__in=before).order_by("pk").values_list("event", flat=True))
        if done is None:  # return_ came first and withholding a planned tranche is lawful: both steps, in that order
            assert entries == ["tranche.return_", "tranche.withhold"]
            assert read().state == "withheld"
            landed["both"] += 1
            continue
        assert len(entries) == 1
        assert refusal.rule == "state"
        assert read().state == done.state
        landed[entries[0]] += 1
    assert sum(landed.values()) == ROUNDS
    assert landed["tranche.withhold"] + landed["both"] > 0


def test_effects_are_promised_once_and_done_once_by_two_workers(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clicks on one step with an effect, then two workers draining at once: the effect is done once per round."""
    done: Counter[Any] = Counter()
    monkeypatch.setitem(effects._effects, "awards.tell_terminated", effects.Effect(
        "awards.tell_terminated", lambda job: done.update([job.event_id]), slow=False, says="count",
    ))  # fmt: skip
    monkeypatch.setattr(effects, "reactions", lambda kind, verb: ())
    first, second = person("boss1"), person("boss2")
    for boss in (first, second):
        grant(BY_CODE["approver"], boss, graph.others["agency"])
    for _round in range(20):
        read = again(graph, "award", "active")
        one, two = read(), read()
        told = at_once(
            lambda one=one: perform(one, "terminate", by=first, note="违约"),  # type: ignore[misc]
            lambda two=two: perform(two, "terminate", by=second, note="违约"),  # type: ignore[misc]
        )
        winner(told, NotNow)
        assert Outbox.objects.filter(task="awards.tell_terminated", done_at=None).count() == 1
        counts = at_once(effects.drain, effects.drain)
        assert sum(counts) == 1
    assert len(done) == 20
    assert set(done.values()) == {1}
    assert Outbox.objects.filter(done_at=None).count() == 0
