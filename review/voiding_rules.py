"""When a ballot that was opened may still be voided, who decides, and what nobody may do to it alone (review.md §2.1)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from grants.people.rules import not_same_as
from grants.workflow.rules import Ask, Rule, row_rule, rule
from review.rules import _panel_state, convenes_without_interest, judge
from review.swap_rules import _swap_visible

second_officer = (
    judge & convenes_without_interest & not_same_as("proposed_by", _("不是提出的人"), _("作废由您提出，须由另一个人决定。"))
)


@rule(_("评审报告尚未出具"), _("评审报告已经出具，评分不能再作废；对结果有异议请在公示期内提出。"))
def not_concluded(ask: Ask) -> bool:
    return _panel_state(ask.obj.panel_id) in ("scoring", "scored")


@rule(_("评分已经拆封并计入"), _("这份评分没有拆封，或已经不计入。没有拆封的，在评审组页面直接作废。"))
def ballot_was_opened(ask: Ask) -> bool:
    from review.models import Review  # noqa: PLC0415 - as above

    return Review.objects.filter(pk=ask.obj.review_id, state="submitted", opened_at__isnull=False).exists()


@rule(_("专家应当回避"))
def conflict_stands(ask: Ask) -> object:
    """After the marks are known a ballot falls for a conflict and for nothing else: any other reason would be choosing scores."""
    from review.conflict_checks import standing_hits  # noqa: PLC0415 - reads the models

    review = ask.obj.review
    if standing_hits(review.expert, review.bid):
        return True
    return _("没有查到这位专家与这份申报的利害关系，或已由两人排除。评分拆封以后，只有应当回避的才能作废。")


@rule(
    _("评分尚未拆封"),
    _("这份评分已经拆封，本人不能再改、再评或退出，也不能由一个人作废。应当回避的，由一人提出作废、另一人同意。"),
)
def still_sealed(ask: Ask) -> bool:
    """A panel that scores again because of one ballot does not take back the others: their experts have seen the results."""
    return ask.obj.opened_at is None


@rule(_("没有新查出的利害关系"))
def no_late_conflict(ask: Ask) -> object:
    """Asked a last time before the result is published, of whoever's ballot counts."""
    return _late(ask.obj)


@rule(_("没有新查出的利害关系"))
def no_late_conflict_here(ask: Ask) -> object:
    """The same, asked of something that belongs to a panel."""
    return _late(ask.obj.panel)


def _late(panel: Any) -> object:
    from review.conflict_checks import late_hits  # noqa: PLC0415 - as above

    hits = late_hits(panel)
    if not hits:
        return True
    return _(
        "结果公布前核对，有 %(n)d 份评分的专家应当回避，例如：%(what)s 请在评审组页面“重新核对利害关系”，然后由一人提出不予回避、另一人决定；"
        "或由一人提出作废、另一人同意，由候补专家补评。"
    ) % {"n": len(hits), "what": str(hits[0])}


voiding_visible: Rule = row_rule(
    "voiding_visible", _("能看到评审组的工作人员、监督和审计"), _swap_visible, _("作废评分的经过不对评审组成员公开。")
)
