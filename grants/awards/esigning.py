"""电子签署: who signs in which field, whether it can be done now, and whether a signed file is this contract, whole, signed by this party.

Only pyHanko's bottom line counts (`documents.signing.verdict`); on top of it a signed contract must be the printed text with nothing but
signatures appended, and its embedded data must be what the ledger's digest names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from grants.awards.models import Contract
from grants.documents.contract import DATA_FILE
from grants.documents.files import read_file
from grants.documents.signing import external, keys
from grants.documents.signing.fields import EXECUTOR, GRANTEE, GRANTOR, Field
from grants.documents.signing.keys import Signatory
from grants.documents.signing.verdict import Paper, Signature, judge


@dataclass(frozen=True)
class Party:
    """One signing party: its field, and who it is for a contract (an Agency or an Organisation)."""

    field: Field
    body: Callable[[Contract], Any]


PARTIES: dict[str, Party] = {
    "executor": Party(EXECUTOR, lambda contract: contract.executing_team),
    "grantee": Party(GRANTEE, lambda contract: contract.signing_party),
    "grantor": Party(GRANTOR, lambda contract: contract.agency),
}


@dataclass(frozen=True)
class Checked:
    """The verdict on a signed file for one party. why_not: empty when it is good, else a sentence. serial, issuer, level: for the ledger.

    until: how long the document timestamps prove it (B-LTA), else None."""

    sha256: str
    party: str
    text_hash: str
    why_not: str
    serial: str = ""
    issuer: str = ""
    level: str = ""
    until: datetime | None = None


def code_of(body: Any) -> str:
    """What a body's certificate and key are filed under: its 统一社会信用代码, or our own id where it has none (备案 groups)."""
    return str(getattr(body, "code", "") or getattr(body, "uscc", "") or f"R-{body.pk.hex}")


def signatory(contract: Contract, party: str) -> Signatory:
    body = PARTIES[party].body(contract)
    return Signatory(code_of(body), body.name, contract.number)


def parties(contract: Contract) -> tuple[str, ...]:
    """In the order in which they sign."""
    return ("grantee", "grantor") if contract.sponsor is None else ("executor", "grantee", "grantor")


def why_not(contract: Contract) -> str | None:
    """A sentence that says why this contract cannot be signed electronically now; None when it can."""
    if contract.asked_party:
        return _("一方的电子签名正在生成，一般一分钟内完成，请稍候刷新。")
    if contract.file is None:
        return _("协议文本还在生成，请稍候一分钟再试。")
    for party in parties(contract):
        by = signatory(contract, party)
        if external.platform_for(by.code) is None and (found := keys.obstacle(by.code, by.name)):
            return found
    return None


def base(contract: Contract) -> bytes:
    """What the next signature is appended to. Raises FileLost."""
    stored = contract.signed or contract.file
    assert stored is not None  # text_is_ready
    return read_file(stored.sha256)


def check(contract: Contract, party: str, pdf: bytes) -> Checked:
    """Judge a signed file before it goes through the door. Half a second of a core."""
    sha256, paper = hashlib.sha256(pdf).hexdigest(), judge(pdf)
    found = paper.of(PARTIES[party].field.name)
    wrong = _appended(contract, pdf) or _whole(paper, contract, party) or _by(found, contract, party)
    details = {"serial": found.serial, "issuer": found.issuer, "level": found.level} if found else {}
    return Checked(sha256, party, contract.text_hash, wrong, **details, until=paper.until)


def _appended(contract: Contract, pdf: bytes) -> str:
    return "" if pdf.startswith(base(contract)) else _("签名文件不是在本协议原文上追加签名得到的。")


def _whole(paper: Paper, contract: Contract, party: str) -> str:
    expected = {PARTIES[p].field.name for p in (*contract.signed_by, party)}
    if {s.field for s in paper.signatures} != expected:
        return _("文件里的签名与应当签署的各方不一致。")
    broken = next((s for s in paper.signatures if not s.holds), None)
    if broken is not None:
        return _("“%(field)s”的签名核验不通过（%(flaw)s）。") % {"field": broken.field, "flaw": broken.flaw}
    data = (paper.data or {}).get(DATA_FILE, b"")
    return "" if hashlib.sha256(data).hexdigest() == contract.text_hash else _("文件内嵌的协议数据与定稿不一致。")


def _by(found: Signature | None, contract: Contract, party: str) -> str:
    body = PARTIES[party].body(contract)
    if found is None:
        return _("没有找到本方的签名。")
    if found.issuer == "development" and not keys.platform_ca_allowed():
        return _("正式环境不接受开发证书的签名。")
    code = code_of(body)
    if code not in found.code and not (not found.code and found.signer == body.name):
        return _("签名证书属于“%(who)s”，不是“%(party)s”。") % {"who": found.signer, "party": body.name}
    return ""
