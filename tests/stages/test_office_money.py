"""The paying desk: stages with their age, a batch of what was ticked after its sum was seen, slips matched one by one, a tie-out that shows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from grants import clock
from grants.funding import services
from grants.funding.models import PaymentBatch, PaymentOrder, Receipt, Tranche
from grants.funding.tieout import tie_out
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.models import BulkJob
from grants.workflow.refusals import NotNow
from tests.world import funding as world
from tests.world import people, shared
from tests.world.funding import Project

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def projects(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Project]]:
    """Three projects of one call that have begun."""
    with shared.rows(django_db_blocker):
        yield world.begun(amounts=("90000.00", "80000.00", "70000.00"))


@pytest.fixture(autouse=True)
def the_day_after(projects: list[Project]) -> Iterator[None]:
    with clock.at(projects[-1].day(2)):
        yield


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def queue(client: Client, stage: str) -> str:
    return client.get(reverse("funding:queue"), {"stage": stage}).content.decode()


def test_each_tranche_stands_at_its_stage_with_its_age(projects: list[Project]) -> None:
    world.requested(projects[0])
    world.approved(projects[1])
    world.ordered(projects[2])
    client = signed_in(projects[0].desk.finance)
    for stage, project in (("requested", projects[0]), ("approved", projects[1]), ("ready", projects[2])):
        shown = queue(client, stage)
        assert str(project.tranche(1)) in shown, stage
        assert all(str(other.tranche(1)) not in shown for other in projects if other is not project), stage
    held = projects[0].tranche(1)
    assert held.due_at is not None
    assert "逾期" not in queue(client, "requested")
    with clock.at(held.due_at + timedelta(days=2)):
        assert "逾期 3 天" in queue(client, "requested")


def test_many_orders_by_one_stroke_each_through_the_door(projects: list[Project]) -> None:
    """Two approved tranches ticked, one of them approved by the very person who would pay: ordered and refused, each said."""
    for project in projects[:2]:
        world.approved(project)
    world.requested(projects[2])
    Tranche.objects.filter(award=projects[1].award, number=1).update(approved_by=projects[0].desk.finance)
    where, client = reverse("funding:order_many"), signed_in(projects[0].desk.finance)
    ticked = {"tranche": [str(p.tranche(1).pk) for p in projects]}
    answer = client.post(where, ticked)
    job = BulkJob.objects.get()
    assert answer.headers["Location"] == reverse("desk:job", args=[job.pk])
    assert job.items.count() == 2, "what is not approved is not taken"
    effects.drain()
    assert [p.tranche(1).state for p in projects] == ["ordered", "approved", "requested"]
    assert "批准与付款分离" in job.items.get(object_id=projects[1].tranche(1).pk).outcome
    assert client.post(where, {"tranche": ["nonsense"]}).status_code == 302
    assert BulkJob.objects.count() == 1
    for who in (projects[0].desk.officer, projects[0].desk.approver, projects[0].claimant):
        assert signed_in(who).post(where, ticked).status_code == 404


def test_a_batch_holds_what_was_ticked_and_nothing_else_after_the_sum_was_seen(projects: list[Project]) -> None:
    """The sum in figures and capitals first; a sum that is not what was seen is refused and nothing is sent."""
    for project in projects:
        world.ordered(project)
    orders = [world.order_of(p) for p in projects]
    client, new = signed_in(projects[0].desk.finance), reverse("funding:batch_new")
    total = orders[0].amount + orders[1].amount
    shown = client.get(new, {"order": [orders[0].key, orders[1].key]}).content.decode()
    assert f"¥{total:,.2f}" in shown
    assert "元整" in shown
    assert orders[0].payee_account not in shown, "account numbers are masked on the page"
    assert orders[2].key not in shown
    stale = client.post(new, {"order": [orders[0].key, orders[1].key], "seen_total": "1.00"})
    assert stale.status_code == 409
    assert not PaymentBatch.objects.exists()
    assert client.post(new, {"order": [orders[0].key, orders[1].key], "seen_total": f"{total:.2f}"}).status_code == 302
    batch = PaymentBatch.objects.get()
    assert set(batch.orders.values_list("key", flat=True)) == {orders[0].key, orders[1].key}
    assert PaymentOrder.objects.get(pk=orders[2].pk).status == "ready"
    with pytest.raises(NotNow) as told:
        services.make_batch(projects[0].call, by=projects[0].desk.finance, only=[orders[1].pk, orders[2].pk])
    assert told.value.rule == "orders_still_ready"
    assert PaymentOrder.objects.get(pk=orders[2].pk).status == "ready"


def test_orders_of_two_calls_or_of_somebody_elses_desk_never_share_a_batch(projects: list[Project]) -> None:
    world.ordered(projects[0])
    order = world.order_of(projects[0])
    given = {"order": order.key, "seen_total": f"{order.amount:.2f}"}
    for stranger in (projects[0].desk.officer, projects[0].desk.approver, projects[0].desk.auditor, projects[0].claimant):
        assert signed_in(stranger).post(reverse("funding:batch_new"), given).status_code == 404
        assert signed_in(stranger).get(reverse("funding:reconcile")).status_code == 404
    other = people.office().finance
    assert signed_in(other).post(reverse("funding:batch_new"), given).status_code == 409, "nothing of hers is in it"
    assert order.key not in signed_in(other).get(reverse("funding:queue")).content.decode()
    assert signed_in(projects[0].claimant).get(reverse("funding:queue")).status_code == 404
    assert not PaymentBatch.objects.exists()


def test_slips_are_matched_row_by_row_and_the_rest_stays_unknown(projects: list[Project]) -> None:
    """One matched, one with a slip used already, one left empty: paid, refused with what was typed kept, unknown."""
    for project in projects:
        world.ordered(project)
    services.make_batch(projects[0].call, by=projects[0].desk.finance)
    first, second, third = (world.order_of(p) for p in projects)
    client, where = signed_in(projects[0].desk.finance), reverse("funding:reconcile")
    answer = client.post(where, {f"slip_{first.pk}": "HD-1", f"slip_{second.pk}": "HD-1", f"slip_{third.pk}": " "})
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "已用于付款单" in shown
    assert 'value="HD-1"' in shown
    states = [Tranche.objects.get(pk=o.tranche_id).state for o in (first, second, third)]
    assert sorted(states) == ["ordered", "ordered", "paid"]
    left = PaymentOrder.objects.filter(status="sent_unknown")
    assert left.count() == 2
    assert third in left


def test_the_tie_out_is_quiet_when_all_agrees_and_loud_when_not(projects: list[Project]) -> None:
    """A planted difference is named with its figures, on the page and in the file; the others stay green."""
    world.paid(projects[0])
    client, where = signed_in(projects[0].desk.auditor), reverse("funding:tie_out", args=[projects[0].call.pk])
    assert [row.differences for row in tie_out(projects[0].call)] == [(), (), ()]
    assert "全部相符" in client.get(where).content.decode()
    Receipt.objects.filter(tranche__award=projects[0].award).update(verified_at=None, verified_by=None)
    wrong = tie_out(projects[0].call)[0]
    assert "缺 ¥" in wrong.differences[0]
    shown = client.get(where).content.decode()
    assert "3 个项目中有 1 个对不上" in shown
    assert "gc-wrong" in shown
    answer = client.get(where, {"as": "csv"})
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert lines[1][2].lstrip("'").startswith("⚠")
    assert sum(Decimal(line[3]) for line in lines[1:4]) == Decimal(lines[4][3]) == Decimal("240000.00")
    assert client.get(where, {"as": "xlsx"}).status_code == 200
    assert signed_in(projects[0].claimant).get(where).status_code == 404
    assert signed_in(people.office().finance).get(where).status_code == 404


def test_a_tranche_moved_by_hand_in_the_database_shows(projects: list[Project]) -> None:
    held = projects[1].tranche(1)
    Tranche.objects.filter(pk=held.pk).update(amount=held.amount - Decimal("0.01"))
    assert any("与立项金额" in d for d in tie_out(projects[0].call)[1].differences)


def test_files_of_the_queue_say_what_the_page_says(projects: list[Project]) -> None:
    for project in projects:
        world.ordered(project)
    answer = signed_in(projects[0].desk.officer).get(reverse("funding:queue"), {"stage": "ready", "as": "csv"})
    lines = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    assert len(lines) == 5
    assert {line[7].lstrip("'") for line in lines[1:4]} == {world.order_of(p).key for p in projects}


def test_pages_cost_the_same_for_one_and_for_three(projects: list[Project], django_assert_num_queries: Any) -> None:
    finance = signed_in(projects[0].desk.finance)
    for number, project in enumerate(projects, start=1):
        world.ordered(project)
        if number in (1, 3):
            pages = {
                reverse("funding:queue") + "?stage=ready": 9,
                reverse("funding:batch_new") + f"?call={projects[0].call.pk}": 5,
                reverse("funding:tie_out", args=[projects[0].call.pk]): 16,
            }
            for where, cost in pages.items():
                finance.get(where)
                with django_assert_num_queries(cost):
                    assert finance.get(where).status_code == 200, where
    services.make_batch(projects[0].call, by=projects[0].desk.finance)
    with django_assert_num_queries(5):
        finance.get(reverse("funding:reconcile"))
