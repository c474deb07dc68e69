"""Who may ask for a recusal, how often, and who decides (review.md §2.1)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.permissions import scopes_with
from grants.people.rules import may, not_same_as
from grants.workflow.rules import Ask, Rule, row_rule, rule
from review.rules import does_not_score

LEAST, SHARE = 3, 10
"""A bid may name max(3, a tenth of the pool): without a bound the list becomes a tool to strip a bid of strict experts."""

bidder = may("write_bids") | may("sign_for")
decider = may("approve_calls") & does_not_score & not_same_as("filed_by", _("不是提出申请的人"), _("申请由您提出，须由另一个人决定。"))


def bound(pool: int) -> int:
    """How many experts one bid may ask to step aside, of a pool of this size (rounded down)."""
    return max(LEAST, pool // SHARE)


@rule(_("申报已经受理"), _("只有已经提交、仍在参加评审的申报可以申请回避。"))
def bid_is_in(ask: Ask) -> bool:
    return ask.obj.bid.state in ("submitted", "returned", "admitted")


@rule(_("评分尚未锁定"), _("评分已经锁定，不能再申请回避；对结果有异议请在公示期内提出。"))
def scores_not_locked(ask: Ask) -> bool:
    return not ask.obj.call.panels.exclude(locked_by=None).exists()  # a panel that scores again has been locked all the same


@rule(_("没有超过次数"))
def within_the_bound(ask: Ask) -> object:
    from review.models import Challenge, Expert  # noqa: PLC0415

    most = bound(Expert.objects.filter(is_active=True).count())
    used = Challenge.objects.filter(bid=ask.obj.bid_id).count()
    return True if used < most else _("每份申报最多申请 %(n)d 位专家回避（三位或专家库的十分之一，取多者），已经用完。") % {"n": most}


def _visible(actor: Any) -> Q:
    from grants.people.models import Agency, Organisation  # noqa: PLC0415

    own = scopes_with(actor, "write_bids", Organisation, "bid__organisation") | scopes_with(actor, "sign_for", Organisation, "bid__organisation")
    return own | scopes_with(actor, "approve_calls", Agency, "bid__call__agency") | scopes_with(actor, "audit", Agency, "bid__call__agency")


challenge_visible: Rule = row_rule("challenge_visible", _("申报方、主办方负责人和审计"), _visible, _("回避申请不对外公开。"))
