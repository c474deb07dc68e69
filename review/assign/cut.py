"""Why nothing fits: the minimum cut as a set of bids that need more than a set of experts can give (Hall's condition). In the worker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from review.assign.instance import Instance, Ints
from review.assign.network import FIRST_ROLE, STRONG, Bounds, Network, Shape, build, open_row
from review.assign.solving import fits


@dataclass(frozen=True)
class Short(Exception):
    """The cut by index: rule, bids, experts, roles (−1: a seat open to everybody), and its figures in reviews."""

    rule: str
    bids: tuple[int, ...]
    experts: tuple[int, ...]
    roles: tuple[int, ...]
    needed: int
    possible: int
    same: bool = False

    def figures(self) -> dict[str, Any]:
        """As JSON."""
        return {**{k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items() if not k.startswith("__")}}


def short(asked: Instance, shape: Shape) -> Short:
    """Seats on the source side of the minimum cut lack reviews; what crosses it is all they can be given."""
    net = build(asked, shape, np.zeros(len(asked.pair_b), dtype=np.int64))
    gap, near, _far = fits(net)
    rows = np.flatnonzero(near[: len(asked.seat_bid)] & (net.supply[: len(asked.seat_bid)] > 0))
    needed = int(net.supply[rows].sum())
    mine = _takers(asked, net, rows)
    bids, experts = np.unique(asked.seat_bid[rows]), np.unique(asked.pair_r[mine])
    roles = tuple(sorted({int(x) for x in asked.seat_role[rows]}))
    same = bool(net.group[np.isin(net.live, mine)].max(initial=-1) >= 0)
    rule = "short" if len(experts) else "nobody"
    return Short(rule, _plain(bids), _plain(experts), roles, needed, needed - gap, same)


def _takers(asked: Instance, net: Network, rows: Ints) -> Ints:
    """Pairs that could fill one of these seats and are not kept."""
    seats = np.zeros(len(asked.seat_bid), dtype=np.bool_)
    seats[rows] = True
    bid = asked.pair_b[net.live]
    could = (net.options & STRONG > 0) & seats[open_row(asked)[bid]]
    for role in range(asked.holds.shape[1]):
        wanted = np.zeros(asked.bids, dtype=np.bool_)
        wanted[asked.seat_bid[seats & (asked.seat_role == role)]] = True
        could |= (net.options & (FIRST_ROLE << role) > 0) & wanted[bid]
    return net.live[could & (net.arc >= 0)]


def refuse_idle(asked: Instance, times: int) -> None:
    """Raises Short when the minimum loads alone cannot be met: experts who are to get more than the bids they may review have room for.

    What an expert keeps is part of the least they get.
    """
    if not asked.lo.any():
        return
    bounds, held = Bounds.of(asked, times), np.bincount(asked.pair_r[asked.pair_kept], minlength=asked.experts)
    floor, room = np.maximum(bounds.lo, held), int(bounds.totals[0])
    wanted = int(floor.sum())
    if wanted > room:
        raise Short("idle", _plain(np.arange(asked.bids)), _plain(np.flatnonzero(floor > 0)), (), wanted, room)
    least = Bounds(np.zeros_like(floor), floor, bounds.block, np.array([wanted]))
    net = _lazy(build(asked, Shape(least, times=times), np.zeros(len(asked.pair_b), dtype=np.int64)), room - wanted)
    gap, _near, far = fits(net)
    if gap:
        experts = np.flatnonzero(far[net.experts : net.experts + asked.experts] & (floor > 0))
        bids = np.unique(asked.pair_b[np.isin(asked.pair_r, experts)])
        needed = int(floor[experts].sum())
        raise Short("idle", _plain(bids), _plain(experts), (), needed, needed - gap)


def _lazy(net: Network, spare: int) -> Network:
    """The same network with a way past the experts for reviews that nobody has to give."""
    seats = np.flatnonzero(net.supply[: net.experts] > 0)
    aside = len(net.supply)
    supply = np.append(net.supply, -spare)
    tails, heads = np.concatenate([net.tails, seats]), np.concatenate([net.heads, np.full(len(seats), aside)])
    caps = np.concatenate([net.caps, net.supply[seats]])
    costs = np.concatenate([net.costs, np.zeros(len(seats), dtype=np.int64)])
    return replace(net, tails=tails, heads=heads, caps=caps, costs=costs, supply=supply)


def _plain(values: Any) -> tuple[int, ...]:
    return tuple(int(x) for x in values)
