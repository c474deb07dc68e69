"""One whole-number programme, solved in a process of its own: `python -m grants.awards.solving` reads a model and writes an answer.

HiGHS keeps one scheduler per process whose number of threads cannot change, and a solver that never ends must be stoppable from
outside. One thread, its default seed, no gap: the objective is whole numbers, so a gap below one proves the optimum. Pure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

OPTIMAL: Final = "optimal"
TIME: Final = "time_limit"
NONE: Final = "no_answer"
GRACE: Final = 10.0
_ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Model:
    """Maximise Σ first·x, then among all optima Σ second·x; x are `ones` yes-or-no values, then `free` amounts ≥ 0.

    rows: (lowest or None, highest or None, positions, whole-number coefficients).
    """

    ones: int
    free: int
    first: Sequence[int]
    second: Sequence[int]
    rows: Sequence[tuple[int | None, int | None, Sequence[int], Sequence[int]]]


@dataclass(frozen=True)
class Answer:
    """status: optimal, time_limit or no_answer; x is given only when both optima are proven, `bound` where one is known."""

    status: str
    x: tuple[int, ...] = ()
    seconds: float = 0.0
    bound: float | None = None


def solve(model: Model, *, seconds: float = 60.0) -> Answer:
    """The canonical optimum; never a solution that is not proven. A solver that hangs or dies gives `time_limit` or `no_answer`."""
    rows = [[low, high, list(positions), list(values)] for low, high, positions, values in model.rows]
    question = json.dumps({**asdict(replace(model, rows=())), "rows": rows, "seconds": seconds})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "grants.awards.solving"],
            input=question, capture_output=True, text=True, timeout=2 * seconds + GRACE, cwd=_ROOT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answer(TIME)
    if done.returncode != 0:
        return Answer(NONE)
    found = json.loads(done.stdout.splitlines()[-1])  # the solver may print its name first
    return Answer(found["status"], tuple(found["x"]), found["seconds"], found["bound"])


def _solver(question: dict[str, Any]) -> Any:
    import highspy  # noqa: PLC0415 - only the worker process loads the solver

    untyped: Any = highspy
    solver = untyped.Highs()
    for option, value in (
        ("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.9), ("mip_feasibility_tolerance", 1e-9),
        ("time_limit", float(question["seconds"])),
    ):  # fmt: skip
        solver.setOptionValue(option, value)
    for position in range(question["ones"] + question["free"]):
        whole = position < question["ones"]
        solver.addVar(0.0, 1.0 if whole else highspy.kHighsInf)
        if whole:
            solver.changeColIntegrality(position, highspy.HighsVarType.kInteger)
    for low, high, positions, values in question["rows"]:
        _row(solver, low, high, positions, values)
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return solver


def _row(solver: Any, low: int | None, high: int | None, positions: Sequence[int], values: Sequence[int]) -> None:
    infinity = float("inf")
    solver.addRow(
        -infinity if low is None else float(low),
        infinity if high is None else float(high),
        len(positions),
        positions,
        [float(v) for v in values],
    )


def _run(solver: Any, costs: Sequence[int]) -> tuple[str, list[float], float]:
    import highspy  # noqa: PLC0415 - as above

    for position, cost in enumerate(costs):
        solver.changeColCost(position, float(cost))
    solver.run()
    names = {highspy.HighsModelStatus.kOptimal: OPTIMAL, highspy.HighsModelStatus.kTimeLimit: TIME}
    status = names.get(solver.getModelStatus(), NONE)
    return status, list(solver.getSolution().col_value) if status == OPTIMAL else [], float(solver.getInfo().mip_dual_bound)


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """What the worker process does: solve for the first objective, hold it, solve for the second."""
    import time  # noqa: PLC0415 - as above

    began, ones = time.process_time(), question["ones"]
    solver = _solver(question)
    status, values, bound = _run(solver, question["first"])
    x = [round(v) for v in values[:ones]]
    if status == OPTIMAL:
        best = sum(c * v for c, v in zip(question["first"], x, strict=False))
        positions = [i for i, c in enumerate(question["first"]) if c]
        _row(solver, best, best, positions, [question["first"][i] for i in positions])
        status, values, _ = _run(solver, question["second"])
        x = [round(v) for v in values[:ones]]
    return {
        "status": status,
        "x": x if status == OPTIMAL else [],
        "seconds": round(time.process_time() - began, 2),
        "bound": bound,
    }


if __name__ == "__main__":
    json.dump(answer(json.load(sys.stdin)), sys.stdout)
