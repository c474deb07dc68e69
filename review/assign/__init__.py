"""分派: which expert reviews which bid — nobody with a conflict, required seats, a floor for every bid, the most affinity. Pure.

`assign(problem) -> Assignment`. What counts, in this order: conflicts and seats always; as few alternates as possible, in drawn order;
loads as equal as possible, where the rules ask for it; the highest floor that every bid reaches (of the seats open to everybody a
majority, kept pairs counting as reached); the largest sum of affinities; the smallest sum of published hashes. The answer carries a
certificate that `review.assign.check` — standard library, no solver — verifies, and it is used only when that check has passed.

The solver (minimum-cost flows of OR-tools; HiGHS where seats and organisations cross) runs in a process of its own with bounded memory
and time. Measured figures: docs/review-commands.md.
"""

from __future__ import annotations

from typing import Any

from review.assign.check import check
from review.assign.files import answer_of, question_of
from review.assign.limited import Limits, ask
from review.assign.problem import (
    ANY,
    Assignment,
    BidNeed,
    Floor,
    Infeasible,
    NotSolved,
    Options,
    Pair,
    Problem,
    Reviewer,
    kept_is_lawful,
    well_formed,
)
from review.assign.solver import Runner, solved

__all__ = [
    "ANY", "Assignment", "BidNeed", "Floor", "Infeasible", "Limits", "NotSolved", "Options", "Pair", "Problem", "Reviewer", "assign",
]  # fmt: skip


def assign(problem: Problem, run: Runner = ask) -> Assignment:
    """Fill every bid. run: who solves; by default a worker with the usual limits.

    Raises Infeasible naming the bids and experts that stand in the way, NotSolved when the solver failed or its answer did not prove
    itself, ValueError for codes given twice or pairs that name strangers.
    """
    well_formed(problem)
    kept_is_lawful(problem)
    found = solved(problem, run)
    _verify(question_of(problem), answer_of(problem, found))
    return found


def _verify(asked: dict[str, Any], answer: dict[str, Any]) -> None:
    """Lawful, and the best: an integer programme may leave a gap to its bound, a flow may not."""
    if wrong := check(asked, answer):
        raise NotSolved("proof", wrong[0])
