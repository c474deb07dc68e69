"""The exhibits of a ranking and who sees which; one table for the page and its files."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext_lazy

from grants.awards.showing import inside, public
from grants.awards.showing.audience import Audience
from grants.awards.showing.view import Exhibit, View
from grants.workflow.refusals import Sentence

EXHIBITS: dict[str, tuple[Audience, Sentence, Callable[[View], Exhibit]]] = {
    "budget": (Audience.PUBLIC, gettext_lazy("预算线"), public.money_line),
    "ranks": (Audience.PUBLIC, gettext_lazy("名次与区间"), public.ranks),
    "categories": (Audience.PUBLIC, gettext_lazy("各领域"), public.categories),
    "agreement": (Audience.PUBLIC, gettext_lazy("评审的一致程度"), public.agreement),
    "criteria": (Audience.PUBLIC, gettext_lazy("各项指标的得分分布"), public.criteria),
    "calibrated": (Audience.STAFF, gettext_lazy("正式得分与校准分（参考）"), inside.calibrated),
    "best": (Audience.STAFF, gettext_lazy("与可证明的最优解对照（参考）"), inside.best),
    "robust": (Audience.STAFF, gettext_lazy("结果的稳健程度（参考）"), inside.robust),
    "strictness": (Audience.AUDITOR, gettext_lazy("各位专家的松紧"), inside.strictness),
    "residuals": (Audience.AUDITOR, gettext_lazy("残差：专家对申报（参考）"), inside.residuals),
    "committee": (Audience.AUDITOR, gettext_lazy("讨论后再评和排除的评分"), inside.committee),
    "alarms": (Audience.AUDITOR, gettext_lazy("值得询问的评分（参考）"), inside.alarms),
}
"""Code in the address → least audience, name, how it is made."""


def seen_by(who: Audience) -> list[str]:
    """Codes of what this audience sees, in order."""
    return [code for code, (least, _name, _make) in EXHIBITS.items() if who >= least]
