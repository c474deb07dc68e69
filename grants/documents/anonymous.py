"""A PDF that says nothing of who made it: its pages alone, without document information, XMP, attached files, forms or scripts."""

from __future__ import annotations

import io

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import NameObject


class NotReadable(ValueError):
    """The bytes are no PDF that can be taken apart (damaged, or locked with a password)."""


def without_author(content: bytes) -> bytes:
    """The pages of a PDF as a new file. What is written *on* the pages is for whoever made them to black out. Raises NotReadable."""
    try:
        reader, writer = PdfReader(io.BytesIO(content)), PdfWriter()
        for page in reader.pages:
            added = writer.add_page(page)
            for key in ("/Metadata", "/PieceInfo", "/AA", "/Annots"):
                added.pop(NameObject(key), None)
        writer.metadata = None
        stream = io.BytesIO()
        writer.write(stream)
    except (PyPdfError, OSError, KeyError, TypeError, ValueError, RecursionError) as broken:
        raise NotReadable(str(broken)) from broken
    return stream.getvalue()
