"""The programs and keys by which bids are sealed are announced on paper before the call can open; every later change is told, and receipts carry it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from bidding import sealing_bundle
from bidding.models import SealProgram
from bidding.seal_tasks import notice_context
from bidding.services import programs, receipts, sealing
from grants import clock
from grants.calls import services as call_services
from grants.documents.files import read_file
from grants.ledger import keys
from grants.ledger.models import AuditEvent, stored_bytes
from grants.workflow.door import perform
from grants.workflow.effects import drain
from grants.workflow.refusals import NotYou
from tests.world import calls, people
from tests.world import sealing as world
from tests.world.bidding import before_closing
from tests.world.people import Body, Office
from tests.world.sealing import Sealed

pytestmark = pytest.mark.django_db
LATER = hashlib.sha256(b"an upgrade").hexdigest()


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def who(desk: Office) -> Body:
    return people.body(desk)


@pytest.fixture
def found(desk: Office) -> Sealed:
    return world.ready(desk)


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pages send other scripts from now on."""

    def upgrade() -> None:
        monkeypatch.setattr(sealing_bundle, "fingerprint", lambda: LATER)

    return upgrade


def public(found: Sealed) -> str:
    return Client().get(reverse("bidding:seal_public", args=[found.call.code])).content.decode()


def last_entry(found: Sealed) -> dict[str, Any]:
    event = AuditEvent.objects.filter(subject=found.key.subject).order_by("id").last()
    assert event is not None
    return json.loads(stored_bytes(event.leaf))  # type: ignore[no-any-return]


def notice(found: Sealed) -> bytes:
    answer = Client().get(reverse("bidding:seal_file", args=[found.call.code, "notice.pdf"]))
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def words(pdf: bytes) -> str:
    told = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return "".join(told.split()).replace("\u200b", "")


def attached(pdf: bytes) -> Iterator[tuple[str, bytes]]:
    yield from ((name, bytes(versions[0])) for name, versions in PdfReader(io.BytesIO(pdf)).attachments.items())


def test_the_last_rehearsal_announces_program_and_key_in_the_log_and_on_paper(desk: Office) -> None:
    """Before it there is no notice, and the page says when there will be one."""
    made = world.made(desk)
    address = reverse("bidding:seal_file", args=[made.call.code, "notice.pdf"])
    assert Client().get(address).status_code == 404
    assert "演练全部通过后公告" in public(made)
    with clock.at(calls.BEFORE):
        made.rehearse_all()
    entry = last_entry(made)
    assert entry["event"] == "seal.get_ready"
    assert entry["public"]["program"] == sealing_bundle.fingerprint()
    assert (entry["public"]["recipient"], entry["public"]["record"]) == (made.key.recipient, made.key.fingerprint)
    drain()
    pdf = notice(made)
    told = words(pdf)
    for value in (made.key.recipient, made.key.fingerprint, sealing_bundle.fingerprint(), made.call.code):
        assert value in told
    assert all(officer.user.name not in told for officer in made.officers), "offices, not persons: the paper hangs on a wall"
    assert "密封投标公告（PDF" in public(made)


def test_what_is_inside_the_notice_gives_the_printed_fingerprints(found: Sealed) -> None:
    drain()
    inside = dict(attached(notice(found)))
    assert hashlib.sha256(inside["key.json"]).hexdigest() == found.key.fingerprint
    *rows, how, whole = inside["programs.txt"].decode().splitlines()
    assert whole == sealing_bundle.fingerprint()
    names = [row.split("  ")[1] for row in rows]
    assert how == f"# cat {' '.join(names)} | sha256sum"
    assert [row.split("  ")[0] for row in rows] == [hashlib.sha256(sealing_bundle.content_of(name)).hexdigest() for name in names]
    assert hashlib.sha256(b"".join(sealing_bundle.content_of(name) for name in names)).hexdigest() == whole


def test_the_notice_names_the_keys_that_sign_log_and_receipts(found: Sealed) -> None:
    row = found.key.programs.get()
    lines = notice_context(row)["keys"]
    assert str(keys.receipt_verifier()) in lines
    assert all(len(line) < 200 for line in lines)


def test_an_upgrade_while_bids_come_in_is_warned_of_then_announced_once(found: Sealed, upgraded: Any) -> None:
    upgraded()
    assert "与最近公告的不同" in public(found)
    with clock.at(before_closing(found.call)):
        assert programs.announce_changes() == 1
        assert programs.announce_changes() == 0
    assert [row.fingerprint for row in found.key.programs.all()][1:] == [LATER]
    assert last_entry(found)["public"]["program"] == LATER
    drain()
    page, told = public(found), words(notice(found))
    assert "与最近公告的不同" not in page
    assert "系统更新过" in page
    first = found.key.programs.first()
    assert first is not None
    assert first.fingerprint in told and LATER in told, "the earlier one stays beside the new"


def test_nothing_is_announced_before_the_rehearsals_or_after_the_deadline(desk: Office, found: Sealed, upgraded: Any) -> None:
    upgraded()
    unrehearsed = world.made(desk, code="YX-2026-88")
    assert found.call.closes_at is not None
    with clock.at(found.call.closes_at + timedelta(minutes=5)):
        call_services.tick()
        assert programs.announce_changes() == 0
    assert not unrehearsed.key.programs.exists()
    assert found.key.programs.count() == 1


def test_a_key_of_before_is_announced_as_soon_as_the_clock_looks(found: Sealed) -> None:
    """A site that is upgraded to this version has ready keys without a program."""
    found.key.programs.all().delete()
    with clock.at(before_closing(found.call)):
        assert programs.announce_changes() == 1
    assert found.key.programs.get().fingerprint == sealing_bundle.fingerprint()


def test_looking_for_changes_costs_one_query(found: Sealed, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert programs.announce_changes() == 0


def test_no_person_can_announce_a_program(found: Sealed, upgraded: Any) -> None:
    upgraded()
    for person in (found.desk.officer, found.desk.approver, found.officers[0].user):
        with pytest.raises(NotYou):
            perform(found.fresh(), "renew_program", by=person)
    assert found.key.programs.count() == 1


def test_an_announced_program_cannot_be_changed(found: Sealed) -> None:
    row = SealProgram.objects.get(key=found.key)
    row.fingerprint = LATER
    with pytest.raises(RuntimeError):
        row.save()
    with pytest.raises(RuntimeError):
        row.save(update_fields=["fingerprint"])


def test_a_receipt_carries_the_program_of_its_hour_on_paper_and_in_the_signed_file(found: Sealed, who: Body, upgraded: Any) -> None:
    """Whoever alters the scripts for an hour has left their fingerprint in every receipt of that hour."""
    bid, _kept = world.handed_in(found, who)
    upgraded()
    with clock.at(before_closing(found.call)):
        world.again(found, bid, who)
    drain()
    later, earlier = receipts.of_bid(bid)
    assert receipts.about(later)["program"] == LATER
    assert receipts.about(earlier)["program"] != LATER
    bid.refresh_from_db()
    pdf = bid.sealed_versions.get(number=2).receipt
    assert pdf is not None
    assert LATER in words(read_file(pdf.pk))


def test_a_bid_that_the_server_sealed_names_no_script(found: Sealed, who: Body) -> None:
    bid = world.begun(found.call, who)
    with clock.at(before_closing(found.call)):
        codes = [d.code for d in bid.rules.forms.declarations]
        sealing.seal_here(bid, world.fields(), {}, by=who.signatory, declarations=codes)
    (held,) = receipts.of_bid(bid)
    assert "program" not in receipts.about(held)
