"""密封投标 under two hands at once, on PostgreSQL: one version each, one opening, and late is late also for ciphertext."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from bidding.models import Bid, OpeningRecord, SealedVersion, SealKey, SealShare
from bidding.sealing import envelope
from bidding.services import losses, openings, sealing
from grants import clock
from grants.ledger.models import AuditEvent
from grants.people.again import just_now
from grants.workflow.refusals import NotNow, Refusal
from tests.races.threads import at_once
from tests.world import bidding as plain
from tests.world import people
from tests.world import sealing as world
from tests.world.sealing import Sealed

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
ROUNDS = 5


@pytest.fixture(autouse=True)
def _postgresql_only() -> None:
    if connection.vendor != "postgresql":
        pytest.fail("races are proven on PostgreSQL; set TEST_DATABASE_URL (make test-races)")


def test_two_colleagues_handing_in_at_once_leave_one_version_and_one_is_told() -> None:
    found = world.ready(people.office())
    who = people.body(found.desk)
    bid = world.begun(found.call, who)
    pledges, moment = plain.pledges(found.call), plain.before_closing(found.call)
    for number in range(1, ROUNDS + 1):
        content = sealing.payload(bid, world.fields(), pledges)
        pair = [envelope.sealed(sealing.place_of(bid), content, {}, found.key.recipient)[0] for _ in range(2)]
        told = at_once(*(handing_in(bid, sealed, who, pledges) for sealed in pair), now=moment)
        refused = [t for t in told if isinstance(t, Refusal)]
        assert [t.rule for t in refused] == ["next_version"], told
        assert list(bid.sealed_versions.values_list("number", flat=True)) == list(range(1, number + 1))


def handing_in(bid: Bid, sealed: Any, who: Any, pledges: list[str]) -> Callable[[], Any]:
    return lambda: sealing.hand_in(bid, sealed.header, sealed.files, by=who.signatory, declarations=pledges)


def test_two_groups_opening_at_once_open_once() -> None:
    """Every bid is taken out once, one record is written; the slower group is told that it is done."""
    for _round in range(ROUNDS):
        found = opened_by_nobody()
        moment = found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1)
        with clock.at(moment):
            lasts = [(share, *found.to_the_last(share)) for share in found.key.shares.all()[:2]]
        told = at_once(*(opening(*last) for last in lasts), now=moment)
        assert [type(t) for t in told].count(SealKey) == 1, told
        assert all(isinstance(t, SealKey | NotNow) for t in told), told
        assert OpeningRecord.objects.filter(key=found.key).count() == 1
        record = OpeningRecord.objects.get(key=found.key)
        assert (record.opened, record.failed) == (2, 0)
        for bid in Bid.objects.filter(call=found.call):
            assert AuditEvent.objects.filter(subject=bid.subject, event="bid.unseal").count() == 1
            assert bid.versions.count() == 1
        SealedVersion.objects.filter(bid__call=found.call).update(receipt=None)
        remove(found)


def test_a_key_that_is_found_while_its_loss_is_declared_opens_everything_or_nothing() -> None:
    """One record either way: all bids open and the declaration told so, or none open and the officers told that keys no longer count."""
    for _round in range(ROUNDS):
        found = opened_by_nobody()
        moment = found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1)
        with clock.at(moment):
            share = found.share()
            last, secret = found.to_the_last(share)
            losses.report(found.key, found.lost(2), by=found.desk.officer, note="保险柜失窃", proof=just_now("password"))
        told = at_once(opening(share, last, secret), declaring(found), now=moment)
        refused = [t for t in told if isinstance(t, NotNow)]
        assert len(refused) == 1 and [type(t) for t in told].count(SealKey) == 1, told
        record, key = OpeningRecord.objects.get(key=found.key), found.fresh()
        rows = Bid.objects.filter(call=found.call)
        if key.is_lost:
            assert refused[0].rule in ("state", "declared_lost")
            assert (record.opened, record.failed, record.told["why"]) == (0, 2, "key_lost")
            assert {(b.seal_refusal, b.opened_at) for b in rows} == {("key_lost", None)}
            assert not AuditEvent.objects.filter(event="bid.unseal", subject__in=[b.subject for b in rows]).exists()
        else:
            assert refused[0].rule == "state"
            assert (record.opened, record.failed) == (2, 0)
            assert all(b.opened_at is not None and not b.seal_refusal for b in rows)
        remove(found)


def declaring(found: Sealed) -> Callable[[], Any]:
    return lambda: losses.declare(found.key, by=found.desk.approver, note="已逐一核对", proof=just_now("password"))


def test_two_persons_declaring_at_once_declare_once() -> None:
    found = opened_by_nobody()
    second = people.appointed("approver", found.desk.agency)
    moment = found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1)
    with clock.at(moment):
        losses.report(found.key, found.lost(2), by=found.desk.officer, note="保险柜失窃", proof=just_now("password"))
    other = lambda: losses.declare(found.key, by=second, note="已逐一核对", proof=just_now("password"))  # noqa: E731
    told = at_once(declaring(found), other, now=moment)
    assert [type(t) for t in told].count(SealKey) == 1, told
    assert [t.rule for t in told if isinstance(t, NotNow)] == ["state"], told
    assert OpeningRecord.objects.filter(key=found.key).count() == 1


def opened_by_nobody() -> Sealed:
    found = world.ready(people.office())
    for _ in range(2):
        world.handed_in(found, people.body(found.desk))
    return world.closed(found)


def opening(share: SealShare, last: Any, secret: str) -> Callable[[], Any]:
    return lambda: openings.open_bids(SealShare.objects.get(pk=share.pk), secret, by=last.user)


def remove(found: Sealed) -> None:
    """The next round's call takes another code."""
    type(found.call).objects.filter(pk=found.call.pk).update(code=f"{found.call.code}-{found.call.pk}"[:40])
