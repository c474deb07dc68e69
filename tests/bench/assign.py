"""`make bench-assign`: seeded assignments from 200 × 40 to 20,000 × 5,000, per method: time, memory, quality, proof.

Every method runs in the product's own worker; time is the worker's processor seconds and the wall seconds somebody waits (hashing,
packing, the process, the solver, reading and the whole check of the certificate), memory the worker's peak. HiGHS (scipy) repeats the
plain optimum where it ends in two minutes. Four input orders must give the same pairs. L and XL keep each bid's best pairs only (top), and
fields in less uneven demand: with skew 0.7 the forty best of a crowded field are the same fifty experts, and no assignment exists.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from review.assign import Assignment, Floor, Options, Problem
from review.assign.check import check
from review.assign.files import answer_of, question_of
from review.assign.instance import Instance, instance_of
from review.assign.limited import ask
from review.assign.solver import solved
from tests.world.assigning import seeded

SIZES: dict[str, dict[str, Any]] = {
    "S": {"bids": 200, "experts": 40, "reviews": 5, "top": 40, "load": 30},
    "M": {"bids": 1000, "experts": 200, "reviews": 5, "top": 200, "load": 30},
    "L": {"bids": 3000, "experts": 500, "reviews": 5, "top": 40, "load": 36, "skew": 0.3},
    "XL": {"bids": 20000, "experts": 5000, "reviews": 4, "top": 60, "load": 20, "skew": 0.3},
}
METHODS: dict[str, Options] = {
    "max-sum": Options(Floor.NONE),
    "floor majority": Options(Floor.MAJORITY),
    "floor all": Options(Floor.ALL),
    "fair 0.005": Options(Floor.MAJORITY, fair=0.005),
    "equal": Options(Floor.MAJORITY, even=True),
    "randomised 2": Options(Floor.MAJORITY, randomised=2),
}


@dataclass
class Meter:
    """Asks the worker and keeps what it said about itself."""

    said: dict[str, Any]

    def run(self, asked: Instance) -> tuple[dict[str, Any], dict[str, Any]]:
        answer = ask(asked)
        self.said = answer[0]
        return answer


def main() -> None:
    """Sizes and methods as asked, one line each."""
    asked = argparse.ArgumentParser(prog="bench-assign")
    asked.add_argument("--sizes", nargs="*", default=list(SIZES), choices=list(SIZES))
    asked.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    asked.add_argument("--no-highs", action="store_true", help="without the second opinion")
    options = asked.parse_args()
    print("| size | method | Σ affinity | of best | worst bid | weakest pair | τ | loads | wall s | solver CPU s | MB | certificate |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name in options.sizes:
        size(name, options.methods, highs=not options.no_highs)


def size(name: str, methods: list[str], *, highs: bool) -> None:
    """All methods on one instance, then the orders and the second opinion."""
    problem = seeded(**SIZES[name])
    best, floor_worst = 0, 0
    for method in methods:
        found = line(name, method, replace(problem, options=METHODS[method]), best)
        best = max(best, found.total)
        if method == "floor majority":
            floor_worst = found.worst_bid or 0
        if method.startswith("fair"):
            assert (found.worst_bid or 0) >= floor_worst
    orders(name, problem)
    if highs:
        second_opinion(name, replace(problem, options=METHODS["max-sum"]), best)


def line(name: str, method: str, problem: Problem, best: int) -> Assignment:
    """Solve, check, print."""
    meter = Meter({})
    start = time.perf_counter()
    found = solved(problem, meter.run)
    wall = time.perf_counter() - start
    question, answer = question_of(problem), answer_of(problem, found)
    start = time.perf_counter()
    wrong = check(question, answer)
    proof = time.perf_counter() - start
    loads = found.loads.values()
    share = f"{100 * (found.total / best - 1):+.2f} %" if best else "100 %"
    print(
        f"| {name} | {method} | {found.total:,} | {share} | {found.worst_bid} | {found.weakest_pair} | {found.tau} | "
        f"{min(loads)}-{max(loads)} | {wall:.2f} | {meter.said['cpu_s']:.2f} | {meter.said['peak_kb'] // 1024} | "
        f"{'proven' if not wrong else wrong[0]} in {proof:.2f} s |",
        flush=True,
    )
    return found


def orders(name: str, problem: Problem) -> None:
    """Four shuffled inputs, one assignment."""
    first: tuple[Any, ...] | None = None
    for n in range(4):
        chance = random.Random(n)
        bids, experts, pairs = list(problem.bids), list(problem.experts), list((problem.affinity or {}).items())
        for rows in (bids, experts, pairs):
            chance.shuffle(rows)
        found = solved(replace(problem, bids=tuple(bids), experts=tuple(experts), affinity=dict(pairs)), ask).pairs
        first = first or found
        assert found == first, "the order of the input changed the assignment"
    print(f"| {name} | four input orders | identical pairs |", flush=True)


def second_opinion(name: str, problem: Problem, best: int) -> None:
    """The linear programme by HiGHS: the polytope is integral, so its optimum is ours."""
    asked = instance_of(problem)
    pairs = np.arange(len(asked.pair_b))
    ones = np.ones(len(pairs))
    needs = csr_array((ones, (asked.pair_b, pairs)), shape=(asked.bids, len(pairs)))
    loads = csr_array((ones, (asked.pair_r, pairs)), shape=(asked.experts, len(pairs)))
    start = time.perf_counter()
    found = linprog(
        -asked.pair_a, A_eq=needs, b_eq=asked.need, A_ub=vstack([loads, -loads]), b_ub=np.concatenate([asked.hi, -asked.lo]),
        bounds=(0, 1), method="highs", options={"time_limit": 120.0},
    )  # fmt: skip
    said = f"{round(-found.fun):,} {'= ours' if round(-found.fun) == best else '≠ ours'}" if found.status == 0 else "not finished in 120 s"
    print(f"| {name} | HiGHS linear programme | {said} | {time.perf_counter() - start:.1f} s |", flush=True)


if __name__ == "__main__":
    main()
