"""`manage.py review select IN.json OUT.json`: the two-pass fund line on a ranking, and on request the canonical optimum beside it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from grants.awards.allocation import (
    AmountBand,
    AmountBy,
    Candidate,
    Category,
    FundSource,
    Proposal,
    Rollover,
    RulesContradict,
    SelectionRules,
    Track,
    WhenFull,
)
from grants.awards.optimum import Optimum, optimum
from grants.awards.selection import propose
from grants.awards.solving import Model, solve
from grants.desk.faces._json import Node, no_answer, read, write
from grants.money import ZERO

HELP = "From a ranking: who is funded with how much and why, in two passes; --optimum adds the proven optimum for comparison."
FORMAT = "gongchuang-select-1"
T = TypeVar("T")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", metavar="IN.json")
    parser.add_argument("target", metavar="OUT.json")
    parser.add_argument("--optimum", action="store_true", help="also prove the optimum (HiGHS, a process of its own)")
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit of each proof (default 60)")


def run(options: dict[str, Any]) -> None:
    """Read, select, write."""
    root, sha256 = read(options["source"])
    top = root.keys(("rule", "bids"))
    rules, bids = rules_of(top["rule"]), bids_of(top["bids"])
    try:
        proposal = propose(bids, rules)
    except RulesContradict as contradiction:
        no_answer(contradiction.sentence, f"the rules contradict themselves ({contradiction.rule})")
    checked = None
    if options["optimum"]:
        checked = optimum(bids, rules, proposal, solver=lambda model: _solve(model, options["seconds"]))
    write(options["target"], answer(proposal, checked, sha256))


def _solve(model: Model, seconds: float) -> Any:
    return solve(model, seconds=seconds)


def _optional(keys: Mapping[str, Node], key: str, read_as: Callable[[Node], T]) -> T | None:
    return read_as(keys[key]) if key in keys else None


def _money(node: Node) -> Decimal:
    return node.number().quantize(ZERO)


def rules_of(node: Node) -> SelectionRules:
    """The rule, every key checked."""
    keys = node.keys(("pool",), (
        "categories", "tracks", "sources", "pass_line", "cap", "awards_per_organisation", "awards_max", "when_full", "amount_by", "bands",
        "district_cap", "grey_band",
    ))  # fmt: skip
    return SelectionRules(
        pool=_money(keys["pool"]),
        categories=tuple(_category(each) for each in _each(keys, "categories")),
        tracks=tuple(_track(each) for each in _each(keys, "tracks")),
        sources=tuple(_source(each) for each in _each(keys, "sources")),
        pass_line=_optional(keys, "pass_line", lambda n: n.number(most="100")) or ZERO,
        cap=_optional(keys, "cap", _money),
        awards_per_organisation=_optional(keys, "awards_per_organisation", lambda n: n.whole(1)),
        awards_max=_optional(keys, "awards_max", lambda n: n.whole(1)),
        when_full=_optional(keys, "when_full", lambda n: n.choice(WhenFull)) or WhenFull.SKIP,
        amount_by=_optional(keys, "amount_by", lambda n: n.choice(AmountBy)) or AmountBy.ASK,
        bands=tuple(_band(each) for each in _each(keys, "bands")),
        district_cap=_optional(keys, "district_cap", _money),
        grey_band=_optional(keys, "grey_band", lambda n: n.number(most="100")),
    )  # fmt: skip


def _each(keys: Mapping[str, Node], key: str) -> list[Node]:
    return list(keys[key].items()) if key in keys else []


def _name(keys: Mapping[str, Node]) -> str:
    return keys["name"].text() if "name" in keys else keys["code"].text()


def _category(node: Node) -> Category:
    keys = node.keys(("code",), ("name", "reserve", "places", "ceiling", "cap", "rollover"))
    return Category(
        keys["code"].text(), _name(keys), _optional(keys, "reserve", _money), _optional(keys, "places", lambda n: n.whole(1)),
        _optional(keys, "ceiling", _money), _optional(keys, "cap", _money),
        _optional(keys, "rollover", lambda n: n.choice(Rollover)) or Rollover.OTHERS,
    )  # fmt: skip


def _track(node: Node) -> Track:
    keys = node.keys(("code",), ("name", "amount", "places", "cap"))
    places = _optional(keys, "places", lambda n: n.whole(1))
    return Track(keys["code"].text(), _name(keys), _optional(keys, "amount", _money), places, _optional(keys, "cap", _money))


def _source(node: Node) -> FundSource:
    keys = node.keys(("code", "amount"), ("name", "categories"))
    serves = frozenset(each.text() for each in _each(keys, "categories"))
    return FundSource(keys["code"].text(), _name(keys), _money(keys["amount"]), serves)


def _band(node: Node) -> AmountBand:
    keys = node.keys(("name", "at_least", "amount"))
    return AmountBand(keys["name"].text(), keys["at_least"].number(most="100"), _money(keys["amount"]))


def bids_of(node: Node) -> list[Candidate]:
    """The ranked bids; place and score are null for a bid without a result."""
    found: dict[str, Candidate] = {}
    for each in node.items():
        keys = each.keys(("bid", "organisation", "place", "score", "ask"), ("category", "track", "recommended", "district", "lot"))
        bid = keys["bid"].text()
        if bid in found:
            keys["bid"].refuse("编号重复", "stands twice")
        place, score = keys["place"], keys["score"]
        found[bid] = Candidate(
            bid, keys["organisation"].text(), None if place.value is None else place.whole(-(10**6)),
            None if score.value is None else score.number(most="150", places=4), _money(keys["ask"]),
            _optional(keys, "category", Node.text) or "", _optional(keys, "track", Node.text) or "",
            _optional(keys, "recommended", _money), _optional(keys, "district", Node.text) or "",
            _optional(keys, "lot", lambda n: n.whole(1)),
        )  # fmt: skip
    return list(found.values())


def answer(proposal: Proposal, checked: Optimum | None, sha256: str) -> dict[str, Any]:
    """What is written."""
    decisions = [
        {"bid": d.bid, "awarded": d.awarded, "amount": str(d.amount), "rule": d.rule, "sentence": d.sentence}
        for d in proposal.decisions
    ]
    found: dict[str, Any] = {
        "format": FORMAT, "input_sha256": sha256, "decisions": decisions, "awarded": str(proposal.awarded), "left": str(proposal.left),
        "by_category": {code: str(amount) for code, amount in proposal.by_category.items()},
        "locked": {code: str(amount) for code, amount in proposal.locked.items()},
    }  # fmt: skip
    if checked is not None:
        found["optimum"] = checked.data()
    return found
