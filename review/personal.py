"""What the pool and the panels hold about a person with an account, and how long they must (`grants.people.erasing`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from django.db.models import Max
from django.utils.translation import gettext as _

from grants.calls.models import Call
from grants.clock import TZ
from grants.ledger.models import AuditEvent
from grants.people.erasing import Hold, Keeper, keep, later
from grants.people.models import User
from review.models import Expert

PROFILE_MONTHS: Final = 36
"""After an expert left the pool: time for objections to a panel to be settled (个人信息保护法 §19)."""


def judged(expert: Expert) -> Any:
    """Calls whose bids this person was to judge."""
    return Call.objects.filter(panels__reviews__expert=expert).select_related("rules_version").distinct()


def left_on(expert: Expert) -> date | None:
    """The day of the last change of a profile that is not in the pool any more; None while it is."""
    last = AuditEvent.objects.filter(subject=f"expert:{expert.pk}").aggregate(at=Max("at"))["at"]
    return None if expert.is_active else (last or expert.registered_at).astimezone(TZ).date()


def has_profile(expert: Expert) -> bool:
    """Whether something of the profile is left that describes the person."""
    return bool(expert.employer or expert.title or expert.employer_organisation_id or expert.relations.exclude(evidence="").exists())


def empty(expert: Expert) -> None:
    """Take out what describes the person; code, seat, fields and the kinds and intervals of relations stay, so every panel can be counted and checked."""
    expert.employer, expert.title, expert.employer_organisation, expert.is_active = "", "", None, False
    expert.save(update_fields=["employer", "title", "employer_organisation", "is_active"])
    expert.relations.update(evidence="")


def _of(user: User) -> Expert | None:
    return Expert.objects.filter(user=user).first()


def _tells(user: User) -> dict[str, Any]:
    expert = _of(user)
    if expert is None:
        return {}
    ties = [{"organisation": str(r.organisation), "kind": r.kind, "evidence": r.evidence} for r in expert.relations.select_related("organisation")]
    return {"code": expert.code, "employer": expert.employer, "title": expert.title, "relations": ties, "judged": judged(expert).count()}


def _holds(user: User) -> Iterator[Hold]:
    expert = _of(user)
    if expert is None:
        return
    if expert.is_active:
        yield Hold(_("还在专家库中，请先由主办方移出专家库。"), _("职责尚未结束"), duty=True)
    for call in judged(expert):
        years = call.rules_version.rules.retention.file_years if call.rules_version else 15
        until = later(call.closes_at.astimezone(TZ).date(), 12 * years) if call.closes_at and call.state not in ("draft", "open") else None
        yield Hold(_("评审过“%(call)s”，评审组成员须能查明。") % {"call": call.title}, _("征集规则的档案保管年限"), until)


def _erases(user: User) -> None:
    expert = _of(user)
    if expert is not None:
        empty(expert)


def register() -> None:
    """Hand this stage's part up."""
    keep(Keeper("pool", _tells, _holds, _erases))
