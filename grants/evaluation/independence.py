"""Who may not evaluate: nobody evaluates what they carry out, host, mentor, operate or pay for (domain §1).

An evaluator who is in the pool of experts is also asked the statutory tests on recorded relations, as for a review.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from grants.people.permissions import permissions_of
from grants.people.roles import SITE
from grants.people.rules import apart
from review.conflict_checks import standing_hits
from review.models import Expert

HANDS_ON = ("check_tranches", "approve_tranches", "pay_tranches", "prepare_awards", "confirm_awards")


def tie(evaluator: Any, award: Any) -> str | None:
    """The sentence that says why `evaluator` is not independent of `award`, or None. No evaluator is no tie yet."""
    if evaluator is None:
        return _("还没有指定评估人。")
    if apart(evaluator):
        return _("系统、安全和审计管理员不参与任何业务，不能担任评估人。")
    parties = ((award.bid.organisation, _("受助方")), (award.bid.sponsor, _("托管组织")), (award.call.operator, _("承办方")))
    for organisation, what in parties:
        if organisation is not None and permissions_of(evaluator, organisation):
            return _("评估人任职于%(what)s「%(name)s」，应当回避。") % {"what": what, "name": organisation}
    if set(HANDS_ON) & permissions_of(evaluator, award.call.agency):
        return _("评估人经办、批准或支付本项目，应当回避。")
    if {"supervise", "screen_bids"} & permissions_of(evaluator, award.call):
        return _("评估人受托承办或督导本次征集，应当回避。")
    expert = Expert.objects.filter(user=evaluator).first()
    hits = [] if expert is None else standing_hits(expert, award.bid)
    return _("评估人与项目有利害关系：%(why)s") % {"why": hits[0].sentence} if hits else None


def is_an_evaluator(user: Any) -> bool:
    """Whether somebody was ever nominated: they grade, so they sign in with a second factor."""
    from grants.evaluation.models import Evaluation  # noqa: PLC0415 - the models' rules import this module

    return Evaluation.objects.filter(evaluator=user).exists()


def administers_and_evaluates(user: Any, role: Any, scope: Any) -> str | None:
    """A guard on appointments: none of the three administrators has a report to grade (design §5)."""
    return _("评估人不能担任系统、安全或审计管理员。") if role.scope == SITE and is_an_evaluator(user) else None
