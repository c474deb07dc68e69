"""The Merkle tree of RFC 6962 §2.1 over SHA-256: roots, proofs and their verification. Pure; no Django.

Everything works on *leaf hashes* (32 bytes each), so that the entries themselves need not be in memory. Sizes count leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


class BadProof(ValueError):
    """A proof that does not show what it claims, or a question that no proof could answer (an index beyond the tree)."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first; at most 64 hashes whatever the size.

    It is all that appending and computing the root need. A root authenticates its frontier: no other of that size hashes to it.
    """

    __slots__ = ("nodes", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.nodes = list(nodes)
        if size < 0 or len(self.nodes) != size.bit_count() or any(len(node) != HASH_BYTES for node in self.nodes):
            raise BadProof(f"a frontier of size {size} has {max(size, 0).bit_count()} nodes of {HASH_BYTES} bytes each")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        carry, below = leaf, self.size
        while below & 1:
            carry = node_hash(self.nodes.pop(), carry)
            below >>= 1
        self.nodes.append(carry)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """Add leaf hashes in order; returns itself."""
        for leaf in leaves:
            self.append(leaf)
        return self

    def root(self) -> bytes:
        """The tree head of everything appended so far."""
        if not self.nodes:
            return EMPTY_ROOT
        result = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            result = node_hash(node, result)
        return result

    def copy(self) -> Frontier:
        return Frontier(self.size, self.nodes)

    def to_bytes(self) -> bytes:
        return b"".join(self.nodes)

    @classmethod
    def from_bytes(cls, size: int, stored: bytes) -> Frontier:
        """Raises BadProof when the bytes are not a frontier of that size."""
        return cls(size, [stored[i : i + HASH_BYTES] for i in range(0, len(stored), HASH_BYTES)])


def root(leaves: Iterable[bytes]) -> bytes:
    """The tree head of these leaf hashes."""
    return Frontier().extend(leaves).root()


Range = tuple[int, int]  # leaves low ≤ index < high


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees whose roots are the audit path of leaf `index` in a tree of `size` (RFC 6962 §2.1.1), lowest first. Raises BadProof."""
    if not 0 <= index < size:
        raise BadProof(f"leaf {index} is not in a tree of {size}")
    path: list[Range] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low = middle
    return path[::-1]


def consistency_ranges(old: int, size: int) -> list[Range]:
    """The subtrees whose roots prove that the first `old` leaves begin a tree of `size` (RFC 6962 §2.1.2). Raises BadProof."""
    if not 0 <= old <= size:
        raise BadProof(f"a tree of {size} has no prefix of {old}")
    if old in (0, size):
        return []
    path: list[Range] = []
    low, high, whole = 0, size, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low, whole = middle, False
    if not whole:  # a prefix that is itself a complete subtree is known to the verifier already
        path.append((low, high))
    return path[::-1]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `leaves`, lowest sibling first. Raises BadProof."""
    return [root(leaves[low:high]) for low, high in inclusion_ranges(index, len(leaves))]


def consistency_proof(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """That the first `old` leaves are a prefix of `leaves`. Raises BadProof unless 0 ≤ old ≤ size."""
    return [root(leaves[low:high]) for low, high in consistency_ranges(old, len(leaves))]


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that `proof` leads to from `leaf` (RFC 9162 §2.1.3.2). Raises BadProof when the shape is wrong."""
    if not 0 <= index < size:
        raise BadProof(f"leaf {index} is not in a tree of {size}")
    _check_hashes([leaf, *proof])
    here, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise BadProof("the proof is longer than the tree is high")
        if here & 1 or here == last:
            result = node_hash(sibling, result)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise BadProof("the proof is shorter than the tree is high")
    return result


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected: bytes) -> None:
    """Raises BadProof unless `leaf` (a leaf hash) stands at `index` in the tree of `size` with root `expected`."""
    if root_from_inclusion(index, size, leaf, proof) != expected:
        raise BadProof("the proof leads to another root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises BadProof unless the tree (`new`, `new_root`) begins with the tree (`old`, `old_root`) (RFC 9162 §2.1.4.2)."""
    if not 0 <= old <= new:
        raise BadProof(f"sizes {old} and {new} are not in order")
    _check_hashes([old_root, new_root, *proof])
    if old in (0, new):
        _check_trivial(old, new, old_root, new_root, proof)
        return
    if not proof:
        raise BadProof("the proof is empty")
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    first, second = _climb(old - 1, new - 1, path)
    if first != old_root or second != new_root:
        raise BadProof("the proof leads to other roots")


def _climb(here: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Both roots that a consistency path leads to, from the last old leaf and the last new one."""
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise BadProof("the proof is longer than the tree is high")
        if here & 1 or here == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise BadProof("the proof is shorter than the tree is high")
    return first, second


def _check_trivial(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise BadProof("nothing is to be proved, yet the proof is not empty")
    if old == new and old_root != new_root:
        raise BadProof("one size, two roots")
    if old == 0 and old_root != EMPTY_ROOT:
        raise BadProof("an empty tree has another root")


def _check_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise BadProof(f"every hash has {HASH_BYTES} bytes")


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (size ≥ 2)."""
    return 1 << ((size - 1).bit_length() - 1)
