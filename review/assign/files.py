"""Problems and assignments as JSON (`manage.py review assign`, docs/review-commands.md): read strictly, written the same everywhere. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from review.assign.problem import MOST_AFFINITY, Assignment, BidNeed, Floor, Options, Pair, Problem, Reviewer

MOST = 1_000_000
TOP = {"bids", "experts", "affinity", "conflicts", "kept", "options"}
OPTIONS = {"floor", "fair", "equal", "randomised", "seed"}


class Malformed(ValueError):
    """Input that cannot be read; the message begins with the path of the bad key: `affinity[3][2]: …`."""

    def __init__(self, path: str, why: str) -> None:
        self.path = path
        super().__init__(f"{path or 'IN'}: {why}")


def problem_of(text: bytes) -> Problem:
    """The problem a file states. Raises Malformed."""
    data = _keys("", _json(text), {"bids", "experts", "affinity", "conflicts"}, TOP)
    bids = tuple(_bid(f"bids[{n}]", row) for n, row in enumerate(_list("bids", data["bids"])))
    experts = tuple(_expert(f"experts[{n}]", row) for n, row in enumerate(_list("experts", data["experts"])))
    _once("bids", [b.code for b in bids])
    _once("experts", [e.code for e in experts])
    known = {b.code for b in bids}, {e.code for e in experts}
    affinity = _affinity(_list("affinity", data["affinity"]), *known)
    barred, kept = (_pairs(name, _list(name, data.get(name, [])), *known) for name in ("conflicts", "kept"))
    options, seed = _options(data.get("options", {}))
    return Problem(bids, experts, seed, barred, kept, affinity, options)


def _json(text: bytes) -> Any:
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    except UnicodeDecodeError as wrong:
        raise Malformed("", f"not UTF-8 at byte {wrong.start}") from wrong
    except json.JSONDecodeError as wrong:
        raise Malformed("", f"no JSON, line {wrong.lineno} column {wrong.colno}: {wrong.msg}") from wrong
    except RecursionError as wrong:
        raise Malformed("", "nested too deeply") from wrong


def _no_key_twice(rows: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(rows)
    if len(found) < len(rows):
        keys = [k for k, _v in rows]
        raise Malformed(next(k for k in keys if keys.count(k) > 1), "the key stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise Malformed("", f"{name} is no number")


def _keys(path: str, value: Any, wanted: set[str], known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(path, f"must be an object, is {_shown(value)}")
    dot = f"{path}." if path else ""
    for name in sorted(wanted - value.keys()):
        raise Malformed(dot + name, "is missing")
    for name in sorted(value.keys() - known):
        raise Malformed(dot + name, f"unknown key; known are {', '.join(sorted(known))}")
    return value


def _list(path: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed(path, f"must be a list, is {_shown(value)}")
    return value


def _number(path: str, value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise Malformed(path, f"must be a whole number from {low} to {high}, is {_shown(value)}")
    return value


def _code(path: str, value: Any) -> str:
    if type(value) is int:
        return str(value)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise Malformed(path, f"must be a name or a whole number, is {_shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as lone:
        raise Malformed(path, "holds half a character (a lone surrogate)") from lone
    return value


def _shown(value: Any) -> str:
    said = json.dumps(value, ensure_ascii=True)
    return said if len(said) <= 40 else said[:37] + "…"


def _once(path: str, codes: list[str]) -> None:
    seen: dict[str, int] = {}
    for n, code in enumerate(codes):
        if seen.setdefault(code, n) != n:
            raise Malformed(f"{path}[{n}].id", f"“{code}” stands at {path}[{seen[code]}] already")


def _bid(path: str, value: Any) -> BidNeed:
    row = _keys(path, value, {"id", "need"}, {"id", "need", "roles"})
    need = _number(f"{path}.need", row["need"], 0, MOST)
    wanted = row.get("roles", {})
    if not isinstance(wanted, dict):
        raise Malformed(f"{path}.roles", f"must be an object, is {_shown(wanted)}")
    roles = {_code(f"{path}.roles", k): _number(f"{path}.roles.{k}", n, 0, MOST) for k, n in wanted.items()}
    if sum(roles.values()) > need:
        raise Malformed(f"{path}.roles", f"ask for {sum(roles.values())} seats, the bid needs {need} reviews")
    return BidNeed(_code(f"{path}.id", row["id"]), need, roles)


def _expert(path: str, value: Any) -> Reviewer:
    row = _keys(path, value, {"id", "min", "max"}, {"id", "min", "max", "org", "roles", "reserve"})
    low, high = (_number(f"{path}.{name}", row[name], 0, MOST) for name in ("min", "max"))
    if low > high:
        raise Malformed(f"{path}.min", f"{low} is more than max, {high}")
    organisation = "" if row.get("org") in (None, "") else _code(f"{path}.org", row["org"])
    roles = frozenset(_code(f"{path}.roles[{n}]", r) for n, r in enumerate(_list(f"{path}.roles", row.get("roles", []))))
    reserve = _number(f"{path}.reserve", row.get("reserve", 0), 0, MOST)
    return Reviewer(_code(f"{path}.id", row["id"]), roles, high, low, organisation, reserve)


def _affinity(rows: list[Any], bids: set[str], experts: set[str]) -> dict[Pair, int]:
    found: dict[Pair, int] = {}
    for n, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != 3:
            raise Malformed(f"affinity[{n}]", f"must be [bid, expert, 1..{MOST_AFFINITY}], is {_shown(row)}")
        pair = _pair(f"affinity[{n}]", row, bids, experts)
        if pair in found:
            raise Malformed(f"affinity[{n}]", f"the pair {_shown(list(pair))} stands twice")
        if type(row[2]) is not int or not 1 <= row[2] <= MOST_AFFINITY:
            _number(f"affinity[{n}][2]", row[2], 1, MOST_AFFINITY)
        found[pair] = row[2]
    return found


def _pair(path: str, row: list[Any], bids: set[str], experts: set[str]) -> Pair:
    bid, expert = (x if type(x) is str else _code(f"{path}[{n}]", x) for n, x in enumerate(row[:2]))
    if bid not in bids:
        raise Malformed(f"{path}[0]", f"there is no bid {_shown(bid)}")
    if expert not in experts:
        raise Malformed(f"{path}[1]", f"there is no expert {_shown(expert)}")
    return bid, expert


def _pairs(name: str, rows: list[Any], bids: set[str], experts: set[str]) -> frozenset[Pair]:
    found: set[Pair] = set()
    for n, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != 2:
            raise Malformed(f"{name}[{n}]", f"must be [bid, expert], is {_shown(row)}")
        found.add(_pair(f"{name}[{n}]", row, bids, experts))
    return frozenset(found)


def _options(value: Any) -> tuple[Options, bytes]:
    """What the file itself asks for; the command's own options come after and win."""
    row = _keys("options", value, set(), OPTIONS)
    return changed(Options(), b"", row, lambda name: f"options.{name}")


def changed(options: Options, seed: bytes, row: dict[str, Any], path: Callable[[str], str]) -> tuple[Options, bytes]:
    """Options and seed with what `row` says. Raises Malformed under path(name)."""
    if "floor" in row:
        if row["floor"] not in set(Floor):
            raise Malformed(path("floor"), f"must be one of {', '.join(Floor)}, is {_shown(row['floor'])}")
        options = replace(options, floor=Floor(row["floor"]))
    if "fair" in row:
        options = replace(options, fair=_share(path("fair"), row["fair"]))
    if "equal" in row:
        if type(row["equal"]) is not bool:
            raise Malformed(path("equal"), f"must be true or false, is {_shown(row['equal'])}")
        options = replace(options, even=row["equal"])
    if "randomised" in row:
        options = replace(options, randomised=_number(path("randomised"), row["randomised"], 1, 2))
    return options, _seed(path("seed"), row["seed"]) if "seed" in row else seed


def _share(path: str, value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < 1:
        raise Malformed(path, f"must be a share from 0 to below 1 (0.005 is half a per cent), is {_shown(value)}")
    return float(value)


def _seed(path: str, value: Any) -> bytes:
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError) as wrong:
        raise Malformed(path, f"must be hexadecimal, two digits a byte, is {_shown(value)}") from wrong


def question_of(problem: Problem) -> dict[str, Any]:
    """The problem as IN.json holds it, sorted."""
    known = problem.affinity
    pairs = known.items() if known is not None else (((b.code, e.code), 1) for b in problem.bids for e in problem.experts)
    return {
        "bids": [_without_nothing({"id": b.code, "need": b.reviews, "roles": dict(b.roles)}) for b in _sorted(problem.bids)],
        "experts": [_expert_row(e, len(problem.bids)) for e in _sorted(problem.experts)],
        "affinity": sorted([b, e, a] for (b, e), a in pairs),
        "conflicts": sorted(map(list, problem.forbidden)),
        "kept": sorted(map(list, problem.kept)),
        "options": options_of(problem),
    }


def options_of(problem: Problem) -> dict[str, Any]:
    """Options and seed as a file says them."""
    said = problem.options
    return {"floor": str(said.floor), "fair": said.fair, "equal": said.even, "randomised": said.randomised, "seed": problem.seed.hex()}


def _sorted(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=lambda x: x.code)


def _expert_row(e: Reviewer, bids: int) -> dict[str, Any]:
    row = {"id": e.code, "min": e.min_load, "max": bids if e.max_load is None else e.max_load}
    return row | _without_nothing({"org": e.organisation, "roles": sorted(e.roles), "reserve": e.reserve})


def _without_nothing(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if v or k in ("id", "need")}


def answer_of(problem: Problem, found: Assignment) -> dict[str, Any]:
    """The assignment as OUT.json holds it."""
    drawn = {"shortlist": [list(p) for p in found.shortlist]} if found.shortlist else {}
    return {
        "status": "optimal", "pairs": [list(p) for p in found.pairs], "total": found.total, "worst_bid": found.worst_bid,
        "weakest_pair": found.weakest_pair, "loads": dict(found.loads), "tau": found.tau, "options": options_of(problem),
        "called_up": list(found.called_up), "certificate": dict(found.certificate), **drawn,
    }  # fmt: skip


def written(value: dict[str, Any]) -> bytes:
    """The same bytes for the same value: sorted keys, no blanks, UTF-8, one line per key at the top."""
    lines = [f"{json.dumps(k)}:{json.dumps(v, ensure_ascii=False, sort_keys=True, separators=(',', ':'))}" for k, v in sorted(value.items())]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()
