"""The public draw behind a shortlist: of 2λ experts per bid λ are drawn, every pair with probability exactly ½, loads kept. Pure.

All pairs of the shortlist are edges worth one half. At every bid edges are joined two by two (within a required seat, so that each
seat keeps its number; weak ones with each other first), at every expert two by two with one left over where the number is odd. So the
edges fall into rings and into paths whose both ends are experts with an odd number: taking every other edge gives each bid exactly
half, each expert half, up or down. One coin for each ring or path decides which half; which edges are joined is drawn, too.

Numbers come from `review.draw.Counting` with the seed SHA-256("GY-ASSIGN-DRAW-1\\0" ‖ the seed of the assignment).
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final

from review.draw import Counting

DOMAIN: Final = b"GY-ASSIGN-DRAW-1\0"

Edge = tuple[int, int]
"""(bid, expert)."""


def drawn(shortlist: Sequence[Edge], seat: Mapping[Edge, Hashable], seed: bytes) -> list[Edge]:
    """The half that the draw takes, sorted. seat: edges of a bid that must be halved among themselves (required seats, weak pairs).

    shortlist: sorted; every bid stands in it an even number of times. The same seed gives the same half, whatever the machine.
    """
    source = Counting(hashlib.sha256(DOMAIN + seed).digest())
    at_bid = _joined(_by_bid(shortlist, seat), source)
    at_expert = _joined(_by_expert(shortlist), source)
    taken: set[Edge] = set()
    seen: set[Edge] = set()
    for start in [e for e in shortlist if e not in at_expert] + list(shortlist):
        if start not in seen:
            line = _line(start, at_bid, at_expert)
            seen.update(line)
            taken.update(line[source.below(2) :: 2])
    return sorted(taken)


Part = list[list[Edge]]
"""Edges to be joined two by two, list by list; what is left over of one list is joined with the next."""


def _by_bid(shortlist: Sequence[Edge], seat: Mapping[Edge, Hashable]) -> list[Part]:
    """Each required seat has an even number and stands alone; weak and strong pairs of the open seat follow one another."""
    bids: dict[int, dict[Hashable, list[Edge]]] = {}
    for edge in shortlist:
        bids.setdefault(edge[0], {}).setdefault(seat.get(edge, ""), []).append(edge)
    parts: list[Part] = []
    for seats in bids.values():
        odd = [edges for edges in seats.values() if len(edges) % 2]
        parts += [[edges] for edges in seats.values() if not len(edges) % 2] + ([odd] if odd else [])
    return parts


def _by_expert(shortlist: Sequence[Edge]) -> list[Part]:
    experts: dict[int, list[Edge]] = {}
    for edge in shortlist:
        experts.setdefault(edge[1], []).append(edge)
    return [[edges] for edges in experts.values()]


def _joined(parts: list[Part], source: Counting) -> dict[Edge, Edge]:
    """Each edge's partner: the edges of a list in drawn order, two by two; one of the part may be left over."""
    partner: dict[Edge, Edge] = {}
    for part in parts:
        order = [edge for edges in part for edge in _shuffled(edges, source)]
        for one, other in zip(order[0::2], order[1::2], strict=False):
            partner[one], partner[other] = other, one
    return partner


def _shuffled(edges: list[Edge], source: Counting) -> list[Edge]:
    order = list(edges)
    for last in range(len(order) - 1, 0, -1):
        lot = source.below(last + 1)
        order[last], order[lot] = order[lot], order[last]
    return order


def _line(start: Edge, at_bid: Mapping[Edge, Edge], at_expert: Mapping[Edge, Edge]) -> list[Edge]:
    """The path or ring through `start`, begun at its bid's side; a path is begun at one of its two ends."""
    line, here = [start], at_bid[start]
    while here != start:
        line.append(here)
        across = at_expert if len(line) % 2 == 0 else at_bid
        if here not in across:
            break
        here = across[here]
    return line


def halved(asked: Any, used: Any, shape: Any) -> list[int]:
    """Indices of the pairs the draw takes from a shortlist. asked, used, shape: as in `review.assign.stages`; sorted."""
    edges = [(int(asked.pair_b[at]), int(asked.pair_r[at])) for at in used]
    index = dict(zip(edges, (int(at) for at in used), strict=True))
    weak = {e for e, at in index.items() if shape.tau is not None and asked.pair_a[at] < shape.tau}
    seats = {e: "weak" if e in weak else "" for e in edges} | _required(asked, edges, weak, shape.times)
    return [index[edge] for edge in drawn(edges, seats, asked.seed)]


def _required(asked: Any, edges: list[Edge], weak: set[Edge], times: int) -> dict[Edge, str]:
    """Who sits in a required seat: weak pairs first, by augmenting paths, until every seat is full."""
    seats: dict[int, list[int]] = {}
    for bid, role, count in zip(asked.seat_bid.tolist(), asked.seat_role.tolist(), asked.seat_count.tolist(), strict=True):
        seats.setdefault(bid, []).extend([role] * (count * times) if role >= 0 else [])
    mine: dict[int, list[Edge]] = {}
    for edge in sorted(edges, key=lambda e: (e not in weak, e)):
        mine.setdefault(edge[0], []).append(edge)
    return {e: f"role {role}" for bid, wanted in seats.items() if wanted for e, role in _matched(asked, wanted, mine[bid]).items()}


def _matched(asked: Any, wanted: list[int], edges: list[Edge]) -> dict[Edge, int]:
    taken: dict[int, Edge] = {}

    def seat(edge: Edge, seen: set[int]) -> bool:
        for at, role in enumerate(wanted):
            if at not in seen and asked.holds[edge[1], role]:
                seen.add(at)
                if at not in taken or seat(taken[at], seen):
                    taken[at] = edge
                    return True
        return False

    for edge in edges:
        seat(edge, set())
    return {edge: wanted[at] for at, edge in taken.items()}
