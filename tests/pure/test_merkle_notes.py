"""Signed notes and checkpoints of the Merkle log: the published example, and every way a note can be wrong."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from grants.ledger.note import BadNote, TreeHead, Verifier, open_note, sign

# The example of the Go note package, quoted by c2sp.org/signed-note implementations.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
HEAD = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
ME = Verifier.of("gongchuang", KEY)
TEXT = TreeHead("gongchuang", 3, bytes(32)).text()


def test_the_published_note_opens_with_the_published_key() -> None:
    assert open_note(NOTE, [Verifier.parse(VKEY)]) == "This is an example message.\n"
    assert str(Verifier.parse(VKEY)) == VKEY


def test_the_published_checkpoint_reads_and_writes() -> None:
    head = TreeHead.parse(HEAD)
    assert (head.origin, head.size, head.root.hex()[:8]) == ("example.com/behind-the-sofa", 20852163, "0ac5186a")
    assert head.text() == HEAD


def test_what_we_sign_opens_and_keeps_its_text() -> None:
    assert open_note(sign(TEXT, "gongchuang", KEY), [ME]) == TEXT
    assert Verifier.parse(f"{ME}\n") == ME


def test_a_note_may_hold_blank_lines_and_further_signatures() -> None:
    text = "第一行\n\n第三行\n"
    note = sign(text, "gongchuang", KEY) + sign(text, "witness", OTHER).rpartition("\n\n")[2]
    assert open_note(note, [ME]) == text
    assert open_note(note, [Verifier.of("witness", OTHER)]) == text


def test_an_unknown_key_is_no_signature() -> None:
    with pytest.raises(BadNote, match="no signature by a known key"):
        open_note(sign(TEXT, "gongchuang", OTHER), [ME])
    with pytest.raises(BadNote, match="no signature by a known key"):
        open_note(sign(TEXT, "another", KEY), [ME])


def test_a_known_key_that_fails_rejects_the_whole_note() -> None:
    """Even though a second, good signature stands below it."""
    good = sign(TEXT, "gongchuang", KEY)
    bad = base64.b64encode(ME.key_id + bytes(64)).decode()
    with pytest.raises(BadNote, match="does not belong to this text"):
        open_note(f"{TEXT}\n— gongchuang {bad}\n{good.rpartition(chr(10) * 2)[2]}", [ME])


@given(st.integers(0, len(sign(TEXT, "gongchuang", KEY)) - 1), st.integers(1, 127))
def test_no_changed_character_passes(at: int, shift: int) -> None:
    note = sign(TEXT, "gongchuang", KEY)
    changed = note[:at] + chr((ord(note[at]) + shift) % 128) + note[at + 1 :]
    if changed != note:
        with pytest.raises(BadNote):
            open_note(changed, [ME])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "text\n",
        "text\n\n",
        TEXT,
        f"{TEXT}\n- gongchuang AAAA\n",
        f"{TEXT}\n— gongchuang\n",
        f"{TEXT}\n— gongchuang AAAA",
        "a\tb\n\n— g AAAAAAAA\n",
    ],
)
def test_malformed_notes_are_refused(note: str) -> None:
    with pytest.raises(BadNote):
        open_note(note, [ME])


@pytest.mark.parametrize("text", ["no newline", "a\rb\n", "bell\x07\n", ""])
def test_text_that_a_note_cannot_carry_is_not_signed(text: str) -> None:
    with pytest.raises(BadNote):
        sign(text, "gongchuang", KEY)


@pytest.mark.parametrize(
    "text",
    [
        "o\n03\n" + HEAD.splitlines()[2] + "\n",  # leading zero
        "o\n-1\n" + HEAD.splitlines()[2] + "\n",
        "o\n٣\n" + HEAD.splitlines()[2] + "\n",  # a digit, but not ASCII
        "o\n9999999999999999999\n" + HEAD.splitlines()[2] + "\n",  # above 2^63-1
        "\n3\n" + HEAD.splitlines()[2] + "\n",  # no origin
        "o\n3\nAAAA\n",  # a root of three bytes
        "o\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",  # base64 with stray bits
        HEAD + "extension\n",
        HEAD.rstrip("\n"),
    ],
)
def test_malformed_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(BadNote):
        TreeHead.parse(text)


@pytest.mark.parametrize(
    "vkey",
    [
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("foo", "bar"),
        "example.com/foo+530d903a+",
        "example.com/foo",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "a b+00000000+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",  # another key type
        "example.com/foo+530d903a+AekyeRrm",
    ],
)
def test_malformed_keys_are_refused(vkey: str) -> None:
    with pytest.raises(BadNote):
        Verifier.parse(vkey)


@pytest.mark.parametrize(
    "head", [TreeHead("a\nb", 1, bytes(32)), TreeHead("", 1, bytes(32)), TreeHead("o", -1, bytes(32)), TreeHead("o", 1, b"")]
)
def test_a_tree_head_that_cannot_be_written_is_refused(head: TreeHead) -> None:
    """A newline in the origin would frame another checkpoint than the one meant."""
    with pytest.raises(BadNote):
        head.text()
