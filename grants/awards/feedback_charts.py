"""The two pictures of a feedback letter: own score beside the funded average, and where the bid stands among all."""

from __future__ import annotations

from django.utils.translation import gettext as _

from grants.awards.feedback import LEAST, Letter
from grants.web.charts import Chart
from grants.web.plots import compare


def by_criterion(letter: Letter) -> Chart:
    """Own mean of each criterion, with a diamond at the average of the funded bids."""
    rows = [(line.name, line.own, line.most, line.funded) for line in letter.lines]
    words = _("条为本单位得分，◆ 为获得资助项目的平均分。") if letter.compared else _("获得资助的项目不足 %(n)d 个，不公布平均分。") % {"n": LEAST}
    heads = (_("指标"), _("本单位"), _("满分"), _("资助项目平均"))
    return compare("feedback-criteria", _("各项指标得分"), rows, heads=heads, nothing=_("不公布"), summary=words)
