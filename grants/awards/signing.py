"""打印、盖章、扫描、上传: whether an uploaded scan can be this contract's. Nothing here draws or checks a seal: a person looks at it.

Both sides confirm the number and the head of the digest that the footer prints; what a machine can notice is refused: another
contract's scan, a scan used before, the unsigned text itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from grants.awards.models import Contract
from grants.documents.files import open_file
from grants.documents.models import StoredFile

LEAST = 8
"""Hex digits of the digest that must be confirmed; the footer prints sixteen."""
TYPES = ("application/pdf", "image/jpeg", "image/png")
PAGES_READ = 40
_NUMBER = re.compile(r"协议编号[:：]?(.+?号|[0-9A-Za-z\-〔〕\[\]]+)")


def mismatch(contract: Contract, details: Mapping[str, Any]) -> str | None:
    """Why the uploaded scan is not this contract's, as a sentence with the way out; None when nothing speaks against it.

    details: scan (StoredFile), number, text_hash (at least eight hex digits as printed in the footer).
    """
    scan = details.get("scan")
    if scan is None:
        return _("请上传签字盖章后的扫描件（PDF、JPG 或 PNG）。")
    return _confirmed(contract, details) or _reused(contract, scan) or _by_its_text(contract, scan)


def _confirmed(contract: Contract, details: Mapping[str, Any]) -> str | None:
    if _folded(str(details.get("number", ""))) != _folded(contract.number):
        return _("填写的协议编号与本协议 %(number)s 不符，请核对扫描件首页，确认是这一份协议。") % {"number": contract.number}
    given = _folded(str(details.get("text_hash", ""))).lower().rstrip("….")
    if len(given) < LEAST or not contract.text_hash.startswith(given):
        return _("填写的内容摘要与本协议页脚所印的不符；请抄写页脚“SHA-256”后的前 %(n)d 位。如页脚确实不同，说明打印的不是定稿，请重新下载打印。") % {
            "n": LEAST
        }
    return None


def _reused(contract: Contract, scan: StoredFile) -> str | None:
    if scan.media_type not in TYPES:
        return _("扫描件须为 PDF、JPG 或 PNG。")
    if scan.pk == contract.file_id:
        return _("这是没有签字盖章的协议原文；请打印、签字盖章后扫描上传。")
    other = Contract.objects.filter(Q(grantee_scan=scan) | Q(agency_scan=scan) | Q(file=scan)).exclude(pk=contract.pk).first()
    if other is not None:
        return _("这份扫描件已用于协议 %(number)s，不能用于本协议；请上传本协议的扫描件。") % {"number": other.number}
    if contract.state == "grantee_signed" and scan.pk == contract.grantee_scan_id:
        return _("这是乙方上传的同一份扫描件，没有甲方的签章；请上传双方签章后的扫描件。")
    return None


def _by_its_text(contract: Contract, scan: StoredFile) -> str | None:
    """A scan with a text layer (OCR, or printed to PDF) says itself which contract it is."""
    if scan.media_type != "application/pdf":
        return None
    text = text_of(scan)
    others = {n for n in map(_folded, _NUMBER.findall(text)) if n} - {_folded(contract.number)}
    if others and _folded(contract.number) not in text:
        return _("扫描件上的协议编号是 %(other)s，不是本协议 %(number)s；请上传本协议的扫描件。") % {
            "other": min(others), "number": contract.number,
        }  # fmt: skip
    if contract.file is not None and text and text == text_of(contract.file):
        return _("这份文件的内容与未签字的协议原文完全相同，没有签字盖章；请打印、签字盖章后扫描上传。")
    return None


def text_of(stored: StoredFile) -> str:
    """The text layer without blanks; empty for pictures and for files that cannot be read."""
    try:
        with open_file(stored.sha256) as stream:
            pages = PdfReader(stream).pages[:PAGES_READ]
            return _folded("".join(page.extract_text() or "" for page in pages)) + _pictures(pages)
    except (PyPdfError, ValueError, KeyError, TypeError, OSError, RecursionError):
        return ""


def _pictures(pages: Any) -> str:
    """A mark per picture, so that the printed text with a scanned seal on it is not taken for the printed text."""
    return "▣" * sum(len(page.images) for page in pages)


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if not c.isspace())
