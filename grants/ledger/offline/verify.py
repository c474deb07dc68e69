#!/usr/bin/env python3
"""公创台账离线校验 · Checks an exported ledger or a receipt with nothing but Python 3.8+. 说明 / usage:

    python3 -S -E verify.py 文件夹 [--key 公钥文件或公钥行]… [--pin 大小:根]… [--receipt 回执文件]…
    python3 -S -E verify.py --receipt 回执文件 --key 公钥文件

No network, no database, no other package, constant memory. Exit code 0: everything that was checked holds; 1: something does not
(the first thing wrong is named); 2: it could not be checked. Keys and pins are worth what their source is worth: give those you
kept *outside* the folder. The format is described in docs/ledger-format.md of the project.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
from pathlib import Path

TYPE_CHECKING = False  # names for type checkers only: nothing but what is above is loaded
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

SHA = hashlib.sha256
DASH = "\u2014 "
RECEIPT = "gongchuang-receipt/1"
PROOF = "c2sp.org/tlog-proof@v1"
ED25519, COSIGNATURE, MLDSA44 = 1, 4, 6
MOST_SIGNATURES = 500  # checkpoints whose signatures are checked unless --all-signatures; the newest is always among them


class Bad(Exception):
    """Something that does not hold. kind: a short word; first, last: the entries first ≤ index < last among which it lies."""

    def __init__(self, kind: str, detail: str, first: int | None = None, last: int | None = None) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.first, self.last = kind, detail, first, last

    def __str__(self):
        where = "" if self.first is None else "区间 [%s, %s) " % (self.first, "尾部" if self.last is None else self.last)
        return "%s%s (%s)" % (where, self.detail, self.kind)


# --- Ed25519 (RFC 8032), verification only. A table of 16·64 points per key makes the second and later signatures cheap. --------

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _point(raw):
    """The point encoded in 32 bytes, or None when they are no canonical encoding of one."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * SQRT_M1 % P
    if (v * x * x - u) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


def _encode(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _table(point):
    rows = []
    for _ in range(64):
        row = [(0, 1, 1, 0)]
        for _ in range(15):
            row.append(_add(row[-1], point))
        rows.append(row)
        point = _add(row[15], point)
    return rows


def _times(table, scalar):
    total = (0, 1, 1, 0)
    for row in table:
        total = _add(total, row[scalar & 15])
        scalar >>= 4
    return total


_BASE: list[Any] = []
_TABLES: dict[bytes, Any] = {}


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) is one of `message` by the key `public` (32 bytes). Refuses malleated and non-canonical ones."""
    if len(public) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= Q:
        return False
    if public not in _TABLES:
        point = _point(public)
        if point is None:
            return False
        _TABLES[public] = _table((P - point[0], point[1], 1, P - point[3] if point[3] else 0))
    if not _BASE:
        _BASE.extend(_table(_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))))
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    return _encode(_add(_times(_BASE, s), _times(_TABLES[public], k))) == signature[:32]


# --- keys, notes, checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature) ----------------------------------------------


def unb64(text):
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Bad("format", "不是 base64:%r" % text[:60])
    if base64.b64encode(raw).decode() != text:
        raise Bad("format", "base64 写法不唯一:%r" % text[:60])
    return raw


class Key:
    """A public key under a name: `<name>+<key id>+<base64(type || key)>`."""

    def __init__(self, line: str, source: str = "命令行") -> None:
        name, _, rest = line.strip().partition("+")
        shown, _, encoded = rest.partition("+")
        raw = unb64(encoded)
        self.name, self.kind, self.public, self.source, self.line = name, raw[0] if raw else 0, raw[1:], source, line.strip()
        self.id = SHA(name.encode() + b"\n" + raw).digest()[:4]
        if not name or self.id.hex() != shown:
            raise Bad("key", "公钥行的编号与内容不符:%s" % line.strip()[:80])
        if self.kind in (ED25519, COSIGNATURE) and len(self.public) != 32:
            raise Bad("key", "公钥长度不对:%s" % line.strip()[:80])

    def accepts(self, text, signature):
        """True, False, or None when this program cannot check signatures of this kind."""
        if self.kind == ED25519:
            return ed25519(self.public, text.encode(), signature)
        if self.kind == COSIGNATURE and len(signature) == 72:
            head = "cosignature/v1\ntime %d\n" % int.from_bytes(signature[:8], "big")
            return ed25519(self.public, (head + text).encode(), signature[8:])
        return None if self.kind == MLDSA44 else False


def read_keys(texts: Iterable[str], source: str) -> list[Key]:
    found = []
    for text in texts:
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                found.append(Key(line, source))
    return found


def split_note(note):
    """(text, [(name, key id, signature)]) of a signed note. Raises Bad."""
    text, gap, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() != "" or not 1 <= len(lines) <= 100:
        raise Bad("checkpoint", "不是签名的文本(缺空行或签名行)")
    if any(ord(c) < 32 and c != "\n" for c in note):
        raise Bad("checkpoint", "签名的文本里有控制字符")
    found = []
    for line in lines:
        name, _, encoded = line[2:].partition(" ")
        raw = unb64(encoded)
        if not line.startswith(DASH) or not name or len(raw) < 5:
            raise Bad("checkpoint", "签名行写法不对:%r" % line[:60])
        found.append((name, raw[:4], raw[4:]))
    return text + "\n", found


def head_of(text):
    """(origin, size, root) of a checkpoint's text. Raises Bad."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0] or not (lines[1].isascii() and lines[1].isdigit()) or len(lines[1]) > 19:
        raise Bad("checkpoint", "检查点应为三行:名称、大小、根")
    root = unb64(lines[2])
    if len(root) != 32 or str(int(lines[1])) != lines[1]:
        raise Bad("checkpoint", "检查点的大小或根写法不对")
    return lines[0], int(lines[1]), root


def open_checkpoint(note: str, keys: Iterable[Key], seen: dict[str, Any] | None = None) -> tuple[str, int, bytes]:
    """(origin, size, root) of a checkpoint signed by one of `keys` of its origin's name. Cosignatures by known keys must hold too."""
    text, signatures = split_note(note)
    origin, size, root = head_of(text)
    known = {(key.name, key.id): key for key in keys}
    signed = False
    for name, number, signature in signatures:
        key = known.get((name, number))
        if key is None:
            continue
        verdict = key.accepts(text, signature)
        if verdict is False:
            raise Bad("checkpoint", "%s 的签名与检查点 %d 的原文不符" % (name, size))
        signed = signed or (verdict is True and key.kind == ED25519 and name == origin)
        if seen is not None:
            what = "cosignatures" if key.kind == COSIGNATURE else "unchecked" if verdict is None else "signatures"
            seen[what] = seen.get(what, 0) + 1
    if not signed:
        raise Bad("checkpoint", "检查点 %d 没有由所给公钥签署的签名" % size)
    return origin, size, root


# --- the tree (RFC 6962) ----------------------------------------------------------------------------------------------------------


class Tree:
    """The right edge of a growing tree."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.size = 0

    def append(self, leaf: bytes) -> None:
        below = self.size
        while below & 1:
            leaf = SHA(b"\x01" + self.nodes.pop() + leaf).digest()
            below >>= 1
        self.nodes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self.nodes:
            return SHA(b"").digest()
        result = self.nodes[-1]
        for node in self.nodes[-2::-1]:
            result = SHA(b"\x01" + node + result).digest()
        return result


def climb(index, size, leaf, path):
    """The root that an inclusion proof leads to (RFC 9162 §2.1.3.2). Raises Bad."""
    if not 0 <= index < size:
        raise Bad("inclusion", "序号 %d 不在大小为 %d 的树里" % (index, size))
    here, last, result = index, size - 1, leaf
    for sibling in path:
        if last == 0 or len(sibling) != 32:
            raise Bad("inclusion", "包含证明的长度不对")
        if here & 1 or here == last:
            result = SHA(b"\x01" + sibling + result).digest()
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            result = SHA(b"\x01" + result + sibling).digest()
        here, last = here >> 1, last >> 1
    if last:
        raise Bad("inclusion", "包含证明的长度不对")
    return result


def consistent(old, new, old_root, new_root, path):
    """Whether the tree (new, new_root) begins with (old, old_root) (RFC 9162 §2.1.4.2)."""
    if old == new:
        return old_root == new_root and not path
    if not 0 < old < new or not path:
        return False
    path = list(path) if old & (old - 1) else [old_root, *path]
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            first, second = SHA(b"\x01" + sibling + first).digest(), SHA(b"\x01" + sibling + second).digest()
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            second = SHA(b"\x01" + second + sibling).digest()
        here, last = here >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def leaf_hash(entry: bytes) -> bytes:
    return SHA(b"\x00" + entry).digest()


def read_proof(text: str) -> tuple[int, list[bytes], str]:
    """(index, hashes, checkpoint note) of a C2SP tlog-proof@v1. Raises Bad."""
    head, gap, note = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != PROOF:
        raise Bad("proof", "不是 %s 证明" % PROOF)
    if lines and lines[0].startswith("extra "):
        lines.pop(0)
    index = lines.pop(0)[6:] if lines and lines[0].startswith("index ") else ""
    if not (index.isascii() and index.isdigit()) or str(int(index)) != index or len(lines) > 64:
        raise Bad("proof", "证明里没有序号")
    return int(index), [unb64(line) for line in lines], note


# --- receipts ---------------------------------------------------------------------------------------------------------------------


def canonical(value):
    """Canonical JSON (RFC 8785) of what receipts hold: names sorted by UTF-16 units, no blanks, no floats."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, float):
        raise Bad("receipt", "回执里有小数,不是规范写法")
    return json.dumps(value, ensure_ascii=False)


def _once(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Bad("receipt", "JSON 里有重复的名称")
    return found


def read_receipt(text: str) -> dict[str, Any]:
    """The receipt as a dict of the right shape. Raises Bad."""
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Bad("receipt", "读不出 JSON,回执文件可能被截断或改动")
    shape = {"format": str, "log": str, "key": str, "leaf": str, "about": dict, "signature": str}
    if not isinstance(found, dict) or found.get("format") != RECEIPT:
        raise Bad("receipt", "不是 %s 回执" % RECEIPT)
    for name, kind in shape.items():
        if not isinstance(found.get(name), kind):
            raise Bad("receipt", "回执缺少 %s" % name)
    if set(found) - set(shape) - {"proof"}:
        raise Bad("receipt", "回执里有未签名的多余内容:%s" % "、".join(sorted(set(found) - set(shape))))
    return found


def signed_text(receipt: dict[str, Any]) -> str:
    """What the signature covers: the canonical JSON of everything but the signature and the proof."""
    return canonical({name: value for name, value in receipt.items() if name not in ("signature", "proof")})


def check_receipt(text: str, keys: Iterable[Key], report: Callable[[str, str], object]) -> dict[str, Any]:
    """Check one receipt; report(step, detail) for each thing that holds. Raises Bad with the first that does not.

    Steps: "signature", "entry", then "inclusion" or "pending" (no proof in the file yet), "cosignatures". Returns the entry.
    """
    receipt = read_receipt(text)
    name = receipt["log"] + "/receipts"
    mine = [key for key in keys if key.kind == ED25519 and key.name == name]
    if not mine:
        raise Bad("key", "没有名为 %s 的回执公钥可用于检查" % name)
    message, signature = signed_text(receipt).encode("utf-8", "surrogatepass"), unb64(receipt["signature"])
    if not any(key.line == receipt["key"] for key in mine):
        raise Bad("key", "回执声称的公钥不是所给的公钥,可能出自别处或被改动")
    if not any(ed25519(key.public, message, signature) for key in mine):
        raise Bad("signature", "签名与回执内容不符:内容被改动,或不是由该公钥签发")
    report("signature", name)
    entry = _entry(receipt["leaf"])
    _same(receipt["about"], entry)
    report("entry", entry["id"])
    if "proof" not in receipt:
        report("pending", "")
        return entry
    _included(receipt, keys, report)
    return entry


def _entry(leaf):
    try:
        entry = json.loads(leaf, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict) or not all(isinstance(entry.get(n), str) for n in ("id", "at", "event", "subject")):
        raise Bad("entry", "回执所附的台账条目读不出")
    return entry


def _same(about, entry):
    """The plain words of the receipt and the entry must not contradict each other."""
    public = entry.get("public") or {}
    pairs = (("at", entry["at"]), ("event", entry["event"]), ("content", public.get("content")))
    for name, value in pairs:
        if name in about and value is not None and about[name] != value:
            raise Bad("entry", "回执的 %s 与台账条目不一致" % name)


def _included(receipt, keys, report):
    if not isinstance(receipt["proof"], str):
        raise Bad("proof", "证明应为文本")
    index, hashes, note = read_proof(receipt["proof"])
    seen: dict[str, Any] = {}
    origin, size, root = open_checkpoint(note, [k for k in keys if k.name != receipt["log"] + "/receipts"], seen)
    if origin != receipt["log"]:
        raise Bad("proof", "证明出自另一本台账:%s" % origin)
    if climb(index, size, leaf_hash(receipt["leaf"].encode()), hashes) != root:
        raise Bad("inclusion", "包含证明不成立:条目与检查点的根对不上")
    report("inclusion", "%d/%d %s" % (index, size, root.hex()))
    if seen.get("cosignatures"):
        report("cosignatures", str(seen["cosignatures"]))


# --- an exported folder -----------------------------------------------------------------------------------------------------------


def lines_of(path):
    with path.open("rb") as file:
        for line in file:
            yield line[:-1] if line.endswith(b"\n") else line


def _sums(folder):
    path = folder / "SHA256SUMS"
    if not path.exists():
        raise Bad("sums", "缺少 SHA256SUMS")
    named = {}
    for line in path.read_bytes().decode("utf-8", "replace").split("\n"):
        digest, gap, name = line.partition("  ")
        if line and (not gap or len(digest) != 64):
            raise Bad("sums", "SHA256SUMS 有一行读不出:%s" % line[:80])
        if line:
            named[name] = digest
    return named


def check_sums(folder: Path) -> int:
    """Every file named in SHA256SUMS has its hash and no other file is there; how many. Against accidents only: whoever edits can redo it."""
    named = _sums(folder)
    for name, digest in sorted(named.items()):
        file = folder / name
        if ".." in name or not file.is_file():
            raise Bad("sums", "文件不见了:%s" % name)
        if digest_of(file) != digest:
            raise Bad("sums", "文件内容与 SHA256SUMS 不符:%s" % name)
    extra = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - set(named) - {"SHA256SUMS"}
    if extra:
        raise Bad("sums", "有 SHA256SUMS 未列出的文件:%s" % min(extra))
    return len(named)


def digest_of(path: Path) -> str:
    found = SHA()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            found.update(block)
    return found.hexdigest()


def marks_of(folder, keys, pins, thinned, counts):
    """Every root the tree must have, by size: (size, root, what it is). Raises Bad for a checkpoint that does not hold in itself."""
    waiting, last, proved = sorted(pins.items(), reverse=True), -1, 0
    path = folder / "checkpoints.jsonl"
    total = sum(1 for _ in lines_of(path)) if path.exists() else 0
    step = max(1, total // thinned) if thinned else 1
    for number, line in enumerate(lines_of(path) if path.exists() else ()):
        try:
            note = json.loads(line.decode())["note"]
            text, _signatures = split_note(note)
            origin, size, root = head_of(text)
            if (total - 1 - number) % step == 0:
                open_checkpoint(note, keys, counts)
                counts["checked"] = counts.get("checked", 0) + 1
        except (ValueError, KeyError, TypeError):
            raise Bad("checkpoint", "checkpoints.jsonl 第 %d 行读不出" % (number + 1), proved)
        except Bad as bad:
            raise Bad(bad.kind, "checkpoints.jsonl 第 %d 行:%s" % (number + 1, bad.detail), proved)
        if size <= last or origin != counts.setdefault("origin", origin):
            raise Bad("checkpoint", "checkpoints.jsonl 第 %d 行的大小或名称不合次序" % (number + 1), proved)
        while waiting and waiting[-1][0] <= size:
            yield (*waiting.pop(), "留存的根")
        yield size, root, "检查点"
        last = proved = size
        counts["checkpoints"] = counts.get("checkpoints", 0) + 1
    while waiting:
        yield (*waiting.pop(), "留存的根")


def payloads_of(folder):
    """(index, salt, body) in order, of payloads.jsonl when it was exported."""
    path = folder / "payloads.jsonl"
    for number, line in enumerate(lines_of(path) if path.exists() else ()):
        try:
            row = json.loads(line.decode())
            yield int(row["index"]), bytes.fromhex(row["salt"]), row["body"].encode()
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Bad("payload", "payloads.jsonl 第 %d 行读不出" % (number + 1))


def check_log(folder: Path, keys: list[Key], pins: dict[int, bytes], thinned: int = MOST_SIGNATURES) -> dict[str, Any]:
    """Recompute the exported log; the counts. Raises Bad with the first interval between two roots that does not hold."""
    counts: dict[str, Any] = {}
    marks, payloads = marks_of(folder, keys, pins, thinned, counts), payloads_of(folder)
    mark, payload, tree, proved = next(marks, None), next(payloads, None), Tree(), 0
    commits = kept = 0
    append, digest = tree.append, SHA
    path = folder / "entries.jsonl"
    if not path.exists():
        raise Bad("missing", "缺少 entries.jsonl")
    with path.open("rb") as file:
        for line in file:
            while mark is not None and mark[0] == tree.size:
                _hold(tree, mark, proved)
                proved, mark = tree.size, next(marks, None)
            entry = line[:-1] if line.endswith(b"\n") else line
            append(digest(b"\x00" + entry).digest())
            at = entry.find(b'"commit":')
            commits += entry[at + 9 : at + 10] == b'"'
            if payload is not None and payload[0] == tree.size - 1:
                _fits(entry, payload, proved, mark)
                payload, kept = next(payloads, None), kept + 1
    while mark is not None and mark[0] == tree.size:
        _hold(tree, mark, proved)
        proved, mark = tree.size, next(marks, None)
    if mark is not None:
        raise Bad("truncated", "%s要求 %d 条,文件里只有 %d 条:尾部被截去" % (mark[2], mark[0], tree.size), proved, mark[0])
    if payload is not None:
        raise Bad("payload", "payloads.jsonl 的序号不合次序或超出范围:%d" % payload[0])
    counts.update(entries=tree.size, anchored=proved, unanchored=tree.size - proved, root=tree.root().hex())
    counts.update(commits=commits, payloads=kept)
    return counts


def _hold(tree, mark, proved):
    if tree.root() != mark[1]:
        raise Bad("altered", "重算的根与%s(大小 %d)不符:有条目被改动、删除、插入或调换" % (mark[2], mark[0]), proved, mark[0])


def _fits(entry, payload, proved, mark):
    try:
        wanted = json.loads(entry.decode())["commit"]
    except (ValueError, KeyError, TypeError):
        wanted = None
    if SHA(payload[1] + payload[2]).hexdigest() != wanted:
        raise Bad("payload", "第 %d 条的附文与其承诺值不符" % payload[0], proved, mark and mark[0])


def check_receipt_in(folder_keys, text, tree_leaf):
    """The receipt holds, and its proof's leaf is the one the export has at that index. tree_leaf: index → entry bytes or None."""
    held = []
    entry = check_receipt(text, folder_keys, lambda *told: held.append(told[0]))
    receipt = read_receipt(text)
    if "proof" in receipt:
        index = read_proof(receipt["proof"])[0]
        found = tree_leaf(index)
        if found != receipt["leaf"].encode():
            raise Bad("split-view", "回执证明的第 %d 条与导出的台账不同:给你看的台账被重写过" % index, index, index + 1)
    return entry, held


def entry_at(folder, index):
    for number, line in enumerate(lines_of(folder / "entries.jsonl")):
        if number == index:
            return line
    return None


# --- keys and roots from elsewhere ------------------------------------------------------------------------------------------------


def outside_keys(given: Iterable[str]) -> list[Key]:
    found = []
    for each in given:
        path = Path(each)
        is_file = len(each) < 1000 and "+" not in path.name and path.is_file()
        found += read_keys([path.read_text(encoding="utf-8") if is_file else each], "外部")
    return found


def read_pin(text):
    left, _, right = text.partition(":")
    size, root = (left, right) if left.isdigit() and len(left) < 20 else (right, left)
    try:
        raw = bytes.fromhex(root) if len(root) == 64 else base64.b64decode(root, validate=True)
        number = int(size)
    except (ValueError, binascii.Error):
        raise Bad("pin", "--pin 写成 大小:根,这里是 %s" % text[:80])
    if len(raw) != 32 or number < 0:
        raise Bad("pin", "--pin 的根应为 32 字节:%s" % text[:80])
    return number, raw


# --- words ------------------------------------------------------------------------------------------------------------------------

STEPS = {
    "signature": "签名成立,签发者:%s",
    "entry": "条目可读且与回执文字一致,事件编号 %s",
    "inclusion": "已写入台账:序号/大小 根 = %s",
    "pending": "尚未附台账证明:只证明系统当时签收,不证明已写入台账;请稍后重新下载回执再查。%s",
    "cosignatures": "见证者联署成立 %s 个",
}
NOT_CHECKED = (
    "申报内容本身的真实性;",
    "服务器的时钟是否准确(时间是系统写下的,有外部时间戳时以时间戳为界);",
    "掌握签名私钥的人另签一本台账给别人看(要比对别处留存的根或见证者联署)。",
)


def undetected(counts, keys, pins, receipts):
    """Which attacks this run would not have noticed, given what it was given."""
    found = []
    if any(key.source == "文件夹" for key in keys):
        found.append("公钥来自被检查的文件夹本身:掌握文件夹的人可以换钥匙重签一切。请用 --key 给出另外保存的公钥。")
    if not pins:
        found.append("没有给出外部留存的根:掌握台账私钥的人改写全部条目并重新签署,或把尾部连同其检查点一起截去,查不出来。请用 --pin。")
    else:
        found.append("最新的留存根在第 %d 条:其后的条目若被持钥者改写重签,查不出来。" % max(pins))
    if not receipts:
        found.append("没有给出回执:没有拿申报单位手里的回执与这本台账比对。")
    if counts["unanchored"]:
        found.append("最后一个检查点之后有 %d 条没有签名保护,可被增删。" % counts["unanchored"])
    if counts["commits"] > counts["payloads"]:
        found.append("%d 条附文不在导出中或已依法删除:其内容无从核对(承诺值仍在)。" % (counts["commits"] - counts["payloads"]))
    found.append("事情发生了却从未写入台账;写入时就不真实的内容。")
    return found


def main(argv: list[str] | None = None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    asked = argparse.ArgumentParser(description="公创台账离线校验")
    asked.add_argument("folder", nargs="?", type=Path, help="导出的文件夹")
    asked.add_argument("--key", action="append", default=[], help="另外保存的公钥:文件或公钥行,可重复")
    asked.add_argument("--pin", action="append", default=[], help="另外留存的根:大小:根(十六进制或 base64),可重复")
    asked.add_argument("--receipt", action="append", default=[], type=Path, help="回执文件,可重复")
    asked.add_argument("--all-signatures", action="store_true", help="检查每个检查点的签名,不抽样")
    options = asked.parse_args(argv)
    if options.folder is None and not options.receipt:
        asked.error("请给出文件夹或 --receipt")
    try:
        return run(options)
    except Bad as bad:
        print("✗ %s" % bad)
        print("结论:不通过 FAILED")
        return 1
    except (OSError, UnicodeDecodeError) as wrong:
        print("无法检查:%s" % wrong)
        return 2


def run(options):
    keys, source = outside_keys(options.key), "外部给出(--key)"
    if not keys and options.folder is not None:
        path = options.folder / "keys.txt"
        keys = read_keys([path.read_bytes().decode("utf-8", "replace")], "文件夹") if path.exists() else []
        source = "被检查的文件夹 keys.txt"
    if not keys:
        raise Bad("key", "没有公钥:请用 --key 给出另外保存的公钥")
    print("公钥来源:%s" % source)
    for key in keys:
        print("  %s" % key.line[:120])
    pins = dict(read_pin(pin) for pin in options.pin)
    if options.folder is not None:
        folder_report(options, keys, pins)
    for path in options.receipt:
        receipt_report(path, options.folder, keys)
    if options.folder is None:
        print("没有检查的:")
        for line in NOT_CHECKED:
            print("  - %s" % line)
    print("结论:完整 INTACT(限于以上检查过的)")
    return 0


def folder_report(options, keys, pins):
    files = check_sums(options.folder)
    print("✓ %d 个文件与 SHA256SUMS 一致(只防意外损坏)" % files)
    counts = check_log(options.folder, keys, pins, 0 if options.all_signatures else MOST_SIGNATURES)
    print("✓ 条目 %(entries)d,根 %(root)s" % counts)
    print("✓ 检查点 %d 个的根全部相符,其中 %d 个核对了签名;见证者联署 %d 个;本程序不能核对的签名 %d 个" % (
        counts.get("checkpoints", 0), counts.get("checked", 0), counts.get("cosignatures", 0), counts.get("unchecked", 0)))
    print("✓ 外部留存的根 %d 个;附文 %d 份(承诺值 %d 个)" % (len(pins), counts["payloads"], counts["commits"]))
    print("! 尾部未受检查点保护的条目:%(unanchored)d" % counts)
    print("查不出来的:")
    for line in undetected(counts, keys, pins, options.receipt):
        print("  - %s" % line)


def receipt_report(path, folder, keys):
    print("回执 %s" % path.name)
    text = path.read_bytes().decode("utf-8", "replace")
    if folder is not None:
        entry, _held = check_receipt_in(keys, text, lambda index: entry_at(folder, index))
        print("✓ 签名成立,且与导出的台账同一条目:%s %s" % (entry["event"], entry["at"]))
        return
    entry = check_receipt(text, keys, lambda step, detail: print(("✓ " if step != "pending" else "! ") + STEPS[step] % detail))
    print("  %s  %s  %s" % (entry["at"], entry["event"], entry["subject"]))


if __name__ == "__main__":
    sys.exit(main())
