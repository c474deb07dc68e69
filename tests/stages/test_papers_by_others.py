"""Every PDF of a call's package before readers that are not ours: poppler's fonts and text. (Signatures are judged by pyHanko, grants/documents/signing.)"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grants import clock
from tests.world import packages, shared, signing

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SUBSET = re.compile(r"^[A-Z]{6}\+")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def papers(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """The PDFs of an auditor's package: contracts, notices, reports, letters; and one contract signed by both."""
    with shared.rows(django_db_blocker):
        two = packages.projects()
        with clock.at(two[-1].day(3)):
            folder = packages.unpacked(two[0], "auditor", tmp_path_factory.mktemp("bag"))
        signed = folder / "signed.pdf"
        signed.write_bytes(signing.by_both())
        yield sorted(folder.rglob("*.pdf"))


def fonts(path: Path) -> list[list[str]]:
    """Of each font: name, type (one word for each), …, embedded, subset, with a table to Unicode, object number and generation, as pdffonts prints them."""
    lines = _asked("pdffonts", str(path)).splitlines()
    assert lines[0].split()[-5:] == ["emb", "sub", "uni", "object", "ID"], lines[0]
    return [line.split() for line in lines[2:]]


def _asked(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_every_font_is_embedded_as_a_subset_and_its_text_can_be_copied(papers: list[Path]) -> None:
    assert len(papers) > 2, papers
    for path in papers:
        found = fonts(path)
        assert found, f"{path.name}: no font at all"
        for name, *_type, embedded, subset, to_unicode, _number, _generation in found:
            assert (embedded, subset, to_unicode) == ("yes", "yes", "yes"), f"{path.name}: {name}"
            assert SUBSET.match(name), f"{path.name}: {name}"


def test_every_text_comes_out_as_chinese_without_a_gap(papers: list[Path]) -> None:
    for path in papers:
        text = _asked("pdftotext", "-enc", "UTF-8", str(path), "-")
        assert len(CHINESE.findall(text)) > 50, path.name
        assert "\ufffd" not in text and "\u25a1" not in text, path.name


def test_a_font_that_is_not_embedded_is_seen(tmp_path: Path) -> None:
    """The reading of pdffonts can fail: a page in Helvetica by name only."""
    body = b"BT /F 12 Tf 20 20 Td (x) Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(body), body), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]  # fmt: skip
    made = b"%PDF-1.4\n" + b"".join(b"%d 0 obj%s endobj\n" % (n, said) for n, said in enumerate(objects, 1)) + b"trailer<</Root 1 0 R/Size 6>>\n%%EOF"
    (tmp_path / "plain.pdf").write_bytes(made)
    assert [row[-5:-2] for row in fonts(tmp_path / "plain.pdf")] == [["no", "no", "no"]]
