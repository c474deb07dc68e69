"""A ZIP that somebody damaged is an answer everywhere one is read: never a crash, whatever byte it is."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.sealing import kept, sheet
from bidding.sealing.refusals import SealRefused
from bidding.workbook import reading
from grants import archives
from grants.audit import checking
from grants.documents import inspection
from grants.workflow.refusals import Invalid
from review import workbook

TEXT = json.dumps({str(n): n * n for n in range(300)}).encode()


def deflated(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, TEXT)
    return out.getvalue()


def torn(name: str) -> bytes:
    """The first bytes of the packed file are no deflate stream: the archive itself looks sound."""
    content = bytearray(deflated(name))
    at = content.index(name.encode()) + len(name.encode())
    content[at : at + 6] = b"\xff" * 6
    return bytes(content)


def test_the_same_parts_give_the_same_bytes_and_come_out_again() -> None:
    parts = [("header.json", b"{}"), ("附件/甲.pdf", b"%PDF")]
    assert archives.packed(parts) == archives.packed(parts)
    assert archives.contents(archives.packed(parts), 100) == dict(parts)


def test_more_than_it_may_hold_is_not_unpacked() -> None:
    with pytest.raises(archives.Unreadable):
        archives.contents(deflated("a"), len(TEXT) - 1)
    assert archives.contents(deflated("a"), len(TEXT)) == {"a": TEXT}


@given(st.integers(0, len(deflated("a")) - 1), st.integers(1, 255))
def test_whatever_byte_is_altered_the_content_is_the_same_or_the_archive_is_refused(at: int, by: int) -> None:
    content = bytearray(deflated("a"))
    content[at] ^= by
    try:
        found = archives.contents(bytes(content), 10_000)
    except archives.Unreadable:
        return
    assert not found or list(found.values()) == [TEXT]


@given(st.integers(0, len(deflated("a")) - 1))
def test_an_archive_that_was_cut_off_is_refused(size: int) -> None:
    with pytest.raises(archives.Unreadable):
        archives.contents(deflated("a")[:size], 10_000)


@pytest.mark.parametrize(
    ("read", "refusal"),
    [
        (lambda: kept.unpack(torn(kept.INSIDE)), SealRefused),
        (lambda: sheet.unpack(torn(sheet.HEADER), 10_000), SealRefused),
        (lambda: reading.read(torn("xl/workbook.xml"), None), Invalid),  # type: ignore[arg-type]
        (lambda: workbook._opened(torn("[Content_Types].xml")), Invalid),
    ],
    ids=["kept copy", "envelope", "bid workbook", "score workbook"],
)
def test_a_torn_file_inside_is_refused_in_words(read: Callable[[], Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        read()


def test_a_header_that_is_no_json_or_is_missing_is_told_apart() -> None:
    for parts, rule in (([("header.json", b"{")], "format"), ([("header.json", b"[" * 100_000)], "format"), ([("x.age", b"")], "missing")):
        with pytest.raises(SealRefused) as told:
            sheet.unpack(archives.packed(parts), 1_000_000)
        assert told.value.rule == rule


def test_a_torn_package_on_the_verify_page_says_that_it_cannot_be_read() -> None:
    report = checking.check(torn("YX/tagmanifest-sha256.txt"))
    assert report.verdict == "fails"
    assert "读不出资料包" in str(report.headline)


def test_a_torn_office_file_is_broken_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", TEXT)
        archive.writestr("xl/workbook.xml", TEXT)
    raw = bytearray(content.getvalue())
    at = raw.index(b"[Content_Types].xml") + len(b"[Content_Types].xml")
    raw[at : at + 6] = b"\xff" * 6
    path.write_bytes(bytes(raw))
    with pytest.raises(inspection.FileRefused) as told:
        inspection._inspect_archive(path, "a.xlsx", "Excel", "xl/workbook.xml", "spreadsheetml.sheet.main+xml")
    assert told.value.code == "broken"
