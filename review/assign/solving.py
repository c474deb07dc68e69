"""OR-tools behind two questions — does it fit, what is cheapest — with the status of every solve checked, and prices as the proof. Numpy."""

from __future__ import annotations

from typing import Final

import numpy as np

from review.assign.instance import Flags, Ints
from review.assign.network import Network
from review.assign.problem import NotSolved

_ROUNDS: Final = 100_000


def fits(net: Network) -> tuple[int, Flags, Flags]:
    """(units that find no place, nodes on the source side of a minimum cut, nodes on the sink side). 0 units: it fits."""
    from ortools.graph.python import max_flow  # noqa: PLC0415 - only the worker's process loads it

    source = len(net.supply)
    gives, takes = np.flatnonzero(net.supply > 0), np.flatnonzero(net.supply < 0)
    solver = max_flow.SimpleMaxFlow()
    solver.add_arcs_with_capacity(net.tails, net.heads, net.caps)
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


def cheapest(net: Network) -> Ints:
    """The flow on every arc of a cheapest lawful flow. Raises NotSolved unless the solver says OPTIMAL."""
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415 - as above

    if not len(net.tails):
        if net.supply.any():
            raise NotSolved("refused", "no arcs for the supplies")
        return np.zeros(0, dtype=np.int64)
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(net.tails, net.heads, net.caps, net.costs)
    solver.set_nodes_supplies(np.arange(len(net.supply)), net.supply)
    status = solver.solve()
    if status != solver.OPTIMAL:
        raise NotSolved("refused", f"SimpleMinCostFlow {status}")
    return np.asarray(solver.flows(arcs), dtype=np.int64)


def prices(net: Network, flows: Ints) -> Ints:
    """A price per node so that no arc with room costs less than nothing: shortest distances in what is left (Bellman–Ford).

    Raises NotSolved when they do not settle: then the flow was not the cheapest.
    """
    ahead, back = flows < net.caps, flows > 0
    tails = np.concatenate([net.tails[ahead], net.heads[back]])
    heads = np.concatenate([net.heads[ahead], net.tails[back]])
    costs = np.concatenate([net.costs[ahead], -net.costs[back]])
    order = np.argsort(heads, kind="stable")
    tails, heads, costs = tails[order], heads[order], costs[order]
    starts = np.flatnonzero(np.diff(heads, prepend=-1))
    ends = heads[starts] if len(starts) else heads
    price = np.zeros(len(net.supply), dtype=np.int64)
    for _ in range(min(len(price) + 1, _ROUNDS) if len(starts) else 0):
        best = np.minimum(price[ends], np.minimum.reduceat(price[tails] + costs, starts))
        if np.array_equal(best, price[ends]):
            return price
        price[ends] = best
    if len(starts):
        raise NotSolved("refused", "prices do not settle")
    return price
