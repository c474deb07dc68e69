"""分派 before there are reviews: trials, a solver that fails, what decides who reviews. Each test draws and assigns for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.ledger.models import AuditEvent
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow
from review import services
from review.assign import NotSolved
from review.models import Review
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def started(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Three admitted bids, eight of the sector and three of finance, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        yield world.judged(sector=8, finance=3)


@pytest.fixture
def judged(started: Judged) -> Judged:
    return started


def test_every_trial_is_kept_and_assigns_nothing(judged: Judged) -> None:
    panel = world.convened(judged.call, judged.desk.officer)
    with clock.at(world.after(judged.call)):
        client = Client()
        client.force_login(judged.desk.officer)
        for most in ("", "3"):
            assert client.post(reverse("review:assign", args=[panel.pk]), {"max_load": most, "do": "try"}).status_code == 302
    assert not panel.reviews.exists()
    assert panel.runs.filter(carried_out=False, made_by=judged.desk.officer).count() == 2
    assert AuditEvent.objects.filter(event="panel.try_assignment").count() == 2


def test_a_solver_without_an_answer_is_a_refusal_and_assigns_nothing(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = world.convened(judged.call, judged.desk.officer)

    def killed(problem: Any) -> Any:
        raise NotSolved("time")

    monkeypatch.setattr("review.assigning.assign", killed)
    with clock.at(world.after(judged.call)), pytest.raises(NotNow) as told:
        services.assign(panel, by=judged.desk.officer)
    assert told.value.rule == "solver_time"
    assert "没有分派任何一份" in str(told.value)
    assert not panel.reviews.exists() and not panel.runs.exists()


def test_declared_fields_decide_who_reviews(judged: Judged) -> None:
    """Two of eight members declared the bids' field: they are among the reviewers of every bid, when loads are free."""
    call = judged.call
    names = {c.code: c.name for c in call.rules.categories}
    experts = list(judged.experts.values())
    for expert in experts:
        services.change_expert(expert, agency=judged.desk.agency, by=judged.desk.officer, fields=["别的领域"])
    panel = world.convened(call, judged.desk.officer)
    panel.members.filter(alternate=True).update(alternate=False)
    strong = list(panel.members.filter(seat="sector").select_related("expert")[:2])
    for member in strong:
        fields = [names[b.category] for b in judged.bids]
        services.change_expert(member.expert, agency=judged.desk.agency, by=judged.desk.officer, fields=fields)
    with clock.at(world.after(call)):
        services.assign(panel, by=judged.desk.officer)
    loads = {m.expert.code: panel.reviews.filter(expert=m.expert).count() for m in panel.members.select_related("expert")}
    assert all(loads[m.expert.code] == max(loads.values()) for m in strong)
    assert panel.runs.get().unknown == 0


def test_colleagues_never_meet_on_a_bid(judged: Judged) -> None:
    for code in ("S01", "S02", "S03"):
        services.change_expert(judged.experts[code], agency=judged.desk.agency, by=judged.desk.officer, employer="同一研究所")
    panel = world.convened(judged.call, judged.desk.officer)
    with clock.at(world.after(judged.call)):
        services.assign(panel, by=judged.desk.officer)
    for bid in judged.bids:
        assert panel.reviews.filter(bid=bid, expert__employer="同一研究所").count() <= 1


@pytest.mark.slow
def test_a_required_seat_is_not_exchanged_away() -> None:
    """The only finance expert cannot be replaced by one of the sector: seats are asked again when it is carried out."""
    judged = world.judged(sector=8, finance=1)
    panel = world.seated(judged)
    only = panel.reviews.filter(bid=judged.bids[0], expert__seat="finance").select_related("expert", "bid", "panel").get()
    had = panel.reviews.filter(bid=only.bid).values("expert_id")
    heir = panel.members.filter(alternate=False, seat="sector").exclude(expert__in=had).select_related("expert").first()
    assert heir is not None
    swap = services.propose_swap(only, heir.expert, "出差", by=judged.desk.officer)
    with pytest.raises(Invalid) as told:
        perform(swap, "approve", by=people.appointed("officer", judged.desk.agency))
    assert told.value.rule.startswith("assignment_")
    assert Review.objects.get(pk=only.pk).state == "assigned"
