"""席位: the invitation and its answer, and the reminder. Steps of the panel, taken through the door."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from grants import clock
from grants.people.models import User
from grants.workflow.door import SYSTEM, perform
from grants.workflow.refusals import Invalid
from review.models import LIVE, Panel, PanelMember
from review.panels import sitting, waiting

if TYPE_CHECKING:
    from review.models import Review


def invite(panel: Panel, *, by: User, fee_note: str = "", meets_at: datetime | None = None, meets_where: str = "") -> Panel:
    """Write to every member who has not answered: dates, load, fee. meets_at: when the defence meeting is, if there is one."""
    return perform(panel, "invite", by=by, fee_note=fee_note, meets_at=meets_at, meets_where=meets_where)


def join(panel: Panel, *, by: User) -> Panel:
    """Accept the seat."""
    return perform(panel, "join", by=by)


def decline(panel: Panel, reason: str, *, by: User) -> Panel:
    """Decline the seat; an alternate of the same kind takes it. The reason is kept privately. Raises Invalid without one."""
    if not reason.strip():
        raise Invalid(_("请写明谢绝的原因。"), rule="reason_given", problems={"reason": [str(_("请写明原因"))]})
    return perform(panel, "decline", by=by, note=reason.strip())


def remind(panel: Panel, *, by: User) -> Panel:
    """Write to members with open reviews, once a day at most. Raises NotNow when it was done today."""
    return perform(panel, "remind", by=by)


def fill_seats(panel: Panel) -> list[PanelMember]:
    """Give every seat that somebody declined to the next alternate of the same kind, and take the decliner's reviews away.

    Safe to repeat. Returns who was called up now; empty when nobody waits or nothing is missing.
    """
    with transaction.atomic():
        held = (
            Panel.objects.select_for_update(of=("self",)).select_related("call__agency", "call__rules_version").get(pk=panel.pk)
        )
        called = [heir for gone in _left(held) if (heir := _heir(held, gone)) is not None]
        for review in _orphans(held):
            perform(review, "void", by=SYSTEM, reason=_("专家谢绝了本次评审的邀请。"))
    return called


def _left(panel: Panel) -> list[PanelMember]:
    """Decliners whose seats nobody has taken yet: as many of the latest as seats are open."""
    gone = list(panel.members.exclude(declined_at=None).order_by("declined_at"))
    return gone[len(gone) - max(panel.rules.review.panel.size - len(sitting(panel)), 0) :] if gone else []


def _heir(panel: Panel, gone: PanelMember) -> PanelMember | None:
    heir = next((m for m in waiting(panel) if m.seat == gone.seat), None)
    if heir is not None:
        heir.alternate, heir.called_up_at = False, clock.now()
        heir.save(update_fields=["alternate", "called_up_at"])
    return heir


def _orphans(panel: Panel) -> list[Review]:
    gone = panel.members.exclude(declined_at=None).values("expert_id")
    return list(panel.reviews.filter(expert__in=gone, state__in=LIVE))
