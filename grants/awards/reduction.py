"""核减: from the budget asked to the budget agreed, line by line, with 三不变 — people served, goal and core service stay. Pure.

三不变 is Yizheng's optimisation rule (domain notes §4.5): 受益人群不变、项目目标不变、项目核心服务内容不变; plan, method and
money may change. Targets (KPI) may fall at most in proportion to the money, rounded up, and only with the grantee's explicit consent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final

from grants.money import ZERO, NotMoney, apportion, exact, total, yuan
from grants.sentences import marked as _

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "not_money": (_("第 %(row)d 行“%(name)s”的金额有误：%(detail)s。"), _("按“元”填写，最多两位小数。")),
    "negative": (_("第 %(row)d 行“%(name)s”核定 %(agreed)s，不能为负。"), _("填写 0 或大于 0 的金额。")),
    "raised": (_("第 %(row)d 行“%(name)s”核定 %(agreed)s，高于申请的 %(asked)s。"), _("核减只减不增，最多 %(asked)s。")),
    "no_reason": (_("第 %(row)d 行“%(name)s”由 %(asked)s 核减为 %(agreed)s，没有写明理由。"), _("写明核减理由，供申报单位确认。")),
    "nothing": (_("核定总额为 0。"), _("至少保留一行费用，或不予立项。")),
    "total": (_("各行核定合计 %(sum)s，与立项金额 %(award)s 相差 %(gap)s。"), _("调整各行，使合计等于 %(award)s。")),
    "over_asked": (_("立项金额 %(award)s 超过申请总额 %(asked)s。"), _("立项金额最多 %(asked)s。")),
    "people": (_("受益人群由“%(before)s”改为“%(after)s”，违反“受益人群不变”。"), _("恢复原受益人群；确需改变的，应重新申报。")),
    "goals": (_("项目目标由“%(before)s”改为“%(after)s”，违反“项目目标不变”。"), _("恢复原项目目标；确需改变的，应重新申报。")),
    "services": (_("核心服务由“%(before)s”改为“%(after)s”，违反“核心服务内容不变”。"), _("恢复原核心服务；可以调整方法和进度。")),
    "kpi_raised": (_("指标“%(name)s”由 %(before)d 提高到 %(after)d，而资助没有增加。"), _("维持 %(before)d。")),
    "kpi_floor": (
        _("指标“%(name)s”由 %(before)d 降到 %(after)d，超过按资助比例可降的幅度（最低 %(least)d）。"),
        _("不低于 %(least)d。"),
    ),
    "kpi_consent": (_("指标“%(name)s”由 %(before)d 降到 %(after)d，申报单位尚未书面同意。"), _("由申报单位确认新的指标后再签协议。")),
    "kpi_gone": (_("指标“%(name)s”在核减后被删除。"), _("保留该指标，或按资助比例调整其数值。")),
}


@dataclass(frozen=True)
class ReducedLine:
    """One grant line: asked and agreed in 元, and why it was cut (empty where nothing was)."""

    category: str
    name: str
    asked: Decimal
    agreed: Decimal
    reason: str = ""


@dataclass(frozen=True)
class Core:
    """What must not change: the groups served, the goals, the core services, each a list of texts in any order."""

    people: tuple[str, ...]
    goals: tuple[str, ...]
    services: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """One KPI: what was asked for and what is to be agreed."""

    code: str
    name: str
    before: int
    after: int | None


@dataclass(frozen=True)
class ReductionProblem:
    """One thing wrong: row from 0 or None, stable rule, sentence, way out."""

    row: int | None
    rule: str
    sentence: str
    way_out: str


@dataclass(frozen=True)
class Reduction:
    """Sums in 元 and everything that is wrong."""

    asked: Decimal
    agreed: Decimal
    problems: tuple[ReductionProblem, ...]

    @property
    def cut(self) -> Decimal:
        """核减额, 元."""
        return self.asked - self.agreed


def check(
    lines: Sequence[ReducedLine],
    *,
    award: Decimal,
    before: Core,
    after: Core,
    targets: Sequence[Target] = (),
    consented: bool = False,
) -> Reduction:
    """Check an agreed budget of an award of `award` 元. consented: the grantee agreed in writing to the new targets."""
    readable = [line for line in lines if not _unreadable(line)]
    asked, agreed = total([line.asked for line in readable]), total([line.agreed for line in readable])
    problems = [p for row, line in enumerate(lines) for p in _line(row, line)]
    problems += [*_totals(asked, agreed, award), *_unchanged(before, after)]
    problems += [p for t in targets for p in _target(t, asked, award, consented=consented)]
    return Reduction(asked, agreed, tuple(problems))


def pro_rata(target: int, asked: Decimal, agreed: Decimal) -> int:
    """The least a target may fall to when money falls from `asked` to `agreed` 元: in proportion, rounded up. Never negative.

    Raises ValueError when nothing was asked.
    """
    if asked <= 0:
        raise ValueError("a share of nothing")
    return ceil(Fraction(target) * Fraction(min(agreed, asked)) / Fraction(asked))


def spread(lines: Sequence[ReducedLine], award: Decimal, *, reason: str) -> list[ReducedLine]:
    """A first suggestion: every line cut in proportion, adding up to `award` exactly; no line rises. A person edits it.

    Raises ValueError when `award` is negative or more than was asked.
    """
    asked = total([line.asked for line in lines])
    if not ZERO <= award <= asked:
        raise ValueError(f"cannot spread {award} over {asked}")
    shares = apportion(award, [line.asked for line in lines]) if asked else (ZERO,) * len(lines)
    pairs = zip(lines, shares, strict=True)
    return [replace(line, agreed=share, reason=reason if share < line.asked else "") for line, share in pairs]


def _problem(rule: str, row: int | None = None, /, **figures: object) -> ReductionProblem:
    sentence, way_out = SENTENCES[rule]
    figures["row"] = 0 if row is None else row + 1
    return ReductionProblem(row, rule, sentence % figures, way_out % figures)


def _unreadable(line: ReducedLine) -> str:
    """Why the line's amounts are not money; empty when they are."""
    try:
        exact(line.asked)
        exact(line.agreed)
    except NotMoney as error:
        return error.sentence
    return ""


def _line(row: int, line: ReducedLine) -> list[ReductionProblem]:
    if detail := _unreadable(line):
        return [_problem("not_money", row, name=line.name, detail=detail)]
    figures = {"name": line.name, "asked": yuan(line.asked), "agreed": yuan(line.agreed)}
    if line.agreed < 0:
        return [_problem("negative", row, **figures)]
    if line.agreed > line.asked:
        return [_problem("raised", row, **figures)]
    if line.agreed < line.asked and not line.reason.strip():
        return [_problem("no_reason", row, **figures)]
    return []


def _totals(asked: Decimal, agreed: Decimal, award: Decimal) -> list[ReductionProblem]:
    problems: list[ReductionProblem] = []
    if agreed <= 0:
        problems.append(_problem("nothing"))
    if agreed != award:
        problems.append(_problem("total", sum=yuan(agreed), award=yuan(award), gap=yuan(abs(agreed - award))))
    if award > asked:
        problems.append(_problem("over_asked", award=yuan(award), asked=yuan(asked)))
    return problems


def _unchanged(before: Core, after: Core) -> list[ReductionProblem]:
    parts = (
        ("people", before.people, after.people),
        ("goals", before.goals, after.goals),
        ("services", before.services, after.services),
    )
    return [
        _problem(rule, before="、".join(old), after="、".join(new) or "（空）")
        for rule, old, new in parts
        if _folded(old) != _folded(new)
    ]


def _folded(texts: Sequence[str]) -> list[str]:
    """Texts for comparison: width, case and white space do not count, order does not, every word does."""
    return sorted("".join(unicodedata.normalize("NFKC", t).casefold().split()) for t in texts if t.strip())


def _target(target: Target, asked: Decimal, award: Decimal, *, consented: bool) -> list[ReductionProblem]:
    if target.after is None:
        return [_problem("kpi_gone", name=target.name)]
    figures: dict[str, object] = {"name": target.name, "before": target.before, "after": target.after}
    if target.after > target.before:
        return [_problem("kpi_raised", **figures)]
    if target.after == target.before:
        return []
    if asked > 0 and target.after < (least := pro_rata(target.before, asked, award)):
        return [_problem("kpi_floor", **figures, least=least)]
    return [] if consented else [_problem("kpi_consent", **figures)]
