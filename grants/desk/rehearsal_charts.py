"""预演 as pictures: reliability by number of experts, the load of each, and which weights decide. Pure; each with its table."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from grants.calls.rulebook.expectation import MOST, Agreement, reliability_with, sizes
from grants.calls.rulebook.rehearsal import Rehearsal, Swing
from grants.web.charts import bars, line
from grants.web.drawing import Chart, Number

TARGET = Decimal("0.800")
"""What is usually asked of a mean before single decisions are made on it."""


def expectation_charts(agreement: Agreement, result: Rehearsal, experts: int, chosen: int) -> list[Chart]:
    """Reliability, load (where the experts are known), weights (where there are any)."""
    found = [_reliability(agreement.value, chosen)]
    if experts:
        found.append(_load(agreement.value, result.staying, experts, chosen))
    if result.swings:
        found.append(_weights(result.swings))
    return found


def _reliability(agreement: Decimal, chosen: int) -> Chart:
    numbers = range(1, max(MOST, chosen) + 1)
    values = [reliability_with(agreement, n) for n in numbers]
    enough = next((n for n, value in zip(numbers, values, strict=True) if value >= TARGET), None)
    told = _("现在的规则 %(n)d 位专家：%(value)s。") % {"n": chosen, "value": values[chosen - 1]}
    told += _("达到 0.800 要 %(n)d 位。") % {"n": enough} if enough else _("%(n)d 位以内达不到 0.800。") % {"n": len(values)}
    series: list[tuple[str, Sequence[Number | None]]] = [(_("可靠程度"), values)]
    return line(
        "reliability", _("每份几位专家，名次的可靠程度"), list(numbers), series, head=_("每份几位专家"), show=_three,
        exact=lambda value: f"{value:.3f}", summary=told,
    )  # fmt: skip


def _three(value: Number) -> str:
    return f"{Decimal(value):.3f}".rstrip("0").rstrip(".") or "0"


def _load(agreement: Decimal, bids: int, experts: int, chosen: int) -> Chart:
    rows = [(_name(each.n, chosen), each.load or 0) for each in sizes(agreement, bids, experts, chosen)]
    told = _("%(bids)d 份申报由 %(experts)d 位专家分担。") % {"bids": bids, "experts": experts}
    return bars("load", _("每位专家约评几份"), rows, heads=(_("每份几位专家"), _("每位专家约")), summary=told)


def _name(n: int, chosen: int) -> str:
    return _("%(n)d 位（现在的规则）") % {"n": n} if n == chosen else _("%(n)d 位") % {"n": n}


def _weights(swings: Sequence[Swing]) -> Chart:
    rows = [(f"{each.criterion} {each.percent:+d}%", len(each.flips)) for each in swings]
    told = _("权重动一成，最多 %(n)d 份申报的立项结果改变。") % {"n": max(n for _c, n in rows)}
    return bars("weights", _("权重上下一成，几份申报的结果会变"), rows, heads=(_("指标"), _("结果改变的申报")), summary=told)
