"""离线封标: from the sheet of the site over a command without network or database to an envelope that the site takes and the officers open."""

from __future__ import annotations

import io
import json
import os
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
from django.utils.datastructures import MultiValueDict

from bidding import sealed_sheet
from bidding.models import Bid, SealedVersion
from bidding.sealed_form import SealedForm, as_data
from bidding.sealed_offline import problems
from bidding.sealing import ceremony, keys, sheet
from bidding.sealing.kept import unpack
from bidding.sealing.refusals import SealRefused
from bidding.services import sealing
from grants import clock
from grants.calls.models import Call
from tests.stages.test_sealed_form import handed, posted
from tests.world import bidding as plain
from tests.world import calls, people
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
    """A whole bid as somebody would write it into the file: what a filled page of the same rules holds, with two budget lines of its own."""
    like = filled_like(bid)
    known = set(sheet.read(json.dumps(sealed_sheet.sheet(bid)).encode(), "sheet").controls)
    found: dict[str, Any] = {}
    for name, text in posted(like):
        if sheet.pattern(name) in known and not name.startswith("budget-"):
            found.setdefault(name, []).append(text)
    category = bid.rules.budget.categories[0].code
    lines = {
        "budget-0-name": "上门探访补贴", "budget-0-unit_price": "120.50", "budget-0-quantity": 20, "budget-0-category": category,
        "budget-2-name": "茶水", "budget-2-unit_price": "3.00", "budget-2-category": category,
        "budget-3-name": "自筹", "budget-3-unit_price": "1700.00", "budget-3-category": category, "budget-3-source": "match_cash",
    }  # fmt: skip
    items = list(dict.fromkeys(path.split("/")[0] for path in handed(like)))
    files = [{"item": item, "file": "方案.pdf" if n == 0 else f"{item}.pdf"} for n, item in enumerate(items)]
    return {
        "pledges": plain.pledges(bid.call), "answers": {**found, "about-title": "银龄守望", "s-need-problem": SENTENCE, **lines}, "attachments": files, **more,
    }  # fmt: skip


def filled_like(bid: Bid) -> Bid:
    """An ordinary bid of a call with the same rules, filled in by the ordinary pages."""
    code = "YX-2026-31"
    twin = Call.objects.filter(code=code).first() or calls.opened(people.office(), calls.from_data({**bid.rules.plain(), "code": code, "sealing": "unsealed"}))
    with clock.at(plain.opens(twin)):
        return Bid.objects.filter(call=twin).first() or plain.filled(twin, people.body(people.office()))


def sealed_by_command(path: Path, told: dict[str, Any], *more: str) -> Path:
    for row in told["attachments"]:
        (path.parent / row["file"]).write_bytes(plain.pdf("离线附件"))
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
    assert lines == [("上门探访补贴", "120.50", 20, "grant"), ("茶水", "3.00", 1, "grant"), ("自筹", "1700.00", 1, "match_cash")], "what a new row shows by itself is there too"
    assert "方案.pdf" in {row.name for row in opened.attachments.all()}
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


@pytest.mark.skipif(shutil.which("age") is None and "CI" not in os.environ, reason="the stock age command is not installed (CI installs it and never skips)")
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


def test_a_whole_bid_has_no_problem_and_no_question_goes_to_a_database(found: Sealed, who: Body, tmp_path: Path, django_assert_num_queries: Any) -> None:
    """A computer without the site has no database: judging puts no query."""
    bid = world.begun(found.call, who)
    with clock.at(plain.before_closing(found.call)):
        told = answers(bid)
        asked = sheet.read(downloaded(browser(who.signatory), bid, tmp_path).read_bytes(), "sheet")
        files = {f"{row['item']}/{row['file']}": plain.pdf("一") for row in told["attachments"]}
        with django_assert_num_queries(0):
            assert problems(asked, told["answers"], told["pledges"], files) == []


def changes(bid: Bid) -> dict[str, tuple[dict[str, Any], str]]:
    """What → (answers changed, the control that is named)."""
    rules = bid.rules
    asked = next(f for s in rules.forms.application for f in s.fields if f.max_chars and f.code == "problem")
    return {
        "an answer that is too long": ({"s-need-problem": "长" * (asked.max_chars + 1)}, "s-need-problem"),
        "a title that is too long": ({"about-title": "长" * 121}, "about-title"),
        "a line over the cap": ({"budget-0-unit_price": f"{rules.amounts.cap + 1:.2f}", "budget-0-quantity": 1}, "budget"),
        "an amount that is none": ({"budget-0-unit_price": "十元"}, "budget"),
        "nothing asked for": ({f"budget-{n}-source": "match_cash" for n in (0, 2)}, "budget"),
        "no project name": ({"about-title": ""}, "about-title"),
        "nobody works for it": ({f"team-{n}-name": "" for n in range(6)}, "team"),
    }


def test_what_the_page_refuses_is_refused_in_the_pages_own_sentences(found: Sealed, who: Body, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lengths, names, items, ceilings: the very sentences of the sealed page's own check, at the same controls; nothing is written."""
    bid = world.begun(found.call, who)
    with clock.at(plain.before_closing(found.call)):
        path, whole = downloaded(browser(who.signatory), bid, tmp_path), answers(bid)
        for what, (changed, control) in changes(bid).items():
            given = {**whole["answers"], **changed}
            with pytest.raises(CommandError, match="没有封标"):
                sealed_by_command(path, {**whole, "answers": given})
            said = capsys.readouterr().err.splitlines()
            assert any(line.startswith(control) for line in said), (what, said)
            asked = sheet.read(path.read_bytes(), "sheet")
            data = as_data(sheet.fields(asked, given))
            data.setlist("declarations", whole["pledges"])
            uploads = MultiValueDict({f"paper-{row['item']}": [SimpleUploadedFile(row["file"], plain.pdf("一"))] for row in whole["attachments"]})
            page = [sentence for _place, sentence in SealedForm(bid, data, uploads).problems()]
            assert [line.split(": ", 1)[1] for line in said] == page, what
        assert not (tmp_path / "out").exists()


def test_a_missing_attachment_and_one_of_another_kind_are_refused(found: Sealed, who: Body, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bid = world.begun(found.call, who)
    with clock.at(plain.before_closing(found.call)):
        path, whole = downloaded(browser(who.signatory), bid, tmp_path), answers(bid)
        item = whole["attachments"][0]["item"]
        for files in (whole["attachments"][1:], [{"item": item, "file": "程序.exe"}, *whole["attachments"][1:]]):
            with pytest.raises(CommandError, match="没有封标"):
                sealed_by_command(path, {**whole, "attachments": files})
            assert f"paper-{item}: " in capsys.readouterr().err


def test_rules_that_are_not_those_of_the_sheet_are_refused_and_an_older_sheet_is_still_taken(found: Sealed, who: Body, tmp_path: Path) -> None:
    bid = world.begun(found.call, who)
    with clock.at(plain.before_closing(found.call)):
        path, whole = downloaded(browser(who.signatory), bid, tmp_path), answers(bid)
        told = json.loads(path.read_text("utf-8"))
        site = {**told["site"], "document": told["site"]["document"].replace('"cap":"', '"cap":"9', 1)}
        for wrong in (site, {**site, "document": "{}"}, {"kind": "x"}):
            path.write_text(json.dumps({**told, "site": wrong}), encoding="utf-8")
            with pytest.raises(CommandError) as refused:
                sealed_by_command(path, whole)
            assert isinstance(refused.value.__cause__, SealRefused)
        path.write_text(json.dumps({k: v for k, v in told.items() if k != "site"}), encoding="utf-8")
        assert (sealed_by_command(path, whole) / "sealed-bid.zip").is_file()


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
