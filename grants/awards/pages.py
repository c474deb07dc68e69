"""What awards hand to the desk: pages of awards, objections and contracts, and what waits for whom."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.awards import frozen_bid
from grants.awards.contract_reader import restore
from grants.awards.models import Award, Contract, Objection
from grants.awards.negotiation import needs_consent
from grants.awards.rules import objection_office
from grants.calls.models import Call
from grants.people.models import Agency, Organisation
from grants.people.permissions import permissions_of, scopes_with
from grants.workflow.machine import Machine
from grants.workflow.pages import Link, Page, Waiting
from grants.workflow.rules import Ask

FIFTY = 50
SIGNING = {"executor": _("丙方的电子签名正在生成"), "grantee": _("乙方的电子签名正在生成"), "grantor": _("甲方的电子签名正在生成")}

EVENTS = {
    "objection.revealed": _("查看异议人的联系方式"),
    "call.propose_awards": _("拟定立项"), "call.release_decisions": _("发布决定"), "call.publish_notice": _("发布拟立项公示"),
    "call.optimum": _("对照最优解"), "bid.download": _("下载反馈信或证据包"),
}  # fmt: skip
"""Names, for timelines, of the ledger events that are not steps."""


def _on_desk(obj: Any, actor: Any) -> frozenset[str]:
    return permissions_of(actor, obj.call.agency)


def _award_context(award: Any, actor: Any) -> dict[str, Any]:
    lines = list(award.lines.all())
    version = award.bid.latest
    targets = frozen_bid.targets(version.content) if version else {}
    changed = {key: value for key, value in award.agreed_targets.items() if key in targets}
    return {
        "award": award,
        "lines": lines,
        "asked": sum(line.asked for line in lines),
        "reduced": needs_consent(award, lines),
        "targets": [(*targets[key], value) for key, value in changed.items()],
        "contract": Contract.visible.filter(Contract.objects.filter(award=award), actor).first(),
        "objections": Objection.visible.filter(Objection.objects.filter(award=award), actor).order_by("number"),
        "inside": bool(_on_desk(award, actor)),
    }


def _award_links(award: Any, actor: Any) -> list[Link]:
    held = _on_desk(award, actor)
    links = [Link(_("项目全程"), reverse("desk:path", args=[award.bid_id]))]
    if "read_calls" in held:
        links.append(Link(_("本次征集的立项与公示"), reverse("awards:call", args=[award.call_id])))
    if "prepare_awards" in held and award.state in ("proposed", "confirmed"):
        links.append(Link(_("核减表"), reverse("awards:reduce", args=[award.pk])))
    if "prepare_awards" in held and award.state == "confirmed":
        drawn = Contract.objects.filter(award=award).exists()
        links += [Link(_("资格复核"), reverse("awards:recheck", args=[award.pk]))]
        links += [] if drawn else [Link(_("起草协议"), reverse("awards:draft", args=[award.pk]), primary=True)]
    return links


def _award_documents(award: Any, _actor: Any) -> list[tuple[Any, Any]]:
    return [(_("公示"), award.notice.file)] if award.notice_id and award.notice.file else []


def _objection_context(objection: Any, actor: Any) -> dict[str, Any]:
    mine = objection.filed_by_id is not None and objection.filed_by_id == getattr(actor, "pk", None)
    office = bool(objection_office.answer(Ask(actor, objection, clock.now())).ok)
    return {"objection": objection, "overdue": objection.is_overdue, "whole": mine, "may_ask": office and not mine}


def _objection_links(objection: Any, actor: Any) -> list[Link]:
    links = [Link(_("公示"), reverse("awards:notice", args=[objection.notice_id]))]
    if "read_calls" in _on_desk(objection, actor):
        links.append(Link(_("本次征集的全部异议"), reverse("awards:objections", args=[objection.call_id])))
    return links


def _objection_documents(objection: Any, _actor: Any) -> list[tuple[Any, Any]]:
    return [(_("异议材料"), objection.file)]


def _contract_context(contract: Any, actor: Any) -> dict[str, Any]:
    pending = SIGNING.get(contract.asked_party)
    inside, head = bool(_on_desk(contract, actor)), contract.text_hash[:8]
    return {"contract": contract, "data": restore(contract.data), "inside": inside, "head": head, "pending": pending}


def _contract_links(contract: Any, actor: Any) -> list[Link]:
    links = [Link(_("立项"), reverse("desk:object", args=["award", contract.award_id]))]
    if "prepare_awards" in _on_desk(contract, actor):
        links.append(Link(_("资格复核"), reverse("awards:recheck", args=[contract.award_id])))
    return links


def _contract_documents(contract: Any, _actor: Any) -> list[tuple[Any, Any]]:
    if contract.signed_by:
        whole = _("协议（各方电子签名）%(number)s") if contract.effective_at else _("协议（已有电子签名）%(number)s")
        return [(_("协议文本（打印用）%(number)s") % {"number": contract.number}, contract.file), (whole % {"number": contract.number}, contract.signed)]
    return [
        (_("协议文本（打印用）%(number)s") % {"number": contract.number}, contract.file),
        (_("乙方签章扫描件"), contract.grantee_scan),
        (_("双方签章扫描件"), contract.agency_scan),
    ]


PAGES: dict[type[Machine], Page] = {
    Award: Page("awards/_award_facts.html", _award_context, _award_links, _award_documents),
    Objection: Page("awards/_objection_facts.html", _objection_context, _objection_links, _objection_documents),
    Contract: Page("awards/_contract_facts.html", _contract_context, _contract_links, _contract_documents),
}


def waiting(actor: Any) -> list[Waiting]:
    """Lists to propose, approve, publish and confirm (one line per call); objections; contracts; budgets to agree. Ten queries."""
    return [*_calls(actor), *_objections(actor), *_contracts(actor), *_to_agree(actor)]


def _calls(actor: Any) -> list[Waiting]:
    officer = scopes_with(actor, "prepare_awards", Agency, "agency")
    approver = scopes_with(actor, "confirm_awards", Agency, "agency")
    ranked = Q(panels__state="concluded", panels__decisions=None, panels__results__isnull=False)
    over = Q(awards__state="noticed", awards__notice__ends_at__lte=clock.now())
    return [
        *_per_call(_("拟定立项"), Call.objects.filter(officer, ranked, state="closed")),
        *_per_call(_("批准拟立项名单"), Call.objects.filter(approver, awards__state="proposed")),
        *_per_call(_("发布拟立项公示"), Call.objects.filter(officer, awards__state="approved").exclude(awards__state="proposed")),
        *_per_call(_("公示期满，确认立项"), Call.objects.filter(approver, over)),
    ]


def _per_call(label: Any, rows: QuerySet[Call]) -> list[Waiting]:
    return [Waiting(label, str(call), reverse("awards:call", args=[call.pk])) for call in rows.distinct().order_by("code")[:FIFTY]]


def _objections(actor: Any) -> list[Waiting]:
    handler = scopes_with(actor, "handle_objections", Agency, "call__agency") & Q(state="filed")
    decider = scopes_with(actor, "decide_objections", Agency, "call__agency") & Q(state="accepted") & ~Q(handled_by=actor)
    rows = Objection.objects.filter(handler | decider).order_by(F("due_at").asc(nulls_last=True), "number")[:FIFTY]
    return [
        Waiting(_("受理异议") if o.state == "filed" else _("答复异议"), o.number, reverse("desk:object", args=["objection", o.pk]), o.due_at)
        for o in rows
    ]


def _contracts(actor: Any) -> list[Waiting]:
    officer = scopes_with(actor, "prepare_awards", Agency, "award__call__agency")
    signer = scopes_with(actor, "sign_contracts", Agency, "award__call__agency") & ~Q(drafted_by=actor)
    own = Q(award__bid__sponsor=None) & scopes_with(actor, "sign_for", Organisation, "award__bid__organisation")
    hosted = scopes_with(actor, "sign_for", Organisation, "award__bid__sponsor")
    draft, issued, signed = Q(state="draft") & officer, Q(state="issued") & (own | hosted), Q(state="grantee_signed") & signer
    labels = {"draft": _("定稿并发出协议"), "issued": _("签署协议"), "grantee_signed": _("甲方签署协议")}
    rows = Contract.objects.filter(draft | issued | signed).select_related("award__bid").order_by("number")[:FIFTY]
    found = [
        Waiting(labels[c.state], f"{c.number} {c.award.bid.title}", reverse("desk:object", args=["contract", c.pk])) for c in rows
    ]
    return found + _to_draft(actor)


def _to_draft(actor: Any) -> list[Waiting]:
    officer = scopes_with(actor, "prepare_awards", Agency, "call__agency")
    rows = Award.objects.filter(officer, state="confirmed", contract=None).select_related("bid").order_by("number")[:FIFTY]
    return [Waiting(_("起草协议"), str(award), reverse("desk:object", args=["award", award.pk])) for award in rows]


def _to_agree(actor: Any) -> list[Waiting]:
    own = scopes_with(actor, "sign_for", Organisation, "bid__organisation") | scopes_with(actor, "sign_for", Organisation, "bid__sponsor")
    rows = Award.objects.filter(own, state__in=("noticed", "held", "confirmed"), grantee_agreed_at=None).select_related("bid")
    cut = rows.annotate(cuts=Count("lines", filter=Q(lines__agreed__lt=F("lines__asked")))).filter(Q(cuts__gt=0) | ~Q(agreed_targets={}))
    return [
        Waiting(_("确认核减后的预算"), str(award), reverse("desk:object", args=["award", award.pk])) for award in cut.order_by("number")[:FIFTY]
    ]
