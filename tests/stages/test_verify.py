"""`/verify/` and `manage.py contract verify`: what a file proves is said, what it does not prove too; nothing is kept, nothing leaks."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pypdf import PdfWriter

from grants import clock
from grants.awards import services
from grants.awards.models import Contract
from grants.awards.verifying import check
from grants.documents import proof
from grants.documents.contract import render_contract
from grants.documents.files import path_of, read_file
from grants.documents.models import StoredFile
from grants.documents.signing import authority, pades
from grants.documents.signing.fields import GRANTEE
from grants.people.again import just_now
from grants.workflow import effects
from tests.platform.contract_samples import ordinary
from tests.world import awards as world
from tests.world import shared
from tests.world import signing as signing_world

pytestmark = pytest.mark.django_db
WHERE = "desk:verify"


@pytest.fixture(scope="module")
def contract(django_db_setup: None, django_db_blocker: Any) -> Iterator[Contract]:
    """An effective contract, signed electronically by both."""
    with shared.rows(django_db_blocker):
        made = world.ranked(amounts=["107000.53"])
        world.proposed(made)
        (award,) = world.confirmed(made)
        contract = world.issued(award, made.desk)
        for party, by in (("grantee", world.signatory_of(made, award)), ("grantor", made.desk.approver)):
            with clock.at(world.contract_day(award)):
                services.sign_electronically(contract, party, proof=just_now("password"), by=by)
                effects.drain()
            contract = world.fresh(contract)
        authority.write_list()
        yield contract


@pytest.fixture
def signed(contract: Contract) -> bytes:
    assert contract.signed is not None
    return read_file(contract.signed.sha256)


def upload(content: bytes, name: str = "协议.pdf", **more: Any) -> Any:
    return Client().post(reverse(WHERE), {"file": SimpleUploadedFile(name, content)}, **more)


def said(answer: Any) -> str:
    return answer.content.decode()


def test_a_contract_signed_by_both_is_confirmed_without_signing_in(signed: bytes, contract: Contract) -> None:
    """Whole, by whom, equal to our record — and honest about the development CA and about what it does not prove."""
    answer = upload(signed)
    report = answer.context["report"]
    assert (answer.status_code, report.verdict) == (200, "holds")
    text = said(answer)
    for words in ("甲方签名有效", "乙方签名有效", "开发 CA", "不具第三方认证效力", "第十三条", "第十六条", contract.number, "逐字节相同", "不联网"):
        assert words in text, words
    assert "no-store" in answer["Cache-Control"] or "no-cache" in answer["Cache-Control"]


def test_the_same_in_english(signed: bytes) -> None:
    client = Client()
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    text = said(client.post(reverse(WHERE), {"file": SimpleUploadedFile("c.pdf", signed)}))
    assert "not a licensed certification authority" in text
    assert "Electronic Signature Law" in text


def test_a_changed_copy_is_refused_and_its_words_are_not_repeated(signed: bytes, contract: Contract) -> None:
    """A page appended after both signed, one flipped bit: fails, and what the file claims is not shown as if it were so."""
    writer = PdfWriter(BytesIO(signed), incremental=True)
    writer.add_blank_page(595, 842)
    out = BytesIO()
    writer.write(out)
    flipped = bytearray(signed)
    flipped[len(signed) // 3] ^= 1
    for changed in (out.getvalue(), bytes(flipped)):
        answer = upload(changed)
        assert answer.context["report"].verdict == "fails"
        assert contract.number not in said(answer) and "登记" not in said(answer)


def test_unsigned_half_signed_and_printed_copies_are_told_apart(contract: Contract) -> None:
    assert contract.file is not None
    text = read_file(contract.file.sha256)
    report = check(text)
    assert report.verdict == "unsure" and "没有电子签名" in str(report.headline)
    authority.refresh()
    half = pades.sign(text, GRANTEE, signing_world.keys_of(contract))
    assert check(half).verdict == "unsure" and any("还没有电子签名的：甲方" in str(f.sentence) for f in check(half).findings)
    flat = PdfWriter()
    flat.add_blank_page(595, 842)
    out = BytesIO()
    flat.write(out)
    assert any("副本" in str(f.sentence) for f in check(out.getvalue()).findings)


def test_a_guessed_number_learns_nothing(contract: Contract) -> None:
    """A forged file with a real number and one with an invented number get word for word the same answer about our records."""
    def about(number: str) -> list[str]:
        from dataclasses import replace

        pdf = render_contract(replace(ordinary(), number=number), identifier="forged")
        return [str(f.sentence) for f in check(pdf).findings]

    assert about(contract.number) == about("云民创投〔2026〕999号")
    assert not any("一致。" in sentence and "不一致" not in sentence for sentence in about(contract.number))


def test_a_draft_is_not_confirmed(contract: Contract) -> None:
    """Its text may still change; that one exists is not for strangers."""
    assert contract.file is not None
    pdf = read_file(contract.file.sha256)
    Contract.objects.filter(pk=contract.pk).update(text_hash="0" * 64, file=None, signed=None, agency_scan=None, grantee_scan=None)
    assert any("都不一致" in str(f.sentence) for f in check(pdf).findings)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [("a.pdf", b"", "空文件"), ("a.pdf", b"MZ\x90", "不是本页能核验的文件"), ("a.exe", b"%PDF-1.7", "不是本页能核验的文件")],
)
def test_what_is_no_contract_is_refused_with_the_way_out(name: str, content: bytes, why: str) -> None:
    answer = upload(content, name)
    assert answer.status_code == 422
    assert why in said(answer)


def test_a_broken_pdf_is_a_report() -> None:
    answer = upload(b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\nstartxref\n9\n%%EOF\n")
    assert answer.status_code == 200 and answer.context["report"].verdict == "fails"


def test_too_large_a_file_is_refused_before_it_is_read(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("grants.desk.verifying.largest", lambda: 1000)
    answer = upload(b"%PDF-1.7" + b"\0" * (3 * proof.MEBIBYTE))
    assert answer.status_code == 413
    assert "文件太大" in said(answer)


def test_nothing_is_stored(signed: bytes, settings: Any) -> None:
    """No row, no file, nothing in the folder for arriving uploads, and nothing in the ledger."""
    from grants.ledger.models import AuditEvent

    changed = signed + b"\n"
    before = (StoredFile.objects.count(), AuditEvent.objects.count())
    arriving = Path(settings.FILE_UPLOAD_TEMP_DIR)
    files = set(arriving.iterdir())
    assert upload(changed + b"%" * (3 * proof.MEBIBYTE)).status_code == 200
    assert (StoredFile.objects.count(), AuditEvent.objects.count()) == before
    assert set(arriving.iterdir()) == files


def test_a_new_kind_is_one_registration(monkeypatch: Any) -> None:
    """What the page checks is a registry: another stage adds a kind and the page lists, accepts and answers it."""
    monkeypatch.setattr(proof, "_kinds", dict(proof._kinds))
    report = proof.Report("receipt", "holds", "回执属实。", (proof.Finding("holds", "签名有效。"),), (("回执号", "R-1"),), ("别的。",))
    proof.register(proof.Kind("receipt", "投标回执", "投标时得到的回执文件", (".json",), 1000, lambda c: c.startswith(b"{"), lambda _c: report))
    assert "投标回执" in said(Client().get(reverse(WHERE)))
    text = said(upload(b"{}", "r.json"))
    for words in ("回执属实。", "R-1", "别的。"):
        assert words in text
    assert upload(b"{" + b" " * 2000, "r.json").status_code == 422


def test_the_token_is_asked_for() -> None:
    """Keeping uploads in memory does not go around the form's token."""
    careful = Client(enforce_csrf_checks=True)
    answer = careful.post(reverse(WHERE), {"file": SimpleUploadedFile("a.pdf", b"%PDF-1.7")})
    assert answer.status_code == 403


def test_the_command_says_the_same_and_its_exit_counts(contract: Contract, signed: bytes, tmp_path: Path) -> None:
    out = StringIO()
    assert contract.signed is not None
    call_command("contract", "verify", str(path_of(contract.signed.sha256)), stdout=out)
    assert "✓" in out.getvalue() and contract.number in out.getvalue()
    bad = tmp_path / "bad.pdf"
    bad.write_bytes(signed[:-5000])
    with pytest.raises(CommandError), translation.override("zh-hans"):
        call_command("contract", "verify", str(bad), stdout=StringIO())


def test_the_ca_command_from_init_to_revocation(settings: Any, tmp_path: Path, monkeypatch: Any) -> None:
    settings.GONGCHUANG_HOME = tmp_path
    out = StringIO()

    def ca(*words: str) -> str:
        out.truncate(0)
        call_command("ca", *words, stdout=out)
        return out.getvalue()

    with pytest.raises(CommandError, match="ca init"):
        ca("issue", "11320199MB0A12345X", "--name", "某局")
    assert "不具第三方认证效力" in ca("init")
    assert "开发 CA" in ca("issue", "11320199MB0A12345X", "--name", "某局", "--days", "30")
    assert "已吊销" in ca("revoke", "11320199MB0A12345X", "--reason", "keyCompromise")
    assert "1 张证书已吊销" in ca("crl")
    packed = tmp_path / "real.p12"
    packed.write_bytes(signing_world.Authority().packed("某局", "11320199MB0A12345X"))
    monkeypatch.setenv("CA_PASSWORD", "geheim")
    assert "其他签发者" in ca("import", "11320199MB0A12345X", str(packed))
    assert "11320199MB0A12345X" in ca("show")
    with pytest.raises(CommandError, match="签发机构"):
        ca("revoke", "11320199MB0A12345X")


@pytest.mark.parametrize(("given", "found"), [
    ({"PLATFORM_CA": True}, "gongchuang.W004"), ({"SIGN_LEVEL": "B-LTA"}, "gongchuang.E020"), ({"SIGN_LEVEL": "C"}, "gongchuang.E020"),
    ({"TSA_URL": "http://tsa.example"}, "gongchuang.E021"), ({}, "gongchuang.W005"),
])  # fmt: skip
def test_check_deploy_says_what_is_wrong_with_signing(settings: Any, tmp_path: Path, given: dict[str, Any], found: str) -> None:
    from grants.config.signing_checks import check_signing

    settings.GONGCHUANG_HOME, settings.GUARDED = tmp_path, True
    settings.PLATFORM_CA, settings.SIGN_LEVEL, settings.TSA_URL = False, "B-B", ""
    assert check_signing() == []
    authority.init()
    for name, value in given.items():
        setattr(settings, name, value)
    assert found in {message.id for message in check_signing()}
