"""立项建议: which ranked bids are funded, with how much, and one sentence for every bid why or why not. Pure.

Two passes in score order. First each category takes from the money set aside for it (子额度) what fits; then all the others share
what is left of the pool, except unfilled sub-quotas that may not go to others (不调剂). A bid that no longer fits is skipped, or
ends its queue: the call says which before anyone bids. No award is ever cut to fit the money left.

The pool, its sources and their purposes, ceilings, places and limits per organisation are checked to the fen for every award.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import combinations

from grants.awards.allocation import (
    SENTENCES,
    AmountBand,
    AmountBy,
    Candidate,
    Category,
    Decision,
    FundSource,
    Proposal,
    Rollover,
    RulesContradict,
    SelectionRules,
    Track,
    WhenFull,
)
from grants.money import ZERO, exact, total
from grants.money import yuan as _yuan
from review.draw import shuffled

yuan = lru_cache(maxsize=4096)(_yuan)  # a refusal names the same limits again and again

__all__ = [
    "AmountBand", "AmountBy", "Book", "Candidate", "Category", "Decision", "FundSource", "Proposal", "Rollover", "RulesContradict",
    "SelectionRules", "Track", "WhenFull", "eligible", "propose", "with_lots",
]  # fmt: skip


@dataclass
class Book:
    """What has been decided so far."""

    rules: SelectionRules
    fields: frozenset[str] = frozenset()
    decisions: dict[str, Decision] = field(default_factory=dict)
    by_category: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    by_track: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    category_places: Counter[str] = field(default_factory=Counter)
    track_places: Counter[str] = field(default_factory=Counter)
    held: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    stopped: dict[str, str] = field(default_factory=dict)

    used: Decimal = ZERO
    by_district: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    _locked: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    @property
    def awards(self) -> int:
        return self.category_places.total()

    @cached_property
    def _categories(self) -> dict[str, Category]:
        return {c.code: c for c in self.rules.categories}

    @cached_property
    def _tracks(self) -> dict[str, Track]:
        return {t.code: t for t in self.rules.tracks}

    @cached_property
    def closed_sets(self) -> list[tuple[tuple[FundSource, ...], frozenset[str], Decimal]]:
        """Every set of sources, the categories that the others do not serve, and what the set brings."""
        sources = self.rules.sources
        return [
            (
                some,
                frozenset(c for c in self.fields if not any(s.serves(c) for s in sources if s not in some)),
                total([s.amount for s in some]),
            )
            for size in range(len(sources) + 1 if sources else 0)
            for some in combinations(sources, size)
        ]

    def category(self, code: str) -> Category:
        return self._categories.get(code) or self._categories.setdefault(code, Category(code, code))

    def track(self, code: str) -> Track:
        return self._tracks.get(code) or self._tracks.setdefault(code, Track(code, code))

    def locked(self, *, but: str = "") -> dict[str, Decimal]:
        """Category → money it has not used and nobody else may have."""
        if but not in self._locked:  # until the next award
            self._locked[but] = {c.code: left for c in self.rules.categories if c.code != but and (left := self._unused(c)) > 0}
        return self._locked[but]

    def _unused(self, category: Category) -> Decimal:
        if category.rollover is Rollover.OTHERS:
            return ZERO
        if category.reserve is not None:
            return category.reserve - self.by_category[category.code]
        if category.places is None:
            return ZERO
        open_places = replace(category, places=category.places - self.category_places[category.code])
        return _set_aside(open_places, self.rules)

    def award(self, bid: Candidate, amount: Decimal, rule: str, **figures: object) -> None:
        """Book an award and its sentence."""
        self._locked.clear()
        self.used += amount
        self.by_district[bid.district] += amount
        self.by_category[bid.category] += amount
        self.by_track[bid.track] += amount
        self.category_places[bid.category] += 1
        self.track_places[bid.track] += 1
        self.held[bid.organisation].append(bid.bid)
        figures |= {"place": bid.place, "amount": yuan(amount), "pool": yuan(self.rules.pool)}
        used = self.by_category[bid.category] if rule == "awarded_reserved" else self.used
        sentence = SENTENCES[rule] % {**figures, "used": yuan(used)}
        self.decisions[bid.bid] = Decision(bid.bid, awarded=True, amount=amount, rule=rule, sentence=sentence)

    def refuse(self, bid: Candidate, refusal: tuple[str, dict[str, object]]) -> None:
        """Book a refusal."""
        rule, figures = refusal
        self.decisions[bid.bid] = Decision(bid.bid, awarded=False, amount=ZERO, rule=rule, sentence=SENTENCES[rule] % figures)


Refusal = tuple[str, dict[str, object]]
"""Rule and the figures of its sentence; `queue` among them where lack of money refuses: that queue ends under `stop`."""


def propose(candidates: Sequence[Candidate], rules: SelectionRules) -> Proposal:
    """The proposal. Candidates in any order; equal places are taken in order of bid code (let the lot decide before).

    Raises RulesContradict when reserves exceed the pool or sources do not cover it, or a recommendation exceeds its ask;
    NotMoney for amounts that are none. The pool is never exceeded: checked again before the proposal is returned.
    """
    _consistent(candidates, rules)
    book = Book(rules, frozenset(c.category for c in candidates))
    queue = _queue(candidates)
    open_bids = list(_eligible(queue, book))
    _reserved_pass(open_bids, book)
    _open_pass(open_bids, book)
    assert book.used <= rules.pool, "awards exceed the pool"
    decisions = tuple(_with_lot(book.decisions[c.bid], c, rules) for c in queue)
    return Proposal(decisions, book.used, rules.pool - book.used, dict(book.by_category), book.locked())


def with_lots(candidates: Sequence[Candidate], rules: SelectionRules, seed: bytes) -> list[Candidate]:
    """The candidates with a lot for each bid of the grey band: those whose score is at most `grey_band` points from the lowest score that
    the fund line reaches. Without a band in the rules, or with a single bid in it, they are returned as they are.

    seed: published; the lot depends on it and on the codes in the band only (`review.draw.shuffled`).
    """
    won = {d.bid for d in propose(candidates, rules).decisions if d.awarded}
    scores = [c.score for c in candidates if c.bid in won and c.score is not None]
    if rules.grey_band is None or not scores:
        return list(candidates)
    line, band = min(scores), rules.grey_band
    equal = [c.bid for c, _ in eligible(candidates, rules) if c.score is not None and abs(c.score - line) <= band]
    lots = {bid: n for n, bid in enumerate(shuffled(equal, seed), start=1)} if len(equal) > 1 else {}
    return [replace(c, lot=lots.get(c.bid)) for c in candidates]


def _queue(candidates: Sequence[Candidate]) -> list[Candidate]:
    """In order of place; those with a lot stand together where the first of them stood, in order of lot."""
    first = min((c.place or 0 for c in candidates if c.lot is not None), default=0)
    return sorted(candidates, key=lambda c: (c.place is None, first if c.lot is not None else c.place or 0, c.lot or 0, c.bid))


def _with_lot(decision: Decision, bid: Candidate, rules: SelectionRules) -> Decision:
    if bid.lot is None:
        return decision
    return replace(decision, sentence=decision.sentence + SENTENCES["lot"] % {"band": rules.grey_band, "lot": bid.lot})


def _consistent(candidates: Sequence[Candidate], rules: SelectionRules) -> None:
    if len({c.bid for c in candidates}) != len(candidates):
        raise RulesContradict("twice", "同一申报在立项建议中出现两次。")
    if (reserved := total([_set_aside(c, rules) for c in rules.categories])) > rules.pool:
        raise RulesContradict("reserves", f"各领域子额度合计 {yuan(reserved)}，超过资助总额 {yuan(rules.pool)}。")
    if rules.sources and (brought := total([s.amount for s in rules.sources])) < rules.pool:
        raise RulesContradict("sources", f"各来源资金合计 {yuan(brought)}，不足资助总额 {yuan(rules.pool)}。")
    for c in candidates:
        if c.recommended is not None and exact(c.recommended) > exact(c.ask):
            raise RulesContradict("over_ask", f"申报“{c.bid}”的建议金额 {yuan(c.recommended)} 超过申请金额 {yuan(c.ask)}。")


def _set_aside(category: Category, rules: SelectionRules) -> Decimal:
    """The sub-quota in 元; one given in places counts each place at its cap; ZERO where nothing is set aside."""
    if category.reserve is not None:
        return category.reserve
    cap = category.cap if category.cap is not None else rules.cap
    return cap * category.places if category.places is not None and cap is not None else ZERO


def eligible(candidates: Sequence[Candidate], rules: SelectionRules) -> list[tuple[Candidate, Decimal]]:
    """Bids that may be funded at all, in order of place, with the 元 they would get."""
    return list(_eligible(_queue(candidates), Book(rules)))


def _eligible(queue: Sequence[Candidate], book: Book) -> Iterator[tuple[Candidate, Decimal]]:
    """Bids that may be funded at all, with their amount; the others are refused here."""
    for bid in queue:
        if bid.place is None or bid.score is None:
            book.refuse(bid, ("unranked", {}))
        elif bid.score < book.rules.pass_line:
            book.refuse(bid, ("below_line", {"score": bid.score, "line": book.rules.pass_line}))
        elif (amount := _amount(bid, book)) is None:
            rule = "no_band" if book.rules.amount_by is AmountBy.BAND else "no_amount"
            book.refuse(bid, (rule, {"score": bid.score}))
        else:
            yield bid, amount


def _amount(bid: Candidate, book: Book) -> Decimal | None:
    """What the bid would get, 元: never over its ask nor over the caps of call, category and track."""
    base: Decimal | None = bid.ask
    if book.rules.amount_by is AmountBy.RECOMMENDED:
        base = bid.recommended
    elif book.rules.amount_by is AmountBy.BAND:
        bands = [b for b in book.rules.bands if bid.score is not None and bid.score >= b.at_least]
        base = max(bands, key=lambda b: b.at_least).amount if bands else None
    caps = [book.rules.cap, book.category(bid.category).cap, book.track(bid.track).cap, bid.ask]
    return None if not base else exact(min([base, *(c for c in caps if c is not None)]))


def _reserved_pass(bids: Sequence[tuple[Candidate, Decimal]], book: Book) -> None:
    """Each category from its own money, in score order. What does not fit here may still fit in the open pass."""
    ended: set[str] = set()
    for bid, amount in bids:
        category = book.category(bid.category)
        if category.code in ended or not _fits_reserve(category, amount, book):
            if book.rules.when_full is WhenFull.STOP:
                ended.add(category.code)
            continue
        if _limits(bid, amount, book) is None and _money(bid, amount, book) is None:
            quota = yuan(category.reserve) if category.reserve is not None else f"{category.places} 个名额"
            book.award(bid, amount, "awarded_reserved", category=category.name, quota=quota)


def _fits_reserve(category: Category, amount: Decimal, book: Book) -> bool:
    if category.reserve is None and category.places is None:
        return False
    in_money = category.reserve is None or book.by_category[category.code] + amount <= category.reserve
    return in_money and (category.places is None or book.category_places[category.code] < category.places)


def _open_pass(bids: Sequence[tuple[Candidate, Decimal]], book: Book) -> None:
    """Everybody else in score order, from what is left and not locked."""
    for bid, amount in bids:
        if bid.bid in book.decisions:
            continue
        refusal = _limits(bid, amount, book) or _stopped(bid, book) or _money(bid, amount, book)
        if refusal is None:
            book.award(bid, amount, "awarded")
            continue
        book.refuse(bid, refusal)
        if book.rules.when_full is WhenFull.STOP and "queue" in refusal[1]:
            book.stopped.setdefault(str(refusal[1]["queue"]), bid.bid)


def _limits(bid: Candidate, amount: Decimal, book: Book) -> Refusal | None:
    """Limits that have nothing to do with money left: they refuse one bid and never end the queue."""
    rules, held = book.rules, book.held[bid.organisation]
    if rules.awards_per_organisation is not None and len(held) >= rules.awards_per_organisation:
        return "organisation", {"held": len(held), "others": "、".join(held), "limit": rules.awards_per_organisation}
    if rules.awards_max is not None and book.awards >= rules.awards_max:
        return "awards_max", {"limit": rules.awards_max}
    category, track = book.category(bid.category), book.track(bid.track)
    if category.rollover is not Rollover.OTHERS and _full(category.places, book.category_places[bid.category]):
        return "places", {"group": category.name, "limit": category.places}
    if _full(track.places, book.track_places[bid.track]):
        return "places", {"group": track.name, "limit": track.places}
    return None


def _full(places: int | None, taken: int) -> bool:
    return places is not None and taken >= places


def _stopped(bid: Candidate, book: Book) -> Refusal | None:
    for queue in ("pool", f"category:{bid.category}", f"track:{bid.track}", f"district:{bid.district}"):
        if queue in book.stopped:
            return "stopped", {"blocker": book.stopped[queue]}
    return None


def _money(bid: Candidate, amount: Decimal, book: Book) -> Refusal | None:
    category, track = book.category(bid.category), book.track(bid.track)
    for name, queue, limit, used in (
        (category.name, f"category:{bid.category}", category.ceiling, book.by_category[bid.category]),
        (track.name, f"track:{bid.track}", track.amount, book.by_track[bid.track]),
        (bid.district, f"district:{bid.district}", book.rules.district_cap, book.by_district[bid.district]),
    ):
        if limit is not None and used + amount > limit:
            figures = {"limit": yuan(limit), "used": yuan(used), "left": yuan(limit - used)}
            return "ceiling", {"group": name, "queue": queue, "amount": yuan(amount), **figures}
    return _pool(bid, amount, book) or _sources(bid, amount, book)


def _pool(bid: Candidate, amount: Decimal, book: Book) -> Refusal | None:
    """The pool, less what has been awarded and what is locked for other categories."""
    locked = total(list(book.locked(but=bid.category).values()))
    left = book.rules.pool - book.used - locked
    if amount <= left:
        return None
    words = SENTENCES["locked"] % {"locked": yuan(locked)} if locked else ""
    figures = {"pool": yuan(book.rules.pool), "used": yuan(book.used), "left": yuan(max(left, ZERO))}
    return "pool", {"queue": "pool", "locked": words, "amount": yuan(amount), **figures}


def _sources(bid: Candidate, amount: Decimal, book: Book) -> Refusal | None:
    """Hall's condition: for every set of sources, what only they may pay must not exceed what they bring (few: all sets)."""
    for some, bound, limit in book.closed_sets:
        if bid.category in bound:
            used = total([book.by_category[c] for c in bound])
            if used + amount > limit:
                figures = {"limit": yuan(limit), "used": yuan(used), "left": yuan(limit - used), "amount": yuan(amount)}
                names = {"category": book.category(bid.category).name, "sources": "、".join(s.name for s in some) or "无"}
                return "source", {"queue": f"category:{bid.category}", **names, **figures}
    return None
