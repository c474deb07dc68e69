"""核验协议: what a PDF proves about itself, in sentences, for `/verify/` and `manage.py contract verify`.

Whoever hands a file in learns whether it is whole, who signed it, and whether its data is that of one of our contracts: nothing that the
file does not itself contain. That a number exists here with other data is not told apart from a number that does not exist.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.awards.models import Contract
from grants.clock import TZ
from grants.documents.contract import DATA_FILE
from grants.documents.proof import Finding, Kind, Level, Report, Verdict
from grants.documents.signing.verdict import Flaw, Paper, Signature, judge

NAME = "contract"
LONGEST = 200  # characters of a value that a stranger's file may show on our page
FIELDS = {"grantor": gettext_lazy("甲方"), "grantee": gettext_lazy("乙方"), "executor": gettext_lazy("丙方")}
FLAWS: dict[Flaw, tuple[Level, Any]] = {
    "changed": ("fails", gettext_lazy("签名之后文件被改动过：追加、替换或旋转了内容。不要相信这份文件。")),
    "forged": ("fails", gettext_lazy("签名与文件内容不符：文件被改动，或签名是伪造、损坏的。不要相信这份文件。")),
    "revoked": ("fails", gettext_lazy("签名证书已被吊销。")),
    "timestamp": ("fails", gettext_lazy("时间戳无效，或出自本站不信任的时间戳机构。")),
    "other": ("fails", gettext_lazy("签名证书不符合要求，签名不能采信。")),
    "expired": ("unsure", gettext_lazy("证书现在已到期或尚未生效，又没有可信时间戳，不能证明签名时证书有效。")),
    "unknown": ("unsure", gettext_lazy("签发者不在本站的信任名单里：任何人都可以自己做一张写着同样名字的证书，不能据此认定是谁签的。")),
    "revocation_unknown": ("unsure", gettext_lazy("没有可用的吊销名单，不能确认证书没有被吊销；其余核验通过。")),
}


def looks(content: bytes) -> bool:
    """A PDF, by its first bytes."""
    return content[:8].startswith((b"%PDF-1.", b"%PDF-2."))


def kind() -> Kind:
    explains = gettext_lazy("本站生成的项目协议 PDF：核验电子签名、改动、内嵌数据是否与登记的一致；打印用文本和扫描件也可以比对。")
    return Kind(NAME, gettext_lazy("项目协议"), explains, (".pdf",), settings.MAX_UPLOAD_BYTES, looks, check)


def check(content: bytes) -> Report:
    """The report on a file; half a second of a core for a signed contract."""
    paper = judge(content)
    if not paper.readable and not paper.signatures:
        return Report(NAME, "fails", _("这不是完整的 PDF，可能没有传完或已损坏。"))
    signed = [f for s in paper.signatures for f in _signature(s)]
    record = [] if _broken(paper) else _record(content, paper)
    findings = (*signed, *_empty(paper), *record)
    verdict = _verdict(paper, findings)
    return Report(NAME, verdict, _headline(paper, verdict), findings, tuple(_facts(paper)), tuple(_cannot_say(paper)))


def _broken(paper: Paper) -> bool:
    """Whether what the file says is not what was signed."""
    return any(s.flaw in ("forged", "changed") for s in paper.signatures)


def _signature(s: Signature) -> list[Finding]:
    name = FIELDS.get(s.field, s.field or _("签名"))
    if s.flaw:
        level, why = FLAWS[s.flaw]
        return [Finding(level, f"{name}{_('（%(who)s）') % {'who': s.signer} if s.signer else ''}：{why}")]
    found = [Finding("holds", _("%(party)s签名有效：由“%(who)s”的证书签署，文件自签名后没有被改动。") % {"party": name, "who": s.signer})]
    if s.issuer == "development":
        why = _("%(party)s的证书由本站自设的开发 CA 签发，不是依法设立的电子认证机构。") % {"party": name}
        return [*found, Finding("note", why)]
    return [*found, Finding("holds", _("%(party)s的证书由本站信任的认证机构“%(ca)s”签发。") % {"party": name, "ca": s.authority})]


def _empty(paper: Paper) -> list[Finding]:
    names = "、".join(str(FIELDS.get(field, field)) for field in paper.unsigned)
    if not names:
        return []
    if not paper.signatures:
        return [Finding("unsure", _("文件里没有电子签名（空着的签名域：%(names)s）。纸质签署的，以盖章原件或扫描件为准。") % {"names": names})]
    return [Finding("unsure", _("还没有电子签名的：%(names)s。各方签齐之前协议没有生效。") % {"names": names})]


def _record(content: bytes, paper: Paper) -> list[Finding]:
    """Equal to our record or not; asked by hashes that only the file itself can give."""
    sha256, data = hashlib.sha256(content).hexdigest(), (paper.data or {}).get(DATA_FILE)
    if Contract.objects.filter(Q(signed=sha256) | Q(file=sha256)).exists():
        return [Finding("holds", _("与本站保存的文件逐字节相同。")), Finding("holds", _("内嵌数据与本站登记的协议定稿一致。"))]
    if data is None and Contract.objects.filter(Q(grantee_scan=sha256) | Q(agency_scan=sha256)).exists():
        return [Finding("holds", _("与本站保存的签章扫描件逐字节相同；扫描件上的签字和印章是真是假，本页不能判断。"))]
    if data is None:
        return [Finding("unsure", _("文件里没有内嵌的协议数据，不是本系统生成的协议，或是打印、扫描后的副本：副本上的签名不能核验。"))]
    if Contract.objects.filter(text_hash=hashlib.sha256(data).hexdigest()).exclude(state="draft").exists():
        return [Finding("holds", _("内嵌数据与本站登记的协议定稿一致。"))]
    return [Finding("unsure", _("内嵌数据与本站登记的任何一份定稿都不一致：可能是别处的协议、作废的草稿，或者被改过。"))]


def _verdict(paper: Paper, findings: tuple[Finding, ...]) -> Verdict:
    levels = {f.level for f in findings}
    if "fails" in levels:
        return "fails"
    return "holds" if "unsure" not in levels and (paper.signatures or "holds" in levels) else "unsure"


def _headline(paper: Paper, verdict: Verdict) -> str:
    if verdict == "fails":
        return _("核验不通过：不要相信这份文件，请向对方索取原文件。")
    if not paper.signatures:
        return _("没有电子签名，本页只能比对它是不是本站保存的文件。")
    if verdict == "unsure":
        return _("有一部分不能确定，见下。")
    if any(s.issuer == "development" for s in paper.signatures):
        return _("各方电子签名完整，文件没有被改动；但有证书出自开发 CA，不具第三方认证效力。")
    return _("各方电子签名有效，文件没有被改动。")


def _facts(paper: Paper) -> list[tuple[Any, str]]:
    """What the file says of itself: a broken file's words are not repeated on our page."""
    rows = [(_("%(party)s的签名") % {"party": FIELDS.get(s.field, s.field)}, _said(s)) for s in paper.signatures if s.flaw not in ("forged", "changed")]
    if _broken(paper):
        return rows
    return [*_terms((paper.data or {}).get(DATA_FILE)), *rows]


def _said(s: Signature) -> str:
    at = s.at.astimezone(TZ).strftime("%Y-%m-%d %H:%M:%S") if s.at else _("未写明")
    source = _("时间戳证明") if s.stamped else _("签署方自称，没有时间戳")
    return _("%(who)s；时间 %(at)s（%(source)s）；证书 %(serial)s；签发者 %(ca)s；%(level)s") % {
        "who": s.signer[:LONGEST], "at": at, "source": source, "serial": s.serial, "ca": s.authority[:LONGEST], "level": f"PAdES {s.level}",
    }  # fmt: skip


def _terms(data: bytes | None) -> list[tuple[Any, str]]:
    try:
        said = json.loads(data or b"")
        parties = [(_("甲方"), said["funder"]["name"]), (_("乙方"), said["grantee"]["name"])]
        rows = [(_("协议编号"), said["number"]), (_("项目"), said["project"]), *parties, (_("资助金额（元）"), said["amount"])]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [(label, str(value)[:LONGEST]) for label, value in rows]


def _cannot_say(paper: Paper) -> list[str]:
    said = [
        _("协议现在是否仍然有效、是否已解除或变更：请向主办方查询。"),
        _("操作的人是否得到本单位内部授权。"),
    ]
    if paper.signatures:
        said.append(
            _("用开发证书或本站签发的证书做的签名，能证明文件完整和出自本站，不是《电子签名法》第十三条的可靠电子签名，也没有第十六条所说的第三方认证。")
        )
        said.append(_("文件上看得见的“电子签名 · 非公章”方框只是提示，不是印章；签名在文件数据里，打印出来就核验不了。"))
    said.append(_("核验不联网：吊销名单以本站导入的为准。"))
    return said
