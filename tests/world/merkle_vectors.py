"""tests/vectors/merkle.json, made by the definitions of RFC 6962 §2.1 word for word and by nothing of ours.

    nodes         hex hashes; everything below names them by their place in this list
    leaves        leaf hash of entry i, whose bytes are the decimal digits of i
    roots         root of the tree of size n, at place n; size 0 first
    inclusion     at place n - 1: for each index the proof in the tree of size n, nearest sibling first
    consistency   at place n - 1: for each old size 1 … n the proof towards the tree of size n

Write it again with `python -m tests.world.merkle_vectors`; other implementations of the log's format may be tested with it.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "vectors/merkle.json"
LARGEST = 63


def split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def root(leaves: list[bytes]) -> bytes:
    """MTH of leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return [*path(m, leaves[:k]), root(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), root(leaves[:k])]


def proof(m: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b)."""
    if m == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*proof(m, leaves[:k], whole), root(leaves[k:])]
    return [*proof(m - k, leaves[k:], False), root(leaves[:k])]


def made() -> dict[str, Any]:
    """The file's value."""
    leaves = [sha256(b"\x00" + str(i).encode()).digest() for i in range(LARGEST)]
    nodes: dict[bytes, int] = {}

    def at(node: bytes) -> int:
        return nodes.setdefault(node, len(nodes))

    told = {
        "leaves": [at(leaf) for leaf in leaves],
        "roots": [at(root(leaves[:n])) for n in range(LARGEST + 1)],
        "inclusion": [[[at(h) for h in path(m, leaves[:n])] for m in range(n)] for n in range(1, LARGEST + 1)],
        "consistency": [[[at(h) for h in proof(m, leaves[:n])] for m in range(1, n + 1)] for n in range(1, LARGEST + 1)],
    }
    return {"nodes": [node.hex() for node in nodes], **told}


def written() -> str:
    """The file's text."""
    return json.dumps(made(), separators=(",", ":")).replace("],[", "],\n[") + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
