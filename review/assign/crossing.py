"""Seats and organisations that cross in one bid are no flow: the same question as an integer programme, by HiGHS. In the worker.

Mostly the flow clashes in a few bids only. Then it is mended first: the weaker of two colleagues is taken out and the flow solved again
until none meet. That is lawful and as good as can be in all that comes before affinity; what it lacks to the flow that clashes bounds
what any better assignment may differ by, so pairs whose reduced cost is larger are settled, and the programme is about the few others.

One variable per pair and way into the bid (required seat, open seat strong, open seat weak), one per alternate step of a load. The
objectives come one after the other, each fixed at its optimum before the next: reviews of alternates, evenness, floor (by bisection),
affinity, published hash. All coefficients are whole numbers, the gap asked for is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from review.assign.cut import Short
from review.assign.found import Found, first
from review.assign.instance import Instance, Ints
from review.assign.network import FIRST_ROLE, STRONG, WEAK, Bounds, Shape, gate_room, narrowed, open_row, options_of
from review.assign.problem import Floor, NotSolved

_SECONDS = 240.0
_MENDS = 40


@dataclass
class _Rows:
    """Rows of the programme: lower ≤ Σ coefficient · variable ≤ upper."""

    lower: list[float]
    upper: list[float]
    starts: list[int]
    columns: list[int]
    values: list[float]

    def add(self, columns: Any, lower: float, upper: float, values: Any = None) -> None:
        self.starts.append(len(self.columns))
        self.columns.extend(int(c) for c in columns)
        self.values.extend([1.0] * (len(self.columns) - len(self.values)) if values is None else [float(v) for v in values])
        self.lower.append(lower)
        self.upper.append(upper)


@dataclass(frozen=True)
class _Programme:
    """The variables (pair and option each) and steps (expert and number of the review each) with the rows over them."""

    pair: Ints
    option: Ints
    owner: Ints
    step: Ints
    rows: _Rows

    @property
    def width(self) -> int:
        return len(self.pair) + len(self.owner)


def mended(asked: Instance, relaxed: Found, optimum: Callable[[Instance, Shape], Found]) -> Found | None:
    """The optimum next to a flow that clashes; None where taking colleagues out leads nowhere. Raises NotSolved."""
    out: list[int] = []
    for _ in range(_MENDS):
        try:
            found = optimum(asked, narrowed(relaxed.shape, out=tuple(out)))
        except NotSolved:
            return None
        more = _weaker_colleagues(asked, found)
        if not more:
            lack = _worth(asked, relaxed, relaxed.used) - _worth(asked, relaxed, found.used)
            return replace(relaxed, used=_nearby(asked, relaxed, lack) if lack else found.used, by="programme")
        out += more
    return None


def _weaker_colleagues(asked: Instance, found: Found) -> list[int]:
    """Of colleagues who meet in a bid all but the one who suits it best."""
    organisation = asked.organisation[asked.pair_r[found.used]]
    some = found.used[(organisation >= 0) & ~asked.pair_kept[found.used]]
    place = asked.places(some)
    order = np.lexsort((some, asked.pair_h[some], -asked.pair_a[some], place))
    return [int(at) for at, again in zip(some[order], np.diff(place[order], prepend=-1) == 0, strict=True) if again]


def _worth(asked: Instance, found: Found, used: Ints) -> int:
    return int(found.scale * int(asked.pair_a[used].sum()) - int(asked.pair_h[used].sum()))


def _nearby(asked: Instance, relaxed: Found, lack: int) -> Ints:
    """The optimum among assignments that are worth no more than `lack` less than the flow that clashes."""
    net, price = relaxed.net, relaxed.price
    free = net.arc >= 0
    arc, pair = net.arc[free], net.live[free]
    reduced = net.costs[arc] + price[net.tails[arc]] - price[net.heads[arc]]
    out, settled = pair[reduced > lack], pair[reduced < -lack]
    programme = _programme(asked, narrowed(relaxed.shape, out=tuple(out.tolist())), settled)
    fixed: list[tuple[Ints, int]] = []
    for goal in (_per_pair(programme, -asked.pair_a), _per_pair(programme, asked.pair_h)):
        values = _solved(programme, goal, fixed)
        if values is None:
            raise NotSolved("refused", "HiGHS finds nothing where a lawful assignment is known")
        fixed.append((goal, int(np.rint(values @ goal))))
    return np.unique(programme.pair[values[: len(programme.pair)] > 0.5])


def answer(asked: Instance, wide: Shape, optimum: Callable[[Instance, Shape], Found]) -> Found:
    """The optimum under crossing rules. Raises Short("crossing") when no assignment meets them, NotSolved when HiGHS did not finish.

    optimum: the flow without crossing rules, whose prices bound this one.
    """
    shape = _levelled(asked, wide)
    tau = _floor(asked, shape)
    shape = narrowed(shape, tau=tau)
    programme = _programme(asked, shape)
    fixed: list[tuple[Ints, int]] = []
    for goal in [*_first_goals(asked, programme), _per_pair(programme, -asked.pair_a), _per_pair(programme, asked.pair_h)]:
        values = _solved(programme, goal, fixed)
        assert values is not None
        fixed.append((goal, int(np.rint(values @ goal))))
    used = np.unique(programme.pair[values[: len(programme.pair)] > 0.5])
    relaxed = optimum(asked, shape)
    return replace(relaxed, used=used, by="programme")


def _levelled(asked: Instance, wide: Shape) -> Shape:
    """Without blocks (they were found without the crossing rules); alternates are let in one by one until it fits."""
    bounds, everybody = wide.bounds, Bounds.of(asked, wide.times)
    one = np.zeros_like(bounds.block)
    for level in [0, *sorted({int(x) for x in asked.reserve if x > 0})]:
        open_to = asked.reserve <= level
        hi, lo = np.where(open_to, everybody.hi, 0), np.where(open_to, everybody.lo, 0)
        shape = narrowed(wide, tau=None, bounds=Bounds(lo, hi, one, everybody.totals))
        if _solved(_programme(asked, shape), None, []) is not None:
            return shape
    raise Short("crossing", (), (), (), 0, 0)


def _floor(asked: Instance, shape: Shape) -> int | None:
    """The highest threshold that fits with what comes before it."""
    if asked.options.floor == Floor.NONE:
        return None
    base = _programme(asked, shape)
    before: list[tuple[int, int]] = []
    fixed: list[tuple[Ints, int]] = []
    for at, goal in enumerate(_first_goals(asked, base)):
        values = _solved(base, goal, fixed)
        assert values is not None
        fixed.append((goal, int(np.rint(values @ goal))))
        before.append((at, fixed[-1][1]))

    def holds(n: int) -> bool:
        tried = _programme(asked, narrowed(shape, tau=levels[n]))
        goals = _first_goals(asked, tried)
        return _solved(tried, None, [(goals[at], best) for at, best in before]) is not None

    levels = np.unique(asked.pair_a[~asked.pair_kept])[::-1].tolist()
    top = first(holds, len(levels))
    return None if top is None else int(levels[top])


def _first_goals(asked: Instance, programme: _Programme) -> list[Ints]:
    """What counts before the floor: few reviews by alternates, then even loads."""
    goals = []
    if asked.reserve.any():
        goals.append(_per_pair(programme, (asked.reserve[asked.pair_r] > 0).astype(np.int64)))
    if asked.options.even:
        goals.append(np.concatenate([np.zeros(len(programme.pair), dtype=np.int64), programme.step]))
    return goals


def _per_pair(programme: _Programme, worth: Ints) -> Ints:
    return np.concatenate([worth[programme.pair], np.zeros(len(programme.owner), dtype=np.int64)])


def _programme(asked: Instance, shape: Shape, settled: Ints | None = None) -> _Programme:
    """Variables and rows; settled: pairs that are used in any case."""
    options = options_of(asked, shape.tau, shape.times)
    options[list(shape.out)] = 0
    ways = [STRONG, WEAK, *(FIRST_ROLE << k for k in range(asked.holds.shape[1]))]
    chosen = [(np.flatnonzero(options & way > 0), way) for way in ways]
    pair = np.concatenate([at for at, _way in chosen])
    option = np.concatenate([np.full(len(at), way) for at, way in chosen])
    room = shape.bounds.hi if asked.options.even and settled is None else np.zeros_like(shape.bounds.hi)
    owner = np.repeat(np.arange(asked.experts), room)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(room) - room, room) + 1
    made = _Programme(pair, option, owner, step, _Rows([], [], [], [], []))
    _seat_rows(asked, shape, made)
    _expert_rows(asked, shape, made)
    _block_rows(asked, shape, made)
    _pair_rows(asked, made, np.zeros(0, dtype=np.int64) if settled is None else settled)
    return made


def _gathered(keys: Ints) -> list[tuple[int, Ints]]:
    """(key, places) for each key, in order."""
    order = np.argsort(keys, kind="stable")
    names, starts = np.unique(keys[order], return_index=True)
    return list(zip(names.tolist(), np.split(order, starts[1:]), strict=True)) if len(names) else []


def _seat_rows(asked: Instance, shape: Shape, made: _Programme) -> None:
    bid = asked.pair_b[made.pair]
    seat = np.where(made.option <= WEAK, open_row(asked)[bid], -1)
    for role in range(asked.holds.shape[1]):
        rows = np.full(asked.bids, -1, dtype=np.int64)
        mine = np.flatnonzero(asked.seat_role == role)
        rows[asked.seat_bid[mine]] = mine
        seat = np.where(made.option == FIRST_ROLE << role, rows[bid], seat)
    found = dict(_gathered(seat))
    for row, count in enumerate((asked.seat_count * shape.times).tolist()):
        made.rows.add(found.get(row, ()), count, count)
    weak = np.flatnonzero(made.option == WEAK)
    room = gate_room(asked, shape.times)
    for at, places in _gathered(bid[weak]):
        made.rows.add(weak[places], 0, int(room[at]))


def _expert_rows(asked: Instance, shape: Shape, made: _Programme) -> None:
    mine = dict(_gathered(asked.pair_r[made.pair]))
    steps = dict(_gathered(made.owner))
    none = np.zeros(0, dtype=np.int64)
    for expert in range(asked.experts):
        columns = mine.get(expert, none)
        made.rows.add(columns, int(shape.bounds.lo[expert]), int(shape.bounds.hi[expert]))
        if expert in steps:
            both = np.concatenate([columns, steps[expert] + len(made.pair)])
            made.rows.add(both, 0, 0, [1] * len(columns) + [-1] * len(steps[expert]))


def _block_rows(asked: Instance, shape: Shape, made: _Programme) -> None:
    if len(shape.bounds.totals) > 1:
        for block, columns in _gathered(shape.bounds.block[asked.pair_r[made.pair]]):
            made.rows.add(columns, int(shape.bounds.totals[block]), int(shape.bounds.totals[block]))


def _pair_rows(asked: Instance, made: _Programme, settled: Ints) -> None:
    """A pair is used once, a kept or settled one always; an organisation's experts meet a bid once."""
    always = asked.pair_kept.copy()
    always[settled] = True
    for pair, columns in _gathered(made.pair):
        kept = bool(always[pair])
        if kept or len(columns) > 1:
            made.rows.add(columns, int(kept), 1)
    organisation = asked.organisation[asked.pair_r[made.pair]]
    some = np.flatnonzero((organisation >= 0) & ~asked.pair_kept[made.pair])
    place = asked.places(made.pair[some])
    for _key, places in _gathered(place):
        if len(places) > 1:
            made.rows.add(some[places], 0, 1)


def _solved(made: _Programme, goal: Ints | None, fixed: list[tuple[Ints, int]]) -> Any:
    """Values of the variables at the proven optimum; None when nothing is feasible. goal None: any feasible point."""
    import highspy  # noqa: PLC0415 - only the worker's process loads it

    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in {"output_flag": False, "threads": 1, "mip_rel_gap": 0.0, "mip_abs_gap": 0.5, "time_limit": _SECONDS}.items():
        solver.setOptionValue(name, value)
    solver.passModel(_model(highspy, made, goal, fixed))
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty):
        raise NotSolved("refused", f"HiGHS {solver.modelStatusToString(status)}")
    return np.array(solver.getSolution().col_value)


def _model(highspy: Any, made: _Programme, goal: Ints | None, fixed: list[tuple[Ints, int]]) -> Any:
    lp, rows = highspy.HighsLp(), made.rows
    starts, columns, values = list(rows.starts), list(rows.columns), list(rows.values)
    lower, upper = list(rows.lower), list(rows.upper)
    for before, best in fixed:
        some = np.flatnonzero(before)
        starts.append(len(columns))
        columns.extend(some.tolist())
        values.extend(before[some].tolist())
        lower.append(best - 0.5)
        upper.append(best + 0.5)
    lp.num_col_, lp.num_row_ = made.width, len(lower)
    lp.col_cost_ = np.zeros(made.width) if goal is None else goal.astype(np.float64)
    lp.col_lower_, lp.col_upper_ = np.zeros(made.width), np.ones(made.width)
    lp.row_lower_, lp.row_upper_ = np.array(lower), np.array(upper)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * made.width
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.array([*starts, len(columns)])
    lp.a_matrix_.index_, lp.a_matrix_.value_ = np.array(columns), np.array(values, dtype=np.float64)
    return lp
