"""故障时钟: two hours down before the deadline move it by two hours, by the published rule, confirmed by the approver, told to everybody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bidding.models import Bid
from bidding.services import submit as hand_in
from bidding.services import tick as bids_tick
from grants import clock, ledger
from grants.calls import downtime, outages, services
from grants.calls.models import Call, Downtime, Pulse
from grants.calls.rulebook.toml import from_data
from grants.notifications.models import Message
from grants.people.models import User
from grants.workflow import effects
from grants.workflow.door import SYSTEM, perform
from grants.workflow.effects import real_now
from grants.workflow.refusals import Invalid, NotNow, NotYou
from tests.world import bidding, calls, people
from tests.world.calls import fresh
from tests.world.refusals import refused

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def opened(desk: people.Office, **outage: int) -> Call:
    """An open call whose rules give downtime back."""
    plain = calls.rules("YX-2026-02").plain()
    plain["timetable"]["outage"] = {"from_minutes": 30, "within_hours": 24, "at_most_hours": 48, **outage}
    return calls.opened(desk, from_data(plain))


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def down(call: Call, desk: people.Office, before: float, hours: float) -> Downtime:
    """Recorded downtime that began `before` hours before the deadline."""
    assert call.closes_at is not None
    start = call.closes_at - before * HOUR
    with clock.at(start + hours * HOUR):
        return outages.record(call, start, start + hours * HOUR, "监控记录", by=desk.officer)


def test_two_hours_down_move_the_deadline_by_two_hours() -> None:
    """Proposed by the rule, confirmed by the approver through the ordinary step, with the reason in the ledger and a letter to followers."""
    desk = people.office()
    body, made = people.body(desk), opened(desk)
    first = made.closes_at
    assert first is not None
    down(made, desk, before=5, hours=2)
    with clock.at(first - 2 * HOUR):
        refused(NotYou, "may_approve_calls", outages.confirm, made, by=desk.officer)
        done = outages.confirm(made, by=desk.approver)
        assert done.closes_at == first + 2 * HOUR
        assert downtime.proposal(fresh(made)) is None
        refused(NotNow, "downtime_owed", outages.confirm, fresh(made), by=desk.approver)
    assert ledger.history(made.subject)[-1].public == {"from": first.isoformat(), "to": (first + 2 * HOUR).isoformat()}
    effects.drain()
    assert Message.objects.filter(to=body.signatory, template="call_extended").count() == 1
    with clock.at(first):
        services.tick()
    assert fresh(made).state == "open"


def test_what_is_below_the_threshold_or_without_a_rule_moves_nothing() -> None:
    """Twenty minutes under a rule of thirty; any downtime without a rule."""
    desk = people.office()
    made, plain = opened(desk), calls.opened(desk)
    down(made, desk, before=5, hours=0.33)
    assert downtime.proposal(made) is None
    down(made, desk, before=4, hours=1)
    assert downtime.proposal(made) is not None and downtime.proposal(plain) is None


def measured(start: datetime, end: datetime) -> Downtime:
    """What the clock writes when it comes back."""
    return Downtime.objects.create(started_at=start, ended_at=end, recorded_at=end, recorded_by=None)


def test_an_outage_across_the_deadline_is_given_back_by_the_clock() -> None:
    """Down from one hour before to one hour after: nobody needs to be awake, the call stays open two hours, everybody is told, bids go in."""
    desk = people.office()
    body, made = people.body(desk), opened(desk)
    first = made.closes_at
    assert first is not None
    with clock.at(first - 2 * HOUR):
        bid = bidding.filled(made, body)
    measured(first - HOUR, first + HOUR)
    with clock.at(first + HOUR):
        assert services.tick() == 1
        held = fresh(made)
        assert (held.state, held.closes_at) == ("open", first + 2 * HOUR)
        last = ledger.history(made.subject)[-1]
        assert (last.verb, last.actor) == ("give_back", "system")
        assert hand_in(bid, by=body.signatory, declarations=bidding.pledges(made)).state == "submitted"
        assert services.tick() == 0
    effects.drain()
    assert Message.objects.filter(to=body.signatory, template="call_extended").count() == 1
    with clock.at(first + 2 * HOUR):
        services.tick()
    assert fresh(made).state == "closed"


@pytest.mark.parametrize("confirmed", [True, False])
def test_recorded_downtime_waits_for_the_approver_and_not_for_ever(confirmed: bool) -> None:
    """An officer alone moves no deadline: the call neither closes nor takes bids until the approver confirms, or until nothing is left to give."""
    desk = people.office()
    body, made = people.body(desk), opened(desk)
    first = made.closes_at
    assert first is not None
    with clock.at(first - 4 * HOUR):
        bid = bidding.filled(made, body)
    down(made, desk, before=3, hours=2)
    with clock.at(first + timedelta(minutes=10)):
        services.tick()
        assert (fresh(made).state, fresh(made).closes_at) == ("open", first)
        refused(NotNow, "no_downtime_owed", perform, fresh(made), "close", by=SYSTEM)
        refusal = refused(NotNow, "call_is_open", hand_in, bid, by=body.signatory, declarations=bidding.pledges(made))
        assert "等待负责人确认" in str(refusal)
        if confirmed:
            assert outages.confirm(fresh(made), by=desk.approver).closes_at == first + 2 * HOUR
            assert hand_in(bid, by=body.signatory, declarations=bidding.pledges(made)).state == "submitted"
    with clock.at(first + 2 * HOUR):
        services.tick()
    assert fresh(made).state == "closed"


def test_a_clock_that_has_just_come_back_closes_nothing_before_it_has_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever chore runs first after an outage: closing waits for the beat that writes the gap down."""
    desk = people.office()
    made = opened(desk)
    assert made.closes_at is not None
    now = made.closes_at + HOUR
    for module in (outages, downtime):
        monkeypatch.setattr(module, "real_now", lambda: now)
    Pulse.objects.create(pk=1, at=now - 2 * HOUR)
    with clock.at(now):
        services.tick()
        assert fresh(made).state == "open"
        assert outages.pulse() == 1 and services.tick() == 1
    assert fresh(made).closes_at == now + HOUR


def test_what_was_in_at_the_door_in_time_is_in_time(settings: Any) -> None:
    """A request that was whole one second before the deadline and is served five later: taken, with its own second on the receipt; then closed.

    One that was whole at the deadline is late; a header from the future or from long ago gives nobody more than the drain.
    """
    settings.SUBMISSION_DRAIN, settings.ARRIVAL_HEADER = 60, "X-Body-Complete"
    desk = people.office()
    body, made = people.body(desk), calls.opened(desk, calls.rules("YX-2026-02"))
    closes = made.closes_at
    assert closes is not None
    with clock.at(closes - HOUR):
        bid = bidding.filled(made, body)
    url = reverse("bidding:check", args=[bid.pk])
    signed = {"declarations": bidding.pledges(made)}

    def sent(served: datetime, told: float) -> Any:
        with clock.at(served):
            return as_(body.signatory).post(url, signed, headers={"X-Body-Complete": f"{real_now().timestamp() - told:.3f}"})

    late = sent(closes + timedelta(seconds=5), 4)
    assert late.status_code == 409 and late.context["refusal"].rule == "call_is_open" and Bid.objects.get(pk=bid.pk).state == "draft"
    assert sent(closes + timedelta(seconds=5), -60).status_code == 409
    with clock.at(closes + timedelta(seconds=30)):
        assert services.tick() == 0 and bids_tick() == 0
    taken = sent(closes + timedelta(seconds=5), 6)
    assert taken.status_code == 302, taken.context["refusal"]
    held = Bid.objects.get(pk=bid.pk)
    assert held.state == "submitted" and held.submitted_at is not None
    assert abs(held.submitted_at - (closes - timedelta(seconds=1))) < timedelta(seconds=1)
    with clock.at(closes + timedelta(seconds=60)):
        assert services.tick() == 1
    assert fresh(made).state == "closed"


def test_an_extension_already_given_counts() -> None:
    """Only what is still owed is proposed."""
    desk = people.office()
    made = opened(desk)
    assert made.closes_at is not None
    down(made, desk, before=5, hours=2)
    with clock.at(made.closes_at - HOUR):
        services.extend(made, made.closes_at + 3 * HOUR, by=desk.approver)
    assert downtime.proposal(fresh(made)) is None


def test_recording_needs_a_past_period_and_evidence() -> None:
    """Each fault is named at its field; strangers and approvers do not record."""
    desk = people.office()
    made = opened(desk)
    with clock.at(calls.OPENS + 5 * HOUR):
        now = clock.now()
        for start, end, note, field in (
            (now, now - HOUR, "依据", "ended_at"), (now - HOUR, now + HOUR, "依据", "ended_at"), (now - HOUR, now, " ", "note"),
        ):  # fmt: skip
            refusal = refused(Invalid, "downtime", outages.record, made, start, end, note, by=desk.officer)
            assert field in refusal.problems
        refused(NotYou, "may_draft_calls", outages.record, made, now - HOUR, now, "依据", by=desk.approver)
    assert not Downtime.objects.exists()


def test_the_clock_measures_its_own_silence() -> None:
    """A gap between two beats is downtime; beats in time are not; a clock that was set jumps and counts for nothing."""
    assert outages.pulse() == 0 and outages.pulse() == 0
    before = real_now() - timedelta(hours=2)
    Pulse.objects.update(at=before)
    assert outages.pulse() == 1
    row = Downtime.objects.get()
    assert row.started_at == before and row.ended_at - row.started_at >= timedelta(hours=2) and row.recorded_by is None
    Pulse.objects.update(at=before)
    with clock.at(calls.OPENS):
        assert outages.pulse() == 0
    assert Downtime.objects.count() == 1


def test_the_page_is_for_the_agency_and_does_both() -> None:
    """The officer records, sees the proposal, cannot confirm; the approver confirms by one button; others get 404."""
    desk, elsewhere = people.office(), people.office()
    made = opened(desk)
    assert made.closes_at is not None
    url = reverse("calls:downtime", args=[made.pk])
    start = made.closes_at - 4 * HOUR
    with clock.at(start + 2 * HOUR):
        typed = {
            "act": "record", "started_at": start.astimezone(clock.TZ).strftime("%Y-%m-%dT%H:%M"),
            "ended_at": (start + 2 * HOUR).astimezone(clock.TZ).strftime("%Y-%m-%dT%H:%M"), "note": "机房断电",
        }  # fmt: skip
        wrong = as_(desk.officer).post(url, {**typed, "note": ""})
        assert wrong.status_code == 422 and wrong.context["form"].errors["note"]
        assert "已登记故障" in text(as_(desk.officer).post(url, typed, follow=True))
        page = text(as_(desk.officer).get(url))
        assert "应顺延 120 分钟" in page and "机房断电" in page and "确认顺延并通知" not in page
        assert as_(desk.officer).post(url, {"act": "confirm"}).status_code == 403
        assert "已顺延截止时间" in text(as_(desk.approver).post(url, {"act": "confirm"}, follow=True))
    assert fresh(made).closes_at == made.closes_at + 2 * HOUR
    assert as_(elsewhere.officer).get(url).status_code == 404 and Client().get(url).status_code == 302
    assert as_(desk.officer).get(reverse("calls:downtime", args=[calls.draft(desk).pk])).status_code == 404
