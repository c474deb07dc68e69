"""离线封标: from the sheet of the site over a command without network or database to an envelope that the site takes and the officers open."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tomllib
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from bidding.models import Bid, SealedVersion
from bidding.sealed_form import SealedForm
from bidding.sealing import ceremony, keys, sheet
from bidding.sealing.kept import unpack
from bidding.sealing.refusals import SealRefused
from bidding.services import sealing
from grants import clock
from tests.world import bidding as plain
from tests.world import people
from tests.world import sealing as world
from tests.world.people import Body, Office
from tests.world.sealing import SENTENCE, Sealed

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Office:
    return people.office()


@pytest.fixture
def who(desk: Office) -> Body:
    return people.body(desk)


@pytest.fixture
def found(desk: Office) -> Sealed:
    return world.ready(desk, "YX-2026-01")


def browser(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def downloaded(client: Client, bid: Bid, folder: Path) -> Path:
    path = folder / "sheet.json"
    path.write_bytes(client.get(reverse("bidding:sealed_sheet", args=[bid.pk])).content)
    return path


def answers(bid: Bid, **more: Any) -> dict[str, Any]:
    """A title, a paragraph, one line of the budget and one attachment."""
    found = {
        "about-title": "银龄守望", "s-need-problem": SENTENCE, "budget-0-name": "上门探访补贴", "budget-0-unit_price": "120.50", "budget-0-quantity": 20,
        "budget-0-category": bid.rules.budget.categories[0].code, "budget-2-name": "茶水", "budget-2-unit_price": "3.00",
        "budget-2-category": bid.rules.budget.categories[0].code,
    }  # fmt: skip
    item = bid.rules.attachments[0].code
    return {"pledges": plain.pledges(bid.call), "answers": found, "attachments": [{"item": item, "file": "方案.pdf"}], **more}


def sealed_by_command(path: Path, told: dict[str, Any], *more: str) -> Path:
    (path.parent / "方案.pdf").write_bytes(plain.pdf("离线附件"))
    written = path.parent / "answers.json"
    written.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    out = path.parent / "out"
    call_command("seal", "bid", str(path), str(written), str(out), *more)
    return out


def upload(client: Client, bid: Bid, content: bytes, pledges: list[str]) -> Any:
    page = reverse("bidding:sealed_offline", args=[bid.pk])
    return client.post(page, {"envelope": SimpleUploadedFile("sealed-bid.zip", content), "declarations": pledges})


def test_a_bid_sealed_by_the_command_is_taken_opened_and_says_what_was_written(found: Sealed, who: Body, tmp_path: Path) -> None:
    """Sheet, command, upload twice (once is kept), opening; the kept copy is what was opened, and nothing plain went to the site."""
    bid, client, pledges = world.begun(found.call, who), browser(who.signatory), plain.pledges(found.call)
    with clock.at(plain.before_closing(found.call)):
        page = client.get(reverse("bidding:sealed_offline", args=[bid.pk])).content.decode()
        assert reverse("bidding:sealed_sheet", args=[bid.pk]) in page
        assert found.key.recipient not in page, "the recipient to compare with comes from paper, not from the page that hands out the sheet"
        assert reverse("bidding:sealed_offline", args=[bid.pk]) in client.get(reverse("bidding:sealed", args=[bid.pk])).content.decode()
        out = sealed_by_command(downloaded(client, bid, tmp_path), answers(bid), "--recipient", found.key.recipient)
        envelope = (out / "sealed-bid.zip").read_bytes()
        assert SENTENCE.encode() not in envelope
        assert upload(client, bid, envelope, pledges).status_code == 302
        assert upload(client, bid, envelope, pledges).status_code == 302, "the line broke before the answer came"
        version = SealedVersion.objects.get()
        assert (version.mode, version.number) == ("client", 1)
    found = world.closed(found)
    with clock.at(found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1)):
        found.open()
    opened = Bid.objects.get(pk=bid.pk)
    assert opened.title == "银龄守望" and opened.answers["need"]["problem"] == SENTENCE
    lines = [(line.name, str(line.unit_price), int(line.quantity), line.source) for line in opened.budget_lines.order_by("pk")]
    assert lines == [("上门探访补贴", "120.50", 20, "grant"), ("茶水", "3.00", 1, "grant")], "what a new row shows by itself is there too"
    assert opened.attachments.get().name == "方案.pdf"
    manifest = json.loads(unpack((out / "kept-copy.zip").read_bytes()).manifest)
    assert ["about-title", "银龄守望"] in manifest["bid"]["fields"]


def test_a_kept_copy_made_by_the_command_restores_the_bid_when_keys_are_lost(found: Sealed, who: Body, tmp_path: Path) -> None:
    bid, client = world.begun(found.call, who), browser(who.signatory)
    with clock.at(plain.before_closing(found.call)):
        out = sealed_by_command(downloaded(client, bid, tmp_path), answers(bid))
        upload(client, bid, (out / "sealed-bid.zip").read_bytes(), plain.pledges(found.call))
    SealedVersion.objects.get().files.all().delete()
    found = world.closed(found)
    with clock.at(found.call.closes_at + timedelta(seconds=settings.SUBMISSION_DRAIN + 1)):
        found.open()
        bid = Bid.objects.select_related(*Bid.door_select).get(pk=bid.pk)
        assert bid.is_sealed
        assert sealing.restore(bid, unpack((out / "kept-copy.zip").read_bytes()), by=who.signatory).title == "银龄守望"


@pytest.mark.skipif(shutil.which("age") is None, reason="the stock age command is not installed")
def test_the_stock_age_command_opens_what_the_command_sealed(found: Sealed, who: Body, tmp_path: Path) -> None:
    bid = world.begun(found.call, who)
    with clock.at(plain.before_closing(found.call)):
        out = sealed_by_command(downloaded(browser(who.signatory), bid, tmp_path), answers(bid))
    secret = ceremony.recover(found.key.as_key(), {o.name: o.secret for o in found.officers[:2]})
    (tmp_path / "key.txt").write_text(secret, encoding="utf-8")
    with zipfile.ZipFile(out / "sealed-bid.zip") as archive:
        blob = archive.read("manifest.age")
    plain_text = subprocess.run(["age", "-d", "-i", str(tmp_path / "key.txt")], input=blob, capture_output=True, check=True).stdout
    assert SENTENCE in plain_text.decode()


def test_the_sheet_asks_what_the_page_asks_and_its_blank_answers_can_be_read(found: Sealed, who: Body, tmp_path: Path) -> None:
    """Every visible control of the form is in the sheet; filled in with nothing the file is sound TOML, and each of its names is known."""
    bid = world.begun(found.call, who)
    with clock.at(plain.before_closing(found.call)):
        path = downloaded(browser(who.signatory), bid, tmp_path)
        known = {sheet.pattern(name) for name in SealedForm(bid).known() if not name.endswith(("_FORMS", "-rows"))}
    asked = sheet.read(path.read_bytes(), path.name)
    files = {f"paper-{item}" for item in asked.papers}
    assert known - files == set(asked.controls)
    call_command("seal", "blank", str(path), str(tmp_path / "answers.toml"))
    told = tomllib.loads((tmp_path / "answers.toml").read_text(encoding="utf-8"))
    assert told["pledges"] == []
    assert {sheet.pattern(name) for name in told["answers"]} == set(asked.controls)
    assert sheet.fields(asked, told["answers"])
    assert sheet.blanks(asked, told["answers"])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"answers": {"about-titel": "x"}}, "control"), ({"answers": {"budget-#-name": "x"}}, "control"), ({"answers": {"about-title": 1.5}}, "answer"),
        ({"answers": {"about-category": "nowhere"}}, "choice"), ({"pledges": []}, "pledge"),
        ({"attachments": [{"item": "nowhere", "file": "方案.pdf"}]}, "item"), ({"attachments": [{"file": "方案.pdf"}]}, "format"), ({"answers": []}, "format"),
    ],
)  # fmt: skip
def test_what_the_sheet_does_not_ask_is_refused_and_nothing_is_written(found: Sealed, who: Body, tmp_path: Path, change: dict[str, Any], rule: str) -> None:
    bid = world.begun(found.call, who)
    with clock.at(plain.before_closing(found.call)):
        path = downloaded(browser(who.signatory), bid, tmp_path)
    with pytest.raises(CommandError) as refused:
        sealed_by_command(path, answers(bid, **change))
    assert isinstance(refused.value.__cause__, SealRefused) and refused.value.__cause__.rule == rule
    assert not (tmp_path / "out").exists()


def test_a_sheet_with_another_recipient_than_the_notice_seals_nothing(found: Sealed, who: Body, tmp_path: Path) -> None:
    """Whoever altered the download would read the bid: the recipient from paper decides."""
    bid = world.begun(found.call, who)
    with clock.at(plain.before_closing(found.call)):
        path = downloaded(browser(who.signatory), bid, tmp_path)
    told = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**told, "recipient": keys.generate_pair()[0]}), encoding="utf-8")
    with pytest.raises(CommandError, match="与您抄写的不同"):
        sealed_by_command(path, answers(bid), "--recipient", found.key.recipient)
    assert not (tmp_path / "out").exists()


def test_the_site_refuses_other_envelopes_and_keeps_what_was_ticked(found: Sealed, desk: Office, who: Body, tmp_path: Path) -> None:
    """No ZIP, plain text inside, a kept copy by mistake, another bidder's envelope, an unsigned pledge, a version that is taken."""
    bid, client, pledges = world.begun(found.call, who), browser(who.signatory), plain.pledges(found.call)
    other = people.body(desk)
    with clock.at(plain.before_closing(found.call)):
        theirs = world.begun(found.call, other)
        out = sealed_by_command(downloaded(client, bid, tmp_path), answers(bid))
        envelope = (out / "sealed-bid.zip").read_bytes()
        for content, words in ((b"no zip", "格式无法识别"), (unsealed(envelope), "没有加密"), ((out / "kept-copy.zip").read_bytes(), "header.json")):
            answer = upload(client, bid, content, pledges)
            assert answer.status_code == 422 and words in answer.content.decode()
        assert upload(browser(other.signatory), theirs, envelope, pledges).status_code == 422
        assert upload(client, bid, envelope, pledges[1:]).status_code == 422
        assert upload(client, bid, envelope, []).status_code == 422
        assert not SealedVersion.objects.exists()
        assert upload(client, bid, envelope, pledges).status_code == 302
        world.again(found, bid, who)
        late = upload(client, bid, envelope, pledges)
        assert late.status_code == 422 and "重新封标" in late.content.decode()
    assert SealedVersion.objects.filter(bid=bid).count() == 2


def unsealed(envelope: bytes) -> bytes:
    """The same header over files that nobody sealed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(envelope)) as was, zipfile.ZipFile(out, "w") as now:
        for name in was.namelist():
            now.writestr(name, was.read(name) if name == sheet.HEADER else b'{"plain": true}')
    return out.getvalue()


def test_the_pages_are_closed_to_others_after_the_deadline_and_in_calls_without_seals(found: Sealed, who: Body, desk: Office) -> None:
    bid = world.begun(found.call, who)
    names = ("bidding:sealed_offline", "bidding:sealed_sheet")
    with clock.at(plain.before_closing(found.call)):
        for person in (people.person(), desk.officer, people.body(desk).signatory):
            assert [browser(person).get(reverse(name, args=[bid.pk])).status_code for name in names] == [404, 404]
    world.closed(found)
    with clock.at(found.call.closes_at + timedelta(days=1)):
        assert [browser(who.signatory).get(reverse(name, args=[bid.pk])).status_code for name in names] == [409, 409]


def test_a_zip_that_unpacks_to_more_than_it_may_is_not_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", "{}")
        archive.writestr("manifest.age", b"\0" * 2_000_000)
    with pytest.raises(SealRefused, match="ZIP"):
        sheet.unpack(out.getvalue(), 1_000_000)
