"""On which facts a review moves — assigned, pledged, scored — and who may see it."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.permissions import scopes_with
from grants.people.rules import is_the
from grants.workflow.rules import Ask, Rule, row_rule, rule
from review.rules import RESULTS_OUT, _pk, _sitting

the_expert = is_the("expert__user", "expert", _("被分配的专家本人"), _("这份评审分配给了另一位专家，只有本人可以填写。"))


@rule(_("讨论已经开启"), _("讨论还没有开启。评分交齐、由组长或组织评审的人开启讨论以后，才能再次评分。"))
def discussion_is_open(ask: Ask) -> bool:
    return _discussed(ask.obj.panel_id)


@rule(_("讨论还没有开启"), _("讨论已经开启，第一次评分不能取回；改变看法的，请写明理由再评一次。"))
def first_ballot_is_open(ask: Ask) -> bool:
    return not _discussed(ask.obj.panel_id)


def _discussed(panel_id: Any) -> bool:
    from review.models import Panel  # noqa: PLC0415

    return Panel._base_manager.filter(pk=panel_id, discussed_at__isnull=False).exists()


@rule(_("专家在评审组名单中"), _("这位专家不在评审组名单中（或仍是候补），不能分配。"))
def sits_in_panel(ask: Ask) -> bool:
    return bool(_sitting(ask.obj.panel).filter(expert_id=ask.obj.expert_id).exists())


@rule(_("没有利害关系"))
def no_conflict(ask: Ask) -> object:
    """The five statutory tests with the three-year look-back （政府采购法实施条例 §9), asked again when the file is opened."""
    from review.blinding import hides  # noqa: PLC0415 - models use it
    from review.conflict_checks import standing_hits  # noqa: PLC0415

    hits = standing_hits(ask.obj.expert, ask.obj.bid)
    if hits and hides(ask.obj.panel) and ask.obj.expert.user_id == _pk(ask.actor):
        return _(
            "登记的情况显示您与这份申报的单位存在利害关系，应当回避。隐名评审期间不说明是哪一条；请选择回避，或与组织评审的人联系。"
        )
    return True if not hits else _("这位专家与申报单位存在利害关系，应当回避：%(why)s") % {"why": str(hits[0].sentence)}


@rule(_("评分表填写完整"))
def ballot_is_complete(ask: Ask) -> object:
    from review.ballots import missing_marks  # noqa: PLC0415

    missing = missing_marks(ask.obj)
    return (
        True
        if not missing
        else _("还没有评分的指标：%(what)s。没有评分不等于零分，请逐项填写。") % {"what": "、".join(map(str, missing))}
    )


@rule(_("自动保存的内容已存入评分表"))
def draft_is_settled(ask: Ask) -> object:
    """What is handed in is what the expert sees on the sheet, never an older state of it."""
    if not ask.obj.draft_waits:
        return True
    return _("评分表里有自动保存、还没有确认的内容。请打开评分页核对，按“保存”或“提交”确认。")


@rule(_("前一环节已评分"))
def earlier_stage_is_in(ask: Ask) -> object:
    """Documents are scored before the oral defence, so that the pitch cannot rewrite the first impression on paper."""
    from review.panels import earlier_stages  # noqa: PLC0415

    return True if not earlier_stages(ask.obj) else _("请先提交您对这份申报前一环节的评分，再提交本环节评分。")


@rule(_("已签署无利害关系与廉洁承诺"), typed=True)
def pledge_signed(ask: Ask) -> object:
    return True if ask.details.get("pledge") else _("请勾选无利害关系声明和廉洁承诺；如有利害关系，请选择回避。")


def _review_visible(actor: Any) -> Q:
    """Own reviews always; others' only after the panel has locked, and only for the agency and its auditors."""
    from grants.people.models import Agency  # noqa: PLC0415

    own = Q(expert__user_id=getattr(actor, "pk", None)) & Q(expert__user_id__isnull=False)
    return own | (RESULTS_OUT & scopes_with(actor, "read_calls", Agency, "panel__call__agency"))


review_visible: Rule = row_rule(
    "review_visible", _("专家本人；评分锁定后的主办方和审计"), _review_visible, _("评分锁定前，只有专家本人可以看到自己的评分。")
)
