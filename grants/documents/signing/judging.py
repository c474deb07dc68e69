"""What the signatures in a PDF are worth. Only pyHanko's `bottom_line` counts: mathematics, chain, revocation *and* what was changed since.

`intact` or `valid` alone would pass a file to which a page was appended after signing. Nothing is fetched; a file that cannot be read is a
verdict, not an exception.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import Any

from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.general import SigningError, ValueErrorWithMessage
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError, SignatureValidationError
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from grants import clock
from grants.documents.signing import trust
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
    return Paper(readable=True, signatures=found, unsigned=empty, data=attachments(pdf))


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
    known, store = trust.here(), _store(reader)
    status = _status(sig, known, store)
    certificate, stamp = sig.signer_cert, status.timestamp_validity
    stamped = stamp is not None and stamp.valid and stamp.intact and stamp.trusted
    at = stamp.timestamp if stamped else (status.signer_reported_dt or sig.self_reported_timestamp)
    return Signature(
        field=sig.field_name, signer=_named(certificate, "organization_name") or _named(certificate, "common_name"),
        code=_named(certificate, "serial_number"), serial=f"{certificate.serial_number:x}", authority=_issuer_name(certificate),
        issuer=_issuer(sig, status, known, store), flaw=_flaw(sig, status, known, store), at=at, stamped=stamped,
        level=_level(reader, stamp, known, store),
    )  # fmt: skip


@dataclass(frozen=True)
class _Store:
    """Certificates and lists that the file carries for its own validation; they are checked, never trusted."""

    certificates: tuple[asn1_x509.Certificate, ...] = ()
    lists: tuple[Any, ...] = ()


def _store(reader: Any) -> _Store:
    from asn1crypto import crl  # noqa: PLC0415 - only where a file has a store

    try:
        dss = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return _Store()
    lists = tuple(crl.CertificateList.load(reference.get_object().data) for reference in dss.crls)
    return _Store(tuple(dss.load_certs()), lists)


def _status(sig: Any, known: trust.Trust, store: _Store, *, revocation: bool = True) -> Any:
    """Judged now; with a timestamp that holds, the certificate is judged at the time of the stamp."""
    now = clock.now()
    given: dict[str, Any] = {"certificates": store.certificates, "lists": store.lists, "revocation": revocation}
    status = validate_pdf_signature(sig, known.context(moment=now, **given), known.context(moment=now, **given))
    stamp = status.timestamp_validity
    if stamp is not None and stamp.valid and stamp.intact and stamp.trusted:
        then = known.context(moment=stamp.timestamp, late_lists=True, **given)
        status = validate_pdf_signature(sig, then, known.context(moment=now, **given))
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


def _level(reader: Any, stamp: Any, known: trust.Trust, store: _Store) -> str:
    if stamp is None:
        return "B-B"
    if not store.lists:
        return "B-T"
    archived = [_archival(ts, known, store) for ts in reader.embedded_timestamp_signatures]
    return "B-LTA" if archived and archived[-1] else "B-LT"


def _archival(sig: Any, known: trust.Trust, store: _Store) -> bool:
    given: dict[str, Any] = {"certificates": store.certificates, "lists": store.lists}
    status = validate_pdf_timestamp(sig, known.context(moment=clock.now(), **given))
    return bool(status.intact and status.valid and status.trusted)


def _named(certificate: Any, part: str) -> str:
    return str(certificate.subject.native.get(part) or "")


def _issuer_name(certificate: Any) -> str:
    named = certificate.issuer.native
    return str(named.get("common_name") or named.get("organization_name") or "")
