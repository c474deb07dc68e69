"""公开抽取: a draw that anybody can repeat. The shuffle and the reading of seats are written out here, the generator in `grants.counting`.

Test vectors (seed = 32 zero bytes): the words begin 2c34ce1df23b838c, 08e00266fff0aacc; more in tests/pure/test_draw.py. Pure.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from grants.counting import Counting

__all__ = [
    "Candidate", "Counting", "Draw", "DrawImpossible", "Seats", "Skip", "draw", "draw_seed", "feasible", "replace_member", "shuffled",
]  # fmt: skip

DOMAIN: Final = b"GY-DRAW-1\0"

SENTENCES: Final[Mapping[str, str]] = {
    "too_few": "评审组需要 %(seats)d 人，可抽取的专家只有 %(available)d 人，缺 %(short)d 人。请先扩充专家库或核对回避名单。",
    "too_few_seat": "“%(seat)s”席位至少需要 %(needed)d 人，可抽取的只有 %(available)d 人。请先扩充该类专家。",
    "too_many_minimum": "各类席位的最低人数合计 %(needed)d 人，超过评审组 %(seats)d 人。请调整评审组构成。",
    "maximum_blocks": "按各类席位的人数上限，最多只能坐满 %(room)d 人，少于 %(seats)d 人。请调整上限或扩充专家库。",
    "conflicted": "回避：%(reason)s",
    "seat_full": "“%(seat)s”席位已满 %(limit)d 人，转为候补。",
    "seats_reserved": "剩余 %(left)d 个席位须留给“%(seats)s”，转为候补。",
    "no_replacement": "候补名单中没有可以接替“%(seat)s”席位的专家。请补充抽取。",
}


class DrawImpossible(ValueError):
    """The pool cannot fill the seats. `rule` is stable, the message is a Chinese sentence with the figures."""

    def __init__(self, rule: str, **figures: object) -> None:
        self.rule = rule
        self.sentence = SENTENCES[rule] % figures
        super().__init__(self.sentence)


def draw_seed(*parts: bytes) -> bytes:
    """32 bytes: SHA-256("GY-DRAW-1\\0" ‖ for each part its length as 8 bytes big-endian ‖ the part).

    Parts in this order: SHA-256 of the canonical pool and rule, the ledger head, what each witness revealed, a public beacon.
    The lengths keep two different lists of parts from meeting in one seed.
    """
    return hashlib.sha256(DOMAIN + b"".join(len(p).to_bytes(8, "big") + p for p in parts)).digest()


def shuffled(items: Iterable[str], seed: bytes) -> tuple[str, ...]:
    """`items` in drawn order: sorted by code point (the order they came in is no secret lever), then Fisher–Yates from the end.

    Raises ValueError when an item stands twice: it would have two lots.
    """
    order = sorted(items)
    if len(set(order)) != len(order):
        raise ValueError("an item stands twice in the pool")
    source = Counting(seed)
    for last in range(len(order) - 1, 0, -1):
        lot = source.below(last + 1)
        order[last], order[lot] = order[lot], order[last]
    return tuple(order)


@dataclass(frozen=True)
class Candidate:
    """An expert in the pool: code, and the one kind of seat (sector, finance, field…) they may take."""

    code: str
    seat: str


@dataclass(frozen=True)
class Seats:
    """How many experts, and of which seats at least and at most."""

    size: int
    minimum: Mapping[str, int] = field(default_factory=dict)
    maximum: Mapping[str, int] = field(default_factory=dict)

    def most(self, seat: str) -> int:
        """The most experts of this seat: its maximum, or the whole panel."""
        return min(self.maximum.get(seat, self.size), self.size)


@dataclass(frozen=True)
class Skip:
    """Somebody who was passed over, with the reason; `alternate` says whether they wait as 候补."""

    code: str
    rule: str
    sentence: str
    alternate: bool


@dataclass(frozen=True)
class Draw:
    """The outcome: the whole drawn order, who sits, who waits (in order), and the log of everybody passed over."""

    order: tuple[Candidate, ...]
    seated: tuple[Candidate, ...]
    alternates: tuple[Candidate, ...]
    skipped: tuple[Skip, ...]


def draw(pool: Sequence[Candidate], seats: Seats, *, seed: bytes, conflicted: Mapping[str, str] | None = None) -> Draw:
    """Draw a panel. conflicted: expert code → why they may not sit (they are logged and never alternates).

    The order is read from the top; one whose seat is full, or who would take a place that a minimum still needs, is passed
    over, logged, and waits with the rest as alternate. Raises DrawImpossible before anything is drawn when the pool cannot do it.
    """
    barred = conflicted or {}
    feasible([c for c in pool if c.code not in barred], seats)
    by_code = {c.code: c for c in pool}
    order = tuple(by_code[code] for code in shuffled((c.code for c in pool), seed))
    seated: list[Candidate] = []
    waiting: list[Candidate] = []
    skipped: list[Skip] = []
    for candidate in order:
        skip = _conflict(candidate, barred) or _no_seat(candidate, seated, seats)
        if skip is None:
            seated.append(candidate)
        elif len(seated) < seats.size or not skip.alternate:
            skipped.append(skip)
        if skip is not None and skip.alternate:
            waiting.append(candidate)
    return Draw(order, tuple(seated), tuple(waiting), tuple(skipped))


def replace_member(outcome: Draw, leaving: str, seats: Seats) -> Draw:
    """`outcome` with the first alternate in drawn order who fits in place of the member `leaving`, who does not come back.

    Raises DrawImpossible when nobody waiting may take the place, ValueError when `leaving` does not sit.
    """
    gone = next((c for c in outcome.seated if c.code == leaving), None)
    if gone is None:
        raise ValueError(f"{leaving} does not sit in this panel")
    staying = [c for c in outcome.seated if c is not gone]
    successor = next((c for c in outcome.alternates if _no_seat(c, staying, seats) is None), None)
    if successor is None:
        raise DrawImpossible("no_replacement", seat=gone.seat)
    seated = tuple(successor if c is gone else c for c in outcome.seated)
    return replace(outcome, seated=seated, alternates=tuple(c for c in outcome.alternates if c is not successor))


def feasible(pool: Sequence[Candidate], seats: Seats) -> None:
    """Refuse what no order could fill. With one seat each, reading from the top then never gets stuck."""
    available = Counter(c.seat for c in pool)
    if (needed := sum(seats.minimum.values())) > seats.size:
        raise DrawImpossible("too_many_minimum", needed=needed, seats=seats.size)
    for seat, least in sorted(seats.minimum.items()):
        if min(available[seat], seats.most(seat)) < least:
            raise DrawImpossible("too_few_seat", seat=seat, needed=least, available=min(available[seat], seats.most(seat)))
    if len(pool) < seats.size:
        raise DrawImpossible("too_few", seats=seats.size, available=len(pool), short=seats.size - len(pool))
    if (room := sum(min(n, seats.most(seat)) for seat, n in available.items())) < seats.size:
        raise DrawImpossible("maximum_blocks", room=room, seats=seats.size)


def _conflict(candidate: Candidate, barred: Mapping[str, str]) -> Skip | None:
    if candidate.code not in barred:
        return None
    return Skip(candidate.code, "conflicted", SENTENCES["conflicted"] % {"reason": barred[candidate.code]}, alternate=False)


def _no_seat(candidate: Candidate, seated: Sequence[Candidate], seats: Seats) -> Skip | None:
    """Why the candidate may not sit beside those who do; None when they may."""
    taken = Counter(c.seat for c in seated)
    if taken[candidate.seat] >= seats.most(candidate.seat):
        figures: dict[str, object] = {"seat": candidate.seat, "limit": seats.most(candidate.seat)}
        return Skip(candidate.code, "seat_full", SENTENCES["seat_full"] % figures, alternate=True)
    missing = {s: n - taken[s] for s, n in sorted(seats.minimum.items()) if n > taken[s]}
    left = seats.size - len(seated)
    if candidate.seat in missing or left > sum(missing.values()):
        return None
    figures = {"left": left, "seats": "、".join(missing)}
    return Skip(candidate.code, "seats_reserved", SENTENCES["seats_reserved"] % figures, alternate=True)
