"""What a licensed CA or a seal platform must offer to sign contracts here: digest in, CMS out. Set `EXTERNAL_SIGNER` to a class's dotted path.

The platform never sees the contract; we never see its key. What it returns is put into the file and then judged like any other signature
(`verdict`): a CMS over another digest, by another body's certificate or from a root that is not trusted here does not get through the door.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

RESERVED = 32 * 1024
"""Bytes kept free in the file for the CMS, certificates and timestamp included."""


@dataclass(frozen=True)
class Request:
    """What is to be signed. code, name: the signing body. digest: 32 bytes, SHA-256 over the file's byte range (ISO 32000-2 12.8.1).

    signed_at: what the file will state as the time (UTC). reference: our contract's number, for the platform's own log.
    """

    code: str
    name: str
    digest: bytes
    signed_at: datetime
    reference: str


class ExternalSigner(Protocol):
    """The interface. Called in a worker, outside any transaction; may take its time; may be asked twice for the same contract."""

    def serves(self, code: str) -> bool:
        """Whether this body's signatures come from the platform."""
        ...

    def certificate(self, code: str) -> bytes | None:
        """The body's certificate (DER), for the visible mark's serial number and for long-term validation; None when not known before."""
        ...

    def sign(self, request: Request) -> bytes:
        """A detached CMS SignedData (DER, ETSI EN 319 122 / 319 142: signed attributes content-type, message-digest = the request's
        digest, signing-certificate-v2), at most `RESERVED` bytes. Raises any exception when it cannot; the request then waits and
        is tried again."""
        ...


def platform_for(code: str) -> ExternalSigner | None:
    """The configured platform, if it signs for this body."""
    if not settings.EXTERNAL_SIGNER:
        return None
    found: ExternalSigner = import_string(settings.EXTERNAL_SIGNER)()
    return found if found.serves(code) else None
