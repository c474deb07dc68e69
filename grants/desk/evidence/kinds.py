"""What `/verify/` can check of ours: receipts (the signed file, or the printed one with it inside), passports, roots that somebody kept.

Each answer says only what the file proves and whether our log holds the same; nothing about our records that the file does not itself contain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from grants.desk.evidence import receipts
from grants.desk.square import passport, passport_paper
from grants.desk.square.records import organisation_record, organisations
from grants.documents.proof import MEBIBYTE, Finding, Kind, Report
from grants.ledger import keys, proofs
from grants.ledger.attached import receipt_in
from grants.ledger.models import AuditEvent, Checkpoint, stored_bytes
from grants.money import yuan

LONGEST = 200  # characters of a value that a stranger's file may show on our page
_PIN = re.compile(r"(\d{1,18})\s*[:：\s]\s*([0-9a-f]{64})")


def every() -> Iterator[Kind]:
    """The kinds, the more particular first: a receipt's PDF looks like any PDF."""
    receipt = gettext_lazy("提交或撤回时签发的回执：签名文件，或内嵌签名文件的 PDF。")
    carried = gettext_lazy("单位的履约护照：签名与内容。")
    kept = gettext_lazy("公告上印的或您保存的台账根“大小:根”（填在下面）：是否与本站当时签署的一致。")
    yield Kind("receipt", gettext_lazy("投标回执"), receipt, (".json", ".pdf"), 5 * MEBIBYTE, _is_receipt, check_receipt)
    yield Kind("passport", gettext_lazy("履约护照"), carried, (".json", ".pdf"), 5 * MEBIBYTE, _is_passport, check_passport, _typed_passport)
    yield Kind("root", gettext_lazy("每日根"), kept, (), 0, typed=_typed_root)


# --- receipts ----------------------------------------------------------------------------------------------------------------


def _is_receipt(content: bytes) -> bool:
    return receipt_in(content) is not None


def check_receipt(content: bytes) -> Report:
    """The signature, the entry, its proof; where the file has none yet, whether our log has the entry by now."""
    text = receipt_in(content) or ""
    found = receipts.check(text, [])
    findings = [Finding("holds", step) for step in found.steps]
    facts = tuple((str(name)[:LONGEST], str(value)[:LONGEST]) for name, value in found.about.items())
    if found.fault:
        return Report("receipt", "fails", _("这张回执不成立。"), (*findings, Finding("fails", found.fault)), facts, _limits())
    if found.pending:
        findings.append(_by_now(text))
    if content.startswith(b"%PDF"):
        findings.append(Finding("note", _("签名管的是 PDF 里内嵌的签名文件，不管纸面上印的字：请逐项与下面“文件自己写明的内容”比对。")))
    sure = all(finding.level != "unsure" for finding in findings)
    headline = _("回执成立，条目已写入台账。") if sure else _("签名成立；台账里还查不到它的位置，请一分钟后再查。")
    return Report("receipt", "holds" if sure else "unsure", headline, tuple(findings), facts, _limits())


def _by_now(text: str) -> Finding:
    """A receipt is given at once, before its entry has a place: look whether it has one now."""
    leaf = json.loads(text)["leaf"].encode()
    event = AuditEvent.objects.filter(uid=json.loads(leaf)["id"]).first()
    proved = proofs.inclusion(event) if event is not None and stored_bytes(event.leaf) == leaf else None
    if proved is None:
        return Finding("unsure", _("回执里没有台账证明，本站台账里也还没有排到它。"))
    place = {"index": proved.index, "size": proved.checkpoint.size}
    return Finding("holds", _("回执里没有台账证明；本站台账里有逐字节相同的条目，序号 %(index)s，在大小为 %(size)s 的检查点之内。") % place)


def _limits() -> tuple[str, ...]:
    return (
        _("申报内容本身是否真实。"),
        _("服务器的时钟是否准确。"),
        _("掌握台账私钥的人是否另有一本台账：请与印发的每日根、公告里印的公钥比对。"),
    )


# --- passports, and a root that was kept ----------------------------------------------------------------------------------------


def _is_passport(content: bytes) -> bool:
    return f'"{passport.FORMAT}"'.encode() in (passport_paper.inside(content) or content)


def check_passport(content: bytes) -> Report:
    """The signature of a passport by this installation's keys; another site's is checked on the passport page with that site's key."""
    limits = (_("单位之外的人提供的情况；签发之后又发生的事。"), _("由其他平台签发的：请在“履约护照”页填该平台的公钥核对。"))
    try:
        found = passport.verify(passport_paper.inside(content) or content, keys.verifiers())
    except passport.BadPassport as wrong:
        return Report("passport", "fails", _("履约护照核对不上。"), (Finding("fails", str(wrong)[:LONGEST]),), (), limits)
    shown = {_("单位"): found.content["organisation"].get("name", ""), _("签发时间"): found.content["issued_at"], _("项目数"): len(found.content["projects"])}
    facts = tuple((name, str(value)[:LONGEST]) for name, value in shown.items())
    findings = [Finding("holds", _("签名成立。"))]
    if content.startswith(b"%PDF"):
        findings.append(Finding("note", _("签名管的是 PDF 里内嵌的签名文件，不管纸面上印的字：请逐项与下面“文件自己写明的内容”比对。")))
    return Report("passport", "holds", _("由本站签发，内容没有改动。"), tuple(findings), facts, limits)


def _typed_passport(text: str) -> Report | None:
    """The line in the code of a printed passport; None for anything else."""
    limits = (_("纸面上的其他内容：请上传 PDF，或向单位索取原件，与内容摘要核对。"), _("签发之后又发生的事。"))
    try:
        found = passport_paper.read(text)
    except passport_paper.BadNote as wrong:
        why = _("签名不对：不是由本站签发，或者抄错、改动过。（%(why)s）") % {"why": wrong}
        return Report("passport", "fails", _("履约护照核对不上。"), (Finding("fails", why[:LONGEST]),), (), limits)
    if found is None:
        return None
    body = organisations().filter(pk=found.organisation).first()
    shown = {
        _("单位"): organisation_record(body)["name"] if body else found.organisation, _("签发时间"): found.issued_at.isoformat(), _("项目数"): found.projects,
        _("合计金额"): yuan(found.amount), _("内容摘要"): found.digest,
    }  # fmt: skip
    facts = tuple((name, str(value)[:LONGEST]) for name, value in shown.items())
    return Report("passport", "holds", _("由本站签发。请与纸面逐项比对。"), (Finding("holds", _("签名成立。")),), facts, limits)


def check_root(size: int, root: str) -> Report:
    """A root of the log that somebody kept, as the daily notice prints it, beside the one that we signed for that size."""
    row = Checkpoint.objects.filter(size=size).first()
    facts = ((_("大小"), str(size)), (_("根"), root))
    limits = (_("根之后写入的条目；掌握台账私钥的人是否另有一本台账。"),)
    if row is None:
        sentence = _("本站没有在这个大小签过检查点，请核对印发的根。")
        return Report("root", "unsure", _("没有这个大小的检查点。"), (Finding("unsure", sentence),), facts, limits)
    if bytes(stored_bytes(row.root)).hex() != root:
        sentence = _("本站台账在这个大小的根与您保存的不同：台账在那以后被改写过，或抄错了字。请重新抄一遍；仍不同的，请交给审计部门。")
        return Report("root", "fails", _("根不一致。"), (Finding("fails", sentence),), facts, limits)
    sentence = _("与本站当时签署的根一致。要证明那以后只增不改，请下载台账并运行离线校验程序。")
    return Report("root", "holds", _("根一致。"), (Finding("holds", sentence),), facts, limits)


def _typed_root(text: str) -> Report | None:
    """`SIZE:ROOT` as the daily notice prints it; None for anything else."""
    pin = _PIN.fullmatch(text)
    return check_root(int(pin[1]), pin[2]) if pin else None
