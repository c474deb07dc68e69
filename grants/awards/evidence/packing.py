"""The pack as a ZIP: the same decision gives the same bytes. Who may have it, and the entry in the log when somebody takes it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from grants import ledger
from grants.awards.evidence import gathering
from grants.awards.models import Decision, PublicNotice
from grants.ledger.keys import verifiers
from grants.people.models import Agency, Organisation, User
from grants.people.permissions import role_behind, scopes_with
from grants.workflow.rules import Rule, row_rule

FORMAT = "gongchuang-evidence-1"
PROGRAM = Path(__file__).with_name("verify.py")
README = """证据包使用说明

1. 解压到一个空文件夹。
2. 运行：python3 -S -E verify.py（Python 3.8 以上，不需要安装任何东西，不联网）。
3. 每一步打印 OK 或 FAIL；全部成立，说明用公布的规则和封存的评分可以重算出同样的得分、名次和资助决定。

文件：ballots.json 本申报的评分（专家以代码表示）和封存用的随机数；rules.json 公布的征集规则原文；others.json 统一录入的分项；
entered.json 锁定评分时这些分项在台账里的位置；result.json 结果；ranking.json 全部申报的名次和得分（不含名称、编号）；
draw.json 专家抽取记录；assignment.json 本申报的评审专家；
money.json 两轮资金分配；ledger.json 台账原文和包含证明；manifest.json 各文件的摘要。
verify.py 也可以对照说明用表格软件逐步重做。检查点的签名由程序用 manifest.json 里的公钥（log_keys）核对；
请把这个公钥与主办方另外公布的比对，公钥来自包外才算数。讨论后再次评分的，first 是第一次；评审组排除的评分标明 ruling: exclude。
"""


def _published(actor: Any) -> Q:
    """The bidder once the decision is released and, where anything was awarded, the notice is out; the agency's readers as soon as it is released."""
    notice = Exists(PublicNotice.objects.filter(call=OuterRef("call")))
    nothing = ~Exists(Decision.objects.filter(panel=OuterRef("panel"), awarded=True))
    own = scopes_with(actor, "see_bids", Organisation, "bid__organisation") | scopes_with(actor, "sign_for", Organisation, "bid__sponsor")
    desk = scopes_with(actor, "read_calls", Agency, "call__agency")
    return Q(released_at__isnull=False) & (desk | (own & (Q(notice) | Q(nothing))))


pack_visible: Rule = row_rule(
    "pack_visible", _("申报单位本身（公示后）、主办方和审计"), _published, _("证据包在拟立项名单公示后提供给申报单位自己。")
)


@dataclass(frozen=True)
class Pack:
    """The ZIP's bytes, its name, and the SHA-256 of its manifest, which names every other file's."""

    content: bytes
    name: str
    manifest: str


def pack(decision: Decision) -> Pack:
    """The evidence pack of one released decision. About thirty queries; reads the tree's leaves for the proofs."""
    version = decision.call.rules_version
    assert version is not None  # the call was published
    made = {name: _json(value) for name, value in gathering.files(decision).items()}
    made |= {"rules.json": version.document.encode(), "verify.py": PROGRAM.read_bytes(), "说明.txt": README.encode()}
    manifest = _json({
        "format": FORMAT, "bid": decision.bid.number, "call": decision.call.code, "track": decision.bid.track, "rules_hash": version.hash,
        "log_keys": [str(key) for key in verifiers()],
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(made.items())},
    })  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in sorted({**made, "manifest.json": manifest}.items()):
            package.writestr(_entry(name), content)
    return Pack(out.getvalue(), f"{decision.bid.number}.zip", hashlib.sha256(manifest).hexdigest())


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return info


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def remember(decision: Decision, taken: Pack, *, by: User) -> None:
    """Whoever takes a pack, bidder, officer or auditor: an entry on the bid's timeline with the manifest's hash."""
    bid = decision.bid
    role = role_behind(by, decision.call.agency, "read_calls") or role_behind(by, bid.organisation, "see_bids") or "applicant"
    with transaction.atomic():
        ledger.record(
            event="bid.download", actor=str(by.pseudonym), role=role, subject=bid.subject, scope=decision.call.subject, verb="download",
            source=bid.state, target=bid.state, public={"what": "evidence"}, files={"manifest": taken.manifest},
        )  # fmt: skip
