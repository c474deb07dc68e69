"""Links from an object to the pages of later stages. Upstream never names downstream, so only the desk can know them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from grants import clock
from grants.awards.models import Decision
from grants.awards.showing.audience import audience
from grants.calls.models import Call
from grants.evaluation.rules import award_file_visible
from grants.people.models import OrganisationPermission
from grants.people.permissions import permissions_of
from grants.workflow.machine import Machine
from grants.workflow.pages import Link
from review.services.pool import agency_of

AFTER_CLOSING = ("closed", "decided", "archived")


def links(obj: Machine, actor: Any) -> list[Link]:
    """What this person may open further down the way; the pages themselves ask again."""
    found = _FURTHER.get(obj.kind())
    return found(obj, actor) if found else []


def _of_call(call: Any, actor: Any) -> list[Link]:
    return _for_applicants(call, actor) + _for_staff(call, actor)


def _exhibits(call: Call, actor: Any) -> list[Link]:
    """The pictures and tables of the ranking, for whoever may see any of them by now."""
    return [Link(_("评审情况"), reverse("awards:review", args=[call.code]))] if audience(call, actor) is not None else []


def _for_applicants(call: Call, actor: Any) -> list[Link]:
    """An organisation's people may start a bid while the call is open."""
    if call.state != "open" or getattr(actor, "pk", None) is None:
        return []
    writes = OrganisationPermission.objects.filter(user_id=actor.pk, permission__codename="write_bids").exists()
    return [Link(_("填写申报书"), reverse("bidding:start", args=[call.pk]), primary=True)] if writes else []


def _for_staff(call: Call, actor: Any) -> list[Link]:
    """Bids, awards and money of the call: for the agency's people, and bids for whoever screens under a mandate."""
    staff = "read_calls" in permissions_of(actor, call.agency)
    if not staff and "screen_bids" not in permissions_of(actor, call):
        return _exhibits(call, actor) if call.state in AFTER_CLOSING else []
    found = [Link(_("征集全程"), reverse("desk:round", args=[call.pk]))] if staff else []
    found.append(Link(_("申报与资格审查"), reverse("bidding:of_call", args=[call.pk])))
    if staff and call.state in AFTER_CLOSING:
        found.append(Link(_("立项与公示"), reverse("awards:call", args=[call.pk])))
        found += _exhibits(call, actor)
        found.append(Link(_("资金总览"), reverse("funding:overview", args=[call.pk])))
        found.append(Link(_("本轮回顾"), reverse("desk:retrospective", args=[call.pk])))
    if staff:
        found.append(Link(_("查阅与下载记录"), reverse("desk:audit_readings", args=[call.pk])))
    if "audit" in permissions_of(actor, call.agency):
        found.append(Link(_("审计"), reverse("desk:audit_call", args=[call.pk])))
    return found


def _of_award(award: Any, actor: Any) -> list[Link]:
    if award.state not in ("active", "closed", "terminated"):
        return []
    found = [Link(_("项目资金与支出"), reverse("funding:award", args=[award.pk]))]
    if award.state == "active" and any("sign_for" in permissions_of(actor, body) for body in (award.organisation, award.payee)):
        found.append(Link(_("申请变更"), reverse("funding:change", args=[award.pk])))
    if award_file_visible.allows(award, actor, clock.now()):
        found.append(Link(_("项目档案与结项"), reverse("evaluation:closing", args=[award.pk])))
    return found


def _of_bid(bid: Any, actor: Any) -> list[Link]:
    found = [Link(_("项目全程"), reverse("desk:path", args=[bid.pk]))] if bid.number else []
    if Decision.visible.filter(Decision.objects.filter(bid=bid.pk), actor).exists():
        found.append(Link(_("反馈信"), reverse("awards:feedback", args=[bid.pk])))
    return [*found, Link(_("时间安排：计划与实际"), reverse("desk:plan", args=[bid.pk]))]


def _of_organisation(organisation: Any, actor: Any) -> list[Link]:
    ties = f"{reverse('review:ties')}?organisation={organisation.pk}"
    found = [Link(_("关系网"), ties)] if agency_of(actor) is not None else []
    if organisation.state in ("verified", "suspended"):
        found.insert(0, Link(_("履约记录"), reverse("evaluation:record", args=[organisation.pk])))
    return found


_FURTHER: dict[str, Callable[[Any, Any], list[Link]]] = {
    "call": _of_call,
    "bid": _of_bid,
    "award": _of_award,
    "organisation": _of_organisation,
}
