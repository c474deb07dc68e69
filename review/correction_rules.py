"""When an entered score may be corrected, which second person confirms it, and who may see it (ADR 34)."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grants.people.permissions import scopes_with
from grants.people.rules import not_same_as
from grants.workflow.rules import Ask, Rule, row_rule, rule
from review.rules import RESULTS_OUT, _panel_state, _pk, organiser
from review.swap_rules import _swap_visible

second_officer = organiser & not_same_as("proposed_by", _("不是提出更正的人"), _("更正由您提出，须由另一位工作人员决定；您可以撤回。"))


@rule(_("是提出更正的人"), _("只有提出更正的人可以撤回；不同意这项更正的，请选“不同意更正”并写明理由。"))
def proposed_it(ask: Ask) -> bool:
    return bool(ask.obj.proposed_by_id == _pk(ask.actor))


@rule(
    _("评分从未拆封"),
    _("评分已经锁定、拆封过，统一录入的分数不能再更正；对结果有异议请在公示期内提出。"),
)
def never_opened(ask: Ask) -> bool:
    """Whoever has seen the results would know what a correction decides; a panel that scores again because of one ballot has seen them."""
    from review.models import Panel  # noqa: PLC0415 - reads these rules

    scoring = _panel_state(ask.obj.panel_id) in ("forming", "scoring")
    return scoring and not Panel.objects.filter(pk=ask.obj.panel_id, locked_by__isnull=False).exists()


@rule(_("更正已全部办结"))
def no_correction_waits(ask: Ask) -> object:
    """Asked of a panel, before its entered scores are counted and before they leave it."""
    from review.correcting import pending  # noqa: PLC0415 - as above

    rows = list(pending(ask.obj))
    if not rows:
        return True
    return _(
        "还有 %(n)d 项分数更正等待第二人决定，例如：%(what)s。请打开评审组的“统一录入的分数”页面，由提出人以外的工作人员确认或不同意，或由提出人撤回。"
    ) % {"n": len(rows), "what": rows[0].about}


def _visible(actor: Any) -> Q:
    """Organisers, who enter these scores; whoever else may see the panel, but its experts, once its results are out."""
    from grants.calls.models import Call  # noqa: PLC0415
    from grants.people.models import Agency  # noqa: PLC0415

    enters = scopes_with(actor, "convene_panels", Agency, "panel__call__agency") | scopes_with(actor, "convene_panels", Call, "panel__call")
    return _swap_visible(actor) & (enters | RESULTS_OUT)


correction_visible: Rule = row_rule(
    "correction_visible", _("组织评审的工作人员；结果公布后，能看到评审组的监督和审计"), _visible, _("分数更正的经过不对评审组成员公开。")
)
