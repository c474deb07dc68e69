"""`manage.py ca`: the development CA and the certificates that sign contracts.

    ca init                              make the development CA (once)
    ca issue CODE --name NAME [--days N] a key and certificate for a body, by the development CA
    ca import CODE FILE.p12              a body's certificate from a licensed CA; the password is asked for, or read from CA_PASSWORD
    ca revoke CODE [--reason R]          put the body's certificate of ours on the revocation list
    ca crl                               sign the revocation list anew
    ca show                              what is here

CODE is a 统一社会信用代码. Keys lie in `<data folder>/keys/signing`, readable by their owner only.
"""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Any

from cryptography import x509
from django.core.management.base import BaseCommand, CommandError, CommandParser

from grants.clock import TZ
from grants.documents.signing import authority, keys, store


class Command(BaseCommand):
    help = "签名证书：ca init | issue | import | revoke | crl | show"

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("init", help="建立开发 CA")
        issue = acts.add_parser("issue", help="用开发 CA 给一个单位签发证书")
        issue.add_argument("code")
        issue.add_argument("--name", required=True)
        issue.add_argument("--days", type=int, default=authority.BODY_YEARS * 365)
        take = acts.add_parser("import", help="导入正式证书（PKCS#12）")
        take.add_argument("code")
        take.add_argument("file", type=Path)
        revoke = acts.add_parser("revoke", help="吊销开发 CA 签发的证书")
        revoke.add_argument("code")
        revoke.add_argument("--reason", default="unspecified", choices=[r.value for r in x509.ReasonFlags if r.value != "removeFromCRL"])
        acts.add_parser("crl", help="重新签发吊销名单")
        acts.add_parser("show", help="这里有哪些证书")

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        """Each act says what it did; whatever is refused is refused in words."""
        try:
            getattr(self, f"_{act}")(**options)
        except (authority.NoAuthority, keys.CannotSign, ValueError, OSError) as wrong:
            raise CommandError(str(wrong)) from wrong

    def _init(self, **_more: Any) -> None:
        self._say(authority.init())
        self.stdout.write("这是开发 CA：它签发的证书不具第三方认证效力（电子签名法第十六条）。")

    def _issue(self, *, code: str, name: str, days: int, **_more: Any) -> None:
        self._say(authority.issue(code, name, days=days))

    def _import(self, *, code: str, file: Path, **_more: Any) -> None:
        password = os.environ.get("CA_PASSWORD") or getpass.getpass("口令 / password: ")
        found = keys.take_in(code, file.read_bytes(), password)
        self._say(found)
        self.stdout.write(f"请把签发机构的根证书和吊销名单放进 {store.trust_folder()}，否则签名核验时“签发者未知”。")

    def _revoke(self, *, code: str, reason: str, **_more: Any) -> None:
        authority.revoke(code, reason=reason)
        self.stdout.write(f"已吊销 {code}，吊销名单已重新签发：{authority.list_path()}")

    def _crl(self, **_more: Any) -> None:
        signed = authority.write_list()
        self.stdout.write(f"{authority.list_path()}：{len(list(signed))} 张证书已吊销，下次更新 {signed.next_update_utc}")

    def _show(self, **_more: Any) -> None:
        if authority.exists():
            self._say(authority.root())
        for path in sorted((store.folder() / "bodies").glob("*.pem")):
            self._say(x509.load_pem_x509_certificates(path.read_bytes())[0], code=path.stem)
        self.stdout.write(f"信任的根证书和吊销名单：{store.trust_folder()}")

    def _say(self, certificate: x509.Certificate, code: str = "") -> None:
        ends = certificate.not_valid_after_utc.astimezone(TZ).date()
        kind = "开发 CA" if keys.is_development(certificate) else "其他签发者"
        self.stdout.write(f"{code or '-'}  {certificate.subject.rfc4514_string()}  序列号 {certificate.serial_number:x}  至 {ends}  {kind}")
