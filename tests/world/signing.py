"""Certificates and a timestamp authority to sign with, all made here; nothing leaves the machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from asn1crypto import keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from grants import clock
from grants.documents.contract import render_contract
from grants.documents.signing import keys as our_keys
from grants.documents.signing import pades, store
from grants.documents.signing.fields import GRANTEE, GRANTOR
from tests.platform.contract_samples import extreme, ordinary

SAMPLES = {"two-party": ordinary, "three-party": extreme}


@cache
def printed(which: str = "two-party") -> bytes:
    """A contract, unsigned."""
    return render_contract(SAMPLES[which](), identifier=f"contract:{which}:1")


def grantee(which: str = "two-party") -> our_keys.Signatory:
    party = SAMPLES[which]().grantee
    return our_keys.Signatory(party.code, party.name)


def grantor(which: str = "two-party") -> our_keys.Signatory:
    party = SAMPLES[which]().funder
    return our_keys.Signatory(party.code, party.name)


def by_both(which: str = "two-party") -> bytes:
    """Signed by 乙方, then by 甲方."""
    return pades.sign(pades.sign(printed(which), GRANTEE, grantee(which)), GRANTOR, grantor(which))


class Authority:
    """A CA that is not ours: a licensed one, or a stranger's, depending on whether its root lies in the trust folder."""

    def __init__(self, name: str = "某某电子认证有限公司", *, at: datetime | None = None) -> None:
        self.at = at or clock.now()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        built = self._builder(self.name, self.key, self.at + timedelta(days=3650)).add_extension(x509.BasicConstraints(True, 0), critical=True)
        self.root = built.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True).sign(self.key, hashes.SHA256())

    def issue(self, name: str, code: str, *, days: int = 365, stamping: bool = False) -> tuple[Any, x509.Certificate]:
        """A key and its certificate; stamping: for a timestamp authority."""
        key: Any = rsa.generate_private_key(65537, 2048) if stamping else ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name), x509.NameAttribute(NameOID.SERIAL_NUMBER, code)]
        )
        built = self._builder(subject, key, self.at + timedelta(days=days)).add_extension(_usage(digital_signature=True, content_commitment=True), critical=True)
        if stamping:
            built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return key, built.sign(self.key, hashes.SHA256())

    def packed(self, name: str, code: str, password: str = "geheim", **more: Any) -> bytes:
        """The same as PKCS#12."""
        key, certificate = self.issue(name, code, **more)
        return pkcs12.serialize_key_and_certificates(b"x", key, certificate, [self.root], BestAvailableEncryption(password.encode()))

    def revocations(self, *gone: x509.Certificate, at: datetime | None = None) -> x509.CertificateRevocationList:
        now = at or clock.now()
        built = x509.CertificateRevocationListBuilder(self.name, now - timedelta(minutes=1), now + timedelta(days=30))
        for certificate in gone:
            built = built.add_revoked_certificate(x509.RevokedCertificateBuilder(certificate.serial_number, now - timedelta(minutes=1)).build())
        return built.sign(self.key, hashes.SHA256())

    def trusted(self, *gone: x509.Certificate, lists: bool = True) -> None:
        """Put the root, and its list, where this installation looks for them."""
        store.write(store.trust_folder() / f"{self.root.serial_number:x}.crt", self.root.public_bytes(Encoding.PEM))
        if lists:
            store.write(store.trust_folder() / f"{self.root.serial_number:x}.crl", self.revocations(*gone).public_bytes(Encoding.DER))

    def _builder(self, subject: x509.Name, key: Any, until: datetime) -> x509.CertificateBuilder:
        built = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        return built.serial_number(x509.random_serial_number()).not_valid_before(self.at - timedelta(days=2)).not_valid_after(until)


def _usage(**on: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
             "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{name: on.get(name, False) for name in names})


@contextmanager
def stamping(authority: Authority) -> Iterator[str]:
    """A timestamp authority on loopback (RFC 3161 over HTTP); yields its address."""
    key, certificate = authority.issue("时间戳服务", "TSA-1", stamping=True)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    dummy = DummyTimeStamper(asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER)), keys.PrivateKeyInfo.load(der), fixed_dt=clock.now())

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = tsp.TimeStampReq.load(self.rfile.read(int(self.headers["Content-Length"])))
            body = dummy.request_tsa_response(asked).dump()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def keys_of(contract: Any, party: str = "grantee") -> our_keys.Signatory:
    """Who signs for a party of a stored contract."""
    from grants.awards import esigning

    return esigning.signatory(contract, party)
