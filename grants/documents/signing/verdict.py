"""The verdict on a signed PDF, as plain values. pyHanko is loaded only when something is judged: it costs half a second at start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Issuer = Literal["development", "trusted", "unknown"]
Flaw = Literal["", "changed", "forged", "revoked", "expired", "unknown", "revocation_unknown", "timestamp", "other"]


@dataclass(frozen=True)
class Signature:
    """One signature. flaw is empty exactly when `bottom_line` holds.

    field: name of the form field. signer, code: O (or CN) and serialNumber of the subject. at: trusted time if there is a good timestamp,
    else what the signer states (UTC). level: B-B … B-LTA. good_but: with flaw `revocation_unknown`, everything else held.
    """

    field: str
    signer: str
    code: str
    serial: str
    authority: str
    issuer: Issuer
    flaw: Flaw
    at: datetime | None
    stamped: bool
    level: str

    @property
    def holds(self) -> bool:
        return not self.flaw


@dataclass(frozen=True)
class Paper:
    """All of it. readable: it is a PDF that can be parsed. unsigned: empty signature fields. data: attachment name → bytes.

    until: when the certificates of the last document timestamp run out (UTC); None without one that holds (below B-LTA).
    """

    readable: bool
    signatures: tuple[Signature, ...] = ()
    unsigned: tuple[str, ...] = ()
    data: dict[str, bytes] | None = None
    until: datetime | None = None

    @property
    def holds(self) -> bool:
        """Signed at least once, and every signature holds."""
        return bool(self.signatures) and all(s.holds for s in self.signatures)

    def of(self, field: str) -> Signature | None:
        return next((s for s in self.signatures if s.field == field), None)


def judge(pdf: bytes) -> Paper:
    """The verdict on a file. Some 0.1 CPU s a signature, more with long-term data. Never raises for a bad file."""
    from grants.documents.signing import judging  # noqa: PLC0415 - see above

    return judging.judge(pdf)


def attachments(pdf: bytes) -> dict[str, bytes]:
    """Files embedded in the PDF; of one name the first. Empty when it cannot be read."""
    from grants.documents.signing import judging  # noqa: PLC0415 - see above

    return judging.attachments(pdf)
