"""抽取记录: the published vectors hold here too, every tampering is found at its place, and the command says so with its exit code."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from grants.ledger import canonical
from review import transcript
from review.draw import Counting, DrawImpossible, draw_seed, shuffled
from review.transcript_reading import Malformed, check, read, write

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "tests/vectors/draw.json").read_text(encoding="utf-8"))
WHOLE = VECTORS["transcripts"][0]["document"]


def named(rows: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row["name"])


def test_the_browser_is_served_the_very_vectors_of_the_tests() -> None:
    served = ROOT / "review/static/review/draw-vectors.json"
    assert served.read_bytes() == (ROOT / "tests/vectors/draw.json").read_bytes()


def test_words_seeds_shuffles_and_canonical_bytes_are_the_published_ones() -> None:
    for row in VECTORS["words"]:
        source = Counting(bytes.fromhex(row["seed"]))
        assert [f"{source.word():016x}" for _ in row["words"]] == row["words"]
    for row in VECTORS["seeds"]:
        assert draw_seed(*map(bytes.fromhex, row["parts"])).hex() == row["seed"]
    for row in VECTORS["shuffles"]:
        assert list(shuffled(row["items"], bytes.fromhex(row["seed"]))) == row["order"]
    for row in VECTORS["canonical"]:
        made = canonical.encode(row["value"])
        assert (made.decode(), hashlib.sha256(made).hexdigest()) == (row["canonical"], row["sha256"])


@named(VECTORS["transcripts"])
def test_a_published_transcript_stands_or_fails_at_its_place(row: dict[str, Any]) -> None:
    check(row["document"], complete=True)
    last = transcript.verify(row["document"])[-1]
    assert last.ok is row["ok"]
    if not row["ok"]:
        assert (last.step, last.where) == (row["step"], row["where"])
        assert last.said


@named(VECTORS["malformed"])
def test_a_malformed_file_is_refused_with_the_path_of_the_bad_key(row: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as refused:
        check(row["document"], complete=True)
    assert refused.value.path == row["path"]


@pytest.mark.parametrize(
    ("text", "path"),
    [(b"{", ""), (b"\xff", ""), (b'{"format": 1.0}', ""), (b'{"format": NaN}', ""), (b'{"a": 1, "a": 2}', "a"), (b"[]", ""), (b"[" * 100_000, "")],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(text: bytes, path: str) -> None:
    with pytest.raises(Malformed) as refused:
        read(text, complete=True)
    assert refused.value.path == path


def test_a_run_gives_the_published_outcome_and_the_same_bytes_whatever_the_order_of_keys() -> None:
    for row in VECTORS["transcripts"]:
        if row["ok"]:
            followed = {"announced_sha256", "seed", "order", "chosen", "alternates", "skipped"}
            given_only = {k: v for k, v in reversed(row["document"].items()) if k not in followed}
            check(given_only, complete=False)
            assert write(transcript.run(given_only)) == write(row["document"])


@st.composite
def announcements(pick: Any) -> dict[str, Any]:
    document = copy.deepcopy(WHOLE)
    codes = pick(st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4), min_size=1, max_size=12))
    pool = [[code, pick(st.sampled_from(["sector", "finance"]))] for code in codes]
    size = pick(st.integers(0, len(pool)))
    document["announced"] |= {"pool": pool, "barred": {}, "rule": {"size": size, "minimum": {}, "maximum": {}, "alternates": 3}}
    return document


@given(announcements(), st.data())
def test_any_other_order_choice_or_skip_is_found_at_its_place(document: dict[str, Any], data: st.DataObject) -> None:
    whole = transcript.run(document)
    assert all(c.ok for c in transcript.verify(whole))
    assert {*whole["chosen"]} | {s["code"] for s in whole["skipped"]} <= {code for code, _seat in document["announced"]["pool"]}
    where = data.draw(st.integers(0, len(whole["order"]) - 1))
    bent = {**whole, "order": [*whole["order"][:where], "不在名单", *whole["order"][where + 1 :]]}
    assert transcript.verify(bent)[-1].where == f"order[{where}]"


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=3, max_size=3), st.integers(0, 2))
def test_one_honest_party_is_enough_to_change_everything(secrets: list[bytes], which: int) -> None:
    """Two draws that differ in one party's secret have different seeds: nobody fixes the outcome alone."""
    before = filled([s.hex() for s in secrets])
    secrets[which] = hashlib.sha256(secrets[which]).digest()
    assert transcript.run(before)["seed"] != transcript.run(filled([s.hex() for s in secrets]))["seed"]


def filled(secrets: list[str]) -> dict[str, Any]:
    parties = WHOLE["announced"]["parties"]
    rows = list(zip(parties, secrets, strict=True))
    return {
        **WHOLE, "commitments": [{"party": p, "sha256": transcript.commitment(s)} for p, s in rows],
        "reveals": [{"party": p, "value": s, "by": "party"} for p, s in rows],
    }  # fmt: skip


def test_a_pool_that_cannot_fill_the_seats_is_refused_before_anything_is_drawn() -> None:
    document = copy.deepcopy(WHOLE)
    document["announced"]["rule"]["size"] = 14
    with pytest.raises(DrawImpossible, match="缺 2 人"):
        transcript.run(document)


def test_a_secret_is_32_bytes() -> None:
    for bad in ("", "00", "0" * 63, "g" * 64):
        with pytest.raises(ValueError):  # noqa: PT011 - two kinds of wrong
            transcript.commitment(bad)


def test_the_round_of_the_beacon_has_its_moment() -> None:
    """quicknet's first round fell at 2023-08-23 15:09:27 UTC, and one falls every three seconds."""
    assert transcript.round_moment(1) == "2023-08-23T15:09:27Z"
    assert transcript.round_moment(21) == "2023-08-23T15:10:27Z"


# --- the command; no test here may touch a database, and pytest-django sees to it --------------------------------------------


def kept(folder: Path, document: Any) -> str:
    file = folder / "in.json"
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return str(file)


def test_the_command_runs_and_verifies_without_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    call_command("draw", "run", kept(tmp_path, WHOLE), str(out))
    assert out.read_bytes() == write(WHOLE)
    call_command("draw", "verify", str(out))
    assert capsys.readouterr().out.endswith("OK\n")


def test_the_command_fails_with_2_and_the_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bent = {**WHOLE, "chosen": [*WHOLE["chosen"][:-1], "S10"]}
    with pytest.raises(CommandError) as told:
        call_command("draw", "verify", kept(tmp_path, bent))
    assert (told.value.returncode, str(told.value)) == (2, "FAIL chosen[4]")
    assert "FAIL chosen" in capsys.readouterr().out


def test_the_command_refuses_with_1_and_the_path(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    for wrong, path in (({**WHOLE, "beacon": {"value": "1"}}, "beacon.evidence"), ({**WHOLE, "seed": "x"}, "seed")):
        for action in (["run", kept(tmp_path, wrong), str(out)], ["verify", kept(tmp_path, wrong)]):
            with pytest.raises(CommandError) as told:
                call_command("draw", *action)
            assert told.value.returncode == 1
            assert path in str(told.value)
    with pytest.raises(CommandError) as told:
        call_command("draw", "verify", str(tmp_path / "nothing.json"))
    assert told.value.returncode == 1
    assert not out.exists()


def test_the_command_does_not_draw_on_a_reveal_that_breaks_its_commitment(tmp_path: Path) -> None:
    bent = copy.deepcopy(WHOLE)
    bent["reveals"][0]["value"] = "00" * 32
    with pytest.raises(CommandError) as told:
        call_command("draw", "run", kept(tmp_path, bent), str(tmp_path / "out.json"))
    assert told.value.returncode == 2
    assert "reveals[0].value" in str(told.value)
    assert not (tmp_path / "out.json").exists()
