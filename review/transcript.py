"""抽取记录: one file from which anybody repeats a draw — experts, order of defence, audit samples, lots among equals.

A document of JSON types, format gongchuang-draw-1 (docs/review-commands.md, section draw). First comes what was announced before any
chance fell: the pool, who is barred and why, the rule, the method, the parties, the public beacon. Its hash is published. Then what fell: the
commitments, what was revealed for them, the beacon's value, the ledger head. Then what followed. The seed is

    SHA-256("GY-DRAW-1" NUL ‖ for each part its length as 8 bytes big-endian ‖ the part)

with the parts: SHA-256 of the canonical announcement, the ledger head (32 bytes or none), each revealed value (32 bytes) in the order of
the parties, the beacon's value in UTF-8. Canonical: RFC 8785. Moments are UTC, written 2026-04-03T01:00:00Z. Pure; the browser does the
same in static/review/draw.js, on the same vectors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from grants.ledger import canonical
from review.draw import Candidate, Draw, DrawImpossible, Seats, draw, draw_seed

FORMAT: Final = "gongchuang-draw-1"
METHOD: Final = "GY-DRAW-1"
SIMPLE, COMMITTED = "simple", "commit-reveal"
FEWEST_PARTIES: Final = 3
PUBLIC_BEACONS: Final = ("drand", "named")
"""Beacons that anybody can look up afterwards; what is said in a room is none of them."""
SECRET_BYTES: Final = 32
QUICKNET: Final = (1692803367, 3)
"""drand quicknet: the moment of round 1 (Unix seconds) and seconds between rounds."""

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One step of repeating a draw: its code, whether it holds, the place in the file that does not, and a sentence in Chinese."""

    step: str
    ok: bool
    where: str = ""
    said: str = ""


class Broken(ValueError):
    """A step does not hold at a place of the file."""

    def __init__(self, where: str, said: str) -> None:
        self.where, self.said = where, said
        super().__init__(f"{where}: {said}")


def announced_hash(announced: Document) -> str:
    """SHA-256, hex, of the canonical announcement."""
    return hashlib.sha256(canonical.encode(announced, "announced")).hexdigest()


def commitment(secret: str) -> str:
    """SHA-256, hex, of the 32 bytes written as `secret` (64 hex digits). Raises ValueError for anything else."""
    raw = bytes.fromhex(secret)
    if len(raw) != SECRET_BYTES:
        raise ValueError("a secret is 32 bytes")
    return hashlib.sha256(raw).hexdigest()


def seed_of(document: Document) -> bytes:
    """The 32 bytes everything follows from; see the module's docstring for the parts."""
    reveals = [bytes.fromhex(r["value"]) for r in document["reveals"]]
    parts = [bytes.fromhex(announced_hash(document["announced"])), bytes.fromhex(document["ledger_head"]), *reveals]
    return draw_seed(*parts, document["beacon"]["value"].encode())


def drawn_by(document: Document) -> Draw:
    """The draw of a document's announcement with its seed. Raises DrawImpossible."""
    announced = document["announced"]
    return draw(
        [Candidate(code, seat) for code, seat in announced["pool"]], seats_of(announced["rule"]), seed=seed_of(document),
        conflicted=announced["barred"],
    )  # fmt: skip


def seats_of(rule: Document) -> Seats:
    return Seats(rule["size"], rule["minimum"], rule["maximum"])


def run(document: Document) -> dict[str, Any]:
    """The document completed: hash, seed, order, chosen, alternates, skipped. What it says of these already is not read.

    Raises DrawImpossible when the pool cannot fill the rule, Broken when a commitment, reveal or beacon does not hold.
    """
    for check in checks(document, upto="beacon"):
        if not check.ok:
            raise Broken(check.where, check.said)
    given = {name: document[name] for name in ("format", "announced", "ledger_head", "closed_at", "commitments", "reveals", "beacon")}
    return {**given, "announced_sha256": announced_hash(document["announced"]), **outcome(document)}


def outcome(document: Document) -> dict[str, Any]:
    """What follows from announcement and chance, as it stands in the file."""
    found = drawn_by(document)
    return {
        "seed": seed_of(document).hex(),
        "order": [c.code for c in found.order],
        "chosen": [c.code for c in found.seated],
        "alternates": [c.code for c in found.alternates][: document["announced"]["rule"]["alternates"]],
        "skipped": [{"code": s.code, "rule": s.rule, "alternate": s.alternate} for s in found.skipped],
    }


def verify(document: Document) -> list[Check]:
    """Every step in order; after the first that fails nothing later is claimed. `ok` of all: the draw stands."""
    found: list[Check] = []
    for check in checks(document):
        found.append(check)
        if not check.ok:
            break
    return found


def checks(document: Document, upto: str = "") -> Iterator[Check]:
    """The steps one after the other; `upto`: the last one asked."""
    for name, ask in STEPS:
        if name == "announced" and upto:
            continue  # a run computes the hash, it does not ask for it
        try:
            yield Check(name, True, said=ask(document))
        except Broken as broken:
            yield Check(name, False, broken.where, broken.said)
        if name == upto:
            return


def _announced(document: Document) -> str:
    computed = announced_hash(document["announced"])
    if computed != document["announced_sha256"]:
        raise Broken("announced_sha256", f"公布内容的哈希应为 {computed}，名单、规则或各方在公布之后改过。")
    return f"公布内容的 SHA-256 为 {computed}。"


def _parties(document: Document) -> str:
    announced = document["announced"]
    parties = announced["parties"]
    if announced["mode"] == SIMPLE:
        if parties:
            raise Broken("announced.parties", "简易抽取没有承诺方。")
        told = "公布时指名的公共随机源" if announced["beacon"]["kind"] in PUBLIC_BEACONS else "现场公布的数字"
        return f"简易抽取：没有多方承诺，随机数来自台账和{told}。"
    if len(parties) < FEWEST_PARTIES or len(set(parties)) != len(parties):
        raise Broken("announced.parties", f"多方抽取至少要有 {FEWEST_PARTIES} 个互不相同的承诺方。")
    return f"共 {len(parties)} 方：{'、'.join(parties)}。"


def _number(document: Document) -> str:
    announced = document["announced"]
    if announced["number"] > 1 and not announced["reason"].strip():
        raise Broken("announced.reason", "不是第一次抽取，却没有写明再抽的理由。")
    return f"第 {announced['number']} 次抽取。" + (f"理由：{announced['reason']}" if announced["reason"] else "")


def _commitments(document: Document) -> str:
    _same_parties(document, "commitments")
    return f"{len(document['commitments'])} 份承诺齐全。"


def _reveals(document: Document) -> str:
    _same_parties(document, "reveals")
    for at, (made, shown) in enumerate(zip(document["commitments"], document["reveals"], strict=True)):
        if commitment(shown["value"]) != made["sha256"]:
            raise Broken(f"reveals[{at}].value", f"“{shown['party']}”公开的数与其承诺不符。")
    held = [r["party"] for r in document["reveals"] if r["by"] == "escrow"]
    return "公开的数都与承诺一致。" + (f"由密封副本代为公开：{'、'.join(held)}。" if held else "")


def _same_parties(document: Document, name: str) -> None:
    parties, rows = document["announced"]["parties"], document[name]
    for at, party in enumerate(parties):
        if at >= len(rows) or rows[at]["party"] != party:
            raise Broken(f"{name}[{at}]", f"此处应为“{party}”，承诺和公开都按公布的次序排列，缺一不可。")
    if len(rows) > len(parties):
        raise Broken(f"{name}[{len(parties)}]", "不在公布的承诺方之内。")


def _beacon(document: Document) -> str:
    planned, fell = document["announced"]["beacon"], document["beacon"]
    if document["announced"]["mode"] == COMMITTED:
        _in_time(planned, document["closed_at"], fell["value"])
    elif planned["due"]:
        _announced_first(planned, document["closed_at"], fell["value"])
    if planned["kind"] == "drand":
        _drand(planned, fell)
    return f"公共随机源“{planned['source']}”{planned['round']}：{fell['value']}。" if fell["value"] else "没有使用公共随机源。"


def _in_time(planned: Document, closed_at: str, value: str) -> None:
    if planned["kind"] not in PUBLIC_BEACONS:
        raise Broken("announced.beacon.kind", "多方抽取须事先指定一个公共随机源。")
    if not value:
        raise Broken("beacon.value", "公共随机源的结果还没有填写。")
    if not closed_at or planned["due"] <= closed_at:
        raise Broken("closed_at", "公共随机源的时间须晚于承诺截止时间，否则承诺人可能已经知道结果。")


def _announced_first(planned: Document, announced_at: str, value: str) -> None:
    """A simple draw whose beacon has an hour was announced before it; those of old, without an hour, were drawn at once."""
    if not value:
        raise Broken("beacon.value", "公共随机源的结果还没有填写。")
    if not announced_at or planned["due"] <= announced_at:
        raise Broken("closed_at", "公共随机源的时间须晚于公布时间，否则公布时已经知道结果。")


def _drand(planned: Document, fell: Document) -> None:
    if round_moment(int(planned["round"])) != planned["due"]:
        raise Broken("announced.beacon.due", f"drand 第 {planned['round']} 轮的时间应为 {round_moment(int(planned['round']))}。")
    try:
        signature = bytes.fromhex(fell["evidence"])
    except ValueError:
        signature = b""
    if not signature or hashlib.sha256(signature).hexdigest() != fell["value"]:
        raise Broken("beacon.value", "drand 的随机数须等于签名（填在依据栏）的 SHA-256。")


def round_moment(number: int) -> str:
    """When a round of drand quicknet falls, UTC."""
    genesis, period = QUICKNET
    return datetime.fromtimestamp(genesis + (number - 1) * period, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seed(document: Document) -> str:
    computed = seed_of(document).hex()
    if computed != document["seed"]:
        raise Broken("seed", f"种子应为 {computed}。")
    return f"种子 {computed}。"


def _list(name: str, said: str) -> Callable[[Document], str]:
    def ask(document: Document) -> str:
        try:
            expected = outcome(document)[name]
        except DrawImpossible as impossible:
            raise Broken("announced.rule", impossible.sentence) from impossible
        _same(name, expected, document[name])
        return said % len(expected)

    return ask


def _same(name: str, expected: Sequence[Any], found: Sequence[Any]) -> None:
    for at, wanted in enumerate(expected):
        if at >= len(found) or found[at] != wanted:
            raise Broken(f"{name}[{at}]", f"重算的结果是“{_shown(wanted)}”，文件写的是“{_shown(found[at]) if at < len(found) else '（缺）'}”。")
    if len(found) > len(expected):
        raise Broken(f"{name}[{len(expected)}]", f"多出一项“{_shown(found[len(expected)])}”。")


def _shown(item: Any) -> str:
    return f"{item['code']} {item['rule']}" if isinstance(item, Mapping) else str(item)


STEPS: Final[Sequence[tuple[str, Callable[[Document], str]]]] = (
    ("announced", _announced), ("number", _number), ("parties", _parties), ("commitments", _commitments), ("reveals", _reveals),
    ("beacon", _beacon), ("seed", _seed), ("order", _list("order", "抽取顺序 %d 位一致。")), ("skipped", _list("skipped", "越过 %d 位，理由一致。")),
    ("chosen", _list("chosen", "抽中 %d 位一致。")), ("alternates", _list("alternates", "候补 %d 位一致。")),
)  # fmt: skip
