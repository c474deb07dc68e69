"""What people hand to the desk: an organisation's page, and what waits for registrars, finance and signatories."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from grants import clock
from grants.clock.calendar import midnight_after
from grants.people.account_acts import ONESELF
from grants.people.appointments import active, may_appoint
from grants.people.keeping import expiring, reads
from grants.people.models import AccountRequest, Agency, Organisation, Site, SponsorAgreement
from grants.people.permissions import permissions_of, scopes_with
from grants.people.revealing import may_reveal
from grants.people.roles import name_of
from grants.people.sponsorship import agreements_on
from grants.workflow.machine import Machine
from grants.workflow.pages import Link, Page, Waiting

EVENTS = {
    "site.appoint": _("任命管理员"),
    "site.dismiss": _("免去管理员"),
    "wording.change": _("修改信件文字"),
    "wording.restore": _("恢复信件原文"),
    "organisation.appoint": _("任命人员"),
    "organisation.dismiss": _("结束任职"),
    "organisation.annual_check": _("登记年检结论"),
    "organisation.annual_check_revoked": _("撤销年检结论"),
    "organisation.credit": _("登记名录记录"),
    "organisation.credit_removed": _("登记移出名录"),
    "organisation.credit_lookup": _("信用查询"),
    "organisation.grade": _("登记评估等级"),
    "organisation.sponsorship_proposed": _("提出托管"),
    "organisation.sponsorship_accepted": _("接受托管"),
    "organisation.sponsorship_ended": _("提前终止托管"),
    "organisation.revealed": _("查看完整信息"),
    "organisation.story": _("更新单位资料"),
    "organisation.vault_added": _("存入资料库"),
    "organisation.vault_dropped": _("从资料库删除"),
}
"""Names, for timelines, of the ledger events that are not steps."""


def _context(organisation: Any, actor: Any) -> dict[str, Any]:
    finance = "verify_accounts" in permissions_of(actor, organisation.registrar)
    return {
        "organisation": organisation,
        "checks": organisation.annual_checks.all()[:5],
        "listed": organisation.credit_records.filter(removed_on=None),
        "grade": organisation.grades.first(),
        "sponsorships": agreements_on(organisation, clock.today()),
        "shows_account": bool(permissions_of(actor, organisation)) or finance,
        "sharing": list(organisation.sharing_account.values_list("name", flat=True)[:5]) if finance else [],
        "shows_contact": bool(permissions_of(actor, organisation)),
    }


def _links(organisation: Any, actor: Any) -> list[Link]:
    links = [Link(_("年检、信用与等级"), reverse("people:records", args=[organisation.pk]))]
    if not organisation.is_legal_person or organisation.sponsors.exists():
        links.append(Link(_("托管协议"), reverse("people:sponsorships", args=[organisation.pk])))
    if reads(organisation, actor):
        links.append(Link(_("单位资料与资料库"), reverse("people:story", args=[organisation.pk])))
    if may_reveal(organisation, actor):
        links.append(Link(_("查看完整信息"), reverse("people:full", args=[organisation.pk])))
    if may_appoint(organisation, actor):
        links.append(Link(_("人员与角色"), reverse("people:staff", args=["organisation", organisation.pk])))
    return links


def _documents(organisation: Any, actor: Any) -> list[tuple[Any, Any]]:
    """The certificate and the papers of checks and agreements: for its own people, its registrar and the auditors."""
    registrar = permissions_of(actor, organisation.registrar)
    if not permissions_of(actor, organisation) and not registrar & {"verify_organisations", "verify_accounts", "audit"}:
        return []
    checks = organisation.annual_checks.select_related("evidence")
    agreements = SponsorAgreement.objects.filter(group=organisation).select_related("file", "sponsor")
    kept = organisation.vault.select_related("file") if reads(organisation, actor) else ()
    return [
        (_("登记证书"), organisation.certificate),
        *((_("%(year)d 年年检结论") % {"year": check.year}, check.evidence) for check in checks),
        *((_("托管协议（%(name)s）") % {"name": row.sponsor}, row.file) for row in agreements),
        *((each.name, each.file) for each in kept),
    ]


def _request_context(asked: Any, actor: Any) -> dict[str, Any]:
    return {"role_name": name_of(asked.role) if asked.role else "", "asked_as": _("本人") if asked.asked_as == ONESELF else name_of(asked.asked_as)}


def _request_links(asked: Any, actor: Any) -> list[Link]:
    if not permissions_of(actor, Site()) & {"keep_accounts", "unlock_accounts"}:
        return []
    return [Link(_("账号"), reverse("people:account", args=[asked.person_id]))]


PAGES: dict[type[Machine], Page] = {
    AccountRequest: Page("people/_request_facts.html", context=_request_context, links=_request_links),
    Organisation: Page("people/_facts.html", context=_context, links=_links, documents=_documents),
}


def waiting(actor: Any) -> list[Waiting]:
    """Organisations to verify, accounts to verify, sponsorships to accept, own organisations sent back, papers that expire. Five queries."""
    if actor.administers:
        return _to_decide(actor)
    return [*_to_verify(actor), *_accounts(actor), *_to_accept(actor), *_sent_back(actor), *_expiring(actor)]


def _to_decide(actor: Any) -> list[Waiting]:
    """Requests of the other kind of administrator; these accounts take part in nothing else."""
    if actor.administers not in ("system_admin", "security_admin"):
        return []
    rows = AccountRequest.objects.filter(state="asked").exclude(asked_as=actor.administers).exclude(person=actor)
    return [
        Waiting(_("复核账号事项"), str(row), reverse("desk:object", args=["account_request", row.pk]))
        for row in rows.select_related("person").order_by("created_at")[:50]
    ]


def _to_verify(actor: Any) -> list[Waiting]:
    rows = Organisation.objects.filter(scopes_with(actor, "verify_organisations", Agency, "registrar"), state="submitted")
    return [_of(_("核验单位信息"), each) for each in rows.order_by("created_at")[:50]]


def _accounts(actor: Any) -> list[Waiting]:
    given = ~Q(account_number="") & Q(account_verified_at=None, state="verified") & ~Q(account_set_by=actor)
    rows = Organisation.objects.filter(scopes_with(actor, "verify_accounts", Agency, "registrar"), given)
    return [_of(_("核验收款账户"), each) for each in rows.order_by("name")[:50]]


def _to_accept(actor: Any) -> list[Waiting]:
    signs = scopes_with(actor, "sign_for", Organisation, "sponsor")
    rows = SponsorAgreement.objects.filter(signs, accepted_at=None).exclude(proposed_by=actor).select_related("group")
    return [
        Waiting(_("接受托管协议"), row.group.name, reverse("people:sponsorships", args=[row.group_id]))
        for row in rows.order_by("proposed_at")[:50]
    ]


def _sent_back(actor: Any) -> list[Waiting]:
    rows = Organisation.objects.filter(scopes_with(actor, "sign_for", Organisation, "pk"), state__in=("draft", "returned"))
    return [_of(_("补充并提交单位信息核验"), each) for each in rows.order_by("created_at")[:50]]


def _expiring(actor: Any) -> list[Waiting]:
    """Papers of one's own organisations that expire within thirty days, or have expired."""
    mine = scopes_with(actor, "write_bids", Organisation, "organisation") | scopes_with(actor, "sign_for", Organisation, "organisation")
    rows = expiring(clock.today(), mine)[:50]
    return [
        Waiting(_("更新快到期或已过期的文件"), f"{row.organisation} · {row.name}", reverse("people:vault", args=[row.organisation_id]),
                midnight_after(row.expires_on))  # type: ignore[arg-type]  # they have a day: filtered
        for row in rows
    ]  # fmt: skip


def _of(label: Any, organisation: Organisation) -> Waiting:
    return Waiting(label, organisation.name, reverse("desk:object", args=["organisation", organisation.pk]))


def roles_of(user: Any) -> list[Any]:
    """A person's present appointments, for their profile."""
    return list(active(user=user).order_by("scope_kind", "scope_name", "role"))
