"""Which roots and revocation lists count. Nothing is ever fetched: lists come from files and from the signed paper itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import crl as asn1_crl
from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import ValidationContext

from grants.documents.signing import authority, store

ROOTS = (".crt", ".pem", ".cer")


@dataclass(frozen=True)
class Trust:
    """Roots and lists of this installation. development: our own root, whose signatures prove nothing to outsiders."""

    development: asn1_x509.Certificate | None
    roots: tuple[asn1_x509.Certificate, ...]
    lists: tuple[asn1_crl.CertificateList, ...]

    def context(
        self, *, moment: datetime, certificates: Iterable[asn1_x509.Certificate] = (), lists: Iterable[asn1_crl.CertificateList] = (),
        revocation: bool = True, late_lists: bool = False,
    ) -> ValidationContext:  # fmt: skip
        """For one validation at `moment` (UTC). revocation: every certificate below a root must be on no list *and* a list must be at hand;
        off, lists are not asked at all. late_lists: lists signed after `moment` say about `moment` too (the signature has a timestamp)."""
        own = () if self.development is None else (self.development,)
        return ValidationContext(
            trust_roots=[*self.roots, *own],
            other_certs=list(certificates),
            moment=moment,
            allow_fetching=False,
            crls=[*self.lists, *lists] if revocation else [],
            revocation_mode="require" if revocation else "soft-fail",
            retroactive_revinfo=late_lists,
        )


def here() -> Trust:
    """What this installation trusts now."""
    development, lists = None, []
    if authority.exists():
        development = asn1_x509.Certificate.load(authority.root().public_bytes(Encoding.DER))
        lists = [asn1_crl.CertificateList.load(authority.list_path().read_bytes())] if authority.list_path().exists() else []
    files = sorted(store.trust_folder().iterdir()) if store.trust_folder().is_dir() else []
    roots = [c for f in files if f.suffix.lower() in ROOTS for c in _certificates(f)]
    return Trust(development, tuple(roots), (*lists, *(x for f in files if f.suffix.lower() == ".crl" for x in _lists(f))))


def _certificates(path: Path) -> list[asn1_x509.Certificate]:
    return [asn1_x509.Certificate.load(der) for der in _ders(path.read_bytes())]


def _lists(path: Path) -> list[asn1_crl.CertificateList]:
    return [asn1_crl.CertificateList.load(der) for der in _ders(path.read_bytes())]


def _ders(content: bytes) -> list[bytes]:
    if not pem.detect(content):
        return [content]
    return [der for _type, _headers, der in pem.unarmor(content, multiple=True)]
