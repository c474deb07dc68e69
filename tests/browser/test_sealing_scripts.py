"""封标 in Chromium against bidding/sealing in Python and the stock `age`: what one side seals the other opens, and what one refuses the other refuses."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser
from pyrage.x25519 import Identity

from bidding import sealing_bundle
from bidding.sealing import ceremony, envelope, keys
from grants.ledger.canonical import encode
from tests.browser.bench import Bench, b64, raw

pytestmark = pytest.mark.browser
PLACE = envelope.Place("YX-2026-01", "7d0c/5f0c7f0e-7c3e-4a53-9d6e-0d9f3f8e2b11", 2)
FIELDS = [["about-title", "失能老人居家安宁照护 🏠"], ["s-need-why", '第一行\n"引号"\\ \t \u2028 \x01'], ["budget-0-note", ""]]
PAPERS = {"licence/证书 1.pdf": b"%PDF-1.7 \x00\xff", "photo/大图.png": bytes(range(256)) * 1024, "plan/空.txt": b""}


@pytest.fixture(scope="module")
def bench(chromium: Browser) -> Iterator[Bench]:
    made = Bench(chromium, settings.CONTENT_SECURITY_POLICY)
    yield made
    made.context.close()


@pytest.fixture(autouse=True)
def nobody_stays() -> None:
    """The bench stays open for all tests here: it keeps nothing."""


def pair() -> tuple[str, str]:
    identity = Identity.generate()
    return str(identity), str(identity.to_public())


def sealed_in_browser(bench: Bench, recipient: str, papers: dict[str, bytes]) -> tuple[dict[str, Any], dict[str, bytes], bytes]:
    given = {"place": PLACE.says(), "fields": FIELDS, "to": recipient, "papers": [[n, b64(c)] for n, c in papers.items()]}
    told = bench.ask(
        """const papers = given.papers.map(([name, content]) => ({ name, content: new Blob([raw(content)]) }));
        const made = await s.sealBid(given.place, s.bidOf("ab12", given.fields, ["truth"]), papers, given.to);
        const kept = await z.writeZip([["manifest.json", made.kept.manifest], ...papers.map((p) => [`attachments/${p.name}`, p.content])]);
        const files = await Promise.all(made.files.map(async ([name, blob]) => [name, await b64(blob)]));
        return { header: s.canonical(made.header), files, kept: await b64(kept) };""",
        given,
    )
    return json.loads(told["header"]), {name: raw(content) for name, content in told["files"]}, raw(told["kept"])


def test_what_the_browser_seals_python_opens_word_for_word(bench: Bench) -> None:
    """Every field but the empty one, every attachment byte for byte, under the header's commitment."""
    secret, recipient = pair()
    header, files, _kept = sealed_in_browser(bench, recipient, PAPERS)
    content = envelope.opened(header, files, secret)
    assert content.bid == {"format": "bid-form/1", "rules": "ab12", "fields": FIELDS[:2], "declarations": ["truth"]}
    assert content.attachments == PAPERS
    assert {key: header[key] for key in ("call", "organisation", "version")} == PLACE.says()
    assert encode(header).decode() == json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert "安宁" not in json.dumps(header, ensure_ascii=False) and "证书" not in json.dumps(header, ensure_ascii=False)


def test_what_the_browser_seals_the_stock_age_command_opens(bench: Bench, tmp_path: Path) -> None:
    secret, recipient = pair()
    _header, files, _kept = sealed_in_browser(bench, recipient, PAPERS)
    (tmp_path / "key").write_text(secret)
    for name, plain in zip(("attachment-1", "attachment-2", "attachment-3"), PAPERS.values(), strict=True):
        done = subprocess.run(["age", "-d", "-i", str(tmp_path / "key")], input=files[name], capture_output=True, check=True)
        assert done.stdout == plain


def test_the_kept_copy_of_the_browser_restores_the_bid_in_python(bench: Bench) -> None:
    """The ZIP is read by the standard library and proves itself against the header."""
    _secret, recipient = pair()
    header, _files, kept = sealed_in_browser(bench, recipient, PAPERS)
    with zipfile.ZipFile(io.BytesIO(kept)) as archive:
        assert archive.testzip() is None
        inside = {name: archive.read(name) for name in archive.namelist()}
    manifest = inside.pop("manifest.json")
    copy = envelope.KeptCopy(manifest, {name.removeprefix("attachments/"): content for name, content in inside.items()})
    assert envelope.restored(header, copy).attachments == PAPERS


def test_what_python_seals_the_browser_opens_and_a_changed_file_it_does_not(bench: Bench) -> None:
    secret, recipient = pair()
    made, _copy = envelope.sealed(PLACE, {"fields": FIELDS}, PAPERS, recipient)
    given = {"header": dict(made.header), "files": [[n, b64(c)] for n, c in made.files.items()], "secret": secret, "other": pair()[0]}
    told = bench.ask(
        """const files = given.files.map(([name, content]) => [name, raw(content)]);
        const whole = await s.openBid(given.header, files, given.secret);
        const bent = files.map(([name, content]) => [name, name === "attachment-2" ? content.map((b, i) => (i === 900 ? b ^ 1 : b)) : content]);
        return { bid: whole.bid, papers: await Promise.all(whole.attachments.map(async ([name, c]) => [name, await b64(c)])),
            bent: await refused(() => s.openBid(given.header, bent, given.secret)),
            cut: await refused(() => s.openWith(files[2][1].subarray(0, files[2][1].length - 70000), given.secret)),
            stranger: await refused(() => s.openBid(given.header, files, given.other)),
            moved: await refused(() => s.openBid({ ...given.header, organisation: "another" }, files, given.secret)) };""",
        given,
    )
    assert told["bid"] == {"fields": FIELDS}
    assert {name: raw(content) for name, content in told["papers"]} == PAPERS
    assert {key: told[key] for key in ("bent", "cut", "stranger", "moved")} == {
        "bent": "damaged", "cut": "damaged", "stranger": "wrong_key", "moved": "other_bid",
    }  # fmt: skip


def test_the_same_value_gives_the_same_canonical_text_and_no_fraction(bench: Bench) -> None:
    value = {"b": [1, '引\u2028\x01\x7f"\\/', None, True], "a": {"z": "😀", "aa": -3}, "B": []}
    assert bench.ask("return s.canonical(given);", value) == encode(value).decode()
    assert bench.ask("return refused(async () => s.canonical({ money: 0.5 }));") == "format"


def test_a_passphrase_of_either_side_unlocks_on_the_other(bench: Bench) -> None:
    """An officer's key made in the browser is read by Python, typed badly; Python's by the browser; a wrong word opens neither."""
    mine = keys.generate_identity()
    told = bench.ask(
        """const made = await c.newOfficer();
        return { ...made, protected: await b64(made.protected), secret: await c.unlockOfficer(raw(given.file), given.words.toUpperCase().replaceAll("-", " ")),
            wrong: await refused(() => c.unlockOfficer(raw(given.file), given.words.replace(/.$/, (l) => (l === "7" ? "8" : "7")))) };""",
        {"file": b64(mine.protected), "words": mine.passphrase},
    )
    assert keys.public_half(keys.unlock(raw(told["protected"]), told["passphrase"].upper().replace("1", "l").replace("0", "O"))) == told["recipient"]
    assert keys.public_half(told["secret"]) == mine.recipient
    assert told["wrong"] == "passphrase"
    assert keys.read_passphrase(told["passphrase"]) == told["passphrase"] and len(told["passphrase"]) == 24


def test_generated_passphrases_use_every_letter_evenly(bench: Bench) -> None:
    """2,000 of them: each of the 32 letters within a fifth of its share, none twice."""
    drawn = bench.ask("return Array.from({ length: 2000 }, s.generatePassphrase);")
    letters = "".join(drawn).replace("-", "")
    share = len(letters) / 32
    assert len(set(drawn)) == 2000
    assert all(share * 0.8 < letters.count(letter) < share * 1.2 for letter in keys.ALPHABET) and set(letters) == set(keys.ALPHABET)


def officers(n: int) -> tuple[dict[str, str], list[keys.Officer]]:
    made = {f"开标人{i}": pair() for i in range(1, n + 1)}
    return {name: secret for name, (secret, _public) in made.items()}, [keys.Officer(name, public) for name, (_s, public) in made.items()]


@pytest.mark.parametrize(("n", "m"), [(3, 2), (5, 3)])
def test_a_call_key_made_in_the_browser_is_opened_by_every_group_in_python(bench: Bench, n: int, m: int) -> None:
    secrets, people = officers(n)
    told = bench.ask(
        """const made = await c.makeCallKey("YX", given.officers, given.m);
        return { record: made.record, test: await b64(made.test), shares: await Promise.all(made.shares.map(async ([g, b]) => [g, await b64(b)])) };""",
        {"officers": [{"name": o.name, "recipient": o.recipient} for o in people], "m": m},
    )
    record = told["record"]
    shares = {tuple(group): raw(blob) for group, blob in told["shares"]}
    key = ceremony.CallKey("YX", m, tuple(people), record["recipient"], shares, raw(told["test"]), record["test"]["content"])
    assert key.record() == record
    for group in combinations(secrets, m):
        assert set(ceremony.rehearse(key, {name: secrets[name] for name in group})) == set(group)
    assert ceremony.unrehearsed(key, []) == [tuple(g) for g in combinations(secrets, m)]


def test_a_call_key_of_python_is_peeled_in_the_browser_layer_by_layer(bench: Bench) -> None:
    """Each officer in turn; the first officer first opens nothing; one officer alone finds no share; another key is refused."""
    secrets, people = officers(3)
    key = ceremony.make_call_key("YX", people)
    group, blob = next(iter(key.shares.items()))
    told = bench.ask(
        """const outer = await c.peel(raw(given.blob), given.secrets[given.group[1]]);
        const secret = await c.callSecret(await c.peel(outer, given.secrets[given.group[0]]), given.recipient);
        const shares = [[given.group, raw(given.blob)]];
        const both = Object.fromEntries(given.group.map((name) => [name, given.secrets[name]]));
        return { middle: new TextDecoder().decode(outer).includes("AGE-SECRET-KEY"), test: await b64(await c.openTest(raw(given.test), secret, given.hash)),
            recovered: (await c.recover(given.record, shares, both)) === secret,
            early: await refused(() => c.peel(raw(given.blob), given.secrets[given.group[0]])),
            alone: await refused(() => c.recover(given.record, shares, { [given.group[0]]: "" })),
            swapped: await refused(() => c.callSecret(new TextEncoder().encode(given.secrets[given.group[0]]), given.recipient)),
            test_wrong: await refused(() => c.openTest(raw(given.test), secret, "00")),
            few: await refused(async () => c.groupsOf(given.record.officers, 1)), twice: await refused(async () => c.groupsOf(Array(2).fill(given.record.officers[0]), 2)) };""",
        {
            "blob": b64(blob), "group": list(group), "secrets": secrets, "recipient": key.recipient, "test": b64(key.test),
            "hash": key.test_hash, "record": key.record(),
        },
    )  # fmt: skip
    assert hashlib.sha256(raw(told.pop("test"))).hexdigest() == key.test_hash
    assert told == {
        "middle": False, "recovered": True, "early": "wrong_key", "alone": "no_share", "swapped": "identity", "test_wrong": "rehearsal",
        "few": "officers", "twice": "officers",
    }  # fmt: skip


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_kept_copy_of_python_is_read_in_the_browser_and_a_damaged_one_is_not(bench: Bench, packing: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in PAPERS.items():
            archive.writestr(f"attachments/{name}", content)
    whole = out.getvalue()
    bent = bytearray(whole)
    bent[400] ^= 1
    told = bench.ask(
        """const read = async (text) => Promise.all((await z.readZip(new Blob([raw(text)]))).map(async ([n, c]) => [n, await b64(c)]));
        return { whole: await read(given.whole), bent: await refused(() => read(given.bent)), none: await refused(() => read(given.none)) };""",
        {"whole": b64(whole), "bent": b64(bytes(bent)), "none": b64(b"PK no archive")},
    )
    assert {name.removeprefix("attachments/"): raw(content) for name, content in told["whole"]} == PAPERS
    assert "Error" in told["bent"] and "Error" in told["none"]


@pytest.mark.parametrize("name", ["age.min.js", "sealing.js"])
def test_an_altered_script_does_not_run(chromium: Browser, name: str) -> None:
    """One byte more in the vendored bundle or in our own module, and whoever imports it gets nothing; untouched files run under the same page."""
    head = f'<script type="importmap">{sealing_bundle.import_map()}</script>'
    read = "return (await s.sha256(new Uint8Array())).length;"
    good = Bench(chromium, sealing_bundle.policy(), head=head)
    assert good.ask(read) == 64
    bad = Bench(chromium, sealing_bundle.policy(), head=head, altered={name: sealing_bundle.content_of(f"bidding/{name}") + b"\n"})
    for _twice in range(2):  # a second try must not get it either
        with pytest.raises(Exception, match="Failed to fetch dynamically imported module"):
            bad.ask(read)
    good.context.close()
    bad.context.close()
