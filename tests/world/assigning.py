"""Assignments without a process of their own (tests by the hundred), and seeded instances of any size."""

from __future__ import annotations

import random
from heapq import nsmallest
from typing import Any

from review.assign import BidNeed, Options, Problem, Reviewer
from review.assign.instance import Instance
from review.assign.limited import read
from review.assign.worker import solve


def at_once(asked: Instance) -> tuple[dict[str, Any], dict[str, Any]]:
    """The worker's work in this process, through the same bytes."""
    return read(solve(asked.packed()))


def seeded(
    bids: int, experts: int, reviews: int, *, top: int, load: int, organisations: int = 0, seed: int = 1, skew: float = 0.7, **options: Any
) -> Problem:
    """14 fields in uneven demand, experts who do not match it, six per cent who want a bid, three who rather not, two per cent conflicts.

    top: each bid's best pairs; an expert's three best are added, so that nobody is left out. load: the most of one expert.
    skew: the n-th field is asked for 1/n^skew as often as the first.
    """
    chance = random.Random(seed)
    wanted = [1 / (n + 1) ** skew for n in range(14)]
    held = [chance.sample(range(14), k=chance.choice((1, 2, 2, 3))) for _ in range(experts)]
    asked = [(chance.choices(range(14), wanted)[0], chance.randrange(14)) for _ in range(bids)]
    small = bids * experts < 4_000_000
    rows: list[list[int]] = []
    pairs: dict[tuple[int, int], int] = {}
    for b, fields in enumerate(asked):
        row = _row(chance, fields, held)
        for e in nsmallest(top, range(experts), key=lambda e: (-row[e], e)):
            pairs[b, e] = row[e]
        if small:  # a hundred million pairs do not fit
            rows.append(row)
    barred = {p for p in pairs if chance.random() < 0.02}
    best: list[list[int]] = [sorted(range(bids), key=lambda b: -rows[b][e])[:3] for e in range(experts)] if small else []
    pairs.update({(b, e): rows[b][e] for e, mine in enumerate(best) for b in mine})
    return _problem(bids, experts, reviews, load, organisations, pairs, barred, chance, options)


def _row(chance: random.Random, fields: tuple[int, int], held: list[list[int]]) -> list[int]:
    """A bid's affinity with every expert: 0.70 field, 0.20 skill, 0.10 wish, in thousandths."""
    row = []
    for mine in held:
        field = 700 if fields[0] in mine else 420 if fields[1] in mine else 60
        luck = chance.random()
        wish = 100 if luck < 0.06 else 0 if luck < 0.09 else 50
        row.append(max(1, min(1000, field + int(200 * chance.random()) + wish)))
    return row


def _problem(
    bids: int, experts: int, reviews: int, load: int, organisations: int, pairs: dict[tuple[int, int], int],
    barred: set[tuple[int, int]], chance: random.Random, options: dict[str, Any],
) -> Problem:  # fmt: skip
    b, e = [f"B{n:05d}" for n in range(bids)], [f"E{n:04d}" for n in range(experts)]
    people = tuple(
        Reviewer(code, max_load=load, organisation=f"O{chance.randrange(organisations)}" if organisations else "") for code in e
    )
    affinity = {(b[i], e[j]): a for (i, j), a in pairs.items()}
    forbidden = frozenset((b[i], e[j]) for i, j in barred)
    return Problem(tuple(BidNeed(c, reviews) for c in b), people, b"bench", forbidden, frozenset(), affinity, Options(**options))
