"""Sealed bids: who can open, what a stranger sees, what is refused. The stock `age` command is the second reader."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import itertools
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrage.x25519 import Identity

from bidding.sealing import ceremony, envelope, folder, keys, opening
from bidding.sealing.refusals import SENTENCES, SealRefused

PLACE = envelope.Place("YX-2026-01", "5f0c7f0e-7c3e-4a53-9d6e-0d9f3f8e2b11", 1)
BID = {"title": "失能老人居家安宁照护", "ask": "98000.00", "sections": [{"code": "need", "answer": "辖区内独居失能老人 312 人"}]}
FILES = {"预算说明.pdf": b"%PDF-1.7 budget", "证书.png": b"\x89PNG certificate" * 9000}


def officers(n: int) -> tuple[dict[str, str], list[keys.Officer]]:
    secrets = {f"开标人{i}": Identity.generate() for i in range(1, n + 1)}
    return {name: str(s) for name, s in secrets.items()}, [keys.Officer(name, str(s.to_public())) for name, s in secrets.items()]


def refused(call: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(SealRefused) as seen:
        call(*args, **more)
    assert seen.value.sentence and seen.value.english
    return seen.value.rule


@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 2), (4, 2), (3, 3), (5, 3), (5, 5)])
def test_every_group_opens_and_nobody_less(n: int, m: int) -> None:
    """Each group of exactly M officers recovers the key and opens the test envelope; M − 1 officers find no share, in whatever order they try."""
    secrets, people = officers(n)
    key = ceremony.make_call_key("YX", people, m)
    for group in itertools.combinations(secrets, m):
        mine = {name: secrets[name] for name in group}
        assert set(ceremony.rehearse(key, mine)) == set(group)
    few = {name: secrets[name] for name in list(secrets)[: m - 1]}
    assert refused(ceremony.recover, key, few) == "no_share"
    for share, order in itertools.product(key.shares.values(), itertools.permutations(few.values())):
        assert b"AGE-SECRET-KEY" not in peeled(share, order)


def peeled(blob: bytes, secrets: Iterable[str]) -> bytes:
    """As far as these secrets get."""
    for secret in secrets:
        with contextlib.suppress(SealRefused):
            blob = keys.open_with(blob, secret)
    return blob


def test_a_call_opens_only_when_every_group_has_rehearsed() -> None:
    secrets, people = officers(3)
    key = ceremony.make_call_key("YX", people)
    done: list[ceremony.Group] = []
    for left in (3, 2, 1):
        group = ceremony.unrehearsed(key, done)[0]
        assert len(ceremony.unrehearsed(key, done)) == left
        done.append(ceremony.rehearse(key, {name: secrets[name] for name in group}))
    assert ceremony.unrehearsed(key, done) == []


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 2), (3, 1), (6, 2), (2, 3)])
def test_numbers_that_cannot_work_are_refused(n: int, m: int) -> None:
    assert refused(ceremony.make_call_key, "YX", officers(n)[1], m) == "officers"


def test_one_key_under_two_names_is_refused() -> None:
    _secrets, people = officers(2)
    assert refused(ceremony.make_call_key, "YX", [people[0], dataclasses.replace(people[0], name="另一人")], 2) == "officers"
    assert refused(keys.Officer, "某人", "age1nonsense") == "recipient"


def test_a_rehearsal_with_a_foreign_envelope_or_share_is_refused() -> None:
    """A test envelope or a share that was exchanged is noticed before the first bid, not on the day of opening."""
    secrets, people = officers(2)
    key, other = (ceremony.make_call_key("YX", people) for _ in range(2))
    assert refused(ceremony.rehearse, dataclasses.replace(key, test=keys.seal_to(b"x" * 32, key.recipient)), secrets) == "rehearsal"
    assert refused(ceremony.rehearse, dataclasses.replace(key, shares=other.shares), secrets) == "identity"
    assert refused(ceremony.rehearse, dataclasses.replace(key, test=other.test), secrets) == "wrong_key"


def test_a_key_file_from_paper_opens_like_the_file_itself() -> None:
    """The line of base64 that the printed code holds, as a scanner writes it: with a line end, or broken into lines."""
    made = keys.generate_identity()
    line = base64.b64encode(made.protected)
    secret = keys.unlock(made.protected, made.passphrase)
    assert keys.unlock(line + b"\r\n", made.passphrase) == secret
    assert keys.unlock(line[:100] + b"\n" + line[100:], made.passphrase) == secret
    assert refused(keys.unlock, line[:-8], made.passphrase) == "passphrase"
    assert refused(keys.unlock, b"not a key", made.passphrase) == "passphrase"


def test_a_passphrase_is_generated_and_forgiving_to_the_hand() -> None:
    """100 bits; capitals, spaces, a missing hyphen, an o for a 0 and an l for a 1 do not lock anybody out; a wrong letter does."""
    made = keys.generate_identity()
    secret = keys.unlock(made.protected, made.passphrase)
    assert keys.public_half(secret) == made.recipient
    sloppy = made.passphrase.replace("-", " ").upper().replace("0", "O").replace("1", "l")
    assert keys.unlock(made.protected, sloppy) == secret
    wrong = ("a" if made.passphrase[0] != "a" else "b") + made.passphrase[1:]
    assert refused(keys.unlock, made.protected, wrong) == "passphrase"
    assert refused(keys.unlock, made.protected[:-4], made.passphrase) == "passphrase"
    assert len(keys.ALPHABET) ** (keys.GROUPS * keys.LETTERS) == 2**100


@given(st.dictionaries(st.text(min_size=1, max_size=12), st.text(max_size=40), max_size=4), st.lists(st.binary(max_size=300), max_size=3))
@settings(max_examples=40)
def test_what_is_sealed_comes_back_word_for_word(bid: dict[str, str], blobs: list[bytes]) -> None:
    """Any text, any bytes; and the kept copy restores exactly the same."""
    identity = Identity.generate()
    files = {f"{i}.bin": blob for i, blob in enumerate(blobs)}
    sealed, copy = envelope.sealed(PLACE, bid, files, str(identity.to_public()))
    assert envelope.opened(sealed.header, sealed.files, str(identity)) == envelope.Opened(bid, files)
    assert envelope.restored(sealed.header, copy) == envelope.Opened(bid, files)


def test_header_and_files_show_no_word_of_the_bid() -> None:
    """Not a word, not a file name, not the amount: only which bid, sizes, hashes and the commitment, which differs for equal bids."""
    recipient = str(Identity.generate().to_public())
    first, _copy = envelope.sealed(PLACE, BID, FILES, recipient)
    again, _copy = envelope.sealed(PLACE, BID, FILES, recipient)
    seen = json.dumps(first.header, ensure_ascii=False).encode() + b"".join(first.files.values())
    for word in ("失能老人", "安宁", "98000.00", "独居失能", "预算说明", "证书"):
        assert word.encode() not in seen
        assert json.dumps(word).strip('"').encode() not in seen
    assert first.header["commit"] != again.header["commit"]
    assert set(first.header) == {"format", "suite", "call", "organisation", "version", "files", "commit"}


def sealed_bid() -> tuple[envelope.Sealed, envelope.KeptCopy, str]:
    identity = Identity.generate()
    sealed, copy = envelope.sealed(PLACE, BID, FILES, str(identity.to_public()))
    return sealed, copy, str(identity)


def test_every_flipped_or_missing_byte_of_a_bid_is_noticed() -> None:
    """One byte anywhere in any sealed file, a cut at any piece, a file too few or too many: refused, and by name."""
    sealed, _copy, secret = sealed_bid()
    for name, content in sealed.files.items():
        for at in {0, 1, 40, len(content) // 2, len(content) - 1}:
            flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            assert refused(envelope.opened, sealed.header, {**sealed.files, name: flipped}, secret) == "damaged"
        assert refused(envelope.opened, sealed.header, {**sealed.files, name: content[:-1]}, secret) == "damaged"
        assert refused(envelope.opened, sealed.header, {n: c for n, c in sealed.files.items() if n != name}, secret) == "missing"
    assert refused(envelope.opened, sealed.header, {**sealed.files, "extra": b""}, secret) == "unlisted"


@pytest.mark.parametrize(("field", "value"), [("organisation", "another"), ("call", "YX-2026-02"), ("version", 2)])
def test_an_envelope_does_not_open_under_another_name(field: str, value: object) -> None:
    """Header swap: whoever puts somebody else's files under their own header is found out by what is inside."""
    sealed, copy, secret = sealed_bid()
    header = {**sealed.header, field: value}
    assert refused(envelope.opened, header, sealed.files, secret) == "other_bid"
    assert refused(envelope.restored, header, copy) == "other_bid"


def test_the_wrong_key_and_a_wrong_commitment_open_nothing() -> None:
    sealed, copy, secret = sealed_bid()
    assert refused(envelope.opened, sealed.header, sealed.files, str(Identity.generate())) == "wrong_key"
    assert refused(envelope.opened, sealed.header, sealed.files, "nonsense") == "identity"
    header = {**sealed.header, "commit": "0" * 64}
    assert refused(envelope.opened, header, sealed.files, secret) == "commitment"
    altered = dataclasses.replace(copy, manifest=copy.manifest.replace(b"98000.00", b"99000.00"))
    assert refused(envelope.restored, sealed.header, altered) == "commitment"


def test_a_kept_copy_with_another_attachment_restores_nothing() -> None:
    sealed, copy, _secret = sealed_bid()
    other = {**copy.attachments, "预算说明.pdf": b"%PDF-1.7 another"}
    assert refused(envelope.restored, sealed.header, dataclasses.replace(copy, attachments=other)) == "commitment"
    fewer = {n: c for n, c in copy.attachments.items() if n != "证书.png"}
    assert refused(envelope.restored, sealed.header, dataclasses.replace(copy, attachments=fewer)) == "missing"


@pytest.mark.parametrize("header", [{}, {"format": "x"}, {"format": envelope.HEADER_FORMAT, "suite": "age-v1", "files": [1]}])
def test_a_header_from_anybody_is_refused_and_not_a_crash(header: dict[str, Any]) -> None:
    assert refused(envelope.check_files, header, {}) == "format"


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b'{"salt":"x","bid":{}}', b'{"salt":"","bid":{},"format":"gongchuang-bid-manifest/1"}'])
def test_a_manifest_from_anybody_is_refused_and_not_a_crash(manifest: bytes) -> None:
    sealed, copy, _secret = sealed_bid()
    assert refused(envelope.restored, sealed.header, dataclasses.replace(copy, manifest=manifest)) == "format"


def test_one_bid_that_does_not_open_holds_up_nobody() -> None:
    """A damaged and a foreign bid stand in the opening record with their reason; every other one is open; no word of a bid is in the record."""
    identity = Identity.generate()
    recipient = str(identity.to_public())
    good = [envelope.sealed(dataclasses.replace(PLACE, organisation=f"org-{i}"), BID, FILES, recipient)[0] for i in range(3)]
    damaged = envelope.Sealed(good[1].header, {**good[1].files, "manifest": b"x"})
    foreign, _copy = envelope.sealed(dataclasses.replace(PLACE, organisation="org-9"), BID, {}, str(Identity.generate().to_public()))
    outcomes = list(opening.open_all([good[0], damaged, good[2], foreign, envelope.Sealed({}, {})], str(identity)))
    assert [o.refusal.rule if o.refusal else "" for o in outcomes] == ["", "damaged", "", "wrong_key", "format"]
    said = json.loads(opening.record("YX-2026-01", ("财务", "纪检"), "2026-05-20T01:00:00.000000Z", outcomes))
    assert (said["opened"], said["failed"]) == (2, 3)
    assert "失能" not in json.dumps(said, ensure_ascii=False)


def test_a_record_of_lost_keys_says_why_names_nobody_and_opens_nothing() -> None:
    """Every bid stays closed for the one reason; an ordinary record has no such word, so that its bytes are what they were."""
    _secrets, people = officers(3)
    key = ceremony.make_call_key("YX", people, 2)
    bids = [envelope.sealed(dataclasses.replace(PLACE, organisation=org), BID, FILES, key.recipient)[0] for org in ("b", "a")]
    told = json.loads(opening.record("YX", [], "2026-03-01T00:00:00Z", opening.all_lost(bids), why=opening.LOST))
    assert (told["why"], told["officers"], told["opened"], told["failed"]) == ("key_lost", [], 0, 2)
    assert [(row["organisation"], row["result"], row["file"]) for row in told["bids"]] == [("a", "key_lost", ""), ("b", "key_lost", "")]
    assert "why" not in json.loads(opening.record("YX", ["甲"], "2026-03-01T00:00:00Z", []))


def test_every_refusal_has_both_languages() -> None:
    assert all(zh and en and any("\u4e00" <= c <= "\u9fff" for c in zh) and en for zh, en in SENTENCES.values())
    assert all("%(name)s" in zh for rule, (zh, _en) in SENTENCES.items() if rule not in ("officers", "key_lost"))


def test_a_ceremony_is_the_same_after_a_walk_through_files(tmp_path: Path) -> None:
    """Written and read again it is equal; a second ceremony never overwrites the first; an altered share is named."""
    _secrets, people = officers(3)
    key = ceremony.make_call_key("YX", people)
    folder.write_key(tmp_path / "keys", key)
    assert folder.read_key(tmp_path / "keys") == key
    with pytest.raises(FileExistsError):
        folder.write_key(tmp_path / "keys", key)
    share = next((tmp_path / "keys" / "shares").iterdir())
    share.write_bytes(share.read_bytes() + b"x")
    assert refused(folder.read_key, tmp_path / "keys") == "damaged"
    share.unlink()
    assert refused(folder.read_key, tmp_path / "keys") == "missing"


def age(secret: str, content: bytes, tmp_path: Path) -> bytes:
    """The stock command, without any code of ours."""
    (tmp_path / "key").write_text(secret)
    return subprocess.run(["age", "-d", "-i", str(tmp_path / "key")], input=content, capture_output=True, check=True).stdout


def test_the_stock_command_opens_shares_and_bids_without_us(tmp_path: Path) -> None:
    """Emergency: two officers, the `age` of their distribution and nothing of this program reach every word; and what it seals, we open."""
    secrets, people = officers(3)
    key = ceremony.make_call_key("YX", people)
    sealed, _copy = envelope.sealed(PLACE, BID, FILES, key.recipient)
    (inner, outer), blob = next(iter(key.shares.items()))
    call_secret = age(secrets[inner], age(secrets[outer], blob, tmp_path), tmp_path).decode()
    assert json.loads(age(call_secret, sealed.files["manifest"], tmp_path))["bid"] == BID
    assert age(call_secret, sealed.files["attachment-2"], tmp_path) == FILES["证书.png"]
    theirs = subprocess.run(["age", "-r", key.recipient], input="来自命令行".encode(), capture_output=True, check=True).stdout
    assert keys.open_with(theirs, call_secret).decode() == "来自命令行"


def manage(*words: str, passphrases: str = "", home: Path) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).resolve().parents[2]
    env = {**os.environ, "SEAL_PASSPHRASES": passphrases, "GONGCHUANG_HOME": str(home), "GONGCHUANG_DEMO": "1", "DATABASE_URL": ""}
    command = [str(root / ".venv/bin/python"), str(root / "manage.py"), "seal", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=env, cwd=root, stdin=subprocess.DEVNULL)


@pytest.mark.slow
def test_a_whole_opening_on_an_offline_machine(tmp_path: Path) -> None:
    """Three officers' keys, the ceremony, three rehearsals, two bids of which one is damaged, the opening, and the damaged one from its kept copy."""
    words = {}
    for name in ("财务", "纪检", "办公室"):
        said = manage("identity", str(tmp_path / f"{name}.age"), home=tmp_path).stdout
        words[name] = (said.split("age1")[1].split()[0], said.rsplit(":", 1)[1].strip())
    given_officers = [f"--officer={name}=age1{public}" for name, (public, _words) in words.items()]
    made = manage("ceremony", str(tmp_path / "keys"), "--call", "YX", *given_officers, home=tmp_path)
    assert "还有 3 组没有演练" in made.stdout, made.stderr
    for pair in itertools.combinations(words, 2):
        identities = [f"--identity={name}={tmp_path / f'{name}.age'}" for name in pair]
        secret_words = "\n".join(words[name][1] for name in pair)
        done = manage("rehearse", str(tmp_path / "keys"), *identities, passphrases=secret_words, home=tmp_path)
    assert "全部 3 组都已演练" in done.stdout, done.stderr
    key = folder.read_key(tmp_path / "keys")
    for org in ("a", "b"):
        sealed, copy = envelope.sealed(dataclasses.replace(PLACE, organisation=org), BID, FILES, key.recipient)
        folder.write_bid(tmp_path / "bids" / org, sealed)
    (tmp_path / "bids" / "b" / "manifest.age").write_bytes(b"lost")
    opened = manage("open", str(tmp_path / "keys"), str(tmp_path / "bids"), str(tmp_path / "out"), *identities, passphrases=secret_words, home=tmp_path)
    assert (opened.returncode, "b: “manifest”已损坏" in opened.stderr) == (2, True), opened.stderr
    assert json.loads((tmp_path / "out/a/bid.json").read_bytes()) == BID
    assert json.loads((tmp_path / "out/opening.json").read_bytes())["opened"] == 1
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "manifest.json").write_bytes(copy.manifest)
    for name, content in copy.attachments.items():
        (kept / name).write_bytes(content)
    back = manage("restore", str(tmp_path / "bids/b"), str(kept), str(tmp_path / "out/b"), home=tmp_path)
    assert back.returncode == 0, back.stderr
    assert json.loads((tmp_path / "out/b/bid.json").read_bytes()) == BID
    gone = manage("lost", str(tmp_path / "keys"), str(tmp_path / "bids"), str(tmp_path / "gone"), home=tmp_path)
    assert "2 份都没有打开" in gone.stdout, gone.stderr
    assert json.loads((tmp_path / "gone/opening.json").read_bytes())["why"] == "key_lost"
    assert manage("lost", str(tmp_path / "keys"), str(tmp_path / "bids"), str(tmp_path / "gone"), home=tmp_path).returncode == 1
    alone = manage("open", str(tmp_path / "keys"), str(tmp_path / "bids"), str(tmp_path / "o2"), identities[0], passphrases=secret_words, home=tmp_path)
    assert (alone.returncode, (tmp_path / "o2").exists()) == (1, False)
