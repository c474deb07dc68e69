"""投标回执 for those who hold them: signed at once, on the bid's page, printed with the file inside, checked by anybody."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from bidding import services
from bidding.models import Bid
from bidding.services import receipts as held
from grants import clock, ledger
from grants.documents.files import read_file
from grants.ledger import receipts
from grants.ledger.offline import verify
from grants.notifications.models import Message
from grants.workflow.effects import drain
from tests.world import bidding as world
from tests.world import calls, people
from tests.world.people import Body, Office

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def who(desk: Office) -> Body:
    return people.body(desk)


@pytest.fixture
def bid(desk: Office, who: Body) -> Any:
    call = calls.opened(desk, calls.rules("YX-2026-01"))
    with clock.at(world.opens(call)):
        made = world.filled(call, who)
        services.submit(made, by=who.signatory, declarations=[d.code for d in made.rules.forms.declarations])
        yield Bid.objects.select_related(*Bid.door_select).get(pk=made.pk)


def browser(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def checked(text: str) -> list[str]:
    told: list[str] = []
    verify.check_receipt(text, receipts.trusted(), lambda step, detail: told.append(step))
    return told


def test_the_page_after_submitting_hands_out_a_signed_receipt_before_any_effect_ran(bid: Bid, who: Body) -> None:
    client = browser(who.signatory)
    page = client.get(reverse("bidding:submitted", args=[bid.pk])).content.decode()
    address = reverse("bidding:receipt", args=[bid.pk, held.of_bid(bid)[0].event.uid])
    assert address in page
    answer = client.get(address)
    assert answer.headers["Content-Disposition"].endswith('-H1.receipt.json"')
    assert checked(answer.content.decode()) == ["signature", "entry", "pending"]
    about = json.loads(answer.content)["about"]
    assert about["project"] == bid.title and about["content"] == bid.latest.hash  # type: ignore[union-attr]
    assert who.signatory.name not in answer.content.decode(), "no person's name in what is shown to others"


def test_once_sequenced_the_receipt_carries_its_proof_and_the_page_says_so(bid: Bid, who: Body) -> None:
    client, uid = browser(who.signatory), held.of_bid(bid)[0].event.uid
    page, proof = reverse("bidding:versions", args=[bid.pk]), reverse("bidding:receipt_proof", args=[bid.pk, uid])
    assert "等待检查点" in client.get(page).content.decode()
    assert client.get(proof).status_code == 409
    ledger.checkpoint()
    assert "已写入，有证明" in client.get(page).content.decode()
    assert checked(client.get(reverse("bidding:receipt", args=[bid.pk, uid])).content.decode()) == ["signature", "entry", "inclusion"]
    assert client.get(proof).content.startswith(b"c2sp.org/tlog-proof@v1\nindex ")


def test_a_withdrawal_has_its_receipt_too_printed_and_written(bid: Bid, who: Body) -> None:
    services.withdraw(bid, by=who.signatory)
    while drain():
        pass
    top, below = held.of_bid(bid)
    assert (top.withdrawn, below.withdrawn, top.number[-2:], below.number[-2:]) == (True, False, "C1", "H1")
    assert checked(held.whole(top).decode())[0] == "signature"
    assert "撤回回执" in PdfReader(BytesIO(read_file(top.pdf.sha256))).pages[0].extract_text()
    assert Message.objects.filter(to=who.signatory, template="bidding/withdrawn").count() == 1
    client = browser(who.signatory)
    assert client.get(reverse("desk:file", args=["bid", bid.pk, top.pdf.sha256])).status_code == 200


def test_the_printed_receipt_holds_the_signed_file_the_leaf_hash_and_a_code(bid: Bid, who: Body) -> None:
    while drain():
        pass
    kept = held.of_bid(bid)[0]
    reader = PdfReader(BytesIO(read_file(kept.pdf.sha256)))
    (inside,) = reader.attachments.values()
    assert checked(inside[0].decode()) == ["signature", "entry", "pending"]
    assert receipts.leaf_hash_of(kept.event) in "".join("".join(p.extract_text() for p in reader.pages).split())
    assert bid.title in json.loads(inside[0])["about"]["project"]


def test_only_the_applicant_takes_receipts(bid: Bid, who: Body, desk: Office) -> None:
    uid = held.of_bid(bid)[0].event.uid
    other = people.body(desk)
    for person in (other.signatory, desk.officer, desk.finance):
        for name in ("bidding:receipt", "bidding:receipt_proof"):
            assert browser(person).get(reverse(name, args=[bid.pk, uid])).status_code == 404
    unknown = reverse("bidding:receipt", args=[bid.pk, "00000000-0000-4000-8000-000000000000"])
    assert browser(who.signatory).get(unknown).status_code == 404


def test_anybody_checks_a_receipt_and_a_tampered_one_is_named(bid: Bid) -> None:
    """Uploaded or pasted, without an account; what is wrong is said, what was pasted is not lost."""
    ledger.checkpoint()
    page, content = reverse("desk:receipts"), held.whole(held.of_bid(bid)[0])
    visitor = Client()
    good = visitor.post(page, {"file": SimpleUploadedFile("r.json", content)})
    assert good.status_code == 200 and "回执成立" in good.content.decode() and "已写入台账" in good.content.decode()
    text = content.decode().replace(bid.title, "被改过的项目")
    bad = visitor.post(page, {"text": text})
    assert bad.status_code == 422
    assert "签名不成立" in bad.content.decode() and "被改过的项目" in bad.content.decode()
    assert visitor.post(page, {}).status_code == 422
    assert "请选择回执文件" in visitor.post(page, {}).content.decode()
    assert "公钥读不出" in visitor.post(page, {"text": text, "key": "no key"}).content.decode()


def test_a_foreign_key_is_not_satisfied(bid: Bid) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from grants.ledger.note import Verifier

    stranger = str(Verifier.of("gongchuang/receipts", Ed25519PrivateKey.generate()))
    answer = Client().post(reverse("desk:receipts"), {"text": held.whole(held.of_bid(bid)[0]).decode(), "key": stranger})
    assert answer.status_code == 422 and "公钥对不上" in answer.content.decode()


def test_a_scanned_code_is_answered_only_with_its_leaf_hash(bid: Bid) -> None:
    event = held.of_bid(bid)[0].event
    page, leaf = reverse("desk:receipts"), receipts.leaf_hash_of(event)
    ask = lambda **given: Client().get(page, given).content.decode()  # noqa: E731
    assert "正等待检查点" in ask(event=event.uid, leaf=leaf)
    ledger.checkpoint()
    assert "已写入台账" in ask(event=event.uid, leaf=leaf)
    for given in ({"event": event.uid, "leaf": "0" * 64}, {"event": event.uid}, {"event": "x", "leaf": leaf}):
        assert "台账里没有这个条目" in ask(**given)


def test_the_code_leads_to_this_site(bid: Bid, settings: Any) -> None:
    settings.SITE_URL = "https://grants.example.gov.cn"
    kept = held.of_bid(bid)[0]
    assert held.address(kept) == f"https://grants.example.gov.cn/receipts/?event={kept.event.uid}&leaf={receipts.leaf_hash_of(kept.event)}"
