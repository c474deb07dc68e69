"""The development CA: one root, certificates of bodies, a revocation list. For trying out and for use inside one installation.

Its subject says that it is no licensed certification authority. It is made by `manage.py ca init` (a demonstration makes it by itself);
in production nothing is signed with it unless `PLATFORM_CA` is on, and `manage.py check --deploy` says so.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from django.utils.translation import gettext as _

from grants import clock
from grants.documents.signing import store

ROOT_YEARS, BODY_YEARS = 20, 5
LIST_DAYS = 45
BACKDATE = timedelta(days=1)  # clocks of readers differ
ROOT_BACKDATE = timedelta(days=1826)  # a demonstration tells of last year with a clock that was set
UNIT = "DEVELOPMENT CA - NOT A LICENSED CERTIFICATION AUTHORITY 开发证书，不具第三方认证效力"
LONGEST = 64  # characters of a name (X.520)
DIGEST = hashes.SHA256()


class NoAuthority(RuntimeError):
    """There is no development CA here: `manage.py ca init`."""


def exists() -> bool:
    return _path("root.crt").exists()


def init(name: str = "公创开发 CA") -> x509.Certificate:
    """Make the root once; an existing one is returned unchanged. P-256, twenty years."""
    if not exists():
        key, now = ec.generate_private_key(ec.SECP256R1()), clock.now()
        subject = x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, UNIT[:64]), x509.NameAttribute(NameOID.COMMON_NAME, name)]
        )
        public = key.public_key()
        built = _builder(subject, subject, public, now, ROOT_YEARS, since=now - ROOT_BACKDATE)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        built = built.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        store.write(_path("root.key"), store.as_pem(key))
        store.write(_path("root.crt"), built.sign(key, DIGEST).public_bytes(Encoding.PEM))
        write_list()
    return root()


def root() -> x509.Certificate:
    """The root certificate. Raises NoAuthority."""
    if not exists():
        raise NoAuthority(_("这里还没有开发 CA；请运行 manage.py ca init。"))
    return x509.load_pem_x509_certificate(_path("root.crt").read_bytes())


def issue(code: str, name: str, *, days: int = BODY_YEARS * 365) -> x509.Certificate:
    """A new key and certificate for a body, in the place of what it had. An older one is not revoked: that would undo what it signed.

    code: its 统一社会信用代码; name: as printed. Raises NoAuthority, ValueError."""
    issuer, now, key = root(), clock.now(), ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:LONGEST], _validate=False),  # the library counts bytes, X.520 characters
            x509.NameAttribute(NameOID.SERIAL_NUMBER, code),
            x509.NameAttribute(NameOID.COMMON_NAME, name[:LONGEST], _validate=False),
        ]
    )
    built = _builder(subject, issuer.subject, key.public_key(), now, days / 365)
    built = built.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    built = built.add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    built = built.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    certificate = built.sign(_root_key(), DIGEST)
    store.write(store.path_for(code, ".pem"), store.as_pem(key) + certificate.public_bytes(Encoding.PEM))
    return certificate


def revoke(code: str, *, reason: str = "unspecified") -> None:
    """Put a body's present certificate on the list. reason: as in RFC 5280, e.g. keyCompromise. Raises NoAuthority, ValueError when it is not ours."""
    certificate = x509.load_pem_x509_certificates(store.path_for(code, ".pem").read_bytes())[0]
    if certificate.issuer != root().subject:
        raise ValueError(_("%(code)s 的证书不是本站开发 CA 签发的，请向其签发机构申请吊销。") % {"code": code})
    held = _revoked()
    held[str(certificate.serial_number)] = {"at": clock.now().isoformat(), "reason": x509.ReasonFlags(reason).value}
    store.write(_path("revoked.json"), json.dumps(held, sort_keys=True).encode())
    write_list()


def write_list() -> x509.CertificateRevocationList:
    """Sign the revocation list anew, good for 45 days; the number counts on. Raises NoAuthority."""
    issuer, now = root(), clock.now()
    number = _number() + 1
    built = x509.CertificateRevocationListBuilder(issuer.subject, now - timedelta(minutes=5), now + timedelta(days=LIST_DAYS))
    built = built.add_extension(x509.CRLNumber(number), critical=False)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    built = built.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    for serial, entry in _revoked().items():
        row = x509.RevokedCertificateBuilder(int(serial), datetime.fromisoformat(entry["at"]))
        built = built.add_revoked_certificate(row.add_extension(x509.CRLReason(x509.ReasonFlags(entry["reason"])), critical=False).build())
    signed = built.sign(_root_key(), DIGEST)
    store.write(list_path(), signed.public_bytes(Encoding.DER))
    return signed


def list_path() -> Path:
    return _path("root.crl")


def refresh() -> None:
    """Sign the list anew when less than half of its time is left, or when the clock stands outside it. A chore; does nothing without a CA."""
    if not exists():
        return
    with store.locked():
        _refresh()


def _refresh() -> None:
    held = x509.load_der_x509_crl(list_path().read_bytes()) if list_path().exists() else None
    now = clock.now()
    ends = held.next_update_utc if held is not None else None
    if held is None or ends is None or not held.last_update_utc <= now or ends - now < timedelta(days=LIST_DAYS / 2):
        write_list()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Any, now: datetime, years: float, *, since: datetime | None = None
) -> x509.CertificateBuilder:
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    built = built.serial_number(x509.random_serial_number()).not_valid_before(since or now - BACKDATE)
    return built.not_valid_after(now + timedelta(days=years * 365))


def _usage(**on: bool) -> x509.KeyUsage:
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
        "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: on.get(name, False) for name in names})


def _root_key() -> Any:
    return load_pem_private_key(_path("root.key").read_bytes(), password=None)


def _revoked() -> dict[str, Any]:
    path = _path("revoked.json")
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _number() -> int:
    if not list_path().exists():
        return 0
    held = x509.load_der_x509_crl(list_path().read_bytes())
    return held.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _path(name: str) -> Path:
    return store.folder() / "ca" / name
