"""密封投标 in the demonstration: officers with keys, the rehearsal, bids sealed for real, the opening by two and its signed record.

The officers' secrets live in this process only, as they live on the officers' own computers: the demonstration's database cannot open its own bids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from bidding import services
from bidding.completeness import needs_sponsor
from bidding.models import Bid, SealKey, SealShare
from bidding.sealed_form import SealedForm
from bidding.sealing import ceremony, envelope, keys
from bidding.services import ceremonies, openings, sealing
from bidding.services.ceremonies import Seat, bytes_of
from bidding.services.writing import only_track
from grants import clock
from grants.calls.models import Call
from grants.desk.demo.cast import Body, Office
from grants.desk.demo.writing import Writer
from grants.documents.files import read_file
from grants.people.models import User
from grants.people.services import sponsor_on


class SealedWriter(Writer):
    """Writes as the others do, but on a sheet that is thrown away: what is handed in is sealed."""

    def __init__(self, call: Call, body: Body, *given: Any, **more: Any) -> None:
        super().__init__(call, body, *given, **more)
        self.fields: list[list[str]] = []
        self.attachments: dict[str, bytes] = {}

    def fill(self, bid: Bid) -> Bid:
        """Fill a copy that never stays in the database, as a bidder fills the page in the browser, and keep what the page would post."""
        with transaction.atomic():
            Bid.objects.filter(pk=bid.pk).update(sealed=False)
            sheet = self._named(Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk))
            super().fill(sheet)
            sheet = Bid.objects.select_related(*Bid.door_select, "call__rules_version").get(pk=bid.pk)
            self.fields = list(controls(SealedForm(sheet)))
            self.attachments = {f"{row.code}/{row.name}": read_file(row.file_id) for row in sheet.attachments.all()}
            transaction.set_rollback(True)
        return bid

    def _named(self, bid: Bid) -> Bid:
        organisation = self.body.organisation
        sponsor = sponsor_on(organisation, clock.today()) if needs_sponsor(self.rules, organisation) else None
        return services.save_basics(
            bid, by=self.body.person, title=self.idea.title, category=self.category, need=self.need, track=only_track(self.call, organisation),
            sponsor=sponsor,
        )  # fmt: skip

    def submit(self, bid: Bid) -> Bid:
        """Sealed to the call's key and handed in."""
        fresh = Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)
        signed = [d.code for d in self.rules.forms.declarations]
        content = sealing.payload(fresh, self.fields, signed)
        sealed, _copy = envelope.sealed(sealing.place_of(fresh), content, self.attachments, sealing.key_of(self.call).recipient)
        return sealing.hand_in(fresh, sealed.header, sealed.files, by=self.body.person, declarations=signed)


def controls(form: SealedForm) -> Iterator[list[str]]:
    """[name, text] of every control of an unbound form that is filled, as a browser would post it."""
    for part in form.parts:
        if hasattr(part, "management_form"):
            yield from ([part.management_form.add_prefix(name), str(value)] for name, value in part.management_form.initial.items())
        for each in getattr(part, "forms", [part]):
            for bound in each:
                yield from ([bound.html_name, text] for text in _texts(bound.value()))


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, (list, tuple)) else [value]:
        if each not in (None, False, ""):
            yield "on" if each is True else str(each)


@dataclass
class Keyring:
    """The officers of one call with their secrets."""

    secrets: dict[str, str]
    people: dict[str, User]

    def rehearse(self, key: SealKey) -> None:
        """Every group opens the test envelope."""
        for share in key.shares.all():
            last, secret = self._to_the_last(share)
            content = keys.open_with(key.as_key().test, secret)
            ceremonies.rehearse(SealShare.objects.get(pk=share.pk), content, by=last)

    def open(self, key: SealKey) -> None:
        """The first group opens everything; both sign the record."""
        share = key.shares.all()[0]
        last, secret = self._to_the_last(share)
        key = openings.open_bids(SealShare.objects.get(pk=share.pk), secret, by=last)
        for name in share.group:
            openings.sign(key, by=self.people[name])

    def _to_the_last(self, share: SealShare) -> tuple[User, str]:
        while True:
            share = SealShare.objects.get(pk=share.pk)
            rest = ceremony.peel(bytes_of(share.next_blob, ""), self.secrets[share.at_turn])
            if share.is_last:
                return self.people[share.at_turn], rest.decode()
            ceremonies.pass_on(share, rest, by=self.people[share.at_turn])


def prepared(call: Call, office: Office, outsider: User) -> Keyring:
    """Three officers register keys, the officer makes the call's key, every group rehearses. One is from outside the bureau."""
    people = {"财务": office.finance, "纪检审计": office.auditor, "社会监督": outsider}
    secrets = {}
    for name, user in people.items():
        recipient, secrets[name] = keys.generate_pair()
        ceremonies.register(user, recipient, b"")
    key = ceremonies.make_here(call, [Seat(user, name) for name, user in people.items()], by=office.officer)
    ring = Keyring(secrets, people)
    ring.rehearse(key)
    return ring
