"""分派: every bid is filled, nobody reviews with a conflict, loads are as even as can be, and a refusal proves itself."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import partial

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from review.assign import Assignment, BidNeed, Infeasible, Options, Pair, Problem, Reviewer
from review.assign import assign as in_a_worker
from review.assign.problem import Floor
from review.flow import Network
from tests.world.assigning import at_once

SEED = b"published"
Asked = partial(Problem, options=Options(floor=Floor.NONE, even=True))
assign = partial(in_a_worker, run=at_once)


def problem(bids: int, experts: int, reviews: int, *, forbidden: frozenset[Pair] = frozenset(), seed: bytes = SEED) -> Problem:
    needs = tuple(BidNeed(f"B{n:02d}", reviews) for n in range(bids))
    return Asked(needs, tuple(Reviewer(f"E{n:02d}") for n in range(experts)), seed, forbidden)


def is_lawful(answer: Assignment, asked: Problem) -> bool:
    per_bid = Counter(b for b, _ in answer.pairs)
    limits = {e.code: e.max_load for e in asked.experts}
    full = all(per_bid[b.code] == b.reviews for b in asked.bids)
    held = all(limit is None or answer.loads[e] <= limit for e, limit in limits.items())
    return full and held and len(set(answer.pairs)) == len(answer.pairs) and not set(answer.pairs) & asked.forbidden


def test_the_demo_size_is_filled_evenly() -> None:
    """60 bids × 15 experts × 5 reviews, three experts with conflicts: 20 each."""
    conflicts = frozenset({("B00", "E00"), ("B01", "E00"), ("B02", "E01"), ("B03", "E02")})
    asked = problem(60, 15, 5, forbidden=conflicts)
    answer = assign(asked)
    assert is_lawful(answer, asked)
    assert set(answer.loads.values()) == {20}


@given(st.randoms(), st.integers(1, 6), st.integers(3, 6))
def test_the_order_of_the_input_is_no_lever(chance: object, bids: int, experts: int) -> None:
    asked = problem(bids, experts, 2)
    needs, people = list(asked.bids), list(asked.experts)
    chance.shuffle(needs)  # type: ignore[attr-defined]
    chance.shuffle(people)  # type: ignore[attr-defined]
    assert assign(Asked(tuple(needs), tuple(people), SEED)) == assign(asked)


def test_another_seed_gives_another_assignment_and_the_same_seed_the_same() -> None:
    assert assign(problem(20, 9, 3)) == assign(problem(20, 9, 3))
    assert assign(problem(20, 9, 3)) != assign(problem(20, 9, 3, seed=b"other"))


def every_assignment(asked: Problem) -> list[Counter[str]]:
    """Loads of all lawful assignments, by brute force (no roles)."""
    choices = []
    for bid in asked.bids:
        free = [e.code for e in asked.experts if (bid.code, e.code) not in asked.forbidden]
        choices.append(list(itertools.combinations(free, bid.reviews)))
    limits = {e.code: e.max_load for e in asked.experts}
    loads = (Counter(itertools.chain(*pick)) for pick in itertools.product(*choices))
    return [x for x in loads if all(limits[e] is None or n <= limits[e] for e, n in x.items())]


small = st.tuples(
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 2), st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3))),
    st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=4, max_size=4),
)  # fmt: skip


def build(case: tuple[int, int, int, set[tuple[int, int]], list[int | None]]) -> Problem:
    bids, experts, reviews, bars, limits = case
    return Asked(
        tuple(BidNeed(f"B{n}", reviews) for n in range(bids)),
        tuple(Reviewer(f"E{n}", max_load=limits[n]) for n in range(experts)),
        SEED,
        frozenset((f"B{b}", f"E{e}") for b, e in bars),
    )


@settings(max_examples=300)
@given(small)
def test_against_brute_force_loads_are_the_most_even_and_refusals_are_true(
    case: tuple[int, int, int, set[tuple[int, int]], list[int | None]],
) -> None:
    asked = build(case)
    possible = every_assignment(asked)
    try:
        answer = assign(asked)
    except Infeasible as refusal:
        assert not possible
        check_witness(refusal, asked)
        return
    assert is_lawful(answer, asked)
    codes = [e.code for e in asked.experts]
    squares = sum(n * n for n in answer.loads.values())
    assert squares == min(sum(x[c] ** 2 for c in codes) for x in possible)
    assert max(answer.loads.values()) == min(max(x[c] for c in codes) for x in possible)
    assert min(answer.loads.values()) == max(min(x[c] for c in codes) for x in possible)


def check_witness(refusal: Infeasible, asked: Problem) -> None:
    """Hall's condition recomputed from the named bids alone: they need more than everybody who may review them can give."""
    needed = sum(b.reviews for b in asked.bids if b.code in refusal.bids)
    limits = {e.code: e.max_load for e in asked.experts}
    can = {e.code: sum((b, e.code) not in asked.forbidden for b in refusal.bids) for e in asked.experts}
    given_ = {e: n if limits[e] is None else min(n, limits[e]) for e, n in can.items() if n}
    assert needed > sum(given_.values())
    assert set(refusal.experts) == set(given_)
    assert f"需 {needed} 份" in refusal.sentence
    if given_:
        assert f"缺 {needed - sum(given_.values())} 份" in refusal.sentence


def test_a_refusal_names_the_bids_and_experts_in_words() -> None:
    bars = frozenset((b, e) for b in ("B01", "B02") for e in ("E00", "E01"))
    asked = Asked(
        tuple(BidNeed(f"B{n:02d}", 2) for n in range(4)), tuple(Reviewer(f"E{n:02d}", max_load=3) for n in range(4)), SEED, bars
    )
    tight = Asked(asked.bids, (*asked.experts[:3], Reviewer("E03", max_load=1)), SEED, bars)
    assert is_lawful(assign(asked), asked)
    with pytest.raises(Infeasible) as refusal:
        assign(tight)
    assert refusal.value.bids == ("B01", "B02")
    assert refusal.value.sentence == (
        "评审力量不足：申报“B01、B02”共需 4 份评审；符合条件且不需回避的专家“E02、E03”按负荷上限至多承担 3 份，缺 1 份。"
    )
    assert "不得放宽回避" in refusal.value.way_out


def test_a_bid_nobody_may_review_is_named() -> None:
    with pytest.raises(Infeasible) as refusal:
        assign(problem(2, 2, 1, forbidden=frozenset({("B01", "E00"), ("B01", "E01")})))
    assert refusal.value.rule == "nobody"
    assert "“B01”" in refusal.value.sentence


def test_required_seats_are_filled_by_experts_who_hold_the_role() -> None:
    experts = tuple(
        Reviewer(f"E{n:02d}", frozenset({"finance"}) if n < 3 else frozenset({"field"}) if n < 6 else frozenset())
        for n in range(12)
    )
    needs = tuple(BidNeed(f"B{n:02d}", 5, {"finance": 1, "field": 2}) for n in range(12))
    asked = Asked(needs, experts, SEED)
    answer = assign(asked)
    assert is_lawful(answer, asked)
    for need in needs:
        mine = answer.experts_of(need.code)
        assert sum(e in ("E00", "E01", "E02") for e in mine) >= 1
        assert sum(e in ("E03", "E04", "E05") for e in mine) >= 2


def test_a_lack_of_one_role_is_told_as_such() -> None:
    experts = (Reviewer("F", frozenset({"finance"}), max_load=2), *(Reviewer(f"E{n}") for n in range(6)))
    with pytest.raises(Infeasible) as refusal:
        assign(Asked(tuple(BidNeed(f"B{n}", 3, {"finance": 1}) for n in range(3)), experts, SEED))
    assert refusal.value.experts == ("F",)
    assert "共需 3 份“finance”评审" in refusal.value.sentence
    assert "缺 1 份" in refusal.value.sentence


def test_one_expert_with_two_roles_fills_one_seat_only() -> None:
    both = Reviewer("X", frozenset({"finance", "field"}))
    need = BidNeed("B", 2, {"finance": 1, "field": 1})
    with pytest.raises(Infeasible):
        assign(Asked((need,), (both, Reviewer("Y")), SEED))
    assert assign(Asked((need,), (both, Reviewer("Y", frozenset({"field"}))), SEED)).experts_of("B") == ("X", "Y")


def test_repair_keeps_every_given_pair_and_fills_only_the_gap() -> None:
    asked = problem(20, 8, 3)
    before = assign(asked)
    gone = "E03"
    kept = frozenset(p for p in before.pairs if p[1] != gone)
    bars = frozenset((b.code, gone) for b in asked.bids)
    repaired = assign(Asked(asked.bids, asked.experts, SEED, bars, kept))
    again = Asked(asked.bids, asked.experts, SEED, bars, kept)
    assert set(repaired.pairs) >= kept
    assert len(repaired.added(again)) == before.loads[gone]
    assert repaired.loads[gone] == 0
    rest = [n for e, n in repaired.loads.items() if e != gone]
    assert max(rest) - min(rest) <= 1


@given(st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=6), small)
def test_repair_is_lawful_whatever_is_kept(
    keep: set[tuple[int, int]], case: tuple[int, int, int, set[tuple[int, int]], list[int | None]]
) -> None:
    base = build(case)
    bids, experts = {b.code for b in base.bids}, {e.code for e in base.experts}
    kept = frozenset((f"B{b}", f"E{e}") for b, e in keep if f"B{b}" in bids and f"E{e}" in experts) - base.forbidden
    assume(kept)
    asked = Asked(base.bids, base.experts, SEED, base.forbidden, kept)
    try:
        answer = assign(asked)
    except Infeasible:
        return
    assert is_lawful(answer, asked)
    assert set(answer.pairs) >= kept


@pytest.mark.parametrize(
    ("kept", "rule"),
    [
        ({("B00", "E00")}, "kept_forbidden"),
        ({("B01", "E01"), ("B02", "E01")}, "kept_overload"),
        ({("B01", "E00"), ("B01", "E01"), ("B01", "E02")}, "kept_too_many"),
    ],
)
def test_a_given_pair_that_may_not_stand_is_refused(kept: set[Pair], rule: str) -> None:
    experts = (Reviewer("E00"), Reviewer("E01", max_load=1), Reviewer("E02"))
    needs = tuple(BidNeed(f"B{n:02d}", 2) for n in range(3))
    with pytest.raises(Infeasible) as refusal:
        assign(Asked(needs, experts, SEED, frozenset({("B00", "E00")}), frozenset(kept)))
    assert refusal.value.rule == rule


def test_codes_given_twice_and_strangers_are_programming_errors() -> None:
    with pytest.raises(ValueError, match="twice"):
        assign(Asked((BidNeed("B", 1), BidNeed("B", 1)), (Reviewer("E"),), SEED))
    with pytest.raises(ValueError, match="strangers"):
        assign(Asked((BidNeed("B", 1),), (Reviewer("E"),), SEED, kept=frozenset({("B", "Z")})))


def test_nothing_to_assign_is_an_answer() -> None:
    assert assign(Asked((), (Reviewer("E"),), SEED)) == Assignment((), {"E": 0})


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 4)), max_size=16))
def test_a_maximum_flow_equals_the_cut_it_leaves(arcs: list[tuple[int, int, int]]) -> None:
    """Max-flow min-cut: what was pushed is the capacity from the reachable side to the rest, so nothing more could be pushed."""
    network = Network()
    numbers = [(a, b, c, network.arc(a, b, c)) for a, b, c in arcs if a != b]
    network.arc(0, 9, 0)
    network.arc(9, 5, 0)
    pushed = network.push(0, 5)
    near = network.reachable(0)
    assert pushed == sum(c for a, b, c, _ in numbers if a in near and b not in near)
    for node in range(1, 5):
        inflow = sum(network.flow_on(k) for _, b, _, k in numbers if b == node)
        assert inflow == sum(network.flow_on(k) for a, _, _, k in numbers if a == node)
    assert all(0 <= network.flow_on(k) <= c for _, _, c, k in numbers)
