"""排序: published scores in order, ties broken by the rule of the call, every step in a sentence. Pure.

Only the rounded, published score is ranked: whoever reads 86.50 twice may not find one before the other without a reason. The tie
rule is a list of steps (87号令 §57 by analogy: criterion, lower ask, lot); where it ends undecided, the bids share a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Final

from grants.money import yuan
from grants.sentences import marked as _
from review.draw import shuffled

SENTENCES: Final[Mapping[str, str]] = {
    "score": _("综合得分 %(score)s，列第 %(place)d 名。"),
    "criterion": _("综合得分 %(score)s 与“%(others)s”相同，“%(name)s”得分 %(value)s，列第 %(place)d 名。"),
    "lower_ask": _("综合得分 %(score)s 与“%(others)s”相同，申请金额 %(value)s，按申请金额低者优先，列第 %(place)d 名。"),
    "chair": _("综合得分 %(score)s 与“%(others)s”相同，评审组长投票 %(value)s，列第 %(place)d 名。"),
    "lot": _("综合得分 %(score)s 与“%(others)s”相同，经公开抽签（第 %(value)s 签），列第 %(place)d 名。"),
    "lot_waits": _("综合得分 %(score)s 与“%(others)s”相同，按同分规则由公开抽签决定，抽签之前并列第 %(place)d 名。"),
    "shared": _("综合得分 %(score)s 与“%(others)s”相同，同分规则未能区分，并列第 %(place)d 名。"),
    "unscored": _("没有有效的综合得分，不参加排序。"),
    "below": _("低于及格线 %(line)s 分，不予立项。"),
}


class TieBy(StrEnum):
    """What a step of the tie rule looks at."""

    CRITERION = "criterion"
    LOWER_ASK = "lower_ask"
    CHAIR = "chair"
    LOT = "lot"


@dataclass(frozen=True)
class TieStep:
    """One step; `criterion` and its `name` only where a criterion decides."""

    by: TieBy
    criterion: str = ""
    name: str = ""


@dataclass(frozen=True)
class Scored:
    """A bid with its published score (None: no result), criterion means, ask in 元, and the chair's votes where taken."""

    bid: str
    score: Decimal | None
    ask: Decimal
    criteria: Mapping[str, Decimal] = field(default_factory=dict)
    chair_votes: int | None = None


@dataclass(frozen=True)
class Ranked:
    """A bid's place (None: not ranked), whether it reaches the pass line, which step decided, and why in one sentence."""

    bid: str
    place: int | None
    score: Decimal | None
    passed: bool
    decided_by: str
    sentence: str


@dataclass(frozen=True)
class Lot:
    """How a lot falls among equals: from a seed, or in the order of a public draw over them (`review.transcript`, kind tie).

    Without a seed, equals that the drawn order does not name wait for their draw and share a place until then.
    """

    seed: bytes | None = None
    drawn: tuple[str, ...] = ()

    def waits_for(self, bids: Iterable[str]) -> bool:
        return self.seed is None and not set(bids) <= set(self.drawn)

    def order(self, bids: Iterable[str]) -> tuple[str, ...]:
        """These bids in the order of their lots."""
        if self.seed is not None:
            return shuffled(bids, self.seed)
        among = set(bids)
        return tuple(code for code in self.drawn if code in among)


class RankingRefused(ValueError):
    """The ranking cannot be made: `rule` lot_without_seed, criterion_missing, chair_missing or twice."""

    def __init__(self, rule: str, sentence: str) -> None:
        self.rule = rule
        self.sentence = sentence
        super().__init__(sentence)


def rank(
    bids: Sequence[Scored], ties: Sequence[TieStep], *, pass_line: Decimal = Decimal(0), lot: Lot | None = None
) -> list[Ranked]:
    """All bids in order of place, then code; bids without a score at the end, unranked.

    lot: where a lot decides; the same bids in another order give the same list. Raises RankingRefused where a needed value or the lot is missing.
    """
    if len({b.bid for b in bids}) != len(bids):
        raise RankingRefused("twice", "同一申报在排序中出现两次。")
    scored = sorted((b for b in bids if b.score is not None), key=lambda b: (-_score(b), b.bid))
    result: list[Ranked] = []
    for _total, same in groupby(scored, key=_score):
        result += _group(list(same), len(result) + 1, ties, pass_line, lot)
    unscored = sorted((b for b in bids if b.score is None), key=lambda b: b.bid)
    return result + [Ranked(b.bid, None, None, passed=False, decided_by="", sentence=SENTENCES["unscored"]) for b in unscored]


def _score(bid: Scored) -> Decimal:
    assert bid.score is not None
    return bid.score


def _group(same: list[Scored], place: int, ties: Sequence[TieStep], line: Decimal, lot: Lot | None) -> list[Ranked]:
    """Bids of one score. Each step splits what the steps before left together; what no step splits shares a place."""
    parts: list[list[Scored]] = [same]
    decided = dict.fromkeys((b.bid for b in same), "score" if len(same) == 1 else "shared")
    values: dict[str, tuple[TieStep, object]] = {}
    for step in ties:
        parts = [piece for part in parts for piece in _split(part, step, lot, decided, values)]
    result: list[Ranked] = []
    for part in parts:
        at = place + len(result)
        result += [_line(b, at, same, decided[b.bid], values, line) for b in sorted(part, key=lambda b: b.bid)]
    return result


def _split(
    part: list[Scored], step: TieStep, lot: Lot | None, decided: dict[str, str], values: dict[str, tuple[TieStep, object]]
) -> list[list[Scored]]:
    if len(part) == 1:
        return [part]
    if step.by is TieBy.LOT and lot is not None and lot.waits_for(b.bid for b in part):
        decided.update((b.bid, "lot_waits") for b in part)
        return [part]
    keys = _keys(part, step, lot)
    pieces = [list(g) for _, g in groupby(sorted(part, key=lambda b: (keys[b.bid][0], b.bid)), key=lambda b: keys[b.bid][0])]
    if len(pieces) > 1:
        for bid in part:
            decided[bid.bid] = step.by.value
            values[bid.bid] = (step, keys[bid.bid][1])
    for piece in pieces:
        if len(piece) > 1:
            decided.update((b.bid, "shared") for b in piece)
    return pieces


def _keys(part: list[Scored], step: TieStep, lot: Lot | None) -> dict[str, tuple[Decimal, object]]:
    """Bid → (what it is sorted by, smaller first; what the sentence shows)."""
    if step.by is TieBy.CRITERION:
        return {b.bid: (-(value := _criterion(b, step)), value) for b in part}
    if step.by is TieBy.LOWER_ASK:
        return {b.bid: (b.ask, yuan(b.ask)) for b in part}
    if step.by is TieBy.CHAIR:
        return {b.bid: (Decimal(-(votes := _votes(b))), votes) for b in part}
    if lot is None:
        raise RankingRefused("lot_without_seed", "同分需要抽签，但没有提供公开的抽签种子。")
    lots = {bid: n for n, bid in enumerate(lot.order(b.bid for b in part), start=1)}
    return {b.bid: (Decimal(lots[b.bid]), lots[b.bid]) for b in part}


def _criterion(bid: Scored, step: TieStep) -> Decimal:
    if step.criterion not in bid.criteria:
        name = step.name or step.criterion
        raise RankingRefused("criterion_missing", f"申报“{bid.bid}”没有“{name}”的得分，无法按同分规则比较。")
    return bid.criteria[step.criterion]


def _votes(bid: Scored) -> int:
    if bid.chair_votes is None:
        raise RankingRefused("chair_missing", f"申报“{bid.bid}”同分，按规则由评审组长投票决定，请先录入投票。")
    return bid.chair_votes


def _line(
    bid: Scored, place: int, same: list[Scored], rule: str, values: Mapping[str, tuple[TieStep, object]], line: Decimal
) -> Ranked:
    step, value = values.get(bid.bid, (None, ""))
    others = "、".join(b.bid for b in sorted(same, key=lambda b: b.bid) if b.bid != bid.bid)
    name = (step.name or step.criterion) if step else ""
    figures = {"score": bid.score, "place": place, "others": others, "name": name, "value": value}
    passed = _score(bid) >= line
    tail = "" if passed else SENTENCES["below"] % {"line": line}
    return Ranked(bid.bid, place, bid.score, passed, rule, SENTENCES[rule] % figures + tail)
