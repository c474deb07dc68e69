"""校准: estimates against independent oracles, and every edge case with its numbers. Figures are points unless said."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from review.calibration import gibbs, numbers, reml
from review.calibration.alarms import alarms
from review.calibration.fdistribution import f_quantile
from review.calibration.model import Table, connection, normal_matrix
from review.calibration.official import calibrated, strictness
from review.calibration.reliability import alpha, icc1, mean_squares, needed, reliability
from review.scoring import ScoreRefused, Trim, panel_score

D = Decimal
Rows = list[tuple[str, str, Decimal]]


def simulated(bids: int, experts: int, each: int, seed: int = 1, spread: tuple[float, float, float] = (8, 6, 8)) -> Rows:
    """Totals with known spreads of bids, experts and chance."""
    dice = np.random.default_rng(seed)
    theta, beta = dice.normal(70, spread[0], bids), dice.normal(0, spread[1], experts)
    rows = []
    for b in range(bids):
        for e in dice.choice(experts, each, replace=False):
            total = min(max(theta[b] + beta[e] + dice.normal(0, spread[2]), 0), 100)
            rows.append((f"b{b:03}", f"e{e:03}", D(round(total * 100)).scaleb(-2)))
    return rows


# --- numbers that are the same everywhere -----------------------------------------------------------------------------------


def test_logarithm_and_quantile_agree_with_scipy() -> None:
    x = np.exp(np.random.default_rng(0).normal(0, 20, 2000))
    assert np.abs(numbers.ln(x) - np.log(x)).max() < 1e-13
    assert [numbers.ln1(float(v)) for v in x[:50]] == numbers.ln(x[:50]).tolist()
    p = np.concatenate((np.random.default_rng(0).random(2000), [1e-15, 1e-6, 0.075, 0.925, 1 - 1e-9]))
    assert np.abs(numbers.quantile(p) - stats.norm.ppf(p)).max() < 1e-12


def test_the_stream_is_shake_256_read_as_its_page_says() -> None:
    block = hashlib.shake_256(b"GY-CALIBRATION-1\0test\0seed" + (0).to_bytes(8, "big")).digest(24)
    words = [int.from_bytes(block[i : i + 8], "big") for i in (0, 8, 16)]
    assert numbers.Stream(b"seed", "test").uniform(3).tolist() == [((w >> 12) + 0.5) / 2**52 for w in words]


def test_the_stream_is_normal_and_chi_square() -> None:
    assert stats.kstest(numbers.Stream(b"1", "n").normal(20000), "norm").pvalue > 0.001
    for freedom in (1, 2, 7, 400):
        chi = numbers.ChiSquare(numbers.Stream(b"1", "c"))
        assert stats.kstest([chi.draw(freedom) for _ in range(4000)], stats.chi2(freedom).cdf).pvalue > 0.001


@given(st.integers(1, 4000), st.integers(1, 4000), st.sampled_from([0.05, 0.5, 0.95]))
@settings(max_examples=30, deadline=None)
def test_f_quantiles_agree_with_scipy(top: int, bottom: int, p: float) -> None:
    assert f_quantile(p, top, bottom) == pytest.approx(stats.f.ppf(p, top, bottom), rel=1e-6)


# --- REML against dense likelihoods -----------------------------------------------------------------------------------------


def dense(rows: Rows, shrinkage: float) -> tuple[float, np.ndarray, np.ndarray]:
    """−2 restricted log-likelihood (σ_e² profiled out) by generalised least squares with the full covariance matrix; θ̂ and β̂."""
    rows = sorted(rows)
    bids, experts = sorted({r[0] for r in rows}), sorted({r[1] for r in rows})
    y = np.array([float(r[2]) * 100 for r in rows])
    x = np.array([[r[0] == b for b in bids] for r in rows], dtype=float)
    z = np.array([[r[1] == e for e in experts] for r in rows], dtype=float)
    v = np.eye(len(rows)) + z @ z.T / shrinkage
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    theta = np.linalg.solve(information, x.T @ inverse @ y)
    left = y - x @ theta
    freedom = len(rows) - len(bids)
    logs = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    return freedom * np.log(left @ inverse @ left / freedom) + logs, theta, z.T @ inverse @ left / shrinkage


@pytest.mark.parametrize(("bids", "experts", "each", "seed"), [(20, 6, 4, 1), (30, 30, 3, 2), (12, 5, 5, 3), (40, 8, 2, 4)])
def test_reml_agrees_with_generalised_least_squares_and_a_library_optimiser(
    bids: int, experts: int, each: int, seed: int
) -> None:
    rows = simulated(bids, experts, each, seed)
    table = Table.of(rows)
    fit = reml.fit(table)
    assert fit.shrinkage is not None
    best = optimize.minimize_scalar(
        lambda s: dense(rows, float(np.exp(s)))[0], bounds=(0, np.log(1000)), method="bounded", options={"xatol": 1e-9}
    )
    assert dense(rows, fit.shrinkage)[0] == pytest.approx(best.fun, abs=1e-6)
    _value, theta, beta = dense(rows, fit.shrinkage)
    assert fit.theta + table.centre == pytest.approx(theta, abs=1e-6)
    assert fit.beta == pytest.approx(beta, abs=1e-6)


def test_the_likelihood_differs_from_the_dense_one_by_a_constant_only() -> None:
    rows = simulated(15, 6, 3, 9)
    table = Table.of(rows)
    spread = table.y - table.bid_means[table.bid]
    likelihood = reml.Likelihood(reml.reduced(*normal_matrix(table)), float(spread @ spread), table.n - len(table.bids))
    gaps = [likelihood(s) - dense(rows, s)[0] for s in (1.0, 2.5, 17.0, 400.0)]
    assert gaps == pytest.approx([gaps[0]] * 4, abs=1e-7)


def test_known_spreads_are_found_again() -> None:
    fit = reml.fit(Table.of(simulated(1000, 120, 5, 7)))
    assert (fit.sigma_r / 100, fit.sigma_e / 100) == pytest.approx((6, 8), abs=0.7)


@given(st.permutations(range(40)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_ballots_changes_no_bit(order: list[int]) -> None:
    rows = simulated(10, 5, 4, 5)
    one, other = reml.fit(Table.of(rows)), reml.fit(Table.of([rows[i] for i in order]))
    assert one.theta.tobytes() == other.theta.tobytes()
    assert one.beta.tobytes() == other.beta.tobytes()


# --- edge cases with their numbers ------------------------------------------------------------------------------------------


def one_review_expert() -> Rows:
    """Five experts on five bids, four of them on a sixth that one more expert, who has no other review, gives 30: 30, 68, 70, 71.7, 78.3."""
    others = [("e0", "68"), ("e1", "70"), ("e2", "71.7"), ("e3", "78.3")]
    table = ["73 67 76 78 63", "65 71 74 80 71", "72 77 78 82 75", "68 76 77 78 67", "74 78 77 86 76"]
    rows = [(f"b{b}", f"e{e}", D(v)) for b, row in enumerate(table, start=1) for e, v in enumerate(row.split())]
    return [("b0", "x", D(30)), *(("b0", e, D(t)) for e, t in others), *rows]


def test_an_expert_with_one_review_cannot_be_corrected() -> None:
    """The design study: mean 63.6, trimmed mean 69.9, calibrated 63.5, β = −16.6. The 30 looks like strictness, but a single review cannot tell
    strictness from chance: only n/(n + λ) of it is taken. Ours is −16.75 = (30 − 63.5)/(1 + λ) at λ = 1, the bound where the search ends here;
    −16.6 is the same formula at λ = 1.018, where a bounded search ends that never asks its bound itself."""
    table = Table.of(one_review_expert())
    fit = reml.fit(table)
    bid, x = table.bids.index("b0"), table.experts.index("x")
    totals = {r[1]: r[2] for r in one_review_expert() if r[0] == "b0"}
    assert panel_score(totals, Trim(1, 1, 5)).value == D("69.90")
    assert table.bid_means[bid] + table.centre == pytest.approx(6360)
    assert fit.shrinkage == pytest.approx(1, abs=1e-5)
    assert ((fit.theta[bid] + table.centre) / 100, fit.beta[x] / 100) == (pytest.approx(63.5, abs=0.05), pytest.approx(-16.75, abs=0.005))
    _value, theta, beta = dense(one_review_expert(), 1.018)
    assert (theta[bid] / 100, beta[x] / 100) == (pytest.approx(63.5, abs=0.05), pytest.approx(-16.6, abs=0.05))


@pytest.mark.parametrize(("reviews", "percent"), [(1, "36"), (5, "74"), (25, "93")])
def test_how_much_of_an_experts_own_data_counts(reviews: int, percent: str) -> None:
    """n/(n + λ) at the study's λ = 1.8: 1 review 36 %, 5 reviews 74 %, 25 reviews 93 %; the formula of `ExpertView.trust`."""
    assert numbers.published(100 * reviews / (reviews + 1.8), 0) == D(percent)


def test_with_one_review_for_each_expert_the_calibrated_order_is_the_order_of_means() -> None:
    """Nobody can be told strict from honest; λ is free and moves nothing."""
    dice = np.random.default_rng(3)
    rows = [(f"b{b}", f"e{b}{k}", D(int(dice.integers(4000, 9900))).scaleb(-2)) for b in range(8) for k in range(4)]
    table = Table.of(rows)
    assert reml.fit(table).theta == pytest.approx(table.bid_means, abs=1e-6)


def test_equal_scores_have_no_spread_and_no_logarithm_of_zero() -> None:
    table = Table.of([(f"b{b}", f"e{e}", D(80)) for b in range(5) for e in range(5)])
    fit = reml.fit(table)
    assert not fit.beta.any()
    assert gibbs.draw(table, b"s") is None
    found = reliability(table, None, b"s")
    assert not found.spread
    assert found.icc1.value is found.alpha.value is found.needed is None
    assert alarms(table, fit)[0].kind == "constant"


def test_bids_apart_and_experts_agreed_need_no_logarithm_of_zero_either() -> None:
    table = Table.of([(f"b{b}", f"e{e}", D(60 + b)) for b in range(5) for e in range(5)])
    assert not reml.fit(table).beta.any()
    assert icc1(table).value == D("1.000")
    assert reliability(table, gibbs.draw(table, b"s", sweeps=600), b"s").alpha.value == D("1.000")


def test_an_expert_who_always_gives_100_is_lenient_and_an_alarm() -> None:
    dice = np.random.default_rng(4)
    rows = [
        (f"b{b:02}", f"e{e}", D(round((70 + 5 * np.sin(b) + dice.normal(0, 4)) * 100)).scaleb(-2))
        for b in range(20)
        for e in range(4)
    ]
    rows += [(f"b{b:02}", "x", D(100)) for b in range(20)]
    table = Table.of(rows)
    fit = reml.fit(table)
    lenient = float(fit.beta[table.experts.index("x")] - np.delete(fit.beta, table.experts.index("x")).mean()) / 100
    assert lenient == pytest.approx(30, abs=2)
    assert fit.beta[table.experts.index("x")] / 100 == pytest.approx(23.04, abs=0.01)
    constant = [a for a in alarms(table, fit) if a.kind == "constant"]
    assert [(a.expert, a.figure) for a in constant] == [("x", D("100.00"))]
    assert "20 份" in constant[0].words.zh


def test_a_bias_of_24_8_needs_the_others_31_points_lower() -> None:
    """The design study's always-100 expert has β = +24.8. β is centred over the five experts: 4/5 of the distance, so the others stood at 69 on
    average; with 70 ours has +23.04 (the test above), with a table whose mean is 31 points lower than 100 and no chance in it, +24.8."""
    rows = [(f"b{b:02}", f"e{e}", D(69 + b % 3 - 1)) for b in range(21) for e in range(4)] + [(f"b{b:02}", "x", D(100)) for b in range(21)]
    table = Table.of(rows)
    fit = reml.fit(table)
    assert fit.shrinkage is not None
    kept = 21 / (21 + fit.shrinkage)
    assert fit.beta[table.experts.index("x")] / 100 == pytest.approx(24.8 * kept, abs=0.005)


def test_two_separate_panels_keep_their_difference_and_may_not_be_compared() -> None:
    """The better panel's bids are 12 points better: all 12 stay, none is given to its experts."""
    first = simulated(20, 5, 5, 8, (4, 0.01, 3))
    second = [(f"c{b}", f"f{e}", t + 12) for b, e, t in first]
    table = Table.of([*first, *second])
    theta = reml.fit(table).theta
    assert (theta[20:].mean() - theta[:20].mean()) / 100 == pytest.approx(12, abs=1e-6)
    found = connection(table)
    assert (found.parts, found.groups, found.comparable) == (2, 2, False)
    assert set(found.bridges.values()) == {0}
    with pytest.raises(ScoreRefused) as refused:
        strictness({b: {e: t for x, e, t in [*first, *second] if x == b} for b in table.bids})
    assert refused.value.rule == "unbridged"


def random_theta(y: np.ndarray, bids: np.ndarray, experts: np.ndarray, spread: tuple[float, float, float]) -> np.ndarray:
    """BLUP of random θ in the two-way model with known σ_b, σ_r, σ_e: the oracle for what we do not do. bids, experts: incidence."""
    b, r, e = (s * s for s in spread)
    v = b * bids @ bids.T + r * experts @ experts.T + e * np.eye(len(y))
    inverse, one = np.linalg.inv(v), np.ones(len(y))
    return b * bids.T @ inverse @ (y - one @ inverse @ y / (one @ inverse @ one))


def test_twelve_points_between_panels_by_fixed_random_and_standardised_scores() -> None:
    """The design study: fixed θ keeps 12.0, random θ 7.4, z-scores 0.0. Ours is the first; the others are counted here to see what they would do.
    7.4 is what 20 bids and 5 experts a panel give at σ = (8, 2.6, 8); the stricter the experts are allowed to be, the less stays (σ_r = 6: 3.5)."""
    panel = np.array([[70 + 4 * np.sin(b) + np.cos(3 * b + e) for e in range(5)] for b in range(20)])
    y = np.concatenate([panel.ravel(), panel.ravel() + 12])
    bids, experts = np.kron(np.eye(40), np.ones((5, 1))), np.kron(np.eye(2), np.kron(np.ones((20, 1)), np.eye(5)))

    def apart(theta: np.ndarray) -> float:
        return float(theta[20:].mean() - theta[:20].mean())

    table = Table.of([(f"{'ac'[p]}{b:02}", f"{'ef'[p]}{e}", D(f"{panel[b, e] + 12 * p:.2f}")) for p in range(2) for b in range(20) for e in range(5)])
    assert apart(reml.fit(table).theta) / 100 == pytest.approx(12.0, abs=1e-6)
    assert apart(random_theta(y, bids, experts, (8, 2.6, 8))) == pytest.approx(7.4, abs=0.05)
    assert apart(random_theta(y, bids, experts, (8, 6, 8))) == pytest.approx(3.5, abs=0.05)
    standard = [(p - p.mean(axis=0)) / p.std(axis=0, ddof=1) for p in (panel, panel + 12)]
    assert apart(np.concatenate([s.mean(axis=1) for s in standard])) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("bridging", "fit"), [(1, False), (9, False), (10, True)])
def test_ten_bridges_into_every_panel_are_needed(bridging: int, fit: bool) -> None:
    """One bridging review connects the table in form only."""
    rows = [(f"{p}{b:02}", f"{p}e{e}", D(70 + b % 5 + e)) for p in "ab" for b in range(12) for e in range(5)]
    rows += [(f"b{b:02}", "ae0", D(70)) for b in range(bridging)] + [(f"a{b:02}", "be0", D(70)) for b in range(bridging)]
    table = Table.of(rows)
    found = connection(table, {bid: bid[0] for bid in table.bids})
    assert found.parts == 1
    assert found.bridges == {"a": bridging, "b": bridging}
    assert found.comparable is fit


def test_without_a_second_review_nothing_is_estimated() -> None:
    fit = reml.fit(Table.of([(f"b{n}", f"e{n % 2}", D(60 + n)) for n in range(6)]))
    assert fit.shrinkage is None
    assert not fit.beta.any()


def test_unequal_numbers_of_reviews_leave_values_unbiased() -> None:
    """A third of the bids with 3 instead of 5 reviews: their calibrated values are not drawn to the middle."""
    gaps = []
    for seed in range(12):
        rows = simulated(90, 20, 5, seed)
        seen: dict[str, int] = {}
        fewer = []
        for b, e, t in rows:
            seen[b] = seen.get(b, 0) + 1
            if int(b[1:]) % 3 or seen[b] <= 3:
                fewer.append((b, e, t))
        theta, whole = (dict(zip(t.bids, reml.fit(t).theta + t.centre, strict=True)) for t in (Table.of(fewer), Table.of(rows)))
        top = sorted(whole, key=lambda b: -whole[b])[:15]
        gaps += [theta[b] - whole[b] for b in top if int(b[1:]) % 3 == 0]
    assert abs(np.mean(gaps)) / 100 < 1.5


def test_fewer_reviews_make_the_interval_wider() -> None:
    """Three reviews instead of five: the draws of those bids' θ spread by about √(5/3) = 1.29 as much."""
    rows = [(b, e, t) for b, e, t in simulated(60, 60, 5, 4) if not (int(b[1:]) % 2 and sum(1 for x, f, _t in simulated(60, 60, 5, 4) if x == b and f < e) >= 3)]
    table = Table.of(rows)
    draws = gibbs.draw(table, b"s", sweeps=1500)
    assert draws is not None
    spread, few = draws.theta.std(axis=0), np.array([table.per_bid[i] == 3 for i in range(60)])
    assert few.sum() == 30
    assert 1.1 < spread[few].mean() / spread[~few].mean() < 1.5


@pytest.mark.parametrize("rows", [[], [("b", "e", D(1)), ("b", "e", D(2))], [("b", "e", D("1.001"))]])
def test_a_table_refuses_what_is_no_table(rows: Rows) -> None:
    with pytest.raises(ValueError, match=r"ballots|places"):
        Table.of(rows)


# --- ICC and alpha by hand --------------------------------------------------------------------------------------------------

FOUR = {"a": (9, 2, 5, 8), "b": (6, 1, 3, 2), "c": (8, 4, 6, 8), "d": (7, 1, 2, 6), "e": (10, 5, 6, 9), "f": (6, 2, 4, 7)}


def test_icc_of_the_textbook_table() -> None:
    """Shrout and Fleiss (1979), table 2: BMS 11.24, WMS 6.26, ICC(1,1) = .17."""
    table = Table.of([(b, str(e), D(v)) for b, row in FOUR.items() for e, v in enumerate(row)])
    squares = mean_squares(table)
    assert squares is not None
    assert (round(squares[0] / 1e4, 2), round(squares[1] / 1e4, 2), squares[2]) == (11.24, 6.26, 4)
    assert icc1(table).value == D("0.166")
    ratio = squares[0] / squares[1]
    low, high = ratio / stats.f.ppf(0.95, 5, 18), ratio * stats.f.ppf(0.95, 18, 5)
    assert (float(icc1(table).low or 0), float(icc1(table).high or 0)) == pytest.approx(
        ((low - 1) / (low + 3), (high - 1) / (high + 3)), abs=6e-4
    )


def test_krippendorffs_alpha_of_his_own_table_with_missing_ballots() -> None:
    """Krippendorff (2011), example C: interval α = 0.849 over the same 40 pairable values."""
    coders = ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."]
    rows = [(f"u{u:02}", f"c{c}", D(v)) for c, row in enumerate(coders) for u, v in enumerate(row.split()) if v != "."]
    assert alpha(Table.of(rows), b"s").value == D("0.849")


def test_alpha_by_pairs() -> None:
    """α from its definition over all pairs of one bid and all pairs at all."""
    rows = simulated(12, 5, 3, 6)
    values = {b: [float(t) for x, _e, t in rows if x == b] for b in {r[0] for r in rows}}
    n = len(rows)
    within = sum((x - y) ** 2 / (len(v) - 1) for v in values.values() for x in v for y in v) / n
    everything = [x for v in values.values() for x in v]
    between = sum((x - y) ** 2 for x in everything for y in everything) / (n * (n - 1))
    assert float(alpha(Table.of(rows), b"s").value or 0) == pytest.approx(1 - within / between, abs=6e-4)


def test_reviews_needed_for_a_target() -> None:
    """ICC 0.39 needs 7 reviews for 0.80; no agreement, no number."""
    assert needed(D("0.39"), D("0.80")) == 7
    assert needed(D(1), D("0.80")) == 1
    assert needed(D("0.000"), D("0.80")) is needed(None, D("0.80")) is None


# --- draws ------------------------------------------------------------------------------------------------------------------


def test_draws_recover_the_variances_and_their_intervals_cover_the_truth() -> None:
    """Over 10 panels the 90 % rank interval holds the true rank in about nine of ten bids."""
    inside = of = 0
    for seed in range(10):
        dice = np.random.default_rng(seed)
        theta, beta = dice.normal(70, 8, 30), dice.normal(0, 4, 10)
        rows = [(f"b{b:02}", f"e{e}", D(round(min(max(theta[b] + beta[e] + dice.normal(0, 7), 0), 100) * 100)).scaleb(-2))
                for b in range(30) for e in dice.choice(10, 5, replace=False)]  # fmt: skip
        draws = gibbs.draw(Table.of(rows), b"cover", sweeps=1500, burn=300)
        assert draws is not None
        true = np.argsort(np.argsort(-theta)) + 1
        for (low, high), rank in zip(gibbs.rank_intervals(draws.ranks()), true, strict=True):
            inside += low <= rank <= high
            of += 1
    assert 0.85 < inside / of < 0.95


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    table = Table.of(simulated(12, 5, 4))
    one, two, other = (gibbs.draw(table, s, sweeps=600) for s in (b"a", b"a", b"b"))
    assert one is not None
    assert two is not None
    assert other is not None
    assert one.theta.tobytes() == two.theta.tobytes() != other.theta.tobytes()


def test_golden_bytes_of_draws_and_estimates() -> None:
    """What any machine must get: a change of generator, order of adding or formula shows here."""
    table = Table.of([(b, str(e), D(v)) for b, row in FOUR.items() for e, v in enumerate(row)])
    draws, fit = gibbs.draw(table, b"golden", sweeps=600), reml.fit(table)
    assert draws is not None
    found = hashlib.sha256(draws.theta.tobytes() + fit.theta.tobytes() + fit.beta.tobytes()).hexdigest()
    assert found == "50ceb2dc737c089bb6ace4b13587e78ef2b4c71d7b7a40956efccd2ef8cbb71f"


def test_a_fund_line_in_a_draw_skips_or_stops_and_keeps_the_pass_line() -> None:
    order, values = [0, 1, 2, 3], [90.0, 80.0, 70.0, 50.0]
    line = gibbs.Line(pool=100, asks=[60, 50, 40, 10])
    assert line.funded(order, values) == [0, 2]
    assert gibbs.Line(pool=100, asks=[60, 50, 40, 10], stop=True).funded(order, values) == [0]
    assert gibbs.Line(places=3, pass_line=75).funded(order, values) == [0, 1]
    assert gibbs.Line(pool=1000, asks=[60, 50, 40, 10], places=1).funded(order, values) == [0]


# --- alarms -----------------------------------------------------------------------------------------------------------------


def test_a_planted_ballot_is_found_and_honest_strictness_is_not() -> None:
    rows = [(b, e, t - 15 if e == "e000" else t) for b, e, t in simulated(60, 10, 5, 3, (6, 2, 3)) if t > 30]
    at = next(i for i, r in enumerate(rows) if r[1] == "e005")
    rows[at] = (*rows[at][:2], rows[at][2] - 25)
    table = Table.of(rows)
    found = [a for a in alarms(table, reml.fit(table)) if a.kind == "residual"]
    assert (found[0].expert, found[0].bid) == ("e005", rows[at][0])
    assert sum(a.expert == "e000" for a in found) <= 2, "a strict expert is not an alarm"


def test_a_copied_ballot_is_found_and_independent_ones_are_not() -> None:
    rows = simulated(40, 8, 8, 11, (6, 3, 6))
    table = Table.of(rows)
    assert not [a for a in alarms(table, reml.fit(table)) if a.kind == "copy"]
    copied = [(b, "e007", next(t for x, e, t in rows if (x, e) == (b, "e006"))) if e == "e007" else (b, e, t) for b, e, t in rows]
    table = Table.of(copied)
    found = [a for a in alarms(table, reml.fit(table)) if a.kind == "copy"]
    assert [(a.expert, a.other, a.figure) for a in found] == [("e006", "e007", D("1.00"))]
    assert "40 份总分相同" in found[0].words.zh


# --- calibrated as the official rule ----------------------------------------------------------------------------------------


def test_strictness_is_taken_off_as_published_and_stays_in_range() -> None:
    totals = {"a": {"x": D(90), "y": D(70)}, "b": {"x": D(85), "y": D(66)}, "c": {"x": D(88), "y": D(69)}}
    off = strictness(totals)
    assert off["x"] == -off["y"] == D("7.25"), "half the gap, three of its four parts: n/(n + λ) with λ at its bound"
    assert off["x"] == round(off["x"], 2)
    assert calibrated(D(90), off["x"]) == D(90) - off["x"]
    assert calibrated(D(99), D(-5)) == D(100)
    assert calibrated(D(2), D(5)) == D(0)
    assert strictness({}) == {}
