"""The question and its answer, as values: who needs how many reviews, who may give them, what suits whom. Pure, standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from review.assign.words import FAILURES, SENTENCES

ANY: Final = ""
"""The seat that every expert may take."""

MOST_AFFINITY: Final = 1000

Pair = tuple[str, str]
"""(bid code, expert code)."""


class Floor(StrEnum):
    """How many of a bid's open seats must reach the highest threshold that all bids can reach at once."""

    MAJORITY = "majority"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True)
class BidNeed:
    """A bid and how many reviews it needs; `roles`: of them so many seats for experts of a role (one expert fills one seat)."""

    code: str
    reviews: int
    roles: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Reviewer:
    """An expert.

    roles: those they hold (finance, field…). max_load: the most reviews they take (None: no limit), min_load: the fewest they are
    to get. organisation: two experts of one organisation never review the same bid ("" none). reserve: 0 for who sits; alternates
    are 1, 2, 3 … in drawn order.
    """

    code: str
    roles: frozenset[str] = frozenset()
    max_load: int | None = None
    min_load: int = 0
    organisation: str = ""
    reserve: int = 0


@dataclass(frozen=True)
class Options:
    """What the rules of the call chose.

    even: loads as equal as possible before anything else. fair: so much of the total affinity may be lost for the worst bid
    (0.005 is half a per cent; 0 off). randomised: shortlist so many times the reviews, then a public draw (1 off, 2 halves).
    """

    floor: Floor = Floor.MAJORITY
    even: bool = False
    fair: float = 0.0
    randomised: int = 1


@dataclass(frozen=True)
class Problem:
    """Everything the answer depends on.

    affinity: 1 … 1000 per pair; a pair that is not there is *unknown* and never assigned, 1 is *bad* but allowed, `forbidden` is a
    conflict. None: every pair suits equally well, the published hash alone decides. kept: pairs that may not move (repair).
    """

    bids: tuple[BidNeed, ...]
    experts: tuple[Reviewer, ...]
    seed: bytes
    forbidden: frozenset[Pair] = frozenset()
    kept: frozenset[Pair] = frozenset()
    affinity: Mapping[Pair, int] | None = None
    options: Options = Options()


@dataclass(frozen=True)
class Assignment:
    """Pairs in order of bid and expert, and each expert's load (zero included).

    total: sum of affinities. worst_bid: the smallest sum of a bid. weakest_pair: the smallest affinity of a pair (None without
    pairs). tau: the floor all bids reach. called_up: alternates who were needed, in drawn order. shortlist: with a public draw,
    the pairs it drew from. certificate: what `review.assign.check` needs to prove that nothing better exists.
    """

    pairs: tuple[Pair, ...]
    loads: Mapping[str, int]
    total: int = 0
    worst_bid: int | None = None
    weakest_pair: int | None = None
    tau: int | None = None
    called_up: tuple[str, ...] = ()
    shortlist: tuple[Pair, ...] = ()
    certificate: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    def experts_of(self, bid: str) -> tuple[str, ...]:
        """The experts who review this bid."""
        return tuple(e for b, e in self.pairs if b == bid)

    def added(self, problem: Problem) -> tuple[Pair, ...]:
        """The pairs that were not kept but are new."""
        return tuple(p for p in self.pairs if p not in problem.kept)


class Infeasible(ValueError):
    """No assignment exists. bids need more reviews than experts can give: `needed` against `possible` (Hall's condition)."""

    def __init__(self, rule: str, *, bids: Iterable[str] = (), experts: Iterable[str] = (), **figures: object) -> None:
        self.rule = rule
        self.bids = tuple(bids)
        self.experts = tuple(experts)
        self.figures = {"role": "", "same": False, "twice": False, **figures}
        self.sentence, self.english = (self._said(rule, language) for language in (0, 1))
        self.way_out, self.english_way_out = SENTENCES["way_out"]
        super().__init__(self.sentence)

    def _said(self, rule: str, language: int) -> str:
        mark = ("、", ", ")[language]
        same = ("且同一单位的专家在一份申报中只计一位", ", one expert per organisation and bid")[language]
        named = {"bids": mark.join(self.bids), "experts": mark.join(self.experts)}
        said = {**self.figures, **named, "same": same if self.figures["same"] else ""}
        twice = ("公开抽取须有两倍的短名单，以上份数和上限按两倍计。", "A draw needs a shortlist of double length: reviews and loads are counted twice.")
        tail = (" " * language + twice[language]) if self.figures["twice"] else ""
        return " ".join((SENTENCES[rule][language] % said + tail).split()) if language else SENTENCES[rule][language] % said + tail


class NotSolved(RuntimeError):
    """The solver's process gave no answer that could be checked; nothing may be assigned on it.

    rule: time (killed or too late), memory, broken (ended without an answer), refused (a solve that was not optimal), proof (the
    answer did not pass its own certificate).
    """

    def __init__(self, rule: str, detail: str = "") -> None:
        self.rule = rule
        self.detail = detail
        self.sentence, self.english = (said % {"detail": detail} for said in FAILURES[rule])
        super().__init__(f"{self.english} {detail}".strip())


def well_formed(problem: Problem) -> None:
    """Raises ValueError for codes given twice, pairs that name strangers, affinities outside 1 … 1000."""
    bids, experts = [b.code for b in problem.bids], [e.code for e in problem.experts]
    if len(set(bids)) != len(bids) or len(set(experts)) != len(experts):
        raise ValueError("a code stands twice")
    known = (set(bids), set(experts))
    for name, pairs in (("kept", problem.kept), ("affinity", problem.affinity or ())):
        if stray := [p for p in pairs if p[0] not in known[0] or p[1] not in known[1]]:
            raise ValueError(f"{name} pairs name strangers: {sorted(stray)[:5]}")
    if wrong := [p for p, a in (problem.affinity or {}).items() if not 1 <= a <= MOST_AFFINITY]:
        raise ValueError(f"affinity outside 1 … {MOST_AFFINITY}: {sorted(wrong)[:5]}")


def kept_is_lawful(problem: Problem) -> None:
    """Raises Infeasible for a kept pair that is in conflict, over a load or over a bid's seats."""
    held: dict[str, list[str]] = {}
    loads: dict[str, int] = {}
    for bid, expert in sorted(problem.kept):
        if (bid, expert) in problem.forbidden:
            raise Infeasible("kept_forbidden", bids=(bid,), experts=(expert,), bid=bid, expert=expert)
        held.setdefault(bid, []).append(expert)
        loads[expert] = loads.get(expert, 0) + 1
    for one in problem.experts:
        if one.max_load is not None and (load := loads.get(one.code, 0)) > one.max_load:
            raise Infeasible("kept_overload", experts=(one.code,), expert=one.code, load=load, limit=one.max_load)
    roles = {e.code: e.roles for e in problem.experts}
    for need in problem.bids:
        mine = [roles[e] for e in held.get(need.code, ())]
        left = sum(open_roles(need, mine).values())
        if left + len(mine) > need.reviews:
            role = "、".join(sorted(need.roles)) or "任意"
            raise Infeasible("kept_too_many", bids=(need.code,), bid=need.code, role=role, reviews=need.reviews, kept=len(mine))


def open_roles(need: BidNeed, kept: list[frozenset[str]]) -> dict[str, int]:
    """Required seats that kept experts do not fill: as few as can be, by augmenting paths. kept: the roles each of them holds."""
    seats = [role for role, n in sorted(need.roles.items()) for _ in range(n)]
    taken: dict[int, int] = {}

    def seat(expert: int, seen: set[int]) -> bool:
        for at, role in enumerate(seats):
            if role in kept[expert] and at not in seen:
                seen.add(at)
                if at not in taken or seat(taken[at], seen):
                    taken[at] = expert
                    return True
        return False

    for expert in range(len(kept)):
        seat(expert, set())
    return {role: n for role in sorted(need.roles) if (n := sum(1 for at, r in enumerate(seats) if r == role and at not in taken))}


def gap_of(problem: Problem) -> Problem:
    """What is left when kept pairs are taken out: a question of its own, whose shortlist and draw are about the gap alone."""
    roles, employer = {e.code: e.roles for e in problem.experts}, {e.code: e.organisation for e in problem.experts}
    held: dict[str, list[str]] = {}
    for bid, expert in sorted(problem.kept):
        held.setdefault(bid, []).append(expert)
    needs = tuple(
        BidNeed(b.code, b.reviews - len(mine), open_roles(b, [roles[e] for e in mine]))
        for b in problem.bids for mine in [held.get(b.code, [])]
    )  # fmt: skip
    loads = {e.code: sum(1 for _b, other in problem.kept if other == e.code) for e in problem.experts}
    people = tuple(replace(e, min_load=max(e.min_load - loads[e.code], 0), max_load=_less(e.max_load, loads[e.code])) for e in problem.experts)
    busy = {(b, employer[e]) for b, e in problem.kept if employer[e]}
    barred = {(b.code, e.code) for b in problem.bids for e in problem.experts if (b.code, e.organisation) in busy}
    return replace(problem, bids=needs, experts=people, kept=frozenset(), forbidden=problem.forbidden | problem.kept | barred)


def _less(limit: int | None, load: int) -> int | None:
    return None if limit is None else limit - load
