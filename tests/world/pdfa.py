"""A PDF/A-3u lint of our own: the rules that rendering and signing are likely to break. It is no veraPDF; it says so by its length."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.generic import IndirectObject

PRINT, HIDDEN, INVISIBLE, NO_VIEW, TOGGLE = 4, 2, 1, 32, 256


def problems(pdf: bytes) -> list[str]:
    """Broken rules, in words; empty for a file that is clean by this lint (ISO 19005-3 clause in brackets)."""
    reader = PdfReader(io.BytesIO(pdf))
    root = reader.trailer["/Root"].get_object()
    return [
        *_head(pdf, reader), *_metadata(root), *_intent(root), *_actions(reader, root), *_files(root), *_form(root), *_tags(root),
        *(f for n, page in enumerate(reader.pages, 1) for f in _page(n, page)),
    ]  # fmt: skip


def _head(pdf: bytes, reader: PdfReader) -> Iterator[str]:
    if not re.match(rb"%PDF-1\.[4-7]\r?\n%[\x80-\xff]{4}", pdf):
        yield "no header with four high bytes (6.1.2)"
    ids = reader.trailer.get("/ID")
    if ids is None or len(ids) != 2:
        yield "no /ID of two strings (6.1.3)"
    if "/Encrypt" in reader.trailer:
        yield "encrypted (6.1.3)"


def _metadata(root: Any) -> Iterator[str]:
    xmp = root["/Metadata"].get_object().get_data().decode() if "/Metadata" in root else ""
    if not re.search(r"pdfaid:part(>|=\")3", xmp) or not re.search(r"pdfaid:conformance(>|=\")U", xmp):
        yield "XMP does not say PDF/A-3u (6.6.4)"


def _intent(root: Any) -> Iterator[str]:
    intents = [i.get_object() for i in root.get("/OutputIntents", [])]
    if not any(i.get("/S") == "/GTS_PDFA1" and "/DestOutputProfile" in i for i in intents):
        yield "no PDF/A output intent with a profile (6.2.3)"


def _actions(reader: PdfReader, root: Any) -> Iterator[str]:
    if "/AA" in root or "/JavaScript" in root.get("/Names", {}):
        yield "additional actions or JavaScript in the catalogue (6.5)"
    for number in range(1, len(reader.xref_objStm) + sum(map(len, reader.xref.values())) + 1):
        found = reader.get_object(IndirectObject(number, 0, reader)) if _known(reader, number) else None
        if isinstance(found, dict) and found.get("/S") in ("/JavaScript", "/Launch", "/ImportData", "/Movie", "/Sound", "/ResetForm"):
            yield f"forbidden action {found['/S']} (6.5.1)"
        if isinstance(found, dict) and found.get("/Subtype") == "/Image" and found.get("/Interpolate"):
            yield "an interpolated image (6.2.8)"


def _known(reader: PdfReader, number: int) -> bool:
    return number in reader.xref_objStm or any(number in rows for rows in reader.xref.values())


def _files(root: Any) -> Iterator[str]:
    listed = [a.idnum for a in root.get("/AF", []) if isinstance(a, IndirectObject)]
    names = root.get("/Names", {}).get("/EmbeddedFiles")
    for spec in (names.get_object()["/Names"][1::2] if names is not None else []):
        found = spec.get_object()
        if "/AFRelationship" not in found or spec.idnum not in listed:
            yield "an embedded file without AFRelationship or not in /AF (6.8)"
        if "/UF" not in found or "/Subtype" not in found["/EF"]["/F"].get_object():
            yield "an embedded file without /UF or media type (6.8)"


def _form(root: Any) -> Iterator[str]:
    form = root.get("/AcroForm", {})
    if form.get("/NeedAppearances") or "/XFA" in form:
        yield "NeedAppearances or XFA (6.4.1)"


def _tags(root: Any) -> Iterator[str]:
    if not root.get("/MarkInfo", {}).get("/Marked") or "/StructTreeRoot" not in root or "/Lang" not in root:
        yield "not tagged, or no language (6.7)"


def _page(number: int, page: Any) -> Iterator[str]:
    yield from (f"page {number}: {p}" for p in _resources(page.get("/Resources", {}), set()))
    for note in page.get("/Annots", []):
        found = note.get_object()
        if found["/Subtype"] == "/Link":
            continue
        flags = int(found.get("/F", 0))
        if not flags & PRINT or flags & (HIDDEN | INVISIBLE | NO_VIEW | TOGGLE):
            yield f"page {number}: an annotation that does not print or hides (6.3.2)"
        x1, y1, x2, y2 = (float(value) for value in found["/Rect"])
        if x1 == x2 or y1 == y2:
            continue  # invisible ones (archival timestamps) need no appearance
        if "/AP" not in found or set(found["/AP"]) != {"/N"}:
            yield f"page {number}: an annotation without exactly a normal appearance (6.3.3)"
            continue
        yield from (f"page {number}, appearance: {p}" for p in _resources(found["/AP"]["/N"].get_object().get("/Resources", {}), set()))


def _resources(given: Any, seen: set[int]) -> Iterator[str]:
    resources = given.get_object() if hasattr(given, "get_object") else given
    if id(resources) in seen:
        return
    seen.add(id(resources))
    for name, font in (resources.get("/Font") or {}).items():
        yield from _font(name, font.get_object())
    for drawn in (resources.get("/XObject") or {}).values():
        if "/Resources" in drawn.get_object():
            yield from _resources(drawn.get_object()["/Resources"], seen)


def _font(name: str, font: Any) -> Iterator[str]:
    if "/ToUnicode" not in font:
        yield f"font {name} without ToUnicode (6.2.11.7.2)"
    below = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
    described = below.get("/FontDescriptor", {})
    if not any(key in described for key in ("/FontFile", "/FontFile2", "/FontFile3")):
        yield f"font {name} is not embedded (6.2.11.4.1)"
