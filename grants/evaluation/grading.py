"""评估定级: marks of a sheet, bonus and penalty → total → grade → what follows. Pure.

The total is Σ marks + bonus − penalty, never below 0; with bonus it may pass 100 (Suzhou's sheet works so). The grade is the band the
published total falls into. A report that is late or missing without reason is a fail whatever it would have scored (Haishu).
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

from grants.sentences import marked as _

POINT: Final = Decimal("0.01")
HUNDRED: Final = Decimal(100)
ZERO: Final = Decimal("0.00")

SENTENCES: Final[Mapping[str, str]] = {
    "weights": _("评估指标权重合计 %(total)s，应为 100。"),
    "missing": _("评估表还缺：%(names)s。未评的指标不按 0 分计。"),
    "unknown": _("评估表中没有这些指标：%(names)s。"),
    "range": _("“%(name)s”的得分 %(mark)s 超出 0 至 %(maximum)s 的范围。"),
    "bonus": _("加分 %(value)s 超出 0 至 %(limit)s 的范围。"),
    "penalty": _("扣分 %(value)s 超出 0 至 %(limit)s 的范围。"),
    "bands": _("评估等级没有覆盖 0 分至最高分：%(detail)s。"),
    "late": _("未按期提交且无正当理由，按规则定为“%(name)s”。"),
    "graded": _("得分 %(total)s（指标 %(marks)s，加分 %(bonus)s，扣分 %(penalty)s），等级“%(name)s”。"),
    "pay": _("可申请拨付下期资金"),
    "commend": _("通报表扬"),
    "priority": _("下年度同等条件下优先"),
    "rectify": _("于 %(day)s 前完成整改"),
    "withhold": _("暂缓拨付后续资金"),
    "terminate": _("终止项目"),
    "recover": _("追回已拨资金"),
    "publish": _("公开通报"),
    "bar": _("%(day)s 前不得申报"),
}


class Action(StrEnum):
    """What a grade leads to; values as in the rules of a call."""

    PAY = "pay"
    COMMEND = "commend"
    PRIORITY = "priority"
    RECTIFY = "rectify"
    WITHHOLD = "withhold"
    TERMINATE = "terminate"
    RECOVER = "recover"
    PUBLISH = "publish"
    BAR = "bar"


class GradingRefused(ValueError):
    """Marks or bands that give no grade. `rule` is stable, the message a Chinese sentence, `names` what it is about."""

    def __init__(self, rule: str, *, names: Sequence[str] = (), **figures: object) -> None:
        self.rule = rule
        self.names = tuple(names)
        self.sentence = SENTENCES[rule] % {"names": "、".join(names), **figures}
        super().__init__(self.sentence)


@dataclass(frozen=True)
class Criterion:
    """评估指标: marks go from 0 to its weight; weights add up to 100."""

    code: str
    name: str
    weight: Decimal


@dataclass(frozen=True)
class Consequence:
    """One consequence; months for a bar (how long) and for rectification (until when)."""

    action: Action
    months: int = 0


@dataclass(frozen=True)
class Band:
    """评估等级: from `at_least` on, up to the next band."""

    name: str
    at_least: Decimal
    passed: bool
    consequences: tuple[Consequence, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """评估表: criteria, the limits of bonus and penalty in points, and bands in any order."""

    criteria: tuple[Criterion, ...]
    bands: tuple[Band, ...]
    bonus_max: Decimal = ZERO
    penalty_max: Decimal = ZERO


@dataclass(frozen=True)
class Grade:
    """The outcome. total None: failed for being late, not scored. barred_until: first day on which bids are taken again."""

    total: Decimal | None
    band: Band
    sentence: str
    consequences: tuple[str, ...]
    pays: bool
    withholds: bool
    terminates: bool
    rectify_by: date | None
    barred_until: date | None


def grade(
    sheet: Sheet,
    marks: Mapping[str, Decimal],
    *,
    on: date,
    bonus: Decimal = ZERO,
    penalty: Decimal = ZERO,
    is_late: bool = False,
) -> Grade:
    """Grade a report on day `on` (Shanghai). is_late: late or missing without reason, and the call says that this is a fail.

    Raises GradingRefused: weights, missing, unknown, range, bonus, penalty, bands.
    """
    check_bands(sheet.bands)
    if is_late:
        band = min(sheet.bands, key=lambda b: b.at_least)
        return _outcome(None, band, SENTENCES["late"] % {"name": band.name}, on)
    summed = _summed(sheet.criteria, marks)
    for rule, value, limit in (("bonus", bonus, sheet.bonus_max), ("penalty", penalty, sheet.penalty_max)):
        if not 0 <= value <= limit:
            raise GradingRefused(rule, value=value, limit=limit)
    points = max(summed + bonus - penalty, ZERO).quantize(POINT, ROUND_HALF_UP)
    band = band_of(points, sheet.bands)
    figures = {"total": points, "marks": summed, "bonus": bonus, "penalty": penalty, "name": band.name}
    return _outcome(points, band, SENTENCES["graded"] % figures, on)


def band_of(total: Decimal, bands: Sequence[Band]) -> Band:
    """The band a total falls into: the highest it reaches. Raises GradingRefused (bands) when it reaches none."""
    reached = [b for b in bands if total >= b.at_least]
    if not reached:
        raise GradingRefused("bands", detail=f"{total} 分不在任何等级内")
    return max(reached, key=lambda b: b.at_least)


def check_bands(bands: Sequence[Band]) -> None:
    """Bands start at 0, no two at the same score, and no failed band lies above a passed one. Raises GradingRefused (bands)."""
    ordered = sorted(bands, key=lambda b: b.at_least)
    if not ordered or ordered[0].at_least != 0:
        raise GradingRefused("bands", detail="最低等级没有从 0 分开始")
    for lower, upper in pairwise(ordered):
        if lower.at_least == upper.at_least:
            raise GradingRefused("bands", detail=f"“{lower.name}”和“{upper.name}”起始分相同")
        if lower.passed and not upper.passed:
            raise GradingRefused("bands", detail=f"“{upper.name}”分数更高却不合格")


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where there is none (民法典 §202)."""
    year, month = divmod(day.month - 1 + months, 12)
    last = calendar.monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))


def _summed(criteria: Sequence[Criterion], marks: Mapping[str, Decimal]) -> Decimal:
    if (whole := sum((c.weight for c in criteria), Decimal(0))) != HUNDRED:
        raise GradingRefused("weights", total=whole)
    if missing := [c.name for c in criteria if c.code not in marks]:
        raise GradingRefused("missing", names=missing)
    if unknown := sorted(marks.keys() - {c.code for c in criteria}):
        raise GradingRefused("unknown", names=unknown)
    for c in criteria:
        if not marks[c.code].is_finite() or not 0 <= marks[c.code] <= c.weight:
            raise GradingRefused("range", names=(c.name,), name=c.name, mark=marks[c.code], maximum=c.weight)
    return sum((marks[c.code] for c in criteria), ZERO)


def _outcome(total: Decimal | None, band: Band, sentence: str, on: date) -> Grade:
    actions = {c.action: c for c in band.consequences}
    days = {action: months_after(on, c.months) for action, c in actions.items()}
    words = tuple(SENTENCES[action.value] % {"day": days[action].isoformat()} for action in actions)
    return Grade(
        total=total,
        band=band,
        sentence=sentence,
        consequences=words,
        pays=band.passed and Action.PAY in actions,
        withholds=Action.WITHHOLD in actions,
        terminates=Action.TERMINATE in actions,
        rectify_by=days.get(Action.RECTIFY),
        barred_until=days.get(Action.BAR),
    )
