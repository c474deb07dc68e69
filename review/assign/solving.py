"""OR-tools behind two questions — does it fit, what is cheapest — with the status of every solve checked, and prices as the proof. Numpy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from review.assign.instance import Flags, Ints, Nodes
from review.assign.network import Network
from review.assign.problem import NotSolved

_ROUNDS: Final = 100_000
_WIDER: Final = 12
"""How often a part of the arcs is widened before all are taken."""
_MORE: Final = 10
"""One arc for so many that were chosen joins at a time."""
_SHARE: Final = 100_000
"""Arcs that are looked at together."""


def fits(net: Network) -> tuple[int, Flags, Flags]:
    """(units that find no place, nodes on the source side of a minimum cut, nodes on the sink side). 0 units: it fits.

    Asked of a part of the arcs first; where units find no place there, omitted arcs that cross the cut join in until none does: then
    the cut is one of the whole network.
    """
    gives, takes = np.flatnonzero(net.supply > 0), np.flatnonzero(net.supply < 0)
    for chosen in _widening(net):
        gap, near, far = _most(net, chosen, gives, takes)
        across = (near[net.tails] & ~near[net.heads]) | (far[net.heads] & ~far[net.tails])
        if not gap or not _widened(chosen, across):
            return gap, near, far
    raise AssertionError("the last choice is all arcs")


def _most(net: Network, chosen: Flags, gives: Ints, takes: Ints) -> tuple[int, Flags, Flags]:
    from ortools.graph.python import max_flow  # noqa: PLC0415 - only the worker's process loads it

    source = len(net.supply)
    solver = max_flow.SimpleMaxFlow()
    solver.add_arcs_with_capacity(net.tails[chosen], net.heads[chosen], net.caps[chosen])
    solver.add_arcs_with_capacity(np.full(len(gives), source), gives, net.supply[gives])
    solver.add_arcs_with_capacity(takes, np.full(len(takes), source + 1), -net.supply[takes])
    solver.add_arc_with_capacity(source, source + 1, 0)
    status = solver.solve(source, source + 1)
    if status != solver.OPTIMAL:
        raise NotSolved("refused", f"SimpleMaxFlow {status}")
    near, far = (np.zeros(source + 2, dtype=np.bool_) for _ in (0, 1))
    near[solver.get_source_side_min_cut()] = True
    far[solver.get_sink_side_min_cut()] = True
    return int(net.supply[gives].sum()) - int(solver.optimal_flow()), near, far


def cheapest(net: Network) -> tuple[Ints, Ints]:
    """The flow on every arc of a cheapest lawful flow, and the price of every node that proves it (`prices`).

    Solved on each node's cheapest arcs; omitted arcs that cost less than nothing at the prices found join in until there is none: then
    the prices are those of the whole network. Raises NotSolved unless the solver says OPTIMAL.
    """
    if not len(net.tails):
        if net.supply.any():
            raise NotSolved("refused", "no arcs for the supplies")
        return np.zeros(0, dtype=np.int64), np.zeros(len(net.supply), dtype=np.int64)
    for chosen in _widening(net):
        part = _Part(net.tails[chosen], net.heads[chosen], net.caps[chosen], net.costs[chosen], net.supply)
        flows = _cheapest(part, last=bool(chosen.all()))
        if flows is None:
            chosen[:] = True
            continue
        price = prices(part, flows)
        if not _widened(chosen, _wanted(net.costs + price[net.tails] - price[net.heads], chosen)):
            whole = np.zeros(len(net.tails), dtype=np.int64)
            whole[chosen] = flows
            return whole, price
    raise AssertionError("the last choice is all arcs")


@dataclass(frozen=True)
class _Part:
    """Some of a network's arcs."""

    tails: Nodes
    heads: Nodes
    caps: Nodes
    costs: Ints
    supply: Ints


def _cheapest(net: _Part, *, last: bool) -> Ints | None:
    """The flow on every arc; None when it does not fit into a part of the network."""
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415 - as above

    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(net.tails, net.heads, net.caps, net.costs)
    solver.set_nodes_supplies(np.arange(len(net.supply)), net.supply)
    status = solver.solve()
    if status == solver.INFEASIBLE and not last:
        return None
    if status != solver.OPTIMAL:
        raise NotSolved("refused", f"SimpleMinCostFlow {status}")
    return np.asarray(solver.flows(arcs), dtype=np.int64)


def _widening(net: Network) -> Iterator[Flags]:
    """Arcs to solve with: the cheapest of each node and whatever the caller adds, in the end all of them."""
    chosen = _cheap_arcs(net)
    for _ in range(_WIDER):
        if chosen.all():
            break
        yield chosen
    yield np.ones_like(chosen)


def _wanted(reduced: Ints, chosen: Flags) -> Flags:
    """Omitted arcs that cost less than nothing at the prices found; where there are any, those that nearly do join with them.

    Prices move when arcs join: with the strict ones only, a question whose loads leave no room (all equal, under a floor) was solved four times.
    """
    omitted, wanted = np.flatnonzero(~chosen), np.zeros_like(chosen)
    least = int((reduced[omitted] < 0).sum())
    if least:
        more = min(max(int(chosen.sum()) // _MORE, least), len(omitted))
        wanted[omitted[np.argpartition(reduced[omitted], more - 1)[:more]]] = True
    return wanted


def _widened(chosen: Flags, wanted: Flags) -> bool:
    """Add what is wanted and not chosen; whether there was anything."""
    more = wanted & ~chosen
    chosen |= more
    return bool(more.any())


def _cheap_arcs(net: Network) -> Flags:
    """All arcs but those of pairs, and of these as many as are enough of each kind: the cheapest, by the first 16 bits of the costs.

    Where all cost the same, spread over the experts.
    """
    first, last = net.pair_arcs
    chosen = np.ones(len(net.tails), dtype=np.bool_)
    if first == last:
        return chosen
    order = np.argsort(_first_bits(net, first, last), kind="stable")
    order = order[np.argsort(_narrow(net.likes[order]), kind="stable")]
    likes = net.likes[order]
    starts = np.flatnonzero(np.diff(likes, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    chosen[first + order] = rank < net.enough[likes]
    return chosen


def _first_bits(net: Network, first: int, last: int) -> Ints:
    costs = net.costs[first:last]
    low = int(costs.min())
    if width := int(costs.max()) - low:
        return ((costs - low) >> max(width.bit_length() - 16, 0)).astype(np.uint16)  # sorted by digits, several times as fast
    spread = (net.likes.astype(np.uint32) * np.uint32(40503) + net.heads[first:last].astype(np.uint32)) * np.uint32(2654435769)
    return (spread >> np.uint32(16)).astype(np.uint16)


def _narrow(numbers: Nodes) -> Any:
    return numbers.astype(np.uint16) if int(numbers.max()) < 1 << 16 else numbers


def prices(net: _Part, flows: Ints) -> Ints:
    """A price per node so that no arc with room costs less than nothing: shortest distances in what is left (Bellman–Ford).

    Raises NotSolved when they do not settle: then the flow was not the cheapest.
    """
    ahead, back = flows < net.caps, flows > 0
    tails = np.concatenate([net.tails[ahead], net.heads[back]])
    heads = np.concatenate([net.heads[ahead], net.tails[back]])
    costs = np.concatenate([net.costs[ahead], -net.costs[back]])
    left = _Left(tails, heads, costs, len(net.supply))
    price = np.zeros(len(net.supply), dtype=np.int64)
    moved = np.arange(len(price))
    for _ in range(min(len(price) + 1, _ROUNDS)):
        best = left.reached(price, moved)
        moved = np.flatnonzero(best < price)
        if not len(moved):
            return price
        price = best
    raise NotSolved("refused", "prices do not settle")


class _Left:
    """What is left of a network: arcs with room, by tail. Distances that did not move need not be carried on again."""

    def __init__(self, tails: Nodes, heads: Nodes, costs: Ints, nodes: int) -> None:
        order = np.argsort(tails, kind="stable")
        self.heads, self.costs = heads[order], costs[order]
        self.ends = np.cumsum(np.bincount(tails, minlength=nodes))
        self.counts = np.diff(self.ends, prepend=0)

    def reached(self, price: Ints, moved: Ints) -> Ints:
        """Each node's price, or less where an arc from one that moved leads to it. A share of the arcs at a time: memory counts, too."""
        best = price.copy()
        for some in np.array_split(moved, 1 + int(self.counts[moved].sum()) // _SHARE):
            counts = self.counts[some]
            arcs = np.arange(counts.sum()) + np.repeat(self.ends[some] - np.cumsum(counts), counts)
            np.minimum.at(best, self.heads[arcs], np.repeat(price[some], counts) + self.costs[arcs])
        return best
