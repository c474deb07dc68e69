"""On which facts one expert takes over a bid from another, and who may see how."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.rules import not_same_as
from grants.workflow.rules import Ask, Rule, row_rule, rule
from review.rules import _panel_visible, _pk, _sitting

not_the_proposer = not_same_as("proposed_by", _("不是提出换人的人"), _("换人由您提出，须由另一位工作人员决定。"))


@rule(_("原评审还没有提交"), _("原评审已经提交、回避或作废，不能换人。已提交的评分如有问题，请作废并由候补专家补评。"))
def review_is_open(ask: Ask) -> bool:
    """A ballot that was handed in is not exchanged for another expert's: that would be choosing scores."""
    from review.models import Review  # noqa: PLC0415

    live = Review.objects.filter(panel=ask.obj.panel_id, bid=ask.obj.review.bid_id, expert=ask.obj.review.expert_id)
    return bool(ask.obj.review.state in ("assigned", "accepted")) and not live.filter(state="submitted").exists()


@rule(_("接替的专家可以评审这份申报"))
def may_step_in(ask: Ask) -> object:
    """Sits in the panel, has no conflict today, and did not have this bid before."""
    from review.conflict_checks import standing_hits  # noqa: PLC0415
    from review.models import Review  # noqa: PLC0415
    from review.voiding import saw_results  # noqa: PLC0415

    swap = ask.obj
    if swap.expert_id in saw_results(swap.panel):
        return _("接替的专家已经看过结果，不能再评新的申报，请换一位。")
    if not _sitting(swap.panel).filter(expert_id=swap.expert_id).exists():
        return _("接替的专家不在评审组名单中（或仍是候补）。")
    if Review.objects.filter(panel=swap.panel_id, bid=swap.review.bid_id, expert=swap.expert_id).exists():
        return _("接替的专家已经在评审这份申报，或曾回避、被作废。")
    hits = standing_hits(swap.expert, swap.review.bid)
    return True if not hits else _("接替的专家与申报单位存在利害关系，应当回避：%(why)s") % {"why": str(hits[0].sentence)}


def _swap_visible(actor: Any) -> Q:
    """Who may see the panel, but its experts: who moves where, and why, is the organisers' business."""
    from review.models import Panel, PanelMember  # noqa: PLC0415

    seats = PanelMember.objects.filter(expert__user_id=_pk(actor)).values("panel_id")
    return Q(panel__in=Panel.objects.filter(_panel_visible(actor)).exclude(pk__in=seats).values("pk"))


swap_visible: Rule = row_rule(
    "swap_visible", _("能看到评审组的工作人员、监督和审计"), _swap_visible, _("换人的经过不对评审组成员公开。")
)
