"""Which awards hang on one expert, one weight or the choice of mean. Pure, exact: the official arithmetic, one thing changed.

An expert left out: the same number of ballots is dropped as before while one remains; only the expert changes, not the method.
A weight up or down by a tenth: the other weights give way in proportion. Equal scores keep the official order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from review.calibration.findings import Robust, Words
from review.scoring import HUNDRED, Criterion, Part, Trim, mixed_score, panel_score, rounded

Fund = Callable[[Sequence[tuple[str, Decimal]]], frozenset[str]]
"""Bids with their scores, best first → those that are funded."""

RULES: Final[Mapping[str, Words]] = {
    "mean": Words("全部评分的平均分", "the plain mean"), "median": Words("中位数", "the median"),
    "trimmed": Words("去极值平均分", "the trimmed mean"), "calibrated": Words("校准分", "the calibrated score"),
}  # fmt: skip


@dataclass(frozen=True)
class Ballot:
    """One sealed ballot: bid, expert code, total 0…100 as published; marks: criterion → points. stage: where there are several."""

    bid: str
    expert: str
    total: Decimal
    marks: Mapping[str, Decimal]
    stage: str = ""


@dataclass(frozen=True)
class Terms:
    """What the rules of the call say about the official score. stages: code → weight; others: bid → points beside the experts'."""

    trim: Trim
    decimals: int = 2
    stages: Mapping[str, Decimal] | None = None
    experts_weight: Decimal = HUNDRED
    others: Mapping[str, Decimal] | None = None

    def weights(self) -> Mapping[str, Decimal]:
        return self.stages or {"": HUNDRED}

    def total(self, bid: str, stages: Mapping[str, Decimal]) -> Decimal:
        """The final score of a bid from the panel's score of each stage."""
        parts = [Part(code, code, weight, stages.get(code)) for code, weight in self.weights().items()]
        experts = mixed_score(parts, decimals=self.decimals)
        beside = (self.others or {}).get(bid, Decimal(0))
        return rounded(Fraction(self.experts_weight) * Fraction(experts) / 100 + Fraction(beside), self.decimals)


Totals = Mapping[str, Mapping[str, Mapping[str, Decimal]]]
"""Bid → stage → expert → total."""


def totals_of(ballots: Iterable[Ballot]) -> dict[str, dict[str, dict[str, Decimal]]]:
    """The ballots' totals by bid, stage and expert."""
    found: dict[str, dict[str, dict[str, Decimal]]] = {}
    for ballot in ballots:
        found.setdefault(ballot.bid, {}).setdefault(ballot.stage, {})[ballot.expert] = ballot.total
    return found


Statistic = Callable[[Mapping[str, Decimal]], Decimal]


def score_with(totals: Totals, terms: Terms, statistic: Statistic) -> dict[str, Decimal]:
    """Bid → final score with another statistic of each stage's totals; bids that lack a stage are left out."""
    stages = terms.weights()
    return {
        bid: terms.total(bid, {stage: statistic(by_stage[stage]) for stage in stages})
        for bid, by_stage in totals.items()
        if all(by_stage.get(stage) for stage in stages)
    }


def trimmed(trim: Trim, decimals: int) -> Statistic:
    """The official statistic."""
    return lambda totals: panel_score(totals, _still(trim, len(totals)), decimals=decimals).value


def _still(trim: Trim, n: int) -> Trim:
    """The trim for n ballots; where it would leave nothing, none."""
    return Trim() if sum(trim.at(n)) >= n else trim


def median(decimals: int) -> Statistic:
    """The middle total, or half way between the two middle ones."""

    def of(totals: Mapping[str, Decimal]) -> Decimal:
        ordered = sorted(totals.values())
        n = len(ordered)
        return rounded(Fraction(ordered[(n - 1) // 2] + ordered[n // 2]) / 2, decimals)

    return of


def order_of(scores: Mapping[str, Decimal], official: Mapping[str, int]) -> list[tuple[str, Decimal]]:
    """Best first; equal scores as in the official order."""
    return sorted(scores.items(), key=lambda row: (-row[1], official.get(row[0], len(official) + 1), row[0]))


@dataclass(frozen=True)
class Bench:
    """The official outcome, and what tries variants against it. off: (stage, expert) → points taken off where calibrated is official."""

    ballots: Sequence[Ballot]
    terms: Terms
    criteria: Sequence[Criterion]
    scores: Mapping[str, Decimal]
    ranks: Mapping[str, int]
    fund: Fund
    funded: frozenset[str]
    off: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)

    def less(self, ballots: Iterable[Ballot]) -> list[Ballot]:
        """The ballots with the totals that count."""
        return [
            replace(b, total=min(max(b.total - self.off.get((b.stage, b.expert), Decimal(0)), Decimal(0)), HUNDRED))
            for b in ballots
        ]

    def against(self, kind: str, what: str, step: int, scores: Mapping[str, Decimal], words: Words) -> Robust:
        """What changes when these scores stand in place of the official ones."""
        other = self.fund(order_of(scores, self.ranks))
        came, went = tuple(sorted(other - self.funded)), tuple(sorted(self.funded - other))
        return Robust(kind, what, step, came, went, _sentence(words, len(came) + len(went), came, went))

    def experts(self) -> Iterator[Robust]:
        """Each expert left out in turn; the strictness of the others stays as it was."""
        totals = totals_of(self.less(self.ballots))
        touched: dict[str, set[str]] = {}
        for ballot in self.ballots:
            touched.setdefault(ballot.expert, set()).add(ballot.bid)
        for expert, bids in sorted(touched.items()):
            less = {bid: _without(bid, totals[bid], expert, self.terms) for bid in sorted(bids)}
            scores = {**self.scores, **{b: s for b, s in less.items() if s is not None}}
            kept = {b: s for b, s in scores.items() if less.get(b, s) is not None}
            words = Words(f"如果不计专家 {expert} 的评分", f"If expert {expert} is left out")
            yield self.against("expert", expert, 0, kept, words)

    def _whole(self, own: Sequence[Criterion]) -> bool:
        """Whether these are a score sheet: the only one there is, or one of several, whose weights are 100 in all."""
        return len(own) == len(self.criteria) or sum(c.weight for c in own) == HUNDRED

    def rules(self, calibrated: Mapping[str, Decimal] | None) -> Iterator[Robust]:
        """Mean, median, trimmed and calibrated scores in place of the official ones."""
        totals, decimals = totals_of(self.ballots), self.terms.decimals
        tried: dict[str, Mapping[str, Decimal]] = {
            "mean": score_with(totals, self.terms, trimmed(Trim(), decimals)),
            "median": score_with(totals, self.terms, median(decimals)),
            "trimmed": score_with(totals, self.terms, trimmed(self.terms.trim, decimals)),
        }
        if calibrated is not None:
            tried["calibrated"] = calibrated
        for code, scores in tried.items():
            name = RULES[code]
            yield self.against("rule", code, 0, scores, Words(f"如果按{name.zh}排序", f"If bids were ranked by {name.en}"))

    def weights(self, percent: int = 10) -> Iterator[Robust]:
        """Each criterion's weight up and down, for the ballots whose sheet has it; only where every ballot gives its whole sheet."""
        sheets = {frozenset(b.marks): [c for c in self.criteria if c.code in b.marks] for b in self.ballots}
        if any(len(own) < 2 or not self._whole(own) for own in sheets.values()):
            return
        for criterion in self.criteria:
            for step in (percent, -percent):
                moved = [
                    replace(b, total=_reweighted(b.marks, sheets[frozenset(b.marks)], criterion, step, self.terms.decimals))
                    if criterion.code in b.marks else b
                    for b in self.ballots
                ]  # fmt: skip
                scores = score_with(totals_of(self.less(moved)), self.terms, trimmed(self.terms.trim, self.terms.decimals))
                zh = f"如果“{criterion.name}”的权重{'增加' if step > 0 else '减少'}一成"
                en = f"If the weight of “{criterion.name}” were {abs(step)} % {'higher' if step > 0 else 'lower'}"
                yield self.against("weight", criterion.code, step, scores, Words(zh, en))


def _without(bid: str, by_stage: Mapping[str, Mapping[str, Decimal]], expert: str, terms: Terms) -> Decimal | None:
    """The bid's final score without one expert; None when a stage has no ballot left."""
    stages: dict[str, Decimal] = {}
    for stage in terms.weights():
        all_of = by_stage.get(stage, {})
        left = {code: total for code, total in all_of.items() if code != expert}
        if not left:
            return None
        stages[stage] = trimmed(Trim(*terms.trim.at(len(all_of)), from_ballots=1), terms.decimals)(left)
    return terms.total(bid, stages)


def _reweighted(
    marks: Mapping[str, Decimal], criteria: Sequence[Criterion], moved: Criterion, percent: int, decimals: int
) -> Decimal:
    """A ballot's total with one weight moved and the others making up for it, so that they still add up to 100."""
    weight = min(Fraction(moved.weight) * (100 + percent) / 100, Fraction(100))
    rest = Fraction(100) - Fraction(moved.weight)
    shrink = (100 - weight) / rest if rest else Fraction(0)
    new = {c.code: weight if c.code == moved.code else Fraction(c.weight) * shrink for c in criteria}
    return rounded(sum((Fraction(marks[c.code]) / Fraction(c.top) * new[c.code] for c in criteria), Fraction(0)), decimals)


def _sentence(words: Words, changes: int, came: tuple[str, ...], went: tuple[str, ...]) -> Words:
    if not changes:
        return Words(f"{words.zh}，立项结果不变。", f"{words.en}, no award changes.")
    zh = [f"{'、'.join(came)} 将可立项"] * bool(came) + [f"{'、'.join(went)} 将不能立项"] * bool(went)
    en = [f"{', '.join(came)} would be funded"] * bool(came) + [f"{', '.join(went)} would not"] * bool(went)
    return Words(
        f"{words.zh}，{changes} 项立项结果改变：{'；'.join(zh)}。", f"{words.en}, {changes} decisions change: {'; '.join(en)}."
    )
