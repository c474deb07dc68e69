"""Known ways in which the arithmetic of review goes wrong elsewhere, and that ours does not: the table of docs/review-commands.md names them."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grants.awards import solving as awarding
from grants.calls.rulebook.expectation import reliability_with
from grants.money import whole
from review.assign import BidNeed, Infeasible, NotSolved, Options, Problem, Reviewer, crossing, solving
from review.assign import assign as in_a_worker
from review.assign.check import check
from review.assign.files import answer_of, question_of
from review.assign.instance import instance_of
from review.assign.network import Bounds, Shape, build
from tests.world.assigning import at_once, seeded

assign = partial(in_a_worker, run=at_once)
ROOT = Path(__file__).resolve().parents[2]


def few(n: int, load: int, *, reviews: int = 2, bids: int = 4) -> Problem:
    """Bids that need so many reviews each, and n experts who take so many each; everybody suits equally well."""
    people = tuple(Reviewer(f"E{i}", max_load=load) for i in range(n))
    return Problem(tuple(BidNeed(f"B{i}", reviews) for i in range(bids)), people, b"seed")


# --- a solver's arrays are read after its status ------------------------------------------------------------------------------


@pytest.mark.parametrize("costs", [0, 1 << 62], ids=["nothing is feasible", "costs out of range"])
def test_a_flow_that_its_solver_does_not_call_optimal_is_never_read(costs: int) -> None:
    """Two reviews asked for more than there are; or costs beyond what 63 bits hold: a refusal, never the arrays as they happen to be."""
    asked = instance_of(few(3, 2 if costs == 0 else 4, reviews=2 if costs else 3))
    net = build(asked, Shape(Bounds.of(asked)), np.full(len(asked.pair_b), costs, dtype=np.int64))
    with pytest.raises(NotSolved) as told:
        solving.cheapest(net)
    assert told.value.rule == "refused" and "SimpleMinCostFlow" in told.value.detail


def test_a_programme_stopped_by_the_clock_assigns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver at its time limit once “beat” the optimum with loads far above the limit."""
    monkeypatch.setattr(crossing, "_SECONDS", 0.0)
    asked = instance_of(seeded(40, 20, 3, top=20, load=9, organisations=3))
    made = crossing._programme(asked, Shape(Bounds.of(asked)))
    with pytest.raises(NotSolved, match="HiGHS"):
        crossing._solved(made, crossing._per_pair(made, -asked.pair_a), [])


def test_an_optimum_whose_canonical_form_is_not_proven_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best sum is proven, the second solve (which of the equal lists) is not: then there is no list at all, not some optimum."""
    question = {"ones": 2, "free": 0, "first": [1, 1], "second": [2, 1], "rows": [[None, 1, [0, 1], [1, 1]]], "seconds": 60}
    assert awarding.answer(question)["x"] == [1, 0]
    run, times = awarding._run, iter([None, awarding.TIME])

    def late(solver: Any, costs: Any) -> Any:
        status, values, bound = run(solver, costs)
        return next(times) or status, values, bound

    monkeypatch.setattr(awarding, "_run", late)
    found = awarding.answer(question)
    assert (found["status"], found["x"]) == (awarding.TIME, [])


# --- who reviews what ---------------------------------------------------------------------------------------------------------


def test_an_expert_who_is_booked_twice_on_one_bid_is_found() -> None:
    """Copies of a bid or an expert as rows of a matching give one expert two seats of one bid: the certificate refuses that."""
    asked = few(3, 4)
    answer = answer_of(asked, assign(asked))
    assert check(question_of(asked), answer) == []
    first, _second, *others = answer["pairs"]
    assert "a pair stands twice" in check(question_of(asked), {**answer, "pairs": [first, first, *others]})


def test_experts_who_are_just_enough_suffice_and_whoever_then_leaves_is_missed_by_number() -> None:
    """Four bids, two reviews each, four experts with two each: all are full. One gone, two reviews lack, and the way out is named."""
    asked = few(4, 2)
    answer = assign(asked)
    assert set(answer.loads.values()) == {2}
    gone = "E3"
    kept = frozenset(p for p in answer.pairs if p[1] != gone)
    with pytest.raises(Infeasible) as told:
        assign(replace(asked, experts=asked.experts[:3], kept=kept))
    assert told.value.figures["gap"] == 2 and told.value.way_out


def test_a_late_bid_moves_nobody() -> None:
    asked = few(5, 3)
    before = assign(asked)
    more = replace(asked, bids=(*asked.bids, BidNeed("B9", 2)), kept=frozenset(before.pairs))
    assert set(before.pairs) < set(assign(more).pairs)


@pytest.mark.parametrize("options", [Options(), Options(even=True), Options(fair=0.01), Options(randomised=2)], ids=str)
def test_four_orders_of_rows_give_one_assignment_whatever_the_method(options: Options) -> None:
    asked = replace(seeded(24, 12, 3, top=12, load=10), options=options)
    worth = list((asked.affinity or {}).items())
    found = set()
    for turn in range(4):
        mixed = worth[turn::4] + [pair for n, pair in enumerate(worth) if n % 4 != turn]
        found.add(assign(replace(asked, bids=asked.bids[::-1] if turn % 2 else asked.bids, affinity=dict(mixed))).pairs)
    assert len(found) == 1


# --- 四舍五入, and where chance comes from ------------------------------------------------------------------------------------


def test_what_pages_show_is_rounded_half_up_too() -> None:
    """Python's round() makes 12 of 12.5 and 14 of 13.5; a page that shows per cent and shares rounds as the scores do."""
    assert [whole(Decimal(value)) for value in ("12.5", "13.5", "0.5", "-12.5")] == [13, 14, 1, -13]
    assert reliability_with(Decimal("0.0625"), 1) == Decimal("0.063")


PIXELS_AND_SECONDS = {
    "grants/desk/square/drawing.py", "grants/web/plots.py", "grants/documents/signing/fields.py", "review/assign/worker.py",
    "grants/awards/solving.py",  # zeros and ones of a solver, and seconds
    "grants/calls/rulebook/invented.py",  # bids that nobody wrote
    "grants/desk/faces/_json.py", "review/workbook.py",  # to see whether a number has too many places
    "review/calibration/model.py",  # a middle that is taken off and added again
}  # fmt: skip
EXACT = {  # file → how often it gives more places to what already has no more, or refuses where it has
    "review/analysing.py": 1, "review/ballots.py": 1, "review/other_scores.py": 1, "review/results.py": 1,
    "grants/awards/across.py": 1, "grants/awards/board.py": 1, "grants/awards/evidence/gathering.py": 2,
    "grants/awards/services/proposing.py": 1, "grants/awards/showing/public.py": 1, "grants/calls/rulebook/parts/base.py": 1,
    "grants/desk/faces/select.py": 1, "grants/web/cells.py": 1, "grants/web/fields.py": 1, "bidding/workbook/reading.py": 1,
}  # fmt: skip


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the product but migrations and the demonstration."""
    for path in sorted(p for top in ("grants", "bidding", "review") for p in (ROOT / top).rglob("*.py")):
        text = path.read_text("utf-8")
        if not {"migrations", "demo"} & set(path.parts) and ("round(" in text or "quantize(" in text or "random" in text):
            yield f"{path.relative_to(ROOT)}", ast.parse(text)


def _halves_to_even(tree: ast.Module) -> tuple[int, int]:
    """(calls of round(), quantize() without saying how outside a comparison)."""
    compared = {id(call) for node in ast.walk(tree) if isinstance(node, ast.Compare) for call in ast.walk(node)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    rounds = sum(isinstance(c.func, ast.Name) and c.func.id == "round" for c in calls)
    silent = [c for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "quantize" and len(c.args) + len(c.keywords) < 2]
    return rounds, sum(id(c) not in compared for c in silent)


def test_no_source_rounds_half_to_even_and_takes_no_chance_from_a_library() -> None:
    """Python's round() and a bare quantize() round half to even. Generators of libraries change between versions: draws count SHA-256."""
    rounding, quantizing, dice = set(), Counter[str](), set()
    for name, tree in sources():
        rounds, silent = _halves_to_even(tree)
        rounding |= {name} if rounds else set()
        quantizing[name] += silent
        imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        imported |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        dice |= {name} if imported & {"random", "numpy.random"} or attributes & {"default_rng", "RandomState"} else set()
    assert rounding == PIXELS_AND_SECONDS
    assert +quantizing == Counter(EXACT)
    assert dice == set()
