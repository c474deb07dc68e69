"""From a problem to its assignment: arrays to the worker, its answer back into codes. Pure, numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from review.assign.instance import Instance, instance_of
from review.assign.problem import ANY, Assignment, Infeasible, Pair, Problem, gap_of

UNIT = 1024

Runner = Callable[[Instance], tuple[dict[str, Any], dict[str, Any]]]
"""Whoever solves an instance: what was said about it, and its arrays."""


def solved(problem: Problem, run: Runner) -> Assignment:
    """Have it solved. Where halves are drawn, a gap is a question of its own, drawn in the same way. Raises Infeasible, NotSolved."""
    if problem.kept and problem.options.randomised > 1:
        return _joined(problem, solved(gap_of(problem), run))
    asked, names = instance_of(problem), _Names(problem)
    said, arrays = run(asked)
    if said["status"] == "short":
        raise _refusal(names, said, twice=problem.options.randomised > 1)
    listed = names.pairs(asked, arrays["used"])
    chosen = arrays["drawn"] if "drawn" in arrays else arrays["used"]
    return _assignment(problem, asked, names, chosen, said, _certificate(problem, asked, names, said, arrays), listed)


def _joined(problem: Problem, gap: Assignment) -> Assignment:
    """Kept pairs and what filled the gap, with the figures of both."""
    worth, pairs = problem.affinity, tuple(sorted({*problem.kept, *gap.pairs}))
    values = {p: 1 if worth is None else worth.get(p, 1) for p in pairs}
    sums = {b.code: sum(values[p] for p in pairs if p[0] == b.code) for b in problem.bids if b.reviews}
    loads = {code: sum(1 for p in pairs if p[1] == code) for code in gap.loads}
    return replace(
        gap, pairs=pairs, loads=loads, total=sum(values.values()), worst_bid=min(sums.values(), default=None),
        weakest_pair=min(values.values(), default=None),
        called_up=tuple(e.code for e in sorted(problem.experts, key=lambda e: e.reserve) if e.reserve and loads[e.code]),
    )  # fmt: skip


class _Names:
    """Codes by index."""

    def __init__(self, problem: Problem) -> None:
        self.bids = sorted(b.code for b in problem.bids)
        self.experts = sorted(e.code for e in problem.experts)
        self.roles = sorted({role for b in problem.bids for role, n in b.roles.items() if n > 0})
        self.reserve = {e.code: e.reserve for e in problem.experts}

    def pairs(self, asked: Instance, at: Any) -> tuple[Pair, ...]:
        rows = zip(asked.pair_b[at].tolist(), asked.pair_r[at].tolist(), strict=True)
        return tuple((self.bids[b], self.experts[e]) for b, e in rows)


def _refusal(names: _Names, said: dict[str, Any], *, twice: bool) -> Infeasible:
    roles = [names.roles[k] if k >= 0 else ANY for k in said["roles"]]
    role = "" if ANY in roles or not roles else "“" + "、".join(roles) + "”"
    figures = {"needed": said["needed"], "possible": said["possible"], "gap": abs(said["needed"] - said["possible"])}
    bids, experts = [names.bids[b] for b in said["bids"]], [names.experts[e] for e in said["experts"]]
    return Infeasible(said["rule"], bids=bids, experts=experts, role=role, same=said["same"], twice=twice, **figures)


def _assignment(
    problem: Problem, asked: Instance, names: _Names, chosen: Any, said: dict[str, Any], proof: dict[str, Any], listed: Any
) -> Assignment:
    pairs, worth = names.pairs(asked, chosen), asked.pair_a[chosen]
    loads = np.bincount(asked.pair_r[chosen], minlength=asked.experts).tolist()
    sums = np.bincount(asked.pair_b[chosen], weights=worth, minlength=asked.bids)[asked.need > 0]
    busy = [(names.reserve[code], code) for code, load in zip(names.experts, loads, strict=True) if load and names.reserve[code]]
    return Assignment(
        pairs=pairs, loads=dict(zip(names.experts, loads, strict=True)), total=int(worth.sum()),
        worst_bid=int(sums.min()) if len(sums) else None, weakest_pair=int(worth.min()) if len(worth) else None,
        tau=said["tau"], called_up=tuple(code for _at, code in sorted(busy)),
        shortlist=listed if problem.options.randomised > 1 else (), certificate=proof,
    )  # fmt: skip


def _certificate(problem: Problem, asked: Instance, names: _Names, said: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    """Prices by code, as `review.assign.check` reads them."""
    seats: dict[str, dict[str, int]] = {code: {} for code in names.bids}
    rows = zip(asked.seat_bid.tolist(), asked.seat_role.tolist(), arrays["seat"].tolist(), strict=True)
    for bid, role, price in rows:
        seats[names.bids[bid]][names.roles[role] if role >= 0 else ANY] = price
    proof = {
        "by": said["solver"], "scale": said["scale"], "times": problem.options.randomised, "seats": seats,
        "gates": {code: price for code, price in zip(names.bids, arrays["gate"].tolist(), strict=True) if price},
        "experts": dict(zip(names.experts, arrays["expert"].tolist(), strict=True)),
        "loads": dict(zip(names.experts, np.stack([arrays["lo"], arrays["hi"]], axis=1).tolist(), strict=True)),
        "blocks": _blocks(names, arrays), "groups": _groups(asked, names, arrays),
    }  # fmt: skip
    weights = arrays["weights"].tolist()
    return proof if set(weights) <= {UNIT} else {**proof, "weights": dict(zip(names.bids, weights, strict=True))}


def _blocks(names: _Names, arrays: dict[str, Any]) -> list[dict[str, Any]]:
    members: dict[int, list[str]] = {}
    for code, block in zip(names.experts, arrays["block"].tolist(), strict=True):
        members.setdefault(block, []).append(code)
    rows = enumerate(zip(arrays["totals"].tolist(), arrays["ends"].tolist(), strict=True))
    return [{"experts": members.get(at, []), "total": total, "price": price} for at, (total, price) in rows]


def _groups(asked: Instance, names: _Names, arrays: dict[str, Any]) -> list[dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    rows = zip(arrays["group_pair"].tolist(), arrays["group"].tolist(), arrays["group_price"].tolist(), strict=True)
    for pair, group, price in rows:
        one = found.setdefault(group, {"bid": names.bids[asked.pair_b[pair]], "experts": [], "price": price})
        one["experts"].append(names.experts[asked.pair_r[pair]])
    return [found[at] for at in sorted(found)]
