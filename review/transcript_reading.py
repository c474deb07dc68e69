"""Reading a draw's file: what is not of the format is refused with the path of the first wrong place. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from review.transcript import COMMITTED, FORMAT, METHOD, SIMPLE

MOST_BYTES: Final = 5_000_000
KINDS: Final = ("panel", "order", "sample", "tie")
BEACONS: Final = ("drand", "named", "said", "none")
_HEX64, _MOMENT = re.compile(r"[0-9a-f]{64}"), re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?")

Reader = Callable[[Any, str], None]


class Malformed(ValueError):
    """The file is not of the format. `path`: e.g. announced.pool[3][0]; empty for the file as a whole."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path}: {why}" if path else why)


def read(data: bytes, *, complete: bool) -> dict[str, Any]:
    """The document in `data`. complete: with its outcome (to verify); else without (to run). Raises Malformed."""
    if len(data) > MOST_BYTES:
        raise Malformed("", f"文件超过 {MOST_BYTES} 字节。")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_float=_no_float, parse_constant=_no_float)
    except UnicodeDecodeError as wrong:
        raise Malformed("", "文件不是 UTF-8 编码。") from wrong
    except json.JSONDecodeError as wrong:
        raise Malformed("", f"不是 JSON：第 {wrong.lineno} 行第 {wrong.colno} 列。") from wrong
    except RecursionError as wrong:
        raise Malformed("", "嵌套过深。") from wrong
    check(value, complete=complete)
    return dict(value)


def write(document: Mapping[str, Any]) -> bytes:
    """The bytes of a document: UTF-8, keys sorted, one space of indentation, line feeds — the same on every machine."""
    return (json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def check(value: Any, *, complete: bool) -> None:
    """Refuse what is not of the format. Raises Malformed."""
    _object({**GIVEN, **(FOLLOWED if complete else {})}, {} if complete else FOLLOWED)(value, "")
    announced = value["announced"]
    codes: set[str] = set()
    for at, (code, _seat) in enumerate(announced["pool"]):
        if code in codes:
            raise Malformed(f"announced.pool[{at}][0]", f"“{code}”在名单中出现两次。")
        codes.add(code)
    for code in announced["barred"]:
        if code not in codes:
            raise Malformed(f"announced.barred.{code}", "不在名单之中。")
    if announced["beacon"]["kind"] == "drand" and not re.fullmatch(r"[1-9][0-9]{0,9}", announced["beacon"]["round"]):
        raise Malformed("announced.beacon.round", "drand 的轮次是一个正整数。")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Malformed(name, "同一个名字写了两次。")
        found[name] = value
    return found


def _no_float(text: str) -> Any:
    raise Malformed("", f"数只能是整数，不能是 {text}。")


def _object(fields: Mapping[str, Reader], optional: Mapping[str, Reader] | None = None) -> Reader:
    known = {**fields, **(optional or {})}

    def ask(value: Any, path: str) -> None:
        _kind(value, dict, path, "一个对象")
        for name in sorted(fields.keys() - value.keys()):
            raise Malformed(_at(path, name), "缺少这一项。")
        for name, held in value.items():
            if name not in known:
                raise Malformed(_at(path, name), "没有这样的项目。")
            known[name](held, _at(path, name))

    return ask


def _list_of(item: Reader) -> Reader:
    def ask(value: Any, path: str) -> None:
        _kind(value, list, path, "一个列表")
        for at, held in enumerate(value):
            item(held, f"{path}[{at}]")

    return ask


def _pair(value: Any, path: str) -> None:
    _list_of(_text)(value, path)
    if len(value) != 2 or not value[0]:
        raise Malformed(path, "应为 [代码, 席位]，代码不能为空。")


def _map_of(item: Reader) -> Reader:
    def ask(value: Any, path: str) -> None:
        _kind(value, dict, path, "一个对象")
        for name, held in value.items():
            item(held, _at(path, name))

    return ask


def _text(value: Any, path: str) -> None:
    _kind(value, str, path, "文字")
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise Malformed(path, "含有不完整的字符。")


def _count(value: Any, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise Malformed(path, "应为 0 到 1000000 的整数。")


def _flag(value: Any, path: str) -> None:
    _kind(value, bool, path, "true 或 false")


def _one_of(*allowed: str) -> Reader:
    def ask(value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in allowed:
            raise Malformed(path, f"应为 {'、'.join(allowed)} 之一。")

    return ask


def _matching(pattern: re.Pattern[str], what: str) -> Reader:
    def ask(value: Any, path: str) -> None:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Malformed(path, f"应为{what}。")

    return ask


def _kind(value: Any, kind: type, path: str, what: str) -> None:
    if not isinstance(value, kind):
        raise Malformed(path, f"应为{what}。")


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_HASH = _matching(_HEX64, " 64 位小写十六进制数")
_HEAD = _matching(re.compile(r"([0-9a-f]{64})?"), " 64 位小写十六进制数或空")
_WHEN = _matching(_MOMENT, "形如 2026-04-03T01:00:00Z 的时间或空")
_RULE = _object({"size": _count, "minimum": _map_of(_count), "maximum": _map_of(_count), "alternates": _count})
ANNOUNCED: Final = _object({
    "kind": _one_of(*KINDS), "subject": _text, "title": _text, "number": _count, "reason": _text, "method": _one_of(METHOD), "program": _text,
    "mode": _one_of(SIMPLE, COMMITTED), "pool": _list_of(_pair), "barred": _map_of(_text), "rule": _RULE, "parties": _list_of(_text),
    "beacon": _object({"kind": _one_of(*BEACONS), "source": _text, "round": _text, "due": _WHEN}),
})  # fmt: skip
GIVEN: Final[Mapping[str, Reader]] = {
    "format": _one_of(FORMAT), "announced": ANNOUNCED, "ledger_head": _HEAD, "closed_at": _WHEN,
    "commitments": _list_of(_object({"party": _text, "sha256": _HASH})),
    "reveals": _list_of(_object({"party": _text, "value": _HASH, "by": _one_of("party", "escrow")})),
    "beacon": _object({"value": _text, "evidence": _text}),
}  # fmt: skip
FOLLOWED: Final[Mapping[str, Reader]] = {
    "announced_sha256": _HASH, "seed": _HASH, "order": _list_of(_text), "chosen": _list_of(_text), "alternates": _list_of(_text),
    "skipped": _list_of(_object({"code": _text, "rule": _text, "alternate": _flag})),
}  # fmt: skip
