"""评分: from one expert's marks to the published score of a bid. Pure, exact, and redone with a pocket calculator.

Marks are points with at most two places (stored as hundredths). A ballot's total is rounded half up once; the trimmed mean is
taken of the totals as published and rounded half up once. Whole ballots are dropped, never single criteria.
A missing mark is never a zero. 政府采购货物和服务招标投标管理办法 (87号令) allows no score to be changed after summing up, so
nothing here changes one: a deviating ballot is only reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from grants.sentences import marked as _

HUNDRED: Final = Decimal(100)

SENTENCES: Final[Mapping[str, str]] = {
    "missing": _("评分表还缺：%(names)s。未评的指标不按 0 分计，请补全后提交。"),
    "unknown": _("评分表中没有这些指标：%(names)s。"),
    "range": _("“%(name)s”的得分 %(mark)s 超出 0 至 %(maximum)s 的范围。"),
    "places": _("“%(name)s”的得分 %(mark)s 超过两位小数。"),
    "weights": _("指标权重合计 %(total)s，应为 100。"),
    "too_few": _("有效评审 %(valid)d 份，少于规定的 %(least)d 份，不产生得分。请启用候补专家。"),
    "trim": _("有效评审 %(valid)d 份，按规则去掉 %(dropped)d 份后没有剩余。"),
    "parts": _("总分构成的权重合计 %(total)s，应为 100。"),
    "part_missing": _("总分构成中“%(name)s”没有得分，缺项不按 0 分计。"),
    "part_range": _("总分构成中“%(name)s”的得分 %(value)s 超出 0 至 100 的范围。"),
    "bonus": _("加分 %(bonus)s 超出 0 至 %(cap)s 的范围。"),
    "unbridged": _("评审组之间衔接不足，不能跨组排名：跨组评审 %(panels)s，每组至少应有 %(least)d 份（现分为 %(parts)d 个互不相连的部分）。"
        "请安排跨组评审补足，或者各组分别排名。"),
    "unbridged_signed": _("评审组之间衔接不足，不能合并排名：跨组评审 %(panels)s，每组至少应有 %(least)d 份（现分为 %(parts)d 个互不相连的部分）。"
        "跨组评审是同一位专家在两组都评分；各组都已出具评审报告，不能再补评。请各组分别立项，并写明理由。"),
    "deviation": _("该份评审总分 %(total)s，偏离评审组平均分 %(mean)s 达 %(percent)s%%，超过 %(limit)s%%，请书面说明理由。"),
}


class ScoreRefused(ValueError):
    """Scores that give no result. `rule` is stable; the message is a Chinese sentence; `names` lists what it is about."""

    def __init__(self, rule: str, *, names: Sequence[str] = (), **figures: object) -> None:
        self.rule = rule
        self.names = tuple(names)
        self.sentence = SENTENCES[rule] % {"names": "、".join(names), **figures}
        super().__init__(self.sentence)


@dataclass(frozen=True)
class Criterion:
    """评分指标: its weight in points out of 100. A mark goes from 0 to `maximum`, by default the weight itself."""

    code: str
    name: str
    weight: Decimal
    maximum: Decimal | None = None

    @property
    def top(self) -> Decimal:
        """The highest mark."""
        return self.weight if self.maximum is None else self.maximum


@dataclass(frozen=True)
class Trim:
    """去掉 `high` 个最高分、`low` 个最低分, only from `from_ballots` valid ballots on. tiers: the same for more ballots (票数分档)."""

    high: int = 0
    low: int = 0
    from_ballots: int = 5
    tiers: tuple[Trim, ...] = ()

    def at(self, ballots: int) -> tuple[int, int]:
        """(highest, lowest) ballots dropped of so many: of the steps that are reached, the one that wants the most ballots."""
        reached = [step for step in (self, *self.tiers) if ballots >= step.from_ballots]
        step = max(reached, key=lambda each: each.from_ballots, default=None)
        return (step.high, step.low) if step is not None else (0, 0)


@dataclass(frozen=True)
class PanelScore:
    """The panel's score of a bid, with the reviewers whose ballots count and whose were dropped (codes, in order of total)."""

    value: Decimal
    kept: tuple[str, ...]
    dropped_high: tuple[str, ...] = ()
    dropped_low: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """One part of the final score: weight in per cent, value 0…100 or None when it is not there yet."""

    code: str
    name: str
    weight: Decimal
    value: Decimal | None


@dataclass(frozen=True)
class Deviation:
    """A ballot further from the panel's mean than the limit: percent is signed, two places."""

    reviewer: str
    total: Decimal
    mean: Decimal
    percent: Decimal
    sentence: str


def points(hundredths: int) -> Decimal:
    """Stored hundredths of a point as points: 8650 → 86.50."""
    return Decimal(hundredths).scaleb(-2)


def rounded(value: Fraction | Decimal, decimals: int = 2) -> Decimal:
    """`value` rounded half up (四舍五入, away from zero) to `decimals` places. Exact: no division is rounded before this one."""
    exact = Fraction(value)
    units = abs(exact) * 10**decimals + Fraction(1, 2)
    whole = units.numerator // units.denominator
    return Decimal(whole if exact >= 0 else -whole).scaleb(-decimals)


def ballot_total(marks: Mapping[str, Decimal], criteria: Sequence[Criterion], *, decimals: int = 2) -> Decimal:
    """The total of one ballot, 0…100. marks: criterion code → points, at most two places.

    Raises ScoreRefused: weights (not 100), missing, unknown, range or places.
    """
    if (whole := sum((c.weight for c in criteria), Decimal(0))) != HUNDRED:
        raise ScoreRefused("weights", total=whole)
    if missing := [c.name for c in criteria if c.code not in marks]:
        raise ScoreRefused("missing", names=missing)
    if unknown := sorted(marks.keys() - {c.code for c in criteria}):
        raise ScoreRefused("unknown", names=unknown)
    return rounded(sum((_contribution(marks[c.code], c) for c in criteria), Fraction(0)), decimals)


def _contribution(mark: Decimal, criterion: Criterion) -> Fraction:
    if not mark.is_finite() or not 0 <= mark <= criterion.top:
        raise ScoreRefused("range", names=(criterion.name,), name=criterion.name, mark=mark, maximum=criterion.top)
    if mark != mark.quantize(Decimal("0.01")):
        raise ScoreRefused("places", names=(criterion.name,), name=criterion.name, mark=mark)
    return Fraction(mark) * Fraction(criterion.weight) / Fraction(criterion.top)


def panel_score(ballots: Mapping[str, Decimal], trim: Trim, *, min_ballots: int = 1, decimals: int = 2) -> PanelScore:
    """The (trimmed) mean of the ballots' totals, rounded half up. ballots: reviewer code → total, valid ballots only.

    Among equal totals the reviewer code decides which ballot is shown as dropped; the value is the same either way.
    Raises ScoreRefused too_few below `min_ballots` (or with none at all), trim when dropping leaves nothing.
    """
    if len(ballots) < max(min_ballots, 1):
        raise ScoreRefused("too_few", valid=len(ballots), least=max(min_ballots, 1))
    order = sorted(ballots, key=lambda code: (ballots[code], code))
    high, low = trim.at(len(order))
    if high + low >= len(order):
        raise ScoreRefused("trim", valid=len(order), dropped=high + low)
    kept = order[low : len(order) - high]
    value = rounded(_mean([ballots[code] for code in kept]), decimals)
    return PanelScore(value, tuple(kept), tuple(order[len(order) - high :]), tuple(order[:low]))


def criterion_means(marks: Sequence[Mapping[str, Decimal]], *, decimals: int = 2) -> dict[str, Decimal]:
    """Mean mark of each criterion over the ballots that count (pass the kept ones), for the tie rule. Empty without ballots.

    Raises ScoreRefused missing when a ballot lacks a criterion that another has.
    """
    codes = sorted({code for ballot in marks for code in ballot})
    if missing := [code for code in codes if any(code not in ballot for ballot in marks)]:
        raise ScoreRefused("missing", names=missing)
    return {code: rounded(_mean([ballot[code] for ballot in marks]), decimals) for code in codes}


def mixed_score(
    parts: Sequence[Part], *, bonus: Decimal = Decimal(0), bonus_cap: Decimal = Decimal(0), decimals: int = 2
) -> Decimal:
    """The final score: Σ weight × value ÷ 100, plus bonus points (0…bonus_cap), rounded half up once.

    A part of weight 0 needs no value. Raises ScoreRefused parts, part_missing, part_range or bonus.
    """
    if (whole := sum((p.weight for p in parts), Decimal(0))) != HUNDRED:
        raise ScoreRefused("parts", total=whole)
    if not 0 <= bonus <= bonus_cap:
        raise ScoreRefused("bonus", bonus=bonus, cap=bonus_cap)
    return rounded(sum((_weighted(p) for p in parts if p.weight), Fraction(0)) + Fraction(bonus), decimals)


def _weighted(part: Part) -> Fraction:
    if part.value is None:
        raise ScoreRefused("part_missing", names=(part.name,), name=part.name)
    if not 0 <= part.value <= HUNDRED:
        raise ScoreRefused("part_range", names=(part.name,), name=part.name, value=part.value)
    return Fraction(part.weight) * Fraction(part.value) / 100


def share_score(part: Decimal, whole: Decimal, *, decimals: int = 2) -> Decimal:
    """A count or sum as 0…100: pledges against the target, votes against the most votes of the call. Over 100 counts as 100.

    Without a whole (nobody voted) everybody has 0. Raises ValueError for negative numbers.
    """
    if part < 0 or whole < 0:
        raise ValueError("a share of negative numbers")
    return (
        rounded(min(Fraction(part) / Fraction(whole), Fraction(1)) * 100, decimals) if whole else rounded(Fraction(0), decimals)
    )


def deviations(ballots: Mapping[str, Decimal], *, limit: Decimal = Decimal(20)) -> list[Deviation]:
    """Ballots more than `limit` per cent from the plain mean of all, in order of reviewer code; exactly at it is no alarm."""
    if not ballots or not (mean := _mean(list(ballots.values()))):
        return []
    found: list[Deviation] = []
    for code, total in sorted(ballots.items()):
        away = (Fraction(total) - mean) / mean * 100
        if abs(away) > Fraction(limit):
            shown = {"total": total, "mean": rounded(mean), "percent": abs(rounded(away)), "limit": f"{limit.normalize():f}"}
            found.append(Deviation(code, total, rounded(mean), rounded(away), SENTENCES["deviation"] % shown))
    return found


def passes(score: Decimal, pass_line: Decimal) -> bool:
    """Whether a published score reaches the pass line; exactly at it passes."""
    return score >= pass_line


def _mean(values: Sequence[Decimal]) -> Fraction:
    return sum((Fraction(v) for v in values), Fraction(0)) / len(values)
