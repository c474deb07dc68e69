"""A problem as arrays: sorted, so that the order of the input is no lever, and small enough to hand to another process. Pure, numpy.

The published tie-break of a pair: h = the last two bytes, big-endian, of SHA-256(seed ‖ bid ‖ 0x00 ‖ expert), 0 … 65535; among
assignments of equal affinity the one with the smallest sum of h is taken.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from review.assign.problem import BidNeed, Floor, Options, Problem, Reviewer

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Nodes = npt.NDArray[Any]
"""32 bits: numbers of nodes, arcs and pairs, of which there are millions."""
Narrow = npt.NDArray[Any]
"""16 bits: affinities and hashes."""


@dataclass(frozen=True)
class Instance:
    """Bids and experts by index, in order of code.

    seat_*: one row per bid and required role, and one (role −1) for what anybody may take; a bid's rows stand together, the open
    seat last. holds[r, k]: expert r holds role k. lo, hi, organisation (−1 none), reserve: per expert. pair_*: allowed pairs in
    order of bid and expert, with affinity a, tie hash h, and whether it is kept: 13 bytes each. options as in `problem.Options`.
    """

    need: Ints
    seat_bid: Ints
    seat_role: Ints
    seat_count: Ints
    holds: Flags
    lo: Ints
    hi: Ints
    organisation: Ints
    reserve: Ints
    pair_b: Nodes
    pair_r: Nodes
    pair_a: Narrow
    pair_h: Narrow
    pair_kept: Flags
    seed: bytes = b""
    options: Options = field(default_factory=Options)

    @property
    def bids(self) -> int:
        return len(self.need)

    @property
    def experts(self) -> int:
        return len(self.lo)

    def places(self, pairs: Any) -> Ints:
        """Per pair of these a number for its bid and the expert's organisation; for pairs of one organisation only."""
        bid, organisation = self.pair_b[pairs].astype(np.int64), self.organisation[self.pair_r[pairs]]
        found: Ints = bid * (self.organisation.max(initial=0) + 1) + organisation
        return found

    def packed(self) -> bytes:
        """Arrays and options as bytes, without pickle."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("seed", "options")}
        said = {"seed": self.seed.hex(), "options": {f.name: getattr(self.options, f.name) for f in fields(Options)}}
        return pack({**arrays, "said": np.frombuffer(json.dumps(said).encode(), dtype=np.uint8)})

    @classmethod
    def unpacked(cls, data: bytes) -> Instance:
        arrays = unpack(data)
        said = json.loads(arrays.pop("said").tobytes())
        options = Options(**{**said["options"], "floor": Floor(said["options"]["floor"])})
        return cls(**arrays, seed=bytes.fromhex(said["seed"]), options=options)


def pack(arrays: dict[str, Any]) -> bytes:
    """Named arrays as one npz."""
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, **arrays)
    return held.getvalue()


def unpack(data: bytes) -> dict[str, Any]:
    """The arrays again; objects are refused. Raises ValueError for anything else."""
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def instance_of(problem: Problem) -> Instance:
    """Sort, index, hash. The problem is well formed already."""
    bids = sorted(problem.bids, key=lambda b: b.code)
    experts = sorted(problem.experts, key=lambda e: e.code)
    roles = sorted({role for b in bids for role, n in b.roles.items() if n > 0})
    seats = _seats(problem, roles)
    codes = {e.code: n for n, e in enumerate(experts)}
    names = sorted({e.organisation for e in experts if e.organisation})
    organisations = {name: n for n, name in enumerate(names)}
    pairs = _pairs(problem, {b.code: n for n, b in enumerate(bids)}, codes)
    holds = np.array([[role in e.roles for role in roles] for e in experts], dtype=np.bool_).reshape(len(experts), len(roles))
    return Instance(
        need=_ints(b.reviews for b in bids), seat_bid=seats[0], seat_role=seats[1], seat_count=seats[2], holds=holds,
        lo=_ints(e.min_load for e in experts),
        hi=_ints(len(bids) if e.max_load is None else min(e.max_load, len(bids)) for e in experts),
        organisation=_ints(organisations.get(e.organisation, -1) for e in experts), reserve=_ints(e.reserve for e in experts),
        pair_b=pairs[0], pair_r=pairs[1], pair_a=pairs[2], pair_kept=pairs[3], pair_h=_ties(problem.seed, bids, experts, pairs[0], pairs[1]),
        seed=problem.seed, options=problem.options,
    )  # fmt: skip


def tie(head: bytes, expert: bytes) -> int:
    """h of one pair; head: seed ‖ bid ‖ 0x00."""
    return int.from_bytes(hashlib.sha256(head + expert).digest()[-2:], "big")


def _ties(seed: bytes, bids: list[BidNeed], experts: list[Reviewer], pair_b: Nodes, pair_r: Nodes) -> Narrow:
    heads, tails = [seed + b.code.encode() + b"\0" for b in bids], [e.code.encode() for e in experts]
    rows = zip(pair_b.tolist(), pair_r.tolist(), strict=True)
    return np.fromiter((tie(heads[b], tails[r]) for b, r in rows), dtype=np.uint16, count=len(pair_b))


def _ints(values: Any) -> Ints:
    return np.fromiter(values, dtype=np.int64)


def _seats(problem: Problem, roles: list[str]) -> tuple[Ints, Ints, Ints]:
    """Rows of (bid, role, count) in order; the open seat of a bid is its last row, even when nothing is left open."""
    rows: list[tuple[int, int, int]] = []
    for at, bid in enumerate(sorted(problem.bids, key=lambda b: b.code)):
        rows += [(at, roles.index(role), n) for role, n in sorted(bid.roles.items()) if n > 0]
        rows.append((at, -1, bid.reviews - sum(n for n in bid.roles.values() if n > 0)))
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _pairs(problem: Problem, bids: dict[str, int], experts: dict[str, int]) -> tuple[Nodes, Nodes, Narrow, Flags]:
    """Allowed pairs as (bid, expert, affinity, kept), sorted. Pairs with unknown affinity are no pairs, unless they are kept."""
    barred = {bids[b] * len(experts) + experts[e] for b, e in problem.forbidden if b in bids and e in experts}
    kept = {bids[b] * len(experts) + experts[e] for b, e in problem.kept}
    width = max(len(experts), 1)
    if problem.affinity is None:
        keys = np.arange(len(bids) * len(experts), dtype=np.int64)
        values = np.ones(len(keys), dtype=np.int64)
    else:
        known = problem.affinity
        keys = _ints(bids[b] * width + experts[e] for b, e in known)
        values = _ints(known.values())
    if missing := sorted(kept - set(keys.tolist())) if kept else []:
        keys = np.concatenate([keys, _ints(missing)])
        values = np.concatenate([values, np.ones(len(missing), dtype=np.int64)])
    free = ~np.isin(keys, _ints(sorted(barred)))
    keys, values = keys[free], values[free]
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    stays = np.isin(keys, _ints(sorted(kept)))
    return (keys // width).astype(np.int32), (keys % width).astype(np.int32), values.astype(np.int16), stays
