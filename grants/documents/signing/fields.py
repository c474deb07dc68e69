"""Signature fields, written with the paper itself: a field added after the first signature would break it (ISO 32000-2 12.8.2.2).

Each stands where the template has an element with its id; the field is empty but has an appearance and prints, as PDF/A asks (ISO 19005-3
6.3.3). No random value goes in, so that the same data still gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pydyf

POINTS = 0.75  # a CSS pixel
SIGNATURES_ONLY_APPEND = 3  # SigFlags: signatures exist, the file may only be appended to


@dataclass(frozen=True)
class Field:
    """name: of the form field, ASCII; place: the id of an element of the template; tip: what a reader says aloud."""

    name: str
    place: str
    tip: str


GRANTOR: Final = Field("grantor", "sign-grantor", "甲方（资助方）电子签名")
GRANTEE: Final = Field("grantee", "sign-grantee", "乙方电子签名")
EXECUTOR: Final = Field("executor", "sign-executor", "丙方（执行团队）电子签名")


class PlaceMissing(ValueError):
    """The template has no element where a field should stand."""


def add_fields(document: Any, pdf: Any, fields: Sequence[Field]) -> None:
    """WeasyPrint's finisher: put the fields into the unfinished file. Raises PlaceMissing."""
    pages = [pdf.objects[int(reference)] for reference in pdf.pages["Kids"][0::3]]
    made = [_field(document, pdf, pages, field) for field in fields]
    if made:
        pdf.catalog["AcroForm"] = pydyf.Dictionary({"Fields": pydyf.Array(made), "SigFlags": SIGNATURES_ONLY_APPEND})


def _field(document: Any, pdf: Any, pages: list[Any], field: Field) -> bytes:
    number, box = _place(document, field.place)
    blank = pydyf.Stream([], pydyf.Dictionary({
        "Type": "/XObject", "Subtype": "/Form", "BBox": pydyf.Array([0, 0, box[2] - box[0], box[3] - box[1]]), "Resources": pydyf.Dictionary(),
    }))  # fmt: skip
    pdf.add_object(blank)
    widget = pydyf.Dictionary({
        "Type": "/Annot", "Subtype": "/Widget", "FT": "/Sig", "T": pydyf.String(field.name), "TU": pydyf.String(field.tip), "F": 132,
        "Rect": pydyf.Array(box), "P": pages[number].reference, "AP": pydyf.Dictionary({"N": blank.reference}),
    })  # fmt: skip
    pdf.add_object(widget)
    pages[number].setdefault("Annots", pydyf.Array()).append(widget.reference)
    reference: bytes = widget.reference
    return reference


def _place(document: Any, anchor: str) -> tuple[int, list[float]]:
    """Page number from 0 and the rectangle in points from the lower left."""
    for number, page in enumerate(document.pages):
        if anchor in page.anchors:
            x1, y1, x2, y2 = page.anchors[anchor]
            return number, [round(v * POINTS, 2) for v in (x1, page.height - y2, x2, page.height - y1)]
    raise PlaceMissing(anchor)
