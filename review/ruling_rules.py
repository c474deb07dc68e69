"""Who may rule on a ballot that set off an alarm, when, and what must be left (87号令 §64: 畸高、畸低 by the committee, recorded)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.rules import not_same_as
from grants.workflow.rules import Answer, Ask, Rule, row_rule, rule
from review.rules import _panel_visible, _pk, _sitting, held

EXCLUDE = "exclude"


@rule(_("是评审组成员"), _("只有本评审组的成员可以提出和决定。"), roles=frozenset({"expert"}))
def on_the_panel(ask: Ask) -> Answer:
    ok = _sitting(ask.obj.panel).filter(expert__user_id=_pk(ask.actor)).exists()
    return Answer(ok, _("只有本评审组的成员可以提出和决定。"), "on_the_panel", "expert")


second_member = on_the_panel & not_same_as("proposed_by", _("不是提出的人"), _("处理意见由您提出，须由另一位成员决定。"))


@rule(_("评审组正在复核"))
def committee_sits(ask: Ask) -> object:
    """After the lock, once results are out to the panel, and before anybody signs or a lot is drawn over equals."""
    from review.results import lots_of  # noqa: PLC0415 - reads the models

    panel = ask.obj.panel
    if panel.state != "scored" or held(panel):
        return _("评分锁定、结果公布以后，签署评审报告以前，才能处理偏离的评分。")
    if _sitting(panel).filter(signed_at__isnull=False).exists():
        return _("已经有成员签署评审报告，评分不能再处理。")
    if panel.draws.filter(about="tie").exclude(state__in=("drawn", "failed")).exists():
        return _("同分抽签的名单已经公布，评分不能再处理；抽签公布以前才能处理。")
    return True if not lots_of(panel) else _("同分已经抽签，评分不能再处理；抽签以前才能处理。")


@rule(_("不是本人的评分"), _("这是您本人的评分，须由其他成员处理。"))
def not_own_ballot(ask: Ask) -> bool:
    return bool(ask.obj.review.expert.user_id != _pk(ask.actor))


@rule(_("评分触发了偏离提醒"), _("这份评分没有触发偏离提醒，不能处理。没有偏离的评分，谁也不能排除。"))
def ballot_was_flagged(ask: Ask) -> bool:
    from review.ruling import flagged  # noqa: PLC0415 - as above

    return ask.obj.review_id in {row.review.pk for row in flagged(ask.obj.panel)}


@rule(_("排除后仍有足够的评分"))
def enough_is_left(ask: Ask) -> object:
    """A ballot is never excluded below the number of valid ballots that the rules want."""
    ruling = ask.obj
    if ruling.outcome != EXCLUDE:
        return True
    rows = ruling.panel.reviews.filter(bid=ruling.review.bid_id, stage=ruling.review.stage, state="submitted").exclude(pk=ruling.review_id)
    left = rows.exclude(pk__in=ruling.panel.rulings.filter(state="adopted", outcome=EXCLUDE).values("review_id")).count()
    least = ruling.panel.rules.review.panel.min_ballots
    if left >= least:
        return True
    return _("排除后有效评分只剩 %(n)d 份，少于规定的 %(least)d 份，不能排除；请维持，并在评审报告中写明不同意见。") % {
        "n": left, "least": least,
    }  # fmt: skip


@rule(_("偏离的评分已处理"))
def rulings_are_decided(ask: Ask) -> object:
    """Nobody signs a ranking that a proposal may still change."""
    left = ask.obj.rulings.filter(state="proposed").count()
    return True if not left else _("还有 %(n)d 项对偏离评分的处理意见没有决定，请先决定或撤回。") % {"n": left}


def _visible(actor: Any) -> Q:
    """Whoever may see the panel, once its results are out."""
    from review.models import Panel  # noqa: PLC0415 - as above
    from review.rules import NOT_HELD  # noqa: PLC0415

    rows = Panel.objects.filter(_panel_visible(actor)).filter(NOT_HELD, state__in=("scored", "concluded"))
    return Q(panel__in=rows.values("pk"))


ruling_visible: Rule = row_rule("ruling_visible", _("结果公布后能看到评审组的人"), _visible, _("对偏离评分的处理只对评审组、主办方、监督和审计开放。"))
