"""Whose certificate and key this installation holds, and whether they may be used now. Codes are 统一社会信用代码 or record numbers."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils.translation import gettext as _

from grants import clock
from grants.documents.signing import authority, store

LEVELS = ("B-B", "B-T", "B-LT", "B-LTA")  # PAdES baseline (ETSI EN 319 142-1)


class CannotSign(RuntimeError):
    """No signature can be made for this body now. `rule`: certificate | expired | development | external | signature | field."""

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(sentence)
        self.rule = rule


@dataclass(frozen=True)
class Signatory:
    """Who signs: the code and name of the body, and our own number of the paper for an external platform's log."""

    code: str
    name: str
    reference: str = ""


@dataclass(frozen=True)
class Credential:
    """A certificate with its key, and the certificates between it and its root."""

    certificate: x509.Certificate
    key: PrivateKeyTypes
    chain: tuple[x509.Certificate, ...]

    @property
    def is_development(self) -> bool:
        return is_development(self.certificate)


def is_development(certificate: x509.Certificate) -> bool:
    """Whether our own development CA issued it (by signature, not by name)."""
    if not authority.exists():
        return False
    try:
        certificate.verify_directly_issued_by(authority.root())
    except (ValueError, TypeError, InvalidSignature):
        return False

    return True


def platform_ca_allowed() -> bool:
    """Outside production always; in production only when `PLATFORM_CA` says so, since its signatures prove nothing to outsiders."""
    return bool(settings.PLATFORM_CA)


def held(code: str) -> bool:
    return store.path_for(code, ".pem").exists()


def credential(code: str, name: str) -> Credential:
    """A body's certificate and key; where the platform's CA may be used and the body has none that is in date, one is issued now.

    Raises CannotSign."""
    if _wanting(code):
        _issue(code, name)
    found = _read(code)
    if found.is_development and not platform_ca_allowed():
        raise CannotSign("development", _only_development(name))
    if not _in_date(found):
        raise CannotSign("expired", _out_of_date(found, name))
    return found


def obstacle(code: str, name: str) -> str | None:
    """Why this body could not sign now, as a sentence; None when it could. Makes nothing."""
    if not held(code):
        return None if platform_ca_allowed() else _no_certificate(name)
    found = _read(code)
    if found.is_development:
        return None if platform_ca_allowed() else _only_development(name)
    return None if _in_date(found) else _out_of_date(found, name)


def _no_certificate(name: str) -> str:
    return _("“%(name)s”没有电子签名证书。请导入证书，或打印、盖章、扫描上传。") % {"name": name}


def _only_development(name: str) -> str:
    return _("“%(name)s”只有开发证书，正式环境不使用开发证书签署。请导入正式证书，或打印、盖章、扫描上传。") % {"name": name}


def _out_of_date(found: Credential, name: str) -> str:
    day = found.certificate.not_valid_after_utc.astimezone(clock.TZ).date()
    return _("“%(name)s”的证书已于 %(day)s 到期或尚未生效，请更换证书，或打印、盖章、扫描上传。") % {"name": name, "day": day}


def _issue(code: str, name: str) -> None:
    if not platform_ca_allowed():
        raise CannotSign("certificate", _no_certificate(name))
    with store.locked():
        authority.init()
        if _wanting(code):  # another process may have been first
            authority.issue(code, name)


def _wanting(code: str) -> bool:
    """Whether the platform's CA has to make one: there is none, or its own ran out."""
    if not held(code):
        return True
    found = _read(code)
    return platform_ca_allowed() and found.is_development and not _in_date(found)


def _in_date(found: Credential) -> bool:
    return found.certificate.not_valid_before_utc <= clock.now() < found.certificate.not_valid_after_utc


def _read(code: str) -> Credential:
    """One file holds the key and the certificates, so that nobody ever reads one with the other's successor."""
    pem = store.path_for(code, ".pem").read_bytes()
    certificates = x509.load_pem_x509_certificates(pem)
    return Credential(certificates[0], load_pem_private_key(pem, password=None), tuple(certificates[1:]))


def take_in(code: str, packed: bytes, password: str) -> x509.Certificate:
    """Import a PKCS#12 file as this body's certificate. Raises CannotSign for a wrong password, a missing key or another body's code."""
    try:
        key, certificate, more = pkcs12.load_key_and_certificates(packed, password.encode() or None)
    except ValueError as wrong:
        raise CannotSign("certificate", _("读不出这个 PKCS#12 文件：口令不对或文件损坏。")) from wrong
    if key is None or certificate is None:
        raise CannotSign("certificate", _("这个 PKCS#12 文件里没有私钥或证书。"))
    named = {str(a.value) for oid in (NameOID.SERIAL_NUMBER, NameOID.ORGANIZATION_IDENTIFIER) for a in certificate.subject.get_attributes_for_oid(oid)}
    if named and not any(code in value for value in named):
        raise CannotSign("certificate", _("证书写的代码是 %(found)s，不是 %(code)s。") % {"found": "、".join(sorted(named)), "code": code})
    chain = b"".join(c.public_bytes(Encoding.PEM) for c in (certificate, *more))
    store.write(store.path_for(code, ".pem"), store.as_pem(key) + chain)
    return certificate
