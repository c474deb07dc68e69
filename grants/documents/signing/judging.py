"""What the signatures in a PDF are worth. Only pyHanko's `bottom_line` counts: mathematics, chain, revocation *and* what was changed since.

`intact` or `valid` alone would pass a file to which a page was appended after signing. Nothing is fetched; a file that cannot be read is a
verdict, not an exception.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import x509 as asn1_x509
from django.utils.translation import gettext as _
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.general import SigningError, ValueErrorWithMessage
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError, SignatureValidationError
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from grants import clock
from grants.documents.signing import archive, trust
from grants.documents.signing.keys import CannotSign
from grants.documents.signing.verdict import Flaw, Issuer, Paper, Signature

log = logging.getLogger(__name__)

BROKEN = (PdfError, SigningError, ValueErrorWithMessage, SignatureValidationError, ValueError, KeyError, TypeError, IndexError, AttributeError,
          NotImplementedError, OverflowError, RecursionError, AssertionError)  # fmt: skip
"""What a hostile or damaged file makes the parsers raise."""


def judge(pdf: bytes) -> Paper:
    """The verdict on a file. Some 50 ms a signature, a second with long-term data."""
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=True)
        fields = list(enumerate_sig_fields(reader))
        empty = tuple(name for name, value, _ref in fields if value is None)
        found = tuple(_signature(sig, reader) for sig in reader.embedded_regular_signatures)
    except BROKEN:
        return Paper(readable=_opens(pdf), signatures=_unparsed(pdf), data=attachments(pdf))
    return Paper(readable=True, signatures=found, unsigned=empty, data=attachments(pdf), until=_until(reader))


def renew(pdf: bytes) -> bytes:
    """The file with one more document timestamp over everything (`archive.renew`). Raises CannotSign, and what the timestamp authority raises."""
    try:
        held = _store(PdfFileReader(io.BytesIO(pdf), strict=True), trust.here())
    except BROKEN as wrong:
        raise CannotSign("signature", _("不能续加时间戳：%(why)s") % {"why": wrong}) from wrong
    return archive.renew(pdf, held.given)


def _until(reader: Any) -> datetime | None:
    try:
        stamps = _store(reader, trust.here()).stamps
    except BROKEN:
        return None
    return stamps[0].until if stamps else None


def attachments(pdf: bytes) -> dict[str, bytes]:
    """Files embedded in the PDF; of one name the first. Empty when it cannot be read."""
    try:
        return {name: files[0] for name, files in PdfReader(io.BytesIO(pdf)).attachments.items() if files}
    except (PyPdfError, *BROKEN):
        return {}


def _opens(pdf: bytes) -> bool:
    try:
        return len(PdfReader(io.BytesIO(pdf)).pages) > 0
    except (PyPdfError, *BROKEN):
        return False


def _unparsed(pdf: bytes) -> tuple[Signature, ...]:
    """A file that claims a signature but breaks the parser is a broken signature, not an unsigned file."""
    if b"/ByteRange" not in pdf:
        return ()
    return (Signature("", "", "", "", "", "unknown", "forged", None, stamped=False, level=""),)


def _signature(sig: Any, reader: Any) -> Signature:
    try:
        return _described(sig, reader)
    except BROKEN as wrong:
        log.info("a signature that cannot be judged: %s", wrong, exc_info=True)
        return Signature(sig.field_name or "", "", "", "", "", "unknown", "forged", None, stamped=False, level="")


def _described(sig: Any, reader: Any) -> Signature:
    known = trust.here()
    store = _store(reader, known)
    status = _status(sig, known, store)
    certificate, stamp = sig.signer_cert, status.timestamp_validity
    stamped = stamp is not None and stamp.valid and stamp.intact and stamp.trusted
    at = stamp.timestamp if stamped else (status.signer_reported_dt or sig.self_reported_timestamp)
    return Signature(
        field=sig.field_name, signer=_named(certificate, "organization_name") or _named(certificate, "common_name"),
        code=_named(certificate, "serial_number"), serial=f"{certificate.serial_number:x}", authority=_issuer_name(certificate),
        issuer=_issuer(sig, status, known, store), flaw=_flaw(sig, status, known, store), at=at, stamped=stamped,
        level=_level(reader, stamp, store),
    )  # fmt: skip


@dataclass(frozen=True)
class _Store:
    """Certificates and lists that the file carries for its own validation (checked, never trusted), and its document timestamps that hold."""

    certificates: tuple[asn1_x509.Certificate, ...] = ()
    lists: tuple[Any, ...] = ()
    stamps: tuple[archive.Stamp, ...] = ()

    @property
    def given(self) -> dict[str, Any]:
        return {"certificates": self.certificates, "lists": self.lists}


def _store(reader: Any, known: trust.Trust) -> _Store:
    from asn1crypto import crl  # noqa: PLC0415 - only where a file has a store

    try:
        dss = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return _Store()
    lists = tuple(crl.CertificateList.load(reference.get_object().data) for reference in dss.crls)
    carried = _Store(tuple(dss.load_certs()), lists)
    return _Store(carried.certificates, lists, archive.chain(reader, known, carried.given))


def _status(sig: Any, known: trust.Trust, store: _Store, *, revocation: bool = True) -> Any:
    """Judged now, or when the file's document timestamps show it was there; with a timestamp that holds, the certificate is judged at that time."""
    given: dict[str, Any] = {**store.given, "revocation": revocation}
    moment = archive.proven(store.stamps, sig.signed_revision)
    given_then = {**given, "moment": moment, "late_lists": moment < clock.now()}
    status = validate_pdf_signature(sig, known.context(**given_then), known.context(**given_then))
    stamp = status.timestamp_validity
    if stamp is not None and stamp.valid and stamp.intact and stamp.trusted:
        then = known.context(moment=stamp.timestamp, late_lists=True, **given)
        status = validate_pdf_signature(sig, then, known.context(**given_then))
    return status


def _flaw(sig: Any, status: Any, known: trust.Trust, store: _Store) -> Flaw:
    if status.bottom_line:
        return ""
    if not (status.intact and status.valid):
        return "forged"
    if not (status.docmdp_ok or status.modification_level is None):
        return "changed"
    stamp = status.timestamp_validity
    if stamp is not None and not (stamp.valid and stamp.intact and stamp.trusted):
        return "timestamp"
    if status.revoked:
        return "revoked"
    if _status(sig, known, store, revocation=False).bottom_line:
        return "revocation_unknown"
    return _by_indication(status.trust_problem_indic)


def _by_indication(indication: Any) -> Flaw:
    if indication in (AdESIndeterminate.OUT_OF_BOUNDS_NO_POE, AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED):
        return "expired"
    if indication in (AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND, AdESIndeterminate.NO_SIGNING_CERTIFICATE_FOUND):
        return "unknown"
    return "other"


def _issuer(sig: Any, status: Any, known: trust.Trust, store: _Store) -> Issuer:
    """Whose word it is: by the chain that was built, never by names in the certificate."""
    path = status.validation_path or _status(sig, known, store, revocation=False).validation_path
    if path is None:
        return "unknown"
    root = next(iter(path.iter_certs(include_root=True)), None)
    if root is None:
        return "unknown"
    return "development" if known.development is not None and root.dump() == known.development.dump() else "trusted"


def _level(reader: Any, stamp: Any, store: _Store) -> str:
    if stamp is None:
        return "B-B"
    if not store.lists:
        return "B-T"
    last = reader.embedded_timestamp_signatures[-1:]
    return "B-LTA" if last and store.stamps and store.stamps[0].revision == last[0].signed_revision else "B-LT"


def _named(certificate: Any, part: str) -> str:
    return str(certificate.subject.native.get(part) or "")


def _issuer_name(certificate: Any) -> str:
    named = certificate.issuer.native
    return str(named.get("common_name") or named.get("organization_name") or "")
