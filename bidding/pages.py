"""What bids hand to the desk: their page, their files, and what waits for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from bidding.declared import missing
from bidding.models import Bid, SealKey
from bidding.rules import belongs_to, handed_in
from bidding.seal_rules import is_sealed_call, opening_due, took_part
from grants import clock
from grants.calls.models import Call
from grants.documents.models import StoredFile
from grants.people.models import Agency, Organisation
from grants.people.permissions import scopes_with
from grants.workflow.machine import Machine
from grants.workflow.pages import Link, Page, Waiting

EVENTS = {
    "seal.register": gettext_lazy("登记开标钥匙"),
    "bid.screen": gettext_lazy("系统核查资格"),
    "bid.finding": gettext_lazy("记录资格核实结论"),
    "bid.file_followed": gettext_lazy("补交声明的附件"),
    "bid.acknowledge_rules": gettext_lazy("确认补充公告"),
    "call.dismiss_hint": gettext_lazy("排除关联线索"),
}
"""Names, for timelines, of the ledger events that are not steps."""


def _context(bid: Bid, actor: Any) -> dict[str, Any]:
    return {"version": bid.latest}


def _links(bid: Bid, actor: Any) -> Sequence[Link]:
    links = []
    if bid.is_sealed and bid.seal_refusal and belongs_to(bid, actor):
        links.append(Link(_("用留存包恢复"), reverse("bidding:restore", args=[bid.pk]), primary=True))
    if belongs_to(bid, actor):
        primary = bid.state in ("draft", "returned")
        links.append(Link(_("填写与修改") if primary else _("申报书清单"), reverse("bidding:tasks", args=[bid.pk]), primary))
    else:
        links.append(Link(_("资格审查"), reverse("bidding:screening", args=[bid.pk]), bid.state == "submitted"))
    if belongs_to(bid, actor) and missing(bid):
        links.append(Link(_("补交已声明的附件"), reverse("bidding:following", args=[bid.pk]), primary=True))
    if bid.number:
        links.append(Link(_("申报书全文与各版本"), reverse("bidding:versions", args=[bid.pk])))
    return links


def _documents(bid: Bid, actor: Any) -> list[tuple[Any, StoredFile]]:
    """Receipts; attachments as submitted; for the applicant also those of the working copy; for the agency the evidence."""
    versions = list(bid.versions.select_related("receipt").order_by("-number"))
    sealed = list(bid.sealed_versions.select_related("receipt")) if bid.sealed else []
    found: dict[str, tuple[str, StoredFile]] = {}
    handed: Sequence[Any] = [*versions, *sealed]
    for version in handed:
        if version.receipt is not None:
            found[version.receipt.sha256] = (_("回执 %(no)s") % {"no": version.receipt_number}, version.receipt)
    for row in bid.withdrawal_receipts.select_related("pdf"):
        found[row.pdf.sha256] = (_("撤回回执"), row.pdf)
    found |= _as_submitted(versions)
    if belongs_to(bid, actor):
        found |= {row.file_id: (row.name, row.file) for row in bid.attachments.select_related("file")}
    else:
        rows = bid.findings.exclude(evidence_file=None).select_related("evidence_file")
        proofs = [(row.rule, row.evidence_file) for row in rows if row.evidence_file is not None]
        found |= {proof.sha256: (_("审查凭证 %(rule)s") % {"rule": rule}, proof) for rule, proof in proofs}
    return list(found.values())


def _as_submitted(versions: Sequence[Any]) -> dict[str, tuple[str, StoredFile]]:
    names = {a["sha256"]: f"{a['title']} {a['name']}" for version in reversed(versions) for a in version.attachments()}
    return {row.sha256: (names[row.sha256], row) for row in StoredFile.objects.filter(pk__in=names)}


def _seal_context(key: SealKey, actor: Any) -> dict[str, Any]:
    shares = list(key.shares.all())
    return {"officers": key.officers.all(), "groups": len(shares), "rehearsed": sum(s.rehearsed_at is not None for s in shares)}


def _seal_links(key: SealKey, actor: Any) -> Sequence[Link]:
    return [Link(_("密封与开标"), reverse("bidding:seal", args=[key.call_id]), primary=True)]


def _seal_documents(key: SealKey, actor: Any) -> list[tuple[Any, StoredFile]]:
    record = getattr(key, "opening_record", None)
    rows = key.programs.exclude(pdf=None).select_related("pdf")
    notices = [(_("密封投标公告 %(at)s") % {"at": row.at.astimezone(clock.TZ).date()}, row.pdf) for row in rows if row.pdf is not None]
    return [*notices, *([(_("开标记录"), record.pdf)] if record is not None and record.pdf is not None else [])]


PAGES: dict[type[Machine], Page] = {
    Bid: Page("bidding/_facts.html", _context, _links, _documents),
    SealKey: Page("bidding/_seal_facts.html", _seal_context, _seal_links, _seal_documents),
}


def waiting(actor: Any) -> list[Waiting]:
    """Drafts before the deadline, corrections, addenda to confirm; for the agency the bids that await screening, per call."""
    if getattr(actor, "pk", None) is None:
        return []
    return [*_of_applicants(actor), *_of_screeners(actor), *_of_custodians(actor), *_of_dealers(actor), *_of_declarers(actor)]


def _of_custodians(actor: Any) -> list[Waiting]:
    """Rehearsals before the call opens, openings after it closed, records to sign. One query."""
    due = Q(state="made", call__state__in=("draft", "pending", "published")) | opening_due()
    signing = Q(state="opened", opening_record__isnull=False) & ~Q(opening_record__signatures__user=actor)
    rows = SealKey.objects.filter(due | signing, officers__user=actor).select_related("call", "opening_record").distinct()
    words = {"made": _("演练开标"), "ready": _("开标"), "opened": _("签署开标记录")}
    mine = [key for key in rows.order_by("call__closes_at")[:50] if key.state != "opened" or took_part.allows(key, actor, clock.now())]
    return [Waiting(words[key.state], key.call.title, reverse("bidding:seal", args=[key.call_id]), key.call.opens_at) for key in mine]


def _of_dealers(actor: Any) -> list[Waiting]:
    """Sealed calls that have no key yet: they would not open for bids."""
    calls = Call.objects.filter(scopes_with(actor, "draft_calls", Agency, "agency"), state="published").select_related("rules_version")
    without = calls.exclude(pk__in=SealKey.objects.exclude(state="replaced").values("call_id"))
    return [
        Waiting(_("制作开标密钥"), call.title, reverse("bidding:seal", args=[call.pk]), call.opens_at)
        for call in without.order_by("opens_at")[:50] if is_sealed_call(call)
    ]  # fmt: skip


def _of_declarers(actor: Any) -> list[Waiting]:
    """Reports that too many keys are lost, for whoever may confirm them: another than who reported. One query."""
    mine = scopes_with(actor, "draft_calls", Agency, "call__agency") | scopes_with(actor, "approve_calls", Agency, "call__agency")
    rows = SealKey.objects.filter(mine, state="ready", lost_reported_by__isnull=False).exclude(lost_reported_by=actor)
    return [
        Waiting(_("核对并宣布密钥丢失"), key.call.title, reverse("bidding:seal_lost", args=[key.call_id]))
        for key in rows.select_related("call").order_by("lost_reported_at")[:50]
    ]


TO_DO = {
    "draft": gettext_noop("完成并提交申报书"),
    "returned": gettext_noop("补正申报书"),
    "submitted": gettext_noop("确认补充公告并重新提交"),
}


def _of_applicants(actor: Any) -> list[Waiting]:
    mine = scopes_with(actor, "write_bids", Organisation, "organisation") | scopes_with(actor, "sign_for", Organisation, "organisation")
    open_now = Q(call__closes_at__gt=clock.now())
    amended = Q(state="submitted") & ~Q(rules_version=F("call__rules_version"))
    due = (open_now & (Q(state="draft") | amended)) | Q(state="returned", correction_due_at__gt=clock.now())
    rows = Bid.objects.filter(mine & due, call__state__in=("published", "open", "closed")).select_related("call").distinct()
    signing = Q(scopes_with(actor, "sign_for", Organisation, "organisation"), sign_asked_at__isnull=False)
    asked = set(rows.filter(signing).values_list("pk", flat=True))
    return [
        Waiting(
            _("通读并签署申报书") if bid.pk in asked else _(TO_DO[bid.state]),
            bid.title or bid.call.title,
            reverse("bidding:check" if bid.pk in asked else "bidding:tasks", args=[bid.pk]),
            bid.correction_due_at if bid.state == "returned" else bid.call.closes_at,
        )
        for bid in rows.order_by("call__closes_at")[:50]
    ]


def _of_screeners(actor: Any) -> list[Waiting]:
    """One line per call, so that three hundred bids do not bury everything else."""
    mine = scopes_with(actor, "screen_bids", Agency, "call__agency") | scopes_with(actor, "screen_bids", Call, "call")
    rows = Bid.objects.filter(handed_in(), mine, state="submitted").values("call_id", "call__title")
    counted = rows.annotate(n=Count("pk")).order_by("call__closes_at")
    return [
        Waiting(_("审查 %(n)d 份申报的资格") % {"n": row["n"]}, row["call__title"], reverse("bidding:of_call", args=[row["call_id"]]))
        for row in counted
    ]
