"""Document timestamps (PAdES B-LTA): what they prove, until when, and one more before the last one's certificate runs out.

A chain is read from its newest stamp, which is judged now; each older one is judged at the moment that the next newer one that holds proves. So a
signature stays provable after its own certificates and those of every stamp but the last have run out. Nothing is fetched.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import PdfTimeStamper
from pyhanko.sign.validation import validate_pdf_timestamp
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator.errors import PathBuildingError, PathValidationError

from grants import clock
from grants.documents.signing import pades, trust
from grants.documents.signing.keys import CannotSign

COVERED = (SignatureCoverageLevel.ENTIRE_REVISION, SignatureCoverageLevel.ENTIRE_FILE)


@dataclass(frozen=True)
class Stamp:
    """A document timestamp that holds: over which revision of the file, since when it proves it, until when its certificates are valid (UTC)."""

    revision: int
    at: datetime
    until: datetime


def chain(reader: PdfFileReader, known: trust.Trust, given: Mapping[str, Any]) -> tuple[Stamp, ...]:
    """Those that hold, newest first. given: certificates and lists that the file carries, as `Trust.context` takes them."""
    moment = now = clock.now()
    found: list[Stamp] = []
    for embedded in reversed(reader.embedded_timestamp_signatures):
        status = validate_pdf_timestamp(embedded, known.context(moment=moment, late_lists=moment < now, **given), skip_diff=True)
        if _holds(status) and status.validation_path is not None and status.timestamp <= moment:
            moment = status.timestamp
            ends = min(c.not_valid_after for c in status.validation_path.iter_certs(include_root=False))
            found.append(Stamp(embedded.signed_revision, moment, ends))
    return tuple(found)


def _holds(status: Any) -> bool:
    return bool(status.intact and status.valid and status.trusted and status.coverage in COVERED)


def proven(stamps: tuple[Stamp, ...], revision: int) -> datetime:
    """The earliest moment at which that revision is shown to have been there; now, if no stamp covers it."""
    return min((stamp.at for stamp in stamps if stamp.revision > revision), default=clock.now())


def renew(pdf: bytes, given: Mapping[str, Any]) -> bytes:
    """The file with proofs of its last timestamp and a new one over everything. Slow, asks the timestamp authority: outside transactions.

    Raises CannotSign: no authority is set, or the last stamp does not hold any more. Whatever the authority raises passes through.
    """
    stamper = pades.timestamper()
    if stamper is None:
        raise CannotSign("level", _("续加时间戳需要时间戳服务：请设置 TSA_URL。"))
    context = trust.here().context(moment=clock.now(), **given)
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=True)
        _must_still_hold(reader, given)
        out = PdfTimeStamper(stamper).update_archival_timestamp_chain(reader, context, in_place=False)
    except (SigningError, SignatureValidationError, PathValidationError, PathBuildingError, PdfError) as wrong:
        raise CannotSign("signature", _("不能续加时间戳：%(why)s") % {"why": wrong}) from wrong
    return bytes(out.getvalue())


def _must_still_hold(reader: PdfFileReader, given: Mapping[str, Any]) -> None:
    """The library appends to whatever is there; a new stamp over one that holds no more would prove nothing about the time before it."""
    last = reader.embedded_timestamp_signatures[-1:]
    stamps = chain(reader, trust.here(), given)
    if not last or not stamps or stamps[0].revision != last[0].signed_revision:
        raise CannotSign("signature", _("最后一个时间戳现在核验不通过（证书已到期、没有现行的吊销列表，或者不受信任），不能续加。"))
