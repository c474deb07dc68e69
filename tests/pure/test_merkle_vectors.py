"""tests/vectors/merkle.json: every inclusion and consistency proof of trees up to 63 leaves, held against the definition, our tree and the offline verifier."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grants.ledger import merkle
from grants.ledger.offline import verify
from tests.world import merkle_vectors

TOLD: dict[str, Any] = json.loads(merkle_vectors.FILE.read_text("utf-8"))
NODES = [bytes.fromhex(node) for node in TOLD["nodes"]]
LEAVES = [NODES[n] for n in TOLD["leaves"]]
ROOTS = [NODES[n] for n in TOLD["roots"]]


def proof(places: list[int]) -> list[bytes]:
    return [NODES[n] for n in places]


def test_the_file_is_what_the_definition_gives() -> None:
    """And covers each index and each pair of sizes below 64."""
    assert merkle_vectors.FILE.read_text("utf-8") == merkle_vectors.written()
    assert [len(rows) for rows in TOLD["inclusion"]] == [len(rows) for rows in TOLD["consistency"]] == list(range(1, 64))
    assert [merkle.leaf_hash(b"%d" % n) for n in range(63)] == LEAVES


@pytest.mark.parametrize("size", range(1, 64))
def test_our_tree_gives_and_takes_every_proof_and_the_offline_verifier_takes_it(size: int) -> None:
    assert merkle.root(LEAVES[:size]) == ROOTS[size]
    for index, places in enumerate(TOLD["inclusion"][size - 1]):
        assert merkle.inclusion_proof(LEAVES[:size], index) == proof(places)
        merkle.verify_inclusion(index, size, LEAVES[index], proof(places), ROOTS[size])
        assert verify.climb(index, size, LEAVES[index], proof(places)) == ROOTS[size]
    for old, places in enumerate(TOLD["consistency"][size - 1], 1):
        assert merkle.consistency_proof(LEAVES[:size], old) == proof(places)
        merkle.verify_consistency(old, size, ROOTS[old], ROOTS[size], proof(places))
        assert verify.consistent(old, size, ROOTS[old], ROOTS[size], proof(places))


@pytest.mark.parametrize("size", range(2, 64))
def test_no_proof_holds_for_another_root_or_with_a_hash_exchanged(size: int) -> None:
    for index, places in enumerate(TOLD["inclusion"][size - 1]):
        assert verify.climb(index, size, LEAVES[index], proof(places)) != ROOTS[size - 1]
        assert verify.climb(index, size, LEAVES[index], [ROOTS[0], *proof(places)[1:]]) != ROOTS[size]
    for old, places in enumerate(TOLD["consistency"][size - 1][:-1], 1):
        assert not verify.consistent(old, size, ROOTS[old - 1], ROOTS[size], proof(places))
        assert not verify.consistent(old, size, ROOTS[old], ROOTS[size - 1], proof(places))
        assert not verify.consistent(old, size, ROOTS[old], ROOTS[size], [ROOTS[0], *proof(places)[1:]])
