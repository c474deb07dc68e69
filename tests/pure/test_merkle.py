"""The Merkle tree: the published RFC 6962 vectors, and agreement with the definition written down naively."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.ledger import merkle
from grants.ledger.merkle import BadProof, Frontier

# The eight entries and roots that the RFC 6962 implementations (certificate-transparency, transparency-dev/merkle) test against.
ENTRIES = [
    bytes.fromhex(x) for x in ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
ROOTS = [
    bytes.fromhex(x)
    for x in [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
]
A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
D = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
E = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = [
    (0, 1, []),
    (0, 8, [A, B, C]),
    (5, 8, [E, D, ROOTS[3].hex()]),
    (2, 3, [ROOTS[1].hex()]),
    (1, 5, [ROOTS[0].hex(), B, E]),
]
CONSISTENCY = [
    (1, 1, []),
    (1, 8, [A, B, C]),
    (6, 8, [F, D, ROOTS[3].hex()]),
    (2, 5, [B, E]),
    (6, 7, [F, "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f", ROOTS[3].hex()]),
]


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def tree(size: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % i) for i in range(size)]


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    assert merkle.root(LEAVES[:size]) == ROOTS[size - 1]
    assert naive_root(LEAVES[:size]) == ROOTS[size - 1]


def test_empty_tree_is_the_hash_of_nothing() -> None:
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_published_inclusion_proofs(index: int, size: int, proof: list[str]) -> None:
    assert [h.hex() for h in merkle.inclusion_proof(LEAVES[:size], index)] == proof
    merkle.verify_inclusion(index, size, LEAVES[index], [bytes.fromhex(h) for h in proof], ROOTS[size - 1])


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_published_consistency_proofs(old: int, new: int, proof: list[str]) -> None:
    assert [h.hex() for h in merkle.consistency_proof(LEAVES[:new], old)] == proof
    merkle.verify_consistency(old, new, ROOTS[old - 1], ROOTS[new - 1], [bytes.fromhex(h) for h in proof])


@pytest.mark.parametrize("size", [*range(70), 127, 128, 129, 255, 256, 257])
def test_roots_and_frontiers_agree_with_the_definition(size: int) -> None:
    leaves = tree(size)
    frontier = Frontier().extend(leaves)
    assert frontier.root() == merkle.root(leaves) == naive_root(leaves)
    again = Frontier.from_bytes(size, frontier.to_bytes())
    assert again.extend(tree(3)).root() == naive_root(leaves + tree(3))
    assert len(frontier.to_bytes()) == 32 * size.bit_count()


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_and_every_prefix_is_proved(size: int) -> None:
    """Exhaustive to 33: each proof verifies at its own place and size and at no other index."""
    leaves = tree(size)
    root = naive_root(leaves)
    for index in range(size):
        proof = merkle.inclusion_proof(leaves, index)
        merkle.verify_inclusion(index, size, leaves[index], proof, root)
        for other in range(size):
            if other != index:
                with pytest.raises(BadProof):
                    merkle.verify_inclusion(other, size, leaves[index], proof, root)
    for old in range(size + 1):
        merkle.verify_consistency(old, size, naive_root(leaves[:old]), root, merkle.consistency_proof(leaves, old))


@given(st.integers(2, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))), st.data())
def test_a_corrupted_inclusion_proof_is_refused(case: tuple[int, int], data: st.DataObject) -> None:
    size, index = case
    leaves = tree(size)
    root, proof = naive_root(leaves), merkle.inclusion_proof(leaves, index)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(index, size, leaves[index], corrupted(proof, data), root)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(index, size, merkle.leaf_hash(b"other"), proof, root)


@given(st.integers(2, 200).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n))), st.data())
def test_a_corrupted_consistency_proof_is_refused(case: tuple[int, int], data: st.DataObject) -> None:
    old, new = case
    leaves = tree(new)
    first, second, proof = naive_root(leaves[:old]), naive_root(leaves), merkle.consistency_proof(leaves, old)
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, new, first, second, corrupted(proof, data))
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, new, second, first, proof)
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, new, naive_root([*leaves[: old - 1], merkle.leaf_hash(b"rewritten")]), second, proof)


def corrupted(proof: list[bytes], data: st.DataObject) -> list[bytes]:
    """A proof with one bit flipped, one hash cut off, doubled, or of the wrong length."""
    at = data.draw(st.integers(0, len(proof) - 1))
    flipped = bytes([proof[at][0] ^ (1 << data.draw(st.integers(0, 7)))]) + proof[at][1:]
    ways = [
        [*proof[:at], flipped, *proof[at + 1 :]],
        proof[:-1],
        [*proof, proof[at]],
        [*proof, b""],
        [proof[at][:31], *proof[1:]],
    ]
    return data.draw(st.sampled_from(ways))


@pytest.mark.parametrize(
    ("old", "new", "first", "second", "proof"),
    [
        (2, 1, ROOTS[1], ROOTS[0], []),  # back in time
        (1, 2, ROOTS[0], ROOTS[1], []),  # nothing shown
        (3, 3, ROOTS[2], ROOTS[1], []),  # one size, two roots
        (3, 3, ROOTS[2], ROOTS[2], [ROOTS[0]]),  # a proof of nothing
        (0, 3, ROOTS[0], ROOTS[2], []),  # an empty tree with another root
        (0, 3, merkle.EMPTY_ROOT, ROOTS[2], [ROOTS[0]]),
        (-1, 3, ROOTS[0], ROOTS[2], []),
    ],
)
def test_senseless_consistency_claims_are_refused(old: int, new: int, first: bytes, second: bytes, proof: list[bytes]) -> None:
    with pytest.raises(BadProof):
        merkle.verify_consistency(old, new, first, second, proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 2)])
def test_a_leaf_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(BadProof):
        merkle.verify_inclusion(index, size, LEAVES[0], [], LEAVES[0])
    with pytest.raises(BadProof):
        merkle.inclusion_proof(LEAVES[:size], index)


@pytest.mark.parametrize(("size", "stored"), [(3, b"x" * 32), (1, b"x" * 31), (0, b"x" * 32), (-1, b"")])
def test_bytes_that_are_no_frontier_are_refused(size: int, stored: bytes) -> None:
    with pytest.raises(BadProof):
        Frontier.from_bytes(size, stored)


def test_a_prefix_beyond_the_tree_has_no_proof() -> None:
    with pytest.raises(BadProof):
        merkle.consistency_proof(LEAVES, 9)
