"""The signed file inside a printed receipt: a PDF/A-3 carries it as an attachment, so that whoever keeps the paper's file has the evidence."""

from __future__ import annotations

import io

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from grants.ledger.offline import verify

LARGEST = 64 * 1024  # bytes; a receipt has about three thousand
SUFFIX = ".receipt.json"


def receipt_in(content: bytes) -> str | None:
    """The text of the receipt that these bytes are, or carry as an attachment; None for anything else."""
    raw = _attached(content) if content.startswith(b"%PDF") else content
    if raw is None or len(raw) > LARGEST or f'"{verify.RECEIPT}"'.encode() not in raw:
        return None
    return raw.decode("utf-8", "replace")


def _attached(content: bytes) -> bytes | None:
    """A broken PDF is no receipt: what the parser raises on a hostile file is an answer."""
    try:
        for name, versions in PdfReader(io.BytesIO(content)).attachments.items():
            if name.endswith(SUFFIX) and len(versions) == 1:
                return bytes(versions[0])
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError, NotImplementedError, OSError):
        return None
    return None
