"""参考分析: what a panel's sealed ballots say beside the official result — strictness, certainty, agreement, what hangs on what. Pure.

Nothing of it decides unless the rules of the call chose calibrated scores before opening. The same ballots, terms and seed give the same
bytes on any machine (see `review.calibration`); whoever has them can make the analysis again and compare its hash.

Calibration is done on whole ballots: where there are several stages, on the weighted total of the experts who scored all of them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import count

import numpy as np

from grants.ledger import canonical
from review.calibration import gibbs, model, reml
from review.calibration.alarms import alarms
from review.calibration.findings import Alarm, Analysis, BidView, ExpertView, Histogram, Refusal, Robust, Words
from review.calibration.numbers import published
from review.calibration.official import strictness
from review.calibration.reliability import Reliability, Share, reliability
from review.calibration.sensitivity import Ballot, Bench, Fund, Terms, order_of, score_with, totals_of, trimmed
from review.calibration.words import connection_words, reliability_words
from review.scoring import Criterion, rounded

__all__ = [
    "Alarm", "Analysis", "Ballot", "BidView", "ExpertView", "Histogram", "Official", "Refusal", "Reliability", "Robust", "Share", "Terms",
    "Words", "analyse", "canonical_bytes", "digest", "fund_line",
]  # fmt: skip

SEED = b"gongchuang"
FAST = 500
"""Bids from which only every fifth draw is kept."""


@dataclass(frozen=True)
class Official:
    """The official score and rank of a bid, as published; None: no result."""

    score: Decimal | None
    rank: int | None


@dataclass(frozen=True)
class _Line:
    """The fund line as a function of an order; `gibbs.Line` is the same for draws."""

    asks: Mapping[str, int]
    pool: int | None
    places: int | None
    pass_line: Decimal
    stop: bool

    def __call__(self, order: Sequence[tuple[str, Decimal]]) -> frozenset[str]:
        asks = [self.asks.get(bid, 0) for bid, _ in order]
        line = gibbs.Line(self.places, self.pool, asks, float(self.pass_line), self.stop)
        won = line.funded(range(len(order)), [float(score) for _, score in order])
        return frozenset(order[i][0] for i in won)


def fund_line(
    asks: Mapping[str, Decimal] | None = None, *, pool: Decimal | None = None, places: int | None = None,
    pass_line: Decimal = Decimal(0), stop: bool = False,
) -> Fund:  # fmt: skip
    """Who is funded in a given order: while the pool (元) lasts, at most `places`, nobody below the pass line; skip or stop."""
    fen = {bid: int(ask * 100) for bid, ask in (asks or {}).items()}
    return _Line(fen, None if pool is None else int(pool * 100), places, pass_line, stop)


def analyse(
    ballots: Sequence[Ballot], *, terms: Terms, criteria: Sequence[Criterion] = (), bids: Sequence[str] = (),
    official: Mapping[str, Official] | None = None, funded: frozenset[str] | None = None, fund: Fund | None = None,
    groups: Mapping[str, str] | None = None, seed: bytes = SEED, rule: str = "trimmed", least_bridges: int = 10,
) -> Analysis:  # fmt: skip
    """The analysis of a panel's ballots. bids: all bids, those without a ballot too; official: the published result (without: counted
    here by `terms`); fund: who is funded in a given order (without: the better half), `fund.afresh` the same where chance plays a part and other
    ballots would have thrown other dice; groups: bid → panel or field.

    Raises ValueError for two ballots of one expert for one bid and stage, ScoreRefused for totals that give no score.
    """
    if len({(b.bid, b.expert, b.stage) for b in ballots}) != len(ballots):
        raise ValueError("two ballots of one expert for one bid and stage")
    ordered = sorted(ballots, key=lambda b: (b.bid, b.stage, b.expert))
    everyone = sorted({*bids, *(b.bid for b in ballots)})
    result = dict(official) if official is not None else counted(ordered, terms)
    return _Work(
        ordered, terms, criteria, everyone, result, fund or _better_half(result), funded, groups, seed, rule, least_bridges
    ).done()


def counted(ballots: Sequence[Ballot], terms: Terms) -> dict[str, Official]:
    """The official result by the terms alone; equal scores share a rank."""
    scores = score_with(totals_of(ballots), terms, trimmed(terms.trim, terms.decimals))
    better = sorted(scores.values(), reverse=True)
    return {bid: Official(score, better.index(score) + 1) for bid, score in scores.items()}


def _better_half(official: Mapping[str, Official]) -> Fund:
    ranked = sum(1 for each in official.values() if each.score is not None)
    return fund_line(places=ranked // 2)


def canonical_bytes(analysis: Analysis) -> bytes:
    """The analysis as canonical JSON (RFC 8785)."""
    return canonical.encode(analysis.data())


def digest(analysis: Analysis) -> str:
    """SHA-256 over the canonical bytes, hex."""
    return hashlib.sha256(canonical_bytes(analysis)).hexdigest()


@dataclass(frozen=True)
class _Work:
    """One analysis being made."""

    ballots: Sequence[Ballot]
    terms: Terms
    criteria: Sequence[Criterion]
    everyone: Sequence[str]
    official: Mapping[str, Official]
    fund: Fund
    given: frozenset[str] | None
    groups: Mapping[str, str] | None
    seed: bytes
    rule: str
    least: int

    @cached_property
    def whole(self) -> list[tuple[str, str, Decimal]]:
        """(bid, expert, weighted total over the stages), of those who scored every stage."""
        stages, cells = self.terms.weights(), defaultdict[tuple[str, str], dict[str, Decimal]](dict)
        for ballot in self.ballots:
            cells[ballot.bid, ballot.expert][ballot.stage] = ballot.total
        return [
            (bid, expert, rounded(sum((Fraction(w) * Fraction(totals[s]) / 100 for s, w in stages.items()), Fraction(0))))
            for (bid, expert), totals in sorted(cells.items())
            if totals.keys() >= stages.keys()
        ]

    @cached_property
    def table(self) -> model.Table | None:
        return model.Table.of(self.whole) if self.whole else None

    @cached_property
    def fit(self) -> model.Fit | None:
        return None if self.table is None else reml.fit(self.table)

    @cached_property
    def connection(self) -> model.Connection | None:
        return None if self.table is None else model.connection(self.table, self.groups, least=self.least)

    @cached_property
    def draws(self) -> gibbs.Draws | None:
        if self.table is None:
            return None
        return gibbs.draw(self.table, self.seed, keep_every=1 if len(self.table.bids) <= FAST else 5)

    @property
    def refusal(self) -> Refusal:
        """Why there is no calibrated order; the first reason that holds."""
        table = self.table
        if table is None or len(table.bids) < 3 or len(table.experts) < 2:
            return Refusal.TOO_FEW
        if table.n == len(table.bids):
            return Refusal.ONE_REVIEW
        if (table.y == table.y[0]).all():
            return Refusal.NO_SPREAD
        return Refusal.NONE if self.connection is None or self.connection.comparable else Refusal.UNBRIDGED

    @cached_property
    def calibrated(self) -> dict[str, Decimal]:
        """Bid → calibrated final score, with the points beside the experts'; empty where it cannot be estimated."""
        if self.table is None or self.fit is None or self.refusal in (Refusal.TOO_FEW, Refusal.ONE_REVIEW):
            return {}
        values = (self.fit.theta + self.table.centre) / 100
        return {bid: self._final(bid, published(float(v))) for bid, v in zip(self.table.bids, values, strict=True)}

    def _final(self, bid: str, experts: Decimal) -> Decimal:
        beside = (self.terms.others or {}).get(bid, Decimal(0))
        return rounded(Fraction(self.terms.experts_weight) * Fraction(experts) / 100 + Fraction(beside))

    @cached_property
    def ranks(self) -> dict[str, int]:
        return {bid: each.rank for bid, each in self.official.items() if each.rank is not None}

    @cached_property
    def scores(self) -> dict[str, Decimal]:
        return {bid: each.score for bid, each in self.official.items() if each.score is not None}

    @cached_property
    def funded(self) -> frozenset[str]:
        """As decided; without a decision by the fund line."""
        in_order = sorted(self.scores.items(), key=lambda row: (self.ranks.get(row[0], len(self.ranks) + 1), row[0]))
        return self.given if self.given is not None else self.fund(in_order)

    @cached_property
    def certainty(self) -> dict[str, tuple[int, int, Decimal]]:
        """Bid → lowest and highest rank of the 90 % interval, P(funded). Empty where draws mean nothing."""
        if self.table is None or self.draws is None or self.refusal is not Refusal.NONE:
            return {}
        final = self._final_draws(self.draws, self.table)
        rows = zip(self.table.bids, gibbs.rank_intervals(final.ranks()), self._shares(final, self.table), strict=True)
        return {bid: (*interval, share) for bid, interval, share in rows}

    def _final_draws(self, draws: gibbs.Draws, table: model.Table) -> gibbs.Draws:
        """Draws of the final score in points: the experts' part by its weight, the other parts as they are."""
        weight, others = float(self.terms.experts_weight) / 100, self.terms.others or {}
        beside = np.array([float(others.get(bid, 0)) for bid in table.bids])
        return gibbs.Draws((draws.theta + table.centre) / 100 * weight + beside, draws.variances)

    def _shares(self, final: gibbs.Draws, table: model.Table) -> list[Decimal]:
        if isinstance(self.fund, _Line):
            asks = [self.fund.asks.get(bid, 0) for bid in table.bids]
            line = gibbs.Line(self.fund.places, self.fund.pool, asks, float(self.fund.pass_line), self.fund.stop)
            return gibbs.funded_shares(final, line)
        return gibbs.shares_by(final, table.bids, _afresh(self.fund))

    def done(self) -> Analysis:
        too_little = self.table is None or self.refusal in (Refusal.TOO_FEW, Refusal.ONE_REVIEW)
        rel = None if too_little or self.table is None else reliability(self.table, self.draws, self.seed)
        known = self.fit is not None and self.fit.shrinkage is not None
        return Analysis(
            rule=self.rule, refusal=self.refusal, bids=tuple(self._bids()), experts=tuple(self._experts()), criteria=tuple(self._criteria()),
            reliability=rel, reliability_words=reliability_words(rel), robust=self._robust(), connection=self.connection,
            connection_words=connection_words(self.connection, self.least), alarms=self._alarms(), changing=self._changing(),
            shrinkage=published(self.fit.shrinkage or 0.0) if known and self.fit else None,
            sigma_expert=published(self.fit.sigma_r / 100) if known and self.fit else None,
            sigma_chance=published(self.fit.sigma_e / 100) if known and self.fit else None,
            unused=len({(b.bid, b.expert) for b in self.ballots}) - len(self.whole),
        )  # fmt: skip

    def _robust(self) -> tuple[Robust, ...]:
        if not self.scores:
            return ()
        off = self._off() if self.rule == "calibrated" else {}
        bench = Bench(self.ballots, self.terms, self.criteria, self.scores, self.ranks, self.fund, self.funded, off)
        calibrated = self.calibrated if self.calibrated and self.refusal is Refusal.NONE else None
        return (*bench.experts(), *bench.weights(), *bench.rules(calibrated))

    def _off(self) -> dict[tuple[str, str], Decimal]:
        """(stage, expert) → the strictness that the official scores have taken off."""
        found: dict[tuple[str, str], Decimal] = {}
        for stage in self.terms.weights():
            own: dict[str, dict[str, Decimal]] = defaultdict(dict)
            for ballot in self.ballots:
                if ballot.stage == stage:
                    own[ballot.bid][ballot.expert] = ballot.total
            found |= {(stage, code): points for code, points in strictness(own).items()}
        return found

    def _alarms(self) -> tuple[Alarm, ...]:
        return () if self.table is None or self.fit is None else alarms(self.table, self.fit)

    def _changing(self) -> Decimal | None:
        if not self.certainty:
            return None
        return rounded(sum((min(p, 1 - p) for _l, _h, p in self.certainty.values()), Decimal(0)), 1)

    def _bids(self) -> list[BidView]:
        by_bid: dict[str, list[Decimal]] = defaultdict(list)
        for bid, _expert, total in self.whole:
            by_bid[bid].append(total)
        order = [bid for bid, _ in order_of(self.calibrated, self.ranks)] if self.refusal is not Refusal.UNBRIDGED else []
        places = {bid: place for place, bid in enumerate(order, start=1)}
        return [self._bid(bid, by_bid[bid], places.get(bid)) for bid in self.everyone]

    def _bid(self, bid: str, totals: list[Decimal], place: int | None) -> BidView:
        result = self.official.get(bid, Official(None, None))
        mean = rounded(sum((Fraction(t) for t in totals), Fraction(0)) / len(totals)) if totals else None
        low, high, p = self.certainty.get(bid, (None, None, None))
        return BidView(
            bid, len(totals), result.score, result.rank, bid in self.funded, mean, self.calibrated.get(bid), place, low, high, p
        )

    def _experts(self) -> list[ExpertView]:
        own: dict[str, list[Decimal]] = defaultdict(list)
        for _bid, expert, total in self.whole:
            own[expert].append(total)
        return [self._expert(code, sorted(totals)) for code, totals in sorted(own.items())]

    def _expert(self, code: str, totals: list[Decimal]) -> ExpertView:
        known = self.fit is not None and self.fit.shrinkage is not None and len(totals) > 1
        strictness = trust = None
        if known and self.fit is not None and self.table is not None and self.fit.shrinkage is not None:
            strictness = published(float(self.fit.beta[self.table.experts.index(code)]) / 100)
            trust = published(100 * len(totals) / (len(totals) + self.fit.shrinkage), 0)
        return ExpertView(code, len(totals), known, strictness, trust, five_numbers(totals))

    def _criteria(self) -> list[Histogram]:
        return [_histogram(c, [b.marks[c.code] for b in self.ballots if c.code in b.marks]) for c in self.criteria]


def _afresh(fund: Fund) -> Fund:
    """The rule of funding with dice of its own for every draw, where chance plays a part in it."""
    afresh: Callable[[Sequence[tuple[str, Decimal]], int], frozenset[str]] | None = getattr(fund, "afresh", None)
    if afresh is None:
        return fund
    times = count()
    return lambda order: afresh(order, next(times))


def five_numbers(ordered: Sequence[Decimal]) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal]:
    """Lowest, lower quartile, median, upper quartile, highest of sorted values; quartiles by linear interpolation, two places."""
    return (_quartile(ordered, 0), _quartile(ordered, 1), _quartile(ordered, 2), _quartile(ordered, 3), _quartile(ordered, 4))


def _quartile(ordered: Sequence[Decimal], quarter: int) -> Decimal:
    whole, part = divmod((len(ordered) - 1) * quarter, 4)
    after = ordered[min(whole + 1, len(ordered) - 1)]
    return rounded(Fraction(ordered[whole]) + (Fraction(after) - Fraction(ordered[whole])) * Fraction(part, 4))


def _histogram(criterion: Criterion, marks: Sequence[Decimal]) -> Histogram:
    counts = [0] * 10
    for mark in marks:
        counts[min(int(mark * 10 / criterion.top), 9)] += 1
    mean = rounded(sum((Fraction(m) for m in marks), Fraction(0)) / len(marks)) if marks else None
    return Histogram(criterion.code, criterion.name, tuple(counts), len(marks), mean)
