"""What funding hands to the desk: a tranche's page, and what waits for claimants, checkers, approvers and finance."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from grants.funding.changing import rows_of
from grants.funding.conditions import conditions
from grants.funding.models import ChangeRequest, PaymentOrder, Tranche
from grants.funding.spending import overdue_on
from grants.people.models import Agency, Organisation
from grants.people.permissions import permissions_of, scopes_with
from grants.workflow.machine import Machine
from grants.workflow.pages import Link, Page, Waiting

EVENTS = {
    "receipt.added": _("上传票据"),
    "receipt.verified": _("核验票据"),
    "expense.added": _("登记支出"),
    "expense.documented": _("补交凭证"),
    "expense.disallowed": _("不予认可支出"),
    "surplus.computed": _("核算结余"),
    "surplus.returned": _("确认结余退回"),
    "payment_batch.made": _("生成付款批次"),
    "payment_order.not_received": _("银行未收到，退回待入批"),
    "bank_statement.read": _("比对银行对账单"),
    "tranche.revealed": _("查看完整账号"),
}


def _context(tranche: Any, actor: Any) -> dict[str, Any]:
    from grants import clock  # noqa: PLC0415 - read at call time

    return {
        "tranche": tranche,
        "conditions": conditions(tranche),
        "lines": tranche.lines.select_related("source"),
        "receipts": tranche.receipts.select_related("file"),
        "order": PaymentOrder.objects.filter(tranche=tranche).select_related("batch").first(),
        "late_days": overdue_on(tranche, clock.today()),
        "may_verify": "check_tranches" in permissions_of(actor, tranche.agency),
        "shows_account": "pay_tranches" in permissions_of(actor, tranche.agency),
    }


def _links(tranche: Any, actor: Any) -> list[Link]:
    links = [Link(_("项目资金总览"), reverse("funding:award", args=[tranche.award_id]))]
    payee = tranche.award.payee
    if "claim" in permissions_of(actor, payee) or "claim" in permissions_of(actor, tranche.organisation):
        links.append(Link(_("上传本期票据"), reverse("funding:receipt", args=[tranche.pk])))
    return links


def _documents(tranche: Any, actor: Any) -> list[tuple[Any, Any]]:
    rows = [(f"{r.get_kind_display()} {r.number}", r.file) for r in tranche.receipts.select_related("file")]
    order = PaymentOrder.objects.filter(tranche=tranche).select_related("batch__file").first()
    if order and order.batch and "pay_tranches" in permissions_of(actor, tranche.agency):
        rows.append((order.batch.number, order.batch.file))
    return rows


def _change_context(change: Any, actor: Any) -> dict[str, Any]:
    inside = any(permissions_of(actor, scope) for scope in (change.agency, change.organisation, change.payee))
    return {"change": change, "rows": rows_of(change), "inside": inside}


def _change_links(change: Any, actor: Any) -> list[Link]:
    return [Link(_("项目资金总览"), reverse("funding:award", args=[change.award_id]))]


def _change_documents(change: Any, actor: Any) -> list[tuple[Any, Any]]:
    return [(_("变更附件"), change.annex)] if change.annex_id else []


PAGES: dict[type[Machine], Page] = {
    Tranche: Page("funding/_tranche_facts.html", _context, _links, _documents),
    ChangeRequest: Page("funding/_change_facts.html", _change_context, _change_links, _change_documents),
}

_DESK = (
    ("requested", "check_tranches", _("核对拨款条件")),
    ("checked", "approve_tranches", _("批准拨款")),
    ("approved", "pay_tranches", _("开付款单")),
    ("ordered", "pay_tranches", _("送银行并核对回单")),
)


def waiting(actor: Any) -> list[Waiting]:
    """One query per duty this person holds anywhere, fifty rows each at most."""
    rows: list[Waiting] = []
    for state, permission, label in _DESK:
        mine = Tranche.objects.filter(scopes_with(actor, permission, Agency, "award__call__agency"), state=state)
        rows += [_row(t, label) for t in mine.select_related("award__bid")[:50]]
    rows += [_row(t, _("申请拨款")) for t in _to_request(actor)[:50]]
    return [*rows, *_changes(actor)]


def _changes(actor: Any) -> list[Waiting]:
    """Changes to check and to approve. Two queries."""
    agency = "award__call__agency"
    found = ChangeRequest.objects.select_related("award__bid").order_by("created_at")
    todo = [
        (found.filter(scopes_with(actor, "check_tranches", Agency, agency), state="requested"), _("核对变更")),
        (found.filter(scopes_with(actor, "approve_tranches", Agency, agency), state="checked"), _("批准变更")),
    ]
    return [Waiting(label, f"{c.award.bid.title} · {c}", reverse("desk:object", args=["change", c.pk])) for rows, label in todo for c in rows[:50]]


def _to_request(actor: Any) -> QuerySet[Tranche]:
    """Planned tranches whose turn it is: of running projects, with nothing before them that is still to be paid."""
    own = scopes_with(actor, "claim", Organisation, "award__bid__organisation") | scopes_with(
        actor, "claim", Organisation, "award__bid__sponsor"
    )
    due = Tranche.objects.filter(own, state="planned", award__state="active").select_related("award__bid")
    before = Tranche.objects.filter(award=OuterRef("award"), number__lt=OuterRef("number")).exclude(state__in=("paid", "cancelled"))
    return due.exclude(Exists(before)).order_by("award_id", "number")


def _row(tranche: Tranche, label: Any) -> Waiting:
    title = f"{tranche.award.bid.title} · {tranche}"
    return Waiting(label, title, reverse("desk:object", args=["tranche", tranche.pk]), tranche.due_at)
