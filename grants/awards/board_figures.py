"""Figures of the ranking board: how far one expert's ballot could move a bid, and where the money ends. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Dot:
    """One ballot: who (expert code), points 0…100, dropped by the trimming or counted."""

    expert: str
    total: Decimal
    dropped: bool


def dots(explanation: Mapping[str, Any]) -> list[Dot]:
    """Every ballot of every stage, as the stored explanation of a result has them."""
    return [Dot(b["expert"], Decimal(b["total"]), bool(b["dropped"])) for stage in explanation["stages"] for b in stage["ballots"]]


def sway(explanation: Mapping[str, Any], total: Decimal) -> tuple[Decimal, Decimal]:
    """(lowest, highest) total if the counted ballots of any one expert were left out. The total itself where nobody counts or only one.

    Left out means: the stage's mean is taken over the other counted ballots; weights of stages and of the experts' part stay as they are.
    """
    moves: dict[str, Decimal] = defaultdict(Decimal)
    part = next((Decimal(p["weight"]) for p in explanation.get("parts", ()) if p["code"] == "experts"), HUNDRED)
    for stage in explanation["stages"]:
        counted = [(b["expert"], Decimal(b["total"])) for b in stage["ballots"] if not b["dropped"]]
        if len(counted) < 2:
            continue
        whole = sum((value for _expert, value in counted), Decimal(0))
        mean = whole / len(counted)
        for expert, value in counted:
            without = (whole - value) / (len(counted) - 1)
            moves[expert] += (without - mean) * Decimal(stage["weight"]) / HUNDRED * part / HUNDRED
    least, most = min(moves.values(), default=Decimal(0)), max(moves.values(), default=Decimal(0))
    return total + min(least, Decimal(0)), total + max(most, Decimal(0))


def near_the_line(awarded: Sequence[tuple[str, Decimal, Decimal]], refused: Sequence[tuple[str, Decimal, Decimal]], scores: Mapping[str, Decimal]) -> set[str]:
    """Bids that would change sides with the next one if any one expert were left out.

    awarded, refused: (bid, lowest, highest) of bids in and of bids out for lack of money; scores: bid → total. Empty where either is empty.
    """
    if not awarded or not refused:
        return set()
    last_in = min(scores[bid] for bid, _low, _high in awarded)
    first_out = max(scores[bid] for bid, _low, _high in refused)
    falls = {bid for bid, low, _high in awarded if low < first_out}
    return falls | {bid for bid, _low, high in refused if high > last_in}
