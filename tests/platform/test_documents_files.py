"""Files: kept once by their hash, whole or not at all, and refused with a way out when they are not what they claim."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from PIL import Image

from grants.documents import inspection
from grants.documents.download import download
from grants.documents.files import FileLost, is_intact, open_file, path_of, read_file, store
from grants.documents.inspection import KINDS, FileRefused
from grants.documents.models import StoredFile

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\nstartxref\n9\n%%EOF\n"
ALL = set(KINDS)
MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def home(settings, tmp_path: Path) -> Path:
    settings.GONGCHUANG_HOME = tmp_path
    return tmp_path


def kept(home: Path) -> list[Path]:
    return [path for path in (home / "files").rglob("*") if path.is_file()] if (home / "files").exists() else []


def picture(form: str, size: tuple[int, int] = (8, 8)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, form)
    return out.getvalue()


def office(main: str, kind: str, extra: dict[str, bytes] | None = None, types: str = "") -> bytes:
    declared = types or f"application/vnd.openxmlformats-officedocument.{kind}.main+xml"
    parts = {
        "[Content_Types].xml": f'<Types><Override PartName="/{main}" ContentType="{declared}"/></Types>'.encode(),
        main: b"<x/>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**parts, **(extra or {})}.items():
            archive.writestr(name, content)
    return out.getvalue()


def docx(**more) -> bytes:
    return office("word/document.xml", "wordprocessingml.document", **more)


def xlsx(**more) -> bytes:
    return office("xl/workbook.xml", "spreadsheetml.sheet", **more)


def put(content, name: str, allowed: set[str] = ALL, max_bytes: int = MIB) -> StoredFile:
    return store(content, name=name, allowed=allowed, max_bytes=max_bytes)


GOOD = {
    "申报书.pdf": PDF,
    "现场.jpg": picture("JPEG"),
    "现场.JPEG": picture("JPEG"),
    "标识.png": picture("PNG"),
    "方案.docx": docx(),
    "预算.xlsx": xlsx(),
    "名单.csv": "﻿姓名,次数\n甲,3\n".encode(),
    "旧名单.csv": "姓名,次数\n甲,3\n".encode("gb18030"),
    "说明.txt": "说明\r\n".encode(),
}


@pytest.mark.parametrize("name", GOOD)
def test_each_kind_of_honest_file_is_kept_under_its_hash(name: str, home: Path) -> None:
    stored = put(GOOD[name], name)
    assert stored.sha256 == hashlib.sha256(GOOD[name]).hexdigest()
    assert path_of(stored.sha256) == home / "files" / stored.sha256[:2] / stored.sha256[2:]
    assert read_file(stored.sha256) == GOOD[name]
    assert stored.size == len(GOOD[name])
    assert path_of(stored.sha256).stat().st_mode & 0o077 == 0


def test_the_same_content_is_kept_once_whatever_it_is_called(home: Path) -> None:
    first, second = put(PDF, "甲.pdf"), put(io.BytesIO(PDF), "乙.pdf")
    third = put(SimpleUploadedFile("丙.pdf", PDF), "丙.pdf")
    assert first == second == third
    assert StoredFile.objects.count() == 1
    assert len(kept(home)) == 1


def test_a_form_that_has_already_read_the_upload_does_not_cut_it() -> None:
    upload = SimpleUploadedFile("甲.pdf", PDF)
    upload.read(5)
    assert put(upload, "甲.pdf").size == len(PDF)


ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as archive:
    archive.writestr("evil.js", "x")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
BOMB = docx(extra={"word/media/zeros.bin": b"\0" * (60 * MIB)})
MACRO_TYPE = "application/vnd.ms-word.document.macroEnabled.main+xml"
BAD = {
    "an exe named pdf": ("表.pdf", b"MZ\x90\0" + b"\0" * 400, "disguised"),
    "html named png": ("图.png", b"<html><script>alert(1)</script></html>", "disguised"),
    "svg named png": ("图.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "disguised"),
    "svg by its own name": ("图.svg", b"<svg/>", "type"),
    "html before the pdf header": ("页.pdf", b"<html></html>" + PDF, "disguised"),
    "pdf that is also a zip": ("页.pdf", PDF + ZIP.getvalue(), "disguised"),
    "jpg that is also a zip": ("页.jpg", picture("JPEG") + ZIP.getvalue(), "disguised"),
    "pdf cut short": ("页.pdf", PDF[:20], "broken"),
    "png named jpg": ("页.jpg", picture("PNG"), "disguised"),
    "png cut short": ("页.png", picture("PNG", (300, 300))[:60], "broken"),
    "gif named png": ("页.png", picture("GIF"), "disguised"),
    "xlsx named docx": ("书.docx", xlsx(), "disguised"),
    "plain zip named docx": ("书.docx", ZIP.getvalue(), "disguised"),
    "docx behind something else": ("书.docx", b"#!/bin/sh\n" + docx(), "disguised"),
    "docx with a tail": ("书.docx", docx() + b"tail", "disguised"),
    "docx cut short": ("书.docx", docx()[:40] + b"PK\x05\x06" + b"\0" * 18, "disguised"),
    "docm": ("书.docm", docx(), "type"),
    "docm renamed": ("书.docx", docx(types=MACRO_TYPE), "macro"),
    "docx with a macro part": ("书.docx", docx(extra={"word/vbaProject.bin": b"x"}), "macro"),
    "old or locked Word": ("书.docx", OLE, "password"),
    "zip bomb": ("书.docx", BOMB, "bomb"),
    "zip with a path outside": ("书.xlsx", xlsx(extra={"../../x": b"x"}), "bomb"),
    "binary named txt": ("记.txt", bytes(range(256)), "disguised"),
    "html named txt": ("记.txt", b"  <!DOCTYPE html><p>x", "disguised"),
    "script named csv": ("记.csv", b"#!/bin/sh\nrm", "disguised"),
    "empty": ("空.pdf", b"", "empty"),
    "no extension": ("空", PDF, "type"),
    "double extension": ("表.pdf.exe", PDF, "type"),
    "hidden direction mark": ("表\u202efdp.pdf", PDF, "name"),
    "no name": ("", PDF, "name"),
    "only an extension": (".pdf", PDF, "name"),
    "a name without end": ("长" * 160 + ".pdf", PDF, "name"),
}


@pytest.mark.parametrize("case", BAD)
def test_each_dishonest_or_broken_file_is_refused_and_leaves_nothing(case: str, home: Path) -> None:
    name, content, code = BAD[case]
    with pytest.raises(FileRefused) as refused:
        put(content, name, max_bytes=100 * MIB)
    assert refused.value.code == code
    assert refused.value.sentence.endswith("。")
    assert "%(" not in refused.value.sentence
    assert not StoredFile.objects.exists()
    assert kept(home) == []


def test_a_refusal_can_be_raised_from_a_form_as_it_is() -> None:
    with pytest.raises(ValidationError, match="可以上传"):
        put(PDF, "表.exe")


def test_a_kind_that_this_call_does_not_ask_for_is_refused_by_name() -> None:
    with pytest.raises(FileRefused, match="PDF") as refused:
        put(picture("PNG"), "图.png", allowed={"pdf"})
    assert refused.value.code == "type"


class Endless(io.RawIOBase):
    """A stream that counts what is taken from it."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "the whole stream was asked for at once"
        self.taken += size
        return b"%PDF-1.7" + b"0" * (size - 8)


def test_forty_megabytes_are_not_read_to_refuse_twenty(home: Path) -> None:
    stream = Endless()
    with pytest.raises(FileRefused, match="20 MB") as refused:
        put(stream, "大.pdf", max_bytes=20 * MIB)
    assert refused.value.code == "too_large"
    assert stream.taken <= 20 * MIB + 64 * 1024
    assert kept(home) == []


def test_an_announced_size_over_the_limit_is_refused_without_reading() -> None:
    upload = SimpleUploadedFile("大.pdf", b"x" * 2000)
    upload.file = None  # reading it would fail
    with pytest.raises(FileRefused) as refused:
        put(upload, "大.pdf", max_bytes=1000)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize(("spare", "accepted"), [(0, True), (-1, False)])
def test_the_limit_is_exact_to_the_byte(spare: int, *, accepted: bool) -> None:
    if accepted:
        assert put(io.BytesIO(PDF), "甲.pdf", max_bytes=len(PDF) + spare)
    else:
        with pytest.raises(FileRefused):
            put(io.BytesIO(PDF), "甲.pdf", max_bytes=len(PDF) + spare)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "MOST_PIXELS", 99)
    with pytest.raises(FileRefused, match="10×10") as refused:
        put(picture("PNG", (10, 10)), "图.png")
    assert refused.value.code == "pixels"


class Breaking(io.RawIOBase):
    def __init__(self) -> None:
        self.pieces: Iterator[bytes] = iter([PDF])

    def read(self, size: int = -1) -> bytes:
        try:
            return next(self.pieces)
        except StopIteration:
            raise ConnectionResetError from None


def test_an_upload_that_breaks_off_leaves_nothing(home: Path) -> None:
    with pytest.raises(ConnectionResetError):
        put(Breaking(), "甲.pdf")
    assert kept(home) == []


def test_bytes_that_are_gone_or_altered_are_noticed() -> None:
    stored = put(PDF, "甲.pdf")
    path = path_of(stored.sha256)
    path.chmod(0o600)
    path.write_bytes(PDF.replace(b"1 0", b"2 0"))
    assert not is_intact(stored.sha256)
    with pytest.raises(FileLost, match="改动"):
        read_file(stored.sha256)
    path.unlink()
    with pytest.raises(FileLost, match="备份"):
        open_file(stored.sha256)


def test_a_copy_that_lost_bytes_is_replaced_when_the_file_comes_again() -> None:
    stored = put(PDF, "甲.pdf")
    path = path_of(stored.sha256)
    path.chmod(0o600)
    path.write_bytes(b"")
    put(PDF, "甲.pdf")
    assert is_intact(stored.sha256)


@pytest.mark.parametrize("address", ["../" * 20 + "etc/passwd", "A" * 64, "", "ab"])
def test_only_a_hash_leads_to_a_path(address: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        path_of(address)


@pytest.mark.parametrize("wrong", [{"sha256": "x" * 64, "size": 1}, {"sha256": "a" * 64, "size": 0}])
def test_the_database_itself_refuses_a_row_that_cannot_be_true(wrong: dict) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        StoredFile.objects.create(media_type="application/pdf", **wrong)


def test_a_download_is_never_shown_inside_a_page() -> None:
    stored = put(PDF, "甲.pdf")
    response = download(stored, name='../甲 "表".pdf')
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''%E7%94%B2")
    assert ".." not in response["Content-Disposition"]
    assert response["Content-Type"] == "application/pdf"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]
    assert b"".join(response.streaming_content) == PDF
