"""Sealed calls at every stage: officers with keys, a key that is made and rehearsed in turns, bids sealed as a browser does, the opening."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bidding import services as bids
from bidding.models import Bid, SealKey, SealShare
from bidding.sealing import ceremony, envelope, keys
from bidding.sealing.envelope import KeptCopy
from bidding.services import ceremonies, openings, sealing
from bidding.services.ceremonies import Seat
from grants import clock
from grants.calls import services as call_services
from grants.calls.models import Call
from grants.people.models import User
from tests.world import calls, people
from tests.world.bidding import before_closing, opens, pledges
from tests.world.people import Body, Office

SENTENCE = "为望湖街道九十六户独居老人每周上门一次，并教邻里急救。"
"""A sentence that stands in every sealed bid of these tests, to be searched for."""
OFFICES = ("财务", "纪检", "社区")


@dataclass(frozen=True)
class Custodian:
    """An officer as they are at home: the account and the secret that the site never sees."""

    user: User
    name: str
    secret: str


def rules(preset: str = "YX-2026-03", **changes: Any) -> Any:
    """A preset whose bids are sealed."""
    return calls.rules(preset, **{"sealing": "sealed", **changes})


def custodian(user: User, name: str) -> Custodian:
    """A person with a key registered, the file kept at home."""
    recipient, secret = keys.generate_pair()
    ceremonies.register(user, recipient, b"")
    return Custodian(user, name, secret)


def three(desk: Office) -> list[Custodian]:
    """Two of the agency, and one from outside."""
    users = (desk.finance, desk.auditor, people.person("社区监督员"))
    return [custodian(user, name) for user, name in zip(users, OFFICES, strict=True)]


@dataclass
class Sealed:
    """A sealed call with its officers and key."""

    desk: Office
    call: Call
    officers: list[Custodian]
    key: SealKey

    def of(self, name: str) -> Custodian:
        return next(o for o in self.officers if o.name == name)

    def share(self, position: int = 0) -> SealShare:
        return SealShare.objects.get(key=self.key, position=position)

    def lost(self, n: int) -> list[str]:
        """The offices of the first n officers, to be reported as without a key."""
        return [officer.name for officer in self.officers[:n]]

    def fresh(self) -> SealKey:
        self.key = SealKey.objects.select_related(*SealKey.door_select).get(pk=self.key.pk)
        return self.key

    def to_the_last(self, share: SealShare) -> tuple[Custodian, str]:
        """Everybody but the last takes a layer off; returns the last and the secret they find."""
        while True:
            share = SealShare.objects.get(pk=share.pk)
            officer = self.of(share.at_turn)
            rest = ceremony.peel(ceremonies.bytes_of(share.next_blob, ""), officer.secret)
            if share.is_last:
                return officer, rest.decode()
            ceremonies.pass_on(share, rest, by=officer.user)

    def rehearse(self, share: SealShare) -> SealKey:
        last, secret = self.to_the_last(share)
        content = keys.open_with(self.key.as_key().test, secret)
        return ceremonies.rehearse(SealShare.objects.get(pk=share.pk), content, by=last.user)

    def rehearse_all(self) -> SealKey:
        for share in self.key.shares.all():
            self.rehearse(share)
        return self.fresh()

    def open(self, position: int = 0) -> SealKey:
        """One group opens everything, at the hour in which the clock stands."""
        share = self.share(position)
        last, secret = self.to_the_last(share)
        openings.open_bids(SealShare.objects.get(pk=share.pk), secret, by=last.user)
        return self.fresh()


def made(desk: Office, preset: str = "YX-2026-03", **changes: Any) -> Sealed:
    """Published, with a key that nobody has rehearsed."""
    call = calls.published(desk, rules(preset, **changes))
    officers = three(desk)
    with clock.at(calls.BEFORE):
        key = ceremonies.make_here(call, [Seat(o.user, o.name) for o in officers], by=desk.officer)
    return Sealed(desk, call, officers, key)


def ready(desk: Office, preset: str = "YX-2026-03", **changes: Any) -> Sealed:
    """Rehearsed, and open for bids."""
    found = made(desk, preset, **changes)
    with clock.at(calls.BEFORE):
        found.rehearse_all()
    assert found.call.opens_at is not None
    with clock.at(found.call.opens_at):
        call_services.tick()
    found.call = calls.fresh(found.call)
    return found


def begun(call: Call, who: Body) -> Bid:
    """A bid that has been begun: there is nothing in it."""
    with clock.at(opens(call)):
        return bids.start_bid(call, who.organisation, by=who.signatory, title="不会被保存")


def fields(title: str = "银龄守望") -> list[list[str]]:
    return [["about-title", title], ["s-need-problem", SENTENCE]]


def handed_in(found: Sealed, who: Body, given: list[list[str]] | None = None, attachments: dict[str, bytes] | None = None) -> tuple[Bid, KeptCopy]:
    """A bid sealed as the bidder's browser does and handed in."""
    bid = begun(found.call, who)
    with clock.at(before_closing(found.call)):
        return again(found, bid, who, given, attachments)


def again(
    found: Sealed, bid: Bid, who: Body, given: list[list[str]] | None = None, attachments: dict[str, bytes] | None = None
) -> tuple[Bid, KeptCopy]:
    """The same once more, now."""
    content = sealing.payload(bid, given or fields(), pledges(found.call))
    sealed, copy = envelope.sealed(sealing.place_of(bid), content, attachments or {}, found.key.recipient)
    done = sealing.hand_in(bid, sealed.header, sealed.files, by=who.signatory, declarations=pledges(found.call))
    return done, copy


def closed(found: Sealed) -> Sealed:
    """The deadline has passed."""
    return replace(found, call=calls.closed(found.call), key=found.fresh())
