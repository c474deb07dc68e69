"""Separation of duty seen from review: whoever sits on a panel takes no part in running, watching or bidding in the same call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from grants.people.models import Agency, User
from grants.people.roles import SITE, Role
from review.models import Expert, Panel, PanelMember

if TYPE_CHECKING:
    from grants.workflow.refusals import Sentence

AT_WORK = ("forming", "scoring", "scored")


def sits_on_a_panel(user: User, role: Role, scope: Any) -> Sentence | None:
    """Why an expert of a running panel may not be appointed in its agency or call; None when nothing stands against it."""
    panels = Panel.objects.filter(state__in=AT_WORK)
    kind = scope._meta.model_name
    if kind == Agency._meta.model_name:
        panels = panels.filter(call__agency=scope)
    elif kind == "call":
        panels = panels.filter(call=scope)
    else:
        return None  # an organisation: the conflict rules void the ballots instead of refusing somebody work
    seats = PanelMember.objects.filter(panel__in=panels, expert__user=user, alternate=False, excused=False)
    return _("此人是进行中的评审组成员，评审结束前不能担任该主办方或征集的职务。") if seats.exists() else None


def is_an_expert(user: Any) -> bool:
    """Whether somebody is in the pool: they judge, so they sign in with a second factor."""
    return Expert.objects.filter(user=user, is_active=True).exists()


def administers_and_judges(user: User, role: Role, scope: Any) -> Sentence | None:
    """A guard on appointments: none of the three administrators is an expert (design §5)."""
    if role.scope == SITE and Expert.objects.filter(user=user).exists():
        return _("评审专家不能担任系统、安全或审计管理员。")
    return None
