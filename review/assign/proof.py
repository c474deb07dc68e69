"""Node prices as a certificate: what each seat, gate, group, expert and block is worth, so that weak duality proves the optimum. Numpy.

`review.assign.check` adds them up again from the question alone. For any prices the sum is at least the value of every lawful
assignment; where it equals the value of this one, nothing better exists. The prices come from the network; an integer programme has
none of its own, so it borrows those of the flow without crossing rules, whose sum is an upper bound and may leave a gap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from review.assign.found import Found
from review.assign.instance import Instance, Ints
from review.assign.network import Network, Shape, gate_room, open_row
from review.assign.problem import Floor


def priced(asked: Instance, found: Found) -> dict[str, Any]:
    """Arrays: seat, gate, expert, block prices; lo, hi, block, totals as they bound the answer; groups as (pair, group) with a price."""
    net, price = found.net, found.price
    bounds = found.shape.bounds
    base = {"lo": bounds.lo, "hi": bounds.hi, "block": bounds.block, "totals": bounds.totals}
    shift = int(price[net.experts + asked.experts])
    seats = len(asked.seat_bid)
    return {
        **base,
        "seat": price[:seats] - shift,
        "gate": _gates(asked, found.shape, price, seats),
        "expert": shift - price[net.experts : net.experts + asked.experts],
        "ends": shift - price[net.experts + asked.experts : net.experts + asked.experts + len(bounds.totals)],
        **_groups(net, price),
    }


def _gates(asked: Instance, shape: Shape, price: Ints, seats: int) -> Ints:
    """What one more weak pair would be worth; nothing where the gate is not full or does not exist."""
    if shape.tau is None or asked.options.floor != Floor.MAJORITY:
        return np.zeros(asked.bids, dtype=np.int64)
    worth = np.maximum(price[seats : seats + asked.bids] - price[open_row(asked)], 0)
    return np.where(gate_room(asked, shape.times) > 0, worth, 0)


def _groups(net: Network, price: Ints) -> dict[str, Ints]:
    worth = np.maximum(price[net.gates[:, 1]] - price[net.gates[:, 0]], 0) if len(net.gates) else np.zeros(0, dtype=np.int64)
    mine = np.flatnonzero(net.group >= 0)
    mine = mine[worth[net.group[mine]] > 0]
    return {"group_pair": net.live[mine], "group": net.group[mine], "group_price": worth[net.group[mine]]}

