"""The flow network of an instance: seats → (group of one organisation, or pair) → expert → block of experts. Pure, numpy.

Every review is one unit. A seat's units may go to whoever holds its role, the open seat's to everybody; under a floor the open seat
sends weak pairs (affinity below tau) through a gate that lets only *open seats − kappa* pass. Experts who belong together (alternates,
or experts of one level of load) end in one block whose total is fixed; without blocks all end in one. Lower bounds are supplies, so
that every flow that fits is lawful, and every lawful assignment is a flow — with one exception, which `Network.crossing` tells.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from review.assign.instance import Flags, Instance, Ints, Nodes
from review.assign.problem import Floor

STRONG, WEAK, FIRST_ROLE = 1, 2, 4
_MANY: Final = 1 << 30
_WIDE: Final = 3


@dataclass(frozen=True)
class Bounds:
    """What experts may and must take: lo ≤ load ≤ hi; block per expert and the fixed total of each block (empty: one block)."""

    lo: Ints
    hi: Ints
    block: Ints
    totals: Ints

    @classmethod
    def of(cls, asked: Instance, times: int = 1) -> Bounds:
        """The bounds of the instance, `times` as high for a shortlist; an expert takes at most one review of a bid."""
        degree = np.bincount(asked.pair_r, minlength=asked.experts)
        hi = np.maximum(np.minimum(asked.hi * times, degree), asked.lo * times)
        one = np.zeros(asked.experts, dtype=np.int64)
        return cls(asked.lo * times, hi, one, np.array([int(asked.need.sum()) * times], dtype=np.int64))


@dataclass
class _Arcs:
    """Arcs under construction."""

    tails: list[Nodes] = field(default_factory=list)
    heads: list[Nodes] = field(default_factory=list)
    caps: list[Nodes] = field(default_factory=list)
    costs: list[Ints] = field(default_factory=list)
    count: int = 0

    def add(self, tails: Ints | Nodes, heads: Ints | Nodes, caps: Ints | int, costs: Ints | int = 0) -> tuple[int, int]:
        """Add arcs; the number of the first and the one after the last."""
        n = len(tails)
        self.tails.append(tails.astype(np.int32))
        self.heads.append(heads.astype(np.int32))
        self.caps.append(np.broadcast_to(np.asarray(caps, dtype=np.int32), (n,)))
        self.costs.append(np.broadcast_to(np.asarray(costs, dtype=np.int64), (n,)))
        self.count += n
        return self.count - n, self.count


@dataclass(frozen=True)
class Network:
    """Arcs, supplies, and where to read the answer.

    live: indices of the pairs that may be used; arc[i]: the arc of live pair i into its expert, −1 for kept pairs, which flow by
    themselves. tail[i]: the node that arc leaves. seats are nodes 0 … S−1, gates S … S+B−1, experts from `experts` on, blocks after.
    groups: (node in, node out) of each group of one organisation, with the live pairs in `group` (−1 none). crossing: organisations
    whose experts may take different seats of one bid; their groups are split, and the flow may have to be checked for them.
    pair_arcs: the numbers of the first arc of a pair and the one after the last; likes: per such arc a number for its bid and its ways
    into it, among which few arcs are enough to begin with; enough: how many, for each of these numbers.
    Nodes, pairs and capacities are 32 bits wide, costs 64.
    """

    tails: Nodes
    heads: Nodes
    caps: Nodes
    costs: Ints
    supply: Ints
    live: Nodes
    arc: Nodes
    tail: Nodes
    options: Ints
    group: Nodes
    gates: Ints
    experts: int
    crossing: bool
    pair_arcs: tuple[int, int]
    likes: Nodes
    enough: Ints

    def used(self, flows: Ints) -> Ints:
        """Indices of the pairs an assignment consists of: kept ones and those with flow on their arc."""
        kept = self.arc < 0
        taken = np.where(kept, 1, flows[np.where(kept, 0, self.arc)] if len(flows) else 1)
        return self.live[taken > 0]


@dataclass(frozen=True)
class Shape:
    """Which network is wanted. tau None: no floor. times: seats and loads so many times over. even: one arc per review of a load.

    out: indices of pairs that may not be used.
    """

    bounds: Bounds
    tau: int | None = None
    times: int = 1
    even: bool = False
    out: tuple[int, ...] = ()


def kappa(asked: Instance) -> Ints:
    """Per bid: how many open seats must be strong — a majority of the reviews, as far as seats are open."""
    return np.minimum((asked.need + 1) // 2, open_count(asked))


def open_row(asked: Instance) -> Ints:
    """Per bid the row of its open seat: its last one."""
    return np.searchsorted(asked.seat_bid, np.arange(asked.bids), side="right") - 1


def open_count(asked: Instance) -> Ints:
    """Per bid the number of seats open to everybody."""
    return asked.seat_count[open_row(asked)]


def gate_room(asked: Instance, times: int = 1) -> Ints:
    """Per bid: how many weak pairs its open seats may take under the majority floor."""
    return (open_count(asked) - kappa(asked)) * times


def options_of(asked: Instance, tau: int | None, times: int = 1) -> Ints:
    """Per pair a bit for each way into the bid: STRONG or WEAK through the open seat, and one per required role the expert holds.

    Kept pairs count as strong: what stands is not judged again. A bid that has a kept expert of an organisation takes no other of it.
    """
    open_ = open_count(asked)[asked.pair_b] > 0
    weak = np.zeros(len(open_), dtype=np.bool_) if tau is None else (asked.pair_a < tau) & ~asked.pair_kept
    found: Ints = np.where(open_, STRONG, 0).astype(np.int32 if asked.holds.shape[1] < 29 else np.int64)
    if tau is not None and asked.options.floor != Floor.ALL:
        room = gate_room(asked, times)[asked.pair_b] > 0
        found[open_ & weak] = 0
        found[open_ & weak & room] = WEAK
    for role in range(asked.holds.shape[1]):
        wanted = np.zeros(asked.bids, dtype=np.bool_)
        wanted[asked.seat_bid[asked.seat_role == role]] = True
        found[asked.holds[asked.pair_r, role] & wanted[asked.pair_b]] |= FIRST_ROLE << role
    if tau is not None and asked.options.floor == Floor.ALL:
        found[weak] = 0
    found[_beside_a_kept_colleague(asked)] = 0
    return found


def _beside_a_kept_colleague(asked: Instance) -> Flags:
    if not asked.pair_kept.any():
        return np.zeros(len(asked.pair_b), dtype=np.bool_)
    organised = asked.organisation[asked.pair_r] >= 0
    place = asked.places(np.arange(len(asked.pair_b)))
    return organised & np.isin(place, place[asked.pair_kept & organised]) & ~asked.pair_kept


def build(asked: Instance, shape: Shape, costs: Ints) -> Network:
    """The network of this shape; costs: one per pair of the instance."""
    options = options_of(asked, shape.tau, shape.times)
    options[list(shape.out)] = 0
    live = np.flatnonzero(options > 0).astype(np.int32)
    options = options[live]
    seats, kept = len(asked.seat_bid), asked.pair_kept[live]
    first_expert = seats + asked.bids
    blocks = first_expert + asked.experts
    group, crossing = _groups(asked, live, options, kept)
    arcs, nodes = _Arcs(), blocks + len(shape.bounds.totals)
    single = (options & (options - 1)) == 0
    tail = np.where(single, _node_of(asked, live, options), np.int32(-1))
    nodes = _own_nodes(asked, arcs, live, options, tail, (group < 0) & ~single, nodes)
    nodes, gates = _group_nodes(asked, arcs, live, options, tail, group, nodes)
    arc = np.full(len(live), -1, dtype=np.int32)
    mine = arcs.add(tail[~kept], first_expert + asked.pair_r[live][~kept], 1, costs[live][~kept])
    arc[~kept] = np.arange(*mine)
    _gate_arcs(asked, arcs, shape, seats)
    _load_arcs(arcs, shape, first_expert, blocks)
    supply = _supplies(asked, shape, nodes, first_expert, blocks)
    np.add.at(supply, tail[kept], -1)
    np.add.at(supply, first_expert + asked.pair_r[live][kept], 1)
    joined = (_joined(x) for x in (arcs.tails, arcs.heads, arcs.caps, arcs.costs))
    tails, heads, caps, prices = joined
    likes, enough = _likes(asked, shape, live[~kept], options[~kept])
    return Network(tails, heads, caps, prices, supply, live, arc, tail, options, group, gates, first_expert, crossing, mine, likes, enough)


def _likes(asked: Instance, shape: Shape, live: Nodes, options: Ints) -> tuple[Nodes, Ints]:
    """Pairs that have the same ways into the same bid bear one number; enough: some times the reviews of the bid.

    Where levels of load are fixed all pairs are wanted: a part of them is solved again too often.
    """
    ways, way = np.unique(options, return_inverse=True) if len(options) else (options, options)
    enough = asked.need * shape.times * _WIDE if len(shape.bounds.totals) == 1 else np.full(asked.bids, _MANY)
    return (asked.pair_b[live] * len(ways) + way).astype(np.int32), np.repeat(enough, len(ways))


def _joined(parts: list[Any]) -> Any:
    """One array of them, each part let go as it is copied."""
    whole, at = np.empty(sum(len(x) for x in parts), dtype=parts[0].dtype), 0
    for n, part in enumerate(parts):
        whole[at : at + len(part)] = part
        at += len(part)
        parts[n] = part[:0].copy()
    return whole


def _node_of(asked: Instance, live: Nodes, options: Ints) -> Nodes:
    """The seat or gate node of pairs with a single option (the lowest, where there are several)."""
    rows, bid = open_row(asked).astype(np.int32), asked.pair_b[live]
    low = options & -options
    found = rows[bid]
    weak = low == WEAK
    found[weak] = len(asked.seat_bid) + bid[weak]
    for role in range(asked.holds.shape[1]):
        at = low == FIRST_ROLE << role
        found[at] = _role_rows(asked, role)[bid[at]]
    return found


def _role_rows(asked: Instance, role: int) -> Nodes:
    rows = np.full(asked.bids, -1, dtype=np.int32)
    mine = np.flatnonzero(asked.seat_role == role)
    rows[asked.seat_bid[mine]] = mine
    return rows


def _into(asked: Instance, arcs: _Arcs, live: Nodes, options: Ints, nodes: Ints | Nodes) -> None:
    """An arc from every seat or gate that a pair (or group) may use to its own node."""
    left = options.copy()
    while (more := left > 0).any():
        low = left & -left
        arcs.add(_node_of(asked, live[more], low[more]), nodes[more], _MANY)
        left = left ^ low


def _own_nodes(
    asked: Instance, arcs: _Arcs, live: Nodes, options: Ints, tail: Nodes, mine: Flags, nodes: int
) -> int:
    """A node for each pair with several ways in, so that it is still used once."""
    at = np.flatnonzero(mine)
    tail[at] = nodes + np.arange(len(at))
    _into(asked, arcs, live[at], options[at], tail[at])
    return nodes + len(at)


def _groups(asked: Instance, live: Nodes, options: Ints, kept: Flags) -> tuple[Nodes, bool]:
    """Number of the group of each live pair (−1: alone), and whether an organisation had to be split by what its experts may take."""
    organisation = asked.organisation[asked.pair_r[live]]
    group = np.full(len(live), -1, dtype=np.int32)
    in_one = np.flatnonzero((organisation >= 0) & ~kept)
    if not len(in_one):
        return group, False
    names, whole = np.unique(asked.places(live[in_one]), return_inverse=True)
    ways, way = np.unique(options[in_one], return_inverse=True)
    keys, parts, sizes = np.unique(whole * len(ways) + way, return_inverse=True, return_counts=True)
    crowded = sizes[parts] > 1
    group[in_one[crowded]] = np.unique(parts[crowded], return_inverse=True)[1]
    return group, len(keys) > len(names)


def _group_nodes(
    asked: Instance, arcs: _Arcs, live: Nodes, options: Ints, tail: Nodes, group: Nodes, nodes: int
) -> tuple[int, Ints]:
    """Two nodes per group with one unit between them."""
    members = np.flatnonzero(group >= 0)
    if not len(members):
        return nodes, np.zeros((0, 2), dtype=np.int64)
    numbers, first = np.unique(group[members], return_index=True)
    inner = nodes + 2 * numbers
    _into(asked, arcs, live[members[first]], options[members[first]], inner)
    arcs.add(inner, inner + 1, 1)
    tail[members] = nodes + 2 * group[members] + 1
    return nodes + 2 * len(numbers), np.stack([inner, inner + 1], axis=1)


def _gate_arcs(asked: Instance, arcs: _Arcs, shape: Shape, seats: int) -> None:
    if shape.tau is None or asked.options.floor != Floor.MAJORITY:
        return
    room = gate_room(asked, shape.times)
    some = np.flatnonzero(room > 0)
    arcs.add(open_row(asked)[some], seats + some, room[some])


def _load_arcs(arcs: _Arcs, shape: Shape, first_expert: int, blocks: int) -> None:
    """From every expert to its block: one arc, or one per review with the cost of how many it is."""
    bounds = shape.bounds
    room = bounds.hi - bounds.lo
    if not shape.even:
        arcs.add(first_expert + np.arange(len(room)), blocks + bounds.block, room)
        return
    owner = np.repeat(np.arange(len(room)), room)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(room) - room, room) + bounds.lo[owner] + 1
    arcs.add(first_expert + owner, blocks + bounds.block[owner], 1, step)


def _supplies(asked: Instance, shape: Shape, nodes: int, first_expert: int, blocks: int) -> Ints:
    bounds = shape.bounds
    supply = np.zeros(nodes, dtype=np.int64)
    supply[: len(asked.seat_bid)] = asked.seat_count * shape.times
    supply[first_expert:blocks] = -bounds.lo
    ends = blocks + np.arange(len(bounds.totals))
    supply[ends] = -bounds.totals
    np.add.at(supply, blocks + bounds.block, bounds.lo)
    return supply


def narrowed(shape: Shape, **changes: object) -> Shape:
    """The same shape with something changed."""
    return replace(shape, **changes)  # type: ignore[arg-type]
