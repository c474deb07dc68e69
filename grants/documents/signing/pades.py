"""One more signature on a PDF: PAdES baseline, B-B without a timestamp authority, up to B-LTA with one.

The first signature certifies the file (DocMDP: from now on only the other parties' fields may be filled), later ones approve. The bytes that
were there stay as they were; each signature is appended. Slow (0.2–1 s, plus the timestamp authority): call it from an effect.
"""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from asn1crypto import cms, keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.utils.translation import gettext as _
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer, SimpleSigner
from pyhanko.sign.signers.pdf_signer import PdfSigningSession
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.errors import PathBuildingError, PathValidationError
from pyhanko_certvalidator.registry import SimpleCertificateStore

from grants import clock, outbound
from grants.documents.signing import external, mark, trust
from grants.documents.signing.fields import Field
from grants.documents.signing.keys import LEVELS, CannotSign, Credential, Signatory, credential

DIGEST = "sha256"
TSA_SECONDS = 20
TSA_LARGEST = 64 * 1024  # bytes of an answer


def sign(pdf: bytes, field: Field, by: Signatory) -> bytes:
    """The file with this field signed by this body's certificate or platform, at `settings.SIGN_LEVEL`.

    Raises CannotSign: no certificate, an expired, revoked or untrusted one (when validation data is embedded), a field that does not exist
    or is filled. Whatever the timestamp authority or the platform raises passes through: the effect is tried again.
    """
    level = _level()
    platform = external.platform_for(by.code)
    at = clock.now()
    signer: Signer
    if platform is None:
        held = credential(by.code, by.name)
        signer, serial, development = _simple(held), f"{held.certificate.serial_number:x}", held.is_development
    else:
        signer, serial, development = _external(platform, by, at)
    picture = mark.draw(name=by.name, at=at, serial=serial[:32] or "见签名", development=development)
    return _append(pdf, field, signer, by=by, at=at, level=level, picture=picture)


def timestamper() -> TimeStamper | None:
    """The timestamp authority, if there is one."""
    if not settings.TSA_URL:
        return None
    if settings.GUARDED and not settings.TSA_URL.startswith("https:"):
        raise CannotSign("level", _("TSA_URL 应以 https:// 开头。"))
    return _Authority()


class _Authority(TimeStamper):  # type: ignore[misc]
    """RFC 3161 over HTTP as the library's own client does it, but no redirect is followed (grants.outbound)."""

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return await asyncio.to_thread(_stamped, req.dump())


def _stamped(request: bytes) -> tsp.TimeStampResp:
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    if settings.TSA_USER:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{settings.TSA_USER}:{settings.TSA_PASSWORD}".encode()).decode()
    answer = outbound.post(settings.TSA_URL, request, headers=headers, seconds=TSA_SECONDS, largest=TSA_LARGEST)
    if answer.kind != "application/timestamp-reply":
        raise TimestampRequestError(_("时间戳服务的答复不是时间戳（%(kind)s）。请核对 TSA_URL。") % {"kind": answer.kind})
    return tsp.TimeStampResp.load(answer.body)


def _level() -> str:
    level = settings.SIGN_LEVEL
    if level not in LEVELS:
        raise CannotSign("level", _("SIGN_LEVEL 只能是 %(levels)s。") % {"levels": "、".join(LEVELS)})
    if level != "B-B" and not settings.TSA_URL:
        raise CannotSign("level", _("SIGN_LEVEL=%(level)s 需要时间戳服务：请设置 TSA_URL。") % {"level": level})
    return str(level)


def _append(pdf: bytes, field: Field, signer: Signer, *, by: Signatory, at: datetime, level: str, picture: Any) -> bytes:
    try:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        fields = list(enumerate_sig_fields(writer.prev))
        _must_be_free(field, fields)
        first = not any(value is not None for _name, value, _ref in fields)
        meta = _metadata(field, by, level, certify=first, at=at)
        made = _Dated(meta, signer=signer, timestamper=timestamper() if level != "B-B" else None, stamp_style=_style(picture), at=at)
        out = io.BytesIO()
        reserved = external.RESERVED * 2 if isinstance(signer, _Platform) else None
        made.sign_pdf(writer, existing_fields_only=True, output=out, bytes_reserved=reserved)
    except (SigningError, PathValidationError, PathBuildingError, PdfError) as wrong:
        raise CannotSign("signature", _("“%(name)s”的证书不能用来签署：%(why)s") % {"name": by.name, "why": wrong}) from wrong
    return out.getvalue()


def _must_be_free(field: Field, fields: Iterable[Any]) -> None:
    filled = {name: value for name, value, _ref in fields}
    if field.name not in filled:
        raise CannotSign("field", _("文件里没有“%(tip)s”这一签名域。") % {"tip": field.tip})
    if filled[field.name] is not None:
        raise CannotSign("field", _("“%(tip)s”已经签过。") % {"tip": field.tip})


def _metadata(field: Field, by: Signatory, level: str, *, certify: bool, at: datetime) -> PdfSignatureMetadata:
    long_term = level in ("B-LT", "B-LTA")
    return PdfSignatureMetadata(
        field_name=field.name, md_algorithm=DIGEST, name=by.name, reason=field.tip, subfilter=SigSeedSubFilter.PADES,
        certify=certify, docmdp_permissions=MDPPerm.FILL_FORMS,
        embed_validation_info=long_term, use_pades_lta=level == "B-LTA",
        validation_context=trust.here().context(moment=at) if long_term else None,
    )  # fmt: skip


def _style(picture: Any) -> StaticStampStyle:
    fit = SimpleBoxLayoutRule(x_align=AxisAlignment.ALIGN_MID, y_align=AxisAlignment.ALIGN_MID, margins=Margins.uniform(0))
    return StaticStampStyle(border_width=0, background=PdfImage(picture), background_layout=fit, background_opacity=1.0)


class _Dated(PdfSigner):  # type: ignore[misc]
    """States our clock's time as the signing time, not the machine's: the clock can be set, and a paper has one time."""

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at = at

    def init_signing_session(self, pdf_out: Any, existing_fields_only: bool = False) -> PdfSigningSession:
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self._at
        return session


def _simple(held: Credential) -> SimpleSigner:
    der = held.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    chain = SimpleCertificateStore.from_certs([_asn1(c) for c in held.chain])
    return SimpleSigner(signing_cert=_asn1(held.certificate), signing_key=keys.PrivateKeyInfo.load(der), cert_registry=chain)


def _asn1(certificate: Any) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


class _Platform(Signer):  # type: ignore[misc]
    """pyHanko's signer whose CMS comes from outside, whole."""

    def __init__(self, platform: external.ExternalSigner, by: Signatory, at: datetime, certificate: asn1_x509.Certificate | None) -> None:
        super().__init__(signing_cert=certificate, cert_registry=SimpleCertificateStore())
        self.platform, self.by, self.at = platform, by, at

    async def async_sign(  # the library's own signature
        self, data_digest: bytes, digest_algorithm: str, dry_run: Any = False, use_pades: Any = False, timestamper: Any = None,
        signed_attr_settings: Any = None, is_pdf_sig: Any = True, encap_content_info: Any = None,
    ) -> cms.ContentInfo:  # fmt: skip
        asked = external.Request(self.by.code, self.by.name, data_digest, self.at, self.by.reference)
        answer = self.platform.sign(asked)
        if len(answer) > external.RESERVED:
            raise CannotSign("external", _("签章平台返回的签名有 %(n)d 字节，超过预留的 %(most)d 字节。") % {"n": len(answer), "most": external.RESERVED})
        try:
            found = cms.ContentInfo.load(answer, strict=True)
            kind = found["content_type"].native
        except (ValueError, TypeError) as wrong:
            raise CannotSign("external", _("签章平台返回的不是 CMS 签名。")) from wrong
        if kind != "signed_data":
            raise CannotSign("external", _("签章平台返回的不是 CMS 签名。"))
        return found

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        raise NotImplementedError  # the platform returns a whole CMS, never a bare signature value


def _external(platform: external.ExternalSigner, by: Signatory, at: datetime) -> tuple[_Platform, str, bool]:
    der = platform.certificate(by.code)
    certificate = asn1_x509.Certificate.load(der) if der else None
    return _Platform(platform, by, at, certificate), f"{certificate.serial_number:x}" if certificate else "", False
