"""Two hands on one bid, and one organisation's two bids in the same second, on PostgreSQL: the rules hold and nobody sees a crash."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from bidding import services
from bidding.models import Bid
from grants import clock
from grants.calls.models import Call
from grants.workflow.refusals import NotNow
from tests.world import bidding as world
from tests.world import calls, people
from tests.world.people import Body

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]

ROUNDS = 8


@pytest.fixture(autouse=True)
def _postgresql_only() -> None:
    if connection.vendor != "postgresql":
        pytest.fail("races are proven on PostgreSQL; set TEST_DATABASE_URL (make test-races)")


def at_once(call: Call, *works: Callable[[], Any]) -> list[Any]:
    """Start every work behind one barrier, each with a connection of its own; results or refusals, in order."""
    barrier = threading.Barrier(len(works))
    told: list[Any] = [None] * len(works)

    def run(i: int, work: Callable[[], Any]) -> None:
        try:
            with clock.at(world.opens(call)):
                barrier.wait(10)
                told[i] = work()
        except BaseException as wrong:  # noqa: BLE001 - the test looks at what came out
            told[i] = wrong
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return told


def handing_in(bid: Bid, who: Body, call: Call) -> Callable[[], Bid]:
    return lambda: services.submit(bid, by=type(who.signatory).objects.get(pk=who.signatory.pk), declarations=world.pledges(call))


def test_of_two_bids_submitted_at_once_where_one_is_allowed_exactly_one_gets_in() -> None:
    """The door locks each bid's own row; the organisation's row is what puts the two in line."""
    desk = people.office()
    sponsor = people.body(desk, name="青禾街道社区社会组织联合会")
    call = calls.opened(desk, calls.rules("YX-2026-03"))
    for _round in range(ROUNDS):
        team = people.group(desk, sponsor)
        with clock.at(world.opens(call)):
            pair = [world.filled(call, team, title=f"项目{i}") for i in range(2)]
        told = at_once(call, *(handing_in(bid, team, call) for bid in pair))
        losers = [t for t in told if isinstance(t, NotNow)]
        assert [t.rule for t in losers] == ["within_bid_limit"], told
        assert Bid.objects.filter(organisation=team.organisation, state="submitted").count() == 1


def test_six_organisations_submitting_at_once_get_six_numbers_without_a_gap() -> None:
    desk = people.office()
    call = calls.opened(desk, calls.rules("YX-2026-01"))
    bodies = [people.body(desk) for _ in range(6)]
    with clock.at(world.opens(call)):
        pairs = [(world.filled(call, who), who) for who in bodies]
    told = at_once(call, *(handing_in(bid, who, call) for bid, who in pairs))
    assert all(isinstance(t, Bid) for t in told), told
    assert sorted(b.number for b in Bid.objects.all()) == [f"YX-2026-01-{n:03d}" for n in range(1, 7)]


def test_two_presses_of_submit_on_one_bid_make_two_versions_in_order_and_one_number() -> None:
    desk = people.office()
    call = calls.opened(desk, calls.rules("YX-2026-01"))
    who = people.body(desk)
    with clock.at(world.opens(call)):
        bid = world.filled(call, who)
    told = at_once(call, *(handing_in(bid, who, call) for _ in range(2)))
    assert all(isinstance(t, Bid) for t in told), told
    fresh = Bid.objects.get()
    assert fresh.number == "YX-2026-01-001"
    assert list(fresh.versions.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_submitting_and_withdrawing_at_once_end_in_one_of_the_two_orders() -> None:
    desk = people.office()
    call = calls.opened(desk, calls.rules("YX-2026-01"))
    for _round in range(ROUNDS):
        who = people.body(desk)
        with clock.at(world.opens(call)):
            bid = world.submitted(call, who)

        def take_back(bid: Bid = bid, who: Body = who) -> Bid:
            return services.withdraw(bid, by=type(who.signatory).objects.get(pk=who.signatory.pk), note="撤回")

        told = at_once(call, handing_in(bid, who, call), take_back)
        fresh = Bid.objects.get(pk=bid.pk)
        assert all(isinstance(t, Bid) for t in told), told
        assert (fresh.state, fresh.versions.count()) in {("submitted", 2), ("withdrawn", 2)}
