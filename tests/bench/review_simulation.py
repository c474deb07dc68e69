"""`make bench-review`: what official and calibrated scores do to honest and corrupt panels, beside the values the design was chosen by.

Synthetic panels: bids θ ~ N(70, 8²), strictness β ~ N(0, σ_r²), chance e ~ N(0, 8²), totals 0…100. The documented values are those of
the design study (96 trials ±5 points; recall 16 runs ±0.01); ours are printed beside them with their own standard error.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from grants.awards.allocation import Candidate, Category, SelectionRules
from grants.awards.optimum import optimum
from grants.awards.selection import propose
from review.calibration import gibbs, reml
from review.calibration.alarms import robust_t
from review.calibration.model import Table
from review.calibration.reliability import reliability

Floats = NDArray[np.float64]
Score = Callable[[Table], Floats]


def table(bid: NDArray[np.int64], expert: NDArray[np.int64], total: Floats) -> Table:
    """A table from arrays; totals in points."""
    order = np.lexsort((expert, bid))
    _, experts = np.unique(expert[order], return_inverse=True)
    y = np.rint(np.clip(total[order], 0, 100) * 100)
    centre = round(float(y.mean()))
    names = tuple(f"b{n:05}" for n in range(int(bid.max()) + 1))
    return Table(names, tuple(f"e{n:04}" for n in range(int(experts.max()) + 1)), bid[order], experts, y - centre, centre)


# --- scores ------------------------------------------------------------------------------------------------------------------


def by_bid(t: Table, values: Floats) -> list[Floats]:
    return np.split(values, np.cumsum(t.per_bid.astype(int))[:-1])


def mean(t: Table) -> Floats:
    return t.bid_means


def cut(values: Floats) -> float:
    return float(np.sort(values)[1:-1].mean() if len(values) >= 5 else values.mean())


def trimmed(t: Table) -> Floats:
    return np.array([cut(v) for v in by_bid(t, t.y)])


def median(t: Table) -> Floats:
    return np.array([np.median(v) for v in by_bid(t, t.y)])


def zscore(t: Table) -> Floats:
    own = t.over_experts(t.y) / t.per_expert
    spread = np.sqrt(np.maximum(t.over_experts((t.y - own[t.expert]) ** 2) / np.maximum(t.per_expert - 1, 1), 1))
    return t.over_bids((t.y - own[t.expert]) / spread[t.expert]) / t.per_bid


def calibrated(t: Table) -> Floats:
    return reml.fit(t).theta


def calibrated_trimmed(t: Table) -> Floats:
    beta = reml.fit(t).beta
    return np.array([cut(v) for v in by_bid(t, t.y - beta[t.expert])])


METHODS: dict[str, Score] = {
    "mean": mean, "trimmed": trimmed, "median": median, "z-score": zscore, "calibrated": calibrated, "cal.+trim": calibrated_trimmed,
}  # fmt: skip


# --- panels ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Panel:
    """Who scored what, and the truth."""

    theta: Floats
    bid: NDArray[np.int64]
    expert: NDArray[np.int64]
    total: Floats


def panel(
    dice: np.random.Generator,
    bids: int,
    experts: int,
    each: int,
    sigma_r: float,
    fewer: int = 0,
    groups: int = 1,
    shift: float = 0,
    careless: float = 0,
) -> Panel:
    """`each` reviews of every bid, loads even; a third of the bids with `fewer`; experts and bids in separate `groups`.

    careless: share of experts whose totals have the spread of everybody's and nothing to do with the bid.
    """
    theta = dice.normal(70, 8, bids) + np.repeat(dice.normal(0, shift, groups), bids // groups)
    beta = dice.normal(0, sigma_r, experts)
    rows_b, rows_e = [], []
    for g in range(groups):
        own = np.arange(experts // groups) + g * (experts // groups)
        queue: list[int] = []
        for b in range(g * (bids // groups), (g + 1) * (bids // groups)):
            wanted = fewer if fewer and b % 3 == 0 else each
            chosen: list[int] = []
            while len(chosen) < wanted:
                if not queue:
                    queue = dice.permutation(own).tolist()
                at = next((i for i, e in enumerate(queue) if e not in chosen), None)
                if at is None:
                    queue += dice.permutation(own).tolist()
                    continue
                chosen.append(queue.pop(at))
            rows_b += [b] * wanted
            rows_e += chosen
    bid, expert = np.array(rows_b), np.array(rows_e)
    said = np.where((np.arange(experts) < careless * experts)[expert], dice.normal(70, 8, len(bid)), theta[bid]) if careless else theta[bid]
    return Panel(theta, bid, expert, np.clip(said + beta[expert] + dice.normal(0, 8, len(bid)), 0, 100))


def top(values: Floats, share: float = 0.2) -> set[int]:
    return set(np.argsort(-values, kind="stable")[: round(len(values) * share)].tolist())


# --- the corrupt expert ------------------------------------------------------------------------------------------------------

CORRUPT = {
    (3, False): (99, 99, 47, None, 99, 99), (5, False): (90, 42, 25, None, 92, 41), (7, False): (62, 25, 19, None, 73, 26),
    (5, True): (94, 42, 26, None, 100, 52), (7, True): (70, 25, 19, None, 100, 28),
}  # fmt: skip


def corrupt(dice: np.random.Generator, n: int, rivals: bool, trials: int) -> Iterator[tuple[str, float]]:
    """One expert gives 100 to a bid that the method itself ranks 20–40 % (and, with `rivals`, at most 40 to all others): how often it is
    then funded."""
    lifted = dict.fromkeys(METHODS, 0)
    for _ in range(trials):
        p = panel(dice, 100, 20, n, 6)
        honest, place, pick = table(p.bid, p.expert, p.total), int(dice.integers(20, 40)), dice.random()
        for name, score in METHODS.items():
            target = int(np.argsort(-score(honest), kind="stable")[place])
            own = p.expert[p.bid == target]
            t = lied(p, target, int(own[int(pick * len(own))]), rivals)
            lifted[name] += target in top(score(t))
    yield from ((name, 100 * count / trials) for name, count in lifted.items())


def lied(p: Panel, target: int, liar: int, rivals: bool) -> Table:
    total, own = p.total.copy(), p.expert == liar
    if rivals:
        total[own] = np.minimum(total[own], 40)
    total[own & (p.bid == target)] = 100
    return table(p.bid, p.expert, total)


# --- recall ------------------------------------------------------------------------------------------------------------------

RECALL: dict[str, tuple[dict[str, float], tuple[float | None, ...]]] = {
    "equally strict, 25 each": ({"experts": 80, "each": 5, "sigma_r": 0}, (0.757, 0.738, 0.733, 0.746, 0.759, 0.734)),
    "equally strict, 2 each": ({"experts": 1000, "each": 5, "sigma_r": 0}, (0.764, 0.746, 0.716, 0.549, 0.764, 0.751)),
    "σ_r=6, 2 each": ({"experts": 1000, "each": 5, "sigma_r": 6}, (0.712, 0.698, 0.671, 0.543, 0.717, 0.708)),
    "σ_r=6, 5 each": ({"experts": 400, "each": 5, "sigma_r": 6}, (0.714, 0.705, 0.682, 0.699, 0.751, 0.741)),
    "σ_r=6, 25 each": ({"experts": 80, "each": 5, "sigma_r": 6}, (0.717, 0.707, 0.691, 0.747, 0.754, 0.736)),
    "3 reviews": ({"experts": 80, "each": 3, "sigma_r": 6}, (0.648, 0.648, 0.606, 0.702, 0.702, 0.702)),
    "7 reviews": ({"experts": 80, "each": 7, "sigma_r": 6}, (0.759, 0.746, 0.704, 0.785, 0.796, 0.784)),
    "8 panels apart, σ_r=3": (
        {"experts": 80, "each": 5, "sigma_r": 3, "groups": 8, "shift": 6},
        (0.784, 0.771, 0.746, 0.6, 0.795, 0.779),
    ),
    "8 panels apart, σ_r=6": (
        {"experts": 80, "each": 5, "sigma_r": 6, "groups": 8, "shift": 6},
        (0.75, 0.745, None, 0.598, 0.78, 0.773),
    ),
    "8 % score at random": (
        {"experts": 80, "each": 5, "sigma_r": 6, "careless": 0.08},
        (0.680, 0.688, 0.684, 0.727, 0.709, 0.721),
    ),
    "a third with 3 of 5": ({"experts": 80, "each": 5, "sigma_r": 6, "fewer": 3}, (0.695, 0.684, 0.654, 0.73, 0.734, 0.721)),
}


def recall(dice: np.random.Generator, settings: dict[str, float], runs: int) -> Iterator[tuple[float, float]]:
    """For each method the share of the true top fifth found, and its standard error."""
    found: dict[str, list[float]] = {name: [] for name in METHODS}
    for _ in range(runs):
        p = panel(dice, 400, **settings)  # type: ignore[arg-type]
        true, t = top(p.theta), table(p.bid, p.expert, p.total)
        for name, score in METHODS.items():
            found[name].append(len(true & top(score(t))) / len(true))
    yield from ((float(np.mean(v)), float(np.std(v) / np.sqrt(len(v)))) for v in found.values())


# --- bridges -----------------------------------------------------------------------------------------------------------------

BRIDGES = {0: (2.43, 0.731), 1: (2.16, None), 3: (1.85, None), 5: (1.68, None), 10: (1.29, 0.765), 20: (1.02, None), 50: (0.73, None)}


def bridged(dice: np.random.Generator, across: int, runs: int) -> tuple[float, float]:
    """8 panels of 5 experts and 50 bids; each panel also scores `across` bids of the others.

    Returns the standard deviation of the panels' error in points (calibrated minus true, mean of a panel's bids), and the share of the true top fifth found.
    """
    errors, shares = [], []
    for _ in range(runs):
        theta, home = dice.normal(70, 8, 400), np.repeat(np.arange(8), 50)
        beta = dice.normal(0, 6, 40)
        own = [(b, e) for b in range(400) for e in range(home[b] * 5, home[b] * 5 + 5)]
        away = [(b, e) for g in range(8) for b in dice.choice(np.flatnonzero(home != g), across, replace=False) for e in range(g * 5, g * 5 + 5)]
        bid, expert = (np.array(column) for column in zip(*own, *away, strict=True))
        found = reml.fit(table(bid, expert, theta[bid] + beta[expert] + dice.normal(0, 8, len(bid)))).theta / 100
        off = np.array([(found - theta)[home == g].mean() for g in range(8)])
        errors.append(float(((off - off.mean()) ** 2).mean()))
        shares.append(len(top(theta) & top(found)) / 80)
    return float(np.mean(errors)) ** 0.5, float(np.mean(shares))


# --- alarms ------------------------------------------------------------------------------------------------------------------

ALARMS = {"> 20 points": (7.5, 64), "> 30 %": (7.3, 61), "robust t > 2.5": (1.1, 51), "robust t > 3": (0.2, 31)}


def ringing(dice: np.random.Generator, runs: int) -> dict[str, tuple[float, float]]:
    """1 500 reviews, 30 of them ±25 points: per cent of honest ballots flagged, per cent of planted ones caught."""
    counts = {name: [0, 0] for name in ALARMS}
    for _ in range(runs):
        p = panel(dice, 300, 60, 5, 6)
        planted = np.zeros(len(p.total), dtype=bool)
        planted[dice.choice(len(p.total), 30, replace=False)] = True
        total = np.clip(p.total + np.where(planted, 25 * dice.choice([-1, 1], len(p.total)), 0), 0, 100)
        order = np.lexsort((p.expert, p.bid))
        t, bad = table(p.bid, p.expert, total), planted[order]
        y = t.y + t.centre
        others = (t.over_bids(y)[t.bid] - y) / (t.per_bid[t.bid] - 1)
        score = robust_t(reml.fit(t).residuals(t))
        assert score is not None
        flags = (np.abs(y - others) > 2000, np.abs(y - others) > 0.3 * others, np.abs(score) > 2.5, np.abs(score) > 3)
        for name, flag in zip(ALARMS, flags, strict=True):
            counts[name][0] += int((flag & ~bad).sum())
            counts[name][1] += int((flag & bad).sum())
    return {name: (100 * a / (runs * 1470), 100 * b / (runs * 30)) for name, (a, b) in counts.items()}


# --- speed -------------------------------------------------------------------------------------------------------------------


def clocked(work: Callable[[], object]) -> float:
    """CPU seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began


def portfolio(count: int = 3000, seed: int = 1) -> tuple[list[Candidate], SelectionRules]:
    """`count` bids, 12 categories of which 4 with a sub-quota, 16 districts with a ceiling, two awards for each organisation."""
    dice = random.Random(seed)
    scores = sorted((Decimal(dice.randrange(110, 190)) / 2 for _ in range(count)), reverse=True)
    bids = [
        Candidate(f"b{n:05}", f"o{dice.randrange(count * 2 // 3)}", n + 1, s, Decimal(dice.randrange(100, 2000)) * 100,
                  f"c{dice.randrange(12)}", district=f"d{dice.randrange(16)}")
        for n, s in enumerate(scores)
    ]  # fmt: skip
    pool = sum((b.ask for b in bids), Decimal(0)) // 5
    share = (pool / 20).quantize(Decimal("0.01"))
    categories = tuple(Category(f"c{n}", f"c{n}", reserve=share if n < 4 else None) for n in range(12))
    return bids, SelectionRules(
        pool, categories, pass_line=Decimal(60), awards_per_organisation=2, district_cap=(pool / 10).quantize(Decimal("0.01"))
    )


def speed() -> None:
    dice = np.random.default_rng(9)
    p = panel(dice, 4000, 500, 5, 6)
    t = table(p.bid, p.expert, p.total)
    fit = reml.fit(t)
    print(
        f"calibrate 20 000 reviews (4 000 × 500): {clocked(lambda: reml.fit(t)):.2f} CPU s; σ_r {fit.sigma_r / 100:.1f}, σ_e {fit.sigma_e / 100:.1f} of 6, 8"
    )
    print(f"ICC and α with intervals:               {clocked(lambda: reliability(t, None, b's')):.2f} CPU s")
    for bids, experts in ((200, 40), (3000, 500)):
        q = panel(dice, bids, experts, 5, 6)
        small = table(q.bid, q.expert, q.total)
        print(f"3 000 Gibbs sweeps, {len(q.bid)} reviews:       {clocked(lambda small=small: gibbs.draw(small, b's')):.2f} CPU s")
    candidates, rules = portfolio()
    propose(candidates, rules)
    took = min(clocked(lambda: propose(candidates, rules)) for _ in range(3))
    began = time.perf_counter()
    found = optimum(candidates, rules, propose(candidates, rules))
    print(f"two-pass fund line, 3 000 bids:         {took:.3f} CPU s (documented 0.01)")
    print(
        f"proof beside it: {found.status}, {time.perf_counter() - began:.1f} s; fund line {found.behind} % below the optimum (documented 0.19 %)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=400, help="of the corrupt expert, for each row")
    parser.add_argument("--runs", type=int, default=40, help="of the recall table and the alarms, for each row")
    options = parser.parse_args()
    dice = np.random.default_rng(20260401)
    names = "".join(f"{name:>18}" for name in METHODS)
    print(
        f"\nOne corrupt expert: % of bids ranked 20–40 % lifted into the funded fifth; ours / documented (±{250 / options.trials**0.5:.0f} / ±5)\n{'':26}{names}"
    )
    for (n, rivals), known in CORRUPT.items():
        found = dict(corrupt(dice, n, rivals, options.trials))
        cells = "".join(f"{found[m]:10.0f} / {'–' if k is None else k:>5}" for m, k in zip(METHODS, known, strict=True))
        print(f"{f'n={n}' + (', ≤ 40 to rivals' if rivals else ''):26}{cells}")
    print(f"\nShare of the true top fifth found, 400 bids; ours / documented (±0.01)\n{'':26}{names}")
    for name, (settings, known_shares) in RECALL.items():
        rows = list(recall(dice, settings, options.runs))
        cells = "".join(
            f"{v:10.3f} / {'–' if k is None else format(k, '.3f'):>5}" for (v, _), k in zip(rows, known_shares, strict=True)
        )
        print(f"{name:26}{cells}   (our error ±{max(e for _, e in rows):.3f})")
    print("\nEight panels, each also scoring m bids of the others: error of a panel's level in points, top fifth found; ours / documented")
    for across, (error, share) in BRIDGES.items():
        off, found_share = bridged(dice, across, options.runs)
        print(f"m={across:<24}{off:10.2f} / {error:<8}{found_share:10.3f} / {'–' if share is None else format(share, '.3f')}")
    print("\nAlarms: honest flagged %, planted caught %; ours / documented")
    for name, (honest, caught) in ringing(dice, options.runs).items():
        print(f"{name:18}{honest:6.1f} / {ALARMS[name][0]:<6}{caught:6.0f} / {ALARMS[name][1]}")
    print("\nSpeed, one thread")
    speed()


if __name__ == "__main__":
    main()
