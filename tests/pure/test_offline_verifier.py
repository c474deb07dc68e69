"""The offline verifier's own arithmetic against independent implementations: Ed25519, the tree for every size below 300, canonical JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.ledger import canonical, merkle, note
from grants.ledger.offline import verify

LEAVES = [merkle.leaf_hash(str(n).encode()) for n in range(300)]

# RFC 8032 §7.1, TEST 1 to 3: public key, message, signature.
RFC8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("key", "message", "signature"), RFC8032)
def test_ed25519_accepts_the_published_vectors_and_no_neighbour(key: str, message: str, signature: str) -> None:
    public, text, raw = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
    assert verify.ed25519(public, text, raw)
    assert not verify.ed25519(public, text + b"x", raw)
    for place in (0, 31, 32, 62, 63):
        other = bytearray(raw)
        other[place] ^= 1
        assert not verify.ed25519(public, text, bytes(other))


def test_ed25519_refuses_a_malleated_signature() -> None:
    """S + L leads to the same point; RFC 8032 demands S < L."""
    key = Ed25519PrivateKey.generate()
    raw = key.sign(b"m")
    s = int.from_bytes(raw[32:], "little") + verify.Q
    assert not verify.ed25519(key.public_key().public_bytes_raw(), b"m", raw[:32] + s.to_bytes(32, "little"))


@settings(max_examples=60, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=64), flip=st.integers(0, 64 * 8))
def test_ed25519_agrees_with_openssl(seed: bytes, message: bytes, flip: int) -> None:
    """Signatures of random keys, intact or with one bit turned."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    raw = bytearray(key.sign(message))
    if flip:
        raw[(flip - 1) // 8] ^= 1 << ((flip - 1) % 8)
    public = key.public_key().public_bytes_raw()
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes(raw), message)
        expected = True
    except InvalidSignature:
        expected = False
    assert verify.ed25519(public, message, bytes(raw)) is expected


def test_the_tree_agrees_for_every_size_below_300_and_every_inclusion() -> None:
    """Roots by appending, and the root each inclusion proof leads to: the product's and the verifier's code, written apart."""
    tree = verify.Tree()
    for size in range(1, 300):
        tree.append(LEAVES[size - 1])
        root = naive(LEAVES[:size])
        assert tree.root() == root == merkle.root(LEAVES[:size])
        for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
            path = merkle.inclusion_proof(LEAVES[:size], index)
            assert verify.climb(index, size, LEAVES[index], path) == root
            merkle.verify_inclusion(index, size, LEAVES[index], path, root)
            if path:
                with pytest.raises(verify.Bad):
                    verify.climb(index, size, LEAVES[index], path[:-1])
                assert verify.climb(index, size, LEAVES[index], [*path[:-1], bytes(32)]) != root


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 31, 64, 65, 127, 200, 255, 256, 257, 299])
def test_every_prefix_is_consistent_and_no_other(size: int) -> None:
    root = merkle.root(LEAVES[:size])
    for old in range(1, size + 1):
        path = merkle.consistency_proof(LEAVES[:size], old)
        prefix = merkle.root(LEAVES[:old])
        assert verify.consistent(old, size, prefix, root, path)
        merkle.verify_consistency(old, size, prefix, root, path)
        assert not verify.consistent(old, size, bytes(32), root, path)
        if path:
            assert not verify.consistent(old, size, prefix, root, path[:-1])


def naive(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1 as it is written."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(naive(leaves[:split]), naive(leaves[split:]))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet=st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_canonical_json_is_the_same_on_both_sides(value: object) -> None:
    assert verify.canonical(value).encode() == canonical.encode(value)


@pytest.mark.parametrize("what", [True, None, 17, "", {}, {"format": "gongchuang-receipt/1"}])
def test_what_is_no_receipt_is_named(what: object) -> None:
    with pytest.raises(verify.Bad) as bad:
        verify.read_receipt(json.dumps(what))
    assert bad.value.kind == "receipt"


@pytest.mark.parametrize("text", ["", "{", '{"format":"gongchuang-receipt/1","format":"x"}', "[" * 5000])
def test_text_that_is_no_json_is_named(text: str) -> None:
    with pytest.raises(verify.Bad):
        verify.read_receipt(text)


def test_a_cosignature_is_checked_with_its_time() -> None:
    """c2sp.org/tlog-cosignature: header, POSIX seconds, the note's text."""
    log, witness = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    head = note.TreeHead("log", 1, LEAVES[0])
    seen_by = note.Verifier("w.example", witness.public_key().public_bytes_raw(), note.COSIGNATURE)
    signed = note.sign(head.text(), "log", log)
    for shift, holds in ((0, True), (1, False)):
        line = note.cosignature_line(seen_by, 1_700_000_000 + shift, witness.sign(note.cosigned(head.text(), 1_700_000_000)))
        whole = note.with_lines(signed, [line])
        own = [str(note.Verifier.of("log", log)), str(seen_by)]
        trusted = [verify.Key(each) for each in own]
        if holds:
            seen: dict[str, int] = {}
            assert verify.open_checkpoint(whole, trusted, seen)[1] == 1
            assert seen == {"signatures": 1, "cosignatures": 1}
            assert note.open_note(whole, [note.Verifier.parse(each) for each in own]) == head.text()
        else:
            with pytest.raises(verify.Bad, match=r"w\.example"):
                verify.open_checkpoint(whole, trusted)
            with pytest.raises(note.BadNote, match=r"w\.example"):
                note.open_note(whole, [note.Verifier.parse(each) for each in own])


def test_a_witness_alone_does_not_make_a_checkpoint_the_logs() -> None:
    witness = Ed25519PrivateKey.generate()
    head = note.TreeHead("log", 1, LEAVES[0])
    seen_by = note.Verifier("log", witness.public_key().public_bytes_raw(), note.COSIGNATURE)
    line = note.cosignature_line(seen_by, 5, witness.sign(note.cosigned(head.text(), 5)))
    alone = f"{head.text()}\n{line}\n"
    with pytest.raises(verify.Bad):
        verify.open_checkpoint(alone, [verify.Key(str(seen_by))])
    with pytest.raises(note.BadNote):
        note.open_note(alone, [seen_by])


def test_the_file_runs_by_itself_without_site_packages(tmp_path: Path) -> None:
    """Copied to an empty folder, `python -S -E`: no module of ours or of anybody else is there."""
    copy = tmp_path / "verify.py"
    copy.write_bytes(Path(verify.__file__).read_bytes())
    done = subprocess.run([sys.executable, "-S", "-E", str(copy), "--help"], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "--pin" in done.stdout
