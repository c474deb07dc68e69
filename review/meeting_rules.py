"""On which facts a defence meeting moves, who leads it, and who may see it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.rules import not_same_as
from grants.workflow.rules import Answer, Ask, Rule, row_rule, rule
from review.rules import _panel_state, _panel_visible, _pk, _sitting, organiser


@rule(_("规则设有路演答辩"), _("本次征集的规则没有路演答辩环节，不需要抽取答辩顺序。"))
def defends(ask: Ask) -> bool:
    return any(str(stage.kind) == "oral" for stage in ask.obj.panel.rules.review.stages)


@rule(_("顺序还没有抽过"), _("答辩顺序已经抽定，只抽一次。"))
def has_no_meeting(ask: Ask) -> bool:
    """One draw per meeting: an order that displeases is not drawn again."""
    from review.models import Meeting  # noqa: PLC0415

    return not Meeting.objects.filter(panel_id=ask.obj.panel_id).exists()


@rule(_("申报在答辩名单中"), _("这份申报不在本次答辩名单中。"))
def bid_defends_here(ask: Ask) -> bool:
    bid = ask.details.get("bid")
    return bid is None or bid.number in ask.obj.draw["order"]


@rule(_("有申报正在答辩"), _("现在没有申报在答辩，请先请一份上场。"))
def somebody_on_stage(ask: Ask) -> bool:
    return ask.obj.on_stage_id is not None


@rule(_("评分已锁定"), _("评分还没有锁定，不能公布结果。"))
def scores_are_locked(ask: Ask) -> bool:
    return _panel_state(ask.obj.panel_id) in ("scored", "concluded")


@rule(_("是评审组组长"), _("只有评审组组长可以办理。"), roles=frozenset({"expert"}))
def the_chair(ask: Ask) -> Answer:
    ok = _sitting(ask.obj.panel).filter(expert__user_id=_pk(ask.actor), chair=True).exists()
    return Answer(ok, _("只有评审组组长可以办理。"), "the_chair", "expert")


not_the_locker = not_same_as("locked_by", _("不是锁定评分的人"), _("评分由您锁定，结果须由组长或另一位工作人员公布。"))
conductor = organiser | the_chair
releaser = (organiser & not_the_locker) | the_chair


def _meeting_visible(actor: Any) -> Q:
    from review.models import Panel  # noqa: PLC0415

    return Q(panel__in=Panel.objects.filter(_panel_visible(actor)).values("pk"))


meeting_visible: Rule = row_rule("meeting_visible", _("能看到评审组的人"), _meeting_visible, _("答辩会信息不对外公开。"))
