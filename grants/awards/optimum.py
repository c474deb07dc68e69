"""对照最优解: how far the fund line is from the best that could be done with the same money and limits. Pure; a check, never a decision.

Measured by Σ (score − pass line) × 元: Σ score alone would pay for many cheap bids. Every category gets at least what the fund line gave
it from its own money, so the fund line itself is one of the choices. The optimum is not unique (equal scores, equal amounts): the
published one is canonical, the one with the highest Σ of rank weights among all optima. What the solver says is counted again here,
exactly; without a proof there is no optimum, whatever the solver found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import gcd
from typing import Any

from grants.awards.allocation import Candidate, Proposal, Rollover, SelectionRules
from grants.awards.selection import Book, eligible
from grants.awards.solving import NONE, OPTIMAL, TIME, Answer, Model, solve
from grants.money import ZERO, total, yuan

Solve = Callable[[Model], Answer]
Row = tuple[int | None, int | None, Sequence[int], Sequence[int]]


@dataclass(frozen=True)
class Optimum:
    """The comparison. status: optimal, time_limit or no_answer; unless optimal everything else but the fund line's value is empty.

    value, line_value: Σ (score − pass line) × 元 / 1 000 000, four places. behind: per cent the fund line is below the optimum, two places.
    came, went: bids funded only in the optimum, only by the fund line.
    """

    status: str
    line_value: Decimal
    value: Decimal | None
    behind: Decimal | None
    awarded: Decimal | None
    funded: tuple[str, ...]
    came: tuple[str, ...]
    went: tuple[str, ...]
    sentence_zh: str
    sentence_en: str
    method: str = "GY-OPTIMUM-1"

    def data(self) -> dict[str, Any]:
        """As JSON without floats: decimals as text."""
        return {k: str(v) if isinstance(v, Decimal) else list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def optimum(candidates: Sequence[Candidate], rules: SelectionRules, proposal: Proposal, *, solver: Solve = solve) -> Optimum:
    """Compare the proposal of `selection.propose` for these candidates and rules with the canonical optimum."""
    bids = list(eligible(candidates, rules))
    won = {d.bid: d for d in proposal.decisions if d.awarded}
    line = sum((_gain(c, a, rules) for c, a in bids if c.bid in won), Fraction(0))
    if not bids:
        return _nothing(OPTIMAL, line)
    model = _model(bids, rules, proposal)
    found = solver(model)
    if found.status != OPTIMAL or not _fits(model, found.x):
        return _nothing(found.status if found.status != OPTIMAL else NONE, line)
    chosen = [(c, a) for (c, a), x in zip(bids, found.x, strict=True) if x]
    return _compared(chosen, line, set(won), rules)


def _gain(bid: Candidate, amount: Decimal, rules: SelectionRules) -> Fraction:
    assert bid.score is not None
    return Fraction(bid.score - rules.pass_line) * Fraction(amount)


def _model(bids: Sequence[tuple[Candidate, Decimal]], rules: SelectionRules, proposal: Proposal) -> Model:
    gains = _whole([_gain(c, a, rules) for c, a in bids])
    last = max(c.place or 0 for c, _ in bids)
    weights = [last + 1 - (c.place or 0) for c, _ in bids]
    locked = [c for c in rules.categories if c.rollover is not Rollover.OTHERS and c.reserve is not None]
    rows = [*_limits(bids, rules, proposal), *_money(bids, rules, [(c.code, c.reserve or ZERO) for c in locked])]
    return Model(len(bids), len(locked), [*gains, *[0] * len(locked)], [*weights, *[0] * len(locked)], rows)


def _whole(values: Sequence[Fraction]) -> list[int]:
    """The values as whole numbers without a common divisor."""
    units = [int(v * 10**6) for v in values]  # scores have at most four places, amounts two
    common = gcd(*units) or 1
    return [u // common for u in units]


def _limits(bids: Sequence[tuple[Candidate, Decimal]], rules: SelectionRules, proposal: Proposal) -> Iterator[Row]:
    """Numbers of awards, and each category's share of the first pass."""
    by_category, by_track = _groups(bids, lambda c: c.category), _groups(bids, lambda c: c.track)
    fixed = [(c.code, c.places) for c in rules.categories if c.rollover is not Rollover.OTHERS]
    limits = [(list(range(len(bids))), rules.awards_max)]
    limits += [(own, rules.awards_per_organisation) for own in _groups(bids, lambda c: c.organisation).values()]
    limits += [(by_category.get(code, []), places) for code, places in fixed]
    limits += [(by_track.get(t.code, []), t.places) for t in rules.tracks]
    for own, most in limits:
        if most is not None and len(own) > most:
            yield None, most, own, [1] * len(own)
    reserved = {d.bid: d.amount for d in proposal.decisions if d.rule == "awarded_reserved"}
    for own in by_category.values():
        floor = _fen(total([reserved.get(bids[i][0].bid, ZERO) for i in own]))
        if floor:
            yield _scaled((floor, None, own, [_fen(bids[i][1]) for i in own]))


def _scaled(row: Row) -> Row:
    """The same limit in the largest unit that all amounts are whole numbers of."""
    low, high, positions, values = row
    unit = gcd(*values) or 1
    return (
        None if low is None else -(-low // unit),
        None if high is None else high // unit,
        positions,
        [v // unit for v in values],
    )


def _money(
    bids: Sequence[tuple[Candidate, Decimal]], rules: SelectionRules, locked: Sequence[tuple[str, Decimal]]
) -> Iterator[Row]:
    """Pool, ceilings, tracks, districts, sources."""
    amounts = [_fen(a) for _, a in bids]
    by_category, by_track = _groups(bids, lambda c: c.category), _groups(bids, lambda c: c.track)
    yield from _pool(amounts, _fen(rules.pool), [(by_category.get(code, []), _fen(reserve)) for code, reserve in locked])
    limits = [(by_category.get(c.code, []), c.ceiling) for c in rules.categories]
    limits += [(by_track.get(t.code, []), t.amount) for t in rules.tracks]
    limits += [(own, rules.district_cap) for own in _groups(bids, lambda c: c.district).values()]
    closed = Book(rules, frozenset(by_category)).closed_sets
    limits += [([i for code in sorted(bound) for i in by_category[code]], limit) for _some, bound, limit in closed]
    for own, limit in limits:
        if limit is not None and own:
            yield _scaled((None, _fen(limit), own, [amounts[i] for i in own]))


def _pool(amounts: Sequence[int], pool: int, locked: Sequence[tuple[list[int], int]]) -> Iterator[Row]:
    """The pool. A locked sub-quota counts as used: its free variable is what it has not used."""
    unit = gcd(*amounts, *([pool] if locked else []), *(reserve for _own, reserve in locked))
    first = len(amounts)
    yield None, pool // unit, list(range(first + len(locked))), [*[a // unit for a in amounts], *[1] * len(locked)]
    for n, (own, reserve) in enumerate(locked):
        yield reserve // unit, None, [*own, first + n], [*[amounts[i] // unit for i in own], 1]


def _groups(bids: Sequence[tuple[Candidate, Decimal]], key: Callable[[Candidate], str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for i, (bid, _amount) in enumerate(bids):
        found.setdefault(key(bid), []).append(i)
    return found


def _fen(amount: Decimal) -> int:
    return int(amount * 100)


def _fits(model: Model, x: Sequence[int]) -> bool:
    """Whether every limit holds exactly; free variables take their smallest value, which the pool row then has to bear."""
    if len(x) != model.ones or any(v not in (0, 1) for v in x):
        return False
    values = [*x, *[0] * model.free]
    for low, _high, positions, coefficients in model.rows:
        if low is not None and positions and positions[-1] >= model.ones:
            used = sum(c * values[p] for p, c in zip(positions[:-1], coefficients[:-1], strict=True))
            values[positions[-1]] = max(low - used, 0)
    sums = [sum(c * values[p] for p, c in zip(ps, cs, strict=True)) for _l, _h, ps, cs in model.rows]
    return all(
        (low is None or s >= low) and (high is None or s <= high) for s, (low, high, _p, _c) in zip(sums, model.rows, strict=True)
    )


def _compared(chosen: Sequence[tuple[Candidate, Decimal]], line: Fraction, won: set[str], rules: SelectionRules) -> Optimum:
    best = sum((_gain(c, a, rules) for c, a in chosen), Fraction(0))
    funded = {c.bid for c, _ in chosen}
    behind = _shown((best - line) / best * 100, 2) if best else ZERO
    came, went = tuple(sorted(funded - won)), tuple(sorted(won - funded))
    empty = _nothing(OPTIMAL, line)
    if not came and not went:
        zh, en = "立项建议与可证明的最优解完全一致。", "The proposal is the proven optimum itself."
    else:
        zh = f"立项建议按名次产生，比可证明的最优解低 {behind}%；两者有 {len(came)} 项和 {len(went)} 项不同，仅供对照，不改变立项建议。"
        en = f"The proposal follows the ranking and is {behind} % below the proven optimum; {len(came)} and {len(went)} bids differ. A check only."
    awarded = total([a for _, a in chosen])
    return replace(
        empty, value=_shown(best / 10**6, 4), behind=behind, awarded=awarded, funded=tuple(sorted(funded)), came=came, went=went,
        sentence_zh=f"{zh[:-1]}（最优解共资助 {len(funded)} 项、{yuan(awarded)}）。", sentence_en=en,
    )  # fmt: skip


def _nothing(status: str, line: Fraction) -> Optimum:
    words = {
        OPTIMAL: ("没有可以资助的申报，无须对照。", "No bid can be funded: there is nothing to compare."),
        TIME: (
            "在限定时间内未能证明最优解，不作对照；立项建议不受影响。",
            "No optimum was proven in time: no comparison; the proposal stands.",
        ),
        NONE: (
            "求解未得到可核对的结果，不作对照；立项建议不受影响。",
            "The solver gave no answer that holds: no comparison; the proposal stands.",
        ),
    }
    zh, en = words.get(status, words[NONE])
    return Optimum(status, _shown(line / 10**6, 4), None, None, None, (), (), (), zh, en)


def _shown(value: Fraction, places: int) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
