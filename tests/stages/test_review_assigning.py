"""分派 in the house: runs are kept and named in the ledger, anybody repeats them; an exchange needs a reason and a second person."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from grants import clock
from grants.calls.rulebook.parts.review import Assigning
from grants.ledger.models import AuditEvent
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import perform
from grants.workflow.refusals import Invalid, NotNow, NotYou
from review import services
from review.assign.check import check
from review.models import Expert, Panel, Review, Swap
from review.services.panel import _remember_assignment
from tests.world import people, shared
from tests.world import review as world
from tests.world.review import Judged

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Judged, Panel]]:
    """Three bids, eleven experts and a panel at work, made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        judged = world.judged(sector=8, finance=3)
        yield judged, world.seated(judged)


@pytest.fixture
def judged(made: tuple[Judged, Panel]) -> Judged:
    return made[0]


@pytest.fixture
def panel(made: tuple[Judged, Panel]) -> Panel:
    return Panel.objects.select_related(*Panel.door_select).get(pk=made[1].pk)


@pytest.fixture
def second(judged: Judged) -> User:
    return people.appointed("officer", judged.desk.agency)


def of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def free_for(panel: Panel, review: Review) -> Expert:
    """A sitting member of the same seat who does not review this bid."""
    had = Review.objects.filter(panel=panel, bid=review.bid).values("expert_id")
    seat = panel.members.get(expert=review.expert).seat
    rows = panel.members.filter(alternate=False, excused=False, seat=seat).exclude(expert__in=had).select_related("expert")
    found = min(rows, key=lambda m: panel.reviews.filter(expert=m.expert).count())
    return found.expert


def open_review(panel: Panel) -> Review:
    row = panel.reviews.filter(expert__seat="sector").select_related("expert", "bid", "panel").first()
    assert row is not None
    return row


# --- runs ----------------------------------------------------------------------------------------------------------------------


def test_a_run_is_kept_as_files_that_prove_themselves_and_the_ledger_names_their_hashes(panel: Panel) -> None:
    run = panel.runs.get(carried_out=True)
    asked, answer = json.loads(run.question), json.loads(run.answer)
    assert check(asked, answer) == []
    event = AuditEvent.objects.filter(event="panel.assign").latest("pk")
    said = bytes(event.leaf).decode()
    for name in ("question", "answer"):
        digest = hashlib.sha256(getattr(run, name).encode()).hexdigest()
        assert run.hashes()[name] == digest
        assert digest in said
    pairs = {(r.bid.number, r.expert.code) for r in panel.reviews.select_related("bid", "expert")}
    assert {tuple(p) for p in answer["pairs"]} == pairs


def test_the_downloaded_question_gives_the_downloaded_answer_again(panel: Panel, judged: Judged, tmp_path: Path) -> None:
    run, client = panel.runs.get(), of(judged.desk.officer)
    got = {w: client.get(reverse("review:run", args=[panel.pk, run.pk, w])) for w in ("IN", "OUT")}
    assert all(r.status_code == 200 for r in got.values())
    (tmp_path / "IN.json").write_bytes(got["IN"].content)
    call_command("review", "assign", str(tmp_path / "IN.json"), str(tmp_path / "OUT.json"))
    assert (tmp_path / "OUT.json").read_bytes() == got["OUT"].content


def test_files_name_nobody(panel: Panel) -> None:
    run = panel.runs.get()
    for expert in Expert.objects.select_related("user"):
        assert expert.user.name not in run.question + run.answer
        assert not expert.employer or expert.employer not in run.question


def test_members_do_not_learn_who_reviews_what_before_the_lock(panel: Panel) -> None:
    member, run = panel.members.select_related("expert__user").first(), panel.runs.get()
    assert member is not None
    client = of(member.expert.user)
    assert client.get(reverse("review:run", args=[panel.pk, run.pk, "OUT"])).status_code == 404
    assert "分派的依据" not in client.get(reverse("review:panel", args=[panel.pk])).content.decode()
    assert client.get(reverse("review:run", args=[panel.pk, run.pk, "XX"])).status_code == 404
    assert of(people.person("路过")).get(reverse("review:run", args=[panel.pk, run.pk, "IN"])).status_code == 404


def test_the_page_says_the_weakest_match_and_offers_the_files(panel: Panel, judged: Judged) -> None:
    page = of(judged.desk.officer).get(reverse("review:panel", args=[panel.pk])).content.decode()
    assert f"最弱的一对契合度 {panel.runs.get().figures['weakest_pair']}（满分 1000）" in page
    assert "IN.json" in page
    assert "契合度按一半计" in page


def test_the_rules_of_todays_calls_say_nothing_and_mean_the_default() -> None:
    assert Assigning().even and Assigning().one_per_organisation and not Assigning().drawn
    assert str(Assigning().floor) == "majority"


def test_remembering_an_assignment_costs_the_same_for_two_members_and_for_all(panel: Panel, judged: Judged) -> None:
    """One count for everybody's load, not one for each; the loads in the log are what each holds."""
    run = panel.runs.filter(carried_out=True).get()
    costs = []
    for left in (None, 2):
        keep = panel.members.order_by("position").values_list("pk", flat=True)[:left]
        panel.members.exclude(pk__in=list(keep)).update(alternate=True)
        with CaptureQueriesContext(connection) as asked:
            _remember_assignment(panel, judged.desk.officer, [], run)
        costs.append(len(asked))
        loads = json.loads(bytes(AuditEvent.objects.filter(event="panel.assign").latest("id").leaf))["public"]["loads"]
        held = {m.expert.code: panel.reviews.filter(expert=m.expert, state="assigned").count() for m in panel.members.filter(alternate=False)}
        assert loads == held and sum(held.values()) > 0
    assert costs[0] == costs[1]


# --- an exchange -----------------------------------------------------------------------------------------------------------------


def test_an_exchange_is_proposed_by_one_and_carried_out_by_another(panel: Panel, judged: Judged, second: User) -> None:
    review = open_review(panel)
    heir, others = free_for(panel, review), set(panel.reviews.exclude(bid=review.bid).values_list("pk", "state"))
    before = panel.reviews.filter(bid=review.bid, state="assigned").count()
    swap = services.propose_swap(review, heir, "出差，不能按时评审", by=judged.desk.officer)
    assert panel.reviews.filter(bid=review.bid, expert=heir).count() == 0
    swap = perform(swap, "approve", by=second)
    effects.drain()
    assert (swap.state, swap.decided_by_id) == ("approved", second.pk)
    assert Review.objects.get(pk=review.pk).state == "voided"
    assert panel.reviews.get(bid=review.bid, expert=heir).state == "assigned"
    assert panel.reviews.filter(bid=review.bid, state="assigned").count() == before
    assert set(panel.reviews.exclude(bid=review.bid).values_list("pk", "state")) == others
    run = panel.runs.first()
    assert run is not None and check(json.loads(run.question), json.loads(run.answer)) == []
    assert list(AuditEvent.objects.filter(event__startswith="swap.").order_by("pk").values_list("event", flat=True)) == ["swap.open", "swap.approve"]


def test_nobody_approves_their_own_proposal(panel: Panel, judged: Judged) -> None:
    review = open_review(panel)
    swap = services.propose_swap(review, free_for(panel, review), "出差", by=judged.desk.officer)
    with pytest.raises(NotYou) as told:
        perform(swap, "approve", by=judged.desk.officer)
    assert told.value.rule == "not_proposed_by"
    assert Review.objects.get(pk=review.pk).state == "assigned"
    perform(swap, "withdraw", by=judged.desk.officer)


def test_a_proposal_needs_a_reason_and_waits_alone(panel: Panel, judged: Judged) -> None:
    review = open_review(panel)
    with pytest.raises(Invalid):
        services.propose_swap(review, free_for(panel, review), "  ", by=judged.desk.officer)
    services.propose_swap(review, free_for(panel, review), "出差", by=judged.desk.officer)
    with pytest.raises(NotNow) as told:
        services.propose_swap(review, free_for(panel, review), "出差", by=judged.desk.officer)
    assert told.value.rule == "swap_waits"


def test_whoever_already_reviews_is_in_conflict_or_does_not_sit_cannot_step_in(panel: Panel, judged: Judged) -> None:
    review = open_review(panel)
    with pytest.raises(NotNow) as told:
        services.propose_swap(review, review.expert, "出差", by=judged.desk.officer)
    assert told.value.rule == "may_step_in"
    heir = free_for(panel, review)
    services.add_relation(
        heir, review.bid.organisation, "employed", by=judged.desk.officer, agency=judged.desk.agency, evidence="工资单"
    )
    with pytest.raises(NotNow) as told:
        services.propose_swap(review, heir, "出差", by=judged.desk.officer)
    assert "应当回避" in str(told.value)


def test_a_conflict_that_comes_up_between_proposal_and_approval_stops_it(panel: Panel, judged: Judged, second: User) -> None:
    review = open_review(panel)
    heir = free_for(panel, review)
    swap = services.propose_swap(review, heir, "出差", by=judged.desk.officer)
    services.add_relation(
        heir, review.bid.organisation, "employed", by=judged.desk.officer, agency=judged.desk.agency, evidence="工资单"
    )
    with pytest.raises(NotNow):
        perform(swap, "approve", by=second)
    assert Review.objects.get(pk=review.pk).state == "assigned"
    perform(swap, "refuse", by=second, note="应当回避")


def test_a_ballot_that_was_handed_in_is_not_exchanged(panel: Panel, judged: Judged, second: User) -> None:
    review = open_review(panel)
    heir = free_for(panel, review)
    swap = services.propose_swap(review, heir, "出差", by=judged.desk.officer)
    with clock.at(world.after(judged.call, 4)):
        world.scored(Review.objects.select_related(*Review.door_select).get(pk=review.pk))
        with pytest.raises(NotNow) as told:
            perform(swap, "approve", by=second)
        assert told.value.rule == "review_is_open"


def test_the_pages_lead_from_the_panel_to_the_decision(panel: Panel, judged: Judged, second: User) -> None:
    review = open_review(panel)
    address = reverse("review:swap", args=[panel.pk, review.pk])
    client = of(judged.desk.officer)
    assert address in client.get(reverse("review:panel", args=[panel.pk])).content.decode()
    assert client.get(address).status_code == 200
    assert client.post(address, {"expert": "", "reason": ""}).status_code == 422
    heir = free_for(panel, review)
    assert client.post(address, {"expert": heir.pk, "reason": "出差"}).status_code == 302
    swap = Swap.objects.get()
    page = reverse("desk:object", args=["swap", swap.pk])
    assert page in of(second).get(reverse("review:panel", args=[panel.pk])).content.decode()
    shown = of(second).get(page).content.decode()
    assert "出差" in shown and heir.code in shown
    member = panel.members.select_related("expert__user").first()
    assert member is not None
    assert of(member.expert.user).get(page).status_code == 404
    assert of(member.expert.user).get(address).status_code == 404


def test_the_pool_page_changes_an_experts_fields(judged: Judged) -> None:
    expert = judged.experts["S01"]
    address = reverse("review:expert", args=[expert.pk])
    client = of(judged.desk.officer)
    assert client.post(address, {"do": "fields", "fields_": "为老服务，助残服务"}).status_code == 302
    expert.refresh_from_db()
    assert expert.fields == ["为老服务", "助残服务"]
    own = of(expert.user)
    assert own.post(address, {"do": "fields", "fields_": "别的"}).status_code == 422
    expert.refresh_from_db()
    assert expert.fields == ["为老服务", "助残服务"]
