"""The pages of a sealed call without a script: officers register, the key is made, groups take turns, bids come in, the opening, the record."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from bidding.models import Bid, OfficerKey, OpeningRecord, SealedVersion, SealKey, SealShare
from bidding.sealing import ceremony, envelope, keys
from bidding.sealing.kept import pack
from bidding.sealing.keys import Officer
from bidding.services import sealing
from bidding.services.ceremonies import text_of
from grants import clock
from grants.documents.qr import qr_code
from grants.workflow.effects import drain
from tests.world import bidding as plain
from tests.world import calls, people
from tests.world import sealing as world
from tests.world.fresh import left_open
from tests.world.people import Body, Office
from tests.world.sealing import Sealed

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def who(desk: Office) -> Body:
    return people.body(desk)


@pytest.fixture
def found(desk: Office) -> Sealed:
    return world.ready(desk)


def browser(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def closing(found: Sealed) -> Any:
    return found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1)


def test_an_officer_registers_a_key_of_their_own_and_a_bad_one_is_refused_with_what_was_typed(desk: Office) -> None:
    made, client, page = keys.generate_identity(), browser(desk.finance), reverse("bidding:officer_key")
    answer = client.post(page, {"recipient": "age1nonsense", "protected": text_of(made.protected)})
    assert answer.status_code == 422
    assert "age1nonsense" in answer.content.decode()
    answer = client.post(page, {"recipient": made.recipient, "protected": text_of(b"AGE-SECRET-KEY-1PLAIN")})
    assert answer.status_code == 422
    assert not OfficerKey.objects.exists()
    assert client.post(page, {"recipient": made.recipient, "protected": text_of(made.protected)}).status_code == 302
    shown = client.get(page).content.decode()
    assert made.recipient in shown
    assert text_of(made.protected) in shown and qr_code(text_of(made.protected), label="x").path in shown, "the paper copy"
    assert made.passphrase not in client.get(page).content.decode()


def test_the_ceremony_by_hand_from_registration_to_ready(desk: Office) -> None:
    """Key made by the dealer's machine, every group takes its turns on the page, the call then opens."""
    call = calls.published(desk, world.rules())
    officers = world.three(desk)
    with clock.at(calls.BEFORE):
        page = reverse("bidding:seal", args=[call.pk])
        dealer = browser(desk.officer)
        shown = dealer.get(page).content.decode()
        assert all(str(o.user) in shown for o in officers)
        key = ceremony.make_call_key(call.code, [Officer(o.name, recipient_of(o.user)) for o in officers], 2)
        made = {
            "recipient": key.recipient, "test": text_of(key.test), "test_hash": key.test_hash,
            "shares": [{"officers": list(group), "blob": text_of(blob)} for group, blob in key.shares.items()],
        }  # fmt: skip
        seats = {f"user-{i}": str(o.user.pk) for i, o in enumerate(officers)} | {f"name-{i}": o.name for i, o in enumerate(officers)}
        lacking = dealer.post(page, {**seats, "threshold": "2", "made": json.dumps({**made, "shares": made["shares"][:2]})})
        assert lacking.status_code == 422
        assert not SealKey.objects.exists()
        assert dealer.post(page, {**seats, "threshold": "2", "made": json.dumps(made)}).status_code == 302
        for share in SealShare.objects.all():
            by_hand(share, officers, page)
    assert SealKey.objects.get().state == "ready"


def recipient_of(user: Any) -> str:
    return OfficerKey.objects.get(user=user, retired_at=None).recipient


def by_hand(share: SealShare, officers: list[Any], page: str, *, opening: bool = False) -> None:
    """Each of a group opens what the page shows with their own tools and pastes what is left."""
    while True:
        share = SealShare.objects.get(pk=share.pk)
        officer = next(o for o in officers if o.name == share.at_turn)
        client = proven(officer.user) if opening else browser(officer.user)
        assert share.next_blob in client.get(page).content.decode()
        rest = keys.open_with(sealing_bytes(share.next_blob), officer.secret)
        if not share.is_last:
            assert client.post(reverse("bidding:seal_turn", args=[share.pk]), {"rest": text_of(rest)}).status_code == 302
            continue
        content = keys.open_with(sealing_bytes(share.key.test), rest.decode())
        sent = {"secret": rest.decode()} if opening else {"content": text_of(content)}
        assert client.post(reverse("bidding:seal_finish", args=[share.pk]), sent).status_code == 302
        return


def proven(person: Any) -> Client:
    """Signed in, and has given the password within the last minutes."""
    client, page = browser(person), reverse("bidding:officer_key")
    assert client.post(f"{reverse('account_reauthenticate')}?next={page}", {"password": people.PASSWORD})["Location"] == page
    return client


def sealing_bytes(text: str) -> bytes:
    from bidding.services.ceremonies import bytes_of

    return bytes_of(text, "")


def test_opening_on_the_page_the_record_its_signatures_and_the_public_page(found: Sealed, who: Body) -> None:
    world.handed_in(found, who)
    found = world.closed(found)
    page, public = reverse("bidding:seal", args=[found.call.pk]), reverse("bidding:seal_public", args=[found.call.code])
    with clock.at(closing(found)):
        assert "1 份密封投标" in browser(found.officers[0].user).get(page).content.decode()
        by_hand(found.share(), found.officers, page, opening=True)
        record = OpeningRecord.objects.get()
        for name in record.officers:
            client = proven(found.of(name).user)
            assert client.post(reverse("bidding:seal_sign", args=[found.call.pk])).status_code == 302
        drain()
        shown = Client().get(public).content.decode()
        assert record.hash in shown
        assert SealedVersion.objects.get().hash in shown
        assert who.organisation.name not in shown
        assert str(found.officers[0].user) not in shown
        assert Client().get(reverse("bidding:seal_file", args=[found.call.code, "opening.json"])).content.decode() == record.document
        assert Client().get(reverse("bidding:seal_file", args=[found.call.code, "key.json"])).content.decode() == found.key.record
        assert Client().get(reverse("bidding:seal_file", args=[found.call.code, "secret.json"])).status_code == 404
        assert "2 人签署" in shown


def test_whoever_finds_a_browser_signed_in_neither_opens_nor_signs(found: Sealed, who: Body) -> None:
    """The page shows no share and asks who it is; what is posted all the same leads there too, and nothing has happened."""
    world.handed_in(found, who)
    found = world.closed(found)
    share, page = found.share(), reverse("bidding:seal", args=[found.call.pk])
    asked = f"{reverse('account_reauthenticate')}?next={quote(page, safe='')}"
    with clock.at(closing(found)):
        officer = found.of(share.at_turn)
        client, rest = left_open(browser(officer.user)), ceremony.peel(sealing_bytes(share.next_blob), officer.secret)
        shown = client.get(page).content.decode()
        assert share.next_blob not in shown and "请先再验证一次身份" in shown
        assert client.post(reverse("bidding:seal_turn", args=[share.pk]), {"rest": text_of(rest)}).url == asked
        assert client.post(reverse("bidding:seal_finish", args=[share.pk]), {"secret": "x"}).url == asked
        assert SealShare.objects.get(pk=share.pk).layer == 0
        found.open()
        signer = found.of(found.key.record_row.officers[0]).user
        assert left_open(browser(signer)).post(reverse("bidding:seal_sign", args=[found.call.pk])).url == asked
        assert "签署以前请再验证一次身份" in left_open(browser(signer)).get(page).content.decode()
    assert not found.key.record_row.signatures.exists()


def test_the_desk_pages_are_closed_to_strangers_and_turns_to_everybody_but_officers(found: Sealed, who: Body) -> None:
    share = found.share()
    for person in (who.signatory, people.person()):
        client = browser(person)
        assert client.get(reverse("bidding:seal", args=[found.call.pk])).status_code == 404
        for name in ("bidding:seal_turn", "bidding:seal_finish", "bidding:seal_again"):
            assert client.post(reverse(name, args=[share.pk]), {"rest": "x"}).status_code == 404
    assert browser(found.desk.officer).post(reverse("bidding:seal_turn", args=[share.pk]), {"rest": "x"}).status_code == 404


def test_a_call_without_seals_has_no_such_pages(desk: Office) -> None:
    call = calls.opened(desk)
    assert browser(desk.officer).get(reverse("bidding:seal", args=[call.pk])).status_code == 404
    assert Client().get(reverse("bidding:seal_public", args=[call.code])).status_code == 404


def test_the_bidders_browser_hands_ciphertext_in_and_is_told_why_not(found: Sealed, who: Body) -> None:
    bid = world.begun(found.call, who)
    page, pledges, client = reverse("bidding:hand_in", args=[bid.pk]), plain.pledges(found.call), browser(who.signatory)
    content = sealing.payload(bid, world.fields(), pledges)
    sealed, _copy = envelope.sealed(sealing.place_of(bid), content, {"x/章程.pdf": plain.pdf()}, found.key.recipient)
    files = {name: SimpleUploadedFile(f"{name}.age", blob) for name, blob in sealed.files.items()}
    with clock.at(plain.before_closing(found.call)):
        bad = client.post(page, {"header": "{", "declarations": pledges, **files})
        assert bad.status_code == 422
        assert bad.json()["sentence"]
        clear = client.post(page, {"header": json.dumps(sealed.header), "declarations": pledges, "manifest": SimpleUploadedFile("m", b"{}")})
        assert clear.json()["rule"] == "not_sealed"
        files = {name: SimpleUploadedFile(f"{name}.age", blob) for name, blob in sealed.files.items()}
        answer = client.post(page, {"header": json.dumps(sealed.header), "declarations": pledges, **files})
        assert answer.status_code == 200, answer.content
        assert answer.json()["header"] == envelope.hash_of(sealed.header)
        assert browser(people.person()).post(page).status_code == 404
        shown = client.get(reverse("bidding:submitted", args=[bid.pk])).content.decode()
        assert answer.json()["header"] in shown
        assert client.get(reverse("bidding:versions", args=[bid.pk])).status_code == 200
        assert client.get(reverse("desk:object", args=["bid", bid.pk])).status_code == 200
        assert client.get(reverse("bidding:tasks", args=[bid.pk])).status_code == 302


def test_a_copy_is_uploaded_for_a_bid_that_did_not_open(found: Sealed, who: Body) -> None:
    bid, copy = world.handed_in(found, who)
    version = bid.sealed_latest
    assert version is not None
    version.files.all().delete()
    found = world.closed(found)
    page, client = reverse("bidding:restore", args=[bid.pk]), browser(who.signatory)
    with clock.at(closing(found)):
        assert "不需要恢复" in client.get(page).content.decode()
        found.open()
        assert "投标留存包" in client.get(page).content.decode()
        for wrong in (b"no zip", pack(envelope.KeptCopy(copy.manifest + b" ", {}))):
            answer = client.post(page, {"kept": SimpleUploadedFile("k.zip", wrong)})
            assert answer.status_code == 422
        assert Bid.objects.get(pk=bid.pk).is_sealed
        assert client.post(page, {"kept": SimpleUploadedFile("k.zip", pack(copy))}).status_code == 302
        assert Bid.objects.get(pk=bid.pk).title == "银龄守望"
        assert browser(found.desk.officer).get(reverse("bidding:screening", args=[bid.pk])).status_code == 200


def test_the_desk_reads_about_a_bid_that_stayed_closed_without_falling_over(found: Sealed, who: Body) -> None:
    bid, _copy = world.handed_in(found, who)
    version = bid.sealed_latest
    assert version is not None
    version.files.all().delete()
    found = world.closed(found)
    officer = browser(found.desk.officer)
    with clock.at(closing(found)):
        found.open()
        for name in ("bidding:screening", "bidding:versions"):
            assert officer.get(reverse(name, args=[bid.pk])).status_code == 200
        assert officer.get(reverse("bidding:of_call", args=[found.call.pk])).status_code == 200
        assert officer.post(reverse("bidding:run", args=[found.call.pk])).status_code in (302, 409)
        assert officer.get(reverse("desk:object", args=["bid", bid.pk])).status_code == 200


def test_what_waits_for_officers_and_dealers_is_on_their_desks(desk: Office) -> None:
    call = calls.published(desk, world.rules())
    with clock.at(calls.BEFORE):
        assert "制作开标密钥" in browser(desk.officer).get(reverse("desk:home")).content.decode()
    officers = world.three(desk)
    from bidding.services import ceremonies

    with clock.at(calls.BEFORE):
        ceremonies.make_here(call, [ceremonies.Seat(o.user, o.name) for o in officers], by=desk.officer)
        assert "演练开标" in browser(officers[1].user).get(reverse("desk:home")).content.decode()
        assert "制作开标密钥" not in browser(desk.officer).get(reverse("desk:home")).content.decode()


def test_what_the_site_seals_itself_never_touches_the_disk_on_its_way(found: Sealed, who: Body, settings: Any, tmp_path: Any, monkeypatch: Any) -> None:
    """The uploads are in memory although they are larger than Django keeps there, and the form's token is asked for all the same."""
    from django.core.files import uploadedfile

    touched: list[str] = []
    monkeypatch.setattr(uploadedfile.TemporaryUploadedFile, "__init__", lambda *a, **k: touched.append("disk"))
    bid = world.begun(found.call, who)
    page = reverse("bidding:seal_here", args=[bid.pk])
    large = SimpleUploadedFile("大.pdf", plain.pdf("x" * 3_000_000))
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(who.signatory)
    with clock.at(plain.before_closing(found.call)):
        assert strict.post(page, {"paper-x": large}).status_code == 403
        answer = browser(who.signatory).post(page, {"paper-x": SimpleUploadedFile("大.pdf", plain.pdf("x" * 3_000_000))})
        assert answer.status_code == 422
    assert touched == []
