"""核对: is an assignment lawful, and can none be better? Without a solver, without our other code, with the standard library only.

    python review/assign/check.py IN.json OUT.json

Lawful: every bid has exactly the reviews it needs, its required seats among them; nobody over or under their load; no conflict, no
unknown pair, no two experts of one organisation on one bid; kept pairs stand; the floor holds. Best: the certificate puts a price on
every seat, gate, expert, block and group. A pair is worth scale · affinity − h, where h = the last two bytes of SHA-256(seed ‖ bid ‖
0x00 ‖ expert). Whoever pays the prices for all seats, loads and gates, plus for every pair what it is worth above the prices of its
seat and its expert, pays at least the worth of *any* lawful assignment (weak duality). Where that sum is the worth of this one,
nothing better exists.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

Pair = tuple[str, str]
UNIT = 1024


def check(asked: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """What is wrong, in words; empty when the assignment is lawful and proven to be the best."""
    gap = Question(*gap_of(asked, answer))
    return Question(asked, answer).unlawful() + gap.below_floor() + gap.unproven()


def gap_of(asked: dict[str, Any], answer: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """With a draw, kept pairs are taken out first, and shortlist, floor and prices are about what is left; else nothing changes."""
    kept = sorted((str(b), str(e)) for b, e in asked.get("kept", ()))
    if not kept or answer["options"]["randomised"] < 2:
        return asked, answer
    whole = Question(asked, answer)
    loads = {e: sum(1 for _b, other in kept if other == e) for e in whole.experts}
    bids = [_less_kept(whole, b, [e for other, e in kept if other == b]) for b in whole.need]
    people = [{**x, "min": max(x["min"] - loads[e], 0), "max": x["max"] - loads[e]} for e, x in whole.experts.items()]
    barred = [[b, e] for b in whole.need for e in whole.experts if (b, whole.organisation[e]) in whole.busy]
    conflicts = [*asked.get("conflicts", ()), *map(list, kept), *barred]
    left = [p for p in answer["pairs"] if (str(p[0]), str(p[1])) not in whole.kept]
    return {**asked, "bids": bids, "experts": people, "conflicts": conflicts, "kept": []}, {**answer, "pairs": left}


def _less_kept(whole: Question, b: str, kept: list[str]) -> dict[str, Any]:
    seats = [role for role, n in sorted(whole.roles[b].items()) for _ in range(n)]
    taken = whole.seated(seats, kept)
    roles = {r: sum(1 for at, role in enumerate(seats) if role == r and at not in taken) for r in whole.roles[b]}
    return {"id": b, "need": whole.need[b] - len(kept), "roles": roles}


class Question:
    """IN and OUT, looked up by id (as text)."""

    def __init__(self, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        self.answer = answer
        self.proof: dict[str, Any] = answer["certificate"]
        self.need = {str(b["id"]): int(b["need"]) for b in asked["bids"]}
        self.roles: dict[str, dict[str, int]] = {str(b["id"]): {r: n for r, n in b.get("roles", {}).items() if n > 0} for b in asked["bids"]}
        self.experts = {str(e["id"]): e for e in asked["experts"]}
        self.holds = {e: frozenset(x.get("roles", ())) for e, x in self.experts.items()}
        self.organisation = {e: x.get("org") or "" for e, x in self.experts.items()}
        conflicts = {(str(b), str(e)) for b, e in asked.get("conflicts", ())}
        self.kept = {(str(b), str(e)) for b, e in asked.get("kept", ())}
        self.affinity: dict[Pair, int] = {(str(b), str(e)): a for b, e, a in asked["affinity"] if (str(b), str(e)) not in conflicts}
        for pair in self.kept:
            self.affinity.setdefault(pair, 1)
        self.pairs = [(str(b), str(e)) for b, e in answer["pairs"]]
        self.listed = [(str(b), str(e)) for b, e in answer.get("shortlist") or answer["pairs"]]
        self.times = int(self.proof["times"])
        self.tau, self.floor = answer["tau"], answer["options"]["floor"]
        self.busy = {(b, self.organisation[e]) for b, e in self.kept if self.organisation[e]}

    # --- lawful -------------------------------------------------------------------------------------------------------------

    def unlawful(self) -> list[str]:
        """Rules that the pairs break, and figures that are not theirs."""
        return [*self._pairs_wrong(), *self._bids_wrong(), *self._loads_wrong(), *self._figures_wrong()]

    def _pairs_wrong(self) -> list[str]:
        wrong = [f"{b}–{e}: the pair is in conflict or unknown" for b, e in self.pairs if (b, e) not in self.affinity]
        wrong += [f"{b}–{e}: a kept pair is missing" for b, e in sorted(self.kept - set(self.pairs))]
        wrong += ["a pair stands twice"] if len(set(self.pairs)) < len(self.pairs) else []
        drawn = set(self.pairs) - self.kept
        wrong += ["a drawn pair is not on the shortlist"] if self.answer.get("shortlist") and not drawn <= set(self.listed) else []
        seen: dict[tuple[str, str], str] = {}
        for b, e in (p for p in self.pairs if p not in self.kept and self.organisation[p[1]]):
            other = seen.setdefault((b, self.organisation[e]), e)
            if other != e or (b, self.organisation[e]) in self.busy:
                wrong.append(f"{b}: two experts of “{self.organisation[e]}”")
        return wrong

    def _bids_wrong(self) -> list[str]:
        mine: dict[str, list[str]] = {b: [] for b in self.need}
        for b, e in self.pairs:
            mine[b].append(e)
        wrong = []
        for b, experts in mine.items():
            if len(experts) != self.need[b]:
                wrong.append(f"{b}: {len(experts)} reviews, {self.need[b]} are needed")
            elif self._most_open(b, experts) is None:
                wrong.append(f"{b}: required seats are not filled")
        return wrong

    def below_floor(self) -> list[str]:
        """Bids of which fewer seats than promised reach the floor."""
        if self.tau is None:
            return []
        mine: dict[str, list[str]] = {b: [] for b in self.need}
        for b, e in self.pairs:
            mine[b].append(e)
        short = [b for b, experts in mine.items() if self._strong(b, experts) < self._wanted_strong(b)]
        return [f"{b}: fewer than {self._wanted_strong(b)} reviews reach the floor of {self.tau}" for b in short]

    def _wanted_strong(self, b: str) -> int:
        if self.floor == "all":
            return sum(1 for p in self.pairs if p[0] == b)
        return min((self.need[b] + 1) // 2, self._open_seats(b))

    def _strong(self, b: str, experts: list[str]) -> int:
        """The most experts that can sit in open seats and are strong (or kept), required seats filled by the others."""
        if self.floor == "all":
            return sum(1 for e in experts if not self._weak((b, e)))
        return self._most_open(b, experts) or 0

    def _most_open(self, b: str, experts: list[str]) -> int | None:
        """Fill required seats, weak experts first (augmenting paths); how many strong ones are left over. None: they do not fill."""
        seats = [role for role, n in sorted(self.roles[b].items()) for _ in range(n)]
        taken = self.seated(seats, sorted(experts, key=lambda e: (not self._weak((b, e)), e)))
        if len(taken) < len(seats):
            return None
        return sum(1 for e in experts if e not in taken.values() and not self._weak((b, e)))

    def seated(self, seats: list[str], experts: list[str]) -> dict[int, str]:
        """Which required seat is filled by whom: as many as can be, whoever comes first first (augmenting paths)."""
        taken: dict[int, str] = {}

        def sit(e: str, seen: set[int]) -> bool:
            for at, role in enumerate(seats):
                if role in self.holds[e] and at not in seen:
                    seen.add(at)
                    if at not in taken or sit(taken[at], seen):
                        taken[at] = e
                        return True
            return False

        for e in experts:
            sit(e, set())
        return taken

    def _weak(self, pair: Pair) -> bool:
        return self.tau is not None and pair not in self.kept and self.affinity.get(pair, 0) < self.tau

    def _open_seats(self, b: str) -> int:
        return self.need[b] - sum(self.roles[b].values())

    def _loads_wrong(self) -> list[str]:
        loads = dict.fromkeys(self.experts, 0)
        for _b, e in self.pairs:
            loads[e] += 1
        wrong = [
            f"{e}: {n} reviews, {self.experts[e]['min']} to {self.experts[e]['max']} are allowed"
            for e, n in loads.items()
            if not self.experts[e]["min"] * (not self.experts[e].get("reserve")) <= n <= self.experts[e]["max"]
        ]
        return wrong + (["the stated loads are not those of the pairs"] if loads != self.answer["loads"] else [])

    def _figures_wrong(self) -> list[str]:
        worth = [self.affinity.get(p, 0) for p in self.pairs]
        sums = dict.fromkeys((b for b, n in self.need.items() if n), 0)
        for pair, a in zip(self.pairs, worth, strict=True):
            sums[pair[0]] += a
        true = {"total": sum(worth), "worst_bid": min(sums.values(), default=None), "weakest_pair": min(worth, default=None)}
        return [f"{name}: {self.answer[name]} is stated, it is {value}" for name, value in true.items() if self.answer[name] != value]

    # --- best ---------------------------------------------------------------------------------------------------------------

    def unproven(self) -> list[str]:
        """Prices of the wrong sign, or a sum of prices that is not the worth of what was chosen."""
        wrong = [f"{name} has a price below nothing" for name in ("gates", "groups") if self._negative(name)]
        if odd := self._groups_odd():
            return [*wrong, *odd]
        gap = self.gap()
        if gap < 0 or (gap and self.proof["by"] == "flow"):
            wrong.append(f"the prices allow {gap} more than the pairs are worth: that nothing is better is not proven")
        return wrong

    def gap(self) -> int:
        """What the prices leave unproven, in units of 1/scale of a point. Above 0 only where seats and organisations cross: an
        integer programme found the optimum, and these prices are those of the question without the crossing rules."""
        return self.bound() - self.worth(self.listed)

    def _negative(self, name: str) -> bool:
        rows = self.proof["gates"].values() if name == "gates" else (g["price"] for g in self.proof["groups"])
        return any(price < 0 for price in rows)

    def _groups_odd(self) -> list[str]:
        """A group is of one organisation, and nobody is in two groups of one bid: else the bound would be too low."""
        seen: set[Pair] = set()
        for g in self.proof["groups"]:
            members = {(str(g["bid"]), str(e)) for e in g["experts"]}
            if len({self.organisation[e] for _b, e in members}) != 1 or not self.organisation[min(members)[1]] or members & seen:
                return [f"{g['bid']}: a group is not of one organisation"]
            seen |= members
        return []

    def worth(self, pairs: list[Pair]) -> int:
        """scale · affinity − h, added up."""
        return sum(self._worth_of(*p) for p in pairs)

    def _worth_of(self, b: str, e: str) -> int:
        weights = self.proof.get("weights")
        a = self.affinity.get((b, e), 0) * (int(weights[b]) if weights else 1)
        seed = bytes.fromhex(self.answer["options"]["seed"])
        tie = hashlib.sha256(seed + b.encode() + b"\0" + e.encode()).digest()[-2:]
        return int(self.proof["scale"]) * a - int.from_bytes(tie, "big")

    def bound(self) -> int:
        """The most any lawful assignment can be worth, at these prices."""
        return self._seats_cost() + self._loads_cost() + self._surplus()

    def _room(self, b: str) -> int:
        """How many open seats may be weak under a majority floor."""
        return (self._open_seats(b) - self._wanted_strong_open(b)) * self.times

    def _wanted_strong_open(self, b: str) -> int:
        return min((self.need[b] + 1) // 2, self._open_seats(b))

    def _seats_cost(self) -> int:
        seats = self.proof["seats"]
        cost = sum(seats[b][r] * n * self.times for b in self.need for r, n in self.roles[b].items())
        cost += sum(seats[b][""] * self._open_seats(b) * self.times for b in self.need)
        cost += sum(price * self._room(str(b)) for b, price in self.proof["gates"].items())
        return int(cost + sum(g["price"] for g in self.proof["groups"]))

    def _loads_cost(self) -> int:
        """Every block's total at its price, and every expert at the better end of their load."""
        price, cost = {}, 0
        for block in self.proof["blocks"]:
            cost += block["price"] * block["total"]
            price.update({str(e): block["price"] for e in block["experts"]})
        for e, (low, high) in self.proof["loads"].items():
            over = self.proof["experts"][e] - price[e]
            cost += max(over * low, over * high)
        return int(cost)

    def _surplus(self) -> int:
        group = {(str(g["bid"]), str(e)): g["price"] for g in self.proof["groups"] for e in g["experts"]}
        seats, experts, total = self.proof["seats"], self.proof["experts"], 0
        for (b, e) in self.affinity:
            cheapest = self._cheapest_seat(b, e, seats[b])
            if cheapest is not None:
                over = self._worth_of(b, e) - experts[e] - cheapest - group.get((b, e), 0)
                total += over if (b, e) in self.kept else max(over, 0)
        return int(total)

    def _cheapest_seat(self, b: str, e: str, seats: dict[str, int]) -> int | None:
        """The lowest price at which this expert may enter the bid; None when there is no way in."""
        weak = self._weak((b, e))
        if (weak and self.floor == "all") or ((b, e) not in self.kept and (b, self.organisation[e]) in self.busy):
            return None
        ways = [seats[role] for role in self.roles[b] if role in self.holds[e]]
        if self._open_seats(b) and (not weak or self._room(b)):
            ways.append(seats[""] + (self.proof["gates"].get(b, 0) if weak else 0))
        return min(ways, default=None)


def main(arguments: list[str]) -> int:
    """0 proven, 1 not; what is wrong on standard output."""
    asked, answer = (json.loads(Path(name).read_text(encoding="utf-8")) for name in arguments)
    wrong = check(asked, answer)
    gap = 0 if wrong else Question(*gap_of(asked, answer)).gap()
    good = "lawful, and no assignment is better" if not gap else f"lawful; prices prove it to {gap / answer['certificate']['scale']:.2f} points"
    sys.stdout.write("\n".join(wrong or [good]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
