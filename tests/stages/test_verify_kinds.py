"""`/verify/` beyond contracts: receipts as file and as PDF, packages as ZIP, list and number, passports, roots: what holds is said, what does not is named."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader, PdfWriter

from bidding import services
from bidding.models import Bid
from bidding.services import receipts as held
from grants import clock, ledger
from grants.audit import packing
from grants.desk.evidence import kinds
from grants.desk.evidence.kinds import check_passport
from grants.desk.square import passport, passport_paper
from grants.documents.files import read_file
from grants.documents.pdf import render_pdf
from grants.ledger import keys
from grants.ledger.attached import receipt_in
from grants.ledger.models import Checkpoint
from grants.ledger.note import sign
from grants.workflow.effects import drain
from tests.world import bidding as world
from tests.world import calls, people, shared

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def desk(django_db_setup: None, django_db_blocker: Any) -> Iterator[people.Office]:
    """Made once; each test's changes are rolled back."""
    with shared.rows(django_db_blocker):
        yield people.office()


@pytest.fixture(scope="module")
def started(desk: people.Office, django_db_blocker: Any) -> Bid:
    """A bid handed in with its receipts, once."""
    with django_db_blocker.unblock():
        return handed_in(desk)


@pytest.fixture
def bid(started: Bid) -> Bid:
    return Bid.objects.get(pk=started.pk)


def handed_in(desk: people.Office) -> Bid:
    call = calls.opened(desk, calls.rules("YX-2026-01"))
    who = people.body(desk)
    with clock.at(world.opens(call) + timedelta(hours=1)):
        made = world.filled(call, who)
        services.submit(made, by=who.signatory, declarations=[d.code for d in made.rules.forms.declarations])
        while drain():
            pass
    made.refresh_from_db()
    return made


def said(content: bytes | str, name: str = "a.json") -> str:
    """What the page answers to a file, or to a typed text."""
    sent = {"code": content} if isinstance(content, str) else {"file": SimpleUploadedFile(name, content)}
    return Client().post(reverse("desk:verify"), sent).content.decode()


def test_a_receipt_holds_and_before_its_checkpoint_nothing_more_is_claimed_than_the_signature(bid: Any) -> None:
    early = held.whole(held.of_bid(bid)[0])
    answer = said(early)
    assert "不能确定" in answer and "签名成立；台账里还查不到它的位置" in answer
    ledger.checkpoint()
    assert "台账里有逐字节相同的条目" in said(early), "the file has no proof, our log has the entry by now"
    late = said(held.whole(held.of_bid(bid)[0]))
    assert "核验通过" in late and bid.title in late


def test_the_printed_receipt_is_checked_by_the_file_inside_it_and_says_that_the_print_is_not(bid: Any) -> None:
    ledger.checkpoint()
    pdf = read_file(held.of_bid(bid)[0].pdf.sha256)
    answer = said(pdf, "回执.pdf")
    assert "核验通过" in answer and "不管纸面上印的字" in answer and bid.number in answer
    page = Client().post(reverse("desk:receipts"), {"file": SimpleUploadedFile("r.pdf", pdf)})
    assert page.status_code == 200 and "回执成立" in page.content.decode()


def test_a_pdf_without_the_signed_file_is_no_receipt_and_the_page_says_what_to_do(bid: Any) -> None:
    bare = PdfWriter()
    bare.add_page(PdfReader(io.BytesIO(read_file(held.of_bid(bid)[0].pdf.sha256))).pages[0])
    out = io.BytesIO()
    bare.write(out)
    assert receipt_in(out.getvalue()) is None
    page = Client().post(reverse("desk:receipts"), {"file": SimpleUploadedFile("r.pdf", out.getvalue())})
    assert page.status_code == 422 and "没有内嵌的回执签名文件" in page.content.decode()
    assert "这张回执不成立" not in said(out.getvalue(), "r.pdf"), "it is asked about as a contract, not called a false receipt"


def test_a_receipt_signed_for_an_entry_that_the_log_holds_otherwise_is_not_called_written_down(bid: Any) -> None:
    """Whoever stole the receipt key can sign an entry with a number that exists: the bytes must be the same, not only the number."""
    found = held.of_bid(bid)[0]
    ledger.checkpoint()
    text = json.loads(held.signed(found))
    other = text["leaf"].replace(bid.subject, f"bid:{bid.pk.hex}")
    report = kinds._by_now(json.dumps({**text, "leaf": other}))
    assert report.level == "unsure"
    assert kinds._by_now(json.dumps(text)).level == "holds"


@pytest.mark.parametrize("change", ["project", "signature", "leaf"])
def test_a_changed_receipt_fails_with_its_reason(bid: Any, change: str) -> None:
    found = json.loads(held.whole(held.of_bid(bid)[0]))
    if change == "project":
        found["about"]["project"] = "另一个项目"
    elif change == "signature":
        found["signature"] = found["signature"][::-1]
    else:
        found["leaf"] = found["leaf"].replace("submit", "revoke")
    answer = said(json.dumps(found, ensure_ascii=False).encode())
    assert "核验不通过" in answer and "这张回执不成立" in answer


def test_a_printed_passport_is_taken_as_a_file_and_by_the_line_in_its_code(bid: Any) -> None:
    """The PDF carries the signed file; the line says its gist; both hold, altered ones do not, and a signature of one part is none of another."""
    made = passport_paper.paper(bid.organisation)
    inside = passport_paper.inside(made)
    assert inside is not None
    told = json.loads(inside)["passport"]
    assert check_passport(made).verdict == "holds" and any(f.level == "note" for f in check_passport(made).findings)
    line = passport_paper.line_of(told)
    assert line == line.lower() and len(line) < 400
    gist = passport_paper.read(line)
    assert gist is not None and (gist.organisation, gist.projects) == (str(bid.organisation.pk), len(told["projects"]))
    answer = Client().post(reverse("desk:verify"), {"code": f"  {line.upper()} "})
    assert answer.status_code == 200 and "由本站签发" in answer.content.decode()
    for wrong in (line.replace(":0:0:", ":3:900000:", 1), line.replace(gist.digest, "0" * 64), line[:-1] + ("0" if line[-1] != "0" else "1")):
        assert wrong != line
        assert "核对不上" in Client().post(reverse("desk:verify"), {"code": wrong}).content.decode()
    assert Client().post(reverse("desk:verify"), {"code": line[:-2]}).status_code == 422
    with pytest.raises(passport.BadPassport):
        passport.verify(json.dumps({**json.loads(inside), "note": sign(f"{passport_paper.FORMAT}\nx\n", keys.origin(), keys.signing_key())}).encode(), keys.verifiers())


def test_a_broken_or_foreign_pdf_carries_no_passport(bid: Any) -> None:
    made = passport_paper.paper(bid.organisation)
    for other in (b"", b"%PDF-1.7", made[: len(made) // 2], render_pdf("documents/base.html", {}, identifier="x", issued_on=clock.today())):
        assert passport_paper.inside(other) is None


def test_the_printed_passport_says_the_record_and_is_given_to_everybody(bid: Any) -> None:
    answer = Client().get(reverse("square:passport_paper", args=[bid.organisation.pk]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    assert "履约护照" in text and bid.organisation.name in text
    checked = Client().post(reverse("square:passport_check"), {"file": SimpleUploadedFile("护照.pdf", answer.content)})
    assert checked.status_code == 200 and bid.organisation.name in checked.content.decode()


def test_a_passport_of_ours_holds_and_a_changed_one_does_not(bid: Any) -> None:
    made = passport.issue(bid.organisation)
    assert "由本站签发，内容没有改动" in said(made, "护照.json")
    assert "核验不通过" in said(made.replace(bid.organisation.name.encode(), "别的单位".encode()), "护照.json")


def test_a_root_that_was_kept_is_compared_with_the_one_signed_then(bid: Any) -> None:
    ledger.checkpoint()
    row = Checkpoint.objects.get()
    root = bytes(row.root).hex()
    assert "根一致" in said(f"{row.size}:{root}")
    assert "根一致" in said(f" {row.size} : {root.upper()} ")
    assert "根不一致" in said(f"{row.size}:{'0' * 64}")
    assert "没有这个大小的检查点" in said(f"{row.size + 1}:{root}")


@pytest.fixture
def package(bid: Any, desk: people.Office) -> tuple[bytes, str]:
    """The auditor's package of a call after its deadline, as it is downloaded, and its number."""
    call = bid.call
    with clock.at(call.closes_at + timedelta(days=1)):
        job = packing.pack(call, packing.KINDS["audit.auditor"], by=desk.auditor)
        while drain():
            pass
        found = packing.package_of(job)
        assert found is not None
        return b"".join(packing.pieces(found)), found.number


def test_a_package_is_known_by_its_number_its_list_and_its_zip(package: tuple[bytes, str]) -> None:
    content, number = package
    assert "与台账登记的资料包一致" in said(number)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        tags = next(archive.read(name) for name in archive.namelist() if name.endswith("/tagmanifest-sha256.txt"))
    assert "没有核对包里的文件" in said(tags, "tagmanifest-sha256.txt")
    whole = said(content, "资料包.zip")
    assert "核验通过" in whole and "个文件与清单逐一相符" in whole
    assert "没有登记过这个编号" in said("0" * 64)


@pytest.mark.parametrize("change", ["edit", "delete", "add", "cut"])
def test_a_changed_package_fails_and_the_first_bad_file_is_named(package: tuple[bytes, str], change: str) -> None:
    content, _number = package
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        names = source.namelist()
        chosen = next(name for name in names if name.endswith(".csv"))
        for name in names:
            if name == chosen and change == "delete":
                continue
            target.writestr(name, source.read(name) + (b" " if name == chosen and change == "edit" else b""))
        if change == "add":
            target.writestr(f"{chosen}.more", b"x")
    changed = content[:-200] if change == "cut" else out.getvalue()
    answer = said(changed, "资料包.zip")
    assert "核验不通过" in answer
    words = {"edit": "文件与清单不符", "delete": "缺少文件", "add": "多出文件", "cut": "不是完整的资料包"}
    assert words[change] in answer
    assert change == "cut" or chosen.partition("/")[2] in answer


@pytest.mark.parametrize(("code", "words"), [("", "请选择文件，或填写编号"), ("12345", "既不是资料包的编号"), ("7:xyz", "既不是资料包的编号")])
def test_what_is_neither_a_file_nor_a_number_is_refused_with_the_way_out(code: str, words: str) -> None:
    answer = Client().post(reverse("desk:verify"), {"code": code})
    assert answer.status_code == 422 and words in answer.content.decode()


def test_the_command_takes_the_pdf_too_and_names_one_without_the_signed_file(bid: Any, tmp_path: Path) -> None:
    path, bare = tmp_path / "r.pdf", tmp_path / "bare.pdf"
    path.write_bytes(read_file(held.of_bid(bid)[0].pdf.sha256))
    bare.write_bytes(b"%PDF-1.7\n%%EOF\n")
    out = io.StringIO()
    call_command("receipt", "verify", str(path), stdout=out)
    assert bid.number in out.getvalue()
    with pytest.raises(CommandError, match="没有内嵌的回执签名文件"):
        call_command("receipt", "verify", str(bare), stdout=io.StringIO())
